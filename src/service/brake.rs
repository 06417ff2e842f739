//! The leaver brake (model.md, the lifecycle, 6): a run of leavers is stopped, a human is asked, and what they decide holds.
//!
//! Acts are counted in the transaction that commits them, on a row that is held meanwhile, so no number of writers gets more
//! through than the policy allows. Where the policy has no brake nothing is counted. A stopped request is answered by 429
//! with `Retry-After`: identity providers keep such a change and send it again (Okta honors whole seconds), whereas a 409
//! would be a failed task that nobody repeats, and a 503 would say that the server is at fault.

use serde_json::Value;

use super::change::Write;
use super::{Error, Muster};
use crate::domain::brake::{self, Act, Stop};
use crate::domain::claim::SourceRecord;
use crate::domain::context::Context;
use crate::domain::event::Happened;
use crate::domain::policy::LeaverBrake;
use crate::domain::record::{Kind, Leaves, Record};
use crate::domain::review::{SYSTEM, Step};
use crate::domain::withdrawn::{self, Withdrawn};
use crate::id::{ResourceId, TenantId};
use crate::scim;
use crate::store::{self, Tx};

/// The errand of what is brought back, and the reason code of its events.
pub(super) const RESTORED: &str = "restored";

impl Muster {
    /// The brake of a tenant, if its policy has one.
    pub(super) fn brake(&self, tenant: TenantId) -> Option<LeaverBrake> {
        let policies = self.policies();
        policies.get(&tenant.0)?.policy.leaver_brake
    }

    /// The outcome of a use case. Where acts were stopped of which nobody has been asked yet, a review is opened: what the
    /// use case itself did is undone by then.
    pub(super) async fn asked<T>(
        &self,
        context: &Context,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        match unasked(&outcome) {
            Some(stop) => Err(self.0.store.write(self.asking(context, stop)).await?),
            None => outcome,
        }
    }

    /// The same, for callers outside an async runtime.
    pub(super) fn asked_blocking<T>(
        &self,
        context: &Context,
        outcome: Result<T, Error>,
    ) -> Result<T, Error> {
        match unasked(&outcome) {
            Some(stop) => Err(self.0.store.write_blocking(self.asking(context, stop))?),
            None => outcome,
        }
    }

    fn asking(
        &self,
        context: &Context,
        stop: &Stop,
    ) -> impl Fn(&mut Tx<'_>) -> Result<Error, Error> + Send + use<> {
        let (muster, context, stop) = (self.clone(), context.clone(), stop.clone());
        move |tx: &mut Tx<'_>| muster.ask(tx, &context, &stop)
    }

    /// What stopped acts are answered by, with the review that asks about them: one at a time for each client and act.
    fn ask(&self, tx: &mut Tx<'_>, context: &Context, stop: &Stop) -> Result<Error, Error> {
        let client = &*context.client;
        let of = (context.tenant(), client.name.as_str(), stop.act);
        let Some(limits) = self.brake(context.tenant()) else {
            return Ok(settled_meanwhile());
        };
        let mut tally = store::brake::claim(tx, of)?;
        // One act more than there may be: what stops it now?
        let again = tally.take((stop.act, stop.most + 1), &limits, stop.most, context.now);
        let mut stop = match again {
            Err(again) if again.review.is_some() => again,
            Err(_) => stop.clone(),
            Ok(()) => return Ok(settled_meanwhile()),
        };
        if stop.review.is_none() {
            let leaves = brake::question(&stop, (&client.name, &client.system), context.now);
            let review = self.put_review(tx, context, leaves)?.to_string();
            tally.standing = brake::Standing::Asked {
                review: review.clone(),
            };
            store::brake::update(tx, of, &tally)?;
            stop.review = Some(review);
        }
        Ok(Error::Stopped(Box::new(stop)))
    }
}

/// What was stopped, if nobody has been asked about it yet.
fn unasked<T>(outcome: &Result<T, Error>) -> Option<&Stop> {
    match outcome {
        Err(Error::Stopped(stop)) if stop.review.is_none() => Some(stop),
        _ => None,
    }
}

