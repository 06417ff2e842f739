//! Filters as text: every operator on every attribute, negated, joined, and over one element.

use muster::scim::resource_type::{Location, Resolved};
use muster::scim::schema::{Attribute, Format, Kind, Storage};
use proptest::prelude::*;
use serde_json::Value;

use super::documents::resource_type;
use super::texts::{dateish, number, text};

/// A filter on the type at `endpoint`.
pub(crate) fn filter(endpoint: &'static str, focus: &[Location]) -> BoxedStrategy<String> {
    let leaves: Vec<Resolved<'static>> = resource_type(endpoint)
        .leaves()
        .filter(searchable)
        .collect();
    let lists: Vec<Resolved<'static>> = leaves
        .iter()
        .filter(|found| {
            focus.contains(&found.location) || found.location.attribute.contains("members")
        })
        .filter(|found| {
            let attribute = found.attribute;
            found.sub.is_none() && (attribute.multi_valued || attribute.kind == Kind::Complex)
        })
        .cloned()
        .collect();
    // What every resource has, and externalId, come up often.
    let common: Vec<Resolved<'static>> = leaves
        .iter()
        .filter(|found| {
            [
                "id",
                "externalId",
                "meta",
                "schemas",
                "emails",
                "members",
                "groups",
            ]
            .contains(&&*found.location.attribute)
        })
        .cloned()
        .collect();
    let test = prop_oneof![1 => prop::sample::select(leaves), 4 => prop::sample::select(common)]
        .prop_flat_map(|found| test(full(&found.location), &found.location, found.leaf()));
    let either = if lists.is_empty() {
        test.boxed()
    } else {
        prop_oneof![3 => test, 1 => prop::sample::select(lists).prop_flat_map(|found| element(&found))].boxed()
    };
    either
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                2 => inner.clone().prop_map(|inner| format!("not ({inner})")),
                1 => joined(&inner, " and "),
                1 => joined(&inner, " or "),
            ]
        })
        .boxed()
}

/// Something to sort by.
pub(crate) fn sort_by(endpoint: &'static str) -> BoxedStrategy<String> {
    let leaves: Vec<String> = resource_type(endpoint)
        .leaves()
        .filter(|found| {
            let kept = found.attribute.storage == Storage::Index || found.sub.is_none();
            let name = &*found.location.attribute;
            searchable(found)
                && kept
                && !matches!(
                    name,
                    "schemas"
                        | "groups"
                        | "members"
                        | "employments"
                        | "applications"
                        | "maskedAttributes"
                )
                && found.leaf().kind != Kind::Complex
                && found.sub.is_none_or(|sub| &*sub.name != "$ref")
                && (name != "meta" || found.leaf().kind == Kind::DateTime)
        })
        .map(|found| full(&found.location))
        .collect();
    prop::sample::select(leaves).boxed()
}

fn searchable(found: &Resolved<'_>) -> bool {
    found.attribute.is_searchable() && found.leaf().is_searchable()
}

fn full(location: &Location) -> String {
    location.to_string()
}

fn joined(inner: &BoxedStrategy<String>, with: &'static str) -> BoxedStrategy<String> {
    prop::collection::vec(inner.clone(), 2..4)
        .prop_map(move |terms| {
            let grouped: Vec<String> = terms.iter().map(|term| format!("({term})")).collect();
            grouped.join(with)
        })
        .boxed()
}

/// `path[…]`, sometimes `path[…].sub …`.
fn element(found: &Resolved<'static>) -> BoxedStrategy<String> {
    let path = full(&found.location);
    if found.attribute.kind != Kind::Complex {
        return test("value".into(), &found.location, found.attribute)
            .prop_map(move |test| format!("{path}[{test}]"))
            .boxed();
    }
    let subs: Vec<&'static Attribute> = found
        .attribute
        .sub_attributes
        .iter()
        .filter(|sub| sub.is_searchable())
        .collect();
    let (location, again) = (found.location.clone(), found.location.clone());
    let one = prop::sample::select(subs.clone())
        .prop_flat_map(move |sub| test(sub.name.to_string(), &location.of(sub), sub))
        .prop_recursive(2, 5, 2, |inner| {
            prop_oneof![
                2 => inner.clone().prop_map(|inner| format!("not ({inner})")),
                1 => joined(&inner, " and "),
                1 => joined(&inner, " or "),
            ]
        });
    let then = prop::sample::select(subs)
        .prop_flat_map(move |sub| test(format!(".{}", sub.name), &again.of(sub), sub));
    (one, prop::option::weighted(0.3, then))
        .prop_map(move |(one, then)| format!("{path}[{one}]{}", then.unwrap_or_default()))
        .boxed()
}

