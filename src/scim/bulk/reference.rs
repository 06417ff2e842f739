//! `bulkId:…` (RFC 7644 §3.7.2): a text that stands for the id of what a POST of the same request makes.
//!
//! A reference is a whole text anywhere in `data`; the end of a `$ref`; in the `path` of a PATCH operation a quoted text of
//! its filter (`members[value eq "bulkId:ada"]`); and the id in an operation's own path.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::scim::Map;
use crate::scim::document::is_unassigned;

/// How a reference begins.
pub(super) const PREFIX: &str = "bulkId:";

/// Adds the names that `data` refers to.
pub(super) fn collect(is_patch: bool, mut data: Map, names: &mut BTreeSet<String>) {
    each(is_patch, &mut data, &mut |name| {
        names.insert(name.to_owned());
        None
    });
}

/// Puts ids in the place of names; a name that `id` does not know stays.
pub fn resolve(is_patch: bool, data: &mut Map, id: &dyn Fn(&str) -> Option<String>) {
    each(is_patch, data, &mut |name| id(name));
}

/// Shows every reference to `put`, which may answer the id to put in its place.
fn each(is_patch: bool, data: &mut Map, put: &mut dyn FnMut(&str) -> Option<String>) {
    for (name, value) in data.iter_mut() {
        if is_patch && name.eq_ignore_ascii_case("Operations") {
            for operation in value.as_array_mut().into_iter().flatten() {
                in_operation(operation, put);
            }
        } else {
            in_value(name, value, put);
        }
    }
}

fn in_operation(operation: &mut Value, put: &mut dyn FnMut(&str) -> Option<String>) {
    let Some(members) = operation.as_object_mut() else {
        return;
    };
    for (name, value) in members.iter_mut() {
        match value {
            Value::String(path) if name.eq_ignore_ascii_case("path") => in_path(path, put),
            value => in_value(name, value, put),
        }
    }
}

fn in_value(name: &str, value: &mut Value, put: &mut dyn FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            let at = if name == "$ref" {
                text.rfind('/').map_or(0, |slash| slash + 1)
            } else {
                0
            };
            let Some(reference) = text[at..].strip_prefix(PREFIX) else {
                return;
            };
            if let Some(id) = put(reference) {
                text.replace_range(at.., &id);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| in_value(name, item, put)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(name, value)| in_value(name, value, put)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The quoted texts of a path's filter. A name that JSON would escape within quotes cannot be referred to here.
fn in_path(path: &mut String, put: &mut dyn FnMut(&str) -> Option<String>) {
    let mut from = 0;
    while let Some(found) = path[from..].find("\"bulkId:") {
        let start = from + found + 1;
        let Some(length) = path[start..].find('"') else {
            return;
        };
        from = start + length + 1;
        let name = path[start + PREFIX.len()..start + length].to_owned();
        if let Some(id) = put(&name) {
            path.replace_range(start..start + length, &id);
            from = start + id.len() + 1;
        }
    }
}

/// A part of a POST's data that must wait until what it refers to has been made.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The path of its attribute, for a PATCH.
    pub path: String,
    /// The value: elements of a multi-valued attribute, or the whole of a single-valued one.
    pub value: Value,
}

/// Takes out of a POST's data what refers to names that are not `known` yet: elements of arrays, and whole attributes else.
pub fn cut(data: &mut Map, known: &dyn Fn(&str) -> bool) -> Vec<Cut> {
    let mut cuts = Vec::new();
    data.retain(|name, value| {
        let is_extension = name.to_ascii_lowercase().starts_with("urn:");
        if let (true, Value::Object(extension)) = (is_extension, &mut *value) {
            extension.retain(|inner, value| {
                take(&format!("{name}:{inner}"), value, known, &mut cuts);
                !is_unassigned(value)
            });
        } else {
            take(name, value, known, &mut cuts);
        }
        !is_unassigned(value)
    });
    cuts
}

fn take(path: &str, value: &mut Value, known: &dyn Fn(&str) -> bool, cuts: &mut Vec<Cut>) {
    let waits = |value: &Value| {
        let mut found = false;
        let mut note = |name: &str| {
            found |= !known(name);
            None
        };
        in_value(path, &mut value.clone(), &mut note);
        found
    };
    let later = match value {
        Value::Array(items) => {
            let (later, now): (Vec<_>, Vec<_>) = std::mem::take(items).into_iter().partition(waits);
            *items = now;
            if later.is_empty() {
                return;
            }
            Value::Array(later)
        }
        single if waits(single) => single.take(),
        _ => return,
    };
    cuts.push(Cut {
        path: path.to_owned(),
        value: later,
    });
}
