//! What an orchestrator asks: is the process alive, and can it serve.

use actix_web::{HttpResponse, web};
use serde_json::json;

use super::Door;
use super::error::Failure;

/// `GET /healthz`: the process answers.
pub(super) async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// `GET /readyz`: the database answers too.
pub(super) async fn ready(door: web::Data<Door>) -> Result<HttpResponse, Failure> {
    door.service
        .ready()
        .await
        .map_err(|error| Failure::not_ready(&error))?;
    Ok(HttpResponse::Ok().json(json!({ "status": "ready" })))
}
