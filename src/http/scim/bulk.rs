//! `POST /Bulk` (RFC 7644 §3.7).

use actix_web::http::StatusCode;
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::caller::{Caller, door};
use crate::http::error::Failure;
use crate::http::idempotency::Unfinished;
use crate::http::prefer::Wanted;
use crate::http::refused::{self, Operations};
use crate::scim::bulk::{bulk_response, parse};
use crate::scim::projection::Projection;
use crate::service::Attempted;

/// The most operations a request may hold.
pub(super) const MAX_OPERATIONS: usize = 1000;

/// Does many things: 200, and a status for each of them. What an operation's body gave and was not kept is named in the
/// answer's `Muster-Ignored`, after the operation (`Operations[3].nickname`), and what stands otherwise in its
/// `Muster-Suggested`. `Prefer: return=representation` adds the
/// resources.
pub(super) async fn bulk(request: HttpRequest, caller: Caller, payload: Payload) -> Answer {
    let bytes = body::bulk(&request, payload).await?;
    let bulk = parse(&bytes, MAX_OPERATIONS)?;
    let wanted = Wanted::of(request.headers());
    let projection = match wanted {
        Wanted::Representation => Projection::default(),
        Wanted::Minimal | Wanted::Unsaid | Wanted::Silence => Projection::minimal(),
    };
    let attempted = door(&request)?
        .service
        .bulk(&caller.context, &bulk, &projection)
        .await?;
    let (mut ignored, mut suggested) = (bulk.ignored.clone(), Vec::new());
    let mut operations = Vec::with_capacity(attempted.len());
    let mut refused = Operations::default();
    for attempted in attempted {
        let index = attempted.index;
        if let (Err(error), Some(asked)) = (&attempted.outcome, bulk.operations.get(index)) {
            refused.0.push(refused::Operation {
                endpoint: asked.endpoint.clone(),
                method: attempted.method.clone(),
                failure: error.clone().into(),
                data: asked.data().map(Value::Object).unwrap_or_default(),
            });
        }
        if let Ok(Some(written)) = &attempted.outcome {
            for (all, names) in [
                (&mut ignored, &written.ignored),
                (&mut suggested, &written.suggested),
            ] {
                let named = names.iter();
                all.extend(named.map(|name| format!("Operations[{index}].{name}")));
            }
        }
        operations.push(operation(&request, attempted, wanted)?);
    }
    request.extensions_mut().insert(refused);
    let mut answer = HttpResponse::Ok();
    answer::name_kept(&mut answer, &ignored, &suggested);
    if let Some(applied) = wanted.applied() {
        answer.insert_header(applied);
    }
    answer::json(answer, &bulk_response(&operations))
}

/// One operation of the answer (§3.7.3): the status is a text.
fn operation(
    request: &HttpRequest,
    attempted: Attempted,
    wanted: Wanted,
) -> Result<Value, Failure> {
    let mut told = Map::new();
    if let Some(location) = attempted.location {
        told.insert("location".into(), location.into());
    }
    told.insert("method".into(), attempted.method.clone().into());
    if let Some(bulk_id) = attempted.bulk_id {
        told.insert("bulkId".into(), bulk_id.into());
    }
    let status = match attempted.outcome {
        Ok(Some(written)) => {
            let version = written.resource.seen().version.as_str();
            told.insert("version".into(), version.into());
            // A group of very many members would be read to its end: the answer says where it is.
            if wanted == Wanted::Representation && written.resource.seen().rest.is_none() {
                let resource = serde_json::to_value(&written.resource).map_err(|error| {
                    Failure::internal(format!("a resource is no JSON: {error}"))
                })?;
                told.insert("response".into(), resource);
            }
            if attempted.method == "POST" {
                answer::status_of(written.came)
            } else {
                StatusCode::OK
            }
        }
        Ok(None) => StatusCode::NO_CONTENT,
        Err(error) => {
            let failure = Failure::from(error);
            if failure.is_passing() {
                request.extensions_mut().insert(Unfinished);
            }
            if failure.status.is_server_error() {
                tracing::error!(cause = failure.cause.as_deref(), "bulk.operation failed");
            }
            told.insert("response".into(), failure.body());
            failure.status
        }
    };
    told.insert("status".into(), status.as_str().into());
    Ok(Value::Object(told))
}
