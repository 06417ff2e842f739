//! What one source system says of one record: claims, each with its time and the event that brought it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::view::Specs;
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
    /// Whether the source itself says when: then what it says later of an earlier time changes nothing.
    pub told: bool,
}

impl Stamp {
    /// The same, but later than every claim of these sources: who writes last wins, also when the clock of another
    /// process is ahead of ours, or when a request that came first is carried out second. A time that the source itself
    /// tells stays.
    #[must_use]
    pub fn after(self, sources: &[SourceRecord]) -> Self {
        if self.told {
            return self;
        }
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
    /// The decision by which it wins over all that are not elevated, or were before it.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub elevated: Option<Elevation>,
    /// The element's place among its siblings when it was first claimed.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub place: u32,
}

impl Claim {
    /// Whether it follows from something else, so that nobody else has a say.
    #[must_use]
    pub fn is_derived(&self) -> bool {
        self.elevated.as_ref().is_some_and(|by| by.at == i64::MAX)
    }
}

/// The decision of a human that a suggestion stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elevation {
    /// When, in microseconds since 1970.
    #[serde(rename = "t")]
    pub at: i64,
    /// The event that tells who and why.
    #[serde(rename = "e")]
    pub event: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(place: &u32) -> bool {
    *place == 0
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

    /// Claims `value` for `path` and `key`. A new element takes the place `next`, which is counted up. What was said of a
    /// later time stays said, whichever comes first; of two values of one moment the greater text does.
    pub fn claim(&mut self, path: &str, key: &str, value: Value, stamp: Stamp, next: &mut u32) {
        let siblings = self.0.entry(path.to_owned()).or_default();
        let known = siblings.get(key);
        let at = stamp.at.timestamp_micros();
        let text = value.to_string();
        let is_older = |known: &Claim| (known.at, known.value.to_string()) >= (at, text.clone());
        if stamp.told && known.is_some_and(is_older) {
            return;
        }
        let place = known.map_or(*next, |claim| claim.place);
        *next = (*next).max(place + 1);
        // What a human decided holds as long as the system says the same.
        let same = known.filter(|known| known.value == value);
        let claim = Claim {
            elevated: same.and_then(|known| known.elevated.clone()),
            value,
            at,
            event: stamp.event.to_string(),
            place,
        };
        siblings.insert(key.to_owned(), claim);
    }

    /// Claims what follows from something else: it wins over all that anybody says, for as long as it follows. What is known
    /// already keeps its event.
    pub fn derive(&mut self, path: &str, key: &str, value: Value, stamp: Stamp, next: &mut u32) {
        if self
            .get(path, key)
            .is_some_and(|known| known.is_derived() && known.value == value)
        {
            return;
        }
        self.claim(path, key, value, stamp, next);
        let siblings = self.0.get_mut(path);
        if let Some(claim) = siblings.and_then(|siblings| siblings.get_mut(key)) {
            claim.elevated = Some(Elevation {
                at: i64::MAX,
                event: claim.event.clone(),
            });
        }
    }

    /// Takes a claim back, unless it was made of a later time than `stamp` tells.
    pub fn retract(&mut self, path: &str, key: &str, stamp: Stamp) {
        let at = stamp.at.timestamp_micros();
        let known = self.get(path, key);
        if !(stamp.told && known.is_some_and(|known| known.at > at)) {
            self.withdraw(path, key);
        }
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
    /// The number of the record that it was first attached to: another than its present one's where two have been merged.
    pub origin: Option<i64>,
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
            origin: None,
            system: system.to_owned(),
            external_id: None,
            first_seen: at,
            last_synced: at,
            claims: Claims::default(),
        }
    }

    /// Whether this says what `said` says already; of the same times, if the source tells them.
    #[must_use]
    pub fn repeats(&self, said: &Self, told: bool, specs: &Specs) -> bool {
        self.external_id == said.external_id && self.differing(said, told, specs).is_empty()
    }

    /// The canonical paths of which the two say different things; of which they say it of different times too, where the
    /// source tells them. Two sealings of one secret are alike if their keys are.
    #[must_use]
    pub fn differing<'s>(&'s self, other: &'s Self, told: bool, specs: &Specs) -> Vec<&'s str> {
        let (own, others) = (&self.claims.0, &other.claims.0);
        let differs = |path: &&String| {
            let secret = specs.get(*path).is_some_and(|spec| spec.attribute.secret);
            let alike = |(a, b): (&Claim, &Claim)| {
                (secret || a.value == b.value) && (!told || a.at == b.at)
            };
            let (Some(own), Some(others)) = (own.get(*path), others.get(*path)) else {
                return true;
            };
            own.len() != others.len()
                || own
                    .iter()
                    .zip(others)
                    .any(|((key, claim), (other_key, other))| {
                        key != other_key || !alike((claim, other))
                    })
        };
        let paths: BTreeSet<&String> = own.keys().chain(others.keys()).collect();
        paths
            .into_iter()
            .filter(differs)
            .map(String::as_str)
            .collect()
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
            told: false,
        };
        let mut ahead = SourceRecord::new("hris", at(0));
        ahead
            .claims
            .claim("title", SINGLE, "Diver".into(), stamp(900), &mut 0);
        let sources = [SourceRecord::new("ats", at(0)), ahead];
        assert_eq!(stamp(100).after(&sources).at, at(901));
        assert_eq!(stamp(902).after(&sources).at, at(902));
        assert_eq!(stamp(100).after(&sources[..1]).at, at(100));
        let told = Stamp {
            told: true,
            ..stamp(100)
        };
        assert_eq!(told.after(&sources), told);
    }

    /// an older source timestamp never wins over a newer one, in whichever order they arrive.
    #[test]
    fn what_a_source_says_of_an_earlier_time_changes_nothing() {
        let stamp = |micros| {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let event = SeededIds::new(1).event(at);
            let told = true;
            Stamp { at, event, told }
        };
        let said = [("Captain", 7), ("Mate", 3), ("Cook", 7)];
        for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut claims = Claims::default();
            for (title, at) in order.map(|at| said[at]) {
                claims.claim("title", SINGLE, title.into(), stamp(at), &mut 0);
            }
            assert_eq!(claims.get("title", SINGLE).unwrap().value, "Cook");
            claims.retract("title", SINGLE, stamp(6));
            assert!(claims.get("title", SINGLE).is_some());
            claims.retract("title", SINGLE, stamp(8));
            assert!(claims.is_empty());
        }
    }
}
