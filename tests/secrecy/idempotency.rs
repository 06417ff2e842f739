//! Answers that are kept to be given again hold what they were about: they are sealed, and go with whom they name.

use reqwest::Method;
use serde_json::{Value, json};

use crate::files::holding;
use crate::support::{App, Client, on_both};

on_both!(
    what_kept_answers_alone_hold_is_in_no_file,
    who_is_erased_is_in_no_kept_answer_and_is_not_made_again,
);

/// A value that nobody has any more: it stood in a record, and stands in the answer to the request that made it.
const GONE: &str = "Vergangenwert-2301";
const KEY: &str = "key-of-Jane-Featherstonehaugh";

fn kept(app: &App) -> i64 {
    let sql = "SELECT count(*) AS n FROM idempotency WHERE answer IS NOT NULL";
    app.database.connect().number(sql)
}

async fn what_kept_answers_alone_hold_is_in_no_file(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed(KEY);
    let content = json!({"displayName": GONE});
    let made = once.post("/Persons", content.clone()).await;
    let path = format!("/Persons/{}", made.ok(201)["id"].as_str().unwrap());
    let change = json!([{"op": "replace", "path": "displayName", "value": "Present-0815"}]);
    hris.patch(&path, change).await.ok(200);
    assert_eq!(kept(app), 1);
    assert!(!holding(app, "Present-0815", true).is_empty());
    assert_eq!(holding(app, GONE, true), [""; 0]);
    assert_eq!(holding(app, KEY, true), [""; 0]);
    let again = once.post("/Persons", content).await;
    assert_eq!(again.ok(201)["displayName"], GONE);
}

#[expect(clippy::too_many_lines, reason = "a story is told in one piece")]
async fn who_is_erased_is_in_no_kept_answer_and_is_not_made_again(app: &App) {
    let admin = app.client("admin").await;
    let person = json!({"userName": "ysolde", "displayName": "Ysolde Quintrell"});
    let once = admin.keyed("ysolde");
    let made = once.post("/Users", person.clone()).await;
    let id = made.ok(201)["id"].as_str().unwrap().to_owned();
    let other = admin
        .keyed("other")
        .post("/Persons", json!({"displayName": "Ysolde Q."}))
        .await;
    let merged = other.ok(201)["id"].as_str().unwrap().to_owned();
    let order = json!({"with": merged, "reason": "one person"});
    admin
        .order(&format!("/Persons/{id}/merge"), order)
        .await
        .ok(200);
    let crew = json!({"displayName": "Crew", "members": [{"value": id}]});
    let group = admin.keyed("crew").post("/Groups", crew.clone()).await;
    assert_eq!(group.ok(201)["members"][0]["value"], id.as_str());
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "PATCH", "path": format!("/Users/{id}"), "data": {
            "schemas": [crate::support::PATCH_OP],
            "Operations": [{"op": "add", "path": "nickName", "value": "Yso"}]}}],
    });
    admin
        .keyed("bulk")
        .order("/Bulk", bulk.clone())
        .await
        .ok(200);
    let bystander = admin
        .keyed("bo")
        .post("/Persons", json!({"displayName": "Bo"}))
        .await;
    bystander.ok(201);
    assert_eq!(kept(app), 5);
    erase(&admin, &id).await;
    assert_eq!(kept(app), 1);
    let mut connection = app.database.connect();
    let empty = "SELECT count(*) AS n FROM idempotency WHERE length(fingerprint) = 0";
    assert_eq!(connection.number(empty), 4);
    let service = app.service().clone();
    let purge = std::thread::spawn(move || service.purge(true));
    purge.join().unwrap().unwrap();
    assert_eq!(holding(app, "Ysolde Quintrell", false), [""; 0]);
    // Whoever repeats a request is told what is left of it.
    once.post("/Users", person).await.refused(404, "");
    admin
        .keyed("other")
        .post("/Persons", json!({"displayName": "Ysolde Q."}))
        .await
        .refused(404, "");
    let left = admin.keyed("crew").post("/Groups", crew).await;
    assert!(left.is_replayed());
    assert_eq!((left.status, left.body.get("members")), (201, None));
    let done = admin.keyed("bulk").order("/Bulk", bulk).await;
    assert_eq!(done.ok(200)["Operations"][0]["status"], "404");
    let again = admin
        .keyed("bo")
        .post("/Persons", json!({"displayName": "Bo"}))
        .await;
    assert_eq!(again.text, bystander.text);
    assert_eq!(
        admin.get("/Persons?count=0").await.ok(200)["totalResults"],
        1
    );
}

async fn erase(admin: &Client, id: &str) -> Value {
    let erase: &[(&str, &str)] = &[("muster-erase", "asked")];
    let done = admin
        .send(Method::DELETE, &format!("/Persons/{id}"), erase, None)
        .await;
    done.ok(204).clone()
}
