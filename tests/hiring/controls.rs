//! What is under control while a candidate is on its way: one integration is stopped and taken up again, vendors' own words end at
//! the door, and what a write costs does not grow with the population.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::statements::sent_to;
use crate::support::{App, Client, Engine, counted_on_both, on_both};

on_both!(
    b_041_one_vendor_is_stopped_without_stopping_the_funnel,
    b_083_stages_and_outcomes_are_the_contracts,
    b_103_signs_of_a_stand_in_are_kept_as_codes
);

counted_on_both!(a_write_costs_the_same_in_any_population: cost_stays);

/// What a client hears from a position on, until there is nothing more; where to go on.
async fn heard(client: &Client, mut next: i64) -> (Vec<Value>, i64) {
    let mut heard = Vec::new();
    loop {
        let told = client.get(&format!("/Events?after={next}")).await;
        let told = told.ok(200);
        next = told["next"].as_i64().unwrap();
        let events = told["events"].as_array().unwrap();
        if events.is_empty() {
            return (heard, next);
        }
        heard.extend(events.iter().cloned());
    }
}

/// Waits until the feed has what was done last: it tells what is sealed.
async fn heard_with(client: &Client, next: i64, kind: &str) -> (Vec<Value>, i64) {
    let (mut all, mut next) = heard(client, next).await;
    while !all.iter().any(|event| event["type"] == kind) {
        let told = client.get(&format!("/Events?after={next}&wait=5")).await;
        all.extend(told.ok(200)["events"].as_array().unwrap().clone());
        next = told.body["next"].as_i64().unwrap();
    }
    (all, next)
}

/// B-041, B-091, B-097, B-008, B-039: a line of the policy stops one integration; the others go on, nobody is stranded; taking the
/// line back takes it up where it was, and it hears each event once.
async fn b_041_one_vendor_is_stopped_without_stopping_the_funnel(app: &App) {
    let (ats, hris) = set(app, "").await;
    let crm = app.client("crm").await;
    let (_, person, application) = applied(&ats).await;
    let (before, next) = heard_with(&crm, 0, "application.created").await;
    assert!(!before.is_empty());
    let stopped = policy("").replace(
        "system: crm, roles: [all]",
        "system: crm, roles: [all], disabled: true",
    );
    apply(app, &stopped);
    let refused = crm.get(&format!("/Events?after={next}")).await;
    assert!(refused.refused(403, "").contains("shut out"));
    crm.get("/Persons").await.refused(403, "");
    // The funnel goes on.
    let path = at("/Applications", &application);
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    for status in ["verified", "interviewing", "offered"] {
        ats.patch(&path, replace("status", json!(status)))
            .await
            .ok(200);
    }
    let offer = json!({"application": to(&application), "status": "accepted"});
    let offer = ats.create("/Offers", offer).await;
    let employed = json!({"person": to(&person), "offer": to(&offer), "hireDate": "2031-04-01"});
    hris.create("/Employments", employed).await;
    // And is heard of in full.
    apply(app, &policy(""));
    let (meanwhile, next) = heard_with(&crm, next, "employment.created").await;
    let count = |kind: &str| {
        meanwhile
            .iter()
            .filter(|event| event["type"] == kind)
            .count()
    };
    assert_eq!(
        [
            count("application.created"),
            count("CandidateToEmployee"),
            count("employment.created"),
            count("onboarding.it.requested")
        ],
        [0, 1, 1, 1]
    );
    let mut ids: Vec<&Value> = before
        .iter()
        .chain(&meanwhile)
        .map(|event| &event["eventId"])
        .collect();
    let all = ids.len();
    ids.sort_by_key(ToString::to_string);
    ids.dedup();
    assert_eq!(ids.len(), all, "none twice");
    // From the beginning it is the same again.
    let (again, _) = heard(&crm, 0).await;
    let again: Vec<&Value> = again
        .iter()
        .filter(|event| event["position"].as_i64() <= Some(next))
        .map(|event| &event["eventId"])
        .collect();
    let once: Vec<&Value> = before
        .iter()
        .chain(&meanwhile)
        .map(|event| &event["eventId"])
        .collect();
    assert_eq!(again, once);
}

