//! The body of a bulk request (RFC 7644 §3.7, figure 8 and §3.7.3). Operations are counted while they are read, so that a
//! million of them cost no memory, and are kept as text until their turn comes.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::operation::{Operation, read};
use super::order::{Unit, order};
use super::{REQUEST_URN, Refusal};
use crate::scim::error::{Error, Result};
use crate::scim::json;

/// A bulk request: its operations, and the order in which they run.
#[derive(Debug)]
pub struct Bulk<'a> {
    /// After how many errors the rest is not attempted.
    pub fail_on_errors: Option<u64>,
    /// The operations, in the order of the request.
    pub operations: Vec<Operation<'a>>,
    /// The same by index, in the order in which they run.
    pub units: Vec<Unit>,
    /// Members of the body that nobody knows.
    pub ignored: Vec<String>,
}

/// Reads a bulk body of at most `max_operations` operations.
pub fn parse(bytes: &[u8], max_operations: usize) -> std::result::Result<Bulk<'_>, Refusal> {
    let text = json::text(bytes)?;
    let mut envelope = Envelope::default();
    let mut too_many = false;
    let mut reader = serde_json::Deserializer::from_str(text);
    let whole = Body {
        envelope: &mut envelope,
        limit: max_operations,
        too_many: &mut too_many,
    };
    let read = whole
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| Error::invalid_syntax(format!("the body is not a bulk request: {error}")));
    if too_many {
        return Err(Refusal::TooManyOperations {
            limit: max_operations,
        });
    }
    read?;
    Ok(envelope.check()?)
}

/// The most bytes of `schemas` or `failOnErrors`, and the most members that nobody knows: bounds on what is kept in memory.
const MAX_MEMBER: usize = 16 * 1024;
const MAX_UNKNOWN: usize = 16;

#[derive(Default)]
struct Envelope<'a> {
    schemas: Option<&'a RawValue>,
    fail_on_errors: Option<&'a RawValue>,
    operations: Option<Vec<&'a RawValue>>,
    ignored: Vec<String>,
}

impl<'a> Envelope<'a> {
    fn check(self) -> Result<Bulk<'a>> {
        let is_bulk = |urn: &Value| {
            urn.as_str()
                .is_some_and(|urn| urn.eq_ignore_ascii_case(REQUEST_URN))
        };
        let schemas = small(self.schemas, "schemas")?;
        let schemas = schemas.as_ref().and_then(Value::as_array);
        if !schemas.is_some_and(|urns| urns.iter().any(is_bulk)) {
            return Err(Error::invalid_syntax(format!(
                "a bulk body needs \"schemas\": [\"{REQUEST_URN}\"]"
            )));
        }
        let fail_on_errors = match small(self.fail_on_errors, "failOnErrors")? {
            None | Some(Value::Null) => None,
            Some(value) => Some(value.as_u64().filter(|count| *count > 0).ok_or_else(|| {
                Error::invalid_value(format!(
                    "'failOnErrors' must be a whole number of at least 1, not {value}"
                ))
            })?),
        };
        let Some(raw) = self.operations.filter(|raw| !raw.is_empty()) else {
            return Err(Error::invalid_value(
                "'Operations' must be an array of at least one operation",
            ));
        };
        let mut ignored = self.ignored;
        let mut operations = Vec::with_capacity(raw.len());
        for (index, raw) in raw.into_iter().enumerate() {
            let operation = read(raw, index, &mut ignored)
                .map_err(|error| error.within(format_args!("Operations[{index}]")))?;
            operations.push(operation);
        }
        let edges = link(&mut operations);
        Ok(Bulk {
            fail_on_errors,
            units: order(&edges),
            operations,
            ignored,
        })
    }
}

/// What each operation refers to, by index. An operation that refers to nothing that will be made is faulty, and so are all
/// those that share a `bulkId`.
fn link(operations: &mut [Operation<'_>]) -> Vec<Vec<usize>> {
    let mut makers: HashMap<String, usize> = HashMap::new();
    let mut given: HashMap<String, usize> = HashMap::new();
    for (index, operation) in operations.iter().enumerate() {
        if let Some(name) = &operation.bulk_id {
            *given.entry(name.clone()).or_default() += 1;
            if operation.makes() {
                makers.entry(name.clone()).or_insert(index);
            }
        }
    }
    let mut edges = Vec::with_capacity(operations.len());
    for operation in operations {
        let shared = operation
            .bulk_id
            .as_ref()
            .filter(|name| given.get(*name).is_some_and(|count| *count > 1));
        let mut fault = shared.map(|name| {
            Error::invalid_value(format!(
                "the bulkId '{name}' is given to more than one operation: it must be unique in the request"
            ))
        });
        let unknown = operation
            .references
            .iter()
            .find(|name| !makers.contains_key(*name));
        if let (None, Some(name)) = (&fault, unknown) {
            fault = Some(Error::invalid_value(format!(
                "'bulkId:{name}' refers to nothing: no POST of this request has the bulkId '{name}'"
            )));
        }
        if operation.fault.is_none() {
            operation.fault = fault;
        }
        // Whoever fails in any case waits for nobody.
        let targets = match operation.fault {
            Some(_) => Vec::new(),
            None => operation
                .references
                .iter()
                .filter_map(|name| makers.get(name).copied())
                .collect(),
        };
        edges.push(targets);
    }
    edges
}

/// The body as a whole.
struct Body<'r, 'a> {
    envelope: &'r mut Envelope<'a>,
    limit: usize,
    too_many: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for Body<'_, 'de> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, reader: D) -> std::result::Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> std::result::Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !seen.insert(name.to_ascii_lowercase()) {
                return Err(de::Error::custom(format!(
                    "the member '{name}' appears twice"
                )));
            }
            if name.eq_ignore_ascii_case("Operations") {
                let operations = members.next_value_seed(Operations {
                    limit: self.limit,
                    too_many: &mut *self.too_many,
                })?;
                self.envelope.operations = Some(operations);
            } else if name.eq_ignore_ascii_case("schemas") {
                self.envelope.schemas = Some(members.next_value()?);
            } else if name.eq_ignore_ascii_case("failOnErrors") {
                self.envelope.fail_on_errors = Some(members.next_value()?);
            } else {
                members.next_value::<de::IgnoredAny>()?;
                if self.envelope.ignored.len() == MAX_UNKNOWN {
                    return Err(de::Error::custom("too many unknown members"));
                }
                self.envelope.ignored.push(name);
            }
        }
        Ok(())
    }
}

/// The array of operations, each as its text.
struct Operations<'r> {
    limit: usize,
    too_many: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for Operations<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        reader: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Operations<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of operations at 'Operations'")
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut items: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut operations = Vec::new();
        while let Some(item) = items.next_element::<&RawValue>()? {
            if operations.len() == self.limit {
                *self.too_many = true;
                return Err(de::Error::custom("too many operations"));
            }
            operations.push(item);
        }
        Ok(operations)
    }
}

/// The value of a member that has no reason to be long.
fn small(raw: Option<&RawValue>, name: &str) -> Result<Option<Value>> {
    let Some(raw) = raw.map(RawValue::get) else {
        return Ok(None);
    };
    if raw.len() > MAX_MEMBER {
        return Err(Error::invalid_value(format!(
            "'{name}' is longer than {MAX_MEMBER} bytes"
        )));
    }
    json::parse(raw.as_bytes()).map(Some)
}
