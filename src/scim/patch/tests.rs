//! Tests of the patch module.
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) reads best as an argument"
)]

mod difference;

use serde_json::{Value, json};

use super::*;
use crate::scim::error::{Error, Kind};
use crate::scim::profile::Profile;
use crate::scim::tests::{ENTERPRISE, USER, map, user};

fn parsed(operations: Value) -> Result<Patch> {
    let body = map(json!({"schemas": [PATCH_URN], "operations": operations}));
    parse(body, &user(), Profile::Rfc)
}

fn patched(before: Value, operations: Value) -> Patched {
    let before = whole(before);
    parsed(operations)
        .and_then(|patch| patch.apply(&user(), &before))
        .unwrap()
}

fn whole(mut document: Value) -> Map {
    document["schemas"] = json!([USER]);
    if document.get("userName").is_none() {
        document["userName"] = json!("ada");
    }
    map(document)
}

fn after(before: Value, operations: Value) -> Value {
    let mut document = patched(before, operations).document;
    document.shift_remove("schemas");
    document.shift_remove("userName");
    Value::Object(document)
}

fn refused(before: Value, operations: Value) -> Error {
    let before = whole(before);
    parsed(operations)
        .and_then(|patch| patch.apply(&user(), &before))
        .unwrap_err()
}

fn emails() -> Value {
    json!({"emails": [{"value": "a@x", "type": "work", "primary": true}, {"value": "b@x", "type": "home"}]})
}

#[test]
fn operations_and_booleans_come_in_any_case() {
    let found = after(
        json!({"active": true}),
        json!([{"OP": "Replace", "Path": "ACTIVE", "Value": "False"}]),
    );
    assert_eq!(found, json!({"active": false}));
}

#[test]
fn a_value_without_a_path_may_have_paths_as_keys() {
    let found = patched(
        json!({"name": {"formatted": "A"}}),
        json!([{"op": "replace", "value": {
            "displayName": "Ada", "name.givenName": "Ada", "name.familyName": "Byron", "id": "x", "meta": {}, "groups": [],
            format!("{ENTERPRISE}:employeeNumber"): "E1", "emails[type eq \"work\"].value": "a@x", "shoeSize": 1,
            "schemas": [USER], ENTERPRISE: {"department": "Engines", "hat": 1}, "title": null,
        }}]),
    );
    assert_eq!(
        found.ignored,
        ["shoeSize".to_owned(), format!("{ENTERPRISE}:hat")]
    );
    assert_eq!(
        found.document,
        map(json!({
            "schemas": [USER, ENTERPRISE], "userName": "ada", "displayName": "Ada",
            "name": {"formatted": "A", "givenName": "Ada", "familyName": "Byron"},
            "emails": [{"type": "work", "value": "a@x"}],
            ENTERPRISE: {"employeeNumber": "E1", "department": "Engines"},
        }))
    );
}

#[test]
fn eq_filters_create_the_element_they_describe() {
    for op in ["add", "replace"] {
        let found = after(
            json!({}),
            json!([
                {"op": op, "path": "roles[primary eq \"True\"].value", "value": "r1"},
                {"op": op, "path": "roles[primary eq \"True\"].display", "value": "Role"},
                {"op": op, "path": "roles[primary eq \"True\"].type", "value": "work"},
                {"op": op, "path": "phoneNumbers[type eq \"mobile\"].primary", "value": "True"},
                {"op": op, "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1"},
                {"op": op, "path": "addresses[type eq \"work\" and locality eq \"Lund\"]", "value": {"streetAddress": "S"}},
            ]),
        );
        assert_eq!(
            found,
            json!({
                "roles": [{"primary": true, "value": "r1", "display": "Role", "type": "work"}],
                "phoneNumbers": [{"type": "mobile", "primary": true, "value": "1"}],
                "addresses": [{"type": "work", "locality": "Lund", "streetAddress": "S"}],
            }),
            "{op}"
        );
    }
}

#[test]
fn another_filter_that_selects_nothing_has_no_target() {
    for filter in [
        "value sw \"z\"",
        "type eq \"x\" or type eq \"y\"",
        "not (type pr)",
        "type eq null",
    ] {
        let path = format!("emails[{filter}].display");
        let error = refused(
            emails(),
            json!([{"op": "replace", "path": path, "value": "x"}]),
        );
        assert_eq!(error.kind, Kind::NoTarget, "{filter}");
        assert_eq!(
            after(emails(), json!([{"op": "remove", "path": path}])),
            emails()
        );
    }
}

