//! A whole database into an empty one.

use std::collections::BTreeMap;

use super::{Error, Muster};
use crate::store::{self, Address};

impl Muster {
    /// Copies all that the database at `from` holds, as of one moment, into the empty one at `to`: of either kind each. How many
    /// rows of each table it was; `told` hears of each table when it begins.
    pub fn copy(
        from: &str,
        to: &str,
        told: &mut dyn FnMut(&str),
    ) -> Result<BTreeMap<String, u64>, Error> {
        let (from, to) = (Address::parse(from)?, Address::parse(to)?);
        Ok(store::copy::copy(&from, &to, told)?)
    }
}
