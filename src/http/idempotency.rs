//! `Idempotency-Key` on everything that changes something below `/scim/v2` (B-067, B-068;
//! draft-ietf-httpapi-idempotency-key-header-06): POST, PATCH, PUT, DELETE and Bulk, but no search. What becomes of such a
//! request is said in [`crate::service::idempotency`].
//!
//! The caller is known before its key is looked at. A request that is carried out goes on when its caller hangs up: the
//! answer is there for who asks again. Requests without a key pass by.

use actix_web::body::{self as bodies, BodySize, BoxBody, MessageBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, rt, web};
use tracing::Instrument;

use super::Door;
use super::answer;
use super::body;
use super::caller::Caller;
use super::error::Failure;
use super::scim::ROOT;
use crate::domain::context::Context;
use crate::domain::idempotency::{Answer, Attempt, Key};
use crate::service::idempotency::{Admission, Presented};

/// Says that an answer is one to an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Kept with a request of which a part has not been done and may be done later: its answer is not the last word.
pub(super) struct Unfinished;

/// What is to be done with a request.
enum Course {
    /// The key is not looked at.
    Pass,
    /// It has been answered before.
    Answered(Answer),
    /// It is carried out.
    Run(Box<Run>),
}

/// A request that is carried out, or whose record is shown again.
struct Run {
    door: web::Data<Door>,
    context: Context,
    attempt: Attempt,
    /// Whether its answer is to be kept.
    keeps: bool,
    /// The headers of an earlier answer.
    headers: Vec<(String, String)>,
}

/// The middleware.
///
/// # Errors
/// Never but for a panic further in.
pub(super) async fn once(
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let course = match course(&mut request).await {
        Ok(course) => course,
        Err(failure) => {
            let (request, _) = request.into_parts();
            return Ok(ServiceResponse::from_err(failure, request));
        }
    };
    match course {
        Course::Pass => next.call(request).await,
        Course::Answered(answer) => Ok(request.into_response(rendered(answer))),
        Course::Run(run) => {
            let work = async move { run.conclude(next.call(request).await?).await };
            let done = rt::spawn(work.in_current_span()).await;
            done.map_err(|_| Failure::internal("a panic"))?
        }
    }
}

