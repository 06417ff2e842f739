//! `DELETE /{endpoint}/{id}` (RFC 7644 §3.6).

use super::call::Call;
use crate::http::answer::{self, Answer};

/// Deletes a resource: 204.
pub(super) async fn delete(call: Call) -> Answer {
    let if_match = call.if_match();
    call.service()
        .delete(
            &call.context,
            &call.endpoint,
            call.id(),
            if_match.as_deref(),
        )
        .await?;
    Ok(answer::nothing())
}
