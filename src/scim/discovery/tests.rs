//! Tests of the discovery module.

use serde_json::json;

use super::*;
use crate::scim::tests::{ENTERPRISE, group, user};

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
        _ => false,
    }
}

#[test]
fn discovery_holds_no_null_and_nothing_of_our_own() {
    let types = [user(), group(), user()];
    let limits = Limits {
        max_results: 200,
        bulk: (1000, 1_048_576),
        default_results: 100,
        cursor_timeout: 3600,
        documentation_uri: None,
    };
    let answers = [
        service_provider_config("https://x.example/v2/", &limits),
        resource_types("https://x.example/v2", &types),
        schemas("https://x.example/v2", &types),
    ];
    for answer in &answers {
        assert!(!has_null(answer), "{answer}");
        for own in [
            "elementKey",
            "storage",
            "aliases",
            "closed",
            "secret",
            "derived",
            "format\"",
        ] {
            assert!(!answer.to_string().contains(own), "{own}");
        }
    }
    assert_eq!(
        answers[0]["meta"]["location"],
        json!("https://x.example/v2/ServiceProviderConfig")
    );
    assert_eq!(
        answers[1]["Resources"][0]["schemaExtensions"][0],
        json!({"schema": ENTERPRISE, "required": false})
    );
    assert_eq!(answers[2]["totalResults"], json!(3));
}

#[test]
fn every_characteristic_is_spelled_out() {
    let ty = user();
    let schema = ty.schema.to_json("");
    assert_eq!(
        schema["attributes"][0],
        json!({
            "name": "userName", "type": "string", "multiValued": false, "description": "", "required": true,
            "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "server",
        })
    );
    let reference = &schema["attributes"][4];
    assert_eq!(
        (&reference["referenceTypes"], &reference["caseExact"]),
        (&json!(["external"]), &json!(true))
    );
    assert!(schema["attributes"][1]["subAttributes"].is_array());
}
