//! `GET /sign-in/callback`: back from the provider, with a code or without.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::url::form_urlencoded;

use super::SignIn;
use super::attempt::Attempt;
use super::cookie::{self, Kind};
use super::visitor::Visitor;
use super::{page, visitor};
use crate::domain::session::Session;
use crate::http::Door;
use crate::http::error::{Failure, nothing_here};
use crate::http::token::Claims;

/// The longest name that is shown.
const LONGEST_NAME: usize = 200;

/// The handler.
pub(super) async fn finish(
    door: web::Data<Door>,
    request: HttpRequest,
) -> Result<HttpResponse, Failure> {
    let Some(sign_in) = &door.sign_in else {
        return nothing_here().await;
    };
    let mut answer = finished(&door, sign_in, &request).await?;
    // An attempt is good once.
    let forget = cookie::forget(Kind::Attempt, sign_in.secure);
    answer
        .add_cookie(&forget)
        .map_err(|error| Failure::internal(error.to_string()))?;
    Ok(answer)
}

async fn finished(
    door: &Door,
    sign_in: &SignIn,
    request: &HttpRequest,
) -> Result<HttpResponse, Failure> {
    let parameter = |name: &str| {
        let mut pairs = form_urlencoded::parse(request.query_string().as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    };
    let attempt = cookie::read(request, Kind::Attempt, sign_in.secure);
    let attempt = attempt.map(|secret| Attempt::of(&secret));
    let state = parameter("state").unwrap_or_default();
    let Some(attempt) = attempt.filter(|attempt| attempt.is_answered_by(&state)) else {
        return Ok(page::stray());
    };
    // RFC 9207 §2.4: the answer is the issuer's that was asked.
    if parameter("iss").is_some_and(|issuer| issuer != sign_in.issuer.url) {
        return Ok(page::stray());
    }
    let Some(code) = parameter("code") else {
        return Ok(page::declined());
    };
    let now = door.clock.now();
    let claims = match sign_in.redeem(code, &attempt, now).await {
        Ok(claims) => claims,
        Err(trouble) => return Ok(page::trouble(&trouble)),
    };
    let Some(client) = visitor::role(door, sign_in, &claims) else {
        return Ok(page::no_role());
    };
    // Whoever sat here before is signed out.
    if let Some(Visitor {
        context,
        session,
        secret,
    }) = Visitor::of(request, door, sign_in).await?
    {
        door.service
            .close_session(&context, &secret, &session)
            .await?;
    }
    let context = visitor::context(request, door, client);
    let session = session(sign_in, &claims, &context.client.name, now);
    let secret = door.service.open_session(&context, &session).await?;
    let secret = URL_SAFE_NO_PAD.encode(secret);
    Ok(HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/me"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie::keep(Kind::Session, secret, sign_in.secure))
        .finish())
}

fn session(
    sign_in: &SignIn,
    claims: &Claims,
    client: &str,
    now: chrono::DateTime<chrono::Utc>,
) -> Session {
    let text = |name: &str| claims.get(name).and_then(serde_json::Value::as_str);
    let subject = text("sub").unwrap_or_default();
    let name = text("name").or_else(|| text("preferred_username"));
    Session {
        issuer: sign_in.issuer.url.clone(),
        subject: subject.to_owned(),
        name: name.unwrap_or(subject).chars().take(LONGEST_NAME).collect(),
        client: client.to_owned(),
        opened: now,
        seen: now,
    }
}
