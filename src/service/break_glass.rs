//! Break-glass: a client has a purpose for a while, because somebody asked for it with a reason and somebody else approved
//! . All of it is logged, and so is every read that it opens, as any read of what is classified.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::event::Event;
use crate::id::{ResourceId, TenantId};
pub use crate::store::break_glass::Glass;
use crate::store::{self, Tx};

/// The most minutes for which it holds.
pub const MOST_MINUTES: i32 = 8 * 60;
/// How long a request waits for its approval, in minutes.
const PENDING: i64 = 60;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose client.
    pub tenant: String,
    /// The client.
    pub client: String,
    /// The purpose.
    pub purpose: String,
    /// For how many minutes.
    pub minutes: i32,
    /// Why.
    pub reason: String,
}

impl Muster {
    /// Asks for a purpose; the request's id.
    pub fn break_glass(
        &self,
        request: &Request,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<ResourceId, Error> {
        self.refresh()?;
        let tenant = self.tenant_of(&request.tenant)?;
        let governed = self.policies().get(&tenant.0).cloned();
        let known = governed.is_some_and(|governed| {
            let mut clients = governed.clients.iter();
            clients.any(|row| row.client.name == request.client)
        });
        if !known {
            let (client, tenant) = (&request.client, &request.tenant);
            return Err(Error::NotFound(format!(
                "the policy of the tenant '{tenant}' has no client '{client}'"
            )));
        }
        if request.reason.trim().is_empty() || !(1..=MOST_MINUTES).contains(&request.minutes) {
            return Err(Error::Conflict(format!(
                "give a reason, and 1 to {MOST_MINUTES} minutes"
            )));
        }
        let glass = Glass {
            id: self.0.ids.resource(),
            tenant,
            client: request.client.clone(),
            purpose: request.purpose.clone(),
            minutes: request.minutes,
            reason: request.reason.clone(),
            requested: now,
            requested_by: actor.to_owned(),
            approved_by: None,
            until: None,
            changes: 0,
        };
        let event = self.glass_event("breakGlass.requested", &glass, (actor, now));
        let id = glass.id;
        let work = move |tx: &mut Tx<'_>| {
            Ok::<_, Error>(store::break_glass::insert(tx, &glass, event.clone())?)
        };
        self.0.store.write_blocking(work)?;
        Ok(id)
    }

    /// Approves a request, as somebody else than who made it; until when it holds.
    pub fn approve_glass(
        &self,
        id: ResourceId,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Error> {
        self.refresh()?;
        let glass = self.glass(id)?;
        let security = self.speak_for_security(glass.tenant);
        if !security.is_empty() {
            return Err(Error::Forbidden(format!(
                "by the policy {} speaks for Security ('approval'): it approves this with a token, POST \
                 /admin/break-glass/{id}/approve",
                security.join(" or ")
            )));
        }
        if glass.requested_by == actor {
            return Err(Error::Forbidden(format!(
                "'{actor}' asked for it: somebody else has to approve it"
            )));
        }
        self.approve(&glass, actor, now)
    }

    /// Approves a request as a client that speaks for Security, by its token; the purpose, whose it is, and until when.
    pub fn approve_glass_by(
        &self,
        context: &Context,
        id: ResourceId,
    ) -> Result<(Glass, DateTime<Utc>), Error> {
        let by = &context.client.name;
        let tenant = context.tenant();
        if !self.speak_for_security(tenant).contains(by) {
            return Err(Error::Forbidden(format!(
                "the policy in force does not name the client '{by}' among those that speak for Security ('approval')"
            )));
        }
        let glass = self.glass(id)?;
        if glass.tenant != tenant {
            return Err(unknown(id));
        }
        if glass.client == *by {
            return Err(Error::Forbidden(format!(
                "it is for '{by}' itself: somebody else has to approve it"
            )));
        }
        let until = self.approve(&glass, by, context.now)?;
        Ok((glass, until))
    }

    /// The clients that speak for Security by the policy in force.
    fn speak_for_security(&self, tenant: TenantId) -> Vec<String> {
        let governed = self.policies().get(&tenant.0).cloned();
        let approval = governed.and_then(|governed| governed.policy.approval.clone());
        let names = approval.into_iter().flat_map(|row| row.security);
        names.map(|name| name.value).collect()
    }

    fn approve(
        &self,
        glass: &Glass,
        actor: &str,
        now: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Error> {
        let until = now + TimeDelta::minutes(i64::from(glass.minutes));
        let approver = actor.to_owned();
        self.change_glass(
            "breakGlass.approved",
            glass.id,
            (actor, now),
            move |glass| {
                if glass.until.is_some() || now - glass.requested > TimeDelta::minutes(PENDING) {
                    return Err(Error::Conflict(
                        "it is approved already, ended, or too old: ask again".into(),
                    ));
                }
                glass.approved_by = Some(approver.clone());
                glass.until = Some(until);
                Ok(())
            },
        )?;
        Ok(until)
    }

    /// Ends it at once, whether it was approved or not.
    pub fn end_glass(&self, id: ResourceId, actor: &str, now: DateTime<Utc>) -> Result<(), Error> {
        self.change_glass("breakGlass.ended", id, (actor, now), move |glass| {
            glass.until = Some(glass.until.map_or(now, |until| until.min(now)));
            Ok(())
        })
    }

    /// All of a tenant, the newest first.
    pub fn glasses(&self, tenant: &str) -> Result<Vec<Glass>, Error> {
        let tenant = self.tenant_of(tenant)?;
        self.0
            .store
            .read_blocking(|tx| Ok(store::break_glass::list(tx, tenant)?))
    }

    /// Changes it as it stands when it is written: of two who approve it at once one is refused.
    fn change_glass(
        &self,
        kind: &'static str,
        id: ResourceId,
        (actor, now): (&str, DateTime<Utc>),
        change: impl Fn(&mut Glass) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let (muster, actor) = (self.clone(), actor.to_owned());
        let work = move |tx: &mut Tx<'_>| {
            let mut glass = store::break_glass::find(tx, id)?.ok_or_else(|| unknown(id))?;
            change(&mut glass)?;
            let event = muster.glass_event(kind, &glass, (&actor, now));
            Ok::<_, Error>(store::break_glass::update(tx, &glass, event)?)
        };
        self.0.store.write_blocking(work)?;
        self.refresh()
    }

    fn glass(&self, id: ResourceId) -> Result<Glass, Error> {
        let found = self
            .0
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::break_glass::find(tx, id)?))?;
        found.ok_or_else(|| unknown(id))
    }

    fn glass_event(&self, kind: &str, glass: &Glass, (actor, now): (&str, DateTime<Utc>)) -> Event {
        let id = self.0.ids.event(now);
        let of = (kind, "BreakGlass", glass.id);
        let event = Event::of_order(id, glass.tenant, of, (actor, now), Some(&glass.reason));
        event.about(&glass.client, &glass.purpose, glass.minutes)
    }

    /// The tenant of that name, which must be there.
    pub(super) fn tenant_of(&self, name: &str) -> Result<TenantId, Error> {
        let found = self
            .0
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::tenant::find(tx, name)?))?;
        found.ok_or_else(|| Error::NotFound(format!("there is no tenant '{name}'")))
    }
}

fn unknown(id: ResourceId) -> Error {
    Error::NotFound(format!("there is no break-glass request '{id}'"))
}
