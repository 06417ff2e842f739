//! One operation of a bulk request (RFC 7644 §3.7): what can be said of it before its turn comes.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer as _;
use serde::de::{self, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::reference::{PREFIX, collect};
use crate::scim::Map;
use crate::scim::error::{Error, Result};
use crate::scim::json::{self, name_of};

/// The most bytes of an operation's `data`: those of a request of its own.
const MAX_DATA: usize = 1024 * 1024;
/// The most bytes of a `bulkId`, a `version`, a method or a path.
const MAX_TEXT: usize = 1024;
/// The most members of an operation that nobody knows.
const MAX_UNKNOWN: usize = 16;

/// The method of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Create (§3.3).
    Post,
    /// Replace (§3.5.1).
    Put,
    /// Modify (§3.5.2).
    Patch,
    /// Delete (§3.6).
    Delete,
}

impl Method {
    fn parse(text: &str) -> Option<Self> {
        let all = [
            ("POST", Self::Post),
            ("PUT", Self::Put),
            ("PATCH", Self::Patch),
            ("DELETE", Self::Delete),
        ];
        all.into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(text))
            .map(|(_, method)| method)
    }
}

/// Which resource an operation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one that a POST will make.
    New,
    /// The one of this id.
    Id(String),
    /// The one that the POST of this `bulkId` makes.
    Made(String),
}

/// An operation: its text stays where it is until [`Operation::data`] is asked for.
#[derive(Debug, Clone)]
pub struct Operation<'a> {
    /// What to do, if it is one of the four.
    pub method: Option<Method>,
    /// The method as it was spelled, in capitals.
    pub method_text: String,
    /// The endpoint of the resource type (`/Users`).
    pub endpoint: String,
    /// Which resource.
    pub target: Target,
    /// The client's name for it.
    pub bulk_id: Option<String>,
    /// The entity tag that the resource must have (§3.14).
    pub version: Option<String>,
    /// The `bulkId`s that its path and data refer to.
    pub references: BTreeSet<String>,
    /// Why it fails whatever the state of the database.
    pub fault: Option<Error>,
    data: Option<&'a RawValue>,
}

impl Operation<'_> {
    /// Whether it makes a resource that others may refer to.
    #[must_use]
    pub fn makes(&self) -> bool {
        self.method == Some(Method::Post)
    }

    /// How many bytes its data has.
    #[must_use]
    pub fn size(&self) -> usize {
        self.data.map_or(0, |data| data.get().len())
    }

    /// Its data, parsed anew: only those operations whose turn it is are held in memory.
    pub fn data(&self) -> Result<Map> {
        match self.data.map(value).transpose()? {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(data)) => Ok(data),
            Some(other) => Err(Error::invalid_value(format!(
                "'data' must be an object, not {}",
                name_of(&other)
            ))),
        }
    }

    /// What is wrong with it in itself.
    fn check(&mut self, path: Option<&str>) -> Result<()> {
        let Some(method) = self.method else {
            return Err(Error::invalid_value(format!(
                "'method' must be POST, PUT, PATCH or DELETE, not '{}'",
                self.method_text
            )));
        };
        self.split(path)?;
        match (&self.target, method) {
            (Target::New, Method::Post)
            | (Target::Id(_) | Target::Made(_), Method::Put | Method::Patch | Method::Delete) => {}
            (Target::New, _) => {
                return Err(Error::invalid_value(format!(
                    "the 'path' of a {} names one resource: {}/{{id}}",
                    self.method_text, self.endpoint
                )));
            }
            (_, Method::Post) => {
                return Err(Error::invalid_value(format!(
                    "the 'path' of a POST is the endpoint of a resource type: {}",
                    self.endpoint
                )));
            }
        }
        if method == Method::Post && self.bulk_id.is_none() {
            return Err(Error::invalid_value(
                "a POST needs a 'bulkId': a name of your own for what it makes",
            ));
        }
        if method == Method::Post && self.version.is_some() {
            return Err(Error::invalid_value(
                "a POST has no 'version': there is no resource yet",
            ));
        }
        if self.size() > MAX_DATA {
            return Err(Error::invalid_value(format!(
                "'data' is larger than the {MAX_DATA} bytes that one operation may have"
            )));
        }
        let data = self.data()?;
        match (method, data.is_empty()) {
            (Method::Delete, false) => Err(Error::invalid_value("a DELETE has no 'data'")),
            (Method::Post | Method::Put | Method::Patch, true) => Err(Error::invalid_value(
                format!("a {} needs 'data'", self.method_text),
            )),
            _ => {
                collect(method == Method::Patch, data, &mut self.references);
                Ok(())
            }
        }
    }

    /// The path's parts: `/Users`, `/Users/{id}` or `/Users/bulkId:{name}`.
    fn split(&mut self, path: Option<&str>) -> Result<()> {
        let Some(path) = path else {
            return Err(Error::invalid_value(
                "'path' is missing: write /Users or /Users/{id}",
            ));
        };
        let relative = path.strip_prefix('/').unwrap_or(path);
        let (endpoint, id) = relative.split_once('/').unwrap_or((relative, ""));
        if endpoint.is_empty() || path.contains("://") || path.contains(['?', '#']) {
            return Err(Error::invalid_value(format!(
                "'path' must be relative to the service's root, as in /Users or /Users/{{id}}, not '{path}'"
            )));
        }
        self.endpoint = format!("/{endpoint}");
        self.target = match id.strip_prefix(PREFIX) {
            _ if id.is_empty() => Target::New,
            Some(name) => {
                self.references.insert(name.to_owned());
                Target::Made(name.to_owned())
            }
            None => Target::Id(id.to_owned()),
        };
        Ok(())
    }
}

