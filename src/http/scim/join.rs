//! `POST /Persons/{id}/merge` and `/split`: two who are one, and one who was two.

use actix_web::web::Payload;

use super::call::Call;
use super::elevate::needed;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::error::{Failure, nothing_here};
use crate::service::Join;

/// Merges the person that the body names `with` into this one, for a `reason`: 200 with this one.
pub(super) async fn merge(call: Call, payload: Payload) -> Answer {
    join(call, payload, (Join::Merge, "with")).await
}

/// Splits the person that the body's `id` was off again, for a `reason`: 200 with what is left.
pub(super) async fn split(call: Call, payload: Payload) -> Answer {
    join(call, payload, (Join::Split, "id")).await
}

async fn join(call: Call, payload: Payload, (join, name): (Join, &str)) -> Answer {
    if call.endpoint != "/Persons" {
        return Err(nothing_here()
            .await
            .err()
            .unwrap_or_else(|| Failure::not_found("there is nothing here")));
    }
    let body = body::object(&call.request, payload).await?;
    let (other, reason) = (needed(&body, name)?, needed(&body, "reason")?);
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let written = call
        .service()
        .join(
            &call.context,
            join,
            (call.id(), &other),
            &reason,
            &projection,
        )
        .await?;
    answer::changed(call.reader(), &written, wanted).await
}
