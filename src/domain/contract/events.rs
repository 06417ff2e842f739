//! Each type of event of the log as a contract: the body of [`crate::domain::event::Event::body`], with what an event of
//! that type must say (requirements, B-036).
//!
//! A reader of events must pass over members that it does not know. Of an event whose person has been erased only the frame
//! is left, with `erased`. The feed (`/Events`) gives an event its `position`, and of the rest what its reader may see.

use serde_json::{Value, json};

use super::{Contract, Subject, frame, heading};
use crate::domain::record::Kind;

/// What an event says beyond the frame that all have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// What changed in the record.
    Changes,
    /// What was read, for what purpose, and of whom.
    Reads,
    /// What else there is to say, with these members; the values that it is about stand in `changes`.
    Detail(&'static [&'static str]),
}

/// What happens to records of any kind; to those that are only appended no more than the first four.
const EVERY: [(&str, &str); 8] = [
    ("created", "A record was made."),
    ("confirmed", "A source said again what was known."),
    (
        "conflicted",
        "A source said what is for another to say: kept as a suggestion.",
    ),
    ("deleted", "A record is gone."),
    ("updated", "Values of a record changed."),
    ("elevated", "Somebody decided that a suggestion stands."),
    (
        "refolded",
        "A new policy makes something else of the same claims.",
    ),
    ("restored", "What a client did to a record was taken back."),
];

/// How many of these happen to what is only appended.
const APPENDED: usize = 4;

/// What happens to records of one kind, or to no record.
const OWN: &[(&str, &str, Says)] = &[
    (
        "person.account.attached",
        "A known person got an account.",
        Says::Changes,
    ),
    (
        "person.account.closed",
        "A person's account was closed; the person lives on.",
        Says::Changes,
    ),
    (
        "person.merged",
        "Another person was merged into this one.",
        Says::Changes,
    ),
    (
        "person.merged.into",
        "This person was merged into another.",
        Says::Changes,
    ),
    (
        "person.split",
        "What was one person is two again.",
        Says::Changes,
    ),
    (
        "person.read",
        "Classified attributes of persons were read.",
        Says::Reads,
    ),
    (
        "person.erased",
        "A person and all that was known of them were erased.",
        Says::Changes,
    ),
    (
        "group.members.changed",
        "Members of a group came or went.",
        Says::Changes,
    ),
    (
        "policy.applied",
        "A version of the policy came into force.",
        Says::Changes,
    ),
    (
        "policy.approved",
        "Security approved a text of the policy that is to be applied.",
        Says::Detail(&["sha256", "reason"]),
    ),
    (
        "session.opened",
        "Somebody signed in by browser.",
        Says::Changes,
    ),
    ("session.closed", "Somebody signed out.", Says::Changes),
    (
        "import.finished",
        "An extract of another system was taken in.",
        Says::Detail(&[]),
    ),
    (
        "reconciliation.finished",
        "An extract of another system was compared.",
        Says::Detail(&[]),
    ),
    (
        "CandidateToEmployee",
        "An offer was accepted: the HR system is to answer with an employment.",
        Says::Detail(&["offerId", "applicationId"]),
    ),
    (
        "verification.passed",
        "An applicant is who they say they are.",
        VERIFIED,
    ),
    (
        "verification.failed",
        "An applicant is not who they say they are.",
        VERIFIED,
    ),
    (
        "verification.review_requested",
        "A human is to decide who an applicant is.",
        VERIFIED,
    ),
    (
        "interview.before_verification",
        "An interview began before the verification that its requisition requires was passed.",
        Says::Detail(&["interviewId"]),
    ),
    (
        "onboarding.it.requested",
        "Somebody needs an account and tools.",
        EMPLOYED,
    ),
    (
        "onboarding.payroll.requested",
        "Somebody is to be paid.",
        EMPLOYED,
    ),
    (
        "onboarding.benefits.requested",
        "Somebody is to have benefits.",
        EMPLOYED,
    ),
    (
        "employment.pending",
        "An employment is still to begin.",
        EMPLOYED,
    ),
    (
        "employment.active",
        "An employment began or goes on.",
        EMPLOYED,
    ),
    ("employment.inactive", "Somebody is on leave.", EMPLOYED),
    ("employment.terminated", "An employment ended.", EMPLOYED),
    (
        "restore.finished",
        "What a client did since a moment was taken back.",
        Says::Detail(&["client", "since", "restored"]),
    ),
    (
        "model.stored",
        "A matching model was trained and kept, for a policy to name.",
        Says::Detail(&[]),
    ),
    (
        "token.issued",
        "An operator made a token for a client that can only hold one.",
        Says::Detail(&[]),
    ),
    (
        "token.revoked",
        "A token of our own is good no more.",
        Says::Detail(&[]),
    ),
    (
        "token.expiring",
        "A token of our own ends soon: its client needs another.",
        Says::Detail(&[]),
    ),
    (
        "breakGlass.requested",
        "Somebody asked to see what is hidden from them.",
        GLASS,
    ),
    (
        "breakGlass.approved",
        "What is hidden is open for a while.",
        GLASS,
    ),
    (
        "breakGlass.ended",
        "What was opened is hidden again.",
        GLASS,
    ),
    (
        "write.refused",
        "A write was refused for what it said, in a way that nobody has seen to: it waits for a human.",
        Says::Detail(&["status", "route", "resourceType", "why"]),
    ),
    (
        "write.resolved",
        "Somebody has seen to a way in which writes were refused.",
        Says::Detail(&["refusedId", "client", "count"]),
    ),
    (
        "request.refused.400",
        "What is only appended was given what it does not have.",
        REFUSAL,
    ),
    ("request.refused.401", "A stranger was refused.", REFUSAL),
    (
        "request.refused.403",
        "A client asked for what it may not do.",
        REFUSAL,
    ),
    (
        "request.refused.409",
        "A request was in conflict with what is there.",
        REFUSAL,
    ),
    (
        "request.refused.412",
        "A request was about another version.",
        REFUSAL,
    ),
    ("request.refused.429", "A client called too often.", REFUSAL),
];

