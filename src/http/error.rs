//! Failures as answers: the one place that knows status codes (RFC 7644 §3.12).

use std::fmt;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde_json::{Value, json};

use super::answer::SCIM_JSON;
use super::token::Refusal;
use crate::{scim, service};

const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// When to ask again for what a restart or a reachable issuer will mend, in seconds.
const RETRY_SOON: u64 = 5;

/// An answer that is not a success.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: StatusCode,
    pub(super) scim_type: Option<&'static str>,
    detail: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What happened, for the log alone.
    pub(super) cause: Option<String>,
    /// Whether it may be an attempt to learn something: it is logged whatever its status.
    pub(super) is_probe: bool,
}

impl Failure {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
            headers: Vec::new(),
            cause: None,
            is_probe: false,
        }
    }

    /// The same with a header.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// 400 `invalidSyntax`.
    pub(super) fn invalid_syntax(detail: impl Into<String>) -> Self {
        let scim_type = Some(scim::error::Kind::InvalidSyntax.keyword());
        Self {
            scim_type,
            ..Self::new(StatusCode::BAD_REQUEST, detail)
        }
    }

    /// 400 `invalidValue`.
    pub(super) fn invalid_value(detail: impl Into<String>) -> Self {
        let scim_type = Some(scim::error::Kind::InvalidValue.keyword());
        Self {
            scim_type,
            ..Self::new(StatusCode::BAD_REQUEST, detail)
        }
    }

    /// 403.
    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    /// 409 without a `scimType`.
    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// 404.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 405, naming what is allowed (RFC 9110 §15.5.6).
    pub(super) fn method_not_allowed(method: &str, allowed: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            format!("{method} is not possible here; possible: {allowed}"),
        )
        .with(header::ALLOW, allowed)
    }

    /// 406: it is there, and has no such form (RFC 9110 §15.5.7).
    pub(super) fn not_acceptable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, detail)
    }

    /// 408 (RFC 9110 §15.5.9): the connection is closed too.
    pub(super) fn too_slow(time: Duration) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("the body did not arrive within {} s", time.as_secs()),
        )
    }

    /// 413, naming the limit.
    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than the {limit} bytes that are allowed"),
        )
    }

    /// 413 for a bulk request, naming the limit (RFC 7644 §3.7.4).
    pub(super) fn too_many_operations(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    /// 415.
    pub(super) fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
            .with(header::ACCEPT, "application/scim+json, application/json")
    }

    /// 422: the key is that of a request that said something else.
    pub(super) fn another_request(name: &str) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!(
                "the {name} is that of an earlier request with another method, path, query or body: nothing was done; \
                 give each request a key of its own"
            ),
        )
    }

    /// 409 with `Retry-After`: the first request with the key has not been answered yet.
    pub(super) fn in_flight(name: &str, seconds: i64) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            format!(
                "the first request with this {name} is still being carried out: ask again in {seconds} s"
            ),
        )
        .with(header::RETRY_AFTER, &seconds.to_string())
    }

    /// 429 with `Retry-After` in whole seconds (RFC 6585 §4).
    pub(super) fn too_many_requests(detail: impl Into<String>, seconds: u128) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .with(header::RETRY_AFTER, &seconds.to_string())
    }

    /// 501: the RFC describes it, and there is a reason why it cannot be done here.
    pub(super) fn not_implemented(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, detail)
    }

    /// 503 for `/readyz`, whatever the reason.
    pub(super) fn not_ready(error: &service::Error) -> Self {
        let cause = Some(error.to_string());
        Self {
            cause,
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
        }
        .with(header::RETRY_AFTER, &RETRY_SOON.to_string())
    }

    /// 500: the caller learns nothing but the correlation id, which the boundary adds.
    pub(super) fn internal(cause: impl Into<String>) -> Self {
        Self {
            cause: Some(cause.into()),
            ..Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "something went wrong on our side",
            )
        }
    }

    /// Whether the same request may be carried out later: a 5xx or a 429.
    pub(super) fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The body, for an answer that holds more than this failure: one operation of a bulk request (§3.7.3).
    pub(super) fn body(&self) -> Value {
        body(self.status, self.scim_type, &self.detail)
    }

    /// The answer; a 500 gets `correlation`, so that the log can be searched for it.
    pub(super) fn answer(&self, correlation: Option<&str>) -> HttpResponse {
        let detail = match correlation {
            Some(id) if self.status == StatusCode::INTERNAL_SERVER_ERROR => {
                format!(
                    "{}; to have it looked into, name the correlation id {id}",
                    self.detail
                )
            }
            _ => self.detail.clone(),
        };
        let mut answer = HttpResponse::build(self.status);
        for pair in &self.headers {
            answer.insert_header(pair.clone());
        }
        answer
            .content_type(SCIM_JSON)
            .body(body(self.status, self.scim_type, &detail).to_string())
    }
}

