//! What names one record alone: its id, or a value that no other record of its tenant may hold.

use super::index::key;
use super::record::external_id_path;
use super::view::{Specs, View};
use crate::id::ResourceId;
use crate::scim::comparable::Comparison;
use crate::scim::filter::{Condition, Test};

/// A name of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Its id.
    Id(ResourceId),
    /// A unique value, as it stands in the table of them.
    Value {
        /// The canonical path.
        path: String,
        /// The comparable text as [`key`] shortens it.
        value: String,
    },
}

impl Name {
    /// What a filter names, if it says nothing else: `userName eq "…"` is what identity providers ask most. `system` is whose
    /// `externalId` is meant.
    #[must_use]
    pub fn of(condition: &Condition, view: &View, specs: &Specs, system: &str) -> Option<Self> {
        let Condition::Test {
            location,
            comparison,
            test: Test::Equal(needle),
        } = condition
        else {
            return None;
        };
        let value = |path: &str| Self::Value {
            path: path.to_owned(),
            value: key(needle),
        };
        if let Some(path) = view.canonical(location) {
            let spec = specs.get(path)?;
            let attribute = &spec.attribute;
            let same = Comparison::of(attribute) == *comparison && !attribute.multi_valued;
            return (spec.is_unique() && same).then(|| value(path));
        }
        match &*location.attribute {
            "id" => needle.parse().ok().map(Self::Id),
            "externalId" => Some(value(&external_id_path(system))),
            _ => None,
        }
    }
}
