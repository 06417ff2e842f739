//! `/admin/refused`: writes that were refused for what they said, until a human has seen to them (B-038). Who may read all of
//! `AuditEvent` sees them, and who may also write `Review` says that they have been seen to.

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, web};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::{self, Answer};
use super::body::{self, Said};
use super::caller::{Caller, door};
use super::error::Failure;
use super::query::{number, parse, single};
use super::refusals::Who;
use super::scim::ROOT;
use super::{Door, idempotency};
use crate::domain::context::Client;
use crate::domain::refused::{Arrival, Refused, without_values};
use crate::service::Muster;

/// Items in one answer, without `count` and at most.
const COUNT: i64 = 100;
const MOST: i64 = 1000;

/// The routes; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.service(
        web::resource("/admin/refused")
            .route(web::get().to(list))
            .default_service(web::to(answer::read_only)),
    )
    .service(
        web::resource("/admin/refused/{id}/resolve")
            .route(web::post().to(resolve))
            .default_service(web::to(answer::write_only)),
    );
}

/// `?state=open|resolved&startIndex=&count=`: the last to come first.
async fn list(request: HttpRequest, caller: Caller) -> Answer {
    Muster::may_read_whole_log(&caller.context)?;
    let pairs = parse(request.query_string())?;
    let open = match single(&pairs, "state")? {
        None | Some("open") => true,
        Some("resolved") => false,
        Some(other) => {
            return Err(Failure::invalid_value(format!(
                "'state' is '{other}': an item is 'open' or 'resolved'"
            )));
        }
    };
    let start = number(&pairs, "startIndex", 1..=i64::MAX)?.unwrap_or(1);
    let count = number(&pairs, "count", 0..=MOST)?.unwrap_or(COUNT);
    let service = &door(&request)?.service;
    let found = service.refused_writes(&caller.context, open, (start - 1, count));
    let (items, total) = found.await?;
    Ok(answer::unstored(
        &json!({ "total": total, "startIndex": start, "items": items }),
    ))
}

/// `{"note": …}`: somebody has seen to it; 200 with the item.
async fn resolve(request: HttpRequest, caller: Caller, payload: web::Payload) -> Answer {
    Muster::may_resolve_refused(&caller.context)?;
    let body = body::object(&request, payload).await?;
    let note = body.get("note").and_then(Value::as_str);
    let id = request.match_info().get("id").unwrap_or_default();
    let service = &door(&request)?.service;
    let item = service.resolve_refused(&caller.context, id, note.unwrap_or_default());
    Ok(answer::unstored(&item.await?))
}

/// An operation of a bulk request that was refused: the endpoint, the method, why, and what it said.
pub(super) struct Operation {
    pub(super) endpoint: String,
    pub(super) method: String,
    pub(super) failure: Failure,
    pub(super) data: Value,
}

/// The operations of a bulk request that were refused, kept with it.
#[derive(Default)]
pub(super) struct Operations(pub(super) Vec<Operation>);

/// Keeps an answer, if it refuses a write of a known client for what it said, and notes one that takes it. That it cannot be kept
/// is no reason to answer otherwise.
pub(super) async fn keep<B: MessageBody>(
    door: &web::Data<Door>,
    answer: &ServiceResponse<B>,
    correlation: &str,
) {
    let request = answer.request();
    if !request.path().starts_with(ROOT) || !idempotency::is_write(request.method(), request.path())
    {
        return;
    }
    let who = request.extensions().get::<Who>().cloned();
    let Some(Who(client)) = who else { return };
    if answer.status().is_success() {
        door.service.note_written(&client, door.clock.now());
    }
    let operations = request.extensions_mut().remove::<Operations>();
    let of_bulk = operations
        .map(|operations| operations.0)
        .unwrap_or_default();
    let said = request.extensions().get::<Said>().cloned();
    let mut refused: Vec<Refused> = of_bulk
        .iter()
        .filter(|one| is_of_content(one.failure.status) && one.method != "DELETE")
        .map(|one| {
            let route = format!("{} {ROOT}/Bulk{}", one.method, one.endpoint);
            told(
                door,
                &client,
                (route, &one.endpoint),
                (&one.failure, Some(&one.data)),
            )
        })
        .collect();
    refused.extend(whole(door, answer, &client, said.as_ref()));
    if refused.is_empty() {
        return;
    }
    let arrival = Arrival {
        correlation: correlation.to_owned(),
        body: said.map(|Said(bytes)| Sha256::digest(&bytes).into()),
        at: door.clock.now(),
    };
    let kept = door.service.keep_refused(client.tenant, refused, &arrival);
    if let Err(error) = kept.await {
        tracing::warn!(%error, "a refused write could not be kept");
    }
}

/// The request as a whole, if it was refused for what it said.
fn whole<B: MessageBody>(
    door: &Door,
    answer: &ServiceResponse<B>,
    client: &Client,
    said: Option<&Said>,
) -> Option<Refused> {
    let request = answer.request();
    // A request whose first is still being carried out has not been refused.
    let is_passing = answer.headers().contains_key(header::RETRY_AFTER);
    if !is_of_content(answer.status()) || is_passing || request.method() == Method::DELETE {
        return None;
    }
    let failure = answer.response().error()?.as_error::<Failure>()?;
    let body = said.and_then(|Said(bytes)| serde_json::from_slice(bytes).ok());
    let endpoint = request.match_info().get("endpoint");
    let endpoint = format!("/{}", endpoint.unwrap_or_default());
    let pattern = request.match_pattern().unwrap_or_default();
    let route = format!(
        "{} {}",
        request.method(),
        pattern.replace("/{endpoint}", &endpoint)
    );
    Some(told(
        door,
        client,
        (route, &endpoint),
        (failure, body.as_ref()),
    ))
}

/// A failure as it is kept, of a route and the endpoint of a resource type, without what was `said`.
fn told(
    door: &Door,
    client: &Client,
    (route, endpoint): (String, &str),
    (failure, said): (&Failure, Option<&Value>),
) -> Refused {
    let known = door.service.resource_type(endpoint);
    // Of an endpoint that nobody knows no more is kept than that.
    let route = if known.is_some() {
        route
    } else {
        route.replace(endpoint, "/")
    };
    Refused {
        client: client.name.clone(),
        system: client.system.clone(),
        route,
        resource_type: known.map(|known| known.name.clone()).unwrap_or_default(),
        status: failure.status.as_u16(),
        scim_type: failure.scim_type.map(str::to_owned),
        detail: without_values(&failure.to_string(), said),
    }
}

/// Whether a status tells of what was sent; 401, 403, 404, 412 and 429 tell of who sent it, when, and of what is there.
fn is_of_content(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 409 | 413 | 422)
}
