//! From a client's body to a valid document (RFC 7643 §2, RFC 7644 §3.3 and §3.5.1).
//!
//! What real clients send is taken as they mean it: names in any case, nulls and empty lists for "no value",
//! read-only attributes (dropped), unknown attributes and schemas (dropped and named), booleans as strings,
//! full paths as keys. What has the wrong type, or lacks what is required, is refused with its path.

mod form;
mod scalar;
mod value;

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::Map;
use super::attribute_path::AttributePath;
use super::document;
use super::error::{Error, Kind as ErrorKind, Result};
use super::json::name_of;
use super::profile::{Habit, Profile};
use super::resource_type::{Location, Resolved, ResourceType};
use super::schema::{Mutability, Storage};

pub(crate) use value::{Receiver, object_of};

/// How many elements a stored multi-valued attribute may hold.
pub const MAX_ELEMENTS: usize = 10_000;
/// How long a string may be, in bytes.
pub const MAX_STRING: usize = 64 * 1024;

/// What the body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new resource (POST).
    Create,
    /// All of an existing resource (PUT).
    Replace,
}

/// A valid document, and what was left out of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Canonical names, `schemas` set, nothing read-only, nothing unassigned.
    pub document: Map,
    /// The unknown attributes and schemas, and those that are not stored, as the client wrote them.
    pub ignored: Vec<String>,
    /// The URNs of the extensions that the body names, in `schemas` or by a value.
    pub extensions: BTreeSet<String>,
}

/// Reads a body as a resource of a type, as a client of this profile writes it.
pub fn receive(
    ty: &ResourceType,
    body: Map,
    purpose: Purpose,
    profile: Profile,
) -> Result<Received> {
    let mut receiver = Receiver::new(profile);
    let mut extensions = declared(ty, &body, &mut receiver)?;
    let mut given = Given::default();
    given.collect(ty, body, &mut receiver)?;
    let mut document = Map::new();
    for (whole, value) in given.values {
        if let Some(urn) = &whole.location.extension {
            extensions.insert(urn.to_string());
        }
        let Some(value) = receiver.value(&whole, value)? else {
            continue;
        };
        if whole.attribute.storage == Storage::None {
            receiver.ignored.push(whole.location.to_string());
        } else {
            document::put(&mut document, &whole.location, value);
        }
    }
    document::prune(&mut document);
    document::set_schemas(ty, &mut document);
    check_required(ty, &document).map_err(|error| match purpose {
        Purpose::Create => error,
        Purpose::Replace => Error::new(
            error.kind,
            format!("{}: a PUT gives the whole resource", error.detail),
        ),
    })?;
    Ok(Received {
        document,
        ignored: receiver.ignored,
        extensions,
    })
}

/// Reads one value of an attribute or sub-attribute; nothing if it counts as unassigned (RFC 7643 §2.5).
pub fn receive_value(
    resolved: &Resolved<'_>,
    value: Value,
    profile: Profile,
) -> Result<Option<Value>> {
    Receiver::new(profile).value(resolved, value)
}

/// Refuses a document that lacks a required attribute, or an element that lacks a required sub-attribute.
pub fn check_required(ty: &ResourceType, document: &Map) -> Result<()> {
    for extension in ty.extensions.iter().filter(|extension| extension.required) {
        if !document.contains_key(&*extension.schema.id) {
            let urn = &extension.schema.id;
            return Err(Error::invalid_value(format!(
                "the extension '{urn}' is required"
            )));
        }
    }
    for whole in ty.attributes() {
        // An extension demands its required attributes only where it is used.
        let Some(container) = document::container(document, &whole.location) else {
            continue;
        };
        let attribute = whole.attribute;
        let stored =
            attribute.mutability != Mutability::ReadOnly && attribute.storage == Storage::Index;
        if !stored {
            continue;
        }
        match container.get(&*attribute.name) {
            None if attribute.required => return Err(missing(&whole.location)),
            Some(Value::String(text)) if attribute.required && text.is_empty() => {
                return Err(missing(&whole.location));
            }
            None => {}
            Some(_) => {
                for element in document::elements(document, &whole.location) {
                    check_element(&whole, element)?;
                }
            }
        }
    }
    Ok(())
}

fn check_element(whole: &Resolved<'_>, element: &Value) -> Result<()> {
    let absent = whole.subs().find(|sub| {
        let leaf = sub.leaf();
        leaf.required
            && leaf.mutability != Mutability::ReadOnly
            && element.get(&*leaf.name).is_none_or(|value| value == "")
    });
    absent.map_or(Ok(()), |sub| Err(missing(&sub.location)))
}

fn missing(location: &Location) -> Error {
    Error::invalid_value(format!("'{location}' is required"))
}

