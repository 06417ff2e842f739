//! Bodies as clients might send them, made from the schemas: every writable attribute, of any type.

use std::sync::LazyLock;

use muster::domain::catalog::Catalog;
use muster::scim::resource_type::{Location, Resolved, ResourceType};
use muster::scim::schema::{Attribute, Format, Kind, Mutability, Storage};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::texts::{dateish, number, text};

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load().unwrap());

/// The type served at an endpoint.
pub(crate) fn resource_type(endpoint: &str) -> &'static ResourceType {
    &CATALOG.at(endpoint).unwrap().resource_type
}

/// What one client says of one resource, and then says instead.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub endpoint: &'static str,
    pub system: &'static str,
    pub first: Value,
    pub then: Option<Value>,
    /// For groups: which of the resources made before are members.
    pub members: u16,
}

/// The attributes that a case is about, so that what is written and what is asked meet: by chance, of each type.
pub(crate) fn focus() -> impl Strategy<Value = Vec<Location>> {
    ["/Users", "/Persons", "/Groups"]
        .map(|endpoint| {
            let all: Vec<Location> = choices(endpoint).map(|whole| whole.location).collect();
            let most = all.len().min(6);
            prop::sample::subsequence(all, most.min(4)..=most)
        })
        .prop_map(|focus| focus.concat())
}

/// The attributes that a client may write and that are kept.
fn choices(endpoint: &str) -> impl Iterator<Item = Resolved<'static>> {
    resource_type(endpoint).attributes().filter(|whole| {
        writable(whole.attribute)
            && !matches!(
                &*whole.location.attribute,
                "schemas" | "members" | "password"
            )
    })
}

/// A body for one of the types.
pub(crate) fn bodies(focus: Vec<Location>) -> impl Strategy<Value = Body> {
    prop::sample::select(vec!["/Users", "/Users", "/Persons", "/Persons", "/Groups"])
        .prop_flat_map(move |endpoint| {
            (
                Just(endpoint),
                prop::sample::select(vec!["hris", "idp"]),
                document(endpoint, &focus),
                prop::option::of(document(endpoint, &focus)),
                any::<u16>(),
            )
        })
        .prop_map(|(endpoint, system, first, then, members)| Body {
            endpoint,
            system,
            first,
            then,
            members,
        })
}

/// Some of the attributes, with values.
fn document(endpoint: &'static str, focus: &[Location]) -> impl Strategy<Value = Value> + use<> {
    let ty = resource_type(endpoint);
    let (focused, rest): (Vec<_>, Vec<_>) =
        choices(endpoint).partition(|whole| focus.contains(&whole.location));
    let required: Vec<_> = choices(endpoint)
        .filter(|whole| whole.attribute.required)
        .collect();
    let (most, more) = (focused.len(), rest.len().min(3));
    (
        prop::sample::subsequence(focused, most / 2..=most),
        prop::sample::subsequence(rest, 0..=more),
    )
        .prop_map(|(focused, rest)| [focused, rest].concat())
        .prop_flat_map(move |mut chosen| {
            chosen.extend(required.iter().cloned());
            chosen
                .into_iter()
                .map(|whole| {
                    let location = whole.location.clone();
                    value(whole.attribute).prop_map(move |value| (location.clone(), value))
                })
                .collect::<Vec<_>>()
        })
        .prop_map(move |pairs| {
            let mut document = Map::new();
            let mut schemas = vec![ty.schema.id.to_string()];
            for (location, value) in pairs {
                let object = match &location.extension {
                    None => &mut document,
                    Some(urn) => {
                        if !schemas.iter().any(|known| **known == **urn) {
                            schemas.push(urn.to_string());
                        }
                        let extension = document.entry(urn.to_string()).or_insert(json!({}));
                        extension.as_object_mut().unwrap()
                    }
                };
                object.insert(location.attribute.to_string(), value);
            }
            document.insert("schemas".into(), json!(schemas));
            Value::Object(document)
        })
}

fn writable(attribute: &Attribute) -> bool {
    attribute.mutability == Mutability::ReadWrite && attribute.storage == Storage::Index
}

fn value(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    if !attribute.multi_valued {
        return single(attribute);
    }
    prop::collection::vec(single(attribute), 0..4)
        .prop_map(|mut elements| {
            let mut primaries = 0;
            for element in &mut elements {
                if element.get("primary") == Some(&json!(true)) {
                    primaries += 1;
                    if primaries > 1 {
                        element["primary"] = json!(false);
                    }
                }
            }
            Value::Array(elements)
        })
        .boxed()
}

/// A value of the type; `$ref` is left to the server.
fn single(attribute: &'static Attribute) -> BoxedStrategy<Value> {
    let known = attribute.canonical_values.clone();
    match attribute.kind {
        Kind::Complex => {
            let subs: Vec<&'static Attribute> = attribute
                .sub_attributes
                .iter()
                .filter(|sub| sub.mutability == Mutability::ReadWrite && &*sub.name != "$ref")
                .collect();
            let required: Vec<_> = subs.iter().copied().filter(|sub| sub.required).collect();
            let count = subs.len();
            prop::sample::subsequence(subs, 1..=count)
                .prop_flat_map(move |mut chosen| {
                    chosen.extend(&required);
                    chosen
                        .into_iter()
                        .map(|sub| value(sub).prop_map(move |value| (sub.name.to_string(), value)))
                        .collect::<Vec<_>>()
                })
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
                .boxed()
        }
        Kind::Boolean => any::<bool>().prop_map(Value::from).boxed(),
        Kind::Integer => number().prop_map(Value::from).boxed(),
        Kind::Decimal => any::<f64>().prop_map(Value::from).boxed(),
        Kind::DateTime => dateish().prop_map(Value::from).boxed(),
        Kind::Binary => prop::sample::select(vec!["TQ==", "Tq==", "QUJD", ""])
            .prop_map(Value::from)
            .boxed(),
        _ if attribute.closed => prop::sample::select(known).prop_map(Value::from).boxed(),
        _ if attribute.format == Some(Format::Date) => {
            prop::sample::select(vec!["2026-11-22", "2026-11-23", "0001-01-01", "9999-12-31"])
                .prop_map(Value::from)
                .boxed()
        }
        _ if known.is_empty() => text().prop_map(Value::from).boxed(),
        _ => prop_oneof![
            3 => prop::sample::select(known).prop_map(Value::from),
            1 => text().prop_map(Value::from),
        ]
        .boxed(),
    }
}
