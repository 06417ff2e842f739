//! Attributes of which only those know that they are there to whom a purpose opens them (design §6). To everybody else a resource
//! type is one without them: in discovery, in `/openapi.json`, and wherever they name it, where it is what was never there.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::catalog::Catalog;
use crate::domain::policy::{Masking, Placed, Policy, selector};
use crate::scim::resource_type::{Location, ResourceType};

/// Locations by the name of the resource type.
pub type Confidential = BTreeMap<String, BTreeSet<Location>>;

/// What a policy makes confidential before whoever has these purposes; none are a stranger's.
#[must_use]
pub fn confidential(
    policy: &Policy,
    catalog: &Catalog,
    purposes: &[Placed<String>],
) -> Confidential {
    let opens = |row: &Masking| {
        let mut open = row.open_to.iter();
        open.any(|open| purposes.iter().any(|mine| mine.value == open.value))
    };
    let closed = policy
        .masking
        .iter()
        .filter(|row| row.confidential && !opens(row));
    let names = closed.flat_map(|row| &row.attributes);
    let meant: Vec<_> = names
        .filter_map(|name| selector::classified(catalog, &name.value).ok())
        .collect();
    if meant.is_empty() {
        return Confidential::new();
    }
    let hidden = |ty: &ResourceType, location: &Location| {
        let target = selector::target(catalog, ty, location);
        meant.iter().any(|known| known.holds(&target))
    };
    let of_type = |ty: &ResourceType| {
        let wholes = ty.attributes();
        let all = wholes.flat_map(|whole| whole.subs().chain([whole.whole()]).collect::<Vec<_>>());
        let all = all.map(|found| found.location);
        all.filter(|location| hidden(ty, location)).collect()
    };
    let types = catalog.resource_types();
    let found = types.map(|ty| (ty.name.clone(), of_type(ty)));
    found
        .filter(|(_, hidden): &(_, BTreeSet<_>)| !hidden.is_empty())
        .collect()
}
