//! One simple value: its type (RFC 7643 §2.3), its form and its size.

use serde_json::Value;

use super::{MAX_STRING, form};
use crate::scim::comparable::{parse_date, parse_date_time};
use crate::scim::error::{Error, Result};
use crate::scim::filter::{boolean, type_name};
use crate::scim::json::name_of;
use crate::scim::profile::{Habit, Profile};
use crate::scim::resource_type::Location;
use crate::scim::schema::{Attribute, Format, Kind};

/// Reads a value of a simple attribute.
pub(super) fn read(
    attribute: &Attribute,
    location: &Location,
    value: Value,
    profile: Profile,
) -> Result<Value> {
    match (attribute.kind, value) {
        (_, Value::String(text)) if attribute.stand_ins.iter().any(|known| known.is(&text)) => {
            Ok(Value::String(text))
        }
        (Kind::Boolean, Value::String(text)) if profile.allows(Habit::BooleanStrings) => {
            boolean(&text).map(Value::Bool).ok_or_else(|| {
                Error::invalid_value(format!(
                    "'{location}' must be true or false, not \"{}\"",
                    excerpt(&text)
                ))
            })
        }
        (Kind::Boolean, truth @ Value::Bool(_)) => Ok(truth),
        (Kind::Integer, number @ Value::Number(_)) => integer(location, number),
        (Kind::Decimal, number @ Value::Number(_)) => Ok(number),
        (Kind::Boolean | Kind::Integer | Kind::Decimal | Kind::Complex, other) => {
            Err(mismatch(attribute, location, &other))
        }
        (_, Value::String(text)) => {
            if !profile.allows(Habit::OddValues) {
                form::check(attribute, location, &text)?;
            }
            string(attribute, location, text).map(Value::String)
        }
        (_, other) => Err(mismatch(attribute, location, &other)),
    }
}

fn mismatch(attribute: &Attribute, location: &Location, value: &Value) -> Error {
    let (wanted, found) = (type_name(attribute.kind), name_of(value));
    Error::invalid_value(format!("'{location}' must be {wanted}, not {found}"))
}

fn integer(location: &Location, number: Value) -> Result<Value> {
    if number.is_i64() {
        return Ok(number);
    }
    Err(Error::invalid_value(format!(
        "'{location}' must be a whole number from {} to {}, not {number}",
        i64::MIN,
        i64::MAX
    )))
}

fn string(attribute: &Attribute, location: &Location, text: String) -> Result<String> {
    if text.len() > MAX_STRING {
        return Err(Error::invalid_value(format!(
            "'{location}' has {} bytes; {MAX_STRING} are allowed",
            text.len()
        )));
    }
    if text.contains('\0') {
        return Err(Error::invalid_value(format!(
            "'{location}' must not hold the character U+0000"
        )));
    }
    let wanted = match (attribute.kind, attribute.format) {
        (Kind::DateTime, _) if parse_date_time(&text).is_none() => type_name(Kind::DateTime),
        (Kind::Binary, _) if !is_base64(&text) => "base64 (RFC 4648 §4)",
        (Kind::String, Some(Format::Date)) if parse_date(&text).is_none() => {
            "a calendar day such as \"2026-11-22\""
        }
        (Kind::String, Some(Format::Code)) if !form::is_code(&text) => {
            "a code such as \"document.match\": 1 to 64 letters, digits and ._:-"
        }
        (Kind::Reference, Some(Format::Locator)) if !form::is_locator(&text) => {
            "the URI of where it is kept, such as \"https://example.com/packs/7\", of at most 2048 bytes"
        }
        _ => return canonical(attribute, location, text),
    };
    Err(Error::invalid_value(format!(
        "'{location}' must be {wanted}, not \"{}\"",
        excerpt(&text)
    )))
}

/// The canonical spelling of a value of a closed enumeration.
fn canonical(attribute: &Attribute, location: &Location, text: String) -> Result<String> {
    if !attribute.closed {
        return Ok(text);
    }
    let known = &attribute.canonical_values;
    match known.iter().find(|value| value.eq_ignore_ascii_case(&text)) {
        Some(value) => Ok(value.clone()),
        None => Err(Error::invalid_value(format!(
            "'{location}' must be one of {}, not \"{}\"",
            known.join(", "),
            excerpt(&text)
        ))),
    }
}

/// RFC 7643 §2.3.6: the padding may be left out, in whole but not in part. Either form is kept and compared as it was sent.
fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let whole = match padding {
        0 => text.len() % 4 != 1,
        padding => padding <= 2 && text.len().is_multiple_of(4),
    };
    whole
        && body
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

/// The beginning of a value, for an error's detail.
pub(super) fn excerpt(text: &str) -> String {
    let mut start: String = text.chars().take(40).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}
