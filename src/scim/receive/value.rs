//! One value of an attribute: its shape, its elements and its sub-attributes.

use std::collections::HashSet;

use serde_json::Value;

use super::{MAX_ELEMENTS, scalar};
use crate::scim::Map;
use crate::scim::document::is_unassigned;
use crate::scim::error::{Error, Result};
use crate::scim::filter::type_name;
use crate::scim::json::name_of;
use crate::scim::profile::{Habit, Profile};
use crate::scim::resource_type::{Location, Resolved, unknown_sub};
use crate::scim::schema::{Attribute, Kind, Mutability, Storage};

/// Reads values and remembers what it left out.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// How the client speaks.
    pub(crate) profile: Profile,
    /// The paths of what was left out.
    pub(crate) ignored: Vec<String>,
}

impl Receiver {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            ignored: Vec::new(),
        }
    }

    /// Leaves out what the resource type does not have, or refuses the request for it.
    pub(crate) fn leave_out(&mut self, name: String, why: impl FnOnce() -> String) -> Result<()> {
        if !self.profile.allows(Habit::UnknownNames) {
            return Err(Error::invalid_syntax(why()));
        }
        self.ignored.push(name);
        Ok(())
    }

    fn is_loose(&self) -> bool {
        self.profile.allows(Habit::LooseShapes)
    }

    /// Reads a value; nothing if it counts as unassigned.
    pub(crate) fn value(&mut self, resolved: &Resolved<'_>, value: Value) -> Result<Option<Value>> {
        if resolved.leaf().multi_valued {
            return self.list(resolved, value);
        }
        let value = match value {
            // Entra ID writes a manager as an array of one.
            Value::Array(mut items)
                if items.is_empty() || (self.is_loose() && items.len() == 1) =>
            {
                items.pop().unwrap_or(Value::Null)
            }
            Value::Array(items) => {
                return Err(Error::invalid_value(format!(
                    "'{}' takes one value, not an array of {}",
                    resolved.location,
                    items.len()
                )));
            }
            single => single,
        };
        let found = self.single(resolved, value)?;
        Ok(found.filter(|value| !stands_for_nothing(resolved, value)))
    }

    fn list(&mut self, resolved: &Resolved<'_>, value: Value) -> Result<Option<Value>> {
        let items = match value {
            Value::Array(items) => items,
            single if self.is_loose() || is_unassigned(&single) => vec![single],
            single => {
                return Err(Error::invalid_value(format!(
                    "'{}' is multi-valued: give an array, not {}",
                    resolved.location,
                    name_of(&single)
                )));
            }
        };
        let leaf = resolved.leaf();
        if items.len() > MAX_ELEMENTS && leaf.storage != Storage::Rows {
            return Err(Error::invalid_value(format!(
                "'{}' has {} elements; {MAX_ELEMENTS} are allowed",
                resolved.location,
                items.len()
            )));
        }
        let mut seen = HashSet::with_capacity(items.len());
        let mut elements = Vec::with_capacity(items.len());
        for item in items {
            let is_null = item.is_null();
            let element = self.element(resolved, item)?;
            let names_row = element
                .as_ref()
                .and_then(|element| element.get("value"))
                .is_some_and(|value| value != "");
            if leaf.storage == Storage::Rows && !names_row && !is_null {
                // Passed over, such an element would make a replacement empty the group.
                return Err(Error::invalid_value(format!(
                    "an element of '{}' needs its 'value'",
                    resolved.location
                )));
            }
            let Some(element) = element else {
                continue;
            };
            // RFC 7643 §2.4: the same value is not listed twice.
            if seen.insert(element.to_string()) {
                elements.push(element);
            }
        }
        check_primary(&resolved.location, &elements)?;
        Ok((!elements.is_empty()).then_some(Value::Array(elements)))
    }

    /// Reads one element of a multi-valued attribute, with its required sub-attributes.
    pub(crate) fn element(
        &mut self,
        resolved: &Resolved<'_>,
        item: Value,
    ) -> Result<Option<Value>> {
        let encoded = item
            .as_str()
            .is_some_and(|text| text.trim_start().starts_with('{'));
        let taken = self.profile.allows(Habit::EncodedElements);
        if encoded && resolved.leaf().kind == Kind::Complex && !taken {
            return Err(Error::invalid_value(format!(
                "an element of '{}' must be an object, not an object written as a string",
                resolved.location
            )));
        }
        self.single(resolved, item)
    }

    fn single(&mut self, resolved: &Resolved<'_>, value: Value) -> Result<Option<Value>> {
        let leaf = resolved.leaf();
        if is_unassigned(&value) {
            return Ok(None);
        }
        if leaf.kind != Kind::Complex {
            return scalar::read(leaf, &resolved.location, value, self.profile).map(Some);
        }
        let map = object_of(leaf, &resolved.location, value, self.profile)?;
        let map = self.complex(resolved, map)?;
        if map.is_empty() {
            return Ok(None);
        }
        let element = Value::Object(map);
        if !stands_for_nothing(resolved, &element) {
            super::check_element(resolved, &element)?;
        }
        Ok(Some(element))
    }

    /// The sub-attributes in the schema's order, so that equal elements are written alike.
    fn complex(&mut self, resolved: &Resolved<'_>, map: Map) -> Result<Map> {
        let subs: Vec<Resolved<'_>> = resolved.subs().collect();
        let mut found: Vec<Option<Value>> = vec![None; subs.len()];
        let mut given = vec![false; subs.len()];
        for (name, value) in map {
            let place = subs
                .iter()
                .position(|sub| sub.leaf().name.eq_ignore_ascii_case(&name));
            let Some(place) = place else {
                let left_out = format!("{}.{name}", resolved.location);
                self.leave_out(left_out, || unknown_sub(resolved, &name))?;
                continue;
            };
            let sub = &subs[place];
            if std::mem::replace(&mut given[place], true) {
                return Err(Error::invalid_syntax(format!(
                    "'{}' is given twice: names are case-insensitive",
                    sub.location
                )));
            }
            if sub.leaf().mutability != Mutability::ReadOnly {
                found[place] = self.value(sub, value)?;
            }
        }
        let pairs = subs.iter().zip(found);
        Ok(pairs
            .filter_map(|(sub, value)| Some((sub.leaf().name.to_string(), value?)))
            .collect())
    }
}

