//! An interview: whether the checks that its requisition requires came first (B-004).

use super::tier;
use crate::domain::lifecycle::{Accepted, Early, Effect, Refused, Turn, moment, number};

/// What follows from a write.
pub fn accept(turn: &Turn<'_>) -> Result<Accepted, Refused> {
    let mut accepted = Accepted::default();
    let begun = turn.text("startedAt").is_some() || turn.text("status") == Some("completed");
    let requisition = turn.beside.requisition.as_ref();
    let required = requisition.and_then(|one| number(&one.leaves, "requiredVerificationTier"));
    let (true, Some(required)) = (begun, required.filter(|tier| *tier > 0)) else {
        return Ok(accepted);
    };
    let began = moment(turn.after, "startedAt").unwrap_or(turn.deed.said_at);
    let passed = tier::satisfied(&turn.beside.verifications, began);
    let early = passed.is_none_or(|tier| tier < required);
    let was = turn
        .before
        .and_then(|before| before.get("beforeVerification"));
    if early && turn.terms.early_interview == Early::Refuse {
        return Err(Refused::Unverified {
            required,
            satisfied: passed.map_or("none".into(), |tier| format!("tier {tier}")),
        });
    }
    accepted.facts.push(("beforeVerification", early.into()));
    if early && was != Some(&true.into()) {
        accepted.effects.push(Effect::MarkEarly);
        let told = serde_json::json!({ "interviewId": turn.id });
        accepted.effects.push(Effect::Announce(
            "interview.before_verification",
            told,
            &["startedAt"],
        ));
    }
    Ok(accepted)
}
