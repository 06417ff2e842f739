//! `POST /Persons/{id}/merge` and `/split`: two who are one, and one who was two.

use actix_web::web::Payload;
use serde_json::Value;

use super::call::Call;
use super::elevate::needed;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::error::Failure;
use crate::scim::Map;
use crate::service::Join;

/// Merges the person that the body names `with` into this one, for a `reason`: 200 with this one. Either may be named by an
/// external identifier, `SYSTEM:FIELD:VALUE`, as a vendor's own merge message does.
pub(super) async fn merge(call: Call, payload: Payload) -> Answer {
    let body = order(&call, payload).await?;
    let other = needed(&body, "with")?;
    join(call, &body, (Join::Merge, &other)).await
}

/// Splits the person that the body's `id` was off again, or what a `system` says (of its record `externalId`), for a `reason`:
/// 200 with what is left, or 201 with the new person that the system speaks of.
pub(super) async fn split(call: Call, payload: Payload) -> Answer {
    let body = order(&call, payload).await?;
    if body.contains_key("system") {
        let system = needed(&body, "system")?;
        let external_id = body.get("externalId").and_then(Value::as_str);
        let detach = Join::Detach(external_id.map(str::to_owned));
        return join(call, &body, (detach, &system)).await;
    }
    let other = needed(&body, "id")?;
    join(call, &body, (Join::Split, &other)).await
}

async fn order(call: &Call, payload: Payload) -> Result<Map, Failure> {
    if call.endpoint != "/Persons" {
        return Err(Failure::not_found("persons alone are merged and split"));
    }
    call.service().may_join(&call.context)?;
    body::object(&call.request, payload).await
}

async fn join(call: Call, body: &Map, (join, other): (Join, &str)) -> Answer {
    let reason = needed(body, "reason")?;
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let is_new = matches!(join, Join::Detach(_));
    let written = call
        .service()
        .join(
            &call.context,
            join,
            (call.id(), other),
            &reason,
            &projection,
        )
        .await?;
    if is_new {
        return answer::created(call.reader(), &written, wanted).await;
    }
    answer::changed(call.reader(), &written, wanted).await
}
