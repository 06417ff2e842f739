//! Keyed requests and the leaver brake: what was stopped is sent again with the same key, and goes on once it may.

use serde_json::{Value, json};

use crate::brake::{braked, id, question, users};
use crate::support::policy::apply;
use crate::support::{App, on_both};

on_both!(what_the_brake_stopped_goes_on_under_the_same_key);

fn statuses(answer: &Value) -> Vec<&str> {
    let operations = answer["Operations"].as_array().unwrap().iter();
    operations
        .map(|done| done["status"].as_str().unwrap())
        .collect()
}

async fn what_the_brake_stopped_goes_on_under_the_same_key(app: &App) {
    apply(app, &braked("deletions: 2"));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 4).await;
    let delete = |id: &String| json!({"method": "DELETE", "path": format!("/Users/{id}")});
    let operations: Vec<Value> = ids[..3].iter().map(delete).collect();
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations,
    });
    let (once, alone) = (idp.keyed("bulk"), idp.keyed("alone"));
    let path = format!("/Users/{}", ids[3]);
    let first = once.order("/Bulk", bulk.clone()).await;
    assert_eq!(statuses(first.ok(200)), ["204", "204", "429"]);
    alone.delete(&path).await.refused(429, "");
    let review = question(app).await;
    let approve = json!([{"op": "replace", "path": "status", "value": "approved"}]);
    let at = format!("/Reviews/{}", id(&review));
    hris.patch(&at, approve).await.ok(200);
    let again = once.order("/Bulk", bulk.clone()).await;
    assert_eq!(statuses(again.ok(200)), ["204"; 3]);
    assert!(again.is_replayed());
    alone.delete(&path).await.ok(204);
    // That was the last word.
    let events = app.event_count();
    let last = once.order("/Bulk", bulk).await;
    assert_eq!(last.text, again.text);
    assert!(alone.delete(&path).await.is_replayed());
    assert_eq!(app.event_count(), events);
}
