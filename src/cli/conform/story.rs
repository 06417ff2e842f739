//! Playing a story: each step's request, with what earlier steps have kept, and the comparison of its answer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::cases::{Expect, Send, Step};
use super::compare::{self, Mismatch};
use super::report::Problem;
use super::wire::{Request, Wire};

/// Plays the steps until one goes wrong.
pub(super) async fn play(wire: &mut Wire, steps: &[Step], unique: &str) -> Result<(), Problem> {
    let mut kept = BTreeMap::from([("unique".to_owned(), Value::from(unique))]);
    for (at, step) in steps.iter().enumerate() {
        let when = if step.when.is_empty() {
            format!("step {}", at + 1)
        } else {
            step.when.clone()
        };
        let problem = |request: Option<Request>, mismatch| Problem::new(&when, request, mismatch);
        let unfit = |why: String| problem(None, Mismatch::new("a step that can be played", why));
        let request = fill_request(&step.send, &kept).map_err(unfit)?;
        let expect = fill_expect(&step.expect, &kept).map_err(unfit)?;
        let answer = wire.send(request.clone()).await.map_err(|why| {
            let mismatch = Mismatch::new("an answer", why);
            problem(Some(request.clone()), mismatch)
        })?;
        compare::check(&expect, &answer)
            .map_err(|mismatch| problem(Some(request.clone()), mismatch))?;
        for (name, pointer) in &step.keep {
            let Some(value) = answer.place(pointer) else {
                let mismatch = Mismatch::new(format!("a value at {pointer}"), answer.text);
                return Err(problem(Some(request), mismatch));
            };
            kept.insert(name.clone(), value);
        }
    }
    Ok(())
}

type Kept = BTreeMap<String, Value>;

fn fill_request(send: &Send, kept: &Kept) -> Result<Request, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in &send.headers {
        headers.insert(name.clone(), fill_text(value, kept)?);
    }
    let body = match (&send.body, &send.text) {
        (Some(body), _) => Some(fill(body, kept)?.to_string()),
        (None, Some(text)) => Some(fill_text(text, kept)?),
        (None, None) => None,
    };
    Ok(Request {
        method: send.method.clone(),
        path: fill_text(&send.path, kept)?,
        headers,
        body,
    })
}

fn fill_expect(expect: &Expect, kept: &Kept) -> Result<Expect, String> {
    let mut filled = expect.clone();
    for value in filled.headers.values_mut() {
        *value = fill_text(value, kept)?;
    }
    if let Some(body) = &mut filled.body {
        *body = fill(body, kept)?;
    }
    for value in filled.at.values_mut().chain(filled.differs.values_mut()) {
        *value = fill(value, kept)?;
    }
    Ok(filled)
}

/// Puts what was kept in the place of its name, in every text and every name within a value.
fn fill(value: &Value, kept: &Kept) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => match whole(text).and_then(|name| kept.get(name)) {
            Some(value) => value.clone(),
            None => fill_text(text, kept)?.into(),
        },
        Value::Array(elements) => {
            let filled: Result<Vec<_>, _> = elements.iter().map(|e| fill(e, kept)).collect();
            filled?.into()
        }
        Value::Object(members) => {
            let mut filled = Map::new();
            for (name, value) in members {
                filled.insert(fill_text(name, kept)?, fill(value, kept)?);
            }
            filled.into()
        }
        other => other.clone(),
    })
}

fn fill_text(text: &str, kept: &Kept) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        filled.push_str(&rest[..open]);
        rest = &rest[open..];
        // Other braces are text: a value may be JSON in a string.
        let name = rest.find('}').and_then(|close| whole(&rest[..=close]));
        let Some(name) = name else {
            filled.push('{');
            rest = &rest[1..];
            continue;
        };
        match kept.get(name) {
            Some(Value::String(value)) => filled.push_str(value),
            Some(value) => filled.push_str(&value.to_string()),
            None => return Err(format!("no earlier step keeps {{{name}}}")),
        }
        rest = &rest[name.len() + 2..];
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The name in a text that is nothing but `{name}`.
fn whole(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let word = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    word.then_some(name)
}
