//! `GET /{endpoint}` (RFC 7644 §3.4.2).

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::scim::list::ListRequest;

/// Lists a page: 200, also when nothing matches.
pub(super) async fn list(call: Call) -> Answer {
    let request = ListRequest::from_query(
        &call.resource_type,
        &call.query,
        call.context.client.profile,
    )?;
    let service = call.service();
    service.check_uri(&call.context, &call.endpoint, &request)?;
    let page = service.list(&call.context, &call.endpoint, request).await?;
    answer::page(call.reader(), &page).await
}
