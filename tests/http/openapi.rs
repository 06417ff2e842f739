//! `/openapi.json`: what it describes is there.

use reqwest::Method;
use serde_json::Value;

use crate::app::{App, send};

async fn document(app: &App) -> Value {
    let answer = send(app.http.get(format!("{}/openapi.json", app.origin))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    answer.json()
}

#[actix_web::test]
async fn every_address_of_the_document_is_a_route_and_wants_a_token_where_it_says() {
    let app = App::start();
    let document = document(&app).await;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let address = path.replace("{id}", "x");
            let answer = send(app.anonymous(method.clone(), &address)).await;
            let wanted: &[u16] = match (operation.get("security"), path.contains("{id}"), &**path) {
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
