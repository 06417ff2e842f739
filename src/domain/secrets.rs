//! What a policy marks as secret (design §5): sealed where it stands, found by a blind index alone, and otherwise as any
//! attribute: who may see what of it is the masking's affair.
//!
//! All secrets of a document, or of the claims of one source, stand sealed together under the key `""`, which is no path:
//!
//! ```json
//! {"":"base64 of nonce, ciphertext and tag","displayName":"Ada"}
//! ```
//! Sealed, one text is the same every time, so that what is kept shows whether anything has to be written anew.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::catalog::Catalog;
use super::policy::{Policy, selector};
use super::record::{Kind, Leaves};
use super::sealed::{Blind, Envelope};
use super::sealing::Broken;
use super::view::{Spec, Specs};
use crate::scim::comparable::comparable;
use crate::scim::filter::{Condition, Test};
use crate::scim::schema;

/// How a text with something sealed in it begins.
const OPENING: &str = "{\"\":\"";

/// The canonical paths that are secret of persons: each has a data key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secrets(BTreeSet<String>);

/// What is kept of a record, each sealed for its own place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The folded values.
    Document,
    /// The claims of one source.
    Claims,
}

impl Kept {
    fn place(self) -> &'static str {
        match self {
            Self::Document => "at rest: document",
            Self::Claims => "at rest: claims",
        }
    }
}

/// Why what is kept is not understood.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It does not open.
    #[error(transparent)]
    Sealed(#[from] Broken),
    /// It is no JSON of its form.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
}

impl Secrets {
    /// What a policy marks.
    #[must_use]
    pub fn of(policy: &Policy, catalog: &Catalog) -> Self {
        let names = policy.secret.iter();
        let known = names.filter_map(|name| selector::resolve(catalog, &name.value).ok());
        let targets: Vec<_> = known.flat_map(|known| known.targets).collect();
        let person = catalog.specs(Kind::Person).keys();
        let marked = person.filter(|path| {
            let of_it = selector::Target {
                kind: Some(Kind::Person),
                path: (*path).clone(),
            };
            targets.iter().any(|target| target.holds(&of_it))
        });
        Self(marked.cloned().collect())
    }

