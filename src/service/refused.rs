//! Writes that were refused for what they said wait for a human, so that none is dropped in silence (B-038, B-101).
//!
//! A table of its own, and no Review: a vendor that repeats itself would make a new version of a review each time, what is asked is no
//! yes or no, and nothing here is of a record. The first of a kind is kept before its answer leaves; what is like it within the
//! next half second is counted in memory, and that by a thread: a thousand repetitions are an UPDATE or two.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Error, Muster, permit};
use crate::domain::context::{Context, Right};
use crate::domain::event::Event;
use crate::domain::refused::{Arrival, Item, Refused};
use crate::id::{EventId, TenantId};
use crate::scim;
use crate::store::refused::Kept;
use crate::store::{self, Tx};

/// The most ways of being refused that are kept of a tenant.
const MOST: i64 = 10_000;
/// The most that wait in memory while the database cannot answer.
const WAITING: usize = 10_000;
/// So many are written at once.
const CHUNK: usize = 50;

/// So many came in one way, and the last of them.
#[derive(Clone)]
struct Lot {
    tenant: TenantId,
    refused: Refused,
    last: Arrival,
    count: i64,
    id: Uuid,
    event: EventId,
}

/// What has lately come, by tenant and digest. What is here with a count of 0 has been kept, and what is like it is counted.
#[derive(Default)]
pub(super) struct Lately(Mutex<BTreeMap<(i32, [u8; 32]), Lot>>);

impl Lately {
    /// Counts one more of what has just been kept; the lot that is to be kept now where there is none such.
    fn note(&self, lot: Lot) -> Option<Lot> {
        let of = (lot.tenant.0, lot.refused.digest());
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lately.get_mut(&of) {
            known.count += 1;
            known.last = lot.last;
            return None;
        }
        let kept = Lot {
            count: 0,
            ..lot.clone()
        };
        lately.insert(of, kept);
        Some(lot)
    }

    /// Counts again what could not be kept: none is dropped because the database could not answer.
    fn give_back(&self, lots: &[Lot]) {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lot in lots {
            let of = (lot.tenant.0, lot.refused.digest());
            if lately.len() >= WAITING && !lately.contains_key(&of) {
                tracing::warn!(
                    client = lot.refused.client,
                    "a refused write is not kept: too many wait for the database"
                );
                continue;
            }
            let known = lately.entry(of).or_insert_with(|| Lot {
                count: 0,
                ..lot.clone()
            });
            known.count += lot.count;
        }
    }

    /// What has been counted since; the next of each is kept at once.
    fn take(&self) -> Vec<Lot> {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let lots = std::mem::take(&mut *lately).into_values();
        lots.filter(|lot| lot.count > 0).collect()
    }
}

impl Muster {
    /// Keeps that a client was refused so, once or in many operations of one request.
    pub async fn keep_refused(
        &self,
        tenant: TenantId,
        refused: Vec<Refused>,
        last: &Arrival,
    ) -> Result<(), Error> {
        let lot = |refused| Lot {
            tenant,
            refused,
            last: last.clone(),
            count: 1,
            id: self.0.ids.resource().0,
            event: self.0.ids.event(last.at),
        };
        let lots = refused.into_iter().map(lot);
        let lots: Vec<Lot> = lots.filter_map(|lot| self.0.lately.note(lot)).collect();
        self.keep_lots(&lots).await
    }

    /// Where the database cannot answer, what is left waits for the next time. What it will never take is told to whoever reads
    /// the log, and stands in the way of nothing else.
    async fn keep_lots(&self, lots: &[Lot]) -> Result<(), Error> {
        for (n, chunk) in lots.chunks(CHUNK).enumerate() {
            match self.0.store.write(keeping(chunk.to_vec())).await {
                Ok(()) => {}
                Err(error) if is_passing(&error) => {
                    self.0.lately.give_back(&lots[n * CHUNK..]);
                    return Err(error);
                }
                Err(error) => cannot_keep(chunk, &error),
            }
        }
        Ok(())
    }

    /// Keeps what was counted since: from time to time, and at the end.
    pub(super) fn keep_counted(&self) {
        for lots in self.0.lately.take().chunks(CHUNK) {
            match self.0.store.write_blocking(keeping(lots.to_vec())) {
                Ok(()) => {}
                Err(error) if is_passing(&error) => {
                    self.0.lately.give_back(lots);
                    tracing::warn!(%error, "how often writes were refused could not be kept yet");
                }
                Err(error) => cannot_keep(lots, &error),
            }
        }
    }

