//! What a body may ask of one resource's elements.

use serde_json::{Value, json};

use crate::scim::patch::{PATCH_URN, parse};
use crate::scim::profile::Profile;
use crate::scim::tests::{USER, map, user};

#[test]
fn operations_that_go_through_too_many_elements_are_refused() {
    let roles: Vec<Value> = (0..9000).map(|n| json!({"value": n.to_string()})).collect();
    let before = map(json!({"schemas": [USER], "userName": "ada", "roles": roles}));
    let operation = json!({"op": "remove", "path": "roles[value eq \"nobody\"]"});
    let patch = |count: usize| {
        let body = json!({"schemas": [PATCH_URN], "Operations": vec![operation.clone(); count]});
        parse(map(body), &user(), Profile::Rfc)
            .unwrap()
            .apply(&user(), &before)
            .map(|patched| patched.document.len())
    };
    assert!(patch(3).is_ok());
    let refused = patch(1000).unwrap_err().to_string();
    assert!(refused.contains("several requests"), "{refused}");
}

/// The house tells addresses apart by all they say, so those that say the same must be written alike.
#[test]
fn an_element_made_part_by_part_is_written_as_one_that_was_given_whole() {
    let whole = json!({"type": "work", "streetAddress": "1 Pier", "locality": "Hull"});
    let patched = |operations: Value| {
        let before = map(json!({"schemas": [USER], "userName": "ada"}));
        let body = json!({"schemas": [PATCH_URN], "Operations": operations});
        let patch = parse(map(body), &user(), Profile::Rfc).unwrap();
        patch.apply(&user(), &before).unwrap().document["addresses"].to_string()
    };
    let parts = json!([
        {"op": "add", "path": "addresses[type eq \"work\"].locality", "value": "Hull"},
        {"op": "replace", "path": "addresses[type eq \"work\"].streetAddress", "value": "1 Pier"},
    ]);
    assert_eq!(
        patched(parts),
        patched(json!([{"op": "add", "path": "addresses", "value": [whole]}]))
    );
}
