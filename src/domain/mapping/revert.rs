//! What is made of a value on its way back, from an attribute to a cell.

use std::fmt::{Display, Write};

use serde_json::Value;

use super::convert::{Converter, Order, not_among, short};
use crate::scim::comparable::{parse_date, parse_date_time};

impl Converter {
    /// Whether it makes one cell of a whole list.
    pub(super) fn is_of_many(&self) -> bool {
        matches!(self, Self::Split(_))
    }

    /// The value as the other system writes it, if it reads it back as the same. A moment may lose what its pattern has no place for.
    pub(super) fn said(&self, value: &Value) -> Result<Value, String> {
        let written = self.revert(value)?;
        let read = match self {
            Self::Text | Self::Number | Self::DateTime(_) => return Ok(written),
            _ => self.convert(&written)?,
        };
        let same = match (self, &read) {
            (Self::Name(_), Some(read)) => parts(read) == parts(value),
            (_, read) => read.as_ref() == Some(value),
        };
        if same {
            return Ok(written);
        }
        let told = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        Err(format!(
            "{} would be written as '{}', and read back as something else",
            short(&told),
            short(written.as_str().unwrap_or_default())
        ))
    }

    /// The value as the other system writes it.
    pub(super) fn revert(&self, value: &Value) -> Result<Value, String> {
        let text = || {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        Ok(match self {
            Self::Text | Self::Number => value.clone(),
            Self::Date(patterns) => {
                let day =
                    parse_date(&text()).ok_or_else(|| format!("'{}' is no day", short(&text())))?;
                match patterns.first() {
                    Some(pattern) => written(&text(), pattern, day.format(pattern))?,
                    None => text().into(),
                }
            }
            Self::DateTime(patterns) => {
                let at = parse_date_time(&text());
                let at = at.ok_or_else(|| format!("'{}' is no time", short(&text())))?;
                match patterns.first() {
                    Some(pattern) => written(&text(), pattern, at.format(pattern))?,
                    None => text().into(),
                }
            }
            Self::Boolean { yes, no } => {
                let words = if *value == Value::Bool(true) { yes } else { no };
                let word = words.first().ok_or("there is no word for it")?;
                word.as_str().into()
            }
            Self::Enum(map) => {
                let found = map.iter().find(|(_, ours)| *ours == text());
                let (theirs, _) =
                    found.ok_or_else(|| not_among(&text(), map.iter().map(|(_, ours)| ours)))?;
                theirs.as_str().into()
            }
            Self::Name(order) => {
                let [given, family] = parts(value);
                let whole = match order {
                    _ if given.is_empty() || family.is_empty() => format!("{family}{given}"),
                    Order::FamilyFirst => format!("{family}, {given}"),
                    Order::GivenFirst => format!("{given} {family}"),
                };
                whole.into()
            }
            Self::Split(by) => {
                let all = value.as_array().into_iter().flatten();
                let all: Vec<String> = all
                    .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                    .collect();
                all.join(by).into()
            }
        })
    }
}

/// In a pattern, which may ask for what there is not.
fn written(text: &str, pattern: &str, formatted: impl Display) -> Result<Value, String> {
    let mut written = String::new();
    write!(written, "{formatted}")
        .map_err(|_| format!("'{}' has nothing for the pattern {pattern}", short(text)))?;
    Ok(written.into())
}

/// The given and the family name.
fn parts(name: &Value) -> [&str; 2] {
    ["givenName", "familyName"]
        .map(|part| name.get(part).and_then(Value::as_str).unwrap_or_default())
}