/// Whether what is asked for changes something.
pub(super) fn is_write(method: &Method, path: &str) -> bool {
    let changes = [Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    changes.contains(method) && !path.ends_with("/.search")
}

async fn course(request: &mut ServiceRequest) -> Result<Course, Failure> {
    let door = request.app_data::<web::Data<Door>>().cloned();
    let door = door.ok_or_else(|| Failure::internal("the door is not mounted"))?;
    let has = |name: &str| request.headers().contains_key(name);
    if !is_write(request.method(), request.path()) || !door.service.has_idempotency_key(has) {
        return Ok(Course::Pass);
    }
    let path = request.path().trim_start_matches(ROOT);
    let endpoint = path.split('/').nth(1).unwrap_or_default();
    let resource_type = match endpoint {
        "Bulk" => None,
        "Me" => door.service.resource_type("/Users"),
        other => match door.service.resource_type(&format!("/{other}")) {
            None => return Ok(Course::Pass),
            known => known,
        },
    };
    let mut caller = Caller::admit(request.request(), &door).await?;
    let (header, _) = door.service.idempotency_terms(caller.context.tenant());
    let Some(key) = key(request, &header)? else {
        request.extensions_mut().insert(caller);
        return Ok(Course::Pass);
    };
    let payload = request.extract::<web::Payload>().await;
    let payload = payload.map_err(|error| Failure::internal(error.to_string()))?;
    let bytes = body::ahead(request.request(), payload).await?;
    let target = request.uri().path_and_query().map(ToString::to_string);
    let presented = Presented {
        key,
        method: request.method().as_str(),
        target: target.as_deref().unwrap_or_default(),
        body: &bytes,
        resource_type: resource_type.as_ref().map(|known| known.name.as_str()),
        account: caller.account.as_ref().ok(),
    };
    let (attempt, keeps, headers) =
        match door.service.admit_once(&caller.context, &presented).await? {
            Admission::Perform(attempt) => (attempt, true, Vec::new()),
            Admission::Render(attempt, headers) => (attempt, false, headers),
            Admission::Replay(answer) => return Ok(Course::Answered(answer)),
            Admission::Different => return Err(Failure::another_request(&header)),
            Admission::Busy(seconds) => return Err(Failure::in_flight(&header, seconds)),
        };
    caller.context.attempt = Some(attempt.clone().into());
    let context = caller.context.clone();
    request.extensions_mut().insert(caller);
    Ok(Course::Run(Box::new(Run {
        door,
        context,
        attempt,
        keeps,
        headers,
    })))
}

/// The one key of a request.
fn key(request: &ServiceRequest, header: &str) -> Result<Option<Key>, Failure> {
    let mut values = request.headers().get_all(header);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().ok().and_then(Key::parse);
    match (key, values.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(Failure::invalid_value(format!(
            "the header {header} is 1 to 255 visible ASCII characters, once: a UUID will do"
        ))),
    }
}

impl Run {
    /// Keeps what has been answered, or lets the key go. That it cannot be kept is no reason to answer otherwise: then the
    /// record is shown again.
    async fn conclude(
        self,
        answered: ServiceResponse<BoxBody>,
    ) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
        let (request, response) = answered.into_parts();
        let is_final = request.extensions_mut().remove::<Unfinished>().is_none();
        if !response.status().is_success() || !is_final {
            if self.keeps
                && let Err(error) = self.door.service.give_up(&self.attempt).await
            {
                tracing::warn!(%error, "a key could not be let go: it is free in a minute");
            }
            return Ok(ServiceResponse::new(request, response));
        }
        let mut response = answer::named(&request, response);
        if self.attempt.done.is_some() {
            for (name, value) in pairs(&self.headers) {
                if !response.headers().contains_key(&name) {
                    response.headers_mut().insert(name, value);
                }
            }
            response
                .headers_mut()
                .insert(REPLAYED, HeaderValue::from_static("true"));
        }
        if self.keeps {
            response = self.keep(response).await?;
        }
        Ok(ServiceResponse::new(request, response))
    }

    async fn keep(&self, response: HttpResponse) -> Result<HttpResponse, Failure> {
        let (head, content) = response.into_parts();
        // Members of a very large group come while they are read: they are read anew for who asks again.
        let (content, text) = if matches!(content.size(), BodySize::Stream) {
            (content, None)
        } else {
            let bytes = to_bytes(content)
                .await
                .map_err(|error| Failure::internal(format!("an answer has no end: {error}")))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let content = if bytes.is_empty() {
                BoxBody::new(bodies::None::new())
            } else {
                BoxBody::new(bytes)
            };
            (content, Some(text))
        };
        let headers = head.headers().iter().filter(|(name, _)| *name != REPLAYED);
        let headers = headers.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let kept = Answer {
            status: head.status().as_u16(),
            headers: headers.collect(),
            body: text,
            sight: String::new(),
        };
        let service = &self.door.service;
        if let Err(error) = service
            .keep_answer(&self.context, &self.attempt, kept)
            .await
        {
            tracing::warn!(%error, "an answer could not be kept");
        }
        Ok(head.set_body(content))
    }
}

fn pairs(headers: &[(String, String)]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        Some((name, HeaderValue::from_str(value).ok()?))
    })
}

/// An answer that was given before.
fn rendered(kept: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut answer = HttpResponse::build(status);
    for pair in pairs(&kept.headers) {
        answer.append_header(pair);
    }
    answer.insert_header((REPLAYED, HeaderValue::from_static("true")));
    match kept.body {
        Some(text) if !text.is_empty() => answer.body(text),
        _ => answer.finish(),
    }
}
