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
