//! Tests of the receive module.

use serde_json::{Value, json};

use super::*;
use crate::scim::tests::{ENTERPRISE, USER, map, user};

fn with(mut body: Value) -> Map {
    if body.get("schemas").is_none() {
        body["schemas"] = json!([USER]);
    }
    if body.get("userName").is_none() {
        body["userName"] = json!("ada");
    }
    map(body)
}

fn received(body: Value) -> Received {
    receive(&user(), with(body), Purpose::Create, Profile::Rfc).unwrap()
}

fn document(body: Value) -> Value {
    let mut document = received(body).document;
    document.shift_remove("schemas");
    document.shift_remove("userName");
    Value::Object(document)
}

fn refused(body: Value) -> Error {
    receive(&user(), with(body), Purpose::Create, Profile::Rfc).unwrap_err()
}

#[test]
fn names_become_canonical_and_read_only_attributes_fall_silently() {
    let found = received(json!({
        "id": "x", "meta": {"resourceType": "User"}, "groups": [],
        "Name": {"FAMILYNAME": "Byron", "middle": "x"}, "ExternalID": "e1", "shoeSize": 7,
    }));
    assert_eq!(
        found.document,
        map(json!({
            "schemas": [USER], "userName": "ada", "name": {"familyName": "Byron"}, "externalId": "e1",
        }))
    );
    assert_eq!(found.ignored, ["shoeSize", "name.middle"]);
}

#[test]
fn nulls_and_empty_values_are_unassigned() {
    let body = json!({
        "addresses": null, "roles": [], "name": {}, "emails": [null, {}], "title": null,
        ENTERPRISE: {"manager": null, "department": null},
    });
    assert_eq!(document(body), json!({}));
    assert_eq!(document(json!({ENTERPRISE: {"manager": ""}})), json!({}));
    assert_eq!(
        document(json!({ENTERPRISE: {"manager": {"value": ""}}})),
        json!({})
    );
}

#[test]
fn full_paths_are_keys_too() {
    let body = json!({
        "name.givenName": "Ada", "name": {"familyName": "Byron"},
        format!("{ENTERPRISE}:employeeNumber"): "E1",
        format!("{ENTERPRISE}.manager"): "m1",
        ENTERPRISE.to_lowercase(): {"Department": "Engines"},
    });
    assert_eq!(
        document(body),
        json!({
            "name": {"familyName": "Byron", "givenName": "Ada"},
            ENTERPRISE: {"employeeNumber": "E1", "manager": {"value": "m1"}, "department": "Engines"},
        })
    );
    let twice = refused(json!({"name.givenName": "Ada", "name": {"givenname": "Eve"}}));
    assert_eq!(twice.kind, ErrorKind::InvalidSyntax);
    assert_eq!(
        refused(json!({"title": "a", "TITLE": "b"})).kind,
        ErrorKind::InvalidSyntax
    );
    assert_eq!(
        refused(json!({"name": {"givenName": "a", "GIVENNAME": "b"}})).kind,
        ErrorKind::InvalidSyntax
    );
}

#[test]
fn schemas_must_name_the_core_schema() {
    let missing = receive(
        &user(),
        map(json!({"userName": "ada"})),
        Purpose::Create,
        Profile::Rfc,
    )
    .unwrap_err();
    assert_eq!(missing.kind, ErrorKind::InvalidSyntax);
    assert!(missing.detail.contains(USER));
    for schemas in [json!("x"), json!([]), json!([1]), json!([ENTERPRISE])] {
        assert_eq!(
            refused(json!({"schemas": schemas})).kind,
            ErrorKind::InvalidSyntax
        );
    }
    let found = received(
        json!({"schemas": [USER.to_uppercase(), "http://schemas.example/Other", ENTERPRISE]}),
    );
    assert_eq!(found.ignored, ["http://schemas.example/Other"]);
    assert!(found.extensions.contains(ENTERPRISE));
    assert_eq!(found.document["schemas"], json!([USER]));
    let found = received(
        json!({ENTERPRISE: {"department": "x"}, "schemas": ["urn:scim:schemas:core:2.0"]}),
    );
    assert_eq!(found.document["schemas"], json!([USER, ENTERPRISE]));
    assert!(found.extensions.contains(ENTERPRISE));
}