/// Reads an operation. What is wrong with its structure fails the request; any other fault fails the operation alone.
pub(super) fn read<'a>(
    raw: &'a RawValue,
    index: usize,
    ignored: &mut Vec<String>,
) -> Result<Operation<'a>> {
    let Members(members) = serde_json::Deserializer::from_str(raw.get())
        .deserialize_any(MembersVisitor)
        .map_err(|error| Error::invalid_syntax(error.to_string()))?;
    let mut texts = [const { None }; 4];
    let mut data = None;
    let mut unknown = 0;
    for (name, value) in members {
        let known = ["method", "bulkId", "version", "path"]
            .iter()
            .position(|known| known.eq_ignore_ascii_case(&name));
        if let Some(place) = known {
            texts[place] = text(&name, value)?;
        } else if name.eq_ignore_ascii_case("data") {
            data = Some(value);
        } else {
            unknown += 1;
            if unknown > MAX_UNKNOWN {
                return Err(Error::invalid_syntax("too many unknown members"));
            }
            ignored.push(format!("Operations[{index}].{name}"));
        }
    }
    let [method, bulk_id, version, path] = texts;
    let Some(method) = method else {
        return Err(Error::invalid_syntax(
            "'method' is missing: write POST, PUT, PATCH or DELETE",
        ));
    };
    let mut operation = Operation {
        method: Method::parse(&method),
        method_text: method.to_uppercase(),
        endpoint: String::new(),
        target: Target::New,
        bulk_id,
        version,
        references: BTreeSet::new(),
        fault: None,
        data,
    };
    operation.fault = operation.check(path.as_deref()).err();
    Ok(operation)
}

/// A member that is a text; null and the empty text count as absent (RFC 7643 §2.5).
fn text(name: &str, raw: &RawValue) -> Result<Option<String>> {
    if raw.get().len() > MAX_TEXT {
        return Err(Error::invalid_syntax(format!(
            "'{name}' is longer than {MAX_TEXT} bytes"
        )));
    }
    match value(raw)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(Error::invalid_syntax(format!(
            "'{name}' must be a string, not {}",
            name_of(&other)
        ))),
    }
}

fn value(raw: &RawValue) -> Result<Value> {
    json::parse(raw.get().as_bytes())
}

/// The members of an operation, each as its text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an operation as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut members: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut found: Vec<(String, &RawValue)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if found
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(&name))
            {
                return Err(de::Error::custom(format!(
                    "the member '{name}' appears twice"
                )));
            }
            if found.len() > 2 * MAX_UNKNOWN {
                return Err(de::Error::custom("too many members"));
            }
            found.push((name, members.next_value()?));
        }
        Ok(Members(found))
    }
}
