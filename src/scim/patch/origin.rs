//! Whence each element of a list comes: where a document shows less than there is, elements that look the same are told apart by
//! where they stood.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::Patched;
use crate::scim::document;
use crate::scim::resource_type::Location;

/// Whence an element comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It stood at this place before all operations, counted from 0.
    Stood(usize),
    /// It was given in a list that is all there is to be.
    Listed,
    /// It was added to those that are there.
    Added,
}

/// The lists that a PATCH went through.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lists {
    origins: BTreeMap<Location, Vec<Origin>>,
    changed: BTreeSet<Location>,
}

impl Lists {
    /// Whence the `count` elements come that stand at a location.
    #[must_use]
    pub fn origins(&self, location: &Location, count: usize) -> Vec<Origin> {
        match self.origins.get(location) {
            Some(origins) if origins.len() == count => origins.clone(),
            Some(_) => vec![Origin::Added; count],
            None => (0..count).map(Origin::Stood).collect(),
        }
    }

    /// Notes whence they come that now stand there.
    pub(super) fn stands(&mut self, location: &Location, origins: Vec<Origin>) {
        self.origins.insert(location.clone(), origins);
    }

    /// Notes that so many stand there, and nothing of what stood there before.
    pub(super) fn replace(&mut self, location: &Location, count: usize) {
        self.changed.remove(location);
        self.stands(location, vec![Origin::Listed; count]);
    }

    /// Whether operations have made elements that stood there others, so that some may have become equal.
    #[must_use]
    pub fn has_changed(&self, location: &Location) -> bool {
        self.changed.contains(location)
    }

    /// Notes that elements have become others.
    pub(super) fn change(&mut self, location: &Location) {
        self.changed.insert(location.clone());
    }
}

impl Patched {
    /// Of elements that operations made equal, leaves one (RFC 7643 §2.4).
    pub(super) fn merge_equals(&mut self) {
        for location in std::mem::take(&mut self.lists.changed) {
            let Some(Value::Array(elements)) = document::attribute(&self.document, &location)
            else {
                continue;
            };
            let mut seen = HashSet::with_capacity(elements.len());
            let origins = self.lists.origins(&location, elements.len());
            let left = elements.iter().zip(origins);
            let left = left.filter(|(element, _)| seen.insert(element.to_string()));
            let (left, origins): (Vec<Value>, _) = left
                .map(|(element, origin)| (element.clone(), origin))
                .unzip();
            self.lists.stands(&location, origins);
            document::put(&mut self.document, &location, Value::Array(left));
        }
    }
}
