//! One text for a value whose byte order is the attribute's order, so that an index of texts serves every type.
//!
//! | type | text |
//! |---|---|
//! | string | NFC, case-folded unless caseExact |
//! | boolean | `false`, `true` |
//! | dateTime | the instant in UTC, fixed width: `2026-11-22T14:59:13.123456Z` |
//! | integer | sixteen hex digits of the value with its sign bit turned |
//! | decimal | sixteen hex digits of the double, turned so that negatives come first |
//! | reference, binary | as it is |

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde_json::Value;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use super::schema::{Attribute, Kind};

/// How an attribute's values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Comparison {
    /// The data type.
    pub kind: Kind,
    /// Whether case matters.
    pub case_exact: bool,
}

impl Comparison {
    /// How this attribute's values compare.
    #[must_use]
    pub fn of(attribute: &Attribute) -> Self {
        Self {
            kind: attribute.kind,
            case_exact: attribute.heeds_case(),
        }
    }

    /// The comparable text of a value, or nothing if the value is not of the type.
    #[must_use]
    pub fn text(self, value: &Value) -> Option<String> {
        match self.kind {
            Kind::String | Kind::Reference | Kind::Binary => {
                value.as_str().map(|text| self.fold(text))
            }
            Kind::Boolean => value.as_bool().map(|truth| truth.to_string()),
            Kind::DateTime => value.as_str().and_then(parse_date_time).map(instant),
            Kind::Integer => value.as_i64().map(integer),
            Kind::Decimal => value.as_f64().map(decimal),
            Kind::Complex => None,
        }
    }

    /// The comparable form of a text or of a part of one.
    #[must_use]
    pub fn fold(self, text: &str) -> String {
        match (self.kind, self.case_exact) {
            (Kind::String, true) => nfc(text),
            (Kind::String, false) => fold(text),
            _ => text.to_owned(),
        }
    }
}

/// The comparable text of an attribute's value, or nothing if the value is not of the attribute's type.
#[must_use]
pub fn comparable(attribute: &Attribute, value: &Value) -> Option<String> {
    Comparison::of(attribute).text(value)
}

fn nfc(text: &str) -> String {
    if is_nfc(text) {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// Folding may leave a text that is not NFC, and NFC must come first so that equal texts fold alike.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let composed: String = text.nfc().collect();
    nfc(&caseless::default_case_fold_str(&composed))
}

/// An instant as fixed-width text, for years 0000 to 9999.
#[must_use]
pub fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The same of microseconds since 1970; nothing beyond those years.
#[must_use]
pub fn micros(micros: i64) -> Option<String> {
    DateTime::from_timestamp_micros(micros).map(instant)
}

/// The integer of a comparable text.
#[must_use]
pub fn integer_of(text: &str) -> Option<i64> {
    let turned = u64::from_str_radix(text, 16).ok()? ^ (1 << 63);
    Some(turned.cast_signed())
}

fn integer(value: i64) -> String {
    format!("{:016x}", value.cast_unsigned() ^ (1 << 63))
}

fn decimal(value: f64) -> String {
    // Adding zero makes minus zero equal to zero.
    let bits = (value + 0.0).to_bits();
    let ordered = if bits >> 63 == 1 {
        !bits
    } else {
        bits | (1 << 63)
    };
    format!("{ordered:016x}")
}

/// Reads an xsd:dateTime (RFC 7643 §2.3.5), truncated to microseconds; without an offset it is UTC.
///
/// Instants whose UTC year lies outside 0000 to 9999 are refused: their text would not be of fixed width.
#[must_use]
pub fn parse_date_time(text: &str) -> Option<DateTime<Utc>> {
    let (date, time) = text.split_once('T')?;
    let date = parse_date(date)?;
    let (clock, offset) = match time.find(['Z', '+', '-']) {
        Some(at) => (&time[..at], parse_offset(&time[at..])?),
        None => (time, TimeDelta::zero()),
    };
    let (seconds, fraction) = match clock.split_once('.') {
        Some((seconds, fraction)) => (seconds, parse_fraction(fraction)?),
        None => (clock, 0),
    };
    let [hour, minute, second] = three(seconds, ':', [2, 2, 2])?;
    let local = if (hour, minute, second, fraction) == (24, 0, 0, 0) {
        // XML Schema writes the end of a day so.
        date.succ_opt()?.and_hms_opt(0, 0, 0)?
    } else {
        date.and_hms_micro_opt(hour, minute, second, fraction)?
    };
    let utc = local.checked_sub_signed(offset)?.and_utc();
    (0..=9999).contains(&utc.year()).then_some(utc)
}

/// Reads a calendar day, YYYY-MM-DD.
#[must_use]
pub fn parse_date(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = three(text, '-', [4, 2, 2])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

fn parse_offset(text: &str) -> Option<TimeDelta> {
    if text == "Z" {
        return Some(TimeDelta::zero());
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let minutes = digits(hours, 2)? * 60 + digits(minutes, 2).filter(|minutes| *minutes < 60)?;
    if minutes > 14 * 60 {
        return None;
    }
    let minutes = i64::from(minutes);
    TimeDelta::try_minutes(if text.starts_with('-') {
        -minutes
    } else {
        minutes
    })
}

/// The microseconds in up to nine digits of a second.
fn parse_fraction(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    let nanoseconds = digits(text, text.len())? * 10u32.pow(9 - u32::try_from(text.len()).ok()?);
    Some(nanoseconds / 1000)
}

fn three(text: &str, separator: char, widths: [usize; 3]) -> Option<[u32; 3]> {
    let mut parts = text.split(separator);
    let mut next = |width| parts.next().and_then(|part| digits(part, width));
    let found = [next(widths[0])?, next(widths[1])?, next(widths[2])?];
    parts.next().is_none().then_some(found)
}

fn digits(text: &str, width: usize) -> Option<u32> {
    let plain = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
