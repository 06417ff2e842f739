//! `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` (RFC 7644 §4): readable without a token, so that clients
//! can set themselves up.

use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use super::bulk::MAX_OPERATIONS;
use crate::domain::context::Client;
use crate::http::Door;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::error::Failure;
use crate::http::query;
use crate::scim::discovery::{self, Limits, service_provider_config};
use crate::scim::resource_type::ResourceType;
use crate::service::{CURSOR_TIMEOUT, DEFAULT_PAGE};

/// `GET /ServiceProviderConfig`.
pub(super) async fn configuration(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let mut config = described(&door);
    let client = client(&request, &door).await;
    if client.is_some_and(|client| client.profile.conforms_to_interop()) {
        config["interopProfileConformant"] = true.into();
    }
    found(&config)
}

/// The configuration as it is published.
pub(in crate::http) fn described(door: &Door) -> Value {
    let limits = Limits {
        max_results: door.max_page,
        bulk: (MAX_OPERATIONS, body::BULK_LIMIT),
        default_results: DEFAULT_PAGE,
        cursor_timeout: CURSOR_TIMEOUT,
        documentation_uri: None,
    };
    service_provider_config(&door.base_url, &limits)
}

/// The caller's client, if there is a token, and it is good.
async fn client(request: &HttpRequest, door: &Door) -> Option<Arc<Client>> {
    if !request.headers().contains_key(header::AUTHORIZATION) {
        return None;
    }
    let caller = Caller::admit(request, door).await.ok()?;
    Some(caller.context.client)
}

/// The resource types as the caller knows them; whoever has no token that is good knows what strangers do.
async fn known(request: &HttpRequest, door: &web::Data<Door>) -> Vec<Arc<ResourceType>> {
    let Some(client) = client(request, door).await else {
        return door.published().types.clone();
    };
    let types = door.service.resource_types();
    let known = types
        .iter()
        .map(|ty| client.clearance.on(&ty.name).known(ty));
    known.cloned().collect()
}

/// `GET /ResourceTypes`.
pub(super) async fn types(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let types = known(&request, &door).await;
    found(&discovery::resource_types(
        &door.base_url,
        types.iter().map(Arc::as_ref),
    ))
}

/// `GET /ResourceTypes/{id}`.
pub(super) async fn one_type(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let types = known(&request, &door).await;
    let known = types.iter().find(|known| known.id == id(&request));
    let known = known.ok_or_else(|| Failure::not_found("there is no such resource type"))?;
    found(&known.to_json(&door.base_url))
}

/// `GET /Schemas`.
pub(super) async fn schemas(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let types = known(&request, &door).await;
    found(&discovery::schemas(
        &door.base_url,
        types.iter().map(Arc::as_ref),
    ))
}

/// `GET /Schemas/{urn}`; URNs are compared without case.
pub(super) async fn one_schema(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let types = known(&request, &door).await;
    let schemas = discovery::distinct_schemas(types.iter().map(Arc::as_ref));
    let known = schemas
        .iter()
        .find(|schema| schema.id.eq_ignore_ascii_case(id(&request)));
    let known = known.ok_or_else(|| Failure::not_found("there is no such schema"))?;
    found(&known.to_json(&door.base_url))
}

/// The last segment of the path.
fn id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

/// §4: a filter is 403 here, sorting and paging are ignored.
fn no_filter(request: &HttpRequest) -> Result<(), Failure> {
    let pairs = query::parse(request.query_string())?;
    if pairs.iter().any(|(name, _)| name == "filter") {
        let detail = "discovery cannot be filtered; leave the filter out";
        return Err(Failure::forbidden(detail));
    }
    Ok(())
}

fn found(body: &Value) -> Answer {
    answer::json(HttpResponse::Ok(), body)
}
