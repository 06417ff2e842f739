//! `PATCH /{endpoint}/{id}` (RFC 7644 §3.5.2).

use actix_web::web::Payload;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::prefer::Wanted;

/// Changes a resource: 200 with the resource afterwards, or 204 if the caller does not want it, never looks at it
/// or it is a group of very many members.
pub(super) async fn patch(call: Call, payload: Payload) -> Answer {
    // §3.5.2: whoever names attributes gets them.
    let wanted = if call.projection()?.is_default() {
        call.wanted_of_patch()
    } else {
        Wanted::default()
    };
    let projection = call.projection_for(wanted)?;
    let body = body::object_within(&call.request, payload, call.body_limit()).await?;
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
    let answer = answer::patched(call.reader(), &written, wanted).await?;
    Ok(answer::placed_if(answer, call.id(), &written))
}