fn body(status: StatusCode, scim_type: Option<&str>, detail: &str) -> Value {
    let mut body = json!({ "schemas": [SCHEMA], "status": status.as_str() });
    if let Some(keyword) = scim_type {
        body["scimType"] = keyword.into();
    }
    body["detail"] = detail.into();
    body
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.answer(None)
    }
}

impl From<scim::Error> for Failure {
    /// RFC 7644 §3.12: uniqueness is 409, sensitive 403, the rest of the table 400.
    fn from(error: scim::Error) -> Self {
        let status = match error.kind {
            scim::error::Kind::Uniqueness => StatusCode::CONFLICT,
            scim::error::Kind::Sensitive => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        Self {
            scim_type: Some(error.kind.keyword()),
            ..Self::new(status, error.detail)
        }
    }
}

impl From<scim::bulk::Refusal> for Failure {
    fn from(refusal: scim::bulk::Refusal) -> Self {
        match refusal {
            scim::bulk::Refusal::Invalid(error) => error.into(),
            many @ scim::bulk::Refusal::TooManyOperations { .. } => {
                Self::too_many_operations(many.to_string())
            }
        }
    }
}

impl From<service::Error> for Failure {
    fn from(error: service::Error) -> Self {
        match error {
            service::Error::Scim(error) => error.into(),
            service::Error::Masked(detail) => Self {
                is_probe: true,
                ..Self::invalid_value(detail)
            },
            service::Error::NotFound(detail) => Self::not_found(detail),
            service::Error::Forbidden(detail) => Self::forbidden(detail),
            service::Error::PreconditionFailed(detail) => {
                Self::new(StatusCode::PRECONDITION_FAILED, detail)
            }
            service::Error::Conflict(detail) => Self::conflict(detail),
            service::Error::Fixed(detail) => {
                Self::new(StatusCode::METHOD_NOT_ALLOWED, detail).with(header::ALLOW, "GET")
            }
            service::Error::Stopped(stop) => {
                Self::too_many_requests(stop.to_string(), stop.retry_after.into())
            }
            service::Error::Unavailable {
                detail,
                retry_after,
            } => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                .with(header::RETRY_AFTER, &retry_after.to_string()),
            service::Error::Internal(cause) => Self::internal(cause),
        }
    }
}

impl From<Refusal> for Failure {
    /// RFC 6750 §3: a challenge goes with every 401; an error code only when a token was sent (§3.1).
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Missing => Self::new(
                StatusCode::UNAUTHORIZED,
                "send a bearer token in the Authorization header",
            )
            .with(header::WWW_AUTHENTICATE, "Bearer realm=\"muster\""),
            Refusal::Invalid(why) => Self::new(
                StatusCode::UNAUTHORIZED,
                format!("the token was refused: {why}"),
            )
            .with(
                header::WWW_AUTHENTICATE,
                &format!(
                    "Bearer realm=\"muster\", error=\"invalid_token\", error_description=\"{why}\""
                ),
            ),
            Refusal::IssuerUnreachable { issuer, cause } => Self {
                cause: Some(format!("the keys of {issuer} cannot be fetched: {cause}")),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the issuer of the token cannot be reached to verify it",
                )
            }
            .with(header::RETRY_AFTER, &RETRY_SOON.to_string()),
        }
    }
}

/// Everything that no route matches.
pub(super) async fn nothing_here() -> Result<HttpResponse, Failure> {
    Err(Failure::not_found(
        "there is nothing at this address; SCIM is at /scim/v2",
    ))
}
