//! From a client's document to canonical values and back: the two directions of a [`View`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::catalog::Catalog;
use super::record::Leaves;
use super::view::{Shown, View, is_computed};
use crate::id::ResourceId;
use crate::scim::Error;
use crate::scim::resource_type::Location;
use crate::scim::schema::{Attribute, Mutability};

/// The value at a location of a document.
#[must_use]
pub fn value_at<'a>(document: &'a Map<String, Value>, location: &Location) -> Option<&'a Value> {
    let object = match &location.extension {
        Some(urn) => document.get(&**urn)?.as_object()?,
        None => document,
    };
    let value = object.get(&*location.attribute)?;
    match &location.sub {
        Some(sub) => value.get(&**sub),
        None => Some(value),
    }
}

impl View {
    /// The canonical values that a received document gives. Two aliases of one leaf must agree (design §2), unless
    /// `known` is given and one of them only echoes it: a client that read both may change either.
    pub fn read(
        &self,
        document: &Map<String, Value>,
        known: Option<&Leaves>,
    ) -> Result<Leaves, Error> {
        let mut given: BTreeMap<&str, (&Location, &Value)> = BTreeMap::new();
        for (location, path) in self.units() {
            if self
                .attribute(location)
                .is_some_and(|attribute| attribute.mutability == Mutability::ReadOnly)
            {
                continue;
            }
            let Some(value) = value_at(document, location) else {
                continue;
            };
            let Some((first, earlier)) = given.get(path).copied() else {
                given.insert(path, (location, value));
                continue;
            };
            let echo = |value: &Value| known.and_then(|known| known.get(path)) == Some(value);
            if earlier == value || echo(value) {
                continue;
            }
            if !echo(earlier) {
                let (a, b) = if first < location {
                    (first, location)
                } else {
                    (location, first)
                };
                return Err(Error::invalid_value(format!(
                    "'{a}' and '{b}' are two names of one value and differ: give it once, or alike in both"
                )));
            }
            given.insert(path, (location, value));
        }
        Ok(given
            .into_iter()
            .map(|(path, (_, value))| (path.to_owned(), self.stored(path, value)))
            .collect())
    }

    /// Leaves out what is computed on the way out.
    fn stored(&self, path: &str, value: &Value) -> Value {
        let keep = |element: &Value| match element {
            Value::Object(subs) => {
                let writable = |name: &&String| {
                    self.shown(path)
                        .iter()
                        .filter_map(|at| at.attribute.sub(name))
                        .any(|sub| !is_computed(sub) && sub.mutability != Mutability::ReadOnly)
                };
                subs.iter()
                    .filter(|(name, _)| writable(name))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            }
            other => other.clone(),
        };
        match value {
            Value::Array(elements) => elements.iter().map(keep).collect(),
            other => other.clone(),
        }
    }

    /// The document that this view shows of folded values: attributes only, no `schemas`, `id` or `meta`.
    #[must_use]
    pub fn show(&self, leaves: &Leaves, catalog: &Catalog, base_url: &str) -> Map<String, Value> {
        let mut document = Map::new();
        self.place_all(&mut document, leaves.clone(), catalog, base_url);
        document
    }

    /// The same, into a document that is begun already. The values are moved: a read shows nearly all of them, and needs
    /// them for nothing else.
    pub(super) fn place_all(
        &self,
        document: &mut Map<String, Value>,
        leaves: Leaves,
        catalog: &Catalog,
        base_url: &str,
    ) {
        for (path, value) in leaves {
            let Some((last, others)) = self.shown(&path).split_last() else {
                continue;
            };
            for shown in others {
                shown.place(document, value.clone(), catalog, base_url);
            }
            last.place(document, value, catalog, base_url);
        }
    }
}

impl Shown {
    fn place(
        &self,
        document: &mut Map<String, Value>,
        mut value: Value,
        catalog: &Catalog,
        base_url: &str,
    ) {
        let location = &self.location;
        if let Value::Array(elements) = &mut value {
            for element in elements {
                narrow(element, &self.attribute, catalog, base_url);
            }
        }
        let object = match &location.extension {
            Some(urn) => child(document, urn),
            None => Some(document),
        };
        let Some(object) = object else { return };
        let Some(sub) = &location.sub else {
            object.insert(location.attribute.to_string(), value);
            return;
        };
        let Some(parent) = child(object, &location.attribute) else {
            return;
        };
        parent.insert(sub.to_string(), value);
        if let Some(reference) = &self.reference {
            point(parent, reference, catalog, base_url);
        }
    }
}

fn child<'a>(object: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    if !object.contains_key(name) {
        object.insert(name.to_owned(), Value::Object(Map::new()));
    }
    object.get_mut(name)?.as_object_mut()
}

/// Leaves an element only the sub-attributes that this view's schema has.
fn narrow(element: &mut Value, attribute: &Attribute, catalog: &Catalog, base_url: &str) {
    let Value::Object(subs) = element else {
        return;
    };
    subs.retain(|name, _| attribute.sub(name).is_some());
    point(subs, attribute, catalog, base_url);
}

/// Adds `$ref` to a reference whose `value` is an id of ours (RFC 7643 §2.4).
fn point(
    reference: &mut Map<String, Value>,
    attribute: &Attribute,
    catalog: &Catalog,
    base_url: &str,
) {
    let Some(sub) = attribute.sub("$ref").filter(|sub| is_computed(sub)) else {
        return;
    };
    let is_ours = |value: &&str| value.parse::<ResourceId>().is_ok();
    let Some(value) = reference
        .get("value")
        .and_then(Value::as_str)
        .filter(is_ours)
        .map(str::to_owned)
    else {
        return;
    };
    if let Some(endpoint) = sub
        .reference_types
        .iter()
        .find_map(|name| catalog.endpoint(name))
    {
        reference.insert(
            "$ref".into(),
            format!("{base_url}{endpoint}/{value}").into(),
        );
    }
}
