//! What another policy would make of the same claims: counted, with examples, before it is applied.

use std::collections::BTreeMap;

use super::event::{Change, changes};
use super::fold::Rules;
use super::record::{Record, has_account};
use crate::id::ResourceId;

/// Examples of each change that are told.
const EXAMPLES: usize = 3;

/// What would change of one attribute.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Records that would have another value.
    pub changed: u64,
    /// Records that would have a value and have none.
    pub gained: u64,
    /// Records that would have none any more.
    pub lost: u64,
    /// Some of them.
    pub examples: Vec<ResourceId>,
}

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// Records that were looked at.
    pub looked: u64,
    /// Records of which anything would change.
    pub changed: u64,
    /// Persons whose account would be no account any more.
    pub accounts_lost: u64,
    /// What would change, by canonical path.
    pub effects: BTreeMap<String, Effect>,
}

impl Simulation {
    /// Adds what `proposed` makes of one record.
    pub fn add(&mut self, record: &Record, proposed: &Rules<'_>) {
        self.looked += 1;
        let before = &record.folded.leaves;
        let after = proposed.fold(&record.sources);
        let changes = changes(before, &after);
        if changes.is_empty() {
            return;
        }
        self.changed += 1;
        self.accounts_lost += u64::from(has_account(before) && !has_account(&after));
        for Change {
            path,
            previous,
            new,
        } in changes
        {
            let effect = self.effects.entry(path).or_default();
            match (previous.is_null(), new.is_null()) {
                (true, _) => effect.gained += 1,
                (_, true) => effect.lost += 1,
                _ => effect.changed += 1,
            }
            if effect.examples.len() < EXAMPLES {
                effect.examples.push(record.folded.id);
            }
        }
    }
}
