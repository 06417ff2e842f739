//! A bulk request with a key.

use serde_json::{Value, json};

use super::{ada, assert_replayed, persons};
use crate::support::{App, PERSON, on_both};

on_both!(
    a_bulk_request_is_carried_out_once,
    a_bulk_request_that_was_broken_off_is_brought_to_its_end,
    what_of_an_answered_bulk_request_failed_is_not_tried_again,
);

/// A group, and so many persons who are its members by reference.
fn request(count: usize, shows: bool) -> Value {
    let person = |n: usize| {
        let data = json!({"schemas": [PERSON], "displayName": format!("Person {n}")});
        json!({"method": "POST", "path": "/Persons", "bulkId": format!("p{n}"), "data": data})
    };
    let mut operations: Vec<Value> = (0..count).map(person).collect();
    operations.push(
        json!({"method": "POST", "path": "/Persons", "bulkId": "bad", "data": {"displayName": 1}}),
    );
    let note = format!("for {}", if shows { "show" } else { "count" });
    operations.push(json!({"method": "PATCH", "path": "/Persons/bulkId:p0", "data": {
        "schemas": [crate::support::PATCH_OP], "Operations": [{"op": "add", "path": "preferredName", "value": note}]}}));
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations})
}

fn statuses(answer: &Value) -> Vec<&str> {
    let operations = answer["Operations"].as_array().unwrap();
    operations
        .iter()
        .map(|done| done["status"].as_str().unwrap())
        .collect()
}

async fn a_bulk_request_is_carried_out_once(app: &App) {
    let admin = app.client("admin").await;
    let once = admin.keyed("k");
    // Two transactions.
    let first = once.order("/Bulk", request(70, false)).await;
    first.ok(200);
    assert_eq!(statuses(&first.body)[69..], ["201", "400", "200"]);
    let events = app.event_count();
    assert_replayed(&first, &once.order("/Bulk", request(70, false)).await);
    once.order("/Bulk", request(70, true))
        .await
        .refused(422, "");
    assert_eq!((persons(&admin).await, app.event_count()), (70, events));
    let made = first.body["Operations"][3]["location"].as_str().unwrap();
    let made = made.rsplit('/').next().unwrap();
    assert_eq!(app.events_of(made)[0]["idempotencyKey"], "k");
}

/// As after a crash when the first three of five were committed.
async fn a_bulk_request_that_was_broken_off_is_brought_to_its_end(app: &App) {
    let admin = app.client("admin").await;
    let once = admin.keyed("k");
    let first = once.order("/Bulk", request(5, false)).await;
    first.ok(200);
    let ids: Vec<String> = (0..5)
        .map(|n| {
            first.body["Operations"][n]["location"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    for id in &ids[3..] {
        admin.delete(&format!("/Persons/{id}")).await.ok(204);
    }
    let progress = json!({"0": [ids[0], 0], "1": [ids[1], 0], "2": [ids[2], 0]});
    app.database.connect().run(&format!(
        "UPDATE idempotency SET state = 1, answer = NULL, lease = 0, progress = '{progress}'; DELETE FROM idempotency_name"
    ));
    let events = app.event_count();
    let again = once.order("/Bulk", request(5, false)).await;
    assert_eq!(statuses(again.ok(200)), statuses(&first.body));
    assert!(again.is_replayed());
    let location = |answer: &Value, n: usize| answer["Operations"][n]["location"].clone();
    for n in 0..3 {
        assert_eq!(location(&again.body, n), location(&first.body, n));
    }
    for n in 3..5 {
        assert_ne!(location(&again.body, n), location(&first.body, n));
    }
    // Two persons are made anew; the name is what it was.
    assert_eq!(persons(&admin).await, 5);
    assert_eq!(app.event_count(), events + 2);
    let last = once.order("/Bulk", request(5, false)).await;
    assert_eq!(
        (last.text.as_str(), last.is_replayed()),
        (again.text.as_str(), true)
    );
}

/// Its answer is removed, because it names somebody who is erased.
async fn what_of_an_answered_bulk_request_failed_is_not_tried_again(app: &App) {
    let admin = app.client("admin").await;
    let once = admin.keyed("k");
    let first = once.order("/Bulk", request(2, false)).await;
    let path = first.ok(200)["Operations"][1]["location"]
        .as_str()
        .unwrap()
        .to_owned();
    let erase: &[(&str, &str)] = &[("muster-erase", "asked")];
    admin
        .send(reqwest::Method::DELETE, &path, erase, None)
        .await
        .ok(204);
    let events = app.event_count();
    let again = once.order("/Bulk", request(2, false)).await;
    assert_eq!(statuses(again.ok(200)), ["201", "404", "409", "200"]);
    assert_eq!((persons(&admin).await, app.event_count()), (1, events));
    let made = once.post("/Persons", ada()).await;
    // Even another request is taken for it: nothing that was said of the erased is left to compare.
    assert_eq!(made.status, 404, "{}", made.body);
    assert_eq!(persons(&admin).await, 1);
}
