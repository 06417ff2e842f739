//! Who is calling: the extractor that turns a bearer token into a [`Context`].

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::Door;
use super::clients::Unknown;
use super::error::Failure;
use super::refusals::Who;
use super::scim::ME;
use super::token::{Refusal, Verified};
use crate::domain::context::Context;
use crate::scim;
use crate::service::Account;
use crate::service::token::Bearer;

/// The header that ties requests of one flow together, in and out.
pub(super) const CORRELATION: &str = "x-correlation-id";

/// The header in which a source system says since when it knows what it writes (RFC 3339): what it said of a later time stays.
const SOURCE_TIME: &str = "muster-source-time";

fn source_time(headers: &HeaderMap) -> Result<Option<DateTime<Utc>>, Failure> {
    let Some(given) = headers.get(SOURCE_TIME) else {
        return Ok(None);
    };
    let text = given.to_str().unwrap_or_default();
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(Some(time.to_utc())),
        Err(_) => Err(scim::Error::invalid_value(
            "the header Muster-Source-Time is no time: write it as 2026-11-22T09:00:00Z",
        )
        .into()),
    }
}

/// The correlation id of a request, kept with it by the boundary.
#[derive(Clone)]
pub(super) struct Correlation {
    /// The id.
    pub(super) id: Arc<str>,
    /// The header in which the caller looks for it (B-069).
    pub(super) header: Cow<'static, str>,
}

impl Correlation {
    /// The caller's, if it is 1 to 128 visible ASCII characters; else a new one.
    pub(super) fn of(request: &ServiceRequest, door: Option<&Door>) -> Self {
        let headers = request.headers();
        let is_there = |name: &str| headers.contains_key(name);
        let named = door.map(|door| door.service.correlation_header(CORRELATION, is_there));
        let header = named
            .flatten()
            .map_or(Cow::Borrowed(CORRELATION), Cow::Owned);
        let given = headers.get(&*header).and_then(|value| value.to_str().ok());
        let sound = given.filter(|id| {
            (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let id = match (sound, door) {
            (Some(id), _) => id.into(),
            (None, Some(door)) => door.ids.event(door.clock.now()).to_string().into(),
            (None, None) => "none".into(),
        };
        Self { id, header }
    }
}

/// An authenticated caller.
pub(super) struct Caller {
    /// What travels first into every use case.
    pub(super) context: Context,
    /// The account that the token is of, or why it is of none; looked up where it is asked for.
    pub(super) account: Result<Account, Cow<'static, str>>,
}

impl Caller {
    /// Verifies the token, finds the client it stands for, and counts the request. A good token of nobody we know is
    /// 403.
    pub(super) async fn admit(request: &HttpRequest, door: &Door) -> Result<Self, Failure> {
        // A request with a key has been admitted before.
        if let Some(admitted) = request.extensions_mut().remove() {
            return Ok(admitted);
        }
        let token = door
            .verifier
            .verify(authorization(request.headers()))
            .await?;
        let bearer = bearer(request, door, &token)?;
        let found = door.clients.find(
            (&token, bearer.as_ref()),
            &door.service.policies(),
            door.clock.now(),
        );
        let found = found.map_err(|unknown| {
            if let Unknown::Disabled(client) = &unknown {
                request.extensions_mut().insert(Who(client.clone()));
            }
            Failure::forbidden(match unknown {
                Unknown::Nobody => "the token is good, but it is not that of a client known here",
                Unknown::Disabled(_) => "the token is good, but its client is shut out",
                Unknown::Ambiguous => {
                    "the token is good, but clients of several tenants say that it is theirs"
                }
            })
        })?;
        let client = &found.client;
        tracing::Span::current().record("client.name", client.name.as_str());
        request.extensions_mut().insert(Who(client.clone()));
        found.limit.count(&client.name)?;
        let correlation = request
            .extensions()
            .get::<Correlation>()
            .map(|found| found.id.to_string())
            .unwrap_or_default();
        let context = Context {
            client: client.clone(),
            correlation,
            base_url: door.base_url.clone(),
            now: door.clock.now(),
            said_at: source_time(request.headers())?,
            by_human: found.is_of_somebody(&token),
            attempt: None,
        };
        let account = if request.path() == ME {
            found.account(&token).map_err(Cow::Owned)
        } else {
            Err(Cow::Borrowed("this is not /Me"))
        };
        Ok(Self { context, account })
    }
}

impl FromRequest for Caller {
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Failure>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { Self::admit(&request, door(&request)?).await })
    }
}

/// What every handler shares.
pub(super) fn door(request: &HttpRequest) -> Result<&web::Data<Door>, Failure> {
    request
        .app_data::<web::Data<Door>>()
        .ok_or_else(|| Failure::internal("the door is not mounted"))
}

/// Whom a token of our own issuer was issued for; nobody in particular if it is another's. Asked of every request, so that
/// a token that was verified before is out as soon as it is revoked; whose it was is noted for the log.
fn bearer(request: &HttpRequest, door: &Door, token: &Verified) -> Result<Option<Bearer>, Failure> {
    if door.own_issuer.as_ref() != Some(&token.issuer) {
        return Ok(None);
    }
    let jti = token.claims.get("jti").and_then(Value::as_str);
    let bearer = door.service.bearer(jti.unwrap_or_default());
    let bearer = bearer.map_err(|(why, of)| {
        let policies = door.service.policies();
        let client = of.and_then(|of| door.clients.of_bearer(&of, &policies));
        if let Some(client) = client {
            request.extensions_mut().insert(Who(client));
        }
        Refusal::Invalid(why.to_owned())
    })?;
    Ok(Some(bearer))
}

fn authorization(headers: &HeaderMap) -> Option<&[u8]> {
    headers
        .get(header::AUTHORIZATION)
        .map(header::HeaderValue::as_bytes)
}
