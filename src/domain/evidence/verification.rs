//! A verification: one decision on who an applicant is (B-061, B-062). A manual review is a question for a human, in time (B-018).

use chrono::TimeDelta;

use crate::domain::lifecycle::{Accepted, Effect, Refused, Turn, moment};
use crate::domain::review::Asks;
use crate::scim::comparable::instant;

/// What of the decision its own event tells.
const TOLD: [&str; 4] = [
    "decision",
    "tierRequired",
    "tierSatisfied",
    "evidencePackRef",
];

/// What follows from a decision.
pub fn accept(turn: &Turn<'_>) -> Result<Accepted, Refused> {
    let mut accepted = Accepted::default();
    if turn.before.is_some() {
        return Ok(accepted);
    }
    super::check_appeal(turn)?;
    let (began, ended) = (
        moment(turn.after, "startedAt"),
        moment(turn.after, "endedAt"),
    );
    if ended.zip(began).is_some_and(|(ended, began)| ended < began) {
        return Err(Refused::Dates {
            later: "endedAt",
            earlier: "startedAt",
        });
    }
    if let (None, Some(days), Some(at)) = (
        turn.text("validUntil"),
        turn.terms.verification_days,
        moment(turn.after, "occurredAt"),
    ) {
        let until = at + TimeDelta::days(i64::from(days));
        accepted
            .defaults
            .push(("validUntil", instant(until).into()));
    }
    accepted.effects.push(Effect::Reverify);
    let what = match turn.text("decision") {
        Some("pass") => "verification.passed",
        Some("fail") => "verification.failed",
        _ => {
            accepted.effects.push(Effect::Ask(Asks::Verification));
            "verification.review_requested"
        }
    };
    let told = serde_json::json!({ "verificationId": turn.id });
    accepted.effects.push(Effect::Announce(what, told, &TOLD));
    Ok(accepted)
}
