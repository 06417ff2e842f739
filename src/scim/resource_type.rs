//! Resource types (RFC 7643 §6): a core schema with its extensions, and how a name becomes a location.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::attribute_path::AttributePath;
use super::error::{Error, Kind, Result, did_you_mean};
use super::schema::{self, Attribute, Mutability, Schema};
use super::stand_in::StandIn;

/// The URN of a resource type's own schema.
pub const RESOURCE_TYPE_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";

/// How the core schemas' URNs began before the RFC.
const FORMER_CORE: &str = "urn:scim:schemas:core:";
/// How they begin now.
const RFC_CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:";
/// What clients write for an extension: OneLogin its URN from before the RFC, Entra ID's documentation one without a colon.
const FORMER_EXTENSIONS: &[(&str, &str)] = &[
    ("urn:scim:schemas:extension:enterprise:1.0", ENTERPRISE_USER),
    ("urn:scim:schemas:extension:enterprise:2.0", ENTERPRISE_USER),
    (
        "urn:scim:schemas:extension:enterprise:2.0:User",
        ENTERPRISE_USER,
    ),
    (
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ENTERPRISE_USER,
    ),
];
const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A type of resource with its endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// The identifier; equal to the name.
    pub id: String,
    /// The name, as in `meta.resourceType`.
    pub name: String,
    /// The endpoint relative to the base URL, with its slash: `/Users`.
    pub endpoint: String,
    /// What it describes.
    pub description: String,
    /// The core schema.
    pub schema: Arc<Schema>,
    /// The extensions.
    pub extensions: Vec<Extension>,
}

/// A schema extension of a resource type (RFC 7643 §6).
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The extension's schema.
    pub schema: Arc<Schema>,
    /// Whether every resource must have it.
    pub required: bool,
}

/// Where a value stands: canonical names; no extension for core and common attributes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The extension's URN.
    pub extension: Option<Arc<str>>,
    /// The attribute.
    pub attribute: Arc<str>,
    /// The sub-attribute.
    pub sub: Option<Arc<str>>,
}

impl Location {
    /// The location of the whole attribute.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self {
            sub: None,
            ..self.clone()
        }
    }

    /// The location of a sub-attribute of this attribute.
    #[must_use]
    pub fn of(&self, sub: &Attribute) -> Self {
        Self {
            sub: Some(Arc::clone(&sub.name)),
            ..self.clone()
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(extension) = &self.extension {
            write!(f, "{extension}:")?;
        }
        f.write_str(&self.attribute)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// A location together with what its schema says.
#[derive(Debug, Clone)]
pub struct Resolved<'a> {
    /// The canonical names.
    pub location: Location,
    /// The attribute.
    pub attribute: &'a Attribute,
    /// The sub-attribute, if the location has one.
    pub sub: Option<&'a Attribute>,
}

impl<'a> Resolved<'a> {
    /// The sub-attribute, or else the attribute.
    #[must_use]
    pub fn leaf(&self) -> &'a Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// The sub-attribute of a name, resolved.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<Self> {
        self.attribute.sub(name).map(|sub| self.with(sub))
    }

    /// The whole attribute, resolved.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self {
            location: self.location.whole(),
            attribute: self.attribute,
            sub: None,
        }
    }

    pub(crate) fn with(&self, sub: &'a Attribute) -> Self {
        Self {
            location: self.location.of(sub),
            attribute: self.attribute,
            sub: Some(sub),
        }
    }

    /// Each sub-attribute, resolved.
    pub fn subs(&self) -> impl Iterator<Item = Self> + use<'a> {
        let whole = self.whole();
        self.attribute
            .sub_attributes
            .iter()
            .map(move |sub| whole.with(sub))
    }

    pub(crate) fn new(extension: Option<&Arc<str>>, attribute: &'a Attribute) -> Self {
        Self {
            location: Location {
                extension: extension.cloned(),
                attribute: Arc::clone(&attribute.name),
                sub: None,
            },
            attribute,
            sub: None,
        }
    }
}

