//! `GET /Events?after=POSITION&count=N&wait=SECONDS`: the log as a feed, with long poll, for systems that nothing is pushed to.

use std::time::Duration;

use actix_web::HttpRequest;
use serde_json::{Value, json};

use crate::http::answer::{self, Answer};
use crate::http::caller::{Caller, door};
use crate::http::error::Failure;
use crate::http::query::{self, number};

/// The names of the answer.
const SCHEMA: &str = "urn:muster:scim:api:messages:1.0:EventFeed";
/// Positions of the log in one answer, without `count` and at most.
const COUNT: i64 = 100;
const MOST: i64 = 1000;
/// For how many seconds a request may wait.
const LONGEST: i64 = 30;
/// How often it is looked whether there is more.
const LOOK: Duration = Duration::from_millis(250);

/// The events from a position on that the caller may see. With `wait` the answer comes once there is one, or the time is over.
pub(super) async fn events(request: HttpRequest, caller: Caller) -> Answer {
    let pairs = query::parse(request.query_string())?;
    let mut after = number(&pairs, "after", 0..=i64::MAX)?.unwrap_or(0);
    let count = number(&pairs, "count", 1..=MOST)?.unwrap_or(COUNT);
    let wait = number(&pairs, "wait", 0..=LONGEST)?.unwrap_or(0);
    let service = &door(&request)?.service;
    let mut looks = wait * 1000 / i64::try_from(LOOK.as_millis()).unwrap_or(i64::MAX);
    loop {
        let feed = service.feed(&caller.context, after, count).await?;
        let is_end = feed.next == after;
        after = feed.next;
        if !feed.events.is_empty() || looks <= 0 {
            let mut told = Vec::with_capacity(feed.events.len());
            for (position, event) in &feed.events {
                let mut event = serde_json::to_value(event)
                    .map_err(|error| Failure::internal(format!("an event is no JSON: {error}")))?;
                event["position"] = (*position).into();
                told.push(with_contract_names(event));
            }
            return answer::json(
                actix_web::HttpResponse::Ok(),
                &json!({ "schemas": [SCHEMA], "events": told, "next": after }),
            );
        }
        if is_end {
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
