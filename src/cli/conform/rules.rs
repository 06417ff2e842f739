//! What holds of every answer, whatever was asked: `conformance/always.json` names each rule, this file decides.

use serde_json::Value;

use super::compare::Mismatch;
use super::wire::{Answer, Request};

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// RFC 7644 §3.12, table 9, and RFC 9865 §2.
const KEYWORDS: &[&str] = &[
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
];

/// What a rule says of one answer: nothing when the rule does not speak of such an answer.
pub(super) type Verdict = Option<Result<(), Mismatch>>;

/// A rule by its keyword.
pub(super) fn named(keyword: &str) -> Option<fn(&Request, &Answer) -> Verdict> {
    Some(match keyword {
        "media-type" => media_type,
        "error-message" => error_message,
        "error-keyword" => error_keyword,
        "created-location" => created_location,
        "version-is-etag" => version_is_etag,
        "never-password" => never_password,
        "identified" => identified,
        "schemas" => schemas,
        "one-primary" => one_primary,
        "list" => list,
        "no-content" => no_content,
        "challenge" => challenge,
        _ => return None,
    })
}

fn verdict(right: bool, expected: &str, got: impl Into<String>) -> Result<(), Mismatch> {
    if right {
        Ok(())
    } else {
        Err(Mismatch::new(expected, got))
    }
}

/// RFC 7644 §3.1, §8.1: `application/scim+json`, in UTF-8.
fn media_type(_: &Request, answer: &Answer) -> Verdict {
    if answer.text.is_empty() {
        return None;
    }
    let given = answer.header("content-type").unwrap_or("none");
    let given = given.to_ascii_lowercase();
    let utf8 = given
        .split_once("charset=")
        .is_none_or(|(_, charset)| charset.trim_matches('"').starts_with("utf-8"));
    let right = given.starts_with("application/scim+json") && utf8 && answer.body.is_some();
    let wanted = "a JSON body with Content-Type: application/scim+json, in UTF-8";
    Some(verdict(right, wanted, format!("Content-Type: {given}")))
}

/// RFC 7644 §3.12: an error is an Error message, its status a JSON string.
fn error_message(_: &Request, answer: &Answer) -> Verdict {
    if answer.status < 400 {
        return None;
    }
    let schemas = answer.place("/schemas");
    let is_error = schemas
        .iter()
        .flat_map(elements)
        .any(|schema| schema == ERROR);
    let status = answer.place("/status") == Some(answer.status.to_string().into());
    let wanted = format!(
        "schemas [\"{ERROR}\"] and status \"{}\" as a string",
        answer.status
    );
    Some(verdict(is_error && status, &wanted, &answer.text))
}

/// RFC 7644 §3.12: `scimType` is one of a table.
fn error_keyword(_: &Request, answer: &Answer) -> Verdict {
    let keyword = answer.place("/scimType").filter(|_| answer.status >= 400)?;
    let known = keyword
        .as_str()
        .is_some_and(|known| KEYWORDS.contains(&known));
    Some(verdict(
        known,
        "a scimType of the table",
        keyword.to_string(),
    ))
}

/// RFC 7644 §3.3: 201 has the location in its header and in `meta`.
fn created_location(request: &Request, answer: &Answer) -> Verdict {
    if answer.status != 201 || request.path.contains("attributes=") {
        return None;
    }
    let header = answer.header("location").unwrap_or_default();
    let in_body = match &answer.body {
        Some(_) => answer.place("/meta/location") == Some(header.into()),
        None => true,
    };
    let wanted = "the same URL as the Location header and as meta.location";
    let got = format!(
        "Location: '{header}', meta {}",
        answer.place("/meta").unwrap_or_default()
    );
    Some(verdict(!header.is_empty() && in_body, wanted, got))
}

/// RFC 7643 §3.1, RFC 7644 §3.14: `meta.version` is the entity tag.
fn version_is_etag(_: &Request, answer: &Answer) -> Verdict {
    let version = answer.place("/meta/version")?;
    let etag = answer.header("etag")?;
    let got = format!("ETag: {etag}, meta.version {version}");
    Some(verdict(
        version == etag,
        "meta.version equal to the ETag",
        got,
    ))
}

/// RFC 7643 §4.1.1: a password is never returned.
fn never_password(_: &Request, answer: &Answer) -> Verdict {
    let body = answer.body.as_ref()?;
    let right = !anywhere(body, &|members| {
        members
            .keys()
            .any(|name| name.eq_ignore_ascii_case("password"))
    });
    Some(verdict(right, "no attribute named password", &answer.text))
}

