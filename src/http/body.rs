//! Bodies: a JSON object of at most a mebibyte, eight where a resource may list very many members, or a bulk request of
//! at most ten, whatever `Content-Length` says.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use actix_web::body::{BodyStream, MessageBody};
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, web};
use serde_json::{Map, Value};
use tokio::time::{sleep, timeout};

use super::error::Failure;
use crate::scim::json;

/// The most bytes a body may have.
pub(super) const LIMIT: usize = 1024 * 1024;
/// The most bytes of a body that may list members: a hundred thousand by their ids.
pub(super) const MEMBERS_LIMIT: usize = 8 * LIMIT;
/// The most bytes a bulk request may have (RFC 7644 §3.7.4).
pub(super) const BULK_LIMIT: usize = 10 * 1024 * 1024;
/// How much more of a refused body is still read, so that its sender gets to see the answer.
const DRAINED: usize = 3 * LIMIT;

/// How long a body may be on its way: who sends a byte now and then holds nothing for long.
const TIME: Duration = Duration::from_secs(30);
/// How long a refused body is kept, which is longer than its answer takes.
const HELD: Duration = Duration::from_secs(1);

/// Reads the request's JSON object (RFC 7644 §3.1, §8.1: `application/scim+json`; `application/json` is accepted).
pub(super) async fn object(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Map<String, Value>, Failure> {
    object_within(request, payload, LIMIT).await
}

/// The same with a limit of its own.
pub(super) async fn object_within(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Map<String, Value>, Failure> {
    check_type(request)?;
    let bytes = read(request, payload, limit).await?;
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

/// A body that has been read before its handler asks for it, kept with its request.
struct Arrived(web::Bytes);

/// Reads the body now, whatever is in it, and leaves it to whoever asks for it.
pub(super) async fn ahead(
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<web::Bytes, Failure> {
    let bytes = read(request, payload, BULK_LIMIT).await?;
    request.extensions_mut().insert(Arrived(bytes.clone()));
    Ok(bytes)
}

/// What a request said, for whoever has to tell why it was refused.
#[derive(Clone)]
pub(super) struct Said(pub(super) web::Bytes);

async fn read(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<web::Bytes, Failure> {
    let bytes = arriving(request, payload, limit).await?;
    request.extensions_mut().insert(Said(bytes.clone()));
    Ok(bytes)
}

async fn arriving(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<web::Bytes, Failure> {
    if let Some(Arrived(bytes)) = request.extensions_mut().remove() {
        return if bytes.len() > limit {
            Err(Failure::too_large(limit))
        } else {
            Ok(bytes)
        };
    }
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit + DRAINED) {
        return Err(Failure::too_large(limit));
    }
    let mut body = Box::pin(BodyStream::new(payload));
    let outcome = match timeout(TIME, gather(&mut body, limit)).await {
        Ok(Ok(bytes)) => return Ok(bytes),
        Ok(Err(refusal)) => refusal,
        Err(_) => Failure::too_slow(TIME),
    };
    // While the body is there and not at its end, the server closes the connection after the answer. Without it, it
    // would go on reading for as long as the sender of a chunked body likes.
    drop(actix_web::rt::spawn(async move {
        sleep(HELD).await;
        drop(body);
    }));
    Err(outcome)
}

/// Reads to the end, but not much further than `limit`.
async fn gather(
    body: &mut Pin<Box<BodyStream<web::Payload>>>,
    limit: usize,
) -> Result<web::Bytes, Failure> {
    let mut bytes = web::BytesMut::new();
    while let Some(part) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let part =
            part.map_err(|_| Failure::invalid_syntax("the body ended before it was complete"))?;
        bytes.extend_from_slice(&part);
        if bytes.len() > limit + DRAINED {
            break;
        }
    }
    if bytes.len() > limit {
        return Err(Failure::too_large(limit));
    }
    Ok(bytes.freeze())
}
