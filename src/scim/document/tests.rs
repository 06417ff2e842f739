//! Tests of the document module.

use serde_json::{Value, json};

use super::*;
use crate::scim::attribute_path::AttributePath;
use crate::scim::error::Kind;
use crate::scim::tests::{ENTERPRISE, USER, map, user};

fn location(path: &str) -> Location {
    let path = AttributePath::parse(path, Kind::InvalidPath).unwrap();
    user().resolve(&path).unwrap().location
}

fn ada() -> Map {
    map(json!({
        "userName": "ada", "name": {"familyName": "Byron"}, "nationalities": ["GB", "SE"],
        "emails": [{"value": "a@x", "type": "work"}, {"value": "b@x"}, {"type": "home"}],
        ENTERPRISE: {"department": "Engines"},
    }))
}

fn found(path: &str) -> Vec<Value> {
    values(&ada(), &location(path)).cloned().collect()
}

#[test]
fn values_are_found_in_elements_single_values_and_extensions() {
    assert_eq!(found("userName"), [json!("ada")]);
    assert_eq!(found("name.familyName"), [json!("Byron")]);
    assert_eq!(found("name.givenName"), [] as [Value; 0]);
    assert_eq!(found("emails.value"), [json!("a@x"), json!("b@x")]);
    assert_eq!(found("nationalities"), [json!("GB"), json!("SE")]);
    let department = format!("{ENTERPRISE}:department");
    assert_eq!(found(&department), [json!("Engines")]);
    assert_eq!(found("title"), [] as [Value; 0]);
    assert_eq!(elements(&ada(), &location("emails.type")).len(), 3);
    assert!(elements(&ada(), &location("title")).is_empty());
    assert_eq!(
        attribute(&ada(), &location("name.familyName")),
        Some(&json!({"familyName": "Byron"}))
    );
    let several = json!({"value": ["x", "y"]});
    assert_eq!(within(&several, &location("emails.value")).len(), 2);
}

#[test]
fn an_extension_comes_with_its_first_attribute_and_goes_with_its_last() {
    let (department, number) = (
        location(&format!("{ENTERPRISE}:department")),
        location(&format!("{ENTERPRISE}:employeeNumber")),
    );
    let mut document = map(json!({"userName": "ada"}));
    remove(&mut document, &department);
    put(&mut document, &number, json!("7"));
    put(&mut document, &department, json!("Engines"));
    put(&mut document, &location("title"), json!("Countess"));
    assert_eq!(
        document,
        map(json!({
            "userName": "ada", "title": "Countess",
            ENTERPRISE: {"employeeNumber": "7", "department": "Engines"},
        }))
    );
    remove(&mut document, &number);
    assert_eq!(container(&document, &number).map(Map::len), Some(1));
    remove(&mut document, &department);
    remove(&mut document, &location("title"));
    assert_eq!(document, map(json!({"userName": "ada"})));
}

#[test]
fn what_is_unassigned_goes_at_every_level() {
    for value in [json!(null), json!([]), json!({})] {
        assert!(is_unassigned(&value), "{value}");
    }
    for value in [
        json!(""),
        json!(0),
        json!(false),
        json!([null]),
        json!({"a": null}),
    ] {
        assert!(!is_unassigned(&value), "{value}");
    }
    let mut document = map(json!({
        "a": null, "b": [], "c": {}, "d": {"e": null, "f": [null, {}]}, "g": [{"h": 1, "i": []}, {"j": null}],
        "k": "", "l": 0, "m": false,
    }));
    prune(&mut document);
    assert_eq!(
        document,
        map(json!({"g": [{"h": 1}], "k": "", "l": 0, "m": false}))
    );
}

#[test]
fn schemas_name_the_core_and_the_extensions_in_use() {
    let ty = user();
    let mut document = map(json!({"userName": "ada", ENTERPRISE: {"department": "Engines"}}));
    set_schemas(&ty, &mut document);
    assert_eq!(document["schemas"], json!([USER, ENTERPRISE]));
    document.shift_remove(ENTERPRISE);
    set_schemas(&ty, &mut document);
    assert_eq!(document["schemas"], json!([USER]));
}
