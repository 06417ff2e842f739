//! `/GroupMemberships` (draft-zollner-scim-group-members-01): made, read and deleted, never changed.

use actix_web::web::{self, Payload};

use super::call::Call;
use super::resource;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::scim::list::ListRequest;

/// The routes, before those of the records: what one does with a record cannot be done with a membership.
pub(super) fn mount(scope: &mut web::ServiceConfig) {
    scope
        .service(
            resource("/{endpoint:GroupMemberships}", "GET, POST")
                .route(web::get().to(list))
                .route(web::post().to(create)),
        )
        .service(
            resource("/{endpoint:GroupMemberships}/.search", "POST").route(web::post().to(search)),
        )
        .service(
            resource("/{endpoint:GroupMemberships}/{id}", "GET, DELETE")
                .route(web::get().to(get))
                .route(web::delete().to(delete)),
        );
}

/// Makes a record a member: 201, or 409 if it is one.
async fn create(call: Call, payload: Payload) -> Answer {
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let body = body::object(&call.request, payload).await?;
    let written = call
        .service()
        .create_membership(&call.context, body, &projection)
        .await?;
    answer::created(call.reader(), &written, wanted).await
}

/// Reads one: 200.
async fn get(call: Call) -> Answer {
    let projection = call.projection()?;
    let found = call
        .service()
        .get_membership(&call.context, call.id(), &projection)
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
        .list_memberships(&call.context, request)
        .await?;
    answer::page(call.reader(), &page).await
}

/// Ends one: 204.
async fn delete(call: Call) -> Answer {
    let if_match = call.if_match();
    call.service()
        .delete_membership(&call.context, call.id(), if_match.as_deref())
        .await?;
    Ok(answer::nothing())
}
