//! `POST /{endpoint}/{id}/elevate`: what a system suggests stands.

use actix_web::web::Payload;
use serde_json::Value;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::error::Failure;
use crate::scim::Map;
use crate::service::Elevation;

/// Lets what a `system` says at a `path` stand, for a `reason`: 200 with the resource.
pub(super) async fn elevate(call: Call, payload: Payload) -> Answer {
    call.service().may_elevate(&call.context, &call.endpoint)?;
    let body = body::object(&call.request, payload).await?;
    let order = Elevation {
        path: needed(&body, "path")?,
        system: needed(&body, "system")?,
        reason: needed(&body, "reason")?,
    };
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let written = call
        .service()
        .elevate(&call.context, &call.endpoint, call.id(), order, &projection)
        .await?;
    let answer = answer::changed(call.reader(), &written, wanted).await?;
    Ok(answer::placed_if(answer, call.id(), &written))
}

/// A text that the body must have.
pub(super) fn needed(body: &Map, name: &str) -> Result<String, Failure> {
    match body.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text.clone()),
        _ => Err(Failure::invalid_value(format!(
            "the body needs a '{name}' that is a text"
        ))),
    }
}
