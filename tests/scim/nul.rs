//! U+0000, which PostgreSQL keeps in no text: it is refused wherever it stands, and named by its place.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bad_input::{ines, refuse};
use crate::support::client::http;
use crate::support::{App, PATCH_OP, USER, on_both};

on_both!(
    a_nul_character_is_refused,
    no_route_breaks_on_a_nul_character
);

async fn a_nul_character_is_refused(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    let zero = "a\u{0}b";
    for content in [
        json!({"schemas": [USER], "userName": zero}),
        json!({"schemas": [USER], "userName": "bo", "externalId": zero}),
        json!({"schemas": [USER], "userName": "bo", "name": {"givenName": zero}}),
        json!({"schemas": [USER], "userName": "bo", "emails": [{"value": zero}]}),
    ] {
        refuse(
            app,
            &idp,
            Method::POST,
            "/Users",
            content.to_string(),
            "invalidValue",
        )
        .await;
    }
    let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": zero}]});
    refuse(
        app,
        &idp,
        Method::PATCH,
        &path,
        body.to_string(),
        "invalidValue",
    )
    .await;
    // In a filter it is a character that no value has, or it is refused: never a failure.
    for filter in [
        "userName eq \"a\\u0000b\"",
        "title co \"\\u0000\"",
        "emails[value sw \"\\u0000\"]",
        "id eq \"\\u0000\"",
    ] {
        let answer = idp.list("/Users", &[("filter", filter)]).await;
        assert!(
            answer.status == 400 || answer.ok(200)["totalResults"] == 0,
            "{filter}: {}",
            answer.body
        );
    }
}

/// PostgreSQL keeps it in no text, and what is refused is kept (B-038): every address of the document, every parameter, and as the
/// name of a member.
async fn no_route_breaks_on_a_nul_character(app: &App) {
    let http = http();
    let document = http.get(format!("{}/openapi.json", app.origin()));
    let document = document.send().await.unwrap().text().await.unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let token = app.token("conformance").await;
    let mut sent = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let own = operation.pointer("/servers/0/url");
            let server = own.unwrap_or(&document["servers"][0]["url"]);
            let at = format!(
                "{}{}",
                server.as_str().unwrap(),
                path.replace("{id}", "a%00b")
            );
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut asked = vec![(at.clone(), None)];
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let pointer = parameter["$ref"]
                    .as_str()
                    .unwrap_or("#")
                    .trim_start_matches('#');
                let parameter = document
                    .pointer(pointer)
                    .filter(|_| !pointer.is_empty())
                    .unwrap_or(parameter);
                if parameter["in"] == "query" {
                    let name = parameter["name"].as_str().unwrap();
                    asked.push((format!("{at}?{name}=a%00b"), None));
                }
            }
            if operation.get("requestBody").is_some() {
                asked.push((at.clone(), Some(json!({"it's \u{0}": 1}))));
                asked.push((
                    at,
                    Some(json!({"schemas": [USER], "reason": "a\u{0}b", "note": "a\u{0}b"})),
                ));
            }
            for (at, body) in asked {
                let mut request = http.request(method.clone(), &at).bearer_auth(&token);
                if let Some(body) = body {
                    let body = body.to_string();
                    request = request
                        .header("Content-Type", "application/scim+json")
                        .body(body);
                }
                let answer = request.send().await.unwrap();
                let status = answer.status().as_u16();
                assert!(status < 500 || status == 501, "{method} {at}: {status}");
                sent += 1;
            }
        }
    }
    assert!(sent > 200, "{sent} requests");
    let queue = http.get(format!("{}/admin/refused", app.origin()));
    let queue = queue.bearer_auth(&token).send().await.unwrap();
    assert_eq!(queue.status().as_u16(), 200);
}
