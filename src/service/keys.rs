//! A new key-encryption key in an old one's place (design §5).

use super::{Error, Muster};
use crate::store::{self, Tx};

impl Muster {
    /// Wraps all tenants' keys by the current key-encryption key: its name, and how many were wrapped by another. What they
    /// wrap stays as it is, so no process need stop for it.
    pub fn rotate_keys(&self) -> Result<(String, usize), Error> {
        self.0
            .store
            .write_blocking(|tx: &mut Tx<'_>| Ok(store::key::rotate(tx)?))
    }
}
