//! `POST /{endpoint}/.search` and `POST /.search` (RFC 7644 §3.4.3): a list whose filter stays out of URLs and their logs.

use actix_web::HttpRequest;
use actix_web::web::Payload;

use super::call::Call;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::caller::{Caller, door};
use crate::http::stream::Reader;
use crate::scim::list::ListRequest;

/// Lists a page: 200.
pub(super) async fn search(call: Call, payload: Payload) -> Answer {
    let body = body::object(&call.request, payload).await?;
    let request = ListRequest::from_search(&call.resource_type, body, call.context.client.profile)?;
    let page = call
        .service()
        .list(&call.context, &call.endpoint, request)
        .await?;
    answer::page(call.reader(), &page).await
}

/// Lists a page over all types: 200.
pub(super) async fn everything(request: HttpRequest, caller: Caller, payload: Payload) -> Answer {
    let body = body::object(&request, payload).await?;
    let service = &door(&request)?.service;
    let page = service.search(&caller.context, body).await?;
    let reader = Reader {
        service,
        context: &caller.context,
    };
    answer::page(reader, &page).await
}
