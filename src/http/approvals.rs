//! `/admin/policy/approvals`: who speaks for Security approves a policy that is to be applied (B-016). The text itself goes another
//! way, such as a review of its file; here it is named by its SHA-256.

use actix_web::{HttpRequest, web};
use serde_json::{Value, json};

use super::answer::{self, Answer};
use super::body;
use super::caller::{Caller, door};
use crate::scim::comparable::instant;

/// The route; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/policy/approvals")
            .route(web::post().to(approve))
            .default_service(web::to(answer::write_only)),
    );
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
