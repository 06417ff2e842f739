//! A whole database into an empty one.

use std::collections::BTreeMap;

use super::{Error, Muster};
use crate::domain::sealing::Key;
use crate::store::{self, Address};

impl Muster {
    /// Copies all that the database at `from` holds, as of one moment, into the empty one at `to`: of either kind each. How many
    /// rows of each table it was; `told` hears of each table when it begins. Files of SQLite's may be encrypted as a
    /// whole, each under its key.
    pub fn copy(
        (from, to): (&str, &str),
        (from_key, to_key): (Option<Key>, Option<Key>),
        told: &mut dyn FnMut(&str),
    ) -> Result<BTreeMap<String, u64>, Error> {
        let from = Address::parse(from)?.keyed(from_key);
        let to = Address::parse(to)?.keyed(to_key);
        Ok(store::copy::copy(&from, &to, told)?)
    }
}
