//! What a day has to say in an attribute, beside what is said of the attribute itself.

use std::iter::once;

use super::Desk;
use crate::domain::claim::{SINGLE, SourceRecord};
use crate::domain::lifecycle::dated;
use crate::domain::review::SYSTEM;

impl Desk<'_> {
    /// Whether another value holds because its day has come: to say what was said before is news then.
    pub(super) fn is_dated(&self) -> bool {
        let mut servers = self.others.iter().filter(|source| source.system == SYSTEM);
        servers.any(|server| {
            let claim = server.claims.get(self.path, SINGLE);
            claim.is_some_and(|claim| claim.elevated.is_some() && !claim.is_derived())
        })
    }

    /// Whether a change that is said of a day names the attribute: that there is no value must be said then, or the change would
    /// give it again.
    pub(super) fn is_named_by_a_day(&self) -> bool {
        let mut changed = dated::CHANGED.iter();
        let Some((name, _)) = changed.find(|(_, path)| *path == self.path) else {
            return false;
        };
        let names = |source: &SourceRecord| {
            let changes = source.claims.0.get(dated::PATH).into_iter().flatten();
            let mut changes = changes.filter_map(|(_, claim)| claim.value.get(*name));
            changes.any(|value| !value.is_null())
        };
        once(&*self.own).chain(self.others).any(names)
    }
}
