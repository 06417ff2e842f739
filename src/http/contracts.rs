//! `GET /schemas` and `GET /schemas/{name}/{version}`: the published contracts, readable without a token as discovery is
//! (RFC 7644 §4).

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use super::Door;
use super::answer::{self, Answer};
use super::error::Failure;
use super::scim::ROOT;

/// The media type of JSON Schema.
const SCHEMA_JSON: &str = "application/schema+json";

/// The routes; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    let resource = |path| web::resource(path).default_service(web::to(answer::read_only));
    app.service(resource("/schemas").route(web::get().to(index)))
        .service(resource("/schemas/{name}/{version}").route(web::get().to(one)));
}

/// All contracts by name and version.
async fn index(door: web::Data<Door>) -> HttpResponse {
    let published = door.published();
    let contracts = published.contracts().iter();
    let contracts: Vec<Value> = contracts.map(|one| one.to_json(door.root())).collect();
    HttpResponse::Ok().json(json!({"contracts": contracts}))
}

/// One contract as it is published.
async fn one(door: web::Data<Door>, path: web::Path<(String, String)>) -> Answer {
    let (name, version) = path.into_inner();
    let published = door.published();
    let mut known = published.contracts().iter();
    let known = known.find(|one| one.name == name && one.version == version);
    let known = known.ok_or_else(|| {
        Failure::not_found("there is no such contract or version; /schemas lists those there are")
    })?;
    Ok(HttpResponse::Ok()
        .content_type(SCHEMA_JSON)
        .body(known.schema.to_string()))
}

/// Where the current version of a contract is.
pub(super) fn location(door: &Door, name: &str) -> Option<String> {
    let published = door.published();
    let known = published.contract(name)?;
    Some(format!("{}/schemas/{name}/{}", door.root(), known.version))
}

impl Door {
    /// The server's address: where SCIM is, without SCIM's own path.
    pub(super) fn root(&self) -> &str {
        let base = self.base_url.trim_end_matches('/');
        base.strip_suffix(ROOT).unwrap_or(base)
    }
}
