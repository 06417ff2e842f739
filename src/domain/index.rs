//! Folded values as rows of the attribute index and of the table of unique values (design §5).

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::event::Change;
use super::record::{Leaves, external_ids};
use super::secrets::Secrets;
use super::view::{Spec, Specs};
use crate::scim::comparable::{Comparison, comparable};
use crate::scim::schema::{Attribute, Kind};

/// The longest value, in bytes, that stands in the index as it is.
pub const LONGEST: usize = 256;

/// One row of the attribute index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The canonical path.
    pub path: String,
    /// Which element of a multi-valued attribute; 0 for a single value.
    pub element: i32,
    /// The comparable text as [`key`] shortens it.
    pub value: String,
    /// The whole text, where it was shortened.
    pub whole: Option<String>,
}

/// How a comparable text stands in an index: itself, or a prefix and a hash, which is longer than [`LONGEST`] and so
/// never equal to a short text, and sorts among its neighbors by the prefix.
#[must_use]
pub fn key(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let hash = Sha256::digest(text.as_bytes());
    format!("{}{}", prefix(text), URL_SAFE_NO_PAD.encode(hash))
}

/// The part of a long text that its key begins with.
#[must_use]
pub fn prefix(text: &str) -> &str {
    cut(text, LONGEST)
}

fn cut(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The part of a text that the key of every text after it reaches: a key is cut between characters, so its prefix may
/// be three bytes shorter than [`LONGEST`], and what follows there is hash.
#[must_use]
pub fn shared(text: &str) -> &str {
    cut(text, LONGEST - 3)
}

/// All index rows of a record: none of what is secret, and of what a policy marks so that it is there, not what it is.
#[must_use]
pub fn rows(specs: &Specs, leaves: &Leaves, secrets: &Secrets) -> BTreeSet<Row> {
    let mut rows = BTreeSet::new();
    for (path, value) in leaves {
        if secrets.holds(path) {
            let mut there = BTreeSet::new();
            value_rows(specs, (path, value), &mut there);
            rows.extend(there.into_iter().map(|row| Row {
                value: String::new(),
                whole: None,
                ..row
            }));
        } else {
            value_rows(specs, (path, value), &mut rows);
        }
    }
    rows
}

fn value_rows(specs: &Specs, (path, value): (&str, &Value), rows: &mut BTreeSet<Row>) {
    let Some(spec) = specs.get(path) else {
        for (element, value) in (0..).zip(external_ids(value)) {
            rows.extend(external_id_text(value).map(|text| row(path, element, &text)));
        }
        return;
    };
    if spec.attribute.secret {
        return;
    }
    match value {
        Value::Array(elements) => {
            for (element, value) in (0..).zip(elements) {
                element_rows(path, element, &spec.attribute, value, rows);
            }
        }
        single => {
            rows.extend(comparable(&spec.attribute, single).map(|text| row(path, 0, &text)));
        }
    }
}

/// The comparable text of a system's `externalId`: caseExact (RFC 7643 §3.1).
#[must_use]
pub fn external_id_text(value: &Value) -> Option<String> {
    let exact = Comparison {
        kind: Kind::String,
        case_exact: true,
    };
    exact.text(value)
}

fn element_rows(
    path: &str,
    element: i32,
    attribute: &Attribute,
    value: &Value,
    rows: &mut BTreeSet<Row>,
) {
    if attribute.kind != Kind::Complex {
        rows.extend(comparable(attribute, value).map(|text| row(path, element, &text)));
        return;
    }
    // The element itself: what `pr` and value paths count.
    rows.insert(row(path, element, ""));
    for (name, value) in value.as_object().into_iter().flatten() {
        let Some(sub) = attribute.sub(name) else {
            continue;
        };
        let path = format!("{path}.{name}");
        let values = value
            .as_array()
            .map_or(std::slice::from_ref(value), Vec::as_slice);
        rows.extend(
            values
                .iter()
                .filter_map(|value| comparable(sub, value))
                .map(|text| row(&path, element, &text)),
        );
    }
}

fn row(path: &str, element: i32, text: &str) -> Row {
    let whole = (text.len() > LONGEST).then(|| text.to_owned());
    Row {
        path: path.to_owned(),
        element,
        value: key(text),
        whole,
    }
}

/// A value that only one record of its tenant may hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unique {
    /// The canonical path.
    pub path: String,
    /// The comparable text as [`key`] shortens it.
    pub value: String,
}

/// All unique values of a record (RFC 7643 §7, `uniqueness`), `externalId` per system among them.
#[must_use]
pub fn uniques(specs: &Specs, leaves: &Leaves) -> BTreeSet<Unique> {
    let mut uniques = BTreeSet::new();
    for (path, value) in leaves {
        let texts: Vec<String> = match specs.get(path) {
            None => external_ids(value)
                .iter()
                .filter_map(external_id_text)
                .collect(),
            Some(spec) if !spec.is_unique() => continue,
            Some(spec) => match value {
                Value::Array(elements) => elements
                    .iter()
                    .map(|element| unique_text(spec, element))
                    .collect(),
                single => {
                    let text = comparable(&spec.attribute, single);
                    text.map(|text| together(specs, spec, leaves, text))
                        .into_iter()
                        .collect()
                }
            },
        };
        uniques.extend(texts.iter().map(|text| Unique {
            path: path.clone(),
            value: key(text),
        }));
    }
    uniques
}

/// What a record has of unique values that another holds, by the changes which `withheld` names.
#[must_use]
pub fn withheld(specs: &Specs, leaves: &Leaves, withheld: &[Change]) -> BTreeSet<Unique> {
    let of = |change: &Change| {
        let spec = specs.get(&change.path);
        let value = match &change.new {
            one if spec.is_some_and(|spec| spec.attribute.multi_valued) => json!([one]),
            single => single.clone(),
        };
        let mut leaves = leaves.clone();
        leaves.insert(change.path.clone(), value);
        let mut found = uniques(specs, &leaves);
        found.retain(|unique| unique.path == change.path);
        found
    };
    withheld.iter().flat_map(of).collect()
}

/// The text by which a value is unique together with others of its record, such as an attempt's id with its vendor.
fn together(specs: &Specs, spec: &Spec, leaves: &Leaves, text: String) -> String {
    let others = spec.attribute.unique_with.iter();
    others.fold(text, |text, name| {
        let other = specs.get(name).zip(leaves.get(name));
        let other = other.and_then(|(spec, value)| comparable(&spec.attribute, value));
        format!("{text}\u{1f}{}", other.unwrap_or_default())
    })
}

/// The text by which an element is unique: its key and its value.
#[must_use]
pub fn unique_text(spec: &Spec, element: &Value) -> String {
    let value = spec
        .attribute
        .sub("value")
        .and_then(|sub| comparable(sub, element.get("value")?));
    format!(
        "{}\u{1f}{}",
        spec.element_key(element),
        value.unwrap_or_default()
    )
}
