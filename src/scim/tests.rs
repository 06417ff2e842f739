//! Small resource types for this ring's tests: what each test needs, and no more.

pub(crate) mod data;

use std::sync::Arc;

use serde_json::{Value, json};

use super::Map;
use super::resource_type::{Extension, ResourceType};
use super::schema::Schema;

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A JSON object.
pub(crate) fn map(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn schema(value: Value) -> Arc<Schema> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn plural(name: &str, value_required: bool) -> Value {
    json!({"name": name, "type": "complex", "multiValued": true, "elementKey": ["value"], "subAttributes": [
        {"name": "value", "required": value_required},
        {"name": "display"},
        {"name": "type", "canonicalValues": ["work", "home"]},
        {"name": "primary", "type": "boolean"},
    ]})
}

/// A user with one attribute of every sort.
pub(crate) fn user() -> ResourceType {
    let core = schema(json!({"id": USER, "name": "User", "attributes": [
        {"name": "userName", "required": true, "uniqueness": "server"},
        {"name": "name", "type": "complex", "subAttributes": [
            {"name": "formatted"}, {"name": "familyName"}, {"name": "givenName"}]},
        {"name": "displayName"},
        {"name": "title"},
        {"name": "profileUrl", "type": "reference", "referenceTypes": ["external"]},
        {"name": "active", "type": "boolean"},
        {"name": "password", "mutability": "writeOnly", "returned": "never", "storage": "none"},
        plural("emails", false),
        plural("roles", false),
        plural("phoneNumbers", true),
        {"name": "addresses", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "type"}, {"name": "streetAddress"}, {"name": "locality"}]},
        {"name": "groups", "type": "complex", "multiValued": true, "mutability": "readOnly", "subAttributes": [
            {"name": "value", "mutability": "readOnly"}, {"name": "display", "mutability": "readOnly"}]},
        {"name": "x509Certificates", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "binary"}]},
        {"name": "nationalities", "multiValued": true},
        {"name": "level", "type": "integer"},
        {"name": "score", "type": "decimal"},
        {"name": "joined", "type": "dateTime"},
        {"name": "birthDate", "format": "date", "returned": "request"},
        {"name": "origin", "mutability": "immutable"},
        {"name": "status", "canonicalValues": ["Active", "Inactive"], "closed": true},
    ]}));
    let enterprise = schema(
        json!({"id": ENTERPRISE, "name": "Enterprise User", "attributes": [
            {"name": "employeeNumber", "caseExact": true},
            {"name": "department"},
            {"name": "manager", "type": "complex", "subAttributes": [
                {"name": "value", "caseExact": true},
                {"name": "$ref", "type": "reference", "referenceTypes": ["User"]},
                {"name": "displayName", "mutability": "readOnly"}]},
        ]}),
    );
    ResourceType {
        id: "User".to_owned(),
        name: "User".to_owned(),
        endpoint: "/Users".to_owned(),
        description: "People with an account.".to_owned(),
        schema: core,
        extensions: vec![Extension {
            schema: enterprise,
            required: false,
        }],
    }
}

/// A group whose members are rows.
pub(crate) fn group() -> ResourceType {
    ResourceType {
        id: "Group".to_owned(),
        name: "Group".to_owned(),
        endpoint: "/Groups".to_owned(),
        description: "Groups.".to_owned(),
        schema: schema(json!({"id": GROUP, "name": "Group", "attributes": [
            {"name": "displayName", "required": true},
            {"name": "members", "type": "complex", "multiValued": true, "storage": "rows", "subAttributes": [
                {"name": "value", "caseExact": true, "mutability": "immutable"},
                {"name": "$ref", "type": "reference", "mutability": "immutable"},
                {"name": "type", "mutability": "immutable"},
                {"name": "display", "mutability": "readOnly", "returned": "request"}]},
        ]})),
        extensions: Vec::new(),
    }
}
