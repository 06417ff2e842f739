//! What a service adds of its own, and what follows for every operation from what it takes.

use serde_json::{Value, json};

use super::operations::{ALWAYS, WITH_BODY};
use super::reference;
use super::shared::refusal;
use crate::scim::Map;

/// What a request may say of itself whatever it asks for.
const CORRELATION: (&str, &str) = ("correlationId", "X-Correlation-Id");
/// The headers of the successes of operations that take a parameter.
const FOLLOWING: [(&str, &str); 3] = [
    ("idempotencyKey", "Idempotency-Replayed"),
    ("prefer", "Preference-Applied"),
    ("prefer", "Muster-Suggested"),
];
/// What a key of the client's own may be refused with.
const WITH_KEY: [u16; 2] = [409, 422];

/// Adds `own`, a document like this one. An answer of it that is null is the refusal of that status.
pub(super) fn complete(document: &mut Value, own: &Value) {
    join(document, own);
    let paths = document["paths"].as_object_mut().into_iter();
    let items = paths
        .flat_map(Map::values_mut)
        .filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut) {
        finish(operation);
    }
    let shared = document["components"]["responses"]
        .as_object_mut()
        .into_iter();
    for answer in shared.flat_map(Map::values_mut) {
        head(answer, CORRELATION.1);
    }
}

/// Joins a document with another: objects are joined, lists put one after the other, and of anything else the other's counts.
pub fn join(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                match into.get_mut(name) {
                    Some(known) => join(known, value),
                    None => {
                        into.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from.iter().cloned()),
        (into, from) => *into = from.clone(),
    }
}

/// What an operation may always be refused with, the headers of its answers, and the parameter that each takes.
fn finish(operation: &mut Value) {
    let takes = |operation: &Value, name: &str| {
        let taken = operation["parameters"].as_array();
        taken.is_some_and(|taken| taken.contains(&reference("parameters", name)))
    };
    let mut statuses = ALWAYS.to_vec();
    if operation.get("requestBody").is_some() {
        statuses.extend(WITH_BODY);
    }
    if takes(operation, "idempotencyKey") {
        statuses.extend(WITH_KEY);
    }
    let mut headers = vec![CORRELATION.1];
    let following = FOLLOWING.iter().filter(|(name, _)| takes(operation, name));
    headers.extend(following.map(|(_, header)| header));
    join(
        operation,
        &json!({"parameters": [reference("parameters", CORRELATION.0)]}),
    );
    if let Some(answers) = operation["responses"].as_object_mut() {
        for status in statuses {
            answers.entry(status.to_string()).or_insert(Value::Null);
        }
        for (status, answer) in answers {
            if answer.is_null() {
                *answer = status.parse().ok().and_then(refusal).into();
            }
            if status.starts_with('2') {
                for name in &headers {
                    head(answer, name);
                }
            }
        }
    }
}

/// Adds a header to an answer that is described where it stands.
fn head(answer: &mut Value, name: &str) {
    if answer.get("$ref").is_none() && answer["headers"].get(name).is_none() {
        answer["headers"][name] = reference("headers", name);
    }
}
