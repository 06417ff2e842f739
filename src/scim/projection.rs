//! Which attributes an answer holds: `attributes`, `excludedAttributes` and `returned` (RFC 7644 §3.9).

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use super::Map;
use super::attribute_path::AttributePath;
use super::document;
use super::error::{Error, Kind as ErrorKind, Result};
use super::profile::{Habit, Profile};
use super::resource_type::{Location, Resolved, ResourceType};
use super::schema::{self, Attribute, Kind, Returned};

/// The attributes that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection(Wish);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Wish {
    /// What is returned by default.
    #[default]
    Default,
    /// These alone (`attributes`).
    Only(Names),
    /// All but these (`excludedAttributes`).
    Except(Names),
}

/// The names of a list, as far as the type knows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Names {
    locations: HashSet<Location>,
    /// Whole schemas: an extension's URN, or none for the core schema's.
    schemas: HashSet<Option<String>>,
}

impl Names {
    fn parse(ty: &ResourceType, list: &str) -> Self {
        let mut names = Self::default();
        for name in list
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if let Some(schema) = ty.resolve_extension(name) {
                names.schemas.insert(Some(schema.id.to_string()));
            } else if ty.is_core(name) {
                names.schemas.insert(None);
            } else if let Some(found) = AttributePath::parse(name, ErrorKind::InvalidValue)
                .ok()
                .and_then(|path| ty.resolve(&path))
            {
                names.locations.insert(found.location);
            }
        }
        names
    }

    fn has(&self, location: &Location) -> bool {
        self.locations.contains(location)
    }

    fn has_schema_of(&self, location: &Location) -> bool {
        !self.schemas.is_empty()
            && self
                .schemas
                .contains(&location.extension.as_deref().map(str::to_owned))
    }

    /// Whether the attribute is named, by itself or by one of its sub-attributes.
    fn has_part_of(&self, whole: &Resolved<'_>) -> bool {
        self.has(&whole.location) || whole.subs().any(|sub| self.has(&sub.location))
    }
}

/// The names of a list (`attributes`, `excludedAttributes`) that mean nothing in this type; a client that is held to the
/// letter is refused for the first.
pub fn unknown_names(ty: &ResourceType, list: &str, profile: Profile) -> Result<Vec<String>> {
    let mut unknown = Vec::new();
    for name in list.split(',').map(str::trim) {
        if name.is_empty() || ty.resolve_extension(name).is_some() || ty.is_core(name) {
            continue;
        }
        let path = AttributePath::parse(name, ErrorKind::InvalidPath);
        let found = path.and_then(|path| ty.find(&path, ErrorKind::InvalidPath).map(drop));
        if let Err(error) = found {
            if !profile.allows(Habit::UnknownNames) {
                return Err(error);
            }
            unknown.push(name.to_owned());
        }
    }
    Ok(unknown)
}

impl Projection {
    /// Reads the two parameters; names that the type does not know are passed over: see [`unknown_names`].
    pub fn parse(
        ty: &ResourceType,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self> {
        let given = |list: Option<&str>| {
            list.filter(|list| !list.trim().is_empty())
                .map(|list| Names::parse(ty, list))
        };
        match (given(attributes), given(excluded)) {
            (Some(_), Some(_)) => Err(Error::invalid_value(
                "give 'attributes' or 'excludedAttributes', not both (RFC 7644 §3.9)",
            )),
            (Some(only), None) => Ok(Self(Wish::Only(only))),
            (None, Some(except)) => Ok(Self(Wish::Except(except))),
            (None, None) => Ok(Self::default()),
        }
    }

    /// Nothing but what is always returned (RFC 7643 §7): for answers whose body nobody will read.
    #[must_use]
    pub fn minimal() -> Self {
        Self(Wish::Only(Names::default()))
    }

    /// Whether the request said nothing about attributes.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.0 == Wish::Default
    }

    /// Whether the request names what it wants (`attributes`), and so waits for it.
    #[must_use]
    pub fn names_attributes(&self) -> bool {
        matches!(self.0, Wish::Only(_))
    }

