//! What one source system says of one record: claims, each with its time and the event that brought it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::EventId;

/// The key of a claim on a single-valued leaf.
pub const SINGLE: &str = "";

/// When a claim was made, and by which event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The source's time, never later than when we received it.
    pub at: DateTime<Utc>,
    /// The event that brought it.
    pub event: EventId,
}

impl Stamp {
    /// The same, but later than every claim of these sources: who writes last wins, also when the clock of another
    /// process is ahead of ours, or when a request that came first is carried out second.
    #[must_use]
    pub fn after(self, sources: &[SourceRecord]) -> Self {
        let newest = sources.iter().filter_map(|source| source.claims.newest());
        let next = newest
            .max()
            .and_then(|at| DateTime::from_timestamp_micros(at.checked_add(1)?));
        Self {
            at: next.map_or(self.at, |next| self.at.max(next)),
            ..self
        }
    }
}

/// One claim: on a leaf, or on one element of a multi-valued attribute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The value; `null` says that there is none, against what others claim. Within an element, a sub-attribute
    /// that is `null` says the same of that sub-attribute.
    #[serde(rename = "v")]
    pub value: Value,
    /// The source's time, in microseconds since 1970.
    #[serde(rename = "t")]
    pub at: i64,
    /// The event's id.
    #[serde(rename = "e")]
    pub event: String,
    /// The element's place among its siblings when it was first claimed.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub place: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(place: &u32) -> bool {
    *place == 0
}

impl Claim {
    /// The order in which claims win: the later one, then the one whose event is later (design §3, ties).
    #[must_use]
    pub fn rank(&self) -> (i64, &str) {
        (self.at, &self.event)
    }
}

/// All claims of one source record: by canonical path, then by element key ([`SINGLE`] for a single value).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Claims(pub BTreeMap<String, BTreeMap<String, Claim>>);

impl Claims {
    /// The claim on `path` and `key`.
    #[must_use]
    pub fn get(&self, path: &str, key: &str) -> Option<&Claim> {
        self.0.get(path)?.get(key)
    }

    /// The place of an element at `path` that is claimed after all others.
    #[must_use]
    pub fn next_place(&self, path: &str) -> u32 {
        let siblings = self.0.get(path).into_iter().flat_map(BTreeMap::values);
        siblings.map(|claim| claim.place + 1).max().unwrap_or(0)
    }

    /// Claims `value` for `path` and `key`. A new element takes the place `next`, which is counted up.
    pub fn claim(&mut self, path: &str, key: &str, value: Value, stamp: Stamp, next: &mut u32) {
        let siblings = self.0.entry(path.to_owned()).or_default();
        let place = siblings.get(key).map_or(*next, |claim| claim.place);
        *next = (*next).max(place + 1);
        let claim = Claim {
            value,
            at: stamp.at.timestamp_micros(),
            event: stamp.event.to_string(),
            place,
        };
        siblings.insert(key.to_owned(), claim);
    }

    /// Takes a claim back.
    pub fn withdraw(&mut self, path: &str, key: &str) {
        if let Some(siblings) = self.0.get_mut(path) {
            siblings.remove(key);
            if siblings.is_empty() {
                self.0.remove(path);
            }
        }
    }

    /// When the newest of them was made, in microseconds since 1970.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        let claims = self.0.values().flat_map(BTreeMap::values);
        claims.map(|claim| claim.at).max()
    }

    /// Whether nothing is claimed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One system's view of one record (design §3).
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRecord {
    /// The database's own number; none before it is stored.
    pub row: Option<i64>,
    /// The system.
    pub system: String,
    /// The system's own id of it (RFC 7643 §3.1: the client issues it).
    pub external_id: Option<String>,
    /// When this system first spoke of it.
    pub first_seen: DateTime<Utc>,
    /// When it last did.
    pub last_synced: DateTime<Utc>,
    /// What it says.
    pub claims: Claims,
}

impl SourceRecord {
    /// A system's first word.
    #[must_use]
    pub fn new(system: &str, at: DateTime<Utc>) -> Self {
        Self {
            row: None,
            system: system.to_owned(),
            external_id: None,
            first_seen: at,
            last_synced: at,
            claims: Claims::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{IdSource, SeededIds};

    #[test]
    fn a_stamp_is_later_than_what_a_faster_clock_has_claimed() {
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap();
        let stamp = |micros| Stamp {
            at: at(micros),
            event: SeededIds::new(1).event(at(micros)),
        };
        let mut ahead = SourceRecord::new("hris", at(0));
        ahead
            .claims
            .claim("title", SINGLE, "Diver".into(), stamp(900), &mut 0);
        let sources = [SourceRecord::new("ats", at(0)), ahead];
        assert_eq!(stamp(100).after(&sources).at, at(901));
        assert_eq!(stamp(902).after(&sources).at, at(902));
        assert_eq!(stamp(100).after(&sources[..1]).at, at(100));
    }
}
