//! Secret attributes (design §5): what a client writes of them is sealed before it is claimed, so that claims, the fold, the
//! document and the log hold nothing else. They are found by a blind index alone, and only by whole values.
//!
//! A secret attribute is complex and has elements; the secret of each is its `value`. What stands in its place is the sealed
//! value in base64, a colon, and what may be shown of it. Under one person's key one value is sealed alike every time, so
//! that who says the same again changes nothing.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value, json};

use super::record::Leaves;
use super::sealing::{Broken, Key, NONCE, Place};
use super::view::{Spec, Specs, View};
use crate::id::{ResourceId, TenantId};
use crate::scim::Error;
use crate::scim::comparable::comparable;
use crate::scim::filter::{Condition, Test};
use crate::scim::patch::Patched;
use crate::scim::resource_type::Location;

/// The sub-attribute that is secret.
const VALUE: &str = "value";
/// What else an element may be found by, beside its value.
const NARROWING: [&str; 2] = ["type", "country"];
/// In how many ways a secret whose narrowing is all known can be asked for, each a [`Blind`] of its own.
pub const WAYS: usize = 1 << NARROWING.len();
/// The fewest characters of a value of which the last four may be shown.
const SHOWN_FROM: usize = 8;
/// How many of its last characters are shown.
const SHOWN: usize = 4;

/// What seals and opens one person's secrets.
#[derive(Clone, Debug)]
pub struct Envelope {
    key: Key,
    tenant: TenantId,
    record: ResourceId,
}

impl Envelope {
    /// The envelope of a person who has this data key.
    #[must_use]
    pub fn new(key: Key, tenant: TenantId, record: ResourceId) -> Self {
        Self {
            key,
            tenant,
            record,
        }
    }

    fn place<'a>(&self, path: &'a str) -> Place<'a> {
        Place {
            tenant: self.tenant,
            record: Some(self.record),
            what: path,
        }
    }

    /// A value as it is kept. The nonce follows from path and value by a key that is used for nothing else: it comes twice
    /// only with the same value at the same place.
    fn seal(&self, path: &str, text: &str) -> Result<String, Broken> {
        Ok(format!("{}:{}", self.seal_text(path, text)?, shown(text)))
    }

    /// The same with nothing shown.
    pub(super) fn seal_text(&self, path: &str, text: &str) -> Result<String, Broken> {
        let mac = self.key.derive("nonces").mac(&format!("{path}\u{0}{text}"));
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&mac[..NONCE]);
        let sealed = self.key.seal(nonce, self.place(path), text.as_bytes())?;
        Ok(STANDARD_NO_PAD.encode(sealed))
    }

    /// A value as it was written.
    fn open(&self, path: &str, kept: &str) -> Result<String, Broken> {
        let (sealed, _) = kept.split_once(':').ok_or(Broken)?;
        self.open_text(path, sealed)
    }

    /// What [`Self::seal_text`] has sealed.
    pub(super) fn open_text(&self, path: &str, sealed: &str) -> Result<String, Broken> {
        let sealed = STANDARD_NO_PAD.decode(sealed).map_err(|_| Broken)?;
        String::from_utf8(self.key.open(self.place(path), &sealed)?).map_err(|_| Broken)
    }
}

/// What may be shown of a value: its end, if that is not most of it.
fn shown(text: &str) -> String {
    let count = text.chars().count();
    if count < SHOWN_FROM {
        return String::new();
    }
    text.chars().skip(count - SHOWN).collect()
}

/// The values among these that are secret, with their paths.
fn secret<'a>(
    specs: &'a Specs,
    leaves: &'a Leaves,
) -> impl Iterator<Item = (&'a Spec, &'a str, &'a [Value])> {
    leaves.iter().filter_map(|(path, value)| {
        let spec = specs.get(path).filter(|spec| spec.attribute.secret)?;
        Some((spec, path.as_str(), value.as_array()?.as_slice()))
    })
}

/// Whether any of these values is secret.
#[must_use]
pub fn any(specs: &Specs, leaves: &Leaves) -> bool {
    secret(specs, leaves).next().is_some()
}

