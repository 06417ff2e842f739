//! What a PATCH says something of.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::document::value_at;
use crate::domain::view::{Spec, Specs, View};
use crate::scim::patch::Patched;
use crate::scim::resource_type::Location;

/// The paths of which a PATCH says something, and what each is to be after it.
#[must_use]
pub fn wanted<'a>(
    view: &'a View,
    specs: &'a Specs,
    patched: &'a Patched,
) -> Vec<(&'a str, Option<&'a Value>)> {
    let named = named(view, specs, patched).into_iter();
    named
        .map(|(location, (path, ..))| (path, value_at(&patched.document, &location)))
        .collect()
}

/// Per location its path, what that means, and the elements named; `None` among them names all.
pub(super) type Named<'a> = BTreeMap<Location, (&'a str, &'a Spec, Vec<Option<&'a Value>>)>;

/// The units that the operations named, with the elements they named or took out. An operation on a complex attribute as a
/// whole names all of its parts.
pub(super) fn named<'a>(view: &'a View, specs: &'a Specs, patched: &'a Patched) -> Named<'a> {
    let mut named = Named::new();
    for touch in patched.touched.iter().chain(&patched.removed) {
        for (location, path) in view.units() {
            let same = location == &touch.location
                || (touch.location.sub.is_none() && location.whole() == touch.location)
                || (location.sub.is_none() && touch.location.whole() == *location);
            if let (true, Some(spec)) = (same, specs.get(path)) {
                let entry = named
                    .entry(location.clone())
                    .or_insert((path, spec, Vec::new()));
                entry.2.push(touch.element.as_ref());
            }
        }
    }
    named
}
