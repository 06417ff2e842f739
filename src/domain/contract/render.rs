//! One of the exchanged objects from a resource as its reader sees it: what is hidden from the reader is not in it.

use serde_json::{Map, Value};

use super::objects::{Field, Source, exchanged};
use crate::domain::document::value_at;
use crate::domain::masked::{Masked, Resource};
use crate::domain::rendering::Rendering;
use crate::scim::resource_type::{Location, ResourceType};

/// The object that a resource is exchanged as, with the contract's name; nothing if it is exchanged as none, or the person
/// is no candidate.
#[must_use]
pub fn object(
    ty: &ResourceType,
    resource: &Masked<Resource>,
) -> Option<(&'static str, Masked<Rendering>)> {
    let (name, role, fields) = exchanged(ty)?;
    let document = &resource.seen().document;
    if role.is_some_and(|role| !document.contains_key(role)) {
        return None;
    }
    let values = fields
        .iter()
        .filter_map(|field| Some((field.name.clone(), field.value(document)?)));
    let object: Map<String, Value> = values.collect();
    Some((name, Rendering::sealed(object)))
}

/// The name of the object that resources of a type are exchanged as.
#[must_use]
pub fn exchanged_as(ty: &ResourceType) -> Option<&'static str> {
    exchanged(ty).map(|(name, ..)| name)
}

/// The name of that object, and where what it has of a resource stands.
pub(in crate::domain) fn published(ty: &ResourceType) -> Option<(&'static str, Vec<Location>)> {
    let (name, _, fields) = exchanged(ty)?;
    let places = fields.into_iter().map(|field| match field.source {
        Source::At(at) | Source::Preferred(at) | Source::Referred(at) => at,
    });
    Some((name, places.collect()))
}

impl Field {
    fn value(&self, document: &Map<String, Value>) -> Option<Value> {
        let (Source::At(at) | Source::Preferred(at) | Source::Referred(at)) = &self.source;
        let value = value_at(document, at)?;
        match &self.source {
            Source::At(_) => Some(value.clone()),
            Source::Preferred(_) => preferred(value)?.get("value").cloned(),
            Source::Referred(_) => match value {
                Value::Array(all) => {
                    let ids = all.iter().filter_map(|one| one.get("value").cloned());
                    Some(ids.collect())
                }
                one => one.get("value").cloned(),
            },
        }
    }
}

/// The element marked as primary, or else the first.
pub(in crate::domain) fn preferred(elements: &Value) -> Option<&Value> {
    let elements = elements.as_array()?;
    let primary = elements.iter().find(|one| one["primary"] == true);
    primary.or(elements.first())
}