/// B-083, B-096: a stage or an outcome in a vendor's own words is refused, with the contract's words; nothing is written.
async fn b_083_stages_and_outcomes_are_the_contracts(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    let refused = ats
        .patch(&path, replace("status", json!("Phone Screen 2")))
        .await;
    let why = refused.refused(400, "invalidValue");
    for word in ["Phone Screen 2", "sourced", "interviewing", "offered"] {
        assert!(why.contains(word), "{why}");
    }
    let refused = ats
        .post("/Verifications", verified(&application, 2, "GREEN"))
        .await;
    let why = refused.refused(400, "invalidValue");
    assert!(
        why.contains("GREEN") && why.contains("manual_review"),
        "{why}"
    );
    assert_eq!(ats.get(&path).await.ok(200)["status"], "sourced");
    // The vendor's word has its place beside the contract's.
    let mut body = verified(&application, 0, "fail");
    body["reasonCodes"] = json!(["integrity.GREEN_REVOKED"]);
    let made = ats.create("/Verifications", body).await;
    assert_eq!(made["reasonCodes"], json!(["integrity.GREEN_REVOKED"]));
}

/// B-103, B-102, B-084: what points to somebody else who sits the interview is kept as codes, and leads to a human.
async fn b_103_signs_of_a_stand_in_are_kept_as_codes(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let mut body = verified(&application, 0, "manual_review");
    body["reasonCodes"] = json!(["face.mismatch.interview", "voice.stand_in"]);
    body["qualitySignals"] = json!(["liveness.low"]);
    let made = ats.create("/Verifications", body).await;
    let open = hris
        .find(
            "/Reviews",
            "kind eq \"verification\" and status eq \"open\"",
        )
        .await;
    assert_eq!((open.len(), &open[0]["about"]["value"]), (1, &made["id"]));
    let told = ats
        .get(&format!(
            "{}/evidence-pack",
            at("/Applications", &application)
        ))
        .await;
    let told = told.ok(200).to_string();
    assert!(
        told.contains("voice.stand_in") && told.contains("liveness.low"),
        "{told}"
    );
}

/// What each write of the flow asks of the database, for one person and beside forty others who apply for the same.
async fn cost_stays(app: &App) {
    let (ats, hris) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    let flow = async |name: &str| {
        let mut costs = Vec::new();
        let mut last = sent_to(&app.database);
        let mut cost = |what: &'static str| {
            let now = sent_to(&app.database);
            costs.push((what, now - last));
            last = now;
        };
        let person = candidate(&ats, name).await;
        cost("person");
        let application = ats
            .create("/Applications", applying(&person, &job, name))
            .await;
        cost("application");
        ats.create("/Verifications", verified(&application, 2, "pass"))
            .await;
        cost("verification");
        let path = at("/Applications", &application);
        ats.patch(&path, replace("status", json!("verified")))
            .await
            .ok(200);
        cost("status");
        let offer = json!({"application": to(&application), "status": "accepted"});
        let offer = ats.create("/Offers", offer).await;
        cost("offer accepted");
        let employed =
            json!({"person": to(&person), "offer": to(&offer), "hireDate": "2031-03-01"});
        hris.create("/Employments", employed).await;
        cost("employment");
        costs
    };
    // The first request of each kind learns more than it is asked; the log and the policy watch ask too.
    let least = async |from: usize, to: usize| {
        let mut least: Vec<(&str, u64)> = Vec::new();
        for n in from..to {
            let costs = flow(&format!("p{n}")).await;
            least = if least.is_empty() {
                costs
            } else {
                least
                    .iter()
                    .zip(costs)
                    .map(|(one, other)| (one.0, one.1.min(other.1)))
                    .collect()
            };
        }
        least
    };
    let few = least(0, 8).await;
    for n in 8..40 {
        flow(&format!("p{n}")).await;
    }
    let many = least(40, 48).await;
    // README tells them.
    let told = match app.database.engine() {
        Engine::Sqlite => [25, 34, 47, 24, 21, 49],
        Engine::Postgres => [3, 15, 37, 18, 14, 30],
    };
    let costs: Vec<u64> = many.iter().map(|(_, cost)| *cost).collect();
    assert_eq!(costs, told, "{many:?}");
    assert_eq!(few, many);
}
