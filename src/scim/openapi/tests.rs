//! Tests of the OpenAPI document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::scim::discovery::{Limits, service_provider_config};
use crate::scim::tests::data::published_user;
use crate::scim::tests::{ENTERPRISE, USER, group, map, user};

fn described(config: &Value) -> Value {
    with(&json!({}), config)
}

fn with(own: &Value, config: &Value) -> Value {
    let about = About {
        base: "https://x.example/scim/v2/",
        config,
        issuers: &[
            "https://a.example/".to_owned(),
            "https://b.example".to_owned(),
        ],
        examples: &map(json!({"/Users": {"userName": "ada"}})),
        own,
    };
    document(&about, &[&user(), &group()])
}

fn plain() -> Value {
    described(&json!({}))
}

/// Every `$ref` within.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| match inner {
            Value::String(target) if name == "$ref" => {
                found.insert(target);
            }
            other => references(other, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_has_its_component_and_every_component_is_used() {
    let offers =
        json!({"bulk": {"supported": true, "maxOperations": 7}, "pagination": {"cursor": true}});
    for config in [json!({}), offers] {
        let document = described(&config);
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for target in &found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target}");
        }
        for (kind, components) in document["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys() {
                let target = format!("#/components/{kind}/{name}");
                let used = found.contains(&*target) || kind == "securitySchemes";
                assert!(used, "{target}");
            }
        }
    }
}

#[test]
fn every_operation_has_its_own_id_and_tells_how_it_may_fail() {
    let document = plain();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap()),
                "{method} {path}"
            );
            let responses = operation["responses"].as_object().unwrap();
            for status in ["400", "401", "403", "429", "500", "503"] {
                assert!(
                    responses[status]["$ref"].is_string(),
                    "{method} {path}: {status}"
                );
            }
            let takes_a_body = operation.get("requestBody").is_some();
            assert_eq!(
                takes_a_body,
                ["post", "put", "patch"].contains(&&**method),
                "{path}"
            );
            assert_eq!(
                takes_a_body,
                responses.contains_key("413") && responses.contains_key("415")
            );
        }
    }
    let statuses = |pointer: &str| -> Vec<String> {
        let responses = document.pointer(pointer).unwrap().as_object().unwrap();
        responses.keys().cloned().collect()
    };
    let wanted = "400 401 403 429 500 503 413 415 201 404 409 422";
    assert_eq!(statuses("/paths/~1Users/post/responses").join(" "), wanted);
    let wanted = "400 401 403 429 500 503 200 304 404";
    assert_eq!(
        statuses("/paths/~1Users~1{id}/get/responses").join(" "),
        wanted
    );
}

#[test]
fn a_type_is_described_as_sent_and_as_answered() {
    let document = plain();
    let schemas = &document["components"]["schemas"];
    let (answered, sent) = (&schemas["User"], &schemas["UserInput"]);
    assert_eq!(answered["required"], json!(["schemas", "id"]));
    assert_eq!(sent["required"], json!(["schemas", "userName"]));
    assert_eq!(answered["title"], "User");
    // RFC 7643 §7: readOnly is never sent, writeOnly never answered.
    for (name, is_answered, is_sent) in [
        ("id", true, false),
        ("meta", true, false),
        ("groups", true, false),
        ("password", false, true),
        ("userName", true, true),
        (ENTERPRISE, true, true),
    ] {
        assert_eq!(
            answered["properties"].get(name).is_some(),
            is_answered,
            "{name}"
        );
        assert_eq!(sent["properties"].get(name).is_some(), is_sent, "{name}");
    }
    assert_eq!(answered["properties"]["id"]["readOnly"], true);
    assert_eq!(sent["properties"]["password"]["writeOnly"], true);
    assert_eq!(
        sent["properties"]["origin"]["x-scim-mutability"],
        "immutable"
    );
    assert_eq!(
        answered["properties"]["userName"]["x-scim-uniqueness"],
        "server"
    );
    assert_eq!(
        answered["properties"]["birthDate"]["x-scim-returned"],
        "request"
    );
    assert_eq!(answered["properties"]["title"], json!({"type": "string"}));
    let urns = json!([USER, ENTERPRISE]);
    assert_eq!(answered["properties"]["schemas"]["items"]["enum"], urns);
    assert_eq!(answered["properties"]["schemas"]["contains"]["const"], USER);
    assert!(
        schemas["EnterpriseUserInput"]["properties"]
            .get("manager")
            .is_some()
    );
    // Group members are rows: required or not, a body may leave them out.
    assert_eq!(
        schemas["GroupInput"]["required"],
        json!(["schemas", "displayName"])
    );
}

#[test]
fn the_types_of_rfc_7643_become_those_of_json_schema() {
    let document = plain();
    let sent = &document["components"]["schemas"]["UserInput"]["properties"];
    let cases = [
        ("/active", json!({"type": "boolean"})),
        ("/score", json!({"type": "number"})),
        ("/joined", json!({"type": "string", "format": "date-time"})),
        ("/birthDate/format", json!("date")),
        ("/level/minimum", json!(i64::MIN)),
        ("/profileUrl/format", Value::Null),
        (
            "/x509Certificates/items/properties/value/contentEncoding",
            json!("base64"),
        ),
        (
            "/emails/items/properties/type/examples",
            json!(["work", "home"]),
        ),
        ("/emails/maxItems", json!(10_000)),
        ("/status/enum", json!(["Active", "Inactive"])),
        ("/userName/minLength", json!(1)),
        ("/title/minLength", Value::Null),
        ("/phoneNumbers/items/required", json!(["value"])),
    ];
    for (pointer, wanted) in cases {
        let found = sent.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(found, wanted, "{pointer}");
    }
    let answered = &document["components"]["schemas"]["User"]["properties"];
    assert_eq!(answered["meta"]["properties"]["location"]["format"], "uri");
    assert_eq!(answered["emails"].get("maxItems"), None);
}

