//! Schemas, attributes and their characteristics (RFC 7643 §2 and §7), read from JSON files.
//!
//! The files are RFC 7643 §7 JSON with the RFC's defaults, and may say more about an attribute than `/Schemas`
//! shows: `elementKey`, `aliases`, `storage`, `closed`, `secret`, `derived` and `format`.

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::Map;
use super::stand_in::StandIn;

/// The URN of a schema's own schema (RFC 7643 §7).
pub const SCHEMA_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// A schema: a URN and the attributes it defines.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Schema {
    /// The URN.
    #[serde(deserialize_with = "shared")]
    pub id: Arc<str>,
    /// The name for people.
    pub name: String,
    /// What it describes.
    #[serde(default)]
    pub description: String,
    /// The attributes, in the order of the file.
    pub attributes: Vec<Attribute>,
    /// Whether its resources are created and read, and never changed or deleted.
    #[serde(default, rename = "appendOnly")]
    pub append_only: bool,
    /// Whether a POST of what is on record already, by one of its names, is that record and no conflict.
    #[serde(default, rename = "naturalKeys")]
    pub natural_keys: bool,
}

/// An attribute or sub-attribute with its characteristics (RFC 7643 §2.2 and §7).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the characteristics are RFC 7643 §7's own"
)]
pub struct Attribute {
    /// The name, in its canonical spelling.
    #[serde(deserialize_with = "shared")]
    pub name: Arc<str>,
    /// The data type.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// Whether it holds a list of values.
    #[serde(default)]
    pub multi_valued: bool,
    /// What it means.
    #[serde(default)]
    pub description: String,
    /// Whether a resource (or an element) must have it.
    #[serde(default)]
    pub required: bool,
    /// The suggested values; the only values if `closed`.
    #[serde(default)]
    pub canonical_values: Vec<String>,
    /// Whether case matters in comparisons.
    #[serde(default)]
    pub case_exact: bool,
    /// When it may be written.
    #[serde(default)]
    pub mutability: Mutability,
    /// When it is returned.
    #[serde(default)]
    pub returned: Returned,
    /// How widely its value is unique.
    #[serde(default)]
    pub uniqueness: Uniqueness,
    /// The attributes together with whose values it is unique.
    #[serde(default)]
    pub unique_with: Vec<String>,
    /// What a reference refers to: resource types, `uri` or `external`.
    #[serde(default)]
    pub reference_types: Vec<String>,
    /// The parts of a complex attribute.
    #[serde(default)]
    pub sub_attributes: Vec<Attribute>,
    /// The sub-attributes that tell one element of a multi-valued attribute from another; none: the whole element.
    #[serde(default)]
    pub element_key: Vec<String>,
    /// Full paths that mean this same leaf in other schemas.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Where the values live.
    #[serde(default)]
    pub storage: Storage,
    /// Whether `canonical_values` are the only values.
    #[serde(default)]
    pub closed: bool,
    /// Whether values are sealed: never indexed in clear.
    #[serde(default)]
    pub secret: bool,
    /// Whether the value follows from others.
    #[serde(default)]
    pub derived: bool,
    /// A narrower form that a string must have.
    #[serde(default)]
    pub format: Option<Format>,
    /// What the client to which this schema is known may be shown in place of a value.
    #[serde(skip)]
    pub stand_ins: Vec<StandIn>,
}

impl Attribute {
    /// Whether any text is a value of it.
    #[must_use]
    pub fn is_plain_text(&self) -> bool {
        self.kind == Kind::String && self.format.is_none() && !self.closed
    }
}

/// The data types of RFC 7643 §2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Unicode text (the default).
    #[default]
    String,
    /// true or false.
    Boolean,
    /// A number with a fraction.
    Decimal,
    /// A whole number.
    Integer,
    /// An xsd:dateTime.
    DateTime,
    /// A URI.
    Reference,
    /// Base64.
    Binary,
    /// An object of sub-attributes.
    Complex,
}

/// When an attribute may be written (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mutability {
    /// Never by a client.
    ReadOnly,
    /// Any time (the default).
    #[default]
    ReadWrite,
    /// Once.
    Immutable,
    /// Any time, but it is never read.
    WriteOnly,
}

/// When an attribute is returned (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Returned {
    /// In every answer.
    Always,
    /// In none.
    Never,
    /// Unless the request narrows the answer (the default).
    #[default]
    Default,
    /// Only if the request names it.
    Request,
}

/// How widely a value is unique (RFC 7643 §7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Uniqueness {
    /// Not at all (the default).
    #[default]
    None,
    /// Within the service.
    Server,
    /// Everywhere.
    Global,
}

/// Where an attribute's values live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Storage {
    /// In the document and the attribute index (the default).
    #[default]
    Index,
    /// In rows of their own: there may be a million.
    Rows,
    /// Nowhere.
    None,
}

/// A narrower form of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Format {
    /// A calendar day, YYYY-MM-DD.
    Date,
    /// A language tag (RFC 5646); only the strict profile holds anybody to it.
    LanguageTag,
    /// A name of the IANA time zone database; likewise.
    TimeZone,
    /// A code such as `document.match`: 1 to 64 letters, digits and `._:-`, no words of anybody's.
    Code,
    /// Where something is kept: an absolute URI of at most 2048 bytes that leads there, and does not hold it as `data:` does.
    Locator,
}

