//! What is refused is logged: "why did my provisioning fail", and evidence of attacks (design §4). Bounded in rate, so that
//! nobody fills the log by being refused; what is beyond the bound is counted in the next event.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use actix_web::{HttpMessage, web};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::Value;

use super::Door;
use super::body::Said;
use super::error::Failure;
use super::refused::Operations;
use crate::domain::context::Client;
use crate::domain::event::Refusal;
use crate::domain::refused::without_values;
use crate::id::TenantId;

/// Refusals that are logged in a second, and at once; of each tenant, and of strangers, since nobody's flood may keep another's
/// out of the log, or show in it.
const PER_SECOND: u32 = 10;
const AT_ONCE: u32 = 100;

/// The client of a request, kept with it once it is known.
#[derive(Clone)]
pub(super) struct Who(pub(super) Arc<Client>);

/// How many may be logged.
pub(super) struct Refusals {
    /// By tenant; strangers have none.
    bounds: Mutex<BTreeMap<Option<i32>, Bound>>,
    /// The tenant in whose log strangers' refusals are.
    home: TenantId,
}

/// How many of one tenant may be logged, and how many were not since the last that was.
struct Bound {
    limiter: DefaultDirectRateLimiter,
    unlogged: u64,
}

impl Bound {
    fn new() -> Self {
        let some = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(some(PER_SECOND)).allow_burst(some(AT_ONCE));
        Self {
            limiter: RateLimiter::direct(quota),
            unlogged: 0,
        }
    }

    /// How many were not logged before this one, which may be; nothing if it may not.
    fn pass(&mut self) -> Option<u64> {
        if self.limiter.check().is_err() {
            self.unlogged += 1;
            return None;
        }
        Some(std::mem::take(&mut self.unlogged))
    }
}

impl Refusals {
    pub(super) fn new(home: TenantId) -> Self {
        Self {
            bounds: Mutex::default(),
            home,
        }
    }

    fn pass(&self, tenant: Option<TenantId>) -> Option<u64> {
        let mut bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let bound = bounds.entry(tenant.map(|tenant| tenant.0));
        bound.or_insert_with(Bound::new).pass()
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
        for told in all(answer).iter().filter(|told| may_be_logged(told.status)) {
            self.note(door, who.as_ref(), told, correlation).await;
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
        if told.status == 400 && !(reports || told.is_probe) {
            return;
        }
        let Some(unlogged) = self.pass(who.map(|who| who.0.tenant)) else {
            return;
        };
        let refusal = Refusal {
            status: told.status,
            scim_type: told.scim_type,
            why: &told.why,
            method: &told.method,
            resource_type: known.as_ref().map_or("", |known| known.name.as_str()),
            client: who.map_or("", |who| who.0.name.as_str()),
            correlation,
            at: door.clock.now(),
            unlogged,
        };
        let tenant = who.map_or(self.home, |who| who.0.tenant);
        if let Err(error) = door.service.refused(refusal, tenant).await {
            tracing::warn!(%error, "a refusal could not be logged");
        }
    }
}

/// Whether refusals of a status are logged; those of 400 for some types, and where they may be attempts to learn something.
fn may_be_logged(status: u16) -> bool {
    matches!(status, 400 | 401 | 403 | 409 | 412 | 429)
}

/// What an answer, or one operation of it, tells of why it is none.
struct Told {
    status: u16,
    scim_type: Option<&'static str>,
    why: String,
    method: String,
    endpoint: String,
    is_probe: bool,
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
            is_probe: failure.is_some_and(|failure| failure.is_probe),
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
    let is_told = may_be_logged(status) && request.extensions().get::<Operations>().is_none();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// One tenant's flood neither keeps another's refusals out of the log nor is counted there; nor do strangers'.
    #[test]
    fn each_tenant_has_a_bound_of_its_own() {
        let refusals = Refusals::new(TenantId(1));
        let flooding = Some(TenantId(7));
        let logged = (0..500)
            .filter(|_| refusals.pass(flooding).is_some())
            .count();
        assert!((100..200).contains(&logged), "{logged}");
        assert_eq!(refusals.pass(Some(TenantId(8))), Some(0));
        assert_eq!(refusals.pass(None), Some(0));
    }
}