    /// These paths.
    #[must_use]
    pub fn these(paths: impl IntoIterator<Item = String>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether what stands at a canonical path is.
    #[must_use]
    pub fn holds(&self, path: &str) -> bool {
        self.0.contains(path)
    }

    /// Those among the paths of some values.
    #[must_use]
    pub fn among<T>(&self, values: &BTreeMap<String, T>) -> Self {
        let here = self.0.iter().filter(|path| values.contains_key(*path));
        Self(here.cloned().collect())
    }

    /// Whether any value is.
    #[must_use]
    pub fn any<T>(&self, values: &BTreeMap<String, T>) -> bool {
        self.0.iter().any(|path| values.contains_key(path))
    }

    /// The text that is kept of these values.
    pub fn close<T: Serialize>(
        &self,
        values: &BTreeMap<String, T>,
        envelope: Option<&Envelope>,
        kept: Kept,
    ) -> Result<String, Unreadable> {
        if !self.any(values) {
            return Ok(serde_json::to_string(values)?);
        }
        let (secret, plain): (BTreeMap<_, _>, BTreeMap<_, _>) =
            values.iter().partition(|(path, _)| self.holds(path));
        let secret = serde_json::to_string(&secret)?;
        let sealed = envelope.ok_or(Broken)?.seal_text(kept.place(), &secret)?;
        let plain = serde_json::to_string(&plain)?;
        let comma = if plain == "{}" { "" } else { "," };
        Ok(format!("{OPENING}{sealed}\"{comma}{}", &plain[1..]))
    }

    /// By what a record's secrets are found: whole values alone.
    #[must_use]
    pub fn blind(&self, specs: &Specs, leaves: &Leaves) -> BTreeSet<Blind> {
        let here = leaves.iter().filter(|(path, _)| self.holds(path));
        let known = here.filter_map(|(path, value)| Some((path, specs.get(path)?, value)));
        known
            .flat_map(|(path, spec, value)| {
                let elements = value.as_array();
                let elements = elements.map_or(std::slice::from_ref(value), Vec::as_slice);
                let texts = elements.iter().filter_map(|element| text(spec, element));
                texts.map(|text| Blind::whole(path, &text))
            })
            .collect()
    }
}

/// The comparable text by which a value is found: its own, or that of its part `value`.
fn text(spec: &Spec, element: &Value) -> Option<String> {
    if spec.attribute.kind != schema::Kind::Complex {
        return comparable(&spec.attribute, element);
    }
    comparable(spec.attribute.sub("value")?, element.get("value")?)
}

/// The one value that a test on what stands at `path` asks for; nothing if it asks for anything else.
#[must_use]
pub fn asked(path: &str, is_complex: bool, condition: &Condition) -> Option<Blind> {
    let condition = match condition {
        Condition::Element { condition, .. } => match &**condition {
            Condition::All(terms) => <&[_; 1]>::try_from(terms.as_slice()).ok()?.first()?,
            single => single,
        },
        test => test,
    };
    let Condition::Test {
        location,
        test: Test::Equal(text),
        ..
    } = condition
    else {
        return None;
    };
    let of_value = !is_complex || location.sub.as_deref() == Some("value");
    of_value.then(|| Blind::whole(path, text))
}

/// What is kept, opened; and which of it was sealed. `envelope` is asked for only if something is.
pub fn open<T: DeserializeOwned, E: From<Unreadable>>(
    text: &str,
    kept: Kept,
    envelope: impl FnOnce() -> Result<Envelope, E>,
) -> Result<(BTreeMap<String, T>, Secrets), E> {
    let Some(sealed) = text.strip_prefix(OPENING) else {
        let values = serde_json::from_str(text).map_err(Unreadable::from)?;
        return Ok((values, Secrets::default()));
    };
    let (sealed, rest) = sealed.split_once('"').ok_or(Unreadable::from(Broken))?;
    let plain = format!("{{{}", rest.strip_prefix(',').unwrap_or(rest));
    let mut values: BTreeMap<String, T> = serde_json::from_str(&plain).map_err(Unreadable::from)?;
    let opened = envelope()?.open_text(kept.place(), sealed);
    let opened = opened.map_err(Unreadable::from)?;
    let secret: BTreeMap<String, T> = serde_json::from_str(&opened).map_err(Unreadable::from)?;
    let sealed = Secrets(secret.keys().cloned().collect());
    values.extend(secret);
    Ok((values, sealed))
}

/// Whether anything is sealed in what is kept.
#[must_use]
pub fn is_sealed(text: &str) -> bool {
    text.starts_with(OPENING)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::sealing::{KEY, Key};
    use crate::id::{ResourceId, TenantId};

    fn envelope(seed: u8) -> Envelope {
        Envelope::new(
            Key::new([seed; KEY]),
            TenantId(1),
            ResourceId(uuid::Uuid::nil()),
        )
    }

    fn leaves(value: Value) -> Leaves {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn what_is_closed_opens_to_the_same_and_says_what_was_sealed() {
        let secrets = Secrets::these(["birthDate".into(), "nationalities".into()]);
        for values in [
            json!({"displayName": "Ada", "birthDate": "1815-12-10"}),
            json!({"birthDate": "\"},", "nationalities": ["{\"\":\"", "PT"]}),
            json!({"displayName": "{\"\":\""}),
            json!({}),
        ] {
            let values = leaves(values);
            let kept = secrets.close(&values, Some(&envelope(7)), Kept::Document);
            let kept = kept.unwrap();
            assert!(!kept.contains("1815") && !kept.contains("PT"), "{kept}");
            assert_eq!(is_sealed(&kept), secrets.any(&values), "{kept}");
            let open = |kept: &str, place, seed| {
                open::<Value, Unreadable>(kept, place, || Ok(envelope(seed)))
            };
            let (again, sealed) = open(&kept, Kept::Document, 7).unwrap();
            assert_eq!((&again, &sealed), (&values, &secrets.among(&values)));
            if is_sealed(&kept) {
                assert!(open(&kept, Kept::Claims, 7).is_err(), "another place");
                assert!(open(&kept, Kept::Document, 8).is_err(), "another key");
                let cut = kept.replacen("\":\"", "\":\"A", 1);
                assert!(open(&cut, Kept::Document, 7).is_err(), "changed");
            }
        }
    }

    #[test]
    fn nothing_secret_is_kept_without_a_key() {
        let secrets = Secrets::these(["birthDate".into()]);
        let plain = leaves(json!({"displayName": "Ada"}));
        assert!(secrets.close(&plain, None, Kept::Document).is_ok());
        let secret = leaves(json!({"birthDate": "1815-12-10"}));
        assert!(secrets.close(&secret, None, Kept::Document).is_err());
    }
}
