//! How often a client may call: `[limits]` for all, `limits = { … }` of a `[[client]]` for that one.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// No tenant is throttled below this many requests a second: Entra ID's provisioning asks for that much.
const LEAST: u32 = 25;
/// More is no limit.
const MOST: u32 = 1_000_000;

/// The limits of each client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Whether requests are counted at all; default true.
    pub enabled: bool,
    /// How many requests a client may make each second, for as long as it likes; at least 25, default 1000.
    #[serde(deserialize_with = "count")]
    pub requests_per_second: u32,
    /// How many it may make at once after a pause; at least 25, default twice as many as each second.
    #[serde(deserialize_with = "some_count")]
    pub burst: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            enabled: true,
            requests_per_second: 1000,
            burst: None,
        }
    }
}

impl Limits {
    /// How many requests may come at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst
            .unwrap_or_else(|| self.requests_per_second.saturating_mul(2))
    }
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = i64::deserialize(deserializer)?;
    u32::try_from(count)
        .ok()
        .filter(|count| (LEAST..=MOST).contains(count))
        .ok_or_else(|| {
            D::Error::custom(format!(
                "{count} is not between {LEAST} and {MOST}; clients such as Entra ID need {LEAST} requests a second, \
                 and `enabled = false` lifts all limits"
            ))
        })
}

fn some_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    count(deserializer).map(Some)
}
