//! A resource type as JSON Schema 2020-12, twice: as the service answers it, and as a client sends it.
//!
//! Both are definitions that refer to each other by name: in an OpenAPI document they are components, and in a document
//! of their own ([`document`]) they stand under `$defs`.

use serde_json::{Value, json};

use super::Map;
use super::receive::{MAX_ELEMENTS, MAX_STRING};
use super::resource_type::ResourceType;
use super::schema::{
    self, Attribute, Format, Kind, Mutability, Returned, Schema, Storage, Uniqueness,
};

/// The dialect in which everything here is written.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Which way a resource goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the client: nothing that is never returned; any attribute may be missing (RFC 7644 §3.9) but those that
    /// are always returned.
    Answered,
    /// To the service, in a POST or PUT: nothing that is read-only, and what is required must be there.
    Sent,
}

/// A resource type's schema as a document of its own: what is answered, with what is sent as `NAMEInput` under `$defs`.
/// What is sent is closed to attributes that the type does not have if `closed`.
#[must_use]
pub fn document(ty: &ResourceType, id: &str, closed: bool) -> Value {
    let mut definitions = Map::new();
    define(ty, "#/$defs/", &mut definitions);
    if let (true, Some(sent)) = (closed, definitions.get_mut(&Way::Sent.name(&ty.name))) {
        close(sent);
    }
    json!({
        "$schema": DIALECT,
        "$id": id,
        "title": ty.name,
        "description": ty.description,
        "$ref": format!("#/$defs/{}", Way::Answered.name(&ty.name)),
        "$defs": definitions,
    })
}

/// Allows no property but those that are there. What only the server writes may be sent back: it is ignored (RFC 7644 §3.5.1).
fn close(object: &mut Value) {
    if let Some(properties) = object["properties"].as_object_mut() {
        for name in ["id", "meta"] {
            properties.insert(name.to_owned(), json!({"readOnly": true}));
        }
    }
    object["additionalProperties"] = json!(false);
}

/// Adds the definitions of a type and of its extensions, both ways. `prefix` is where definitions are (`#/$defs/`).
pub(super) fn define(ty: &ResourceType, prefix: &str, definitions: &mut Map) {
    for way in [Way::Answered, Way::Sent] {
        definitions.insert(way.name(&ty.name), resource(ty, way, prefix));
        for extension in &ty.extensions {
            let name = way.name(&extension.schema.name);
            definitions.insert(name, extension_schema(&extension.schema, way));
        }
    }
}

impl Way {
    /// The definition's name: `User` as it is answered, `UserInput` as it is sent.
    #[must_use]
    pub fn name(self, name: &str) -> String {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        match self {
            Self::Answered => name,
            Self::Sent => format!("{name}Input"),
        }
    }

    fn shows(self, attribute: &Attribute) -> bool {
        match self {
            Self::Answered => {
                attribute.mutability != Mutability::WriteOnly
                    && attribute.returned != Returned::Never
            }
            Self::Sent => attribute.mutability != Mutability::ReadOnly,
        }
    }

    /// RFC 7643 §7: an attribute that is required, or one that is in every answer.
    fn requires(self, attribute: &Attribute) -> bool {
        match self {
            Self::Answered => attribute.returned == Returned::Always && attribute.required,
            Self::Sent => attribute.required && attribute.storage == Storage::Index,
        }
    }
}

fn resource(ty: &ResourceType, way: Way, prefix: &str) -> Value {
    let own = schema::common().iter().chain(&ty.schema.attributes);
    let mut object = object(own, way);
    object["properties"]["schemas"] = schemas_in_use(ty);
    if way == Way::Answered {
        object["required"] = json!(["schemas", "id"]);
    }
    for extension in &ty.extensions {
        let definition = format!("{prefix}{}", way.name(&extension.schema.name));
        object["properties"][&*extension.schema.id] = json!({"$ref": definition});
        if let (true, Some(required)) = (extension.required, object["required"].as_array_mut()) {
            required.push(json!(&*extension.schema.id));
        }
    }
    object["title"] = json!(ty.name);
    object["description"] = json!(ty.description);
    object
}

