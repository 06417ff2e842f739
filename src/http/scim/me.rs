//! `/Me` (RFC 7644 §3.11): the account that the token is of, answered in place. `Location` and `Content-Location` tell its
//! own address: a redirect would have many clients drop their token.

use actix_web::http::header::{CONTENT_LOCATION, HeaderValue, LOCATION};
use actix_web::web::Payload;

use super::call::Call;
use crate::domain::context::Right;
use crate::http::answer::{self, Answer};
use crate::http::body;
use crate::http::error::Failure;
use crate::service::Account;

/// Reads it: as `GET /Users/{id}`.
pub(super) async fn get(call: Call) -> Answer {
    let call = known(call, Right::Read).await?;
    let location = call.location();
    located(super::get::get(call).await, &location)
}

/// Replaces it: as `PUT /Users/{id}`.
pub(super) async fn replace(call: Call, payload: Payload) -> Answer {
    let call = known(call, Right::Write).await?;
    let location = call.location();
    located(super::replace::replace(call, payload).await, &location)
}

/// Changes it: as `PATCH /Users/{id}`.
pub(super) async fn patch(call: Call, payload: Payload) -> Answer {
    let call = known(call, Right::Write).await?;
    let location = call.location();
    located(super::patch::patch(call, payload).await, &location)
}

/// Deletes it: as `DELETE /Users/{id}`.
pub(super) async fn delete(call: Call) -> Answer {
    let call = known(call, Right::Delete).await?;
    let location = call.location();
    aliased(super::delete::delete(call).await, &location)
}

/// Makes it: as `POST /Users`, of the account that the token names and of no other.
pub(super) async fn create(call: Call, payload: Payload) -> Answer {
    let account = account(&call)?;
    let wanted = call.wanted();
    let projection = call.projection_for(wanted)?;
    let body = body::object(&call.request, payload).await?;
    if !account.is_of(&body) {
        let (name, value) = account.named();
        return Err(Failure::forbidden(format!(
            "the token is of the account whose {name} is '{value}': only that one can be made at /Me"
        )));
    }
    let written = call
        .service()
        .create(&call.context, &call.endpoint, body, &projection)
        .await?;
    answer::created(call.reader(), &written, wanted).await
}

fn account(call: &Call) -> Result<&Account, Failure> {
    call.account.as_ref().map_err(|why| {
        Failure::not_implemented(format!(
            "/Me cannot be offered to this token: {why}; use /Users/{{id}}"
        ))
    })
}

/// The call, about the account that the token is of, which is to be asked for by this right.
async fn known(call: Call, right: Right) -> Result<Call, Failure> {
    let account = account(&call)?;
    let id = call.service().me(&call.context, account, right).await?;
    Ok(call.about(id))
}

/// The answer about what is at `location` by another name: whatever it is, it says so (§3.11).
fn aliased(answer: Answer, location: &str) -> Answer {
    let mut answer = answer.map_err(|failure| failure.with(LOCATION, location))?;
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(LOCATION, location);
    }
    Ok(answer)
}

/// The same where the answer holds what is there (RFC 9110 §8.7).
fn located(answer: Answer, location: &str) -> Answer {
    let mut answer = aliased(answer, location)?;
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(CONTENT_LOCATION, location);
    }
    Ok(answer)
}