impl ResourceType {
    /// The type as it is known to somebody who may not know that there are attributes: without them, and without an extension
    /// of which nothing is left.
    #[must_use]
    pub fn without(&self, hidden: &BTreeSet<Location>) -> Self {
        let narrowed = |schema: &Arc<Schema>, extension: bool| {
            let of = extension.then_some(&schema.id);
            let known = schema.attributes.iter().filter_map(|attribute| {
                let whole = Resolved::new(of, attribute);
                let left = |sub: &Attribute| !hidden.contains(&whole.location.of(sub));
                let mut known = attribute.clone();
                known.sub_attributes.retain(left);
                let emptied =
                    known.sub_attributes.is_empty() && !attribute.sub_attributes.is_empty();
                (!hidden.contains(&whole.location) && !emptied).then_some(known)
            });
            let attributes: Vec<Attribute> = known.collect();
            Arc::new(Schema {
                attributes,
                ..(**schema).clone()
            })
        };
        let extensions = self.extensions.iter().map(|extension| Extension {
            schema: narrowed(&extension.schema, true),
            required: extension.required,
        });
        Self {
            schema: narrowed(&self.schema, false),
            extensions: extensions
                .filter(|extension| !extension.schema.attributes.is_empty())
                .collect(),
            ..self.clone()
        }
    }

    /// The type as it is known to somebody who is shown something in place of values at these locations.
    #[must_use]
    pub fn shown_as(&self, stand_ins: &BTreeMap<Location, Vec<StandIn>>) -> Self {
        let marked = |schema: &Arc<Schema>, extension: bool| {
            let mut schema = Schema::clone(schema);
            let of = extension.then(|| schema.id.clone());
            for attribute in &mut schema.attributes {
                let whole = Resolved::new(of.as_ref(), attribute).location;
                let at = |location: &Location| stand_ins.get(location).cloned().unwrap_or_default();
                attribute.stand_ins = at(&whole);
                for sub in &mut attribute.sub_attributes {
                    sub.stand_ins = at(&whole.of(sub));
                }
            }
            Arc::new(schema)
        };
        let extensions = self.extensions.iter().map(|extension| Extension {
            schema: marked(&extension.schema, true),
            required: extension.required,
        });
        Self {
            schema: marked(&self.schema, false),
            extensions: extensions.collect(),
            ..self.clone()
        }
    }

    /// Whether a resource of this type can be changed once it is there: not if all that its schema says of it is
    /// immutable or the server's own (RFC 7643 §7).
    #[must_use]
    pub fn is_changeable(&self) -> bool {
        let fixed = |mutability| matches!(mutability, Mutability::Immutable | Mutability::ReadOnly);
        let mut attributes = self.schema.attributes.iter();
        !self.extensions.is_empty() || attributes.any(|attribute| !fixed(attribute.mutability))
    }

    /// Whether clients make and delete resources of this type: not if the server alone writes all that its schema says, or
    /// something that a resource must have.
    #[must_use]
    pub fn is_made_by_clients(&self) -> bool {
        let attributes = &self.schema.attributes;
        let by_server = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
        let needed = attributes
            .iter()
            .any(|attribute| attribute.required && by_server(attribute));
        !needed && (!self.extensions.is_empty() || !attributes.iter().all(by_server))
    }

    /// The representation of RFC 7643 §6.
    #[must_use]
    pub fn to_json(&self, base_url: &str) -> Value {
        let base = base_url.trim_end_matches('/');
        let mut value = json!({
            "schemas": [RESOURCE_TYPE_URN],
            "id": self.id,
            "name": self.name,
            "endpoint": self.endpoint,
            "description": self.description,
            "schema": &*self.schema.id,
            "meta": {
                "resourceType": "ResourceType",
                "location": format!("{base}/ResourceTypes/{}", self.id),
            },
        });
        if !self.extensions.is_empty() {
            value["schemaExtensions"] = self
                .extensions
                .iter()
                .map(|extension| json!({"schema": &*extension.schema.id, "required": extension.required}))
                .collect();
        }
        value
    }

