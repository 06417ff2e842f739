//! `GET /Events?after=NEXT&count=N&wait=SECONDS`: the log as a feed, with long poll, for systems that nothing is pushed to.

use std::time::Duration;

use actix_web::HttpRequest;
use serde_json::{Value, json};

use crate::http::answer::{self, Answer};
use crate::http::caller::{Caller, door};
use crate::http::error::Failure;
use crate::http::query::{self, number};

/// The names of the answer.
const SCHEMA: &str = "urn:muster:scim:api:messages:1.0:EventFeed";
/// Events in one answer, without `count` and at most.
const COUNT: i64 = 100;
const MOST: i64 = 1000;
/// For how many seconds a request may wait.
const LONGEST: i64 = 30;
/// How often it is looked whether there is more.
const LOOK: Duration = Duration::from_millis(250);

/// The events from a place on that the caller may see. With `wait` the answer comes once there is one, or the time is over.
pub(super) async fn events(request: HttpRequest, caller: Caller) -> Answer {
    let pairs = query::parse(request.query_string())?;
    let count = number(&pairs, "count", 1..=MOST)?.unwrap_or(COUNT);
    let wait = number(&pairs, "wait", 0..=LONGEST)?.unwrap_or(0);
    let service = &door(&request)?.service;
    let mut next = service.feed_place(&caller.context, query::single(&pairs, "after")?)?;
    let mut looks = wait * 1000 / i64::try_from(LOOK.as_millis()).unwrap_or(i64::MAX);
    let mut told = Vec::new();
    loop {
        let left = count - i64::try_from(told.len()).unwrap_or(count);
        let feed = service.feed(&caller.context, next, left).await?;
        next = feed.next;
        for (position, event) in &feed.events {
            let mut event = serde_json::to_value(event)
                .map_err(|error| Failure::internal(format!("an event is no JSON: {error}")))?;
            event["position"] = (*position).into();
            told.push(with_contract_names(event));
        }
        // How many it takes to come to the end is nobody's business.
        let is_full = i64::try_from(told.len()).unwrap_or(count) >= count;
        let is_over = feed.is_end && (!told.is_empty() || looks <= 0);
        if is_full || is_over {
            let next = service.feed_next(&caller.context, next)?;
            return answer::json(
                actix_web::HttpResponse::Ok(),
                &json!({ "schemas": [SCHEMA], "events": told, "next": next }),
            );
        }
        if feed.is_end {
            looks -= 1;
            actix_web::rt::time::sleep(LOOK).await;
        }
    }
}

/// The contract's own names (B-079) beside those of the log.
fn with_contract_names(mut event: Value) -> Value {
    for (name, own) in [
        ("eventId", "id"),
        ("objectType", "resourceType"),
        ("candidateId", "personId"),
        ("occurredAt", "recordedAt"),
    ] {
        if let Some(value) = event.get(own).cloned() {
            event[name] = value;
        }
    }
    event
}
