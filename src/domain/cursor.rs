//! Cursors (RFC 9865): where a walk stands, sealed so that the client that holds it can neither read nor change it. The
//! server keeps nothing: any process that has the key goes on from a cursor.

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::context::Client;
use crate::scim::Error;

/// For how many seconds a cursor is good (RFC 9865 §4, `cursorTimeout`).
pub const TIMEOUT: i64 = 3600;
/// Bytes of a cursor that its key is derived from, and those of its nonce.
const SALT: usize = 16;
const NONCE: usize = 12;
/// The longest cursor that is looked at; none of ours is as long.
const LONGEST: usize = 8192;

/// Where a walk stands, and of which walk it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The query: a hash of all that must stay the same (RFC 9865 §2).
    #[serde(rename = "w")]
    pub walk: [u8; 32],
    /// How many resources a page of this walk holds.
    #[serde(rename = "c")]
    pub count: u64,
    /// What the client's rights were, as [`policy`] tells.
    #[serde(rename = "p")]
    pub policy: u64,
    /// Until when it is good, in seconds since 1970.
    #[serde(rename = "e")]
    pub expires: i64,
    /// Which of several types the walk is in.
    #[serde(rename = "t")]
    pub part: usize,
    /// What the last resource is sorted by.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The database's number for the last resource; 0 before the first. Always as long, whatever it counts.
    #[serde(rename = "r", with = "padded")]
    pub row: i64,
}

/// A number whose length tells nothing of it.
mod padded {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    pub(super) fn serialize<S: Serializer>(number: &i64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{number:020}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
        let text = <&str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A number for what a client may see: a cursor outlives neither a new version of the policy nor other rights.
#[must_use]
pub fn policy(client: &Client) -> u64 {
    let Client {
        system,
        clearance,
        profile,
        ..
    } = client;
    let clearance = clearance.fingerprint();
    let text = format!("{system}\u{1f}{clearance}\u{1f}{profile:?}");
    let mut number = [0; 8];
    number.copy_from_slice(&Sha256::digest(text.as_bytes())[..8]);
    u64::from_be_bytes(number)
}

impl Cursor {
    /// The text that a client gets: unreserved characters only (RFC 9865 §2). `random` are 32 fresh bytes.
    pub fn seal(&self, key: &[u8], client: &Client, random: &[u8]) -> Result<String, String> {
        let plain = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let (salt, rest) = random
            .split_at_checked(SALT)
            .ok_or("too little randomness for a cursor")?;
        let nonce = rest
            .last_chunk::<NONCE>()
            .ok_or("too little randomness for a cursor")?;
        let payload = Payload {
            msg: &plain,
            aad: &bound_to(client),
        };
        let sealed = cipher(key, salt)
            .and_then(|cipher| cipher.encrypt(&(*nonce).into(), payload).ok())
            .ok_or("a cursor cannot be sealed")?;
        Ok(URL_SAFE_NO_PAD.encode([salt, nonce.as_slice(), &sealed].concat()))
    }

    /// What a client's cursor says, if it is one that this client was given.
    pub fn open(text: &str, key: &[u8], client: &Client) -> Result<Self, Error> {
        unsealed(text, key, client).ok_or_else(|| {
            Error::invalid_cursor(
                "'cursor' is not one that this client was given: send the nextCursor of the page before, unchanged, or \
                 an empty cursor for the first page",
            )
        })
    }

    /// Whether it fits the request that brings it (RFC 9865 §2.1): the same query, the same count if one is given, in time,
    /// under the same policy.
    pub fn check(
        &self,
        walk: &[u8; 32],
        count: Option<u64>,
        policy: u64,
        now: i64,
    ) -> Result<(), Error> {
        if self.walk != *walk {
            return Err(Error::invalid_cursor(
                "'cursor' was given for another query: keep filter, sortBy, sortOrder and the endpoint as they were, or \
                 begin again with an empty cursor",
            ));
        }
        if count.is_some_and(|count| count != self.count) {
            return Err(Error::invalid_count(format!(
                "'count' must stay {} from page to page of one walk",
                self.count
            )));
        }
        if now > self.expires {
            return Err(Error::expired_cursor(format!(
                "'cursor' is older than {TIMEOUT} seconds: begin again with an empty cursor"
            )));
        }
        if self.policy != policy {
            return Err(Error::expired_cursor(
                "what this client may see has changed since 'cursor' was given: begin again with an empty cursor",
            ));
        }
        Ok(())
    }
}

fn unsealed(text: &str, key: &[u8], client: &Client) -> Option<Cursor> {
    if text.len() > LONGEST {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (salt, rest) = bytes.split_at_checked(SALT)?;
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
    let payload = Payload {
        msg: sealed,
        aad: &bound_to(client),
    };
    let plain = cipher(key, salt)?.decrypt(&(*nonce).into(), payload).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// A cursor of one tenant or client does not even open for another.
fn bound_to(client: &Client) -> Vec<u8> {
    format!(
        "muster cursor 1\u{1f}{}\u{1f}{}",
        client.tenant.0, client.name
    )
    .into_bytes()
}

/// Each cursor has a key of its own, so that no number of them wears the key out (NIST SP 800-38D §8.3 allows 2^32
/// random nonces under one).
fn cipher(key: &[u8], salt: &[u8]) -> Option<Aes256Gcm> {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).ok()?;
    mac.update(b"muster cursor");
    mac.update(salt);
    Some(Aes256Gcm::new(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests;
