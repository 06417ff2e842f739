//! PATCH then diff: operations made from the difference of two documents turn the one into the other, and touch what
//! differs and nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::scim::document::{attribute, container};
use crate::scim::patch::{PATCH_URN, parse};
use crate::scim::profile::Profile;
use crate::scim::receive::{Purpose, receive};
use crate::scim::tests::data::sorted;
use crate::scim::tests::{ENTERPRISE, USER, map, user};
use crate::scim::{Map, document};

/// How the operations on one attribute are written.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// `replace` or `remove` of the attribute by its path.
    Path,
    /// In one `replace` without a path.
    Value,
    /// Part by part: elements by a value filter, sub-attributes by their own paths.
    Parts,
}

fn documents() -> impl Strategy<Value = Map> {
    let word = || prop::sample::select(vec!["a", "B", "straße", "x\"y\\", "42"]);
    let text = |names: &'static [&'static str]| {
        let texts = prop::collection::vec(prop::option::of(word()), names.len());
        texts.prop_map(move |texts| {
            let pairs = names
                .iter()
                .zip(texts)
                .filter_map(|(name, text)| Some(((*name).to_owned(), Value::from(text?))));
            pairs.collect::<Map>()
        })
    };
    let email = |value: &'static str| {
        let kind = prop::option::of(prop::sample::select(vec!["work", "home"]));
        kind.prop_map(move |kind| json!({"value": value, "type": kind}))
    };
    let emails = (email("a@x"), email("b@x"), email("c@\"x"), 0..4_usize).prop_flat_map(
        |(a, b, c, primary)| {
            prop::sample::subsequence(vec![a, b, c], 0..=3).prop_map(move |mut emails| {
                if let Some(element) = emails.get_mut(primary) {
                    element["primary"] = json!(true);
                }
                emails
            })
        },
    );
    let numbers = (
        prop::option::of(any::<bool>()),
        prop::option::of(any::<i64>()),
    );
    let nations = prop::sample::subsequence(vec!["NO", "PT", "SE"], 0..=3);
    let core = text(&["displayName", "title", "profileUrl"]);
    let name = text(&["formatted", "familyName", "givenName"]);
    let enterprise = (
        text(&["employeeNumber", "department"]),
        prop::option::of(word()),
    );
    (core, name, enterprise, emails, numbers, nations).prop_map(
        |(mut body, name, (mut enterprise, manager), emails, (active, level), nations)| {
            enterprise.insert("manager".to_owned(), json!({"value": manager}));
            body.extend(map(json!({
                "schemas": [USER], "userName": "ada", "name": name, "emails": emails, "active": active,
                "level": level, "nationalities": nations, ENTERPRISE: enterprise,
            })));
            receive(&user(), body, Purpose::Create, Profile::Rfc).unwrap().document
        },
    )
}

/// The operations that turn `before` into `after`, and the attributes that they name.
fn difference(before: &Map, after: &Map, styles: &[Style]) -> (Vec<Value>, BTreeSet<String>) {
    let (mut operations, mut named, mut together) = (Vec::new(), BTreeSet::new(), Map::new());
    let ty = user();
    for (whole, style) in ty.attributes().zip(styles.iter().cycle()) {
        let (old, new) = (
            attribute(before, &whole.location),
            attribute(after, &whole.location),
        );
        let path = whole.location.to_string();
        if old == new || path == "schemas" {
            continue;
        }
        named.insert(path.clone());
        match (style, old, new) {
            (Style::Parts, Some(Value::Array(old)), Some(Value::Array(new))) => {
                operations.extend(elements(&path, old, new));
            }
            (Style::Parts, Some(Value::Object(old)), Some(Value::Object(new))) => {
                for sub in whole.attribute.sub_attributes.iter().map(|sub| &*sub.name) {
                    if old.get(sub) != new.get(sub) {
                        operations.push(whole_value(&format!("{path}.{sub}"), new.get(sub)));
                    }
                }
            }
            (Style::Value, _, _) => {
                together.insert(path, replacement(old, new));
            }
            (_, Some(Value::Object(_)), Some(Value::Object(_))) => {
                let value = replacement(old, new);
                operations.push(json!({"op": "replace", "path": path, "value": value}));
            }
            _ => operations.push(whole_value(&path, new)),
        }
    }
    if !together.is_empty() {
        operations.push(json!({"op": "replace", "value": together}));
    }
    (operations, named)
}

