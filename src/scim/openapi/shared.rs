//! Parameters, headers and the answers that many operations share.

use serde_json::{Value, json};

use super::{About, reference};
use crate::scim::Map;

/// The media type of SCIM (RFC 7644 §8.1).
const SCIM_JSON: &str = "application/scim+json";

/// The answers that are not successes: component, status, description, and the headers besides the correlation id.
const REFUSALS: &[(&str, u16, &str, &[&str])] = &[
    (
        "BadRequest",
        400,
        "The request breaks a rule; `scimType` says which.",
        &[],
    ),
    (
        "Unauthorized",
        401,
        "A token is missing or was refused.",
        &["WWW-Authenticate"],
    ),
    ("Forbidden", 403, "The client may not do this.", &[]),
    (
        "NotFound",
        404,
        "There is no such thing, as far as the client may know.",
        &[],
    ),
    (
        "Conflict",
        409,
        "A value is taken, the resource changed meanwhile, or a request with this Idempotency-Key is being carried out.",
        &[],
    ),
    (
        "PreconditionFailed",
        412,
        "The resource has another version than If-Match says.",
        &[],
    ),
    (
        "TooLarge",
        413,
        "The body, or the number of operations in it, is over the limit.",
        &[],
    ),
    (
        "UnsupportedMediaType",
        415,
        "The body is not announced as JSON.",
        &["Accept"],
    ),
    (
        "AnotherRequest",
        422,
        "The Idempotency-Key is that of a request that said something else.",
        &[],
    ),
    (
        "TooManyRequests",
        429,
        "Too many requests; come back after so many seconds.",
        &["Retry-After"],
    ),
    (
        "InternalError",
        500,
        "Something went wrong on the server's side.",
        &[],
    ),
    (
        "NotImplemented",
        501,
        "The RFC has it, this server does not; the detail says why.",
        &[],
    ),
    (
        "Unavailable",
        503,
        "The database or an issuer does not answer; try again.",
        &["Retry-After"],
    ),
];

/// The component of a refusal.
pub(super) fn refusal(status: u16) -> Option<Value> {
    let (name, ..) = REFUSALS.iter().find(|(_, known, ..)| *known == status)?;
    Some(reference("responses", name))
}

/// RFC 7644 §3.12.
pub(super) fn responses() -> Value {
    let refusals = REFUSALS.iter().map(|(name, _, description, headers)| {
        let headers = with_correlation(headers);
        let body = content(&reference("schemas", "Error"));
        let answer = json!({"description": description, "headers": headers, "content": body});
        ((*name).to_owned(), answer)
    });
    Value::Object(refusals.collect())
}

/// A success with a body.
pub(super) fn success(description: &str, headers: &[&str], schema: &Value) -> Value {
    json!({
        "description": description,
        "headers": with_correlation(headers),
        "content": content(schema),
    })
}

/// A success without one.
pub(super) fn empty(description: &str, headers: &[&str]) -> Value {
    json!({"description": description, "headers": with_correlation(headers)})
}

fn with_correlation(names: &[&str]) -> Value {
    let all = names.iter().chain(&["X-Correlation-Id"]);
    let headers = all.map(|name| ((*name).to_owned(), reference("headers", name)));
    Value::Object(headers.collect())
}

fn content(schema: &Value) -> Value {
    json!({SCIM_JSON: {"schema": schema}})
}

