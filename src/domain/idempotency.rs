//! A request that carries a key of its own (`Idempotency-Key`, A-069, B-067): what came of it is told again to who asks again,
//! and it is done once. What is decided here has no I/O: which keys there are, what becomes of a second request, and whether
//! a kept answer may be shown again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::access::{Clearance, TypeClearance};
use crate::id::ResourceId;

/// The header where no policy names another (B-067).
pub const HEADER: &str = "Idempotency-Key";
/// For how many days a key is known where no policy says otherwise (B-068).
pub const WINDOW_DAYS: u32 = 30;
/// How long a request that has not been answered keeps others with its key away. It is longer than anybody waits for the
/// database, and nothing depends on it but how soon a request can be repeated whose server has died.
pub const LEASE: TimeDelta = TimeDelta::seconds(60);
/// When to ask again for what is just being done, in seconds, at most.
const RETRY: i64 = 5;
/// The most characters of a key.
const LONGEST: usize = 255;
/// How long a UUID is as text.
const UUID: usize = 36;

/// A client's name for one request: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads the header's value. One in quotation marks, as the draft has it (a String of RFC 9651 §3.3.3), is the same key as
    /// one without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let quoted = text
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'));
        let key = quoted.unwrap_or(text);
        let is_sound =
            (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
        is_sound.then(|| Self(key.to_owned()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a write came to: the id that its answer names, and by number what a POST came to.
pub type Step = (String, i16);

/// The operations of a bulk request that have been done, by their place in it; of a DELETE there is nothing more to tell.
pub type Progress = BTreeMap<usize, Option<Step>>;

/// What an earlier attempt has committed, of which the answer is not known any more or may not be shown as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The record that was written, if it is one, and by number what a POST came to.
    pub resource: Option<(ResourceId, i16)>,
    /// Of a bulk request, what has been done so far.
    pub progress: Progress,
    /// Whether it was answered: then nothing is left to do, and what of a bulk request was not done has failed.
    pub is_answered: bool,
}

/// A request with a key, admitted: it is the only one with that key that may change anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The key, for the events.
    pub key: Key,
    /// The number of its row.
    pub row: i64,
    /// Which attempt at it this is: one that has been given up cannot commit any more.
    pub turn: i64,
    /// What an earlier attempt has committed: it is not done again.
    pub done: Option<Done>,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has been let in, and nothing of it has been committed.
    Claimed,
    /// What it changes has been committed, of a bulk request perhaps a part.
    Committed,
    /// It has been answered.
    Answered,
}

impl State {
    /// Its number in the database.
    #[must_use]
    pub const fn number(self) -> i16 {
        match self {
            Self::Claimed => 0,
            Self::Committed => 1,
            Self::Answered => 2,
        }
    }

    /// The state of that number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        match number {
            0 => Some(Self::Claimed),
            1 => Some(Self::Committed),
            2 => Some(Self::Answered),
            _ => None,
        }
    }
}

/// What is kept of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it said, as a keyed hash; empty once somebody whom it was about has been erased.
    pub fingerprint: Vec<u8>,
    /// How far it has come.
    pub state: State,
    /// Until when nobody else may try.
    pub lease: DateTime<Utc>,
    /// Until when its key is known.
    pub expires: DateTime<Utc>,
}

/// What becomes of another request with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The key has been forgotten: the request is a first one.
    Forgotten,
    /// It says something else: 422.
    Different,
    /// The first is still being worked on: 409. After so many seconds it may be tried again.
    Busy(i64),
    /// The first has been answered.
    Answered,
    /// The first has been given up, before or after it was committed.
    Abandoned,
}

impl Kept {
    /// What becomes of a request at `now` that says what `fingerprint` stands for.
    #[must_use]
    pub fn standing(&self, fingerprint: &[u8], now: DateTime<Utc>) -> Standing {
        if self.expires <= now {
            return Standing::Forgotten;
        }
        if !self.fingerprint.is_empty() && self.fingerprint != fingerprint {
            return Standing::Different;
        }
        if self.state == State::Answered {
            return Standing::Answered;
        }
        let left = self.lease - now;
        if left > TimeDelta::zero() {
            return Standing::Busy((left.num_seconds() + 1).clamp(1, RETRY));
        }
        Standing::Abandoned
    }
}

/// An answer, kept to be given again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers that the operation has set.
    pub headers: Vec<(String, String)>,
    /// The body; none if it was too long to be held.
    pub body: Option<String>,
    /// What the client was allowed to see, as [`Clearance::fingerprint`] has it.
    pub sight: String,
}

impl Answer {
    /// Every id that the body and the headers name: those of the persons whom the answer tells of are among them.
    #[must_use]
    pub fn names(&self) -> BTreeSet<ResourceId> {
        let headers = self.headers.iter().map(|(_, value)| value.as_str());
        let texts = headers.chain(self.body.as_deref());
        texts.flat_map(ids).collect()
    }

    /// Whether it may be shown to a client as it is. Everything of such a type may be seen by who is not restricted; what a
    /// restricted client sees is the same as then if neither its policy nor its purposes have changed, and nothing depends on
    /// which record it is, on a consent, or has to be logged when it is read.
    #[must_use]
    pub fn may_be_shown<'a>(
        &self,
        clearance: &'a Clearance,
        types: impl Iterator<Item = &'a str>,
    ) -> bool {
        let is_same = self.sight == clearance.fingerprint();
        let may =
            |on: &TypeClearance| on.is_plain() && !on.is_nameless() || is_same && on.is_steady();
        types.map(|name| clearance.on(name)).all(may)
    }

    /// The answer to a bulk request without the resources in it: where they are and their versions stay.
    #[must_use]
    pub fn without_resources(mut self) -> Self {
        let parsed = self.body.as_deref().map(serde_json::from_str);
        let Some(Ok(Value::Object(mut body))) = parsed else {
            return self;
        };
        let operations = body.get_mut("Operations").and_then(Value::as_array_mut);
        let operations = operations.into_iter().flatten();
        for operation in operations.filter_map(Value::as_object_mut) {
            if has_succeeded(operation) {
                operation.remove("response");
            }
        }
        self.body = Some(Value::Object(body).to_string());
        self
    }
}

fn has_succeeded(operation: &Map<String, Value>) -> bool {
    let status = operation.get("status").and_then(Value::as_str);
    status.is_some_and(|status| status.starts_with('2'))
}

/// The UUIDs in a text.
fn ids(text: &str) -> Vec<ResourceId> {
    let mut found = Vec::new();
    let mut rest = text;
    // A UUID has its first hyphen after eight digits.
    while let Some(hyphen) = rest.find('-') {
        let id: Option<ResourceId> = hyphen
            .checked_sub(8)
            .and_then(|start| rest.get(start..start + UUID)?.parse().ok());
        let step = if id.is_some() {
            hyphen + UUID - 8
        } else {
            hyphen + 1
        };
        found.extend(id);
        rest = rest.get(step..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests;
