//! What whoever speaks for Security approves, by its token: `/admin/policy/approvals` and `/admin/break-glass/{id}/approve`.
//! The text of a policy goes another way, such as a review of its file; here it is named by its SHA-256 (B-016).

use actix_web::{HttpRequest, web};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::body;
use super::caller::{Caller, door};
use super::error::Failure;
use crate::id::ResourceId;
use crate::scim::comparable::instant;

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/policy/approvals")
            .route(web::post().to(approve))
            .default_service(web::to(answer::write_only)),
    )
    .service(
        web::resource("/admin/break-glass/{id}/approve")
            .route(web::post().to(break_glass))
            .default_service(web::to(answer::write_only)),
    );
}

/// 200 with who has the purpose, and until when.
async fn break_glass(request: HttpRequest, caller: Caller, id: web::Path<String>) -> Answer {
    let missing = || Failure::not_found(format!("there is no break-glass request '{id}'"));
    let known: ResourceId = id.parse().map_err(|_| missing())?;
    let (service, context) = (door(&request)?.service.clone(), caller.context.clone());
    let approve = move || service.approve_glass_by(&context, known);
    let approved = web::block(approve).await;
    let (glass, until) = approved.map_err(|error| Failure::internal(error.to_string()))??;
    Ok(answer::unstored(&json!({
        "id": known.to_string(),
        "client": glass.client,
        "purpose": glass.purpose,
        "reason": glass.reason,
        "requestedBy": glass.requested_by,
        "approvedBy": caller.context.client.name,
        "until": instant(until),
    })))
}

/// `{"sha256": …, "reason": …}`; 200 with who approved it, and until when that counts.
async fn approve(request: HttpRequest, caller: Caller, payload: web::Payload) -> Answer {
    let body = body::object(&request, payload).await?;
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (sha256, context) = (text("sha256"), &caller.context);
    let service = &door(&request)?.service;
    let until = service.approve_policy(context, (sha256, text("reason")));
    Ok(answer::unstored(&json!({
        "sha256": sha256,
        "approvedBy": context.client.name,
        "approvedAt": instant(context.now),
        "validUntil": instant(until.await?),
    })))
}