/// The object that a value of a complex attribute is: a bare string means its `value` (Entra ID's manager).
pub(crate) fn object_of(
    attribute: &Attribute,
    location: &Location,
    value: Value,
    profile: Profile,
) -> Result<Map> {
    let loose = profile.allows(Habit::LooseShapes);
    match value {
        Value::Object(map) => Ok(map),
        text @ Value::String(_) if loose && attribute.sub("value").is_some() => {
            Ok(Map::from_iter([("value".to_owned(), text)]))
        }
        other => Err(Error::invalid_value(format!(
            "'{location}' is {}, not {}",
            type_name(attribute.kind),
            name_of(&other)
        ))),
    }
}

/// A single complex value whose `value` is empty is how Entra ID unsets a reference.
fn stands_for_nothing(resolved: &Resolved<'_>, value: &Value) -> bool {
    let leaf = resolved.leaf();
    leaf.kind == Kind::Complex
        && !leaf.multi_valued
        && value.get("value").is_some_and(|value| value == "")
}

/// RFC 7643 §2.4: at most one element is the primary one.
pub(crate) fn check_primary(location: &Location, elements: &[Value]) -> Result<()> {
    let primaries = elements
        .iter()
        .filter(|element| element.get("primary") == Some(&Value::Bool(true)))
        .count();
    if primaries > 1 {
        return Err(Error::invalid_value(format!(
            "'{location}' has {primaries} primary elements; one at most may be primary"
        )));
    }
    Ok(())
}