/// RFC 7643 §3.1: every resource has an id, and it is not the keyword `bulkId`.
fn identified(request: &Request, answer: &Answer) -> Verdict {
    let resources = resources(request, answer)?;
    let right = resources.iter().all(|resource| {
        resource["id"]
            .as_str()
            .is_some_and(|id| !id.is_empty() && !id.contains("bulkId"))
    });
    Some(verdict(
        right,
        "an id, a text, in every resource",
        &answer.text,
    ))
}

/// RFC 7643 §3: every resource names its schemas, each once.
fn schemas(request: &Request, answer: &Answer) -> Verdict {
    let resources = resources(request, answer)?;
    let right = resources.iter().all(|resource| {
        let names: Vec<&str> = elements(&resource["schemas"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let mut distinct: Vec<String> = names.iter().map(|n| n.to_ascii_lowercase()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        !names.is_empty() && distinct.len() == names.len()
    });
    Some(verdict(
        right,
        "schemas, each once, in every resource",
        &answer.text,
    ))
}

/// RFC 7643 §2.4: `primary` is true no more than once.
fn one_primary(request: &Request, answer: &Answer) -> Verdict {
    let resources = resources(request, answer)?;
    let two = |values: &Value| {
        let primaries = elements(values)
            .iter()
            .filter(|element| element["primary"] == Value::Bool(true));
        primaries.count() > 1
    };
    let right = !resources
        .iter()
        .any(|resource| anywhere(resource, &|members| members.values().any(two)));
    Some(verdict(
        right,
        "at most one primary in an attribute",
        &answer.text,
    ))
}

/// RFC 7644 §3.4.2: what a list says of itself is so.
fn list(_: &Request, answer: &Answer) -> Verdict {
    let named = answer.place("/schemas")?;
    if answer.status != 200 || !elements(&named).iter().any(|schema| schema == LIST) {
        return None;
    }
    let number = |pointer| answer.place(pointer).map(|value| value.as_u64());
    let listed = answer
        .place("/Resources")
        .map_or(0, |resources| elements(&resources).len() as u64);
    let total = match number("/totalResults") {
        Some(total) => total.is_some_and(|total| total >= listed),
        // RFC 9865 §2.3: only a page by cursor may leave it out.
        None => answer.place("/nextCursor").is_some() || answer.place("/startIndex").is_none(),
    };
    let per_page = number("/itemsPerPage").is_none_or(|found| found == Some(listed));
    let start = number("/startIndex").is_none_or(|found| found.is_some_and(|at| at >= 1));
    let wanted = "totalResults no less than there are Resources, itemsPerPage their number, startIndex from 1, all integers";
    Some(verdict(total && per_page && start, wanted, &answer.text))
}

/// RFC 7644 §3.6, RFC 9110 §15.3.5: 204 has no body.
fn no_content(_: &Request, answer: &Answer) -> Verdict {
    if answer.status != 204 {
        return None;
    }
    Some(verdict(
        answer.text.is_empty(),
        "no body with 204",
        &answer.text,
    ))
}

/// RFC 7644 §2: 401 says how to authenticate.
fn challenge(_: &Request, answer: &Answer) -> Verdict {
    if answer.status != 401 {
        return None;
    }
    let right = answer.header("www-authenticate").is_some();
    Some(verdict(right, "a WWW-Authenticate header with 401", "none"))
}

/// The resources that an answer has, but for those of discovery; nothing where there are none.
fn resources(request: &Request, answer: &Answer) -> Option<Vec<Value>> {
    let discovery = ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"];
    let asked = !discovery.iter().any(|path| request.path.starts_with(path));
    if !asked || !matches!(answer.status, 200 | 201) {
        return None;
    }
    let body = answer.body.as_ref()?;
    let message = elements(&body["schemas"])
        .iter()
        .filter_map(Value::as_str)
        .find_map(|schema| schema.strip_prefix("urn:ietf:params:scim:api:messages:2.0:"));
    let found = match message {
        None => vec![body.clone()],
        Some("ListResponse") => elements(&body["Resources"]).to_vec(),
        Some(_) => Vec::new(),
    };
    (!found.is_empty()).then_some(found)
}

fn elements(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn anywhere(value: &Value, holds: &impl Fn(&serde_json::Map<String, Value>) -> bool) -> bool {
    match value {
        Value::Object(members) => {
            holds(members) || members.values().any(|inner| anywhere(inner, holds))
        }
        Value::Array(elements) => elements.iter().any(|inner| anywhere(inner, holds)),
        _ => false,
    }
}