#[test]
fn a_new_primary_element_ends_the_old_one() {
    let found = patched(
        emails(),
        json!([{"op": "add", "path": "emails", "value": [{"value": "c@x", "primary": true}]}]),
    );
    assert_eq!(
        found.document["emails"],
        json!([
            {"value": "a@x", "type": "work", "primary": false}, {"value": "b@x", "type": "home"}, {"value": "c@x", "primary": true},
        ])
    );
    assert_eq!(found.touched.len(), 1);
    let found = after(
        emails(),
        json!([{"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}]),
    );
    assert_eq!(found["emails"][0]["primary"], json!(false));
    assert_eq!(found["emails"][1]["primary"], json!(true));
    let found = after(
        emails(),
        json!([{"op": "replace", "path": "emails[primary eq true].value", "value": "z@x"}]),
    );
    assert_eq!(found["emails"][0]["value"], json!("z@x"));
}

#[test]
fn adding_what_is_there_changes_nothing_but_confirms_it() {
    let found = patched(
        emails(),
        json!([{"op": "add", "path": "emails", "value": [{"value": "a@x"}]}]),
    );
    assert_eq!(found.document["emails"], emails()["emails"]);
    assert_eq!(
        found.touched[0].element,
        Some(emails()["emails"][0].clone())
    );
    let found = patched(
        json!({"title": "T"}),
        json!([{"op": "add", "path": "title", "value": "T"}]),
    );
    assert_eq!(found.touched[0].location.to_string(), "title");
}

#[test]
fn complex_values_are_merged_part_by_part() {
    let before = json!({"name": {"givenName": "Ada", "familyName": "Byron"}});
    for op in ["add", "replace"] {
        let found = patched(
            before.clone(),
            json!([{"op": op, "path": "name", "value": {"familyName": "King"}}]),
        );
        assert_eq!(
            found.document["name"],
            json!({"givenName": "Ada", "familyName": "King"})
        );
        assert_eq!(found.touched.len(), 1);
        assert_eq!(found.touched[0].location.to_string(), "name.familyName");
    }
    let operations = json!([{"op": "replace", "path": "name", "value": {"familyName": null}}]);
    assert_eq!(
        after(before.clone(), operations),
        json!({"name": {"givenName": "Ada"}})
    );
    let operations = json!([{"op": "remove", "path": "name.familyName"}, {"op": "remove", "path": "name.givenName"}]);
    assert_eq!(after(before.clone(), operations), json!({}));
    assert_eq!(
        after(before, json!([{"op": "remove", "path": "name"}])),
        json!({})
    );
}

#[test]
fn a_manager_comes_in_every_form() {
    let path = format!("{ENTERPRISE}:manager");
    let manager = |value: &str| json!({ENTERPRISE: {"manager": {"value": value}}});
    for value in [
        json!("m2"),
        json!({"value": "m2"}),
        json!([{"$ref": null, "value": "m2"}]),
    ] {
        for path in [path.clone(), format!("{ENTERPRISE}.manager")] {
            let found = after(
                manager("m1"),
                json!([{"op": "Add", "path": path, "value": value}]),
            );
            assert_eq!(found, manager("m2"));
        }
    }
    for value in [json!(""), json!({"value": ""}), json!([{"value": ""}])] {
        let found = after(
            manager("m1"),
            json!([{"op": "Replace", "path": path, "value": value}]),
        );
        assert_eq!(found, json!({}));
    }
    let remove = |id: &str| json!([{"op": "remove", "path": format!("{path}[value eq \"{id}\"]")}]);
    assert_eq!(after(manager("m1"), remove("m1")), json!({}));
    assert_eq!(after(manager("m1"), remove("m2")), manager("m1"));
    let before = json!({ENTERPRISE: {"manager": {"value": "m1", "$ref": "/Users/m1", "displayName": "One"}}});
    let found = after(
        before.clone(),
        json!([{"op": "replace", "path": path, "value": "m2"}]),
    );
    assert_eq!(found, manager("m2"));
    let given = json!({"$ref": "/Users/m2", "value": "m2"});
    let found = after(
        before,
        json!([{"op": "replace", "path": path, "value": given}]),
    );
    assert_eq!(found, json!({ENTERPRISE: {"manager": given}}));
}

#[test]
fn an_extension_is_a_path_too() {
    let before = json!({ENTERPRISE: {"department": "A", "employeeNumber": "1"}});
    let found = after(
        before.clone(),
        json!([{"op": "add", "path": ENTERPRISE, "value": {"department": "B"}}]),
    );
    assert_eq!(
        found,
        json!({ENTERPRISE: {"department": "B", "employeeNumber": "1"}})
    );
    let found = patched(before, json!([{"op": "remove", "path": ENTERPRISE}]));
    assert_eq!(found.document["schemas"], json!([USER]));
    assert!(!found.document.contains_key(ENTERPRISE));
}

#[test]
fn elements_are_removed_by_filter_by_list_or_all() {
    let home = json!({"emails": [{"value": "b@x", "type": "home"}]});
    for operation in [
        json!({"op": "remove", "path": "emails[type eq \"work\"]"}),
        json!({"op": "remove", "path": "emails", "value": [{"value": "A@x"}]}),
        json!({"op": "remove", "path": "emails", "value": {"$ref": null, "type": "work"}}),
        json!({"op": "remove", "path": "emails", "value": "a@x"}),
    ] {
        let found = patched(emails(), json!([operation]));
        assert_eq!(found.document["emails"], home["emails"]);
        assert_eq!(found.removed.len(), 1);
        assert_eq!(
            found.removed[0].element,
            Some(emails()["emails"][0].clone())
        );
        assert!(found.touched.is_empty());
    }
    assert_eq!(
        after(emails(), json!([{"op": "remove", "path": "emails"}])),
        json!({})
    );
    assert_eq!(
        after(
            emails(),
            json!([{"op": "remove", "path": "emails", "value": []}])
        ),
        emails()
    );
    let error = refused(
        emails(),
        json!([{"op": "remove", "path": "emails", "value": null}]),
    );
    assert_eq!(error.kind, Kind::InvalidValue);
    let found = after(
        json!({"nationalities": ["GB", "SE"]}),
        json!([{"op": "remove", "path": "nationalities[value eq \"gb\"]"}]),
    );
    assert_eq!(found, json!({"nationalities": ["SE"]}));
}

#[test]
fn a_multi_valued_attribute_is_replaced_whole_or_by_element() {
    let found = patched(
        emails(),
        json!([{"op": "replace", "path": "emails", "value": [{"value": "c@x"}]}]),
    );
    assert_eq!(found.document["emails"], json!([{"value": "c@x"}]));
    assert_eq!(found.touched.len(), 2);
    assert_eq!(found.touched[0].element, None);
    let found = after(
        emails(),
        json!([{"op": "replace", "path": "emails[type eq \"work\"]", "value": {"value": "c@x"}}]),
    );
    assert_eq!(found["emails"][0], json!({"value": "c@x"}));
    let found = after(
        emails(),
        json!([{"op": "add", "path": "emails[type eq \"work\"]", "value": {"display": "A"}}]),
    );
    assert_eq!(
        found["emails"][0],
        json!({"value": "a@x", "type": "work", "primary": true, "display": "A"})
    );
    let found = after(
        emails(),
        json!([{"op": "replace", "path": "emails.display", "value": "A"}]),
    );
    assert_eq!(
        found["emails"][1],
        json!({"value": "b@x", "type": "home", "display": "A"})
    );
    assert_eq!(
        after(
            emails(),
            json!([{"op": "replace", "path": "emails", "value": []}])
        ),
        json!({})
    );
}

#[test]
fn touched_elements_stand_as_they_are_at_the_end() {
    let found = patched(
        json!({}),
        json!([
            {"op": "add", "path": "emails[type eq \"work\"].value", "value": "a@x"},
            {"op": "add", "path": "emails[type eq \"work\"].primary", "value": true},
            {"op": "add", "path": "emails", "value": {"value": "b@x", "primary": true}},
        ]),
    );
    let elements: Vec<Value> = found
        .touched
        .into_iter()
        .filter_map(|touched| touched.element)
        .collect();
    assert_eq!(
        elements,
        [
            json!({"type": "work", "value": "a@x", "primary": false}),
            json!({"value": "b@x", "primary": true}),
        ]
    );
}

#[test]
fn mutability_and_requirement_are_kept() {
    let cases = [
        (
            json!([{"op": "replace", "path": "id", "value": "x"}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "add", "path": "groups", "value": [{"value": "g"}]}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "remove", "path": "meta.created"}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "remove", "path": "userName"}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "replace", "path": "userName", "value": ""}]),
            Kind::InvalidValue,
        ),
        (
            json!([{"op": "replace", "path": "origin", "value": "b"}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "remove", "path": "origin"}]),
            Kind::Mutability,
        ),
        (
            json!([{"op": "add", "path": "phoneNumbers[type eq \"work\"].type", "value": "work"}]),
            Kind::InvalidValue,
        ),
        (
            json!([{"op": "replace", "path": "active", "value": "maybe"}]),
            Kind::InvalidValue,
        ),
    ];
    for (operations, kind) in cases {
        assert_eq!(
            refused(json!({"origin": "a"}), operations.clone()).kind,
            kind,
            "{operations}"
        );
    }
    let same = json!([{"op": "replace", "path": "origin", "value": "a"}]);
    assert_eq!(
        after(json!({"origin": "a"}), same.clone()),
        json!({"origin": "a"})
    );
    assert_eq!(after(json!({}), same), json!({"origin": "a"}));
    let found = patched(
        json!({}),
        json!([{"op": "replace", "path": "password", "value": "x"}]),
    );
    assert_eq!(found.ignored, ["password"]);
}

