//! Attribute names as clients write them (RFC 7644 §3.10): `name.familyName`, `urn:…:2.0:User:userName`.
//!
//! ```text
//! path = [ URN ":" ] name [ "." name ]        name = [A-Za-z$][A-Za-z0-9_$-]*
//! ```
//! The URN is everything up to the last colon, so the dot of `2.0` is no sub-attribute's dot. Entra ID also
//! writes a dot after the URN (`urn:…:2.0:User.manager`): which of the two is meant only the resource type
//! can tell, see [`ResourceType::resolve`](super::resource_type::ResourceType::resolve).

use std::fmt;

use super::error::{Error, Kind, Result};

/// An attribute as a client names it; nothing is known yet of whether it exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// The schema's URN, if the client wrote one.
    pub schema: Option<String>,
    /// The attribute's name.
    pub attribute: String,
    /// The sub-attribute's name.
    pub sub: Option<String>,
}

impl AttributePath {
    /// Reads a path; a malformed one is an error of the given kind.
    pub fn parse(text: &str, kind: Kind) -> Result<Self> {
        Self::read(text).ok_or_else(|| {
            Error::new(
                kind,
                format!(
                    "'{text}' is no attribute path: write attribute, attribute.subAttribute or URN:attribute"
                ),
            )
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) => (Some(schema), rest),
            None => (None, text),
        };
        if schema.is_some_and(|urn| urn.is_empty() || urn.contains(char::is_whitespace)) {
            return None;
        }
        let names: Vec<&str> = rest.split('.').collect();
        if !names.iter().all(|name| is_name(name)) {
            return None;
        }
        match (schema, names.as_slice()) {
            (schema, [attribute]) => Some(Self::new(schema, attribute, None)),
            (schema, [attribute, sub]) => Some(Self::new(schema, attribute, Some(sub))),
            // Entra's dotted form with a sub-attribute: the first name belongs to the URN.
            (Some(schema), [kind, attribute, sub]) => Some(Self::new(
                Some(&format!("{schema}:{kind}")),
                attribute,
                Some(sub),
            )),
            _ => None,
        }
    }

    fn new(schema: Option<&str>, attribute: &str, sub: Option<&str>) -> Self {
        Self {
            schema: schema.map(str::to_owned),
            attribute: attribute.to_owned(),
            sub: sub.map(str::to_owned),
        }
    }

    /// The other reading of `urn:…:2.0:User.manager`: attribute `manager` of the schema `urn:…:2.0:User`.
    pub(crate) fn dotted_reading(&self) -> Option<Self> {
        let (schema, attribute) = (self.schema.as_ref()?, self.sub.as_ref()?);
        Some(Self {
            schema: Some(format!("{schema}:{}", self.attribute)),
            attribute: attribute.clone(),
            sub: None,
        })
    }
}

/// Whether a text is an attribute's name (RFC 7643 §2.1, with `$ref`).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'$')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'-'))
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.attribute)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> AttributePath {
        let path = AttributePath::parse(text, Kind::InvalidPath).unwrap();
        if text.matches('.').count() < 3 {
            assert_eq!(path.to_string(), text);
        }
        path
    }

    #[test]
    fn the_dot_of_a_version_is_no_sub_attribute() {
        let found = path("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName");
        assert_eq!(
            found.schema.as_deref(),
            Some("urn:ietf:params:scim:schemas:core:2.0:User")
        );
        assert_eq!(
            (found.attribute.as_str(), found.sub.as_deref()),
            ("name", Some("familyName"))
        );
    }

    #[test]
    fn a_dot_after_the_urn_can_be_read_as_a_colon() {
        let dotted = path("urn:x:2.0:User.manager").dotted_reading().unwrap();
        assert_eq!(dotted.to_string(), "urn:x:2.0:User:manager");
        let found = path("urn:x:2.0:User.manager.value");
        assert_eq!(found.to_string(), "urn:x:2.0:User:manager.value");
    }

    #[test]
    fn malformed_paths_are_refused() {
        for text in [
            "", ".", "a.", "a..b", "a.b.c", "a b", "9a", ":a", "a[b", "é", "urn:x:",
        ] {
            assert!(
                AttributePath::parse(text, Kind::InvalidPath).is_err(),
                "{text}"
            );
        }
        path("members.$ref");
    }
}
