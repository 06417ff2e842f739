//! The form of a string beyond its type, which only clients that keep to the letter are held to: clients write anything
//! into `profileUrl` and `locale`.

use super::scalar::excerpt;
use crate::scim::error::{Error, Result};
use crate::scim::resource_type::Location;
use crate::scim::schema::{Attribute, Format, Kind};

/// Refuses a text that is not of the form its attribute asks for; an empty one says nothing.
pub(super) fn check(attribute: &Attribute, location: &Location, text: &str) -> Result<()> {
    let is_page = attribute.reference_types.iter().any(|to| to == "external");
    let (fits, wanted) = match (attribute.kind, attribute.format) {
        // RFC 7643 §2.3.7: a URI; what is external is a page or a picture, so it has a scheme (§4.1.1).
        (Kind::Reference, _) if is_page => (
            is_uri(text) && has_scheme(text),
            "an absolute URI such as \"https://example.com/ada\"",
        ),
        (Kind::Reference, _) => (is_uri(text), "a URI (RFC 3986)"),
        (Kind::String, Some(Format::LanguageTag)) => (
            is_language_tag(text),
            "a language tag such as \"en-US\" (RFC 5646)",
        ),
        (Kind::String, Some(Format::TimeZone)) => (
            is_time_zone(text),
            "a time zone's name such as \"Europe/Lisbon\"",
        ),
        _ => return Ok(()),
    };
    if fits || text.is_empty() {
        return Ok(());
    }
    Err(Error::invalid_value(format!(
        "'{location}' must be {wanted}, not \"{}\"",
        excerpt(text)
    )))
}

/// Whether a text is a code: nothing that anybody said, nor anything encoded.
pub(super) fn is_code(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(known)
}

/// Whether a text leads to where something is, and does not hold it itself (`data:`).
pub(super) fn is_locator(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    text.len() <= 2048
        && is_uri(text)
        && has_scheme(text)
        && !["data", "javascript"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme))
}

/// The characters of RFC 3986 §2, percent signs with their two digits.
fn is_uri(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'%' => bytes
            .get(at + 1..at + 3)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(byte),
    })
}

fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        let first = scheme.bytes().next();
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        first.is_some_and(|first| first.is_ascii_alphabetic())
            && scheme.bytes().all(known)
            && !rest.is_empty()
    })
}

/// A language of two to eight letters and subtags of one to eight (RFC 5646 §2.1).
fn is_language_tag(text: &str) -> bool {
    let mut parts = text.split('-');
    let language = parts.next().unwrap_or_default();
    let is_language =
        (2..=8).contains(&language.len()) && language.bytes().all(|it| it.is_ascii_alphabetic());
    let is_subtag = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    is_language && parts.all(is_subtag)
}

/// The form of the names in the IANA time zone database (RFC 6557).
fn is_time_zone(text: &str) -> bool {
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || b"_+-".contains(&it))
    };
    text.split('/').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_has_no_blanks_and_whole_escapes() {
        assert!(is_uri("https://example.com/a%20b?c=[1]#d") && is_uri("../Users/7"));
        for text in ["no uri", "a%2", "café", "a\"b"] {
            assert!(!is_uri(text), "{text}");
        }
        assert!(has_scheme("tel:+1") && !has_scheme("example.com/a:b") && !has_scheme("://x"));
    }

    #[test]
    fn languages_and_time_zones_have_their_form() {
        assert!(is_language_tag("en") && is_language_tag("zh-Hant-TW"));
        assert!(!is_language_tag("en_US") && !is_language_tag("e") && !is_language_tag("en-"));
        assert!(is_time_zone("America/Argentina/Buenos_Aires") && is_time_zone("Etc/GMT+1"));
        assert!(!is_time_zone("half past ten") && !is_time_zone("a//b"));
    }
}
