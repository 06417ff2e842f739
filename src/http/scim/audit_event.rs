//! `/AuditEvents`: the log, read and searched, never written.

use actix_web::web::{self, Payload};

use super::call::Call;
use super::resource;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::scim::list::ListRequest;

/// The routes, before those of the records.
pub(super) fn mount(scope: &mut web::ServiceConfig) {
    scope
        .service(resource("/{endpoint:AuditEvents}", "GET").route(web::get().to(list)))
        .service(resource("/{endpoint:AuditEvents}/.search", "POST").route(web::post().to(search)))
        .service(resource("/{endpoint:AuditEvents}/{id}", "GET").route(web::get().to(get)));
}

/// Reads one: 200.
async fn get(call: Call) -> Answer {
    let projection = call.projection()?;
    let found = call
        .service()
        .get_audit_event(&call.context, call.id(), &projection)
        .await?;
    answer::one(call.reader(), &found, call.request.headers()).await
}

/// Lists a page: 200.
async fn list(call: Call) -> Answer {
    let request = ListRequest::from_query(
        &call.resource_type,
        &call.query,
        call.context.client.profile,
    )?;
    found(call, request).await
}

/// The same from a body.
async fn search(call: Call, payload: Payload) -> Answer {
    let body = body::object(&call.request, payload).await?;
    let request = ListRequest::from_search(&call.resource_type, body, call.context.client.profile)?;
    found(call, request).await
}

async fn found(call: Call, request: ListRequest) -> Answer {
    let page = call
        .service()
        .list_audit_events(&call.context, request)
        .await?;
    answer::page(call.reader(), &page).await
}
