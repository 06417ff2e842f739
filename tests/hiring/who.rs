//! Who decides, and that nobody waits for who is to hear of it.

use std::time::Duration;

use actix_web::rt::spawn;
use actix_web::rt::time::timeout;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, on_both};

on_both!(
    b_025_a_decision_says_when_who_and_whether_that_is_a_human,
    b_045_whoever_is_to_hear_of_it_makes_no_candidate_wait,
);

/// B-025: the ATS moves an application by itself, and a recruiter moves it through the ATS; the history and the log tell them apart,
/// and the decision points to its evidence. B-011: that somebody is not who they say is on record before anybody meets them.
async fn b_025_a_decision_says_when_who_and_whether_that_is_a_human(app: &App) {
    let me = "roles: [all], me: { claim: preferred_username, attribute: userName } }";
    let of_ats = "name: ats, issuer: \"ISSUER\", match: { claim: azp, equals: ats }, tenant: default, system: ats, ";
    let policy = policy("").replacen(
        &format!("{of_ats}roles: [all] }}"),
        &format!("{of_ats}{me}"),
        1,
    );
    assert!(policy.contains(me));
    apply(app, &policy);
    let ats = app.client("ats").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    let mut failed = verified(&application, 2, "fail");
    failed["reasonCodes"] = json!(["document.mismatch"]);
    let failed = ats.create("/Verifications", failed).await;
    let recruiter = app.client_as("ats", "rita").await;
    recruiter
        .patch(&path, replace("status", json!("rejected")))
        .await
        .ok(200);
    let history = ats.get(&path).await.ok(200)["statusHistory"].clone();
    let who: Vec<(&Value, &Value)> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|chapter| (&chapter["status"], &chapter["actorType"]))
        .collect();
    assert_eq!(
        who,
        [
            (&json!("sourced"), &json!("system")),
            (&json!("rejected"), &json!("human"))
        ]
    );
    assert!(history[1]["at"].is_string() && history[1]["actor"] == "ats");
    let log = ats
        .find(
            "/AuditEvents",
            &format!("resourceId eq \"{}\"", id(&application)),
        )
        .await;
    let of = |kind: &str| log.iter().find(|event| event["type"] == kind).unwrap();
    assert_eq!(of("application.created")["actorType"], "system");
    assert_eq!(of("application.updated")["actorType"], "human");
    let log = ats
        .find("/AuditEvents", "type eq \"verification.failed\"")
        .await;
    assert_eq!((log.len(), &log[0]["actorType"]), (1, &json!("system")));
    assert!(failed["evidencePackRef"].is_string());
    assert!(log[0]["recordedAt"].as_str() < of("application.updated")["recordedAt"].as_str());
}

/// B-045: events are queued here. A reader that hangs on its poll, and one that never comes, hold up nobody; whoever comes later, or
/// again, finds every event once, in order.
async fn b_045_whoever_is_to_hear_of_it_makes_no_candidate_wait(app: &App) {
    let (ats, hris) = set(app, "").await;
    let poll = hris.clone();
    let poll = spawn(async move { poll.get("/Events?after=9000000&wait=20").await });
    let flow = async {
        let (_, _, application) = applied(&ats).await;
        let path = at("/Applications", &application);
        ats.create("/Verifications", verified(&application, 2, "pass"))
            .await;
        for status in ["verified", "interviewing", "assessing"] {
            ats.patch(&path, replace("status", json!(status)))
                .await
                .ok(200);
        }
        application
    };
    let application = timeout(Duration::from_secs(15), flow).await;
    let application = application.expect("nobody waits for a reader");
    poll.abort();
    let crm = app.client("crm").await;
    let mut heard = Vec::new();
    let mut next = 0;
    let is_of_it = |event: &&Value| event["resourceId"] == application["id"];
    while !json!(heard).to_string().contains("\"new\":\"assessing\"") {
        let told = crm
            .get(&format!("/Events?after={next}&count=2&wait=5"))
            .await;
        let events = told.ok(200)["events"].as_array().unwrap().clone();
        // It fails before it has done anything with them, and asks for the same again.
        let again = crm
            .get(&format!("/Events?after={next}&count=2&wait=5"))
            .await;
        assert_eq!(again.ok(200)["events"], json!(events));
        next = told.body["next"].as_i64().unwrap();
        heard.extend(events);
    }
    let changes: Vec<&Value> = heard
        .iter()
        .filter(is_of_it)
        .filter_map(|event| {
            let changes = event["changes"].as_array().unwrap().iter();
            let mut changes = changes.filter(|change| change["path"] == "status");
            changes.next().map(|change| &change["new"])
        })
        .collect();
    assert_eq!(
        changes,
        ["sourced", "verified", "interviewing", "assessing"]
    );
}
