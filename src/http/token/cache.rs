//! Tokens verified before: found by their SHA-256, until they expire or their issuer changes its keys, so that a request
//! costs no signature check.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Verified;
use super::keys::Published;

/// How many tokens are remembered. Clients hold one each for an hour or so; beyond this something is odd, and
/// verifying again is only slower.
const CAPACITY: usize = 10_000;

/// A token's hash.
pub(super) type Hash = [u8; 32];

/// The memory.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Hash, Entry>>);

#[derive(Clone)]
struct Entry {
    verified: Arc<Verified>,
    keys: Published,
    expires: i64,
}

impl Cache {
    /// The key under which a token is remembered: never the token itself.
    pub(super) fn hash(token: &str) -> Hash {
        Sha256::digest(token).into()
    }

    /// A token verified before that is good at `now` (Unix seconds), and the keys that proved it.
    pub(super) fn find(&self, hash: &Hash, now: i64) -> Option<(Arc<Verified>, Published)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(hash)
            .filter(|entry| now < entry.expires)
            .map(|entry| (entry.verified.clone(), entry.keys.clone()))
    }

    /// Remembers a token until `expires`. When full, what has expired is forgotten, and else everything.
    pub(super) fn insert(
        &self,
        hash: Hash,
        (verified, keys): (&Arc<Verified>, Published),
        expires: i64,
        now: i64,
    ) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, entry| now < entry.expires);
        }
        if known.len() >= CAPACITY {
            known.clear();
        }
        let entry = Entry {
            verified: verified.clone(),
            keys,
            expires,
        };
        known.insert(hash, entry);
    }
}
