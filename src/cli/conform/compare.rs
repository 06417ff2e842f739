//! Whether an answer is what a story expects. An expectation names the least that must be there.

use serde_json::{Map, Value};

use super::cases::Expect;
use super::wire::Answer;

/// What is wrong with an answer: what was expected, and what there is instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) expected: String,
    pub(super) got: String,
}

impl Mismatch {
    pub(super) fn new(expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self {
            expected: expected.into(),
            got: got.into(),
        }
    }
}

/// Compares an answer with what is expected of it.
pub(super) fn check(expect: &Expect, answer: &Answer) -> Result<(), Mismatch> {
    status(expect, answer)?;
    headers(expect, answer)?;
    // RFC 7644 §3.5.2, RFC 9110 §15.3.5: where 204 may be the answer, nothing is there to compare.
    if answer.status == 204 {
        return Ok(());
    }
    let nothing = Value::Null;
    let body = answer.body.as_ref().unwrap_or(&nothing);
    if let Some(wanted) = &expect.body {
        includes(wanted, Some(body), "the body")?;
    }
    for (pointer, wanted) in &expect.at {
        includes(wanted, answer.place(pointer).as_ref(), pointer)?;
    }
    for (pointer, other) in &expect.differs {
        let found = answer.place(pointer);
        if found.as_ref().is_none_or(|found| found == other) {
            return Err(Mismatch::new(
                format!("something other than {other} at {pointer}"),
                shown(found.as_ref()),
            ));
        }
    }
    for name in &expect.absent {
        let found = if name.starts_with('/') {
            body.pointer(name)
        } else {
            body.as_object().and_then(|body| member(body, name))
        };
        if has_value(found) {
            return Err(Mismatch::new(format!("no value of {name}"), shown(found)));
        }
    }
    Ok(())
}

fn status(expect: &Expect, answer: &Answer) -> Result<(), Mismatch> {
    let got = || {
        let type_and_detail = answer.text.chars().take(600).collect::<String>();
        format!("status {} {type_and_detail}", answer.status)
    };
    match &expect.status {
        None if (200..300).contains(&answer.status) => Ok(()),
        None => Err(Mismatch::new("a status of success", got())),
        Some(wanted) if wanted.all().contains(&answer.status) => Ok(()),
        Some(wanted) => {
            let wanted: Vec<String> = wanted.all().iter().map(u16::to_string).collect();
            Err(Mismatch::new(
                format!("status {}", wanted.join(" or ")),
                got(),
            ))
        }
    }
}

fn headers(expect: &Expect, answer: &Answer) -> Result<(), Mismatch> {
    for (name, wanted) in &expect.headers {
        let found = answer.header(name);
        let right = match wanted.as_str() {
            "$any" => found.is_some(),
            "$absent" => found.is_none(),
            start => found.is_some_and(|found| found.starts_with(start)),
        };
        if !right {
            return Err(Mismatch::new(
                format!("the header {name}: {wanted}"),
                found.map_or("no such header".to_owned(), |found| {
                    format!("{name}: {found}")
                }),
            ));
        }
    }
    Ok(())
}

/// Whether `found` has everything that `wanted` names.
pub(super) fn includes(wanted: &Value, found: Option<&Value>, at: &str) -> Result<(), Mismatch> {
    let wrong = || Err(Mismatch::new(format!("{wanted} at {at}"), shown(found)));
    match (wanted, found) {
        (Value::String(sign), _) if sign.starts_with('$') && sign != "$ref" => {
            if sign_holds(sign, found) {
                Ok(())
            } else {
                wrong()
            }
        }
        // RFC 7643 §2.5: null, an empty array and nothing at all are the same.
        (Value::Null, _) if !has_value(found) => Ok(()),
        (Value::Array(wanted), _) if wanted.is_empty() && !has_value(found) => Ok(()),
        (Value::Object(wanted), Some(Value::Object(found))) => {
            for (name, wanted) in wanted {
                includes(wanted, member(found, name), &format!("{at}/{name}"))?;
            }
            Ok(())
        }
        (Value::Array(wanted), Some(Value::Array(found)))
            if wanted.first().is_some_and(|first| first == "$has") =>
        {
            if pair_up(&wanted[1..], found) {
                Ok(())
            } else {
                wrong()
            }
        }
        (Value::Array(wanted), Some(Value::Array(found))) => {
            if wanted.len() == found.len() && pair_up(wanted, found) {
                Ok(())
            } else {
                wrong()
            }
        }
        (Value::Number(wanted), Some(Value::Number(found)))
            if wanted.as_f64() == found.as_f64() =>
        {
            Ok(())
        }
        (wanted, Some(found)) if wanted == found => Ok(()),
        _ => wrong(),
    }
}

/// The signs that stand for a kind of value.
fn sign_holds(sign: &str, found: Option<&Value>) -> bool {
    match sign {
        "$absent" => !has_value(found),
        "$any" => has_value(found),
        "$string" => found.is_some_and(Value::is_string),
        "$boolean" => found.is_some_and(Value::is_boolean),
        "$integer" => found.is_some_and(|found| found.is_i64() || found.is_u64()),
        "$array" => found.is_some_and(Value::is_array),
        "$dateTime" => found
            .and_then(Value::as_str)
            .is_some_and(|text| chrono::DateTime::parse_from_rfc3339(text).is_ok()),
        _ => found.and_then(Value::as_str) == Some(sign),
    }
}

/// Attribute names know no case (RFC 7643 §2.1).
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| {
        let mut same = members
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        same.next().map(|(_, value)| value)
    })
}

fn has_value(found: Option<&Value>) -> bool {
    match found {
        None | Some(Value::Null) => false,
        Some(Value::Array(elements)) => !elements.is_empty(),
        Some(_) => true,
    }
}

/// Whether each wanted element has an element of its own: they have no order (RFC 7643 §2.4).
fn pair_up(wanted: &[Value], found: &[Value]) -> bool {
    let mut taken_by = vec![None; found.len()];
    (0..wanted.len()).all(|at| {
        let mut tried = vec![false; found.len()];
        settle(at, wanted, found, &mut taken_by, &mut tried)
    })
}

/// Finds an element for `wanted[at]`, moving those that have one already where they fit elsewhere too.
fn settle(
    at: usize,
    wanted: &[Value],
    found: &[Value],
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for place in 0..found.len() {
        if tried[place] || includes(&wanted[at], Some(&found[place]), "").is_err() {
            continue;
        }
        tried[place] = true;
        let free = match taken_by[place] {
            None => true,
            Some(other) => settle(other, wanted, found, taken_by, tried),
        };
        if free {
            taken_by[place] = Some(at);
            return true;
        }
    }
    false
}

fn shown(found: Option<&Value>) -> String {
    found.map_or("nothing".to_owned(), Value::to_string)
}
