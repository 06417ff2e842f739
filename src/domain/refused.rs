//! What is kept of a write that was refused for what it said (B-038): who, where and why, so that nobody has to ask the vendor; and
//! never what it said, since it may have said what must not be kept (B-064).

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The most characters of a detail that are kept.
const DETAIL: usize = 500;
/// A text of the body is taken out wherever it stands if it is at least so long; a shorter one only in quotation marks, where it
/// could not be part of a word of ours.
const LONG: usize = 4;
/// So is one with these, however short.
const QUOTES: [char; 2] = ['\'', '"'];
/// What stands in its place.
const OMITTED: &str = "…";
/// The members of a body that name what we know, and hold nobody's values.
const NAMES: [&str; 3] = ["schemas", "op", "path"];

/// A way in which a client was refused: what is alike in all of this is one item, however often it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The client.
    pub client: String,
    /// The system that it speaks for.
    pub system: String,
    /// The method and the route, without ids.
    pub route: String,
    /// The resource type; empty if none.
    pub resource_type: String,
    /// The status code.
    pub status: u16,
    /// The `scimType`, if there is one.
    pub scim_type: Option<String>,
    /// The answer's detail, without what the body said.
    pub detail: String,
}

/// One that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Ties together what belongs to one flow.
    pub correlation: String,
    /// The SHA-256 of the body: the sender can find by it what it sent. Nothing of a body that was too large to be read.
    pub body: Option<[u8; 32]>,
    /// When.
    pub at: DateTime<Utc>,
}

/// An item of the queue, as whoever sees to it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The client; empty of what was beyond the bound.
    pub client: String,
    /// The system that it speaks for.
    pub system: String,
    /// The method and the route.
    pub route: String,
    /// The resource type; empty if none.
    pub resource_type: String,
    /// The status code.
    pub status: u16,
    /// The `scimType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// Why.
    pub detail: String,
    /// Of the last that came.
    pub correlation_id: String,
    /// The SHA-256 of the last body, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// When the first came.
    pub first_seen_at: String,
    /// When the last came.
    pub last_seen_at: String,
    /// How many came.
    pub count: i64,
    /// When a human had seen to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// The client through which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// What they say of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Refused {
    /// What stands for all that is beyond the bound: it is counted, and no longer told apart.
    #[must_use]
    pub fn beyond() -> Self {
        Self {
            client: String::new(),
            system: String::new(),
            route: String::new(),
            resource_type: String::new(),
            status: 0,
            scim_type: None,
            detail: "more ways of being refused than are kept: resolve what is settled".into(),
        }
    }

    /// What it is known again by.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let status = self.status.to_string();
        let scim_type = self.scim_type.as_deref().unwrap_or_default();
        let mut hash = Sha256::new();
        for part in [
            &self.client,
            &self.route,
            &self.resource_type,
            &status,
            scim_type,
            &self.detail,
        ] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().into()
    }
}

/// A detail without anything that the body said: names of attributes stay, values go, and so a thousand values that are wrong in one
/// way are one item.
#[must_use]
pub fn without_values(detail: &str, body: Option<&Value>) -> String {
    let mut said = Vec::new();
    if let Some(body) = body {
        texts(body, &mut said);
    }
    said.sort_by_key(|text| std::cmp::Reverse(text.len()));
    let mut told = detail.to_owned();
    let is_telling = |text: &&String| text.len() >= LONG || text.contains(QUOTES);
    for text in said.iter().filter(is_telling) {
        told = told.replace(text.as_str(), OMITTED);
    }
    // What is left of a value stands in quotation marks, or is a number.
    let is_name = |part: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || ".:_-$/".contains(c);
        part.chars().all(known) && !said.iter().any(|text| text == part)
    };
    let is_in_json = |part: &str| is_name(part) || part.starts_with([':', ',', ']']);
    if let (Some(from), Some(to)) = (told.find('"'), told.rfind('"'))
        && from < to
        && !told[from + 1..to].split('"').all(is_in_json)
    {
        told.replace_range(from + 1..to, OMITTED);
    }
    let parts = told.split('\'').enumerate();
    let parts: Vec<&str> = parts
        .map(|(n, part)| {
            if n % 2 == 0 || is_name(part) {
                part
            } else {
                OMITTED
            }
        })
        .collect();
    let told = parts.join("'");
    let words = told.split_inclusive(' ').map(|word| {
        let number = word.trim_end_matches([' ', ',', ';', ':', '.']);
        let is_said = number.parse::<f64>().is_ok() && said.iter().any(|text| text == number);
        if is_said {
            word.replace(number, OMITTED)
        } else {
            word.to_owned()
        }
    });
    let told = words.collect::<String>();
    // No database keeps all of these, and no reader sees them.
    let seen = told.chars().map(|c| {
        if c.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    });
    seen.take(DETAIL).collect()
}

/// The texts and numbers of a body, and texts also as JSON writes them.
fn texts(value: &Value, said: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => said.push(number.to_string()),
        Value::String(text) if text.is_empty() => {}
        Value::String(text) => {
            let written = value.to_string();
            let written = written.trim_matches('"');
            if written != text {
                said.push(written.to_owned());
            }
            said.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, said)),
        Value::Object(members) => {
            for (name, value) in members {
                // A path is a name, unless it holds a filter.
                let is_name = NAMES.contains(&name.as_str())
                    && !value.as_str().is_some_and(|text| text.contains('"'));
                if !is_name {
                    texts(value, said);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_no_database_keeps_is_replaced() {
        let told = without_values("there is no a\0b\u{1b}[1m", None);
        assert_eq!(told, "there is no a\u{fffd}b\u{fffd}[1m");
    }

    #[test]
    fn names_stay_and_values_go() {
        let body = json!({
            "schemas": ["urn:x"], "status": "Phone Screen 2", "score": 17, "name": {"familyName": "O'Brien"}, "note": "no",
            "Operations": [{"op": "replace", "path": "emails[value eq \"ada@home.example\"].type", "value": "abc"}],
        });
        for (detail, told) in [
            (
                "'status' is 'Phone Screen 2': one of sourced, verified",
                "'status' is '…': one of sourced, verified",
            ),
            ("'score' is '17', not 5", "'score' is '…', not 5"),
            (
                "there is no attribute 'faceTemplate'",
                "there is no attribute 'faceTemplate'",
            ),
            ("the name O'Brien is taken", "the name … is taken"),
            ("'note' is 'no', and no more", "'note' is '…', and no more"),
            ("'Phone Scr…' is too long", "'…' is too long"),
            ("'abc' is no address", "'…' is no address"),
            (
                "emails[value eq \"ada@home.example\"].type finds nothing",
                "… finds nothing",
            ),
            (
                "one of pass, fail, not \"abc\"",
                "one of pass, fail, not \"…\"",
            ),
            ("not \"a \\\" long te…\"", "not \"…\""),
            ("from 1 to 5, not 17", "from 1 to 5, not …"),
            (
                "write \"schemas\": [\"urn:y\"]",
                "write \"schemas\": [\"urn:y\"]",
            ),
        ] {
            assert_eq!(without_values(detail, Some(&body)), told);
        }
    }
}
