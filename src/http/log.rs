//! `/log`: the newest signed head of the caller's log, and proofs by RFC 9162, as JSON. Who may read `AuditEvent` may ask.

use actix_web::{HttpRequest, web};

use super::answer::{self, Answer};
use super::caller::{Caller, door};
use super::error::Failure;
use super::query::{parse, single};
use crate::id::{EventId, ResourceId};

/// The routes; any other method is 405.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    let resource = |path| web::resource(path).default_service(web::to(answer::read_only));
    app.service(resource("/log/head").route(web::get().to(head)))
        .service(resource("/log/proof").route(web::get().to(proof)))
        .service(resource("/log/consistency").route(web::get().to(consistency)));
}

/// The newest signed head.
async fn head(request: HttpRequest, caller: Caller) -> Answer {
    let service = &door(&request)?.service;
    Ok(answer::unstored(&service.log_head(&caller.context).await?))
}

/// `?event=ID`: that the event is under it.
async fn proof(request: HttpRequest, caller: Caller) -> Answer {
    let pairs = parse(request.query_string())?;
    let event = single(&pairs, "event")?.ok_or_else(|| missing("event", "an event's id"))?;
    let event: ResourceId = event
        .parse()
        .map_err(|_| Failure::invalid_value(format!("'{event}' is not an event's id")))?;
    let service = &door(&request)?.service;
    Ok(answer::unstored(
        &service
            .log_inclusion(&caller.context, EventId(event.0))
            .await?,
    ))
}

/// `?first=N&second=N`: that the log only grew; up to the newest signed head without `second`.
async fn consistency(request: HttpRequest, caller: Caller) -> Answer {
    let pairs = parse(request.query_string())?;
    let first = size(&pairs, "first")?.ok_or_else(|| missing("first", "a size"))?;
    let second = size(&pairs, "second")?;
    let service = &door(&request)?.service;
    Ok(answer::unstored(
        &service
            .log_consistency(&caller.context, first, second)
            .await?,
    ))
}

fn size(pairs: &[(String, String)], name: &str) -> Result<Option<u64>, Failure> {
    let read = |text: &str| {
        text.parse()
            .map_err(|_| Failure::invalid_value(format!("{name} '{text}' is not a size")))
    };
    single(pairs, name)?.map(read).transpose()
}

fn missing(name: &str, what: &str) -> Failure {
    Failure::invalid_value(format!("name {what} with ?{name}="))
}
