//! Identifiers, each of its own type, and the source they come from.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A tenant's number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(pub i32);

/// The `id` of a SCIM resource (RFC 7643 §3.1): a version 4 UUID of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(pub Uuid);

/// The id of an event: a version 7 UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for ResourceId {
    type Err = uuid::Error;

    /// Takes the one spelling that we hand out, so that an id is caseExact (RFC 7643 §3.1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = Uuid::try_parse(text)?;
        if id.hyphenated().to_string() == text {
            Ok(Self(id))
        } else {
            Uuid::try_parse("").map(Self)
        }
    }
}

impl FromStr for EventId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self)
    }
}

/// Where new identifiers come from.
pub trait IdSource: Send + Sync {
    /// A fresh resource id.
    fn resource(&self) -> ResourceId;
    /// A fresh event id, ordered by `now`.
    fn event(&self, now: DateTime<Utc>) -> EventId;
    /// Fresh bytes that nobody can guess, for a key.
    fn secret(&self) -> Vec<u8>;
    /// Fresh bytes that are never given twice: what AES-GCM is used with once.
    fn nonce(&self) -> [u8; 12];
}

/// Identifiers by the operating system's randomness.
#[derive(Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn resource(&self) -> ResourceId {
        ResourceId(Uuid::new_v4())
    }

    fn event(&self, now: DateTime<Utc>) -> EventId {
        EventId(v7(now, rand::random()))
    }

    fn secret(&self) -> Vec<u8> {
        rand::random::<[u8; 32]>().to_vec()
    }

    fn nonce(&self) -> [u8; 12] {
        rand::random()
    }
}

/// Identifiers for tests: the same sequence for the same seed.
#[derive(Debug)]
pub struct SeededIds {
    seed: u64,
    next: AtomicU64,
}

impl SeededIds {
    /// The sequence of `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            next: AtomicU64::new(1),
        }
    }

    fn bytes(&self) -> [u8; 16] {
        let n = self.next.fetch_add(1, Ordering::SeqCst);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.seed.to_be_bytes());
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        bytes
    }
}

impl IdSource for SeededIds {
    fn resource(&self) -> ResourceId {
        ResourceId(uuid::Builder::from_random_bytes(self.bytes()).into_uuid())
    }

    fn event(&self, now: DateTime<Utc>) -> EventId {
        let bytes = self.bytes();
        let mut tail = [0; 10];
        tail.copy_from_slice(&bytes[6..]);
        EventId(v7(now, tail))
    }

    fn secret(&self) -> Vec<u8> {
        [self.bytes(), self.bytes()].concat()
    }

    fn nonce(&self) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce.copy_from_slice(&self.bytes()[4..]);
        nonce
    }
}

fn v7(now: DateTime<Utc>, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}