/// Seals the secrets of an element, unless they are sealed already: then they are among `known`.
fn seal_element(
    path: &str,
    element: &mut Value,
    known: &BTreeSet<&str>,
    envelope: &Envelope,
) -> Result<(), Broken> {
    if let Some(Value::String(text)) = element.get_mut(VALUE)
        && !known.contains(text.as_str())
    {
        *text = envelope.seal(path, text)?;
    }
    Ok(())
}

/// Seals what a client has written.
pub fn seal(specs: &Specs, given: &mut Leaves, envelope: &Envelope) -> Result<(), Broken> {
    for (path, value) in given {
        if !specs.get(path).is_some_and(|spec| spec.attribute.secret) {
            continue;
        }
        for element in value.as_array_mut().into_iter().flatten() {
            seal_element(path, element, &BTreeSet::new(), envelope)?;
        }
    }
    Ok(())
}

/// Whether a PATCH touched anything secret.
#[must_use]
pub fn touches(view: &View, patched: &Patched) -> bool {
    let touched = patched.touched.iter().chain(&patched.removed);
    touched
        .filter_map(|touched| view.attribute(&touched.location.whole()))
        .any(|attribute| attribute.secret)
}

/// Seals what a PATCH has put into a document that had `before` in it.
pub fn seal_patched(
    view: &View,
    before: &Map<String, Value>,
    patched: &mut Patched,
    envelope: &Envelope,
) -> Result<(), Broken> {
    let secret: Vec<(&Location, &str)> = view
        .units()
        .filter(|(at, _)| view.attribute(at).is_some_and(|attribute| attribute.secret))
        .collect();
    for (location, path) in secret {
        let elements = super::document::value_at(before, location).and_then(Value::as_array);
        let known = elements.into_iter().flatten();
        let known: BTreeSet<&str> = known
            .filter_map(|element| element.get(VALUE)?.as_str())
            .collect();
        let after = patched.document.get_mut(&*location.attribute);
        if let Some(elements) = after.and_then(Value::as_array_mut) {
            for element in &mut *elements {
                seal_element(path, element, &known, envelope)?;
            }
            // Sealed, a value that was there already is seen to be the same.
            let mut seen = BTreeSet::new();
            elements.retain(|element| seen.insert(element.to_string()));
        }
        let touched = patched.touched.iter_mut();
        for touched in touched.filter(|touched| touched.location.whole() == *location) {
            if let Some(element) = &mut touched.element {
                seal_element(path, element, &known, envelope)?;
            }
        }
    }
    Ok(())
}

/// The same values, opened: for the subject alone.
pub fn open(specs: &Specs, leaves: &mut Leaves, envelope: &Envelope) -> Result<(), Broken> {
    for (path, value) in leaves {
        if !specs.get(path).is_some_and(|spec| spec.attribute.secret) {
            continue;
        }
        for element in value.as_array_mut().into_iter().flatten() {
            if let Some(Value::String(text)) = element.get_mut(VALUE) {
                *text = envelope.open(path, text)?;
            }
        }
    }
    Ok(())
}

/// `legalIdentifierHints`: what may be shown of the legal identifiers.
#[must_use]
pub fn hints(leaves: &Leaves) -> Option<(&'static str, Value)> {
    let elements = leaves.get("legalIdentifiers")?.as_array()?;
    let hints: Vec<Value> = elements
        .iter()
        .map(|element| {
            let mut hint = Map::new();
            for name in NARROWING {
                if let Some(value) = element.get(name) {
                    hint.insert(name.into(), value.clone());
                }
            }
            let kept = element.get(VALUE).and_then(Value::as_str);
            if let Some((_, end)) = kept.and_then(|kept| kept.split_once(':'))
                && !end.is_empty()
            {
                hint.insert("lastFour".into(), json!(end));
            }
            Value::Object(hint)
        })
        .collect();
    (!hints.is_empty()).then(|| ("legalIdentifierHints", hints.into()))
}

/// A secret by which a record may be found: the path of its attribute, and the text whose HMAC stands in the blind index.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blind {
    /// The canonical path.
    pub path: String,
    /// The value with whatever narrows it, each in comparable form.
    pub text: String,
}

impl Blind {
    /// A value that is asked for alone.
    #[must_use]
    pub fn whole(path: &str, value: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: blind_text([None, None], value),
        }
    }
}