/// A replace merges sub-attributes (RFC 7644 §3.5.2.3), so those that go are null.
fn replacement(old: Option<&Value>, new: Option<&Value>) -> Value {
    let mut value = new.cloned().unwrap_or_default();
    if let (Some(Value::Object(old)), Value::Object(new)) = (old, &mut value) {
        for name in old.keys() {
            new.entry(name.clone()).or_insert(Value::Null);
        }
    }
    value
}

fn whole_value(path: &str, new: Option<&Value>) -> Value {
    match new {
        Some(new) => json!({"op": "replace", "path": path, "value": new}),
        None => json!({"op": "remove", "path": path}),
    }
}

/// Takes out what is no longer there, then adds what is new.
fn elements(path: &str, old: &[Value], new: &[Value]) -> Vec<Value> {
    let gone = old.iter().filter(|element| !new.contains(element));
    let mut operations: Vec<Value> = gone
        .map(|element| {
            let value = element.get("value").unwrap_or(element);
            json!({"op": "remove", "path": format!("{path}[value eq {value}]")})
        })
        .collect();
    let come: Vec<_> = new
        .iter()
        .filter(|element| !old.contains(element))
        .collect();
    if !come.is_empty() {
        operations.push(json!({"op": "add", "path": path, "value": come}));
    }
    operations
}

fn styles() -> impl Strategy<Value = Vec<Style>> {
    let style = prop::sample::select(vec![Style::Path, Style::Value, Style::Parts]);
    prop::collection::vec(style, 7)
}

proptest! {
    #[test]
    fn a_difference_applied_gives_the_other_document_and_touches_what_differs(
        before in documents(), after in documents(), styles in styles()
    ) {
        let (operations, named) = difference(&before, &after, &styles);
        prop_assume!(!operations.is_empty());
        let body = map(json!({"schemas": [PATCH_URN], "Operations": operations}));
        let patched = parse(body, &user(), Profile::Rfc).unwrap().apply(&user(), &before).unwrap();
        prop_assert_eq!(sorted(&patched.document.into()), sorted(&after.into()), "{:?}", operations);
        let touched = patched.touched.iter().chain(&patched.removed);
        let touched: BTreeSet<String> = touched.map(|one| one.location.whole().to_string()).collect();
        prop_assert_eq!(touched, named, "{:?}", operations);
        prop_assert!(patched.ignored.is_empty());
    }

    #[test]
    fn a_patch_that_says_what_stands_changes_nothing_and_claims_it(before in documents()) {
        let ty = user();
        let stands: Vec<Value> = ty
            .attributes()
            .filter(|whole| &*whole.location.attribute != "schemas")
            .filter_map(|whole| {
                let value = attribute(&before, &whole.location)?;
                Some(json!({"op": "add", "path": whole.location.to_string(), "value": value}))
            })
            .collect();
        let count = stands.len();
        let body = map(json!({"schemas": [PATCH_URN], "Operations": stands}));
        let patched = parse(body, &ty, Profile::Rfc).unwrap().apply(&ty, &before).unwrap();
        prop_assert_eq!(&patched.document, &before);
        let touched: BTreeSet<_> = patched.touched.iter().map(|one| one.location.whole()).collect();
        prop_assert_eq!(touched.len(), count);
        for location in touched {
            prop_assert!(container(&before, &location).is_some());
        }
    }

    #[test]
    fn what_all_operations_remove_leaves_the_required_alone(before in documents()) {
        let ty = user();
        let removals: Vec<Value> = ty
            .attributes()
            .filter(|whole| !whole.attribute.required && document::attribute(&before, &whole.location).is_some())
            .map(|whole| json!({"op": "remove", "path": whole.location.to_string()}))
            .collect();
        prop_assume!(!removals.is_empty());
        let body = map(json!({"schemas": [PATCH_URN], "Operations": removals}));
        let patched = parse(body, &ty, Profile::Rfc).unwrap().apply(&ty, &before).unwrap();
        prop_assert_eq!(patched.document, map(json!({"schemas": [USER], "userName": "ada"})));
    }
}
