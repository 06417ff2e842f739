//! `PUT /{endpoint}/{id}` (RFC 7644 §3.5.1).

use actix_web::web::Payload;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;

/// Replaces a resource: 200 with the resource afterwards, or 204 if the caller does not want it.
pub(super) async fn replace(call: Call, payload: Payload) -> Answer {
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let body = body::object_within(&call.request, payload, call.body_limit()).await?;
    let if_match = call.if_match();
    let written = call
        .service()
        .replace(
            &call.context,
            &call.endpoint,
            call.id(),
            if_match.as_deref(),
            body,
            &projection,
        )
        .await?;
    let answer = answer::changed(call.reader(), &written, wanted).await?;
    Ok(answer::placed_if(answer, call.id(), &written))
}
