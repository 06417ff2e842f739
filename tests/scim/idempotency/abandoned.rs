//! A process that dies in the midst: what it has committed is not done again, what it has not is done.

use chrono::TimeDelta;
use muster::domain::context::Context;
use muster::domain::idempotency::{Attempt, Key};
use muster::scim::projection::Projection;
use muster::service::Error;
use muster::service::idempotency::{Admission, Presented};
use serde_json::json;

use super::{ada, assert_replayed, id, persons};
use crate::crowd::{context, grants};
use crate::support::{App, body, on_both};

on_both!(
    a_claim_without_a_write_is_busy_and_then_carried_out,
    a_write_without_an_answer_is_answered_from_what_stands_now,
    a_write_whose_record_is_gone_is_404_and_not_done_again,
    an_attempt_that_was_given_up_commits_nothing,
);

/// Lets in the request that makes Ada, as the server does, and nothing more.
async fn admitted(app: &App, key: &str) -> (Context, Attempt) {
    let mut context = context(app, "hris", &grants());
    let content = body("/Persons", ada()).to_string();
    let presented = Presented {
        key: Key::parse(key).unwrap(),
        method: "POST",
        target: "/scim/v2/Persons",
        body: content.as_bytes(),
        resource_type: Some("Person"),
        account: None,
    };
    let Ok(Admission::Perform(attempt)) = app.service().admit_once(&context, &presented).await
    else {
        panic!("it is the first");
    };
    context.attempt = Some(attempt.clone().into());
    (context, attempt)
}

/// As after a crash between the claim and the write.
async fn a_claim_without_a_write_is_busy_and_then_carried_out(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    admitted(app, "k").await;
    let busy = once.post("/Persons", ada()).await;
    busy.refused(409, "");
    assert_eq!(busy.header("retry-after"), Some("5"));
    // What says something else needs not wait to be told so.
    once.post("/Persons", json!({"displayName": "Eve"}))
        .await
        .refused(422, "");
    app.clock.advance(TimeDelta::seconds(61));
    let made = once.post("/Persons", ada()).await;
    made.ok(201);
    assert!(!made.is_replayed());
    assert_replayed(&made, &once.post("/Persons", ada()).await);
    assert_eq!(persons(&hris).await, 1);
}

/// As after a crash between the commit and the answer.
fn lose_answers(app: &App) {
    let sql =
        "UPDATE idempotency SET state = 1, answer = NULL, lease = 0; DELETE FROM idempotency_name";
    app.database.connect().run(sql);
}

async fn a_write_without_an_answer_is_answered_from_what_stands_now(app: &App) {
    let hris = app.client("hris").await;
    let (make, change, leave) = (
        hris.keyed("make"),
        hris.keyed("change"),
        hris.keyed("leave"),
    );
    let made = make.post("/Persons", ada()).await;
    made.ok(201);
    let path = format!("/Persons/{}", id(&made.body));
    lose_answers(app);
    // Nothing has happened since: it is the same to the byte, and kept from now on.
    for _ in 0..2 {
        assert_replayed(&made, &make.post("/Persons", ada()).await);
    }
    let operations = json!([{"op": "replace", "path": "displayName", "value": "Ada Byron"}]);
    let changed = change.patch(&path, operations.clone()).await;
    changed.ok(200);
    let later = json!([{"op": "add", "path": "preferredName", "value": "Countess"}]);
    hris.patch(&path, later).await.ok(200);
    lose_answers(app);
    for answer in [
        make.post("/Persons", ada()).await,
        change.patch(&path, operations).await,
    ] {
        assert!(answer.is_replayed());
        assert_eq!(answer.body["displayName"], "Ada Byron");
        assert_eq!(answer.body["preferredName"], "Countess");
    }
    assert_eq!(make.post("/Persons", ada()).await.status, 201);
    leave.delete(&path).await.ok(204);
    lose_answers(app);
    let left = leave.delete(&path).await;
    left.ok(204);
    assert!(left.is_replayed());
    assert_eq!(app.events_of(&id(&made.body)).len(), 4);
}

async fn a_write_whose_record_is_gone_is_404_and_not_done_again(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    let made = once.post("/Persons", ada()).await;
    hris.delete(&format!("/Persons/{}", id(made.ok(201))))
        .await
        .ok(204);
    lose_answers(app);
    for _ in 0..2 {
        once.post("/Persons", ada()).await.refused(404, "");
    }
    assert_eq!(persons(&hris).await, 0);
}

/// It was only slow: another has taken over meanwhile.
async fn an_attempt_that_was_given_up_commits_nothing(app: &App) {
    let hris = app.client("hris").await;
    let (context, attempt) = admitted(app, "k").await;
    app.clock.advance(TimeDelta::seconds(61));
    hris.keyed("k").post("/Persons", ada()).await.ok(201);
    let content = body("/Persons", ada()).as_object().unwrap().clone();
    let late = app
        .service()
        .create(&context, "/Persons", content, &Projection::default())
        .await;
    assert!(matches!(late, Err(Error::Unavailable { .. })), "{late:?}");
    app.service().give_up(&attempt).await.unwrap();
    assert_eq!(persons(&hris).await, 1);
    assert!(hris.keyed("k").post("/Persons", ada()).await.is_replayed());
}