    /// What a path means in this type, or nothing if it names nothing.
    #[must_use]
    pub fn resolve(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        self.resolve_as_written(path).or_else(|| {
            // Entra ID writes a dot where the colon after the URN belongs.
            self.resolve_as_written(&path.dotted_reading()?)
        })
    }

    /// The same without what clients write for a schema's URN and its colon: see [`super::profile::Habit::OtherUrns`].
    pub(crate) fn resolve_exactly(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let own = path.schema.as_ref().is_none_or(|urn| self.is_own(urn));
        own.then(|| self.resolve_as_written(path)).flatten()
    }

    fn resolve_as_written(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        let whole = match &path.schema {
            None => self.resolve_core(&path.attribute),
            Some(urn) if self.is_core(urn) => self.resolve_core(&path.attribute),
            Some(urn) => {
                let schema = self.resolve_extension(urn)?;
                let attribute = schema.attribute(&path.attribute)?;
                Some(Resolved::new(Some(&schema.id), attribute))
            }
        }?;
        match &path.sub {
            None => Some(whole),
            Some(sub) => whole.sub(sub),
        }
    }

    fn resolve_core(&self, name: &str) -> Option<Resolved<'_>> {
        schema::named(schema::common(), name)
            .or_else(|| self.schema.attribute(name))
            .map(|attribute| Resolved::new(None, attribute))
    }

    /// Whether a URN is the core schema's, in any case; also as it was before the RFC (OneLogin).
    #[must_use]
    pub fn is_core(&self, urn: &str) -> bool {
        self.schema.id.eq_ignore_ascii_case(urn) || self.is_former_core(urn)
    }

    fn is_former_core(&self, urn: &str) -> bool {
        let former = urn
            .get(..FORMER_CORE.len())
            .filter(|start| start.eq_ignore_ascii_case(FORMER_CORE))
            .and_then(|_| urn.get(FORMER_CORE.len()..));
        let Some(rest) = former.filter(|_| self.schema.id.starts_with(RFC_CORE)) else {
            return false;
        };
        match rest.split_once(':') {
            None => matches!(rest, "1.0" | "2.0"),
            Some((version, name)) => {
                matches!(version, "1.0" | "2.0") && name.eq_ignore_ascii_case(&self.name)
            }
        }
    }

    /// The extension of a URN, whatever its case; also by what clients write for it.
    #[must_use]
    pub fn resolve_extension(&self, urn: &str) -> Option<&Schema> {
        let urn = FORMER_EXTENSIONS
            .iter()
            .find(|(former, _)| former.eq_ignore_ascii_case(urn))
            .map_or(urn, |(_, known)| known);
        self.extensions
            .iter()
            .map(|extension| &*extension.schema)
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// Whether a URN is an extension's own, whatever its case.
    pub(crate) fn has_extension(&self, urn: &str) -> bool {
        let mut known = self.extensions.iter();
        known.any(|extension| extension.schema.id.eq_ignore_ascii_case(urn))
    }

    /// Whether a URN is one of this type's schemas', whatever its case.
    pub(crate) fn is_own(&self, urn: &str) -> bool {
        self.schema.id.eq_ignore_ascii_case(urn) || self.has_extension(urn)
    }

    /// What a path means in this type; an error that offers the nearest name if it names nothing.
    pub fn find(&self, path: &AttributePath, kind: Kind) -> Result<Resolved<'_>> {
        self.resolve(path)
            .ok_or_else(|| Error::new(kind, self.unknown(path)))
    }

    /// The sentence for a path that names nothing.
    pub(crate) fn unknown(&self, path: &AttributePath) -> String {
        let whole = AttributePath {
            sub: None,
            ..path.clone()
        };
        if let (Some(sub), Some(found)) = (&path.sub, self.resolve(&whole)) {
            return unknown_sub(&found, sub);
        }
        let urn = match &path.schema {
            Some(urn) if !self.is_core(urn) => urn,
            _ => return self.unknown_core(&path.attribute),
        };
        if let Some(schema) = self.resolve_extension(urn) {
            let names = schema.attributes.iter().map(|attribute| &*attribute.name);
            let nearest = did_you_mean(&path.attribute, names);
            format!(
                "there is no attribute '{}' in {urn}{nearest}",
                path.attribute
            )
        } else {
            let schema = self.unknown_schema(urn);
            format!("there is no attribute '{}': {schema}", path.attribute)
        }
    }

    /// The sentence for a schema that the type does not have.
    pub(crate) fn unknown_schema(&self, urn: &str) -> String {
        let known = self.extensions.iter();
        let known = known.map(|extension| &*extension.schema.id);
        let nearest = did_you_mean(urn, known.chain([&*self.schema.id]));
        format!("{} has no schema '{urn}'{nearest}", self.name)
    }

    fn unknown_core(&self, name: &str) -> String {
        let start = format!("there is no attribute '{name}' in {}", self.name);
        // An extension's attribute written without its URN is a frequent slip.
        for extension in &self.extensions {
            if let Some(attribute) = extension.schema.attribute(name) {
                return format!(
                    "{start}; did you mean '{}:{}'?",
                    extension.schema.id, attribute.name
                );
            }
        }
        let names = schema::common().iter().chain(&self.schema.attributes);
        let nearest = did_you_mean(name, names.map(|attribute| &*attribute.name));
        format!("{start}{nearest}")
    }

    /// Every attribute, common ones first: a complex one itself, then each of its sub-attributes.
    pub fn leaves(&self) -> impl Iterator<Item = Resolved<'_>> {
        self.attributes()
            .flat_map(|whole| std::iter::once(whole.clone()).chain(whole.subs()))
    }

    /// Every attribute as a whole, common ones first.
    pub fn attributes(&self) -> impl Iterator<Item = Resolved<'_>> {
        let extensions = self.extensions.iter().flat_map(|extension| {
            let urn = &extension.schema.id;
            extension
                .schema
                .attributes
                .iter()
                .map(move |attribute| Resolved::new(Some(urn), attribute))
        });
        schema::common()
            .iter()
            .chain(&self.schema.attributes)
            .map(|attribute| Resolved::new(None, attribute))
            .chain(extensions)
    }
}