/// The extensions that `schemas` declares; it must name the core schema (RFC 7643 §3).
fn declared(ty: &ResourceType, body: &Map, receiver: &mut Receiver) -> Result<BTreeSet<String>> {
    let core = &ty.schema.id;
    let wanted = format!("write \"schemas\": [\"{core}\"]");
    let Some((_, schemas)) = body
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("schemas"))
    else {
        return Err(Error::invalid_syntax(format!(
            "'schemas' is missing: {wanted}"
        )));
    };
    let Value::Array(schemas) = schemas else {
        let found = name_of(schemas);
        return Err(Error::invalid_syntax(format!(
            "'schemas' must be an array of strings, not {found}: {wanted}"
        )));
    };
    let mut extensions = BTreeSet::new();
    let mut has_core = false;
    for schema in schemas {
        let Some(urn) = schema.as_str() else {
            let found = name_of(schema);
            return Err(Error::invalid_syntax(format!(
                "'schemas' must hold strings only, not {found}: {wanted}"
            )));
        };
        if !receiver.profile.allows(Habit::OtherUrns) && !ty.is_own(urn) {
            receiver.leave_out(urn.to_owned(), || ty.unknown_schema(urn))?;
        } else if ty.is_core(urn) {
            has_core = true;
        } else if let Some(extension) = ty.resolve_extension(urn) {
            extensions.insert(extension.id.to_string());
        } else {
            receiver.leave_out(urn.to_owned(), || ty.unknown_schema(urn))?;
        }
    }
    if has_core {
        Ok(extensions)
    } else {
        Err(Error::invalid_syntax(format!(
            "'schemas' lacks the schema of {}: {wanted}",
            ty.name
        )))
    }
}

/// The attributes that a body gives, each as one raw value.
#[derive(Default)]
struct Given<'a> {
    values: Vec<(Resolved<'a>, Value)>,
    /// Where each attribute stands in `values`, and whether it was put together from full paths.
    places: HashMap<Location, (usize, bool)>,
}

impl<'a> Given<'a> {
    fn collect(&mut self, ty: &'a ResourceType, body: Map, receiver: &mut Receiver) -> Result<()> {
        let by_paths = receiver.profile.allows(Habit::PathsAsNames);
        let exact = !receiver.profile.allows(Habit::OtherUrns);
        for (name, value) in body {
            if name.eq_ignore_ascii_case("schemas") {
                continue;
            }
            let is_extension = ty.resolve_extension(&name).is_some();
            let is_schema = is_extension || ty.is_core(&name);
            if !is_schema || (exact && !ty.has_extension(&name)) {
                let path = AttributePath::parse(&name, ErrorKind::InvalidSyntax).ok();
                let plain = |path: &AttributePath| path.schema.is_none() && path.sub.is_none();
                let path = path.filter(|path| by_paths || plain(path));
                self.take(ty, path, value, &name, receiver)?;
                continue;
            }
            let attributes = match value {
                Value::Object(attributes) => attributes,
                Value::Null => continue,
                other => {
                    let found = name_of(&other);
                    return Err(Error::invalid_value(format!(
                        "'{name}' must be an object of attributes, not {found}"
                    )));
                }
            };
            for (inner, value) in attributes {
                let path = AttributePath::parse(&inner, ErrorKind::InvalidSyntax).ok();
                let path = path
                    .filter(|path| by_paths || (path.schema.is_none() && path.sub.is_none()))
                    .map(|path| AttributePath {
                        schema: path.schema.or_else(|| Some(name.clone())),
                        ..path
                    });
                self.take(ty, path, value, &format!("{name}:{inner}"), receiver)?;
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        ty: &'a ResourceType,
        path: Option<AttributePath>,
        value: Value,
        name: &str,
        receiver: &mut Receiver,
    ) -> Result<()> {
        let Some(resolved) = path.and_then(|path| ty.resolve(&path)) else {
            let why = || match AttributePath::parse(name, ErrorKind::InvalidSyntax) {
                Ok(path) if !ty.is_core(name) && ty.resolve(&path).is_none() => ty.unknown(&path),
                _ => format!(
                    "'{name}' is no name of an attribute of {}: write the attribute's own name where it belongs",
                    ty.name
                ),
            };
            return receiver.leave_out(name.to_owned(), why);
        };
        let read_only = resolved.attribute.mutability == Mutability::ReadOnly
            || resolved.leaf().mutability == Mutability::ReadOnly;
        if read_only || &*resolved.location.attribute == "schemas" {
            return Ok(());
        }
        self.put(&resolved, value)
    }

    fn put(&mut self, resolved: &Resolved<'a>, value: Value) -> Result<()> {
        let whole = resolved.whole();
        let from_path = resolved.sub.is_some();
        if from_path && whole.attribute.multi_valued {
            return Err(Error::invalid_value(format!(
                "'{}' is multi-valued: give '{}' as an array of objects",
                whole.location, whole.location
            )));
        }
        let value = match resolved.sub {
            Some(sub) => Value::Object(Map::from_iter([(sub.name.to_string(), value)])),
            None => value,
        };
        let Some((index, earlier_from_path)) = self.places.get(&whole.location).copied() else {
            self.places
                .insert(whole.location.clone(), (self.values.len(), from_path));
            self.values.push((whole, value));
            return Ok(());
        };
        let twice = || {
            let location = &resolved.location;
            Error::invalid_syntax(format!(
                "'{location}' is given twice: names are case-insensitive"
            ))
        };
        // `name` and `name.familyName` may stand side by side, as long as no sub-attribute is given twice.
        let both = (self.values.get_mut(index).map(|(_, value)| value), value);
        match both {
            (Some(Value::Object(into)), Value::Object(from)) if from_path || earlier_from_path => {
                for (name, value) in from {
                    if into.keys().any(|known| known.eq_ignore_ascii_case(&name)) {
                        return Err(twice());
                    }
                    into.insert(name, value);
                }
                Ok(())
            }
            _ => Err(twice()),
        }
    }
}

#[cfg(test)]
mod tests;
