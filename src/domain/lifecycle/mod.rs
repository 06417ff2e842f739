//! What a hiring record may become, and what follows from it (model.md, the lifecycle; B-025 to B-034). Pure: a [`Turn`] has all
//! that a rule may look at, and [`accept`] says what follows or why it may not be.
//!
//! | file | what it decides |
//! |---|---|
//! | `states` | statuses with their transitions as data, which consume what was |
//! | `application` `offer` `employment` | the rules of each |
//! | `dated` | what holds of an employment from which day on |
//! | `rules` | which rules an application goes by, whatever changes meanwhile |
//! | `facts` | what a person's employments make of its employee role |
//!
//! What is found out about an applicant (verifications, interviews, assessments) is [`super::evidence`]'s.

pub mod application;
pub mod dated;
pub mod employment;
pub mod facts;
pub mod offer;
mod rules;
pub mod states;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::context::actor_type;
use super::evidence;
use super::record::{Kind, Leaves};
use super::review::Asks;
use crate::scim::comparable::instant;
pub use dated::Holding;
pub use rules::Wave;

/// How an interview before the required verification is met (B-004).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Early {
    /// It is marked as such.
    #[default]
    Flag,
    /// It is refused.
    Refuse,
}

/// What the policy says of hiring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HiringTerms {
    /// What becomes of an interview before the required verification.
    pub early_interview: Early,
    /// For how many days a verification counts that says nothing of it itself; for good without.
    pub verification_days: Option<u32>,
    /// Whether the account is opened on the first day.
    pub opens_account: bool,
    /// Which rules these are; nothing where the policy says nothing of hiring.
    pub wave: Option<Wave>,
}

/// A record that another one hangs on, or that hangs on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its id.
    pub id: String,
    /// Its values.
    pub leaves: Leaves,
}

impl Known {
    /// The text at a path.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        text(&self.leaves, path)
    }
}

/// What a rule may look at beside the record itself.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The application that it hangs on.
    pub application: Option<Known>,
    /// The requisition of that application, or its own.
    pub requisition: Option<Known>,
    /// What it asks to be looked at again.
    pub appealed: Option<Known>,
    /// Another offer of the application, which is accepted.
    pub accepted: Option<String>,
    /// All verifications of the person, whatever application they are of.
    pub verifications: Vec<Known>,
}

/// Who does it, when, as which event.
#[derive(Clone, Debug)]
pub struct Deed {
    /// When it is recorded.
    pub now: DateTime<Utc>,
    /// When the source says that it was; `now` if it does not.
    pub said_at: DateTime<Utc>,
    /// The event's id.
    pub event: String,
    /// The client.
    pub actor: String,
    /// Whether a human acts through it (B-025).
    pub by_human: bool,
}

/// A record before and after a write.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Its own id.
    pub id: &'a str,
    /// Before; nothing if it is made.
    pub before: Option<&'a Leaves>,
    /// After.
    pub after: &'a Leaves,
    /// What it hangs on.
    pub beside: &'a Beside,
    /// The policy.
    pub terms: HiringTerms,
    /// Who, when.
    pub deed: &'a Deed,
}