/// A type among all those that one query is over.
#[derive(Debug, Clone, Copy)]
pub struct Among<'a> {
    /// The type.
    pub ty: &'a ResourceType,
    /// The types of the query.
    pub all: &'a [Arc<ResourceType>],
}

impl<'a> Among<'a> {
    /// What a path means in the type; nothing if others alone know it: such an attribute has no value here (RFC 7644
    /// §3.4.2.1). What no type knows is an error.
    pub fn find(self, path: &AttributePath, kind: Kind) -> Result<Option<Resolved<'a>>> {
        match self.ty.resolve(path) {
            None if self.is_known(path) => Ok(None),
            None => Err(Error::new(kind, self.ty.unknown(path))),
            found => Ok(found),
        }
    }

    /// Whether some type of the query knows the path.
    pub(crate) fn is_known(self, path: &AttributePath) -> bool {
        self.all.iter().any(|ty| ty.resolve(path).is_some())
    }

    /// The same without what clients write for a schema's URN: see [`ResourceType::resolve_exactly`].
    pub(crate) fn is_known_exactly(self, path: &AttributePath) -> bool {
        let mut others = self.all.iter();
        self.ty.resolve_exactly(path).is_some()
            || others.any(|ty| ty.resolve_exactly(path).is_some())
    }
}

impl<'a> From<&'a ResourceType> for Among<'a> {
    /// Of a query over one type.
    fn from(ty: &'a ResourceType) -> Self {
        Self { ty, all: &[] }
    }
}

/// The sentence for a sub-attribute that does not exist.
pub(crate) fn unknown_sub(whole: &Resolved<'_>, sub: &str) -> String {
    let names = whole.attribute.sub_attributes.iter();
    let nearest = did_you_mean(sub, names.map(|attribute| &*attribute.name));
    let whole = whole.location.whole();
    format!("there is no sub-attribute '{sub}' in '{whole}'{nearest}")
}

#[cfg(test)]
mod tests;
