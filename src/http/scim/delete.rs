//! `DELETE /{endpoint}/{id}` (RFC 7644 §3.6).

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::service::Error;

/// The header that makes a DELETE of a person an erasure (GDPR Art. 17); its value is the reason for the log.
const ERASE: &str = "muster-erase";

/// Deletes a resource: 204.
pub(super) async fn delete(call: Call) -> Answer {
    if let Some(reason) = call.request.headers().get(ERASE) {
        let reason = reason.to_str().ok().filter(|reason| !reason.is_empty());
        if call.resource_type.name != "Person" {
            let name = &call.resource_type.name;
            return Err(Error::Conflict(format!(
                "a {name} is not erased: '{ERASE}' is for /Persons"
            ))
            .into());
        }
        call.service()
            .erase_for(&call.context, call.id(), reason)
            .await?;
        return Ok(answer::nothing());
    }
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
