//! An offer: accepted is final, and from it follows the intent to make an employee of a candidate.

use serde_json::{Value, json};

use super::states::{self, States};
use super::{Accepted, Effect, Refused, Turn, application, text};
use crate::domain::record::Leaves;
use crate::scim::comparable::instant;

/// Where an offer stands.
pub static STATES: States = States::new(&[
    (
        "draft",
        &[
            "approved",
            "sent",
            "accepted",
            "declined",
            "withdrawn",
            "deprecated",
        ],
    ),
    (
        "approved",
        &[
            "draft",
            "sent",
            "accepted",
            "declined",
            "withdrawn",
            "deprecated",
        ],
    ),
    ("sent", &["accepted", "declined", "withdrawn", "deprecated"]),
    ("accepted", &[]),
    ("declined", &["deprecated"]),
    ("withdrawn", &["deprecated"]),
    ("deprecated", &[]),
]);

/// The intent that an accepted offer commits with itself.
pub const INTENT: &str = "CandidateToEmployee";

/// What of the offer the intent tells.
const TOLD: [&str; 3] = ["acceptanceTimestamp", "terms.startDate", "terms.title"];

/// Whether an offer is on record for good.
#[must_use]
pub fn is_final(offer: &Leaves) -> bool {
    text(offer, "status") == Some("accepted")
}

/// What follows from a write.
pub fn accept(turn: &Turn<'_>) -> Result<Accepted, Refused> {
    let moved = states::step(&STATES, turn.was("status"), turn.text("status"))?;
    let mut accepted = Accepted::default();
    let Some(application) = &turn.beside.application else {
        return Ok(accepted);
    };
    let candidate = application.leaves.get("candidate.value").cloned();
    accepted
        .facts
        .push(("candidate.value", candidate.clone().unwrap_or(Value::Null)));
    let moved = moved.map(|at| at.status());
    if turn.text("sentAt").is_none() {
        let sent = (moved == Some("sent")).then(|| instant(turn.deed.said_at));
        let sent = sent.or_else(|| turn.was("sentAt").map(str::to_owned));
        accepted
            .defaults
            .extend(sent.map(|at| ("sentAt", at.into())));
    }
    if moved == Some("accepted") {
        let stands = application.text("status").unwrap_or_default();
        if application::has_ended(stands) {
            return Err(Refused::Ended(stands.to_owned()));
        }
        if let Some(other) = &turn.beside.accepted {
            return Err(Refused::Accepted(other.clone()));
        }
        let at = instant(turn.deed.said_at);
        accepted.facts.push(("acceptanceTimestamp", at.into()));
        let told = intent(turn, &application.id);
        accepted.effects.push(Effect::Announce(INTENT, told, &TOLD));
    }
    Ok(accepted)
}

/// What the HR system needs to find everything else.
fn intent(turn: &Turn<'_>, application: &str) -> Value {
    let mut told = json!({
        "offerId": turn.id,
        "applicationId": application,
    });
    if let Some(requisition) = &turn.beside.requisition {
        told["requisitionId"] = requisition.id.as_str().into();
        told["jobId"] = requisition.leaves.get("jobId").cloned().unwrap_or_default();
    }
    told
}