const VERIFIED: Says = Says::Detail(&["verificationId"]);
const EMPLOYED: Says = Says::Detail(&["employmentId"]);
const GLASS: Says = Says::Detail(&["client", "minutes"]);
const REFUSAL: Says = Says::Detail(&["status", "method", "why", "alsoRefused"]);

/// Every type of event.
#[must_use]
pub fn types() -> Vec<String> {
    every().map(|(name, ..)| name).collect()
}

pub(super) fn contracts() -> impl Iterator<Item = Contract> {
    every().map(|(name, description, says)| {
        let make = |id: &str| schema(id, &name, description, says);
        Contract::current(name.clone(), Subject::Event, make)
    })
}

fn every() -> impl Iterator<Item = (String, &'static str, Says)> {
    let kinds = (1..).map_while(Kind::from_number);
    let of_records = kinds.flat_map(|kind| {
        let happens = EVERY.into_iter().enumerate();
        let happens = happens.filter(move |(n, _)| *n < APPENDED || !kind.is_append_only());
        happens.map(move |(_, (what, description))| {
            let name = format!("{}.{what}", kind.word());
            (name, description, Says::Changes)
        })
    });
    let own = OWN.iter();
    of_records.chain(own.map(|(name, description, says)| ((*name).to_owned(), *description, *says)))
}

fn schema(id: &str, name: &str, description: &str, says: Says) -> Value {
    let mut schema = heading(id, name, description);
    let mut properties = frame::members();
    properties.insert("type".into(), json!({"const": name}));
    if name.starts_with("person.") && says == Says::Changes {
        // Whom it is about, and nobody else.
        properties["personId"]["type"] = "string".into();
    }
    let mut body: Vec<&str> = frame::BODY.to_vec();
    match says {
        Says::Changes => {}
        Says::Reads => body.extend(["purpose", "attributes", "subjects"]),
        Says::Detail(members) => {
            let mut detail = json!({
                "type": ["object", "string"],
                "description": "What else there is to say; in the feed as text.",
            });
            if !members.is_empty() {
                detail["required"] = json!(members);
            }
            properties.insert("detail".into(), detail);
            body.push("detail");
        }
    }
    schema["properties"] = properties.into();
    schema["required"] = json!(frame::ALWAYS);
    schema["anyOf"] =
        json!([{"required": ["erased"]}, {"required": ["position"]}, {"required": body}]);
    schema
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_type_has_one_contract() {
        let types = types();
        let distinct: BTreeSet<&String> = types.iter().collect();
        assert_eq!(distinct.len(), types.len());
    }
}