    /// Forgets what has been seen to, and the clients of which nothing was heard, for longer than the policy keeps a log of
    /// deliveries (B-078); how many. What waits for a human is not forgotten, and the sealed log has a term of its own (C-08).
    pub fn forget_deliveries(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let then = now - self.deliveries_kept(tenant);
        // Most often there is nothing to forget, and so nothing to commit.
        let look = |tx: &mut Tx<'_>| {
            let settled = store::refused::is_any_settled(tx, tenant, then)?;
            Ok::<_, Error>(
                settled
                    || store::integration::is_any_silent(tx, tenant, then)?
                    || store::acknowledged::is_any_old(tx, tenant, then)?,
            )
        };
        if !self.0.store.read_blocking(look)? {
            return Ok(0);
        }
        let forget = move |tx: &mut Tx<'_>| {
            let refused = store::refused::purge(tx, tenant, then)?;
            let had = store::acknowledged::purge(tx, tenant, then)?;
            Ok::<_, Error>(refused + had + store::integration::purge(tx, tenant, then)?)
        };
        self.0.store.write_blocking(forget)
    }

    /// The items that wait, or those that somebody has seen to, the last to come first; and how many there are.
    ///
    /// # Errors
    /// When the caller may not read all of `AuditEvent`.
    pub async fn refused_writes(
        &self,
        context: &Context,
        open: bool,
        page: (i64, i64),
    ) -> Result<(Vec<Item>, i64), Error> {
        Self::may_read_whole_log(context)?;
        self.keep_lots(&self.0.lately.take()).await?;
        let tenant = context.tenant();
        let read = move |tx: &mut Tx<'_>| Ok(store::refused::list(tx, tenant, open, page)?);
        self.0.store.read(read).await
    }

    /// Whether a client may say that an item has been seen to: who decides reviews, and sees the queue.
    pub fn may_resolve_refused(context: &Context) -> Result<(), Error> {
        Self::may_read_whole_log(context)?;
        permit(context, Right::Write, super::review::NAME)
    }

    /// Keeps that somebody has seen to an item, and what they say of it. Should the like come again, it waits again.
    pub async fn resolve_refused(
        &self,
        context: &Context,
        id: &str,
        note: &str,
    ) -> Result<Item, Error> {
        Self::may_resolve_refused(context)?;
        if note.trim().is_empty() {
            return Err(
                scim::Error::invalid_value("the 'note' says what was done about it").into(),
            );
        }
        let missing = Error::NotFound(format!("there is no refused write with id '{id}'"));
        let id: Uuid = id.parse().map_err(|_| missing.clone())?;
        let event = self.0.ids.event(context.now);
        let (context, note) = (context.clone(), note.to_owned());
        let work = move |tx: &mut Tx<'_>| {
            let (tenant, by) = (context.tenant(), context.client.name.as_str());
            let waited = store::refused::resolve(tx, (tenant, id), (by, &note), context.now)?;
            let item = store::refused::find(tx, tenant, id)?;
            let item = item.ok_or_else(|| missing.clone())?;
            if !waited {
                return Err(Error::Conflict("somebody has seen to it already".into()));
            }
            let detail =
                json!({ "refusedId": item.id, "client": item.client, "count": item.count });
            let event = Event::of_batch(&context, event, "write.resolved", detail);
            store::event::note(tx, event)?;
            Ok(item)
        };
        self.0.store.write(work).await
    }
}

/// Whether the database may take it later.
fn is_passing(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. })
}

/// Tells what cannot be kept: no fault of the client's is told to nobody.
fn cannot_keep(lots: &[Lot], error: &Error) {
    for Lot { refused, count, .. } in lots {
        tracing::error!(
            %error, client = refused.client, route = refused.route, detail = refused.detail, count,
            "a refused write cannot be kept"
        );
    }
}

fn keeping(lots: Vec<Lot>) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    move |tx| lots.iter().try_for_each(|lot| keep(tx, lot))
}

fn keep(tx: &mut Tx<'_>, lot: &Lot) -> Result<(), Error> {
    let Lot { refused, last, .. } = lot;
    let at = (lot.tenant, lot.id);
    match store::refused::claim(tx, at, (refused, last, lot.count), MOST)? {
        Kept::Again => Ok(()),
        Kept::Opened => Ok(store::event::note(tx, opened(lot))?),
        Kept::Beyond => {
            let beyond = Refused::beyond();
            let claimed = (&beyond, last, lot.count);
            Ok(store::refused::claim(tx, at, claimed, i64::MAX).map(drop)?)
        }
    }
}

/// The event of an item that waits from now on.
fn opened(lot: &Lot) -> Event {
    let Lot { refused, last, .. } = lot;
    let by = (refused.client.as_str(), last.at);
    let of = ("write.refused", "", crate::id::ResourceId(Uuid::nil()));
    let scim_type = refused.scim_type.as_deref();
    let detail: Value = json!({
        "status": refused.status, "route": refused.route, "resourceType": refused.resource_type, "why": refused.detail,
    });
    Event {
        system: refused.system.clone(),
        correlation: last.correlation.clone(),
        detail,
        ..Event::of_order(lot.event, lot.tenant, of, by, scim_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// B-038: what could not be kept waits for the next time, with all that has come since.
    #[test]
    fn what_could_not_be_kept_is_counted_again() {
        let lately = Lately::default();
        let lot = Lot {
            tenant: TenantId(1),
            refused: Refused::beyond(),
            last: Arrival {
                correlation: "c".into(),
                body: None,
                at: DateTime::UNIX_EPOCH,
            },
            count: 1,
            id: Uuid::nil(),
            event: EventId(Uuid::nil()),
        };
        let first = lately.note(lot.clone()).unwrap();
        assert!(lately.note(lot.clone()).is_none());
        lately.give_back(&[first]);
        let counts = |lots: Vec<Lot>| lots.iter().map(|lot| lot.count).collect::<Vec<_>>();
        let taken = lately.take();
        assert_eq!(counts(taken.clone()), [2]);
        assert!(lately.take().is_empty());
        lately.give_back(&taken);
        assert_eq!(counts(lately.take()), [2]);
    }
}
