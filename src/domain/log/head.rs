//! Tree heads: how large a tenant's log is and what its root is, signed (Ed25519, RFC 8032). A head kept elsewhere shows every
//! later change of what it covers, and that the log was cut off.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, Utc};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::{Hash, canonical};
use crate::id::TenantId;

/// Names what is signed, and its form.
const HEAD: &str = "muster tree head 1";

/// A tree head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose log.
    pub tenant: TenantId,
    /// How many events it has.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// When it was signed.
    pub at: DateTime<Utc>,
    /// The signature over all of that.
    pub signature: [u8; 64],
}

/// The key that signs, from its seed.
pub struct Key(SigningKey);

impl Key {
    /// The key of a seed; nothing if that is not of 32 bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        let seed: &[u8; 32] = seed.try_into().ok()?;
        Some(Self(SigningKey::from_bytes(seed)))
    }

    /// The half that anybody may know, in base64.
    #[must_use]
    pub fn public(&self) -> String {
        encoded(self.0.verifying_key().as_bytes())
    }

    /// Signs the head of a tree.
    #[must_use]
    pub fn sign(&self, tenant: TenantId, size: u64, root: Hash, at: DateTime<Utc>) -> Head {
        let mut head = Head {
            tenant,
            size,
            root,
            at,
            signature: [0; 64],
        };
        head.signature = self.0.sign(&head.bytes()).to_bytes();
        head
    }

    /// Whether it has signed this head.
    #[must_use]
    pub fn has_signed(&self, head: &Head) -> bool {
        verifies(&self.0.verifying_key(), head)
    }
}

fn verifies(key: &VerifyingKey, head: &Head) -> bool {
    let signature = Signature::from_bytes(&head.signature);
    key.verify_strict(&head.bytes(), &signature).is_ok()
}

/// Bytes in base64.
#[must_use]
pub fn encoded(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// A head as a line of JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    tenant: i32,
    size: u64,
    root_hash: String,
    timestamp: String,
    signature: String,
}

impl Head {
    /// What is signed.
    fn bytes(&self) -> Vec<u8> {
        canonical(&[
            HEAD.as_bytes(),
            &self.tenant.0.to_be_bytes(),
            &self.size.to_be_bytes(),
            &self.root,
            &self.at.timestamp_micros().to_be_bytes(),
        ])
    }

    /// As a JSON object: `tenant`, `size`, `rootHash` and `signature` in base64, `timestamp`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let line = Line {
            tenant: self.tenant.0,
            size: self.size,
            root_hash: encoded(&self.root),
            timestamp: self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            signature: encoded(&self.signature),
        };
        serde_json::json!(line)
    }

    /// Reads what [`Head::to_json`] has written; nothing if it is something else.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let line: Line = serde_json::from_str(text).ok()?;
        Some(Self {
            tenant: TenantId(line.tenant),
            size: line.size,
            root: decoded(&line.root_hash)?,
            at: DateTime::parse_from_rfc3339(&line.timestamp).ok()?.to_utc(),
            signature: decoded(&line.signature)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> (Key, Head) {
        let key = Key::from_seed(&[7; 32]).unwrap();
        let at = DateTime::from_timestamp_micros(1_930_132_800_000_001).unwrap();
        let head = key.sign(TenantId(1), 12, [3; 32], at);
        (key, head)
    }

    #[test]
    fn a_head_is_read_back_as_it_was_printed() {
        let (key, head) = head();
        let read = Head::from_json(&head.to_json().to_string()).unwrap();
        assert_eq!(read, head);
        assert!(key.has_signed(&read));
        assert!(Head::from_json("{}").is_none());
    }

    #[test]
    fn nothing_of_a_head_can_be_changed() {
        let (key, head) = head();
        let changes: [fn(&mut Head); 5] = [
            |head| head.tenant = TenantId(2),
            |head| head.size += 1,
            |head| head.root[31] ^= 1,
            |head| head.at += chrono::TimeDelta::microseconds(1),
            |head| head.signature[0] ^= 1,
        ];
        for change in changes {
            let mut changed = head.clone();
            change(&mut changed);
            assert!(!key.has_signed(&changed), "{changed:?}");
        }
        assert!(!Key::from_seed(&[8; 32]).unwrap().has_signed(&head));
    }
}
