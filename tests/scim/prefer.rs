//! `Prefer: return=minimal` (RFC 7240): the answer to a write without the resource.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, PATCH_OP, USER, on_both};

on_both!(
    a_minimal_answer_to_a_post_is_its_headers,
    a_minimal_answer_to_a_change_is_204,
    whoever_names_attributes_of_a_patch_gets_them,
    errors_and_what_was_ignored_are_told_all_the_same,
);

async fn prefer(client: &Client, method: Method, path: &str, wish: &str, body: Value) -> Answer {
    let body = body.to_string().into_bytes();
    client
        .send(method, path, &[("Prefer", wish)], Some(body))
        .await
}

fn title(value: &str) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "title", "value": value}]})
}

async fn a_minimal_answer_to_a_post_is_its_headers(app: &App) {
    let idp = app.client("idp").await;
    let body = json!({"schemas": [USER], "userName": "a"});
    let answer = prefer(&idp, Method::POST, "/Users", "return=minimal", body).await;
    assert!(answer.ok(201).is_null());
    assert_eq!(answer.header("preference-applied"), Some("return=minimal"));
    let found = idp.get(answer.header("location").unwrap()).await;
    assert_eq!(found.ok(200)["userName"], "a");
    assert_eq!(found.etag(), answer.etag());
}

async fn a_minimal_answer_to_a_change_is_204(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "a"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let answer = prefer(&idp, Method::PATCH, &path, "return=minimal", title("t")).await;
    assert!(answer.ok(204).is_null());
    assert_eq!(answer.header("preference-applied"), Some("return=minimal"));
    assert_eq!(idp.get(&path).await.etag(), answer.etag());
    let body = json!({"schemas": [USER], "userName": "b"});
    let answer = prefer(&idp, Method::PUT, &path, "return=minimal", body.clone()).await;
    assert!(answer.ok(204).is_null());
    assert_eq!(idp.get(&path).await.etag(), answer.etag());
    let answer = prefer(&idp, Method::PUT, &path, "return=representation", body).await;
    assert_eq!(answer.ok(200)["userName"], "b");
    assert_eq!(
        answer.header("preference-applied"),
        Some("return=representation")
    );
    // Without a wish the resource is answered, and nothing is said of one.
    let answer = idp
        .patch(&path, json!([{"op": "add", "path": "title", "value": "u"}]))
        .await;
    assert_eq!(answer.ok(200)["title"], "u");
    assert_eq!(answer.header("preference-applied"), None);
}

/// RFC 7644 §3.5.2: with `attributes` the answer is 200.
async fn whoever_names_attributes_of_a_patch_gets_them(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "a"})).await;
    let path = format!("/Users/{}?attributes=title", made["id"].as_str().unwrap());
    let answer = prefer(&idp, Method::PATCH, &path, "return=minimal", title("t")).await;
    assert_eq!(answer.ok(200)["title"], "t");
    assert!(answer.body.get("userName").is_none());
    assert_eq!(answer.header("preference-applied"), None);
}

async fn errors_and_what_was_ignored_are_told_all_the_same(app: &App) {
    let idp = app.client("idp").await;
    let body = json!({"schemas": [USER], "userName": "a", "mood": "good"});
    let answer = prefer(&idp, Method::POST, "/Users", "return=minimal", body.clone()).await;
    assert_eq!(answer.ignored(), ["mood"]);
    let answer = prefer(&idp, Method::POST, "/Users", "return=minimal", body).await;
    answer.refused(409, "uniqueness");
}
