//! What went through is taken back (A-091; model.md, the lifecycle, 6): `muster restore` beside a running server.

use std::process::Command;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::brake::{braked, deactivate, id, later, question, users};
use crate::support::policy::apply;
use crate::support::{App, Client, on_both};

on_both!(
    accounts_members_and_deleted_records_come_back_as_they_were,
    of_a_review_only_what_it_is_about_comes_back,
    whom_another_system_has_closed_since_stays_closed,
    whoever_was_erased_or_replaced_does_not_come_back,
    what_is_too_long_ago_is_not_taken_back,
    what_the_log_keeps_to_restore_is_shown_to_nobody
);

/// The tests' clock stands in 2031, that of the command does not.
const SINCE: &str = "2031-03-01T00:00:00Z";
const WIDE: &str = "deactivations: 1000, deletions: 1000, removals: 1000, share: 100";

/// A command of the binary on the application's database: all that it said.
pub(crate) fn muster(app: &App, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .env_remove("RUST_LOG")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn restore(app: &App, more: &[&str]) -> String {
    muster(app, &[&["restore", "--actor", "eve"], more].concat())
}

/// A resource without what a restoration may change: version and time.
fn settled(resource: &Value) -> Value {
    let mut resource = resource.clone();
    if let Some(meta) = resource["meta"].as_object_mut() {
        meta.remove("version");
        meta.remove("lastModified");
    }
    resource
}

async fn shown(client: &Client, path: &str) -> Value {
    settled(client.get(path).await.ok(200))
}

async fn accounts_members_and_deleted_records_come_back_as_they_were(app: &App) {
    apply(app, &braked(WIDE));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 4).await;
    let rich = json!([
        {"op": "add", "path": "emails", "value": [{"value": "a@x.example", "type": "work"}]},
        {"op": "add", "path": "name", "value": {"givenName": "Ada", "familyName": "King"}},
    ]);
    let secret = json!([{"op": "add", "path": "legalIdentifiers", "value": [{"type": "ssn", "country": "US", "value": "078-05-1120"}]}]);
    idp.patch(&format!("/Users/{}", ids[1]), rich).await.ok(200);
    idp.patch(&format!("/Persons/{}", ids[1]), secret)
        .await
        .ok(200);
    // Of the third another system speaks too.
    let legal = json!([{"op": "add", "path": "legalName", "value": "Augusta King"}]);
    hris.patch(&format!("/Persons/{}", ids[2]), legal)
        .await
        .ok(200);
    let all: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let mut groups = Vec::new();
    for name in ["staff", "doomed"] {
        let group = idp
            .create("/Groups", json!({"displayName": name, "members": all}))
            .await;
        groups.push(format!("/Groups/{}", id(&group)));
    }
    let people: Vec<String> = ids.iter().map(|id| format!("/Users/{id}")).collect();
    let everything = || async {
        let mut everything = Vec::new();
        for path in groups.iter().chain(&people) {
            everything.push(shown(&idp, path).await);
        }
        for id in &ids {
            let hints = format!("/Persons/{id}?attributes=legalIdentifierHints,legalName");
            everything.push(shown(&hris, &hints).await);
        }
        everything
    };
    let before = everything().await;

    deactivate(&idp, &ids[0]).await.ok(200);
    deactivate(&idp, &ids[1]).await.ok(200);
    idp.patch(&groups[0], json!([{"op": "remove", "path": "members"}]))
        .await
        .ok(200);
    idp.delete(&groups[1]).await.ok(204);
    for path in &people[1..] {
        idp.delete(path).await.ok(204);
    }
    let order = ["--client", "idp", "--since", SINCE];
    let would = restore(app, &[&order[..], &["--dry-run"]].concat());
    assert!(would.contains("would be active again"), "{would}");
    assert_eq!(idp.find("/Users", "userName pr").await.len(), 1);
    let told = restore(app, &order);
    let summary = "2 accounts are active again, 4 records are back, 8 memberships are restored";
    assert!(told.contains(summary), "{told}");
    assert_eq!(would.lines().count(), told.lines().count(), "{would}{told}");
    assert_eq!(everything().await, before);
    // Filters, unique values and the system's own id find them as before.
    let found = idp.find("/Users", "externalId eq \"u-1\"").await;
    assert_eq!(id(&found[0]), ids[1]);
    let taken = json!({"userName": "u1"});
    idp.post("/Users", taken).await.refused(409, "uniqueness");
    for id in [&ids[0], &ids[1]] {
        let events = app.events_of(id);
        let last = events.last().unwrap();
        assert_eq!(
            (&last["type"], &last["reasonCode"], &last["client"]),
            (&json!("person.restored"), &json!("restored"), &json!("eve"))
        );
    }
    // They go on as if nothing had been: what a system says changes what it said.
    let name = json!([{"op": "replace", "path": "name.givenName", "value": "Augusta"}]);
    let patched = idp.patch(&people[1], name).await;
    assert_eq!(patched.ok(200)["name"]["givenName"], "Augusta");
    idp.delete(&people[1]).await.ok(204);
    // Once more: what is there is left alone, and what is gone again comes back again.
    let again = restore(app, &order);
    assert!(
        again.contains("0 accounts are active again, 1 records are back"),
        "{again}"
    );
    idp.get(&people[1]).await.ok(200);
}

