//! `/Me` (RFC 7644 §3.11): the account that the token is of.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Client, PATCH_OP, USER, on_both};

on_both!(
    a_token_that_names_no_account_is_told_why,
    me_is_read_and_changed_in_place,
    me_can_be_made_once_and_deleted,
    me_is_made_of_the_account_that_the_token_names,
    the_rights_are_those_of_users,
);

async fn send(client: &Client, method: Method, body: Value) -> crate::support::Answer {
    let body = Some(body.to_string().into_bytes());
    client.send(method, "/Me", &[], body).await
}

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

async fn a_token_that_names_no_account_is_told_why(app: &App) {
    let idp = app.client("idp").await;
    let answer = idp.get("/Me").await;
    let detail = answer.refused(501, "");
    assert!(detail.contains("preferred_username"), "{detail}");
    for method in [Method::PUT, Method::PATCH, Method::POST, Method::DELETE] {
        send(&idp, method, user("a")).await.refused(501, "");
    }
    app.stranger().get("/Me").await.refused(401, "");
}

async fn me_is_read_and_changed_in_place(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "Ines"})).await;
    idp.create("/Users", json!({"userName": "other"})).await;
    let ines = app.client_as("idp", "ines").await;
    let answer = ines.get("/Me").await;
    assert_eq!(answer.ok(200)["id"], made["id"]);
    let location = made["meta"]["location"].as_str();
    assert_eq!(answer.header("content-location"), location);
    assert_eq!(answer.header("location"), location);
    let title = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "Pilot"}]});
    let answer = send(&ines, Method::PATCH, title).await;
    assert_eq!(answer.ok(200)["title"], "Pilot");
    assert_eq!(answer.body["meta"]["location"], made["meta"]["location"]);
    assert_eq!(answer.header("location"), location);
    let answer = send(&ines, Method::PUT, user("ines")).await;
    assert!(answer.ok(200).get("title").is_none());
    assert_eq!(answer.header("location"), location);
    let answer = ines
        .send(Method::GET, "/Me?attributes=userName", &[], None)
        .await;
    assert!(answer.ok(200).get("meta").is_none());
    let etag = answer.etag().to_owned();
    let answer = ines
        .send(
            Method::GET,
            "/Me",
            &[("If-None-Match", etag.as_str())],
            None,
        )
        .await;
    assert_eq!(answer.status, 304);
    assert_eq!(answer.header("location"), location);
    // A refusal is an answer too.
    let answer = send(&ines, Method::PUT, user("other")).await;
    answer.refused(409, "uniqueness");
    assert_eq!(answer.header("location"), location);
}

async fn me_can_be_made_once_and_deleted(app: &App) {
    let ines = app.client_as("idp", "ines").await;
    ines.get("/Me").await.refused(404, "");
    let answer = send(&ines, Method::POST, user("ines")).await;
    let made = answer.ok(201).clone();
    assert_eq!(answer.header("location"), made["meta"]["location"].as_str());
    send(&ines, Method::POST, user("ines"))
        .await
        .refused(409, "uniqueness");
    assert_eq!(ines.get("/Me").await.ok(200)["id"], made["id"]);
    let answer = ines.delete("/Me").await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("location"), made["meta"]["location"].as_str());
    ines.get("/Me").await.refused(404, "");
    ines.delete("/Me").await.refused(404, "");
}

async fn me_is_made_of_the_account_that_the_token_names(app: &App) {
    let ines = app.client_as("idp", "ines").await;
    for body in [user("somebody"), json!({"schemas": [USER]})] {
        let answer = send(&ines, Method::POST, body).await;
        let detail = answer.refused(403, "");
        assert!(detail.contains("userName"), "{detail}");
    }
    assert_eq!(app.event_count(), 0);
}

async fn the_rights_are_those_of_users(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "ines"})).await;
    let auditor = app.client_as("auditor", "ines").await;
    assert_eq!(auditor.get("/Me").await.status, 200);
    auditor.delete("/Me").await.refused(403, "");
    let ats = app.client_as("ats", "ines").await;
    ats.get("/Me").await.refused(403, "");
    // Nor does it learn who has an account.
    let nobody = app.client_as("ats", "nobody").await;
    nobody.get("/Me").await.refused(403, "");
}
