//! `/openapi.json`: what it describes is there.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use crate::app::{App, send};

pub(crate) async fn document(app: &App) -> Value {
    let answer = send(app.http.get(format!("{}/openapi.json", app.origin))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

/// Where an operation is: below its own server, or else the document's.
pub(crate) fn address(document: &Value, path: &str, operation: &Value) -> String {
    let own = operation.pointer("/servers/0/url");
    let server = own.unwrap_or(&document["servers"][0]["url"]);
    format!("{}{path}", server.as_str().unwrap())
}

/// The address with something in place of each parameter.
fn filled(address: &str) -> String {
    let parts = address
        .split('/')
        .map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
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

#[actix_web::test]
async fn every_reference_and_every_link_of_the_document_leads_somewhere() {
    let app = App::start();
    let document = document(&app).await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for target in &found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    for (kind, components) in document["components"].as_object().unwrap() {
        for name in components.as_object().unwrap().keys() {
            let target = format!("#/components/{kind}/{name}");
            // What is answered and never sent is described both ways too.
            let used =
                found.contains(&*target) || kind == "securitySchemes" || name.ends_with("Input");
            assert!(used, "{target}");
        }
    }
    let items = document["paths"].as_object().unwrap().values();
    let operations: Vec<&Value> = items
        .flat_map(|item| item.as_object().unwrap().values())
        .collect();
    let ids: BTreeSet<&str> = operations
        .iter()
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), operations.len(), "each has an id of its own");
    let answers = operations
        .iter()
        .flat_map(|operation| operation["responses"].as_object().unwrap());
    let links = answers
        .filter_map(|(_, answer)| answer.get("links"))
        .flat_map(|links| links.as_object().unwrap().values());
    for link in links {
        assert!(
            ids.contains(link["operationId"].as_str().unwrap()),
            "{link}"
        );
    }
}

#[actix_web::test]
async fn a_resource_is_described_in_each_form_that_it_can_be_asked_for_in() {
    let app = App::start();
    let document = document(&app).await;
    let scim = "application/scim+json";
    let contract = "application/vnd.muster.contract+json";
    let cases: [(&str, &[&str]); 8] = [
        ("/Persons", &[scim, contract, "application/vnd.hropen+json"]),
        ("/Applications", &[scim, contract]),
        ("/Verifications", &[scim, contract]),
        ("/Interviews", &[scim, contract]),
        ("/Assessments", &[scim, contract]),
        ("/Offers", &[scim, contract]),
        ("/Users", &[scim]),
        ("/Employments", &[scim]),
    ];
    for (endpoint, media) in cases {
        let answers = &document["paths"][format!("{endpoint}/{{id}}")]["get"]["responses"];
        let described: Vec<&String> = answers["200"]["content"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(described, media, "{endpoint}");
        assert_eq!(answers.get("406").is_some(), media.len() > 1, "{endpoint}");
    }
    let candidate = &document["components"]["schemas"]["CandidateContract"];
    assert!(candidate["properties"]["primaryEmail"].is_object());
}

#[actix_web::test]
async fn every_address_of_the_document_is_a_route_and_wants_a_token_where_it_says() {
    let app = App::start();
    let document = document(&app).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let address = address(&document, path, operation);
            let answer = send(app.http.request(method.clone(), filled(&address))).await;
            let wanted: &[u16] = match (operation.get("security"), path.contains('{'), &**path) {
                (Some(_), true, _) => &[404],
                (Some(_), false, _) => &[200],
                (None, _, "/Me") => &[401, 501],
                (None, ..) => &[401],
            };
            let status = answer.status.as_u16();
            assert!(wanted.contains(&status), "{method} {path}: {answer:?}");
            let described = operation["responses"].get(status.to_string());
            assert!(described.is_some(), "{method} {path}: {status}");
        }
    }
}

#[actix_web::test]
async fn every_resource_type_and_schema_of_discovery_is_in_the_document() {
    let app = App::start();
    let document = document(&app).await;
    for ty in app.get("/ResourceTypes").await.json()["Resources"]
        .as_array()
        .unwrap()
    {
        let endpoint = ty["endpoint"].as_str().unwrap();
        // The server alone writes the log, and opens reviews.
        if ["/AuditEvents", "/Reviews"].contains(&endpoint) {
            assert_eq!(document["paths"][endpoint].get("post"), None);
            continue;
        }
        let post = &document["paths"][endpoint]["post"];
        let example = &post["requestBody"]["content"]["application/scim+json"]["examples"];
        assert!(
            example["plain"]["value"].is_object(),
            "{endpoint} has no example"
        );
    }
    let described = document["components"]["schemas"].to_string();
    for schema in app.get("/Schemas").await.json()["Resources"]
        .as_array()
        .unwrap()
    {
        assert!(
            described.contains(schema["id"].as_str().unwrap()),
            "{}",
            schema["id"]
        );
    }
    let base = document["servers"][0]["url"].as_str().unwrap();
    assert!(base.ends_with("/scim/v2"), "{base}");
}

#[actix_web::test]
async fn the_document_is_read_only() {
    let app = App::start();
    let answer = send(app.http.post(format!("{}/openapi.json", app.origin))).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "GET");
}
