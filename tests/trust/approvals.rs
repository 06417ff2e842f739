//! What Security owns of a policy comes into force only when Security has approved the text (B-016).

use chrono::TimeDelta;
use muster::service::policy::Applied;
use serde_json::{Value, json};

use super::rules::{POLICY, apply, try_apply};
use crate::support::{App, client, on_both};

on_both!(
    b_016_what_security_owns_takes_its_approval,
    b_016_an_approval_is_of_one_text_for_one_application_and_a_while,
);

/// `verifier` speaks for Security; `days` is how long who is rejected is kept.
fn policy(days: u32) -> String {
    format!(
        "{POLICY}retention:\n  - {{ jurisdiction: DE, when: candidate.rejected, keepDays: {days}, then: anonymize, basis: \
         legitimateInterest }}\napproval: {{ security: [verifier] }}\n"
    )
}

async fn approve(app: &App, name: &str, sha256: &str, reason: &str) -> (u16, Value) {
    let request = client::http().post(format!("{}/admin/policy/approvals", app.origin()));
    let request = request
        .bearer_auth(app.token(name).await)
        .header("content-type", "application/json");
    let body = json!({"sha256": sha256, "reason": reason}).to_string();
    let answer = request.body(body).send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}

/// The SHA-256 of what waits for approval, and what it changes.
fn waits(applied: Applied) -> (String, Vec<String>) {
    let Applied::Unapproved { reserved, sha256 } = applied else {
        panic!("it is in force: {applied:?}");
    };
    assert_eq!(reserved.by, ["verifier"]);
    (sha256, reserved.parts)
}

async fn b_016_what_security_owns_takes_its_approval(app: &App) {
    apply(app, &policy(180));
    // What is nobody's but the business's needs nobody.
    let others = policy(180).replacen("owner: Sales", "owner: Sales Ops", 1);
    apply(app, &others);
    let longer = policy(730);
    let (sha256, parts) = waits(try_apply(app, &longer));
    assert_eq!(parts, ["retention"]);
    let (status, told) = approve(app, "idp", &sha256, "why not").await;
    assert_eq!(status, 403, "{told}");
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .contains("speak for Security")
    );
    for (sha256, reason) in [("12", "agreed"), (sha256.as_str(), " ")] {
        let (status, told) = approve(app, "verifier", sha256, reason).await;
        assert_eq!((status, &told["scimType"]), (400, &json!("invalidValue")));
    }
    waits(try_apply(app, &longer));
    let (status, told) = approve(app, "verifier", &sha256, "agreed with Legal").await;
    assert_eq!(
        (status, &told["approvedBy"]),
        (200, &json!("verifier")),
        "{told}"
    );
    apply(app, &longer);
    let events = app.service().events(0, 10_000).unwrap();
    let of = |kind: &str| events.iter().rev().find(|(_, event)| event["type"] == kind);
    let (_, approved) = of("policy.approved").unwrap();
    assert_eq!(
        approved["detail"],
        json!({"sha256": sha256, "reason": "agreed with Legal"})
    );
    let (_, applied) = of("policy.applied").unwrap();
    let by = json!({"approvedBy": "verifier", "approvalReason": "agreed with Legal"});
    assert_eq!(applied["detail"], by);
}

async fn b_016_an_approval_is_of_one_text_for_one_application_and_a_while(app: &App) {
    apply(app, &policy(180));
    // Who takes Security out asks Security first; and who gives its name to another token.
    let without = policy(180).replacen("approval: { security: [verifier] }", "", 1);
    assert_eq!(waits(try_apply(app, &without)).1, ["approval"]);
    let usurped = policy(180).replacen("equals: verifier", "equals: crm2", 1);
    assert_eq!(waits(try_apply(app, &usurped)).1, ["the client verifier"]);
    let (sha256, _) = waits(try_apply(app, &policy(730)));
    assert_eq!(approve(app, "verifier", &sha256, "agreed").await.0, 200);
    let (_, parts) = waits(try_apply(app, &policy(731)));
    assert_eq!(parts, ["retention"], "another text is not approved");
    apply(app, &policy(730));
    // To go back is a change too, and to come again another.
    let (before, _) = waits(try_apply(app, &policy(180)));
    assert_eq!(approve(app, "verifier", &before, "a mistake").await.0, 200);
    apply(app, &policy(180));
    waits(try_apply(app, &policy(730)));
    assert_eq!(approve(app, "verifier", &sha256, "after all").await.0, 200);
    app.clock.advance(TimeDelta::days(8));
    waits(try_apply(app, &policy(730)));
}
