//! What is refused is logged: "why did my provisioning fail", and evidence of attacks (design §4). Bounded in rate, so that
//! nobody fills the log by being refused; what is beyond the bound is counted in the next event.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::{HttpMessage, web};
use governor::clock::DefaultClock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use serde_json::Value;

use super::Door;
use super::body::Said;
use super::error::Failure;
use super::refused::Operations;
use crate::domain::context::Client;
use crate::domain::event::Refusal;
use crate::domain::refused::without_values;
use crate::id::TenantId;

/// Refusals that are logged in a second, and at once.
const PER_SECOND: u32 = 10;
const AT_ONCE: u32 = 100;

/// The client of a request, kept with it once it is known.
#[derive(Clone)]
pub(super) struct Who(pub(super) Arc<Client>);

/// How many may be logged.
pub(super) struct Refusals {
    limiter: RateLimiter<NotKeyed, InMemoryState, DefaultClock, NoOpMiddleware>,
    unlogged: AtomicU64,
    /// The tenant in whose log strangers' refusals are.
    home: TenantId,
}

impl Refusals {
    pub(super) fn new(home: TenantId) -> Self {
        let some = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(some(PER_SECOND)).allow_burst(some(AT_ONCE));
        Self {
            limiter: RateLimiter::direct(quota),
            unlogged: AtomicU64::new(0),
            home,
        }
    }

    /// Logs an answer, if it is a refusal, and each operation of a bulk request that was refused. That it cannot be logged is no
    /// reason to answer otherwise.
    pub(super) async fn log<B: MessageBody>(
        &self,
        door: &web::Data<Door>,
        answer: &ServiceResponse<B>,
        correlation: &str,
    ) {
        let who = answer.request().extensions().get::<Who>().cloned();
        for told in all(answer) {
            self.note(door, who.as_ref(), &told, correlation).await;
        }
    }

    async fn note(
        &self,
        door: &web::Data<Door>,
        who: Option<&Who>,
        told: &Told,
        correlation: &str,
    ) {
        let known = door.service.resource_type(&told.endpoint);
        // What is only ever added to reports also what it does not have (B-064).
        let reports = known
            .as_ref()
            .is_some_and(|known| door.service.is_append_only(known));
        let is_logged =
            matches!(told.status, 401 | 403 | 409 | 412 | 429) || (told.status == 400 && reports);
        if !is_logged {
            return;
        }
        if self.limiter.check().is_err() {
            self.unlogged.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let refusal = Refusal {
            status: told.status,
            scim_type: told.scim_type,
            why: &told.why,
            method: &told.method,
            resource_type: known.as_ref().map_or("", |known| known.name.as_str()),
            client: who.map_or("", |who| who.0.name.as_str()),
            correlation,
            at: door.clock.now(),
            unlogged: self.unlogged.swap(0, Ordering::Relaxed),
        };
        let tenant = who.map_or(self.home, |who| who.0.tenant);
        if let Err(error) = door.service.refused(refusal, tenant).await {
            tracing::warn!(%error, "a refusal could not be logged");
        }
    }
}

/// What an answer, or one operation of it, tells of why it is none.
struct Told {
    status: u16,
    scim_type: Option<&'static str>,
    why: String,
    method: String,
    endpoint: String,
}

impl Told {
    /// Without what was `said`: no value of anybody's is in the log as it stands there.
    fn of(
        (failure, said): (Option<&Failure>, Option<&Value>),
        status: u16,
        (method, endpoint): (&str, &str),
    ) -> Self {
        let why = failure.map(ToString::to_string).unwrap_or_default();
        Self {
            status,
            scim_type: failure.and_then(|failure| failure.scim_type),
            why: without_values(&why, said),
            method: method.to_owned(),
            endpoint: endpoint.to_owned(),
        }
    }
}

/// The answer as a whole, and the operations of a bulk request that were refused.
fn all<B: MessageBody>(answer: &ServiceResponse<B>) -> Vec<Told> {
    let request = answer.request();
    let endpoint = request.path().trim_start_matches(super::scim::ROOT);
    let endpoint = endpoint.split('/').find(|part| !part.is_empty());
    let endpoint = format!("/{}", endpoint.unwrap_or_default());
    let failure = answer.response().error();
    let failure = failure.and_then(|error| error.as_error::<Failure>());
    let (status, method) = (answer.status().as_u16(), request.method().as_str());
    let body = request.extensions().get::<Said>().cloned();
    let is_told = failure.is_some() && request.extensions().get::<Operations>().is_none();
    let said = body
        .filter(|_| is_told)
        .and_then(|Said(bytes)| serde_json::from_slice(&bytes).ok());
    let whole = (failure, said.as_ref());
    let mut told = vec![Told::of(whole, status, (method, &endpoint))];
    if let Some(Operations(refused)) = request.extensions().get::<Operations>() {
        told.extend(refused.iter().map(|one| {
            let status = one.failure.status.as_u16();
            let why = (Some(&one.failure), Some(&one.data));
            Told::of(why, status, (&one.method, &one.endpoint))
        }));
    }
    told
}
