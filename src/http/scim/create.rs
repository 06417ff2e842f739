//! `POST /{endpoint}` (RFC 7644 §3.3).

use actix_web::web::Payload;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;

/// Creates a resource: 201.
pub(super) async fn create(call: Call, payload: Payload) -> Answer {
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let body = body::object_within(&call.request, payload, call.body_limit()).await?;
    let written = call
        .service()
        .create(&call.context, &call.endpoint, body, &projection)
        .await?;
    answer::created(call.reader(), &written, wanted).await
}
