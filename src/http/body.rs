//! Bodies: a JSON object of at most a mebibyte, or a bulk request of at most ten, whatever `Content-Length` says.

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use serde_json::{Map, Value};

use super::error::Failure;
use crate::scim::json;

/// The most bytes a body may have.
pub(super) const LIMIT: usize = 1024 * 1024;
/// The most bytes a bulk request may have (RFC 7644 §3.7.4).
pub(super) const BULK_LIMIT: usize = 10 * 1024 * 1024;
/// How much more of a refused body is still read, so that its sender gets to see the answer.
const DRAINED: usize = 3 * LIMIT;

/// Reads the request's JSON object (RFC 7644 §3.1, §8.1: `application/scim+json`; `application/json` is accepted).
pub(super) async fn object(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Map<String, Value>, Failure> {
    check_type(request)?;
    let bytes = read(request, payload, LIMIT).await?;
    Ok(json::object(&bytes)?)
}

/// Reads the bytes of a bulk request.
pub(super) async fn bulk(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<web::Bytes, Failure> {
    check_type(request)?;
    read(request, payload, BULK_LIMIT).await
}

fn check_type(request: &HttpRequest) -> Result<(), Failure> {
    let encoded = request.headers().get(header::CONTENT_ENCODING);
    if encoded.is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(Failure::unsupported_media_type(
            "send the body without a Content-Encoding",
        ));
    }
    let given = request.content_type();
    if ["application/scim+json", "application/json"]
        .iter()
        .any(|known| given.eq_ignore_ascii_case(known))
    {
        return Ok(());
    }
    Err(Failure::unsupported_media_type(
        "send the body with Content-Type: application/scim+json",
    ))
}

async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<web::Bytes, Failure> {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit + DRAINED) {
        return Err(Failure::too_large(limit));
    }
    match payload.to_bytes_limited(limit + DRAINED).await {
        Ok(Ok(bytes)) if bytes.len() <= limit => Ok(bytes),
        Ok(Ok(_)) | Err(_) => Err(Failure::too_large(limit)),
        Ok(Err(_)) => Err(Failure::invalid_syntax(
            "the body ended before it was complete",
        )),
    }
}