async fn of_a_review_only_what_it_is_about_comes_back(app: &App) {
    apply(app, &braked("deactivations: 2"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 4).await;
    deactivate(&idp, &ids[0]).await.ok(200);
    let idp = later(app, "idp", TimeDelta::hours(2)).await;
    for id in &ids[1..3] {
        deactivate(&idp, id).await.ok(200);
    }
    deactivate(&idp, &ids[3]).await.refused(429, "");
    idp.delete(&format!("/Users/{}", ids[3])).await.ok(204);
    let review = question(app).await;
    let told = restore(app, &["--review", id(&review)]);
    assert!(
        told.contains("2 accounts are active again, 0 records"),
        "{told}"
    );
    for (id, expected) in ids.iter().zip([false, true, true]) {
        let user = idp.get(&format!("/Users/{id}")).await;
        assert_eq!(user.ok(200)["active"], expected);
    }
    idp.get(&format!("/Users/{}", ids[3]))
        .await
        .refused(404, "");
    let told = restore(app, &["--review", &ids[0]]);
    assert!(told.contains("there is no review"), "{told}");
}

async fn whom_another_system_has_closed_since_stays_closed(app: &App) {
    apply(app, &braked(WIDE));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 2).await;
    for id in &ids {
        deactivate(&idp, id).await.ok(200);
    }
    deactivate(&hris, &ids[0]).await.ok(200);
    let told = restore(app, &["--client", "idp", "--since", SINCE]);
    assert!(told.contains("'hris' has since said"), "{told}");
    for (id, expected) in ids.iter().zip([false, true]) {
        let user = idp.get(&format!("/Users/{id}")).await;
        assert_eq!(user.ok(200)["active"], expected);
    }
}

async fn whoever_was_erased_or_replaced_does_not_come_back(app: &App) {
    apply(app, &braked(WIDE));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 3).await;
    for id in &ids {
        idp.delete(&format!("/Users/{id}")).await.ok(204);
    }
    muster(app, &["erase", &ids[0]]);
    // The identity provider makes the second anew.
    let anew = idp.create("/Users", json!({"userName": "u1"})).await;
    let told = restore(app, &["--client", "idp", "--since", SINCE]);
    assert!(told.contains("1 records are back"), "{told}");
    let of = |id: &str| told.lines().find(|line| line.contains(id)).unwrap();
    assert!(of(&ids[0]).contains("has been erased"), "{told}");
    assert!(of(&ids[1]).contains("must be unique"), "{told}");
    idp.get(&format!("/Users/{}", ids[0]))
        .await
        .refused(404, "");
    idp.get(&format!("/Users/{}", id(&anew))).await.ok(200);
    idp.get(&format!("/Users/{}", ids[2])).await.ok(200);
}

async fn what_is_too_long_ago_is_not_taken_back(app: &App) {
    apply(app, &braked("restoreDays: 7"));
    let told = restore(app, &["--client", "idp", "--since", "2020-01-01T00:00:00Z"]);
    assert!(told.contains("more than 7 days ago"), "{told}");
}

async fn what_the_log_keeps_to_restore_is_shown_to_nobody(app: &App) {
    apply(app, &braked(WIDE));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let user = json!({"userName": "u", "emails": [{"value": "hidden@x.example", "type": "home"}]});
    let user = idp.create("/Users", user).await;
    idp.delete(&format!("/Users/{}", id(&user))).await.ok(204);
    let masking = "masking:\n  - { attributes: [emails], openTo: [payroll], otherwise: omit }\n";
    apply(app, &format!("{}{masking}", braked(WIDE)));
    let filter = format!("resourceId eq \"{}\"", id(&user));
    let events = hris.find("/AuditEvents", &filter).await;
    assert!(events.iter().any(|event| event["type"] == "person.deleted"));
    let told = json!(events).to_string();
    assert!(!told.contains("hidden@x.example"), "{told}");
    assert!(!told.contains("withdrawn"), "{told}");
}