#[test]
fn malformed_patches_are_refused() {
    let cases = [
        (json!([]), Kind::InvalidSyntax),
        (json!("x"), Kind::InvalidSyntax),
        (
            json!([{"op": "move", "path": "title"}]),
            Kind::InvalidSyntax,
        ),
        (json!([{"path": "title"}]), Kind::InvalidSyntax),
        (json!([5]), Kind::InvalidSyntax),
        (json!([{"op": "remove"}]), Kind::NoTarget),
        (json!([{"op": "add", "path": "title"}]), Kind::InvalidValue),
        (json!([{"op": "add", "value": "x"}]), Kind::InvalidValue),
        (
            json!([{"op": "add", "path": "titel", "value": "x"}]),
            Kind::InvalidPath,
        ),
        (
            json!([{"op": "add", "path": "emails[type eq].value", "value": "x"}]),
            Kind::InvalidPath,
        ),
        (
            json!([{"op": "add", "path": "emails[kind eq \"x\"].value", "value": "x"}]),
            Kind::InvalidPath,
        ),
        (
            json!([{"op": "add", "path": "emails[type eq \"x\"].valu", "value": "x"}]),
            Kind::InvalidPath,
        ),
        (
            json!([{"op": "add", "path": "emails[type eq \"x\"]value", "value": "x"}]),
            Kind::InvalidPath,
        ),
        (
            json!([{"op": "add", "path": 5, "value": "x"}]),
            Kind::InvalidPath,
        ),
    ];
    for (operations, kind) in cases {
        let error = parsed(operations.clone()).unwrap_err();
        assert_eq!(error.kind, kind, "{operations}: {error}");
    }
    let many = vec![json!({"op": "remove", "path": "title"}); MAX_OPERATIONS + 1];
    assert_eq!(parsed(json!(many)).unwrap_err().kind, Kind::InvalidSyntax);
    let body = map(json!({"Operations": [{"op": "remove", "path": "title"}]}));
    assert!(
        parse(body, &user(), Profile::Rfc)
            .unwrap_err()
            .detail
            .contains(PATCH_URN)
    );
    let error =
        parsed(json!([{"op": "remove", "path": "title"}, {"op": "remove", "path": "titel"}]))
            .unwrap_err();
    assert!(
        error.detail.starts_with("operation 2:") && error.detail.contains("'title'"),
        "{error}"
    );
}

#[test]
fn a_path_prints_as_it_was_read() {
    for text in [
        "name.familyName",
        "emails[type eq \"work\"].value",
        "urn:x:2.0:User:a[b pr and c eq 1]",
    ] {
        let path = PatchPath::parse(text, Profile::Rfc).unwrap();
        assert_eq!(path.to_string(), text);
    }
}
