//! JSON as a strict reader takes it: bad UTF-8, duplicate members, trailing text and deep nesting are refused.
//!
//! Two parsers that disagree about a duplicate member (RFC 8259 §4) would let one body mean two things.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};

use super::Map;
use super::error::{Error, Result};

/// How deep objects and arrays may nest.
pub const MAX_DEPTH: usize = 64;

/// How many values, members and elements counted, a text may hold. A value of two bytes, `0,`, takes thirty and more when
/// it is read, so that bytes alone do not bound the memory that a body costs. As many members as a mebibyte holds are
/// fewer than half of it.
pub const MAX_VALUES: usize = 100_000;

/// A body's text.
pub(crate) fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| {
        Error::invalid_syntax(format!(
            "the body is not UTF-8: the byte at offset {} begins no character",
            error.valid_up_to()
        ))
    })
}

/// Reads one JSON value from a body.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = text(bytes)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let left = Cell::new(MAX_VALUES);
    let node = Node {
        depth: 0,
        left: &left,
    };
    let value = node
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::invalid_syntax(format!("the body is not valid JSON: {error}")))?;
    // Unescaped it is no JSON.
    match text.contains("\\u0000").then(|| nul(&value)).flatten() {
        None => Ok(value),
        Some(at) => Err(Error::invalid_value(format!(
            "'{at}' must not hold the character U+0000"
        ))),
    }
}

/// Where U+0000 stands, which PostgreSQL keeps in no text: in a value, or in the name of a member.
fn nul(value: &Value) -> Option<String> {
    let below = |step: String, value: &Value| {
        let rest = nul(value)?;
        let dot = if rest.is_empty() || rest.starts_with('[') {
            ""
        } else {
            "."
        };
        Some(format!("{step}{dot}{rest}"))
    };
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(n, item)| below(format!("[{n}]"), item))
        }
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                return Some(name.escape_debug().to_string());
            }
            below(name.clone(), value)
        }),
        _ => None,
    }
}

/// Reads one JSON object from a body.
pub fn object(bytes: &[u8]) -> Result<Map> {
    match parse(bytes)? {
        Value::Object(map) => Ok(map),
        other => Err(Error::invalid_syntax(format!(
            "the body must be a JSON object, not {}",
            name_of(&other)
        ))),
    }
}

/// What a value is, in words for an error's detail.
pub(crate) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// One value at a depth.
#[derive(Clone, Copy)]
struct Node<'a> {
    depth: usize,
    /// How many more values there may be.
    left: &'a Cell<usize>,
}

impl Node<'_> {
    fn deeper<E: de::Error>(self) -> std::result::Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format!(
                "arrays and objects nest deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        reader: D,
    ) -> std::result::Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        let left = left
            .ok_or_else(|| de::Error::custom(format!("it holds more than {MAX_VALUES} values")))?;
        self.left.set(left);
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format!(
                    "the member '{name}' appears twice"
                )));
            }
            let value = members.next_value_seed(inner)?;
            map.insert(name, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::error::Kind;

    fn refused(bytes: &[u8]) -> String {
        let error = parse(bytes).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidSyntax);
        error.detail
    }

    #[test]
    fn numbers_keep_their_kind() {
        let value = parse(b"[1, -9223372036854775808, 18446744073709551615, 1.5]").unwrap();
        assert_eq!(value[1].as_i64(), Some(i64::MIN));
        assert_eq!(value[2].as_u64(), Some(u64::MAX));
        assert_eq!(value[3].as_f64(), Some(1.5));
    }

    #[test]
    fn a_duplicate_member_is_named_with_its_place() {
        let detail = refused(br#"{"a": {"x": 1, "x": 2}}"#);
        assert!(
            detail.contains("'x'") && detail.contains("line 1"),
            "{detail}"
        );
    }

    #[test]
    fn bad_utf8_is_named_by_offset() {
        assert!(refused(b"{\"a\": \"\xff\"}").contains("offset 7"));
    }

    #[test]
    fn trailing_text_and_half_surrogates_are_refused() {
        assert!(refused(b"{} {}").contains("trailing"));
        refused(br#""\ud800""#);
        refused(b"");
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        assert!(refused(nested(MAX_DEPTH + 1).as_bytes()).contains("64"));
        refused(nested(100_000).as_bytes());
    }

    #[test]
    fn values_are_counted() {
        let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        // The array is one itself.
        assert!(parse(zeros(MAX_VALUES - 1).as_bytes()).is_ok());
        assert!(refused(zeros(MAX_VALUES).as_bytes()).contains("100000 values"));
    }

    #[test]
    fn what_no_database_keeps_is_named_by_its_place() {
        let detail = |text: &str| parse(text.as_bytes()).unwrap_err().detail;
        for (text, at) in [
            (r#"{"a": {"b": [1, "x\u0000"]}}"#, "'a.b[1]' must"),
            (r#"{"a": [{"b": "\u0000"}]}"#, "'a[0].b' must"),
            (r#"{"a\u0000": 1}"#, r"'a\0' must"),
        ] {
            let detail = detail(text);
            assert!(detail.starts_with(at), "{detail}");
        }
        // A backslash before it is another text.
        assert!(parse(br#"{"a": "\\u0000"}"#).is_ok());
    }

    #[test]
    fn an_object_is_asked_for() {
        assert!(object(b"[]").unwrap_err().detail.contains("an array"));
    }
}
