//! Elements that an operation lists in its value: which of those that are there does it mean?
//!
//! A long list on a long attribute would compare everything with everything, so it looks elements up by what they say.

use std::collections::HashMap;

use serde_json::Value;

use super::apply::nothing_to_remove;
use super::elements::Slot;
use crate::scim::comparable::comparable;
use crate::scim::error::{Error, Result};
use crate::scim::profile::Habit;
use crate::scim::receive::{Receiver, object_of};
use crate::scim::resource_type::Resolved;
use crate::scim::schema::{Attribute, Kind};

/// Up to this many listed elements a look at every element is cheaper than an index.
const FEW: usize = 16;

/// Adds elements; one that is there already is confirmed (RFC 7644 §3.5.2.1).
pub(super) fn add_all(
    receiver: &mut Receiver,
    whole: &Resolved<'_>,
    slots: &mut Vec<Slot>,
    value: Value,
) -> Result<()> {
    let value = match value {
        // RFC 7644 §3.5.2.1: "a new value is added".
        list @ (Value::Array(_) | Value::Null) => list,
        single => Value::Array(vec![single]),
    };
    let Some(Value::Array(listed)) = receiver.value(whole, value)? else {
        return Ok(());
    };
    let index = Index::new(whole.attribute, slots, listed.len());
    for element in listed {
        let same = index
            .candidates(&said(whole.attribute, &element))
            .into_iter()
            .find(|place| {
                let now = slots[*place].now.as_ref();
                now.is_some_and(|now| holds(whole.attribute, now, &element))
            });
        match same {
            Some(place) => slots[place].named = true,
            None => slots.push(Slot::new_element(element)),
        }
    }
    Ok(())
}

/// Whether an element has everything that another one says. Values compare as their attribute does: an address in
/// capitals is no second address (RFC 7643 §2.4, §7 `caseExact`).
fn holds(attribute: &Attribute, element: &Value, other: &Value) -> bool {
    let same = |attribute: &Attribute, a: &Value, b: &Value| {
        a == b
            || matches!((comparable(attribute, a), comparable(attribute, b)), (Some(a), Some(b)) if a == b)
    };
    match (element, other) {
        (Value::Object(element), Value::Object(other)) => other.iter().all(|(name, value)| {
            let held = element.get(name);
            held.is_some_and(|held| {
                let sub = attribute.sub(name);
                sub.map_or(held == value, |sub| same(sub, held, value))
            })
        }),
        _ => same(attribute, element, other),
    }
}

/// Removes the elements that a value lists (Entra ID): those that have all that is said of them.
pub(super) fn remove_listed(
    receiver: &mut Receiver,
    whole: &Resolved<'_>,
    slots: &mut [Slot],
    value: Value,
) -> Result<()> {
    let items = match value {
        Value::Null => {
            return Err(Error::invalid_value(format!(
                "leave 'value' out to remove all of '{}', or list what to remove",
                whole.location
            )));
        }
        Value::Array(items) => items,
        single => vec![single],
    };
    let index = Index::new(whole.attribute, slots, items.len());
    for item in items {
        let wanted = described(receiver, whole, item)?;
        let mut found = false;
        for place in index.candidates(&wanted) {
            let slot = &mut slots[place];
            let fits = |now: &Value| {
                let parts = said(whole.attribute, now);
                wanted.iter().all(|part| parts.contains(part))
            };
            if slot.now.as_ref().is_some_and(fits) {
                slot.now = None;
                found = true;
            }
        }
        if !found && !receiver.profile.allows(Habit::RemoveOfNothing) {
            return Err(nothing_to_remove(&whole.location));
        }
    }
    Ok(())
}

/// What an element says: its single-valued parts by name, or itself by no name, as comparable texts.
type Said<'a> = Vec<(&'a str, String)>;

fn said<'a>(attribute: &'a Attribute, element: &Value) -> Said<'a> {
    if attribute.kind != Kind::Complex {
        return comparable(attribute, element).map_or_else(Vec::new, |text| vec![("", text)]);
    }
    let subs = attribute.sub_attributes.iter();
    subs.filter_map(|sub| {
        let text = comparable(sub, element.get(&*sub.name)?)?;
        Some((&*sub.name, text))
    })
    .collect()
}

/// What an item to remove says of the elements it means; `$ref` only repeats `value`.
fn described<'a>(receiver: &mut Receiver, whole: &Resolved<'a>, item: Value) -> Result<Said<'a>> {
    let attribute = whole.attribute;
    let element = if attribute.kind == Kind::Complex {
        let mut parts = crate::scim::Map::new();
        for (name, value) in object_of(attribute, &whole.location, item, receiver.profile)? {
            let Some(sub) = whole.sub(&name).filter(|sub| &*sub.leaf().name != "$ref") else {
                continue;
            };
            if let Some(value) = receiver.value(&sub, value)? {
                parts.insert(sub.leaf().name.to_string(), value);
            }
        }
        Value::Object(parts)
    } else {
        item
    };
    let said = said(attribute, &element);
    if said.is_empty() {
        return Err(Error::invalid_value(format!(
            "an element of '{}' to remove must say which one it is",
            whole.location
        )));
    }
    Ok(said)
}

/// Where the elements are that say something.
struct Index<'a> {
    places: Option<HashMap<(&'a str, String), Vec<usize>>>,
    length: usize,
}

impl<'a> Index<'a> {
    fn new(attribute: &'a Attribute, slots: &[Slot], listed: usize) -> Self {
        let places = (listed > FEW).then(|| {
            let mut places: HashMap<_, Vec<usize>> = HashMap::new();
            for (place, slot) in slots.iter().enumerate() {
                for part in slot.now.iter().flat_map(|now| said(attribute, now)) {
                    places.entry(part).or_default().push(place);
                }
            }
            places
        });
        Self {
            places,
            length: slots.len(),
        }
    }

    /// The places of elements that may say all of this: those that say its rarest part.
    fn candidates(&self, said: &Said<'a>) -> Vec<usize> {
        match &self.places {
            Some(places) if !said.is_empty() => said
                .iter()
                .map(|part| places.get(part).map_or(&[][..], Vec::as_slice))
                .min_by_key(|found| found.len())
                .unwrap_or_default()
                .to_vec(),
            _ => (0..self.length).collect(),
        }
    }
}
