//! What the RFC asks of every schema, of ours too.

use muster::domain::catalog::Catalog;
use serde_json::Value;

/// Every attribute of every schema as it is published, with its sub-attributes.
fn attributes() -> Vec<Value> {
    let catalog = Catalog::load().unwrap();
    let types = catalog.views().iter().map(|view| &*view.resource_type);
    let schemas = muster::scim::discovery::schemas("http://localhost", types);
    let listed = schemas["Resources"].as_array().unwrap().iter();
    listed
        .flat_map(|schema| schema["attributes"].as_array().unwrap().clone())
        .collect()
}

/// RFC 7643 §2.1.
#[test]
fn every_attribute_has_a_sound_name() {
    fn check(attribute: &Value) {
        let name = attribute["name"].as_str().unwrap();
        let sound = name == "$ref"
            || name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '$' | '-' | '_'));
        assert!(sound, "{name}");
        let inner = attribute["subAttributes"].as_array();
        inner.into_iter().flatten().for_each(check);
    }
    attributes().iter().for_each(check);
}

/// RFC 7643 §2.3.8.
#[test]
fn no_sub_attribute_is_complex() {
    for attribute in attributes() {
        let inner = attribute["subAttributes"].as_array();
        for sub in inner.into_iter().flatten() {
            assert_ne!(sub["type"], "complex", "{attribute}");
            assert!(sub.get("subAttributes").is_none(), "{attribute}");
        }
    }
}
