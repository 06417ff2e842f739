//! Tests of the projection module.

use serde_json::{Value, json};

use super::*;
use crate::scim::tests::{ENTERPRISE, USER, group, map, user};

fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let document = map(json!({
        "schemas": [USER, ENTERPRISE], "id": "1", "userName": "ada", "birthDate": "1815-12-10", "password": "x",
        "name": {"familyName": "Byron", "givenName": "Ada"},
        "emails": [{"value": "a", "type": "work"}],
        ENTERPRISE: {"department": "D", "manager": {"value": "m", "displayName": "M"}},
    }));
    let projection = Projection::parse(&user(), attributes, excluded).unwrap();
    let mut answer = projection.apply(&user(), document);
    assert!(answer.shift_remove("schemas").is_some());
    assert!(answer.shift_remove("id").is_some());
    Value::Object(answer)
}

#[test]
fn by_default_neither_request_nor_never() {
    let answer = shown(None, Some(" "));
    assert!(answer.get("birthDate").is_none() && answer.get("password").is_none());
    assert_eq!(answer["name"]["givenName"], json!("Ada"));
    assert_eq!(answer[ENTERPRISE]["manager"]["value"], json!("m"));
}

#[test]
fn only_what_is_asked_for() {
    assert_eq!(
        shown(Some("USERNAME, birthDate,password,nonsense,9"), None),
        json!({"userName": "ada", "birthDate": "1815-12-10"})
    );
    assert_eq!(
        shown(Some("name.familyName,emails.value"), None),
        json!({"name": {"familyName": "Byron"}, "emails": [{"value": "a"}]})
    );
    assert_eq!(shown(Some("id"), None), json!({}));
    let enterprise =
        json!({ENTERPRISE: {"department": "D", "manager": {"value": "m", "displayName": "M"}}});
    assert_eq!(shown(Some(ENTERPRISE), None), enterprise);
    assert_eq!(
        shown(Some(&format!("{ENTERPRISE}:manager.value")), None),
        json!({ENTERPRISE: {"manager": {"value": "m"}}})
    );
}

#[test]
fn all_but_what_is_excluded() {
    let answer = shown(
        None,
        Some(&format!("id,schemas,emails,name.givenName,{ENTERPRISE}")),
    );
    assert_eq!(
        answer,
        json!({"userName": "ada", "name": {"familyName": "Byron"}})
    );
}

#[test]
fn both_lists_are_refused() {
    assert!(Projection::parse(&user(), Some("id"), Some("name")).is_err());
}

#[test]
fn a_server_can_tell_what_it_need_not_load() {
    let ty = group();
    let members = ty
        .leaves()
        .find(|leaf| leaf.location.to_string() == "members")
        .unwrap()
        .location;
    let display = ty
        .leaves()
        .find(|leaf| leaf.location.to_string() == "members.display")
        .unwrap()
        .location;
    let includes = |attributes, excluded, location| {
        Projection::parse(&ty, attributes, excluded)
            .unwrap()
            .includes(&ty, location)
    };
    assert!(includes(None, None, &members));
    assert!(!includes(None, Some("members"), &members));
    assert!(!includes(Some("displayName"), None, &members));
    assert!(includes(Some("members.value"), None, &members));
    assert!(!includes(Some("members"), None, &display));
    assert!(includes(Some("members.display"), None, &display));
}

#[test]
fn a_request_that_says_nothing_is_told_from_one_that_names_attributes() {
    let parse = |only, except| Projection::parse(&user(), only, except).unwrap();
    let said = [
        (parse(None, None), true, false),
        (parse(Some(" "), Some("")), true, false),
        (parse(Some("userName"), None), false, true),
        (parse(None, Some("emails")), false, false),
        (Projection::minimal(), false, true),
    ];
    for (projection, is_default, names) in said {
        assert_eq!(projection.is_default(), is_default, "{projection:?}");
        assert_eq!(projection.names_attributes(), names, "{projection:?}");
    }
}
