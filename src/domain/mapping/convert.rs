//! What is made of a value on its way from a cell to an attribute.

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde_json::{Map, Number, Value};

use crate::scim::comparable::{parse_date, parse_date_time};

/// What is made of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Converter {
    /// The text without the blanks around it.
    #[default]
    Text,
    /// A day, in one of these patterns; in ISO 8601 without any.
    Date(Vec<String>),
    /// A moment, in one of these patterns, UTC where none is said; as in RFC 3339 without any.
    DateTime(Vec<String>),
    /// true or false.
    Boolean {
        /// The words for true.
        yes: Vec<String>,
        /// The words for false.
        no: Vec<String>,
    },
    /// Our word for theirs.
    Enum(Vec<(String, String)>),
    /// A number.
    Number,
    /// A name in one text, taken apart.
    Name(Order),
    /// Several values in one text.
    Split(String),
}

/// How a name in one text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Order {
    /// `Lovelace, Ada`
    #[default]
    FamilyFirst,
    /// `Ada Lovelace`: the last word is the family name.
    GivenFirst,
}

/// Whether chrono understands a pattern.
pub(super) fn is_pattern(pattern: &str) -> bool {
    let mut items = StrftimeItems::new(pattern);
    pattern.contains('%') && !items.any(|item| item == Item::Error)
}

impl Converter {
    /// The words that need not be told.
    pub(super) fn boolean() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self::Boolean {
            yes: words(&["true", "yes", "y", "1"]),
            no: words(&["false", "no", "n", "0"]),
        }
    }

    /// The value; nothing where the cell is empty. An error says what is wrong with it.
    pub(super) fn convert(&self, given: &Value) -> Result<Option<Value>, String> {
        let text = match given {
            Value::Null => return Ok(None),
            Value::String(text) => text.trim().to_owned(),
            Value::Bool(_) | Value::Number(_) => given.to_string(),
            Value::Array(_) | Value::Object(_) => {
                return Err("this is a list or an object, not one value".into());
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(match self {
            Self::Text => text.into(),
            Self::Date(formats) => day(&text, formats)?.to_string().into(),
            Self::DateTime(formats) => moment(&text, formats)?
                .to_rfc3339_opts(SecondsFormat::AutoSi, true)
                .into(),
            Self::Boolean { yes, no } => {
                let is =
                    |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(&text));
                match (is(yes), is(no)) {
                    (true, _) => true.into(),
                    (_, true) => false.into(),
                    _ => return Err(not_among(&text, yes.iter().chain(no))),
                }
            }
            Self::Enum(map) => {
                let found = map.iter().find(|(theirs, _)| *theirs == text);
                let (_, ours) =
                    found.ok_or_else(|| not_among(&text, map.iter().map(|(theirs, _)| theirs)))?;
                ours.clone().into()
            }
            Self::Number => {
                let number = text.parse::<Number>();
                Value::Number(number.map_err(|_| format!("'{}' is no number", short(&text)))?)
            }
            Self::Name(order) => name(&text, *order),
            Self::Split(by) => {
                let parts = text.split(by.as_str()).map(str::trim);
                parts.filter(|part| !part.is_empty()).collect()
            }
        }))
    }

    /// The moment that a cell tells.
    pub(super) fn moment(&self, given: &Value) -> Result<Option<DateTime<Utc>>, String> {
        let Some(Value::String(text)) = Self::Text.convert(given)? else {
            return Ok(None);
        };
        match self {
            Self::Date(formats) => {
                let midnight = day(&text, formats)?.and_hms_opt(0, 0, 0);
                Ok(midnight.map(|midnight| midnight.and_utc()))
            }
            Self::DateTime(formats) => moment(&text, formats).map(Some),
            _ => moment(&text, &[]).map(Some),
        }
    }
}

fn day(text: &str, formats: &[String]) -> Result<NaiveDate, String> {
    let mut days = formats
        .iter()
        .filter_map(|format| NaiveDate::parse_from_str(text, format).ok());
    let found = if formats.is_empty() {
        parse_date(text)
    } else {
        days.next()
    };
    found.ok_or_else(|| {
        let iso = ["%Y-%m-%d".to_owned()];
        let formats = if formats.is_empty() { &iso } else { formats };
        format!(
            "'{}' is no day written as {}",
            short(text),
            formats.join(" or ")
        )
    })
}

fn moment(text: &str, formats: &[String]) -> Result<DateTime<Utc>, String> {
    if formats.is_empty() {
        let start = || Some(parse_date(text)?.and_hms_opt(0, 0, 0)?.and_utc());
        return parse_date_time(text).or_else(start).ok_or_else(|| {
            format!(
                "'{}' is no time written as 2027-06-30T12:00:00Z",
                short(text)
            )
        });
    }
    let read = |format: &String| {
        let zoned = DateTime::parse_from_str(text, format).map(|at| at.with_timezone(&Utc));
        let plain = || NaiveDateTime::parse_from_str(text, format).map(|at| at.and_utc());
        let day = || {
            let day = NaiveDate::parse_from_str(text, format).ok()?;
            Some(day.and_hms_opt(0, 0, 0)?.and_utc())
        };
        zoned.or_else(|_| plain()).ok().or_else(day)
    };
    let mut found = formats.iter().filter_map(read);
    found.next().ok_or_else(|| {
        format!(
            "'{}' is no time written as {}",
            short(text),
            formats.join(" or ")
        )
    })
}

/// A name taken apart. What has one part only is the given name where that comes first, and the family name where that does.
fn name(text: &str, order: Order) -> Value {
    let (given, family) = match order {
        Order::FamilyFirst => match text.split_once(',') {
            Some((family, given)) => (given.trim(), family.trim()),
            None => ("", text),
        },
        Order::GivenFirst => text
            .rsplit_once(char::is_whitespace)
            .map_or((text, ""), |(given, family)| (given.trim(), family.trim())),
    };
    let parts = [("familyName", family), ("givenName", given)].into_iter();
    let parts = parts.filter(|(_, part)| !part.is_empty());
    let parts = parts.map(|(name, part)| (name.to_owned(), Value::from(part)));
    Value::Object(parts.collect::<Map<String, Value>>())
}

pub(super) fn not_among<'w>(text: &str, known: impl Iterator<Item = &'w String>) -> String {
    let known: Vec<&str> = known.map(String::as_str).collect();
    format!("'{}' is none of {}", short(text), known.join(", "))
}

/// A text that may be long, as a message shows it.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 40;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}
