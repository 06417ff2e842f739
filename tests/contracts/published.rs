//! What is made of the schema files is what was published: `conformance/contracts/NAME-VERSION.json` (A-119, B-036).
//!
//! `UPDATE_CONTRACTS=1` writes the files of new contracts, and of changed ones that break nobody.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use muster::domain::catalog::Catalog;
use muster::domain::contract::compatible::breaks;
use muster::domain::contract::{Contract, all};
use serde_json::{Value, json};

use crate::validator::Validator;

/// Every contract that is made.
pub(crate) fn contracts() -> Vec<Contract> {
    let catalog = Catalog::load().unwrap();
    let types: Vec<_> = catalog.resource_types().cloned().collect();
    all(&types)
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance/contracts")
}

/// The file as it is kept: indented, with a line's end.
fn text(contract: &Contract) -> String {
    format!("{:#}\n", contract.schema)
}

/// What there is to say of a contract and its file; nothing if they agree.
fn finding(contract: &Contract, kept: Option<&str>) -> Option<String> {
    let name = format!("{}-{}.json", contract.name, contract.version);
    let Some(kept) = kept else {
        return Some(format!(
            "{name} is new: run the test with UPDATE_CONTRACTS=1 and commit the file"
        ));
    };
    let older: Value = match serde_json::from_str(kept) {
        Ok(older) => older,
        Err(error) => return Some(format!("{name} is no JSON: {error}")),
    };
    let breaks = breaks(&older, &contract.schema);
    if !breaks.is_empty() {
        return Some(format!(
            "{name} is published, and the change breaks who relies on it:\n  {}\n  Take the change back, or make a new \
             version: name the old file in src/domain/contract/past.rs and run the test with UPDATE_CONTRACTS=1",
            breaks.join("\n  ")
        ));
    }
    (kept != text(contract)).then(|| {
        format!(
            "{name} has changed in a way that breaks nobody: run the test with UPDATE_CONTRACTS=1 and commit the file"
        )
    })
}

/// A-119, B-036: a breaking change without a new version fails, and the message says what to do.
#[test]
fn what_is_made_is_what_was_published() {
    let folder = folder();
    let update = env::var("UPDATE_CONTRACTS").is_ok_and(|value| value == "1");
    let mut findings = Vec::new();
    for contract in contracts() {
        let path = folder.join(format!("{}-{}.json", contract.name, contract.version));
        let kept = fs::read_to_string(&path).ok();
        let found = finding(&contract, kept.as_deref());
        let harmless = found
            .as_ref()
            .is_none_or(|found| !found.contains("breaks who"));
        if update && harmless {
            fs::create_dir_all(&folder).unwrap();
            fs::write(path, text(&contract)).unwrap();
        } else {
            findings.extend(found);
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// a contract that is not made any more is still served, or was never published.
#[test]
fn every_published_file_is_a_contract_that_is_served() {
    let known: Vec<String> = contracts()
        .iter()
        .map(|one| format!("{}-{}.json", one.name, one.version))
        .collect();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            known.contains(&name),
            "{name} is published, and nothing serves it: name it in src/domain/contract/past.rs"
        );
    }
}

/// the check itself says no where it must.
#[test]
fn a_breaking_change_is_told_from_a_harmless_one() {
    let contract = contracts().swap_remove(0);
    let kept = text(&contract);
    assert_eq!(finding(&contract, Some(&kept)), None);
    assert!(finding(&contract, None).unwrap().contains("is new"));

    let mut harmless = contract.clone();
    harmless.schema["properties"]["nickname"] = json!({"type": "string"});
    let told = finding(&harmless, Some(&kept)).unwrap();
    assert!(told.contains("breaks nobody"), "{told}");

    let mut breaking = harmless;
    breaking.schema["required"] = json!(["candidateId", "nickname"]);
    let told = finding(&breaking, Some(&kept)).unwrap();
    assert!(told.contains("'nickname' is required now"), "{told}");
    assert!(told.contains("make a new version"), "{told}");
}

/// names and versions are unique, and each schema is one by the dialect's own rules.
#[test]
fn every_contract_is_a_valid_schema_of_its_own() {
    let mut known = BTreeSet::new();
    for contract in contracts() {
        let Contract {
            name,
            version,
            schema,
            ..
        } = &contract;
        assert_eq!(
            schema["$id"],
            format!("urn:muster:contract:{name}:{version}")
        );
        for keyword in ["title", "description"] {
            assert!(schema[keyword].is_string(), "{name} has no {keyword}");
        }
        Validator::new(schema);
        assert!(
            known.insert((name.clone(), version.clone())),
            "{name} twice"
        );
    }
}
