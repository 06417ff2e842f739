//! The cases of `conformance` that the protocol alone decides, run without a server.
//!
//! The same files go through HTTP and both databases in `tests/scim`; here a broken rule shows in seconds.

use serde_json::{Value, json};

use super::{ENTERPRISE, map};
use crate::scim::error::Kind;
use crate::scim::profile::Profile;
use crate::scim::resource_type::{Extension, ResourceType};
use crate::scim::schema::Schema;
use crate::scim::{Map, filter, patch, receive};

/// The User of RFC 7643 §4.1 with the enterprise extension, from the files that the server uses.
pub(crate) fn published_user() -> ResourceType {
    let schema = |text| Schema::parse(text).unwrap().into();
    ResourceType {
        schema: schema(include_str!("../schemas/user.json")),
        extensions: vec![Extension {
            schema: schema(include_str!("../schemas/enterprise_user.json")),
            required: false,
        }],
        ..super::user()
    }
}

fn cases(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

/// RFC 7644 §3.4.2.2.
#[test]
fn the_valid_filters_fit_a_user_and_print_as_themselves() {
    let ty = published_user();
    for case in cases(include_str!("../../../conformance/filters/valid.json")) {
        let text = case["filter"].as_str().unwrap();
        let parsed = filter::parse(text).unwrap();
        parsed.check(&ty).unwrap();
        assert_eq!(
            filter::parse(&parsed.to_string()).unwrap(),
            parsed,
            "{text}"
        );
    }
}

#[test]
fn the_invalid_filters_are_refused_with_the_place() {
    let ty = published_user();
    for case in cases(include_str!("../../../conformance/filters/invalid.json")) {
        let text = case["filter"].as_str().unwrap();
        let error = filter::parse(text)
            .and_then(|parsed| parsed.check(&ty))
            .unwrap_err();
        assert_eq!(error.kind, Kind::InvalidFilter, "{text}");
        let names_a_place = error.detail.contains("character ") || error.detail.contains('\'');
        assert!(names_a_place, "{text}: {}", error.detail);
    }
}

/// RFC 7644 §3.5.2, and the forms that real clients send.
#[test]
fn the_patches_turn_each_user_into_what_they_should() {
    let files = [
        include_str!("../../../conformance/patches/add.json"),
        include_str!("../../../conformance/patches/remove.json"),
        include_str!("../../../conformance/patches/replace.json"),
        include_str!("../../../conformance/patches/clients.json"),
    ];
    let ty = published_user();
    let cases = files.into_iter().flat_map(cases);
    let failed: Vec<String> = cases
        .filter_map(|case| {
            let why = patches_as_it_should(&ty, &case).err()?;
            Some(format!("{}: {why}", case["name"]))
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

fn patches_as_it_should(ty: &ResourceType, case: &Value) -> Result<(), String> {
    let before = received(ty, &case["before"]);
    let body = json!({"schemas": [patch::PATCH_URN], "Operations": case["operations"]});
    let outcome =
        patch::parse(map(body), ty, Profile::Rfc).and_then(|patch| patch.apply(ty, &before));
    match (outcome, case.get("after")) {
        (Ok(patched), Some(after)) => {
            let (found, wanted) = (sorted(&patched.document.into()), &received(ty, after));
            let wanted = sorted(&wanted.clone().into());
            (found == wanted)
                .then_some(())
                .ok_or(format!("wanted {wanted}, got {found}"))
        }
        (Err(error), None) if case["error"] == error.kind.keyword() => Ok(()),
        (outcome, _) => Err(format!("{outcome:?}")),
    }
}

/// The User as the server would keep it.
fn received(ty: &ResourceType, standard: &Value) -> Map {
    let mut body = map(standard.clone());
    body.insert("schemas".to_owned(), json!([super::USER, ENTERPRISE]));
    receive::receive(ty, body, receive::Purpose::Create, Profile::Rfc)
        .unwrap()
        .document
}

/// The elements of a multi-valued attribute have no order (RFC 7643 §2.4), and members of an object neither.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect();
            members.sort_by(|(a, _), (b, _)| a.cmp(b));
            members.into_iter().collect::<Map>().into()
        }
        other => other.clone(),
    }
}
