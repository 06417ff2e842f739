//! A database that somebody else has locked: 503 with Retry-After, and all is well again afterwards.

use serde_json::json;

use crate::support::{App, Engine, on_both};

on_both!(a_write_to_a_locked_database_is_503_until_the_lock_is_gone);

async fn a_write_to_a_locked_database_is_503_until_the_lock_is_gone(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let mut other = app.database.connect();
    other.run(match app.database.engine() {
        Engine::Sqlite => "BEGIN EXCLUSIVE",
        Engine::Postgres => "BEGIN; LOCK TABLE resource IN SHARE ROW EXCLUSIVE MODE",
    });
    let answer = idp.post("/Users", json!({"userName": "bo"})).await;
    answer.refused(503, "");
    // Okta takes whole seconds only (O8).
    let seconds: u32 = answer
        .header("retry-after")
        .expect("Retry-After")
        .parse()
        .expect("whole seconds");
    assert!((1..=60).contains(&seconds), "{seconds}");
    idp.patch(
        &path,
        json!([{"op": "add", "path": "title", "value": "Diver"}]),
    )
    .await
    .refused(503, "");
    // Reading goes on.
    assert_eq!(idp.get(&path).await.ok(200), &made);
    other.run("ROLLBACK");
    idp.create("/Users", json!({"userName": "bo"})).await;
    idp.patch(
        &path,
        json!([{"op": "add", "path": "title", "value": "Diver"}]),
    )
    .await
    .ok(200);
    assert_eq!(app.event_count(), 3);
}
