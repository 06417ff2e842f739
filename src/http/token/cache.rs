//! Tokens verified before: found by their SHA-256, until they expire, so that a request costs no signature check.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::Verified;

/// How many tokens are remembered. Clients hold one each for an hour or so; beyond this something is odd, and
/// verifying again is only slower.
const CAPACITY: usize = 10_000;

/// A token's hash.
pub(super) type Hash = [u8; 32];

/// The memory.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<Hash, (Arc<Verified>, i64)>>);

impl Cache {
    /// The key under which a token is remembered: never the token itself.
    pub(super) fn hash(token: &str) -> Hash {
        Sha256::digest(token).into()
    }

    /// A token verified before that is good at `now` (Unix seconds).
    pub(super) fn find(&self, hash: &Hash, now: i64) -> Option<Arc<Verified>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(hash)
            .filter(|(_, expires)| now < *expires)
            .map(|(verified, _)| verified.clone())
    }

    /// Remembers a token until `expires`. When full, what has expired is forgotten, and else everything.
    pub(super) fn insert(&self, hash: Hash, verified: &Arc<Verified>, expires: i64, now: i64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CAPACITY {
            known.retain(|_, (_, expires)| now < *expires);
        }
        if known.len() >= CAPACITY {
            known.clear();
        }
        known.insert(hash, (verified.clone(), expires));
    }
}
