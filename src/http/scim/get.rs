//! `GET /{endpoint}/{id}` (RFC 7644 §3.4.1).

use actix_web::HttpResponse;
use actix_web::http::header;

use super::call::Call;
use super::form;
use crate::domain::masked::{Masked, Resource};
use crate::domain::rendering::Form;
use crate::http::answer::{self, Answer};
use crate::scim::profile::Profile;

/// Reads one resource: 200, or 304 for a version that the caller has.
pub(super) async fn get(call: Call) -> Answer {
    let form = form::wanted(&call)?;
    let projection = call.projection()?;
    let found = call
        .service()
        .get(&call.context, &call.endpoint, call.id(), &projection)
        .await?;
    let seen = found.seen();
    if seen.id.to_string() != call.id() {
        // Whoever it was has been merged into another. Some clients drop their token on a redirect.
        if matches!(call.context.client.profile, Profile::Rfc | Profile::Strict) {
            let mut moved = HttpResponse::PermanentRedirect();
            return Ok(moved
                .insert_header((header::LOCATION, seen.location.as_str()))
                .finish());
        }
        let answer = shown(&call, &found, form).await?;
        return Ok(answer::placed(answer, &seen.location));
    }
    shown(&call, &found, form).await
}

async fn shown(call: &Call, found: &Masked<Resource>, form: Option<Form>) -> Answer {
    match form {
        Some(form) => form::answer(call, found, form),
        None => answer::one(call.reader(), found, call.request.headers()).await,
    }
}
