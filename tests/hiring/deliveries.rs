//! B-079: whether and when each client that reads the feed has got an event.

use chrono::TimeDelta;
use muster::clock::Clock;
use muster::id::TenantId;
use serde_json::{Value, json};

use crate::integrations::read_all;
use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, Client, on_both};

on_both!(
    b_079_a_timeline_says_who_has_got_each_event_and_when,
    b_079_a_client_that_does_not_move_writes_nothing,
    b_079_a_client_hears_of_its_own_deliveries_alone,
    b_079_who_could_guess_hears_of_none,
    b_079_it_is_kept_as_long_as_the_policy_says
);

/// The events of a type on an application's timeline.
async fn told(client: &Client, application: &Value, kind: &str) -> Value {
    let path = format!("{}/timeline", at("/Applications", application));
    let told = client.get(&path).await.ok(200)["events"].clone();
    let mut events = told.as_array().unwrap().iter();
    events.find(|event| event["type"] == kind).unwrap().clone()
}

fn of(event: &Value, client: &str) -> Value {
    let all = event["deliveries"].as_array().into_iter().flatten();
    let mut all = all.filter(|one| one["client"] == client);
    all.next().cloned().unwrap_or_default()
}

fn rows(app: &App) -> i64 {
    let count = "SELECT count(*) AS n FROM acknowledged WHERE client = 'crm'";
    app.database.connect().number(count)
}

async fn b_079_a_timeline_says_who_has_got_each_event_and_when(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let created = told(&hris, &application, "application.created").await;
    assert_eq!(created.get("deliveries"), None, "nobody reads: {created}");
    read_all(app, "crm", "application.created").await;
    let first = app.clock.now();
    let (ats, hris) = after(app, 1).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    read_all(app, "hris", "verification.passed").await;
    let created = told(&hris, &application, "application.created").await;
    let at = of(&created, "crm")["deliveredAt"]
        .as_str()
        .unwrap()
        .to_owned();
    let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
    assert!(
        at <= first && first - at < TimeDelta::minutes(1),
        "{created}"
    );
    assert_eq!(of(&created, "crm")["deliveryStatus"], "delivered");
    let passed = told(&hris, &application, "verification.passed").await;
    assert_eq!(
        of(&passed, "crm"),
        json!({"client": "crm", "deliveryStatus": "pending"})
    );
    assert_eq!(of(&passed, "hris")["deliveryStatus"], "delivered");
    // It comes later, and begins at the beginning: what it had it had then.
    let (_, hris) = after(app, 1).await;
    read_all(app, "crm", "verification.passed").await;
    let passed = told(&hris, &application, "verification.passed").await;
    let late = of(&passed, "crm")["deliveredAt"]
        .as_str()
        .unwrap()
        .to_owned();
    let late: chrono::DateTime<chrono::Utc> = late.parse().unwrap();
    assert!(late - at >= TimeDelta::days(2), "{passed}");
    let again = told(&hris, &application, "application.created").await;
    assert_eq!(again["deliveries"], created["deliveries"]);
    // The same for an operator.
    let (text, _) = crate::trace::trace(app, id(&application));
    assert!(
        text.contains("application created") && text.contains("; got by crm, hris"),
        "{text}"
    );
}

async fn b_079_a_client_that_does_not_move_writes_nothing(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let next = read_all(app, "crm", "application.created").await;
    told(&hris, &application, "application.created").await;
    let (known, crm) = (rows(app), app.client("crm").await);
    assert!(known > 0);
    for after in [next, 0, next - 1, next] {
        app.clock.advance(TimeDelta::minutes(2));
        crm.get(&format!("/Events?after={after}")).await.ok(200);
        told(&hris, &application, "application.created").await;
        assert_eq!(rows(app), known, "after {after}");
    }
}

async fn b_079_a_client_hears_of_its_own_deliveries_alone(app: &App) {
    let less = policy("").replace("system: crm, roles: [all]", "system: crm, roles: [funnel]");
    let less = less.replace(
        "  steward:",
        "  funnel: [{ types: [Application], rights: [read] }]\n  steward:",
    );
    apply(app, &less);
    let ats = app.client("ats").await;
    let (_, person, application) = applied(&ats).await;
    for client in ["crm", "hris"] {
        read_all(app, client, "application.created").await;
    }
    let crm = app.client("crm").await;
    let created = told(&crm, &application, "application.created").await;
    let all = created["deliveries"].as_array().unwrap();
    assert!(all.len() == 1 && all[0]["client"] == "crm", "{created}");
    // What a client is not told of, it has not to get.
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let passed = told(&ats, &application, "verification.passed").await;
    assert_eq!(of(&passed, "crm"), Value::Null, "{person}");
    assert_eq!(of(&passed, "hris")["deliveryStatus"], "pending");
}

async fn b_079_who_could_guess_hears_of_none(app: &App) {
    let row = "masking:\n  - { attributes: [Application.source], openTo: [payroll], otherwise: omit }\nclients:";
    apply(app, &policy("").replacen("clients:", row, 1));
    let ats = app.client("ats").await;
    let (_, _, application) = applied(&ats).await;
    let crm = app.client("crm").await;
    let next = crm.get("/Events?after=0").await.ok(200)["next"].clone();
    assert!(next.is_string(), "it is told no positions");
    crm.get(&format!("/Events?after={}", next.as_str().unwrap()))
        .await
        .ok(200);
    let created = told(&crm, &application, "application.created").await;
    assert_eq!(created.get("deliveries"), None);
}

async fn b_079_it_is_kept_as_long_as_the_policy_says(app: &App) {
    let row = "observability: { eventLog: { required: true, retentionDays: 30, fields: [eventId] } }\nclients:";
    apply(app, &policy("").replacen("clients:", row, 1));
    let ats = app.client("ats").await;
    let (_, _, application) = applied(&ats).await;
    read_all(app, "crm", "application.created").await;
    let kept = told(&ats, &application, "application.created").await;
    assert!(of(&kept, "crm")["deliveredAt"].is_string());
    let forget = || {
        let (service, now) = (app.service().clone(), app.clock.now());
        let forget = move || service.forget_deliveries(TenantId(1), now);
        std::thread::spawn(forget).join().unwrap().unwrap()
    };
    let (ats, _) = after(app, 20).await;
    forget();
    assert!(rows(app) > 0);
    // It goes on reading, and there is nothing new.
    let crm = app.client("crm").await;
    let (ats, next) = {
        let told = crm.get("/Events?after=0&count=1000").await;
        (ats, told.ok(200)["next"].as_i64().unwrap())
    };
    crm.get(&format!("/Events?after={next}")).await.ok(200);
    told(&ats, &application, "application.created").await;
    let (ats, _) = after(app, 20).await;
    forget();
    let old = told(&ats, &application, "application.created").await;
    assert_eq!(
        of(&old, "crm"),
        json!({"client": "crm", "deliveryStatus": "delivered"})
    );
}