fn shared<'de, D: Deserializer<'de>>(reader: D) -> Result<Arc<str>, D::Error> {
    String::deserialize(reader).map(Arc::from)
}

/// The attribute of a name, whatever its case (RFC 7643 §2.1).
pub(crate) fn named<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

impl Schema {
    /// Reads a schema from its file's text.
    pub fn parse(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The attribute of a name, whatever its case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        named(&self.attributes, name)
    }

    /// The representation of RFC 7643 §7, every characteristic spelled out.
    #[must_use]
    pub fn to_json(&self, base_url: &str) -> Value {
        let attributes: Vec<Value> = self.attributes.iter().map(Attribute::to_json).collect();
        json!({
            "schemas": [SCHEMA_URN],
            "id": &*self.id,
            "name": self.name,
            "description": self.description,
            "attributes": attributes,
            "meta": {
                "resourceType": "Schema",
                "location": format!("{}/Schemas/{}", base_url.trim_end_matches('/'), self.id),
            },
        })
    }
}

impl Attribute {
    /// The sub-attribute of a name, whatever its case.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&Attribute> {
        named(&self.sub_attributes, name)
    }

    /// Whether comparisons heed case: references and binaries always do (RFC 7643 §2.3.6 and §2.3.7).
    #[must_use]
    pub fn heeds_case(&self) -> bool {
        self.case_exact || matches!(self.kind, Kind::Reference | Kind::Binary)
    }

    /// Whether a client may search by it: what is never returned would otherwise be told by totals.
    #[must_use]
    pub fn is_searchable(&self) -> bool {
        self.mutability != Mutability::WriteOnly && self.returned != Returned::Never && !self.secret
    }

    fn to_json(&self) -> Value {
        let mut map = Map::new();
        let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
        put("name", json!(&*self.name));
        put("type", json!(self.kind));
        put("multiValued", json!(self.multi_valued));
        put("description", json!(self.description));
        put("required", json!(self.required));
        if !self.canonical_values.is_empty() {
            put("canonicalValues", json!(self.canonical_values));
        }
        if matches!(self.kind, Kind::String | Kind::Reference | Kind::Binary) {
            put("caseExact", json!(self.heeds_case()));
        }
        put("mutability", json!(self.mutability));
        put("returned", json!(self.returned));
        if !matches!(self.kind, Kind::Boolean | Kind::Complex) {
            put("uniqueness", json!(self.uniqueness));
        }
        if self.kind == Kind::Reference {
            put("referenceTypes", json!(self.reference_types));
        }
        if self.kind == Kind::Complex {
            let subs: Vec<Value> = self.sub_attributes.iter().map(Self::to_json).collect();
            put("subAttributes", json!(subs));
        }
        Value::Object(map)
    }

    /// An attribute with every default of RFC 7643 §2.2.
    fn plain(name: &str, kind: Kind, description: &str) -> Self {
        Self {
            name: name.into(),
            kind,
            multi_valued: false,
            description: description.to_owned(),
            required: false,
            canonical_values: Vec::new(),
            case_exact: true,
            mutability: Mutability::ReadOnly,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            unique_with: Vec::new(),
            reference_types: Vec::new(),
            sub_attributes: Vec::new(),
            element_key: Vec::new(),
            aliases: Vec::new(),
            storage: Storage::Index,
            closed: false,
            secret: false,
            derived: false,
            format: None,
            stand_ins: Vec::new(),
        }
    }
}

/// The attributes of every resource (RFC 7643 §3 and §3.1): `schemas`, `id`, `externalId` and `meta`.
#[must_use]
pub fn common() -> &'static [Attribute] {
    static COMMON: LazyLock<Vec<Attribute>> = LazyLock::new(|| {
        let uri = |attribute: Attribute| Attribute {
            reference_types: vec!["uri".to_owned()],
            ..attribute
        };
        vec![
            Attribute {
                multi_valued: true,
                required: true,
                mutability: Mutability::ReadWrite,
                returned: Returned::Always,
                ..uri(Attribute::plain(
                    "schemas",
                    Kind::Reference,
                    "The schemas in use.",
                ))
            },
            Attribute {
                returned: Returned::Always,
                uniqueness: Uniqueness::Server,
                ..Attribute::plain("id", Kind::String, "The service's identifier.")
            },
            Attribute {
                mutability: Mutability::ReadWrite,
                ..Attribute::plain("externalId", Kind::String, "The client's own identifier.")
            },
            Attribute {
                sub_attributes: vec![
                    Attribute::plain("resourceType", Kind::String, "The resource type's name."),
                    Attribute::plain("created", Kind::DateTime, "When the resource was added."),
                    Attribute::plain("lastModified", Kind::DateTime, "When it last changed."),
                    uri(Attribute::plain("location", Kind::Reference, "Its URI.")),
                    Attribute::plain("version", Kind::String, "Its entity tag."),
                ],
                ..Attribute::plain("meta", Kind::Complex, "What the service knows of it.")
            },
        ]
    });
    &COMMON
}

#[cfg(test)]
mod tests;