/// What follows from a write that is right.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Accepted {
    /// Values that nobody else can say, by canonical path; `null` takes one back.
    pub facts: Vec<(&'static str, Value)>,
    /// Values that stand while nobody says otherwise.
    pub defaults: Vec<(&'static str, Value)>,
    /// An element for the history of its status.
    pub history: Option<Value>,
    /// A status that a day has overtaken, if any was said, and what is written in its place.
    pub overtaken: Option<(Option<String>, &'static str)>,
    /// Values of changes whose day has come.
    pub holding: Vec<Holding>,
    /// What is to be done beside it, in the same transaction.
    pub effects: Vec<Effect>,
}

impl Accepted {
    /// Whether the record itself stays as it was said.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let (facts, defaults) = (self.facts.is_empty(), self.defaults.is_empty());
        facts && defaults && self.history.is_none() && self.holding.is_empty()
    }
}

/// What is to be done beside a write, in its transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// An event of its own, under the person's id as its correlation id: its type, ids that lead on, and the attributes of the
    /// record whose values it tells, each reader those that it may see.
    Announce(&'static str, Value, &'static [&'static str]),
    /// What is known of the person's verifications has changed: each of its applications is looked at again.
    Reverify,
    /// An interview has begun before the required verification: its application says so.
    MarkEarly,
    /// The person's employee role follows from its employments.
    Employ,
    /// The person's account is opened.
    Enable,
    /// A question for a human.
    Ask(Asks),
}

/// Why a write may not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No transition leads there.
    #[error("'status' is '{from}', which does not become '{to}': {possible}")]
    Transition {
        /// Where it stands.
        from: &'static str,
        /// Where it was to go.
        to: String,
        /// What would be possible.
        possible: String,
    },
    /// It hangs on an application that has ended.
    #[error(
        "the application is '{0}': an offer for it is not accepted; reopen the application first"
    )]
    Ended(String),
    /// It is of an application that has another offer which is accepted.
    #[error(
        "the offer '{0}' of this application is accepted, and an application has one: what is agreed on later the employment says"
    )]
    Accepted(String),
    /// An interview before the required verification.
    #[error(
        "this requisition requires verification tier {required} and the application has {satisfied}: the interview does not \
         begin before it is passed"
    )]
    Unverified {
        /// The tier that is required.
        required: i64,
        /// What is passed, in words.
        satisfied: String,
    },
    /// Two dates that cannot both be.
    #[error("'{later}' is before '{earlier}'")]
    Dates {
        /// The one that is to be later.
        later: &'static str,
        /// The one that is to be earlier.
        earlier: &'static str,
    },
    /// An appeal of what is of another application.
    #[error("'appealOf' is of another application: an appeal is heard where the decision was made")]
    Appeal,
}

/// What follows from a write, or why it may not be.
pub fn accept(kind: Kind, turn: &Turn<'_>) -> Result<Accepted, Refused> {
    match kind {
        Kind::Application => application::accept(turn),
        Kind::Offer => offer::accept(turn),
        Kind::Employment => employment::accept(turn),
        Kind::Verification => evidence::verification::accept(turn),
        Kind::Interview => evidence::interview::accept(turn),
        Kind::Assessment => evidence::check_appeal(turn).map(|()| Accepted::default()),
        _ => Ok(Accepted::default()),
    }
}

impl Turn<'_> {
    /// The text at a path, after.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        text(self.after, path)
    }

    /// The text at a path, before.
    #[must_use]
    pub fn was(&self, path: &str) -> Option<&str> {
        self.before.and_then(|before| text(before, path))
    }

    /// Today, in UTC.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.deed.now.date_naive()
    }

    /// The element that the history of a status gets.
    #[must_use]
    pub fn chapter(&self, status: &str) -> Value {
        let mut chapter = json!({
            "status": status, "at": instant(self.deed.said_at), "actor": self.deed.actor,
            "actorType": actor_type(self.deed.by_human), "eventId": self.deed.event,
        });
        if let Some(reason) = self.text("statusReason") {
            chapter["reasonCode"] = reason.into();
        }
        chapter
    }
}

/// The text at a path.
#[must_use]
pub fn text<'l>(leaves: &'l Leaves, path: &str) -> Option<&'l str> {
    leaves.get(path).and_then(Value::as_str)
}

/// The day at a path (YYYY-MM-DD).
#[must_use]
pub fn day(leaves: &Leaves, path: &str) -> Option<NaiveDate> {
    text(leaves, path)?.parse().ok()
}

/// The whole number at a path.
#[must_use]
pub fn number(leaves: &Leaves, path: &str) -> Option<i64> {
    leaves.get(path).and_then(Value::as_i64)
}

/// The instant at a path.
#[must_use]
pub fn moment(leaves: &Leaves, path: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(text(leaves, path)?).ok()?;
    Some(at.with_timezone(&Utc))
}
