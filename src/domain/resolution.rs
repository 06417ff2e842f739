//! Who is who, by deterministic keys (design §7): an external identifier that a client names, or an e-mail address that
//! two systems are trusted to verify.

use serde_json::Value;

use super::catalog::Catalog;
use super::index::{external_id_text, key, unique_text};
use super::record::{Kind, Leaves, Record, external_id_path};
use super::view::Spec;
use crate::scim::comparable::comparable;

/// The path of the identifiers that vendors gave a person.
pub const EXTERNAL_IDENTIFIERS: &str = "externalIdentifiers";
/// The path of the e-mail addresses.
pub const EMAILS: &str = "emails";

/// Given names less alike than this (Jaro–Winkler) are of two people, unless one is the other's beginning.
const ALIKE: f64 = 0.85;

/// The unique values by which the given external identifiers may be known: the identifier itself, or, where its field
/// is `externalId`, the key of that system's own source record.
#[must_use]
pub fn named_keys(catalog: &Catalog, given: &Leaves) -> Vec<(String, String)> {
    let Some(spec) = catalog.specs(Kind::Person).get(EXTERNAL_IDENTIFIERS) else {
        return Vec::new();
    };
    let mut keys = Vec::new();
    for element in given
        .get(EXTERNAL_IDENTIFIERS)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        keys.push((
            EXTERNAL_IDENTIFIERS.to_owned(),
            key(&unique_text(spec, element)),
        ));
        let text = |name| element.get(name).and_then(Value::as_str);
        if let (Some(system), Some("externalId"), Some(value)) = (
            text("system"),
            text("field"),
            element.get("value").and_then(external_id_text),
        ) {
            keys.push((external_id_path(system), key(&value)));
        }
    }
    keys
}

/// The comparable texts of the e-mail addresses that a body vouches for: all but those it says are not verified.
#[must_use]
pub fn vouched_emails(catalog: &Catalog, given: &Leaves) -> Vec<String> {
    let Some(spec) = catalog.specs(Kind::Person).get(EMAILS) else {
        return Vec::new();
    };
    let elements = given.get(EMAILS).and_then(Value::as_array);
    elements
        .into_iter()
        .flatten()
        .filter_map(|element| vouched(spec, element))
        .collect()
}

/// Whether values hold an e-mail address, by its comparable text.
#[must_use]
pub fn has_email(catalog: &Catalog, leaves: &Leaves, email: &str) -> bool {
    let Some(spec) = catalog.specs(Kind::Person).get(EMAILS) else {
        return false;
    };
    let elements = leaves.get(EMAILS).and_then(Value::as_array);
    let mut texts = elements
        .into_iter()
        .flatten()
        .filter_map(|element| comparable(spec.attribute.sub("value")?, element.get("value")?));
    texts.any(|text| text == email)
}

fn vouched(spec: &Spec, element: &Value) -> Option<String> {
    if element.get("verified") == Some(&Value::Bool(false)) {
        return None;
    }
    comparable(spec.attribute.sub("value")?, element.get("value")?)
}

/// Whether a trusted system other than `but` vouches that the e-mail address `email` is the record's.
#[must_use]
pub fn is_vouched(
    catalog: &Catalog,
    record: &Record,
    email: &str,
    but: Option<&str>,
    verifies: &dyn Fn(&str) -> bool,
) -> bool {
    let Some(spec) = catalog.specs(Kind::Person).get(EMAILS) else {
        return false;
    };
    record.sources.iter().any(|source| {
        let mut claims = source.claims.0.get(EMAILS).into_iter().flatten();
        Some(source.system.as_str()) != but
            && verifies(&source.system)
            && claims.any(|(_, claim)| vouched(spec, &claim.value).as_deref() == Some(email))
    })
}

/// Whether both sides say who they are and the given or the family names are plainly different.
#[must_use]
pub fn names_conflict(a: &Leaves, b: &Leaves) -> bool {
    ["name.givenName", "name.familyName"].iter().any(|path| {
        let text = |leaves: &Leaves| {
            leaves
                .get(*path)
                .and_then(Value::as_str)
                .map(str::to_lowercase)
        };
        let (Some(a), Some(b)) = (text(a), text(b)) else {
            return false;
        };
        let (a, b) = (
            a.trim().trim_end_matches('.'),
            b.trim().trim_end_matches('.'),
        );
        let begins = !a.is_empty() && !b.is_empty() && (a.starts_with(b) || b.starts_with(a));
        !begins && strsim::jaro_winkler(a, b) < ALIKE
    })
}
