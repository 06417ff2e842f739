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

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether the subject is one of the candidates.
    Match,
    /// Whether a suggestion stands.
    Conflict,
}

impl Asks {
    /// Its word on the wire.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Conflict => "conflict",
        }
    }
}

/// A review that is to be opened.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What is asked.
    pub asks: Asks,
    /// About whom.
    pub subject: ResourceId,
    /// Who the subject may be: the id, the chance from 0 to 1, and what kept it from being decided without a human.
    pub candidates: Vec<(ResourceId, f64, Option<String>)>,
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
        let mut leaves = Leaves::from([
            ("kind".into(), self.asks.word().into()),
            ("status".into(), "open".into()),
            ("subject.value".into(), self.subject.to_string().into()),
            ("system".into(), self.system.as_str().into()),
            ("dueAt".into(), instant(now + TimeDelta::days(DAYS)).into()),
        ]);
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

    /// Whether an open review asks the same already.
    #[must_use]
    pub fn is_asked_by(&self, review: &Leaves) -> bool {
        let text = |path: &str| review.get(path).and_then(Value::as_str);
        text("status") == Some("open")
            && text("kind") == Some(self.asks.word())
            && text("subject.value") == Some(&self.subject.to_string())
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
