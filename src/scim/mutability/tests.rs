//! Tests of the mutability module.

use serde_json::{Value, json};

use super::*;
use crate::scim::error::Kind as ErrorKind;
use crate::scim::tests::{map, user};

/// A user whose manager may be named once, and whose name's formatted part may be set once.
fn strict_user() -> ResourceType {
    let mut ty = user();
    let mut schema = (*ty.schema).clone();
    for attribute in &mut schema.attributes {
        if &*attribute.name == "name" {
            attribute.sub_attributes[0].mutability = Mutability::Immutable;
        }
        if &*attribute.name == "addresses" {
            attribute.sub_attributes[0].mutability = Mutability::Immutable;
        }
    }
    ty.schema = schema.into();
    let mut enterprise = (*ty.extensions[0].schema).clone();
    enterprise.attributes[2].mutability = Mutability::Immutable;
    ty.extensions[0].schema = enterprise.into();
    ty
}

fn outcome(before: Value, after: Value) -> Result<()> {
    check_immutable(&strict_user(), &map(before), &map(after))
}

#[test]
fn an_immutable_value_may_be_set_left_out_and_repeated_but_not_changed() {
    assert_eq!(outcome(json!({}), json!({"origin": "a"})), Ok(()));
    assert_eq!(outcome(json!({"origin": "a"}), json!({})), Ok(()));
    assert_eq!(
        outcome(json!({"origin": "a"}), json!({"origin": "a"})),
        Ok(())
    );
    let error = outcome(json!({"origin": "a"}), json!({"origin": "b"})).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Mutability);
    assert!(error.detail.contains("'origin'"), "{error}");
    assert_eq!(
        outcome(json!({"title": "a"}), json!({"title": "b"})),
        Ok(())
    );
}

#[test]
fn a_sub_attribute_is_held_to_its_own_mutability() {
    let name = |formatted: &str, given: &str| json!({"name": {"formatted": formatted, "givenName": given}});
    assert_eq!(outcome(name("a", "x"), name("a", "y")), Ok(()));
    let error = outcome(name("a", "x"), name("b", "x")).unwrap_err();
    assert!(error.detail.contains("'name.formatted'"), "{error}");
    // Elements have no identity between two documents.
    let places = |kind: &str| json!({"addresses": [{"type": kind}]});
    assert_eq!(outcome(places("a"), places("b")), Ok(()));
}

#[test]
fn a_reference_is_the_same_while_its_value_is() {
    let manager = |value: &str, reference: &str| json!({crate::scim::tests::ENTERPRISE: {"manager": {"value": value, "$ref": reference}}});
    assert_eq!(outcome(manager("1", "a"), manager("1", "b")), Ok(()));
    assert!(outcome(manager("1", "a"), manager("2", "a")).is_err());
}
