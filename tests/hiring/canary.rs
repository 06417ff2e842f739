//! New rules go to a few requisitions first, and nobody on the way is stranded by a change of them.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, Client, on_both};

on_both!(
    b_040_new_rules_hold_for_a_few_requisitions_first,
    b_008_a_change_of_rules_strands_nobody_on_the_way,
    b_040_a_share_of_all_requisitions_is_drawn_for_good
);

/// The policy with rules of hiring, and others for a canary.
fn with(hiring: &str, canary: &str) -> String {
    policy(hiring).replace("\nroles:\n", &format!("\n{canary}roles:\n"))
}

const STRICT: &str = "rolloutControls: { canary: { enabled: true, scope: { jobIds: [REQ-1] }, hiring: { interviewBeforeVerification: refuse, verificationValidDays: 30 } }, killSwitches: [] }\n";

async fn opened(ats: &Client, job: &str) -> Value {
    let body = json!({
        "jobId": job, "title": "Harbor pilot", "status": "Active", "requiredVerificationTier": 2,
    });
    ats.create("/Requisitions", body).await
}

async fn apply_to(ats: &Client, job: &Value, name: &str) -> Value {
    let person = candidate(ats, name).await;
    ats.create("/Applications", applying(&person, job, name))
        .await
}

fn begins(application: &Value) -> Value {
    json!({"application": to(application), "startedAt": "2031-02-21T09:00:00Z"})
}

/// B-040, B-008, B-074: what is new holds for who applies to REQ-1 and for nobody else; the record and its timeline say which
/// rules somebody is under.
async fn b_040_new_rules_hold_for_a_few_requisitions_first(app: &App) {
    apply(app, &with("interviewBeforeVerification: flag", STRICT));
    let ats = app.client("ats").await;
    let (few, other) = (opened(&ats, "REQ-1").await, opened(&ats, "REQ-2").await);
    let (ann, bea) = (
        apply_to(&ats, &few, "ann").await,
        apply_to(&ats, &other, "bea").await,
    );
    assert_eq!(
        ann["hiringRules"],
        json!({"wave": "canary", "interviewBeforeVerification": "refuse", "verificationValidDays": 30})
    );
    assert_eq!(
        bea["hiringRules"],
        json!({"wave": "all", "interviewBeforeVerification": "flag"})
    );
    let refused = ats.post("/Interviews", begins(&ann)).await;
    assert!(refused.refused(409, "").contains("tier 2"));
    let flagged = ats.create("/Interviews", begins(&bea)).await;
    assert_eq!(flagged["beforeVerification"], true);
    let passed = ats
        .create("/Verifications", verified(&ann, 2, "pass"))
        .await;
    assert_eq!(passed["validUntil"], "2031-03-22T09:00:00.000000Z");
    let passed = ats
        .create("/Verifications", verified(&bea, 2, "pass"))
        .await;
    assert!(passed.get("validUntil").is_none(), "{passed}");
    let told = ats
        .get(&format!("{}/timeline", at("/Applications", &ann)))
        .await;
    let told = told.ok(200)["events"][0]["what"].as_str().unwrap();
    assert!(told.contains("hiringRules.wave canary"), "{told}");
    let found = ats
        .find("/Applications", "hiringRules.wave eq \"canary\"")
        .await;
    assert_eq!((found.len(), &found[0]["id"]), (1, &ann["id"]));
}

/// B-008, B-040, B-091: the canary ends, and then all are under the new rules; who began before goes on under those it began
/// under, forward and back, and what happened can be heard again from the beginning.
async fn b_008_a_change_of_rules_strands_nobody_on_the_way(app: &App) {
    apply(app, &with("interviewBeforeVerification: flag", STRICT));
    let ats = app.client("ats").await;
    let (few, other) = (opened(&ats, "REQ-1").await, opened(&ats, "REQ-2").await);
    let (ann, bea) = (
        apply_to(&ats, &few, "ann").await,
        apply_to(&ats, &other, "bea").await,
    );
    // The new rules are called off.
    apply(app, &policy("interviewBeforeVerification: flag"));
    let cyd = apply_to(&ats, &few, "cyd").await;
    assert_eq!(cyd["hiringRules"]["wave"], "all");
    ats.post("/Interviews", begins(&ann)).await.refused(409, "");
    ats.create("/Interviews", begins(&cyd)).await;
    // They are for everybody.
    apply(app, &policy("interviewBeforeVerification: refuse"));
    let dot = apply_to(&ats, &other, "dot").await;
    ats.post("/Interviews", begins(&dot)).await.refused(409, "");
    let flagged = ats.create("/Interviews", begins(&bea)).await;
    assert_eq!(flagged["beforeVerification"], true);
    // A step further changes nothing of that.
    let moved = ats
        .patch(
            &at("/Applications", &bea),
            replace("status", json!("interviewing")),
        )
        .await;
    assert_eq!(moved.ok(200)["hiringRules"], bea["hiringRules"]);
    // Nobody else says which rules hold.
    let said = replace("hiringRules.wave", json!("all"));
    ats.patch(&at("/Applications", &ann), said)
        .await
        .refused(400, "mutability");
}

/// B-040: a requisition is drawn by its own id: it stays in or out whatever others come.
async fn b_040_a_share_of_all_requisitions_is_drawn_for_good(app: &App) {
    let half = STRICT.replace("jobIds: [REQ-1]", "share: 50");
    apply(app, &with("", &half));
    let ats = app.client("ats").await;
    let mut drawn = Vec::new();
    for n in 0..12 {
        let job = opened(&ats, &format!("REQ-{n}")).await;
        let one = apply_to(&ats, &job, &format!("p{n}")).await;
        drawn.push((job, one["hiringRules"]["wave"].clone()));
    }
    let few = drawn.iter().filter(|(_, wave)| wave == "canary").count();
    assert!((1..12).contains(&few), "{few}");
    for (n, (job, wave)) in drawn.iter().enumerate() {
        let one = apply_to(&ats, job, &format!("q{n}")).await;
        assert_eq!(&one["hiringRules"]["wave"], wave);
    }
    // Of all, all.
    apply(
        app,
        &with("", &STRICT.replace("jobIds: [REQ-1]", "share: 100")),
    );
    for (n, (job, _)) in drawn.iter().take(3).enumerate() {
        let one = apply_to(&ats, job, &format!("r{n}")).await;
        assert_eq!(one["hiringRules"]["wave"], "canary");
    }
}
