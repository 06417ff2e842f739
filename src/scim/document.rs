//! Reaching into documents by location, and keeping them in their canonical shape.

use std::slice;

use serde_json::Value;

use super::Map;
use super::resource_type::{Location, ResourceType};

/// The object in which a location's attribute stands: the document, or the extension's object.
#[must_use]
pub fn container<'a>(document: &'a Map, location: &Location) -> Option<&'a Map> {
    match &location.extension {
        None => Some(document),
        Some(urn) => document.get(&**urn)?.as_object(),
    }
}

/// The whole value of a location's attribute, whatever its sub-attribute.
#[must_use]
pub fn attribute<'a>(document: &'a Map, location: &Location) -> Option<&'a Value> {
    container(document, location)?.get(&*location.attribute)
}

/// The elements of a location's attribute: those of an array, or the single value.
#[must_use]
pub fn elements<'a>(document: &'a Map, location: &Location) -> &'a [Value] {
    match attribute(document, location) {
        None => &[],
        Some(Value::Array(elements)) => elements,
        Some(single) => slice::from_ref(single),
    }
}

/// A location's values within one element: the sub-attribute's, or the element itself.
#[must_use]
pub fn within<'a>(element: &'a Value, location: &Location) -> &'a [Value] {
    match &location.sub {
        None => slice::from_ref(element),
        Some(sub) => match element.get(&**sub) {
            None => &[],
            Some(Value::Array(values)) => values,
            Some(single) => slice::from_ref(single),
        },
    }
}

/// Every value at a location, over all elements.
pub fn values<'a>(document: &'a Map, location: &Location) -> impl Iterator<Item = &'a Value> {
    let location = location.clone();
    elements(document, &location)
        .iter()
        .flat_map(move |element| within(element, &location))
}

/// Writes the whole value of a location's attribute; the location has no sub-attribute.
pub fn put(document: &mut Map, location: &Location, value: Value) {
    let name = location.attribute.to_string();
    match &location.extension {
        None => {
            document.insert(name, value);
        }
        Some(urn) => {
            if let Some(Value::Object(container)) = document.get_mut(&**urn) {
                container.insert(name, value);
            } else {
                let container = Map::from_iter([(name, value)]);
                document.insert(urn.to_string(), Value::Object(container));
            }
        }
    }
}

/// Removes the whole attribute of a location; an extension left empty goes with it.
pub fn remove(document: &mut Map, location: &Location) {
    match &location.extension {
        None => {
            document.shift_remove(&*location.attribute);
        }
        Some(urn) => {
            if let Some(Value::Object(container)) = document.get_mut(&**urn) {
                container.shift_remove(&*location.attribute);
                if container.is_empty() {
                    document.shift_remove(&**urn);
                }
            }
        }
    }
}

/// Whether a value counts as unassigned (RFC 7643 §2.5): null, an empty array or an empty object.
#[must_use]
pub fn is_unassigned(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

/// Drops what is unassigned, at every level.
pub fn prune(document: &mut Map) {
    document.retain(|_, value| {
        prune_value(value);
        !is_unassigned(value)
    });
}

fn prune_value(value: &mut Value) {
    match value {
        Value::Object(map) => prune(map),
        Value::Array(items) => {
            items.iter_mut().for_each(prune_value);
            items.retain(|item| !is_unassigned(item));
        }
        _ => {}
    }
}

/// Writes `schemas`: the core schema and each extension that has values here (RFC 7643 §3).
pub fn set_schemas(ty: &ResourceType, document: &mut Map) {
    let mut schemas = vec![Value::from(&*ty.schema.id)];
    for extension in &ty.extensions {
        if document.contains_key(&*extension.schema.id) {
            schemas.push(Value::from(&*extension.schema.id));
        }
    }
    document.insert("schemas".to_owned(), Value::Array(schemas));
}

#[cfg(test)]
mod tests;
