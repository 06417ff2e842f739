//! Tests of the schema module.

use serde_json::{Value, json};

use super::*;

fn schema() -> Schema {
    let attributes = json!([
        {"name": "nick"},
        {"name": "kind", "canonicalValues": ["a", "b"], "caseExact": true, "uniqueness": "server"},
        {"name": "secret", "mutability": "writeOnly", "returned": "never"},
        {"name": "sealed", "secret": true},
        {"name": "hidden", "returned": "never"},
        {"name": "link", "type": "reference", "referenceTypes": ["User"]},
        {"name": "blob", "type": "binary"},
        {"name": "on", "type": "boolean"},
        {"name": "parts", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value", "required": true}]},
    ]);
    let schema = json!({"id": "urn:x:Y", "name": "Y", "attributes": attributes});
    Schema::parse(&schema.to_string()).unwrap()
}

#[test]
fn a_schema_is_published_with_every_characteristic_that_fits() {
    let published = schema().to_json("https://x.example/");
    assert_eq!(published["id"], "urn:x:Y");
    assert_eq!(
        published["meta"]["location"],
        "https://x.example/Schemas/urn:x:Y"
    );
    let attribute = |index: usize| published["attributes"][index].clone();
    assert_eq!(
        attribute(0),
        json!({"name": "nick", "type": "string", "multiValued": false, "description": "", "required": false,
            "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "none"})
    );
    assert_eq!(attribute(1)["canonicalValues"], json!(["a", "b"]));
    assert_eq!(attribute(1)["caseExact"], true);
    assert_eq!(attribute(5)["referenceTypes"], json!(["User"]));
    assert_eq!(attribute(5)["caseExact"], true);
    assert_eq!(attribute(7).get("caseExact"), None);
    assert_eq!(attribute(7).get("uniqueness"), None);
    assert_eq!(attribute(8).get("uniqueness"), None);
    assert_eq!(attribute(8)["subAttributes"][0]["required"], true);
    assert_eq!(attribute(0).get("subAttributes"), None);
    assert_eq!(attribute(0).get("referenceTypes"), None);
}

#[test]
fn case_matters_where_it_is_said_and_in_references_and_binaries() {
    let schema = schema();
    let heeds = |name: &str| schema.attribute(name).unwrap().heeds_case();
    assert!(!heeds("NICK") && heeds("kind") && heeds("link") && heeds("blob"));
}

#[test]
fn what_is_never_told_is_not_searched_by() {
    let schema = schema();
    let searchable = |name: &str| schema.attribute(name).unwrap().is_searchable();
    assert!(searchable("nick"));
    for name in ["secret", "sealed", "hidden"] {
        assert!(!searchable(name), "{name}");
    }
}

#[test]
fn names_know_no_case_and_files_no_unknown_characteristic() {
    let schema = schema();
    assert!(schema.attribute("nix").is_none());
    assert!(schema.attribute("PARTS").unwrap().sub("Value").is_some());
    let wrong = json!({"id": "urn:x", "name": "X", "attributes": [{"name": "a", "mutable": true}]});
    assert!(Schema::parse(&wrong.to_string()).is_err());
}

/// RFC 7643 §3.1.
#[test]
fn the_common_attributes_are_as_the_rfc_has_them() {
    let names: Vec<&str> = common().iter().map(|attribute| &*attribute.name).collect();
    assert_eq!(names, ["schemas", "id", "externalId", "meta"]);
    let [schemas, id, external, meta] = common() else {
        panic!("there are four")
    };
    assert!(schemas.multi_valued && schemas.required && schemas.returned == Returned::Always);
    assert_eq!(
        (id.mutability, id.returned, id.uniqueness),
        (Mutability::ReadOnly, Returned::Always, Uniqueness::Server)
    );
    assert!(external.mutability == Mutability::ReadWrite && external.case_exact);
    assert_eq!(meta.kind, Kind::Complex);
    let subs: Vec<Value> = meta
        .sub_attributes
        .iter()
        .map(|sub| json!([&*sub.name, sub.kind]))
        .collect();
    let wanted = json!([
        ["resourceType", "string"],
        ["created", "dateTime"],
        ["lastModified", "dateTime"],
        ["location", "reference"],
        ["version", "string"],
    ]);
    assert_eq!(Value::Array(subs), wanted);
}
