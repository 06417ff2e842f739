//! `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` (RFC 7644 §4): readable without a token, so that clients
//! can set themselves up.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

use crate::http::Door;
use crate::http::answer::{self, Answer};
use crate::http::error::Failure;
use crate::http::query;
use crate::scim::discovery::{Limits, service_provider_config};
use crate::scim::list::list_response;
use crate::scim::schema::Schema;

/// `GET /ServiceProviderConfig`.
pub(super) async fn configuration(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let limits = Limits {
        max_results: door.max_page,
        documentation_uri: None,
    };
    found(service_provider_config(&door.base_url, &limits))
}

/// `GET /ResourceTypes`.
pub(super) async fn types(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    all(door
        .service
        .resource_types()
        .iter()
        .map(|known| known.to_json(&door.base_url))
        .collect())
}

/// `GET /ResourceTypes/{id}`.
pub(super) async fn one_type(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let id = request.match_info().get("id").unwrap_or_default();
    let types = door.service.resource_types();
    let known = types.iter().find(|known| known.id == id);
    found(
        known
            .ok_or_else(|| Failure::not_found("there is no such resource type"))?
            .to_json(&door.base_url),
    )
}

/// `GET /Schemas`.
pub(super) async fn schemas(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    all(known_schemas(&door)
        .iter()
        .map(|schema| schema.to_json(&door.base_url))
        .collect())
}

/// `GET /Schemas/{urn}`; URNs are compared without case.
pub(super) async fn one_schema(request: HttpRequest, door: web::Data<Door>) -> Answer {
    no_filter(&request)?;
    let id = request.match_info().get("id").unwrap_or_default();
    let schemas = known_schemas(&door);
    let known = schemas
        .iter()
        .find(|schema| schema.id.eq_ignore_ascii_case(id));
    found(
        known
            .ok_or_else(|| Failure::not_found("there is no such schema"))?
            .to_json(&door.base_url),
    )
}

/// The schemas of all resource types, each once.
fn known_schemas(door: &Door) -> Vec<Arc<Schema>> {
    let mut known: Vec<Arc<Schema>> = Vec::new();
    for resource_type in door.service.resource_types() {
        let extensions = resource_type
            .extensions
            .iter()
            .map(|extension| &extension.schema);
        for schema in std::iter::once(&resource_type.schema).chain(extensions) {
            if !known.iter().any(|other| other.id == schema.id) {
                known.push(schema.clone());
            }
        }
    }
    known
}

/// §4: a filter is 403 here, sorting and paging are ignored.
fn no_filter(request: &HttpRequest) -> Result<(), Failure> {
    match query::single(&query::parse(request.query_string())?, "filter")? {
        Some(_) => Err(Failure::forbidden(
            "discovery cannot be filtered; leave the filter out",
        )),
        None => Ok(()),
    }
}

fn found(body: Value) -> Answer {
    answer::json(HttpResponse::Ok(), &body)
}

fn all(resources: Vec<Value>) -> Answer {
    let total = u64::try_from(resources.len()).unwrap_or(u64::MAX);
    found(list_response(total, 1, resources))
}
