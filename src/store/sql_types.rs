//! The types that both databases hold alike: a key as 16 bytes, an instant as microseconds, a document as text.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A UUID as it is stored.
pub(super) fn key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// A stored UUID.
pub(super) fn uuid(key: &[u8]) -> Uuid {
    Uuid::from_slice(key).unwrap_or_default()
}

/// An instant as it is stored: microseconds since 1970.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// A stored instant.
pub(super) fn instant(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}