    /// Whether the answer may hold a location's value, so that what it does not need is never loaded.
    #[must_use]
    pub fn includes(&self, ty: &ResourceType, location: &Location) -> bool {
        let path = AttributePath {
            schema: location.extension.as_deref().map(str::to_owned),
            attribute: location.attribute.to_string(),
            sub: location.sub.as_deref().map(str::to_owned),
        };
        ty.resolve(&path).is_some_and(|found| {
            let whole = found.whole();
            self.keeps(&whole) && (found.sub.is_none() || self.keeps_part(&whole, &found))
        })
    }

    /// The document as the request wants it, with canonical names as before. What goes is taken out in place: most of a
    /// document stays.
    #[must_use]
    pub fn apply(&self, ty: &ResourceType, mut document: Map) -> Map {
        document.retain(|name, value| {
            let extension = ty.extensions.iter().map(|extension| &extension.schema);
            if let Some(schema) = extension.into_iter().find(|schema| *schema.id == **name) {
                let Some(attributes) = value.as_object_mut() else {
                    return false;
                };
                attributes.retain(|name, value| {
                    let attribute = named(&schema.attributes, name);
                    attribute.is_some_and(|known| self.holds(Some(&schema.id), known, value))
                });
                return !attributes.is_empty();
            }
            let attribute =
                named(schema::common(), name).or_else(|| named(&ty.schema.attributes, name));
            attribute.is_some_and(|known| self.holds(None, known, value))
        });
        document
    }

    /// Whether the answer holds the attribute; what it does not want of the value is taken out.
    fn holds(&self, urn: Option<&Arc<str>>, attribute: &Attribute, value: &mut Value) -> bool {
        if self.is_default() {
            // The common case, in which no name needs to be looked up.
            let holds = |attribute: &Attribute| {
                matches!(attribute.returned, Returned::Always | Returned::Default)
            };
            if !holds(attribute) {
                return false;
            }
            keep_parts(attribute, value, &|sub| holds(sub));
        } else {
            let whole = Resolved::new(urn, attribute);
            if !self.keeps(&whole) {
                return false;
            }
            keep_parts(attribute, value, &|sub| {
                self.keeps_part(&whole, &whole.with(sub))
            });
        }
        !document::is_unassigned(value)
    }

    fn keeps(&self, whole: &Resolved<'_>) -> bool {
        let location = &whole.location;
        match (whole.attribute.returned, &self.0) {
            (Returned::Always, _) | (Returned::Default, Wish::Default) => true,
            (Returned::Never, _) | (Returned::Request, Wish::Default | Wish::Except(_)) => false,
            (Returned::Request, Wish::Only(names)) => names.has_part_of(whole),
            (Returned::Default, Wish::Only(names)) => {
                names.has_part_of(whole) || names.has_schema_of(location)
            }
            (Returned::Default, Wish::Except(names)) => {
                !names.has(location) && !names.has_schema_of(location)
            }
        }
    }

    fn keeps_part(&self, whole: &Resolved<'_>, sub: &Resolved<'_>) -> bool {
        match (sub.leaf().returned, &self.0) {
            (Returned::Always, _) | (Returned::Default, Wish::Default) => true,
            (Returned::Never, _) | (Returned::Request, Wish::Default | Wish::Except(_)) => false,
            (Returned::Request, Wish::Only(names)) => names.has(&sub.location),
            (Returned::Default, Wish::Only(names)) => {
                // An attribute that is always returned comes whole, unless a part of it was asked for.
                names.has(&sub.location)
                    || names.has(&whole.location)
                    || names.has_schema_of(&whole.location)
                    || !names.has_part_of(whole)
            }
            (Returned::Default, Wish::Except(names)) => !names.has(&sub.location),
        }
    }
}

fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes.iter().find(|attribute| *attribute.name == *name)
}

/// Takes out the sub-attributes that are not kept, and the elements of which nothing is left.
fn keep_parts(attribute: &Attribute, value: &mut Value, keeps: &dyn Fn(&Attribute) -> bool) {
    if attribute.kind != Kind::Complex {
        return;
    }
    match value {
        Value::Array(elements) => {
            for element in &mut *elements {
                keep_parts(attribute, element, keeps);
            }
            elements.retain(|element| !document::is_unassigned(element));
        }
        Value::Object(parts) => parts.retain(|name, _| attribute.sub(name).is_some_and(keeps)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
