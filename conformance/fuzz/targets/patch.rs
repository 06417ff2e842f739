//! PATCH (RFC 7644 §3.5.2) over documents. The input is `{"before": a User, "Operations": […], "profile": …}`.
//!
//! What comes out is a document that the core would take as it is. One add, replace or remove without a value filter
//! changes nothing when it is repeated; with one it may, since what it selects can change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::scim::profile::Profile;
use muster::scim::receive::{Purpose, receive};
use muster::scim::{Map, json, patch};
use muster_fuzz::{GROUP, USER, assert_settled};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut input) = json::object(bytes) else { return };
    let Some(operations) = input.shift_remove("Operations") else { return };
    let profile = input.get("profile").and_then(|name| name.as_str()?.parse().ok());
    let profile = profile.unwrap_or_default();
    let repeatable = is_repeatable(&operations);
    let body: Map = [
        ("schemas".to_owned(), json!([patch::PATCH_URN])),
        ("Operations".to_owned(), operations),
    ]
    .into_iter()
    .collect();
    if let Ok(patch) = patch::parse(body.clone(), &GROUP, profile) {
        let _ = patch.split_rows(&GROUP);
    }
    let Ok(patch) = patch::parse(body, &USER, profile) else { return };
    let Some(Value::Object(mut before)) = input.shift_remove("before") else { return };
    before.insert("schemas".to_owned(), json!([&*USER.schema.id]));
    let Ok(before) = receive(&USER, before, Purpose::Create, Profile::Rfc) else { return };
    let Ok(once) = patch.apply(&USER, &before.document) else { return };
    assert_settled(&USER, &once.document);
    if repeatable {
        let twice = patch.apply(&USER, &once.document).expect("what could be done can be done again");
        assert_eq!(twice.document, once.document, "repeated, it changed more");
    }
});

/// One operation, and no value filter in its path or in the keys of its value.
fn is_repeatable(operations: &Value) -> bool {
    let Some([operation]) = operations.as_array().map(Vec::as_slice) else { return false };
    !operation.to_string().contains('[') || operation.get("path").is_some_and(|path| {
        path.as_str().is_some_and(|path| !path.contains('['))
    })
}