/// One comparison of the attribute at `location`, which is called `path` where the comparison stands.
fn test(path: String, location: &Location, attribute: &'static Attribute) -> BoxedStrategy<String> {
    let (present, null, other) = (path.clone(), path.clone(), path);
    if attribute.kind == Kind::Complex && attribute.sub("value").is_none() {
        return prop::sample::select(vec!["pr", "eq null", "ne null"])
            .prop_map(move |test| format!("{present} {test}"))
            .boxed();
    }
    // A complex attribute stands for its value.
    let (attribute, location) = match attribute.sub("value") {
        Some(value) if attribute.kind == Kind::Complex => (value, location.of(value)),
        _ => (attribute, location.clone()),
    };
    let operators: &[&str] = match attribute.kind {
        Kind::Boolean => &["eq", "ne"],
        Kind::Binary => &["eq", "ne", "co", "sw", "ew"],
        Kind::Integer | Kind::Decimal | Kind::DateTime => &["eq", "ne", "gt", "ge", "lt", "le"],
        _ => &[
            "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "eq", "sw",
        ],
    };
    prop_oneof![
        1 => Just(format!("{present} pr")),
        1 => prop::sample::select(vec!["eq", "ne"]).prop_map(move |op| format!("{null} {op} null")),
        10 => (prop::sample::select(operators), needle(attribute, &location))
            .prop_map(move |(op, needle)| format!("{other} {op} {needle}")),
    ]
    .boxed()
}

fn needle(attribute: &'static Attribute, location: &Location) -> BoxedStrategy<String> {
    let from = full(location);
    let taken = (0..6_u8, 0..6_u8).prop_map(move |(n, how)| format!("\"FROM {from} {n} {how}\""));
    let quoted = |text: String| Value::from(text).to_string();
    match attribute.kind {
        Kind::Boolean => any::<bool>().prop_map(|truth| truth.to_string()).boxed(),
        Kind::Integer => number().prop_map(|number| number.to_string()).boxed(),
        Kind::Decimal => any::<i32>().prop_map(|number| number.to_string()).boxed(),
        Kind::DateTime => dateish().prop_map(quoted).boxed(),
        Kind::Binary => prop::sample::select(vec!["\"TQ==\"", "\"Q\"", "\"\""])
            .prop_map(str::to_owned)
            .boxed(),
        _ if attribute.format == Some(Format::Date) => {
            prop::sample::select(vec!["\"2026-11-22\"", "\"2026\"", "\"\""])
                .prop_map(str::to_owned)
                .boxed()
        }
        _ if attribute.canonical_values.is_empty() => {
            let special = prop::sample::select(vec![
                "ID-0",
                "ID-1",
                "ID-2",
                "ID-3",
                "BASE/Groups/ID-1",
                "BASE/Users/ID-0",
                "BASE/Persons/",
                "urn:ietf:params:scim:schemas:core:2.0:User",
                "urn:muster:scim:schemas:extension:1.0:Employee",
                "User",
                "http",
                "W/",
                "direct",
            ]);
            let other = prop_oneof![4 => text(), 1 => special.prop_map(str::to_owned)];
            prop_oneof![other.prop_map(quoted), taken].boxed()
        }
        _ => {
            let known = prop::sample::select(attribute.canonical_values.clone());
            prop_oneof![known.prop_map(quoted), text().prop_map(quoted), taken].boxed()
        }
    }
}