/// The text of a value that is asked for alone, or together with what narrows it.
fn blind_text(narrowing: [Option<&str>; 2], value: &str) -> String {
    let [kind, country] =
        narrowing.map(|part| part.map_or_else(|| "\u{0}".to_owned(), str::to_owned));
    format!("{kind}\u{1f}{country}\u{1f}{value}")
}

/// Everything by which a record's secrets may be found.
pub fn blind(
    specs: &Specs,
    leaves: &Leaves,
    envelope: &Envelope,
) -> Result<BTreeSet<Blind>, Broken> {
    let mut found = BTreeSet::new();
    for (spec, path, elements) in secret(specs, leaves) {
        for element in elements {
            let text = |name: &str| {
                let sub = spec.attribute.sub(name)?;
                comparable(sub, element.get(name)?)
            };
            let Some(kept) = element.get(VALUE).and_then(Value::as_str) else {
                continue;
            };
            let opened = Value::from(envelope.open(path, kept)?);
            let sub = spec.attribute.sub(VALUE);
            let Some(value) = sub.and_then(|sub| comparable(sub, &opened)) else {
                continue;
            };
            let [kind, country] = NARROWING.map(text);
            for kind in [None, kind.as_deref()] {
                for country in [None, country.as_deref()] {
                    found.insert(Blind {
                        path: path.to_owned(),
                        text: blind_text([kind, country], &value),
                    });
                }
            }
        }
    }
    Ok(found)
}

/// A record's secrets as matching compares them: of which kind each is, and what it is, as in `ssn|us:078051120`. What is not
/// sealed yet needs no envelope.
pub fn identifiers(
    specs: &Specs,
    leaves: &Leaves,
    envelope: Option<&Envelope>,
) -> Result<Vec<String>, Broken> {
    let mut found = Vec::new();
    for (spec, path, elements) in secret(specs, leaves) {
        for element in elements {
            let text = |name: &str, value: &Value| comparable(spec.attribute.sub(name)?, value);
            let Some(kept) = element.get(VALUE).and_then(Value::as_str) else {
                continue;
            };
            let opened = match envelope {
                Some(envelope) => envelope.open(path, kept)?,
                None => kept.to_owned(),
            };
            let part = |name: &str| element.get(name).and_then(|value| text(name, value));
            let [kind, country] = NARROWING.map(|name| part(name).unwrap_or_default());
            if let Some(value) = text(VALUE, &opened.into()) {
                found.push(format!("{kind}|{country}:{value}"));
            }
        }
    }
    Ok(found)
}

/// What a filter on a secret attribute asks for: one whole value, which may be narrowed by the other parts of the same
/// element.
///
/// # Errors
/// `invalidFilter` for everything else: no other question can be answered without opening the secrets of all.
pub fn asked(view: &View, condition: &Condition) -> Result<Blind, Error> {
    let (at, terms) = match condition {
        Condition::Element {
            location,
            condition,
        } => match &**condition {
            Condition::All(terms) => (location.clone(), terms.as_slice()),
            single => (location.clone(), std::slice::from_ref(single)),
        },
        Condition::Test { location, .. } => (location.whole(), std::slice::from_ref(condition)),
        _ => return Err(unanswerable("a secret attribute")),
    };
    let refused = || unanswerable(&at.to_string());
    let (mut value, mut narrowing) = (None, [None, None]);
    for term in terms {
        let Condition::Test {
            location,
            test: Test::Equal(text),
            ..
        } = term
        else {
            return Err(refused());
        };
        let sub = location.sub.as_deref().ok_or_else(refused)?;
        let slot = if sub == VALUE {
            &mut value
        } else {
            let place = NARROWING.iter().position(|name| *name == sub);
            place
                .map(|place| &mut narrowing[place])
                .ok_or_else(refused)?
        };
        if slot.replace(text.as_str()).is_some() {
            return Err(refused());
        }
    }
    let path = view.canonical(&at).ok_or_else(refused)?;
    Ok(Blind {
        path: path.to_owned(),
        text: blind_text(narrowing, value.ok_or_else(refused)?),
    })
}

fn unanswerable(location: &str) -> Error {
    Error::invalid_filter(format!(
        "'{location}' is secret: it is found by a whole value alone, as in \
         {location}[type eq \"passport\" and country eq \"PT\" and value eq \"…\"]"
    ))
}