fn extension_schema(schema: &Schema, way: Way) -> Value {
    let mut object = object(&schema.attributes, way);
    object["title"] = json!(schema.name);
    object["description"] = json!(schema.description);
    object
}

/// The core schema, and the extensions that have values (RFC 7643 §3).
fn schemas_in_use(ty: &ResourceType) -> Value {
    let urns = std::iter::once(&ty.schema)
        .chain(ty.extensions.iter().map(|extension| &extension.schema))
        .map(|schema| &*schema.id);
    json!({
        "type": "array",
        "items": {"enum": urns.collect::<Vec<_>>()},
        "contains": {"const": &*ty.schema.id},
        "minItems": 1,
        "uniqueItems": true,
        "description": "The schemas in use.",
    })
}

fn object<'a>(attributes: impl IntoIterator<Item = &'a Attribute>, way: Way) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in attributes.into_iter().filter(|one| way.shows(one)) {
        properties.insert(attribute.name.to_string(), property(attribute, way));
        if way.requires(attribute) {
            required.push(&*attribute.name);
        }
    }
    let mut object = json!({"type": "object", "properties": properties});
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// One attribute's schema, its description and characteristics included.
#[must_use]
pub fn property(attribute: &Attribute, way: Way) -> Value {
    let mut value = match attribute.kind {
        Kind::Complex => object(&attribute.sub_attributes, way),
        _ => simple(attribute, way),
    };
    if attribute.multi_valued {
        value = json!({"type": "array", "items": value});
        if way == Way::Sent {
            value["maxItems"] = json!(MAX_ELEMENTS);
        }
    }
    if !attribute.description.is_empty() {
        value["description"] = json!(attribute.description);
    }
    characteristics(attribute, &mut value);
    value
}

/// RFC 7643 §2.2 in OpenAPI's words where it has them, else as extensions of the same name.
fn characteristics(attribute: &Attribute, value: &mut Value) {
    match attribute.mutability {
        Mutability::ReadOnly => value["readOnly"] = json!(true),
        Mutability::WriteOnly => value["writeOnly"] = json!(true),
        Mutability::Immutable => value["x-scim-mutability"] = json!(attribute.mutability),
        Mutability::ReadWrite => {}
    }
    if attribute.returned != Returned::Default {
        value["x-scim-returned"] = json!(attribute.returned);
    }
    if attribute.uniqueness != Uniqueness::None {
        value["x-scim-uniqueness"] = json!(attribute.uniqueness);
    }
    if attribute.kind == Kind::String && attribute.case_exact {
        value["x-scim-caseExact"] = json!(true);
    }
}

/// RFC 7643 §2.3.
fn simple(attribute: &Attribute, way: Way) -> Value {
    let mut value = match attribute.kind {
        Kind::Boolean => return json!({"type": "boolean"}),
        Kind::Decimal => return json!({"type": "number"}),
        Kind::Integer => {
            return json!({"type": "integer", "format": "int64", "minimum": i64::MIN, "maximum": i64::MAX});
        }
        Kind::DateTime => return json!({"type": "string", "format": "date-time"}),
        Kind::Binary => json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        Kind::Reference if attribute.format == Some(Format::Locator) => {
            json!({"type": "string", "format": "uri"})
        }
        Kind::Reference if attribute.mutability == Mutability::ReadOnly => {
            json!({"type": "string", "format": "uri"})
        }
        Kind::String if attribute.format == Some(Format::Date) => {
            json!({"type": "string", "format": "date"})
        }
        Kind::String if attribute.format == Some(Format::Code) => {
            json!({"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,64}$"})
        }
        // Other references are kept as clients write them, whether or not they are URIs.
        _ => json!({"type": "string"}),
    };
    if !attribute.canonical_values.is_empty() {
        let keyword = if attribute.closed { "enum" } else { "examples" };
        value[keyword] = json!(attribute.canonical_values);
    }
    if way == Way::Sent {
        value["maxLength"] = json!(MAX_STRING);
        if attribute.required {
            value["minLength"] = json!(1);
        }
    }
    value
}
