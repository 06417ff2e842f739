//! Questions for a human: what a review holds when it is opened, and how it may change.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::record::Leaves;
use crate::id::ResourceId;
use crate::scim::comparable::instant;

/// How long somebody has to decide.
const DAYS: i64 = 5;
/// The system that speaks for the server itself.
pub const SYSTEM: &str = "muster";

/// The address that something in quarantine came with.
pub const NAMED: &str = "named";
/// What a review holds and the log does not: it may speak of somebody who is to be erased one day, and whom nobody knows yet.
pub const UNLOGGED: [&str; 2] = ["payload", NAMED];

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether the subject is one of the candidates.
    Match,
    /// Whether a suggestion stands.
    Conflict,
    /// Whether an applicant is who the evidence says (B-018).
    Verification,
    /// To which application something belongs that names none (B-002).
    Quarantine,
}

impl Asks {
    /// What a word on the wire asks.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [
            Self::Match,
            Self::Conflict,
            Self::Verification,
            Self::Quarantine,
        ];
        all.into_iter().find(|asks| asks.word() == word)
    }

    /// Its word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Conflict => "conflict",
            Self::Verification => "verification",
            Self::Quarantine => "quarantine",
        }
    }
}

/// What every review holds that is opened at `now`: its kind, and the system whose word it is about.
#[must_use]
pub fn opened(kind: &str, system: &str, now: DateTime<Utc>) -> Leaves {
    Leaves::from([
        ("kind".into(), kind.into()),
        ("status".into(), "open".into()),
        ("system".into(), system.into()),
        ("dueAt".into(), instant(now + TimeDelta::days(DAYS)).into()),
    ])
}

/// A review that is to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What is asked.
    pub asks: Asks,
    /// About whom, if that is known.
    pub subject: Option<ResourceId>,
    /// Who the subject may be: the id, the chance from 0 to 1, and what kept it from being decided without a human.
    pub candidates: Vec<(ResourceId, f64, Option<String>)>,
    /// What it is about beside the subject: the resource type and the id.
    pub about: Option<(String, ResourceId)>,
    /// What came in and could not be placed, as JSON, and the address that it came with.
    pub payload: Option<(String, String)>,
    /// Of a conflict: the attribute, as its resource type shows it.
    pub path: Option<String>,
    /// Whose word it is about.
    pub system: String,
}

impl Opening {
    /// The values of the review, opened at `now`.
    #[must_use]
    pub fn leaves(&self, now: DateTime<Utc>) -> Leaves {
        let points = |chance: f64| json!((chance * 10_000.0).round() / 100.0);
        let mut leaves = opened(self.asks.word(), &self.system, now);
        if let Some(subject) = &self.subject {
            leaves.insert("subject.value".into(), subject.to_string().into());
        }
        if let Some((payload, named)) = &self.payload {
            leaves.insert("payload".into(), payload.as_str().into());
            leaves.insert(NAMED.into(), named.as_str().into());
        }
        if let Some((of, id)) = &self.about {
            leaves.insert("about.value".into(), id.to_string().into());
            leaves.insert("about.type".into(), of.as_str().into());
        }
        if let Some(path) = &self.path {
            leaves.insert("path".into(), path.as_str().into());
        }
        let candidates: Vec<Value> = self
            .candidates
            .iter()
            .map(|(id, chance, guard)| {
                let mut candidate = json!({ "value": id.to_string(), "score": points(*chance) });
                if let Some(guard) = guard {
                    candidate["guard"] = guard.as_str().into();
                }
                candidate
            })
            .collect();
        if let Some((_, chance, _)) = self.candidates.first() {
            leaves.insert("score".into(), points(*chance));
            leaves.insert("candidates".into(), candidates.into());
        }
        leaves
    }

    /// By which value of a review one that asks the same is found.
    #[must_use]
    pub fn key(&self) -> (&'static str, String) {
        match (&self.subject, &self.payload) {
            (None, Some((_, named))) => (NAMED, named.clone()),
            (subject, _) => {
                let subject = subject.map(|id| id.to_string());
                ("subject.value", subject.unwrap_or_default())
            }
        }
    }

    /// Whether an open review asks the same already.
    #[must_use]
    pub fn is_asked_by(&self, review: &Leaves) -> bool {
        let text = |path: &str| review.get(path).and_then(Value::as_str);
        text("status") == Some("open")
            && text("kind") == Some(self.asks.word())
            && text("subject.value") == self.subject.map(|id| id.to_string()).as_deref()
            && text("payload") == self.payload.as_ref().map(|(payload, _)| payload.as_str())
            && text("about.value") == self.about.as_ref().map(|(_, id)| id.to_string()).as_deref()
            && text("path") == self.path.as_deref()
            && text("system") == Some(&self.system)
    }
}

/// How a review changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It stays open.
    Open,
    /// What it asks is so.
    Approved,
    /// It is not.
    Rejected,
}

/// Why a review may not change so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has been decided.
    #[error("this review was {status} by '{by}' at {at}: a decision is not changed")]
    Decided {
        /// As what.
        status: String,
        /// By whom.
        by: String,
        /// When.
        at: String,
    },
    /// Nobody but the server says so.
    #[error("a review becomes 'approved' or 'rejected', not '{0}'")]
    Status(String),
}

/// What a change of a review's values comes to.
pub fn step(before: &Leaves, after: &Leaves) -> Result<Step, Refused> {
    let text = |leaves: &Leaves, path: &str| {
        let text = leaves.get(path).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let (was, is) = (text(before, "status"), text(after, "status"));
    if was != "open" {
        return Err(Refused::Decided {
            status: was,
            by: text(before, "decidedBy"),
            at: text(before, "decidedAt"),
        });
    }
    match is.as_str() {
        "open" => Ok(Step::Open),
        "approved" => Ok(Step::Approved),
        "rejected" => Ok(Step::Rejected),
        _ => Err(Refused::Status(is)),
    }
}