/// A body that is sent: SCIM's media type, or plain JSON.
pub(super) fn body(schema: &Value, example: Option<&Value>) -> Value {
    let mut media = json!({"schema": schema});
    if let Some(example) = example {
        media["examples"] = json!({"plain": {"value": example}});
    }
    json!({
        "required": true,
        "content": {SCIM_JSON: media, "application/json": {"schema": schema}},
    })
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    let text = |description: &str, required: bool| json!({"description": description, "required": required, "schema": {"type": "string"}});
    let seconds = json!({
        "description": "Seconds to wait.", "required": true, "schema": {"type": "integer", "minimum": 0},
    });
    json!({
        "Accept": text("What the body may be (RFC 9110 §15.5.16).", true),
        "Content-Location": text("The account's own address (RFC 9110 §8.7).", false),
        "ETag": text("The version, weak; the same as meta.version (RFC 7644 §3.14).", true),
        "Idempotency-Replayed": text("`true`: an earlier request with this Idempotency-Key was answered so.", false),
        "Location": text("The resource's own address (RFC 7644 §3.3, §3.11).", true),
        "Muster-Ignored": text("What the body gave and the server did not keep.", false),
        "Muster-Suggested": text("What another system is master of: what the body gave is kept as a suggestion.", false),
        "Preference-Applied": text("Which preference was followed (RFC 7240 §3).", false),
        "Retry-After": seconds,
        "WWW-Authenticate": text("The challenge (RFC 6750 §3).", true),
        "X-Correlation-Id": text("Names the request in the server's log and events.", true),
    })
}

/// Parameters of queries and headers of requests: component, name, where it stands, type, description.
const PARAMETERS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "attributes",
        "attributes",
        "query",
        "string",
        "What to answer of each: names, separated by commas (§3.9).",
    ),
    (
        "excludedAttributes",
        "excludedAttributes",
        "query",
        "string",
        "What to leave out; not together with attributes.",
    ),
    (
        "sortBy",
        "sortBy",
        "query",
        "string",
        "By which attribute (§3.4.2.3).",
    ),
    (
        "startIndex",
        "startIndex",
        "query",
        "integer",
        "From which one on, counted from 1 (§3.4.2.4).",
    ),
    (
        "count",
        "count",
        "query",
        "integer",
        "How many at most; the server may answer fewer.",
    ),
    (
        CURSOR,
        CURSOR,
        "query",
        "string",
        "Where the page begins: empty for the first, then nextCursor (RFC 9865).",
    ),
    (
        "ifMatch",
        "If-Match",
        "header",
        "string",
        "Change this version only, else 412.",
    ),
    (
        "ifNoneMatch",
        "If-None-Match",
        "header",
        "string",
        "Answer 304 while it has this version.",
    ),
    (
        "prefer",
        "Prefer",
        "header",
        "string",
        "`return=minimal`: the resource need not be answered (RFC 7240).",
    ),
    (
        "correlationId",
        "X-Correlation-Id",
        "header",
        "string",
        "A name of the client's own for what the request is part of, 1 to 128 visible ASCII characters; else it gets one.",
    ),
    (
        "idempotencyKey",
        "Idempotency-Key",
        "header",
        "string",
        "A name of the client's own for this request, 1 to 255 visible ASCII characters: repeated with it, the request is \
         carried out once and answered again (draft-ietf-httpapi-idempotency-key-header).",
    ),
];
const CURSOR: &str = "cursor";

/// The parameters by their component's name.
pub(super) fn parameters(about: &About<'_>) -> Value {
    let mut parameters: Map = PARAMETERS
        .iter()
        .filter(|(component, ..)| *component != CURSOR || about.offers_cursors())
        .map(|(component, name, place, kind, description)| {
            let schema = json!({"type": kind});
            let parameter =
                json!({"name": name, "in": place, "schema": schema, "description": description});
            ((*component).to_owned(), parameter)
        })
        .collect();
    parameters.insert("id".to_owned(), json!({
        "name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1},
        "description": "The resource's id.",
    }));
    parameters.insert(
        "sortOrder".to_owned(),
        json!({
            "name": "sortOrder", "in": "query", "schema": {"enum": ["ascending", "descending"]},
            "description": "Ascending unless given.",
        }),
    );
    parameters.insert(
        "filter".to_owned(),
        json!({
            "name": "filter", "in": "query", "schema": {"type": "string"},
            "description": "Which resources (RFC 7644 §3.4.2.2).",
            "examples": {
                "since": {"value": "meta.lastModified gt \"2026-01-01T00:00:00Z\""},
                "both": {"value": "id pr and not (externalId eq \"E-1\")"},
            },
        }),
    );
    Value::Object(parameters)
}