fn no_allowance() -> Error {
    scim::Error::invalid_value("'allowance' is how many more are let through: 0 or more").into()
}

fn settled_meanwhile() -> Error {
    Error::Unavailable {
        detail:
            "somebody has just decided about the leaver brake; nothing was changed, send it again"
                .into(),
        retry_after: 1,
    }
}

impl Write<'_> {
    /// Counts acts of the caller, or stops them. What the server does by itself, and what brings back, is not counted.
    pub(super) fn count_leavers(&self, tx: &mut Tx<'_>, act: Act, acts: u64) -> Result<(), Error> {
        let (tenant, client) = (self.context.tenant(), &*self.context.client);
        let Some(limits) = self.muster.brake(tenant) else {
            return Ok(());
        };
        if acts == 0 || client.name == SYSTEM || self.errand == Some(RESTORED) {
            return Ok(());
        }
        let of = (tenant, client.name.as_str(), act);
        let accounts = act != Act::Deletion || self.view.accounts_only;
        let population = store::brake::population(tx, tenant, accounts)?;
        let mut tally = store::brake::claim(tx, of)?;
        // Those who have been deleted in the window were there when it began.
        let gone = match act {
            Act::Deletion => tally.counted(&limits, self.context.now),
            Act::Deactivation | Act::Removal => 0,
        };
        let most = limits.most(act, population.saturating_add(gone));
        tally
            .take((act, acts), &limits, most, self.context.now)
            .map_err(|stop| Error::Stopped(Box::new(stop)))?;
        Ok(store::brake::update(tx, of, &tally)?)
    }

    /// Counts an account that a client's word makes inactive. What operators decide about who is who is not one.
    pub(super) fn count_deactivation(
        &self,
        tx: &mut Tx<'_>,
        (before, after): (&Leaves, &Leaves),
        happened: Happened,
    ) -> Result<(), Error> {
        let active = |leaves: &Leaves| leaves.get("active").and_then(Value::as_bool);
        let said = matches!(happened, Happened::Updated | Happened::AccountAttached);
        if self.view.kind != Kind::Person
            || !said
            || active(before) != Some(true)
            || active(after) == Some(true)
        {
            return Ok(());
        }
        self.count_leavers(tx, Act::Deactivation, 1)
    }

    /// What the event of a deletion keeps, where there is a brake: what the sources say that they say no more `after`.
    pub(super) fn withdrawing(&self, record: &Record, after: &[SourceRecord]) -> Option<Value> {
        self.muster.brake(self.context.tenant())?;
        if !matches!(self.view.kind, Kind::Person | Kind::Group) {
            return None;
        }
        let withdrawn = Withdrawn {
            row: record.folded.row,
            created: record.folded.created,
            sources: withdrawn::between(&record.sources, after),
        };
        let kept = serde_json::to_value(withdrawn).ok()?;
        Some(Value::Object(
            [(withdrawn::NAME.to_owned(), kept)].into_iter().collect(),
        ))
    }

    /// Carries out what a review of a leaver brake has come to. Who was stopped does not decide about it.
    pub(super) fn decide_brake(
        &self,
        tx: &mut Tx<'_>,
        (id, review): (ResourceId, &Leaves),
        step: Step,
    ) -> Result<(), Error> {
        let Some((client, act, _)) = brake::asked(review) else {
            return Ok(());
        };
        if client == self.context.client.name {
            return Err(Error::Forbidden(format!(
                "the client '{client}' was stopped by the leaver brake: somebody else decides whether it goes on"
            )));
        }
        let tenant = self.context.tenant();
        let limits = self.muster.brake(tenant).unwrap_or_default();
        let left = review.get("allowance");
        let left = left.map(|left| left.as_u64().ok_or_else(no_allowance));
        let left = left.transpose()?;
        let of = (tenant, client.as_str(), act);
        let mut tally = store::brake::claim(tx, of)?;
        let allowed = step == Step::Approved;
        tally.decide(&id.to_string(), allowed, left, (&limits, self.context.now));
        Ok(store::brake::update(tx, of, &tally)?)
    }
}
