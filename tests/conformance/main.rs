//! Holds the clause table of `conformance/README.md` against what there is: each row has a case or a reason, each case
//! that is cited exists, and each case of the folder is cited.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

#[cfg(feature = "server")]
mod schemas;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use table::{Citation, Row, rows};

/// The checks of scim2-tester that rows may cite; `tests/scim2/run.py` runs them all.
const CHECKS: &[&str] = &[
    "access_schema_by_id",
    "object_creation",
    "object_deletion",
    "object_list_with_attributes",
    "object_query",
    "object_query_with_attributes",
    "object_query_without_id",
    "object_replacement",
    "query_all_resource_types",
    "query_all_schemas",
    "random_url",
    "schemas_endpoint_methods",
    "search_with_attributes",
    "service_provider_config_endpoint",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Vec<Row> {
    rows(&fs::read_to_string(root().join("conformance/README.md")).unwrap())
}

/// The names of the cases in each file of the folder, by `exchanges/create`.
fn cases() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("conformance");
    let mut files = vec![("always".to_owned(), folder.join("always.json"))];
    for kind in ["clients", "exchanges", "filters", "patches"] {
        for entry in fs::read_dir(folder.join(kind)).into_iter().flatten() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
            files.push((format!("{kind}/{stem}"), path));
        }
    }
    files
        .into_iter()
        .map(|(file, path)| (file, names(&path)))
        .collect()
}

fn names(path: &Path) -> BTreeSet<String> {
    let entries: Vec<Value> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let name = |entry: &Value| {
        let name = entry.get("name").or_else(|| entry.get("filter"));
        name.and_then(Value::as_str).unwrap().to_owned()
    };
    entries.iter().map(name).collect()
}

/// What is wrong with one citation.
fn fault(citation: &Citation, cases: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    match citation {
        Citation::File(file) if cases.contains_key(file) => None,
        Citation::File(file) => Some(format!("there is no file {file}")),
        Citation::Case(file, name) => match cases.get(file) {
            None => Some(format!("there is no file {file}")),
            Some(names) if names.contains(name) => None,
            Some(_) => Some(format!("{file} has no case \"{name}\"")),
        },
        Citation::Test(file, function) => {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            let there = text.contains(&format!("fn {function}("));
            (!there).then(|| format!("{file} has no test {function}"))
        }
        Citation::Check(name) => {
            let known = CHECKS.contains(&name.as_str());
            (!known).then(|| format!("scim2-tester has no check {name}"))
        }
        Citation::Reason(reason) => {
            let given = reason.split_whitespace().count() > 3;
            (!given).then(|| "a reason is a sentence".to_owned())
        }
        Citation::Unknown(text) => Some(format!("'{text}' is no citation")),
    }
}

#[test]
fn every_row_has_a_case_or_a_reason_and_every_case_it_cites_exists() {
    let (rows, cases) = (table(), cases());
    assert!(rows.len() > 150, "found only {} rows", rows.len());
    let mut faults = Vec::new();
    for row in &rows {
        if row.citations.is_empty() {
            faults.push(format!("line {}: no case and no reason", row.line));
        }
        let found = row.citations.iter().filter_map(|one| fault(one, &cases));
        faults.extend(found.map(|fault| format!("line {}: {fault}", row.line)));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_case_of_the_folder_is_cited() {
    let rows = table();
    let cited: BTreeSet<&Citation> = rows.iter().flat_map(|row| &row.citations).collect();
    let mut missing = Vec::new();
    for (file, names) in cases() {
        if cited.contains(&Citation::File(file.clone())) {
            continue;
        }
        for name in names {
            if !cited.contains(&Citation::Case(file.clone(), name.clone())) {
                missing.push(format!("{file} \"{name}\""));
            }
        }
    }
    assert!(missing.is_empty(), "no row cites\n{}", missing.join("\n"));
}

#[test]
fn every_row_names_its_clause_its_level_and_what_it_says() {
    for row in table() {
        let levels = [
            "MUST",
            "MUST NOT",
            "SHALL",
            "SHALL NOT",
            "SHOULD",
            "SHOULD NOT",
            "MAY",
            "example",
            "client",
            "draft",
        ];
        let line = row.line;
        assert!(
            levels.contains(&row.level.as_str()),
            "line {line}: {}",
            row.level
        );
        assert!(
            row.clause.starts_with('§') || row.clause == "any",
            "line {line}"
        );
        assert!(row.statement.contains(' '), "line {line}");
    }
}

#[test]
fn a_table_that_is_wrong_is_found_out() {
    let text = "### RFC 1\n\n| clause | level | statement | case |\n|---|---|---|---|\n\
        | §1 | MUST | one |  |\n\
        | §2 | MUST | two | exchanges/nowhere; filters/valid \"nothing\"; tests/http/main.rs none; t:none; n/a: no |\n";
    let rows = rows(text);
    let cases = cases();
    assert_eq!(rows.len(), 2);
    assert!(rows[0].citations.is_empty());
    let faults = rows[1]
        .citations
        .iter()
        .filter_map(|one| fault(one, &cases));
    assert_eq!(faults.count(), 5);
}