#[test]
fn what_is_not_offered_is_not_described() {
    let plain = plain();
    assert!(plain["paths"].get("/Bulk").is_none());
    assert!(plain["components"]["parameters"].get("cursor").is_none());
    let all = described(&json!({
        "bulk": {"supported": true, "maxOperations": 7}, "pagination": {"cursor": true},
    }));
    let schemas = &all["components"]["schemas"];
    assert_eq!(
        schemas["BulkRequest"]["properties"]["Operations"]["maxItems"],
        7
    );
    assert!(
        schemas["SearchRequest"]["properties"]
            .get("cursor")
            .is_some()
    );
    let listed = all["paths"]["/Users"]["get"]["parameters"].to_string();
    assert!(listed.contains("parameters/cursor"), "{listed}");
}

#[test]
fn discovery_needs_no_token_and_all_else_one_of_an_issuer() {
    let document = plain();
    assert_eq!(
        document["security"],
        json!([{"oidc": []}, {"oidc2": []}, {"bearer": []}])
    );
    assert_eq!(document["servers"][0]["url"], "https://x.example/scim/v2");
    assert_eq!(
        document["components"]["securitySchemes"]["oidc"]["openIdConnectUrl"],
        "https://a.example/.well-known/openid-configuration"
    );
    assert_eq!(
        document["paths"]["/Schemas/{id}"]["get"]["security"],
        json!([{}])
    );
    assert!(document["paths"]["/Users"]["get"].get("security").is_none());
}

#[test]
fn an_example_and_the_links_from_a_new_resource_help_to_begin() {
    let document = plain();
    let post = &document["paths"]["/Users"]["post"];
    let scim = &post["requestBody"]["content"]["application/scim+json"];
    assert_eq!(scim["examples"]["plain"]["value"]["userName"], "ada");
    let links = &post["responses"]["201"]["links"];
    assert_eq!(links["replace"]["operationId"], "replaceUser");
}

#[test]
fn the_published_user_is_described_with_the_real_configuration() {
    let limits = Limits {
        max_results: 10,
        default_results: 10,
        cursor_timeout: 3600,
        bulk: (1000, 1 << 20),
        documentation_uri: None,
    };
    let config = service_provider_config("https://x.example", &limits);
    let about = About {
        base: "https://x.example",
        config: &config,
        issuers: &[],
        examples: &Map::new(),
        own: &json!({}),
    };
    let document = document(&about, &[&published_user()]);
    assert_eq!(document["openapi"], OPENAPI);
    let schemas = &document["components"]["schemas"];
    assert!(schemas["User"]["properties"]["userName"]["description"].is_string());
}

/// RFC 7644 §3.12 and RFC 9865 §2.1: each keyword once.
#[test]
fn an_error_has_one_of_the_keywords() {
    let document = plain();
    let keywords = &document["components"]["schemas"]["Error"]["properties"]["scimType"]["enum"];
    let keywords: Vec<&str> = keywords
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    for known in [
        "invalidFilter",
        "sensitive",
        "invalidCursor",
        "expiredCursor",
        "invalidCount",
    ] {
        let times = keywords.iter().filter(|keyword| **keyword == known).count();
        assert_eq!(times, 1, "{known}");
    }
}

/// What a service adds is joined with what RFC 7644 has, and its operations are refused as all are.
#[test]
fn what_a_service_adds_is_described_like_the_rest() {
    let key = json!({"$ref": "#/components/parameters/idempotencyKey"});
    let own = json!({
        "tags": [{"name": "Own"}],
        "paths": {
            "/Users/{id}": {"get": {"responses": {"200": {"content": {"text/plain": {}}}, "410": {"description": "Gone."}}}},
            "/Users/{id}/merge": {"post": {
                "parameters": [key], "requestBody": {}, "responses": {"200": {"description": "Done."}, "404": null},
            }},
        },
    });
    let (document, plain) = (with(&own, &json!({})), plain());
    let get = &document["paths"]["/Users/{id}"]["get"];
    let media: Vec<&String> = get["responses"]["200"]["content"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(media, ["application/scim+json", "text/plain"]);
    assert_eq!(get["operationId"], "getUser");
    let tags = |document: &Value| document["tags"].as_array().unwrap().len();
    assert_eq!(tags(&document), tags(&plain) + 1);
    let merge = &document["paths"]["/Users/{id}/merge"]["post"];
    let answers = merge["responses"].as_object().unwrap();
    for status in [
        "400", "401", "403", "404", "409", "413", "415", "422", "429", "500", "503",
    ] {
        assert_eq!(answers[status], refusal(status), "{status}");
    }
    for header in ["X-Correlation-Id", "Idempotency-Replayed"] {
        assert!(answers["200"]["headers"].get(header).is_some(), "{header}");
    }
    let correlation = json!({"$ref": "#/components/parameters/correlationId"});
    assert_eq!(merge["parameters"], json!([key, correlation]));
}

fn refusal(status: &str) -> Value {
    super::shared::refusal(status.parse().unwrap()).unwrap()
}
