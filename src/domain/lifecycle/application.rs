//! An application: one person's way through one requisition (B-059, B-060).

use serde_json::Value;

use super::states::{self, States};
use super::{Accepted, Refused, Turn};
use crate::domain::evidence::tier;

/// The contract's statuses. Hired is none of them: that is an accepted offer and an employment (C-04). What has ended is
/// reopened from its beginning, or as verified where an appeal succeeds.
pub static STATES: States = States::new(&[
    (
        "sourced",
        &[
            "verified",
            "interviewing",
            "assessing",
            "offered",
            "rejected",
            "withdrawn",
        ],
    ),
    (
        "verified",
        &[
            "interviewing",
            "assessing",
            "offered",
            "rejected",
            "withdrawn",
        ],
    ),
    (
        "interviewing",
        &["verified", "assessing", "offered", "rejected", "withdrawn"],
    ),
    (
        "assessing",
        &[
            "verified",
            "interviewing",
            "offered",
            "rejected",
            "withdrawn",
        ],
    ),
    (
        "offered",
        &["interviewing", "assessing", "rejected", "withdrawn"],
    ),
    ("rejected", &["sourced", "verified"]),
    ("withdrawn", &["sourced", "verified"]),
]);

/// Whether an application at that status has ended.
#[must_use]
pub fn has_ended(status: &str) -> bool {
    matches!(status, "rejected" | "withdrawn")
}

/// Until when the satisfied tier counts.
const VALID_UNTIL: &str = "verificationValidUntil";

/// What follows from a write.
pub fn accept(turn: &Turn<'_>) -> Result<Accepted, Refused> {
    let moved = states::step(&STATES, turn.was("status"), turn.text("status"))?;
    let mut accepted = Accepted {
        history: moved.map(|at| turn.chapter(at.status())),
        ..Accepted::default()
    };
    if let Some(requisition) = &turn.beside.requisition {
        let job = requisition.leaves.get("jobId").cloned();
        accepted.facts.push(("jobId", job.unwrap_or(Value::Null)));
    }
    if turn.before.is_none() {
        accepted.facts.extend(turn.terms.begun());
    }
    let passed = tier::best(&turn.beside.verifications, turn.deed.now);
    let tier = passed.map_or(Value::Null, |passed| passed.tier.into());
    let until = passed.and_then(|passed| passed.until);
    accepted.facts.push(("satisfiedVerificationTier", tier));
    accepted
        .facts
        .push((VALID_UNTIL, until.map_or(Value::Null, Value::from)));
    Ok(accepted)
}
