//! `POST /{endpoint}/.search` and `POST /.search` (RFC 7644 §3.4.3): a list whose filter stays out of URLs and their logs.

use actix_web::HttpRequest;
use actix_web::web::Payload;

use super::call::{Call, listed_attributes};
use crate::http::Door;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::caller::{Caller, door};
use crate::http::error::Failure;
use crate::http::stream::Reader;
use crate::scim::list::ListRequest;
use crate::scim::profile::Profile;
use crate::scim::projection::unknown_names;

/// Lists a page: 200.
pub(super) async fn search(call: Call, payload: Payload) -> Answer {
    let body = body::object(&call.request, payload).await?;
    let names = listed_attributes(&body);
    let unknown = unknown_names(&call.resource_type, &names, call.context.client.profile)?;
    answer::leave_out(&call.request, unknown);
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
    let names = listed_attributes(&body);
    let profile = caller.context.client.profile;
    let door = door(&request)?;
    answer::leave_out(&request, unknown_everywhere(door, &names, profile)?);
    let page = door.service.search(&caller.context, body).await?;
    let reader = Reader {
        service: &door.service,
        context: &caller.context,
    };
    answer::page(reader, &page).await
}

/// The names that none of the types knows.
fn unknown_everywhere(door: &Door, names: &str, profile: Profile) -> Result<Vec<String>, Failure> {
    let mut unknown: Option<Vec<String>> = None;
    let mut fault = None;
    for known in door.service.resource_types() {
        match unknown_names(&known, names, profile) {
            Ok(here) => {
                let before = unknown.take();
                let both = |name: &String| before.as_ref().is_none_or(|all| all.contains(name));
                unknown = Some(here.into_iter().filter(both).collect());
            }
            Err(error) => fault = Some(error),
        }
    }
    match (unknown, fault) {
        (Some(unknown), _) => Ok(unknown),
        (None, Some(fault)) => Err(fault.into()),
        (None, None) => Ok(Vec::new()),
    }
}
