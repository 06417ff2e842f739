//! `PATCH /{endpoint}/{id}` (RFC 7644 §3.5.2).

use actix_web::web::Payload;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;

/// Changes a resource: 200 with the resource afterwards.
pub(super) async fn patch(call: Call, payload: Payload) -> Answer {
    let projection = call.projection()?;
    let body = body::object(&call.request, payload).await?;
    let if_match = call.if_match();
    let written = call
        .service()
        .patch(
            &call.context,
            &call.endpoint,
            call.id(),
            if_match.as_deref(),
            body,
            &projection,
        )
        .await?;
    answer::changed(&written)
}