#[test]
fn values_take_the_type_of_their_attribute() {
    let body = json!({
        "active": "False", "emails": {"value": "a@x.example", "primary": "TRUE"}, "title": ["Countess"],
        "phoneNumbers": ["1"], "level": -3, "score": 2, "joined": "2026-05-01T10:00:00+02:00", "birthDate": "1815-12-10",
        "profileUrl": "no uri at all", "status": "ACTIVE", "x509Certificates": [{"value": "AAA="}], "nationalities": "GB",
        ENTERPRISE: {"manager": [{"$ref": null, "value": "m1"}]},
    });
    assert_eq!(
        document(body),
        json!({
            "active": false, "emails": [{"value": "a@x.example", "primary": true}], "title": "Countess",
            "phoneNumbers": [{"value": "1"}], "level": -3, "score": 2, "joined": "2026-05-01T10:00:00+02:00", "birthDate": "1815-12-10",
            "profileUrl": "no uri at all", "status": "Active", "x509Certificates": [{"value": "AAA="}], "nationalities": ["GB"],
            ENTERPRISE: {"manager": {"value": "m1"}},
        })
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_path() {
    let long = "x".repeat(MAX_STRING + 1);
    let many: Vec<Value> = (0..=MAX_ELEMENTS)
        .map(|number| json!(number.to_string()))
        .collect();
    let cases = [
        (json!({"userName": ""}), "'userName' is required"),
        (
            json!({"title": 5}),
            "'title' must be a string, not a number",
        ),
        (json!({"title": ["a", "b"]}), "not an array of 2"),
        (json!({"active": "maybe"}), "'active' must be true or false"),
        (json!({"active": 1}), "'active'"),
        (json!({"level": 1.5}), "whole number"),
        (json!({"level": u64::MAX}), "whole number"),
        (json!({"level": "1"}), "not a string"),
        (json!({"joined": "1.5.2026"}), "dateTime"),
        (json!({"birthDate": "1815-13-10"}), "calendar day"),
        (json!({"status": "Gone"}), "one of Active, Inactive"),
        (json!({"x509Certificates": [{"value": "A"}]}), "base64"),
        (json!({"x509Certificates": [{"value": "AA="}]}), "base64"),
        (json!({"x509Certificates": [{"value": "A==="}]}), "base64"),
        (json!({"name": "Ada"}), "'name' is complex"),
        (json!({"name": [1]}), "'name' is complex"),
        (
            json!({"roles": ["{\"value\":\"x\"}"]}),
            "written as a string",
        ),
        (
            json!({"phoneNumbers": [{"type": "work"}]}),
            "'phoneNumbers.value' is required",
        ),
        (
            json!({"emails": [{"value": "a", "primary": true}, {"value": "b", "primary": "true"}]}),
            "2 primary",
        ),
        (json!({"emails.value": "x"}), "multi-valued"),
        (json!({"title": "a\u{0}b"}), "U+0000"),
        (json!({"title": long}), "bytes"),
        (json!({"nationalities": many}), "elements"),
        (json!({ENTERPRISE: "x"}), "object of attributes"),
    ];
    for (body, wanted) in cases {
        let error = refused(body);
        assert_eq!(error.kind, ErrorKind::InvalidValue, "{error}");
        assert!(error.detail.contains(wanted), "{error}");
    }
}

#[test]
fn what_is_not_stored_is_checked_and_dropped() {
    let found = received(json!({"password": "s3cret"}));
    assert_eq!(found.ignored, ["password"]);
    assert!(!found.document.contains_key("password"));
    assert_eq!(
        refused(json!({"password": 5})).kind,
        ErrorKind::InvalidValue
    );
}

#[test]
fn equal_elements_are_kept_once() {
    let body = json!({"emails": [{"value": "a", "type": "work"}, {"TYPE": "work", "value": "a"}, {"value": "a"}]});
    assert_eq!(
        document(body),
        json!({"emails": [{"value": "a", "type": "work"}, {"value": "a"}]})
    );
}

#[test]
fn a_put_says_that_it_gives_the_whole_resource() {
    let error = receive(
        &user(),
        map(json!({"schemas": [USER]})),
        Purpose::Replace,
        Profile::Rfc,
    )
    .unwrap_err();
    assert!(error.detail.contains("whole resource"));
}
