//! `GET /{endpoint}/{id}` (RFC 7644 §3.4.1).

use super::call::Call;
use crate::http::answer::{self, Answer};

/// Reads one resource: 200, or 304 for a version that the caller has.
pub(super) async fn get(call: Call) -> Answer {
    let projection = call.projection()?;
    let found = call
        .service()
        .get(&call.context, &call.endpoint, call.id(), &projection)
        .await?;
    answer::one(call.reader(), &found, call.request.headers()).await
}
