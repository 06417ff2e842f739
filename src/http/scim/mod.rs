//! SCIM over HTTP (RFC 7644): one file an operation, each parsing, calling one use case and rendering.

mod audit_event;
mod bulk;
mod call;
mod create;
mod delete;
pub(super) mod discovery;
mod elevate;
mod feed;
mod form;
mod get;
mod join;
mod lineage;
mod list;
mod me;
mod membership;
mod patch;
mod replace;
mod search;
mod story;
mod story_page;

use actix_web::middleware::from_fn;
use actix_web::{HttpRequest, Resource, web};

use super::caller::door;
use super::error::{Failure, nothing_here};
use super::idempotency;

/// Where SCIM is.
pub(super) const ROOT: &str = "/scim/v2";

/// The caller's own account (RFC 7644 §3.11).
pub(super) const ME: &str = "/scim/v2/Me";

/// The routes (RFC 7644 §3.2).
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::scope(ROOT)
            .service(
                resource("/ServiceProviderConfig", "GET")
                    .route(web::get().to(discovery::configuration)),
            )
            .service(resource("/ResourceTypes", "GET").route(web::get().to(discovery::types)))
            .service(
                resource("/ResourceTypes/{id}", "GET").route(web::get().to(discovery::one_type)),
            )
            .service(resource("/Schemas", "GET").route(web::get().to(discovery::schemas)))
            .service(resource("/Schemas/{id}", "GET").route(web::get().to(discovery::one_schema)))
            .service(
                resource("/Me", "GET, POST, PUT, PATCH, DELETE")
                    .route(web::get().to(me::get))
                    .route(web::post().to(me::create))
                    .route(web::put().to(me::replace))
                    .route(web::patch().to(me::patch))
                    .route(web::delete().to(me::delete)),
            )
            .service(resource("/Bulk", "POST").route(web::post().to(bulk::bulk)))
            .service(resource("/Events", "GET").route(web::get().to(feed::events)))
            .service(resource("/.search", "POST").route(web::post().to(search::everything)))
            .configure(membership::mount)
            .configure(audit_event::mount)
            .service(
                resource("/{endpoint}", "GET, POST")
                    .route(web::get().to(list::list))
                    .route(web::post().to(create::create)),
            )
            .service(resource("/{endpoint}/.search", "POST").route(web::post().to(search::search)))
            .service(
                resource("/{endpoint:Applications}/{id}/timeline", "GET")
                    .route(web::get().to(story::timeline)),
            )
            .service(
                resource("/{endpoint:Applications}/{id}/evidence-pack", "GET")
                    .route(web::get().to(story::evidence_pack)),
            )
            .service(
                resource("/{endpoint}/{id}/lineage", "GET").route(web::get().to(lineage::lineage)),
            )
            .service(resource("/{endpoint}/{id}/merge", "POST").route(web::post().to(join::merge)))
            .service(resource("/{endpoint}/{id}/split", "POST").route(web::post().to(join::split)))
            .service(
                resource("/{endpoint}/{id}/elevate", "POST")
                    .route(web::post().to(elevate::elevate)),
            )
            .service(
                resource("/{endpoint}/{id}", "GET, PUT, PATCH, DELETE")
                    .route(web::get().to(get::get))
                    .route(web::put().to(replace::replace))
                    .route(web::patch().to(patch::patch))
                    .route(web::delete().to(delete::delete)),
            )
            .default_service(web::to(nothing_here))
            .wrap(from_fn(idempotency::once)),
    );
}

/// A resource whose other methods are 405, or 404 where there is no such resource type.
fn resource(path: &str, allowed: &'static str) -> Resource {
    web::resource(path).default_service(web::to(move |request: HttpRequest| async move {
        let endpoint = request.match_info().get("endpoint");
        if let Some(endpoint) = endpoint
            && door(&request)?
                .service
                .resource_type(&format!("/{endpoint}"))
                .is_none()
        {
            return nothing_here().await;
        }
        Err(Failure::method_not_allowed(
            request.method().as_str(),
            allowed,
        ))
    }))
}
