//! What an update may not change (RFC 7643 §2.2, RFC 7644 §3.5.1): immutable attributes once they are set.

use serde_json::Value;

use super::Map;
use super::document;
use super::error::{Error, Result};
use super::resource_type::{Location, ResourceType};
use super::schema::{Attribute, Kind, Mutability};

/// Refuses a replacement that changes an immutable attribute; leaving it out is no change.
///
/// Elements of multi-valued attributes have no identity between two documents, so their sub-attributes
/// are checked where a PATCH names them.
pub fn check_immutable(ty: &ResourceType, before: &Map, after: &Map) -> Result<()> {
    for whole in ty.attributes() {
        let old = document::attribute(before, &whole.location);
        let new = document::attribute(after, &whole.location);
        let (Some(old), Some(new)) = (old, new) else {
            continue;
        };
        check_change(whole.attribute, &whole.location, old, new)?;
        if whole.attribute.multi_valued {
            continue;
        }
        for sub in whole.subs() {
            let name = &*sub.leaf().name;
            if let (Some(old), Some(new)) = (old.get(name), new.get(name)) {
                check_change(sub.leaf(), &sub.location, old, new)?;
            }
        }
    }
    Ok(())
}

/// Refuses another value for an immutable attribute that has one.
pub(crate) fn check_change(
    attribute: &Attribute,
    location: &Location,
    old: &Value,
    new: &Value,
) -> Result<()> {
    if attribute.mutability != Mutability::Immutable || same(attribute, old, new) {
        return Ok(());
    }
    Err(Error::mutability(format!(
        "'{location}' is immutable: once set it cannot be changed"
    )))
}

/// References are the same if their `value` is; `$ref` and `display` only follow from it.
fn same(attribute: &Attribute, old: &Value, new: &Value) -> bool {
    if attribute.kind == Kind::Complex
        && !attribute.multi_valued
        && let (Some(old), Some(new)) = (old.get("value"), new.get("value"))
    {
        return old == new;
    }
    old == new
}

#[cfg(test)]
mod tests;
