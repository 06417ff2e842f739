//! `POST /sign-out`: ends the session, here and not at the provider.

use actix_web::{HttpRequest, HttpResponse, web};
use openidconnect::url::form_urlencoded;

use super::cookie::{self, Kind};
use super::page;
use super::visitor::Visitor;
use crate::http::Door;
use crate::http::error::{Failure, nothing_here};

/// The handler. The form must be one that this session was shown: nobody is signed out by another site.
pub(super) async fn end(
    door: web::Data<Door>,
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
) -> Result<HttpResponse, Failure> {
    let Some(sign_in) = &door.sign_in else {
        return nothing_here().await;
    };
    if let Some(visitor) = Visitor::of(&request, &door, sign_in).await? {
        let body = body.unwrap_or_default();
        let mut fields = form_urlencoded::parse(&body);
        let token = fields.find(|(name, _)| name == page::TOKEN);
        if !token.is_some_and(|(_, token)| visitor.has_sent(&token)) {
            return Ok(page::foreign_form());
        }
        let Visitor {
            context,
            session,
            secret,
        } = &visitor;
        door.service.close_session(context, secret, session).await?;
    }
    let mut answer = page::signed_out();
    answer
        .add_cookie(&cookie::forget(Kind::Session, sign_in.secure))
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(answer)
}

/// Other methods end nothing: a link, or a picture's address, signs nobody out.
pub(super) async fn not_a_post(request: HttpRequest) -> Result<HttpResponse, Failure> {
    Err(Failure::method_not_allowed(
        request.method().as_str(),
        "POST",
    ))
}
