//! What a client did is taken back (model.md, the lifecycle, 6): accounts are active again, what was deleted is back under its
//! old id with what each system said of it, members are in their groups again. From the newest event to the oldest, each in a
//! transaction of its own; what is as it was before is left alone, so it can be run again. Whoever has been erased stays so.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::brake::RESTORED;
use super::change::Write;
use super::{Error, Muster};
use crate::domain::brake::{self, Act};
use crate::domain::claim::{Claims, SINGLE, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::event::{Event, Happened};
use crate::domain::record::{Kind, Record};
use crate::domain::withdrawn::{self, Withdrawn, give_back};
use crate::id::{ResourceId, TenantId};
use crate::store::member::{self, Peer};
use crate::store::restore::Gone;
use crate::store::{self, Tx};

/// Events that are read at once.
const PAGE: i64 = 200;
/// For how many days what was done can be taken back, where the policy does not say.
const DAYS: u32 = 30;
/// What is looked at: events of other types take nobody away.
const TYPES: [&str; 6] = [
    "person.updated",
    "person.account.attached",
    "person.account.closed",
    "person.deleted",
    "group.members.changed",
    "group.deleted",
];
/// Reasons for which members leave a group that are nobody's loss.
const MOVED: [&str; 3] = ["merged", "split", RESTORED];

/// What is to be taken back, by whose order.
#[derive(Clone, Debug)]
pub struct Restoration {
    /// The tenant.
    pub tenant: TenantId,
    /// The client whose acts they are.
    pub client: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Only acts of this kind.
    pub act: Option<Act>,
    /// Who orders it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it is only tried.
    pub dry_run: bool,
}

/// What became of one act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The account is active again.
    Activated,
    /// The record is back.
    Returned,
    /// So many members are in the group again.
    Rejoined(usize),
    /// It stays as it is, and why.
    Kept(String),
}

/// One act that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When it was done.
    pub at: String,
    /// The type of the resource.
    pub resource_type: String,
    /// Its id.
    pub id: String,
    /// What became of it.
    pub fate: Fate,
}

impl Muster {
    /// Whose acts of which kind a review of the leaver brake asks about, and since when.
    pub fn braked(
        &self,
        tenant: TenantId,
        review: ResourceId,
    ) -> Result<(String, Act, DateTime<Utc>), Error> {
        let found = self
            .0
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::record::find(tx, tenant, review)?))?;
        let asked = found.and_then(|found| brake::asked(&found.leaves));
        asked.ok_or_else(|| {
            Error::NotFound(format!("there is no review '{review}' of a leaver brake"))
        })
    }

    /// Takes back what a client did; `tell` hears of each act.
    pub fn restore(
        &self,
        order: &Restoration,
        mut tell: impl FnMut(&Restored),
    ) -> Result<(), Error> {
        let brake = self.brake(order.tenant);
        let days = brake.map_or(DAYS, |brake| brake.restore_days);
        let first = order.at - TimeDelta::days(days.into());
        if order.since < first {
            return Err(Error::Conflict(format!(
                "what was done more than {days} days ago is not taken back: begin at {} or later",
                first.to_rfc3339()
            )));
        }
        let correlation = self.0.ids.event(order.at).to_string();
        let mut run = Run {
            muster: self.clone(),
            order: order.clone(),
            correlation,
            back: Arc::default(),
        };
        let (mut before, mut restored) = (i64::MAX, 0_u64);
        loop {
            let since = (order.since, before);
            let page = self.0.store.read_blocking(|tx| {
                let of = (order.tenant, order.client.as_str());
                Ok::<_, Error>(store::event::of_client(tx, of, &TYPES, since, PAGE)?)
            })?;
            let Some((last, _)) = page.last() else { break };
            before = *last;
            for (_, event) in &page {
                if let Some(done) = run.undo(event)? {
                    restored += u64::from(!matches!(done.fate, Fate::Kept(_)));
                    tell(&done);
                }
            }
        }
        if restored > 0 && !order.dry_run {
            self.note_restoration(&run, restored)?;
        }
        Ok(())
    }

    fn note_restoration(&self, run: &Run, restored: u64) -> Result<(), Error> {
        let order = &run.order;
        let id = self.0.ids.event(order.at);
        let of = ("restore.finished", "", ResourceId(uuid::Uuid::nil()));
        let by = (order.actor.as_str(), order.at);
        let mut event = Event::of_order(id, order.tenant, of, by, Some(RESTORED));
        event.correlation.clone_from(&run.correlation);
        event.detail = json!({
            "client": order.client, "since": order.since.to_rfc3339(), "restored": restored,
        });
        self.0
            .store
            .write_blocking(move |tx| Ok(store::event::note(tx, event.clone())?))
    }
}

/// A restoration on its way.
#[derive(Clone)]
struct Run {
    muster: Muster,
    order: Restoration,
    correlation: String,
    /// What would be back by now, where it is only tried.
    back: Arc<BTreeSet<String>>,
}

/// What an event says was done.
enum Done {
    Deactivated,
    Withdrawn,
    Left(Vec<ResourceId>),
}

impl Done {
    /// Which kind of act it was; nothing if it took nobody away.
    fn of(event: &Value) -> Option<(Self, Act)> {
        let reason = event["reasonCode"].as_str().unwrap_or_default();
        match event["type"].as_str()? {
            "group.members.changed" => {
                let gone = change(event, "members")?["previous"].as_array()?;
                let gone: Vec<ResourceId> = gone
                    .iter()
                    .filter_map(|id| id.as_str()?.parse().ok())
                    .collect();
                let act = match reason {
                    "memberDeleted" => Act::Deletion,
                    _ => Act::Removal,
                };
                let counts = !gone.is_empty() && !MOVED.contains(&reason);
                counts.then_some((Self::Left(gone), act))
            }
            "group.deleted" => Some((Self::Withdrawn, Act::Removal)),
            "person.deleted" | "person.account.closed" => Some((Self::Withdrawn, Act::Deletion)),
            _ if event["detail"].get(withdrawn::NAME).is_some() => {
                Some((Self::Withdrawn, Act::Deletion))
            }
            _ => {
                let active = change(event, "active")?;
                let closed = active["previous"] == true && active["new"] != true;
                closed.then_some((Self::Deactivated, Act::Deactivation))
            }
        }
    }
}

fn change<'e>(event: &'e Value, path: &str) -> Option<&'e Value> {
    let mut changes = event["changes"].as_array()?.iter();
    changes.find(|change| change["path"] == path)
}

impl Run {
    /// Takes back one act; nothing if the event is of none that is meant.
    fn undo(&mut self, event: &Value) -> Result<Option<Restored>, Error> {
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let fate = if event["erased"] == true {
            Fate::Kept("the person has been erased, and that cannot be undone".into())
        } else {
            let Some((done, act)) = Done::of(event) else {
                return Ok(None);
            };
            if self.order.act.is_some_and(|meant| meant != act) {
                return Ok(None);
            }
            let (fate, deleted) = self.carry_out(done, event)?;
            if fate == Fate::Returned && deleted && self.order.dry_run {
                Arc::make_mut(&mut self.back).insert(text("resourceId"));
            }
            fate
        };
        Ok(Some(Restored {
            at: text("occurredAt"),
            resource_type: text("resourceType"),
            id: text("resourceId"),
            fate,
        }))
    }

    /// Does it, or tries it; and whether the record was gone.
    fn carry_out(&self, done: Done, event: &Value) -> Result<(Fate, bool), Error> {
        let run = self.clone();
        let system = event["sourceSystem"].as_str().unwrap_or_default();
        let by = (self.order.actor.as_str(), self.order.at);
        let mut context = match self.muster.operator(self.order.tenant, system, by) {
            Ok(context) => context,
            Err(unknown) => return Ok((kept(unknown.to_string()), false)),
        };
        context.correlation.clone_from(&self.correlation);
        let deleted = event["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with(".deleted"));
        let event = event.clone();
        let told = self.muster.0.store.write_blocking(move |tx| {
            let perform = |tx: &mut Tx<'_>| run.perform(tx, &context, &done, &event);
            let outcome = if run.order.dry_run {
                tx.rehearse(perform)?
            } else {
                tx.savepoint(perform)?
            };
            match outcome {
                Err(
                    refused @ (Error::Scim(_)
                    | Error::Conflict(_)
                    | Error::NotFound(_)
                    | Error::Forbidden(_)),
                ) => Ok(kept(refused.to_string())),
                outcome => outcome,
            }
        })?;
        Ok((told, deleted))
    }

    fn perform(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        done: &Done,
        event: &Value,
    ) -> Result<Fate, Error> {
        let id = event["resourceId"].as_str().unwrap_or_default();
        let endpoint = match (event["type"].as_str(), done) {
            (_, Done::Deactivated) => "/Users",
            (Some(kind), _) if kind.starts_with("group.") => "/Groups",
            _ => "/Persons",
        };
        let view = self.muster.view(context, endpoint, Right::Write)?;
        let mut write = Write::new(&self.muster, context, &view);
        write.errand = Some(RESTORED);
        match done {
            Done::Deactivated if self.back.contains(id) => Ok(Fate::Activated),
            Done::Deactivated => write.activate(tx, id),
            Done::Left(members) => write.rejoin(tx, id, members, &self.back),
            Done::Withdrawn => write.bring_back(tx, event),
        }
    }
}

fn kept(why: impl Into<String>) -> Fate {
    Fate::Kept(why.into())
}

impl Write<'_> {
    /// Has the caller's system say that an account is active.
    fn activate(&self, tx: &mut Tx<'_>, id: &str) -> Result<Fate, Error> {
        let record = self.fetch(tx, id)?;
        if record.folded.leaves.get("active") == Some(&true.into()) {
            return Ok(kept("it is active"));
        }
        let (mut own, others) = self.desk(&record);
        let claim = own.claims.get("active", SINGLE);
        let said = claim.map_or(0, |claim| claim.at);
        let since = |source: &&SourceRecord| {
            let claim = source.claims.get("active", SINGLE);
            claim.is_some_and(|claim| claim.value == false && claim.at >= said)
        };
        if let Some(other) = others.iter().find(since) {
            return Ok(kept(format!(
                "'{}' has since said too that it is not active",
                other.system
            )));
        }
        let stamp = self.stamp(&record.sources);
        own.claims
            .claim("active", SINGLE, true.into(), stamp, &mut 0);
        let why = (Happened::Restored, Some(RESTORED), None);
        let after = self.commit(tx, &record, own, others, why)?;
        if after.leaves.get("active") == Some(&true.into()) {
            return Ok(Fate::Activated);
        }
        Ok(kept("another system says that it is not active"))
    }

    /// Puts members back into a group.
    fn rejoin(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        members: &[ResourceId],
        back: &BTreeSet<String>,
    ) -> Result<Fate, Error> {
        let would = members
            .iter()
            .filter(|member| back.contains(&member.to_string()))
            .count();
        if back.contains(id) {
            return Ok(Fate::Rejoined(members.len()));
        }
        let group = self.find(tx, id)?;
        let found = member::claim(tx, self.context.tenant(), members)?;
        member::hold(tx, group.row)?;
        let mut peers: Vec<Peer> = found.into_values().filter(Peer::is_eligible).collect();
        peers.sort_by_key(|peer| peer.row);
        peers.dedup_by_key(|peer| peer.row);
        let rows: Vec<i64> = peers.iter().map(|peer| peer.row).collect();
        let present: BTreeSet<i64> = member::present(tx, group.row, &rows)?.into_iter().collect();
        peers.retain(|peer| !present.contains(&peer.row));
        if !peers.is_empty() {
            self.record_because(tx, &group, (&peers, &[]), Some(RESTORED))?;
        }
        Ok(match peers.len() + would {
            0 => kept("its members are in it, or are gone"),
            joined => Fate::Rejoined(joined),
        })
    }

    /// Gives a record back what was withdrawn of it; one that is gone stands again first.
    fn bring_back(&self, tx: &mut Tx<'_>, event: &Value) -> Result<Fate, Error> {
        let detail = event["detail"].get(withdrawn::NAME).cloned();
        let withdrawn = detail.map(serde_json::from_value::<Withdrawn>).transpose();
        let withdrawn = withdrawn.map_err(|error| Error::Internal(error.to_string()))?;
        let Some(withdrawn) = withdrawn else {
            return Ok(kept("no leaver brake was in force when it was deleted"));
        };
        let id = event["resourceId"].as_str().unwrap_or_default();
        let is_there = match self.find(tx, id) {
            Ok(_) => true,
            Err(Error::NotFound(_)) => false,
            Err(error) => return Err(error),
        };
        let before = if is_there {
            self.fetch(tx, id)?
        } else {
            self.stand(tx, (id, event["version"].as_i64()), &withdrawn)?
        };
        let known: Claims = withdrawn
            .sources
            .iter()
            .find(|said| said.system == self.context.system())
            .map(|said| said.claims.clone())
            .unwrap_or_default();
        let sources = give_back(before.sources.clone(), withdrawn.sources);
        if sources == before.sources {
            return Ok(kept("it is there"));
        }
        let why = (Happened::Restored, Some(RESTORED), None);
        self.settle(tx, &before, sources, &known, why)?;
        Ok(Fate::Returned)
    }

    /// A record that is gone, standing again under its old number.
    fn stand(
        &self,
        tx: &mut Tx<'_>,
        (id, version): (&str, Option<i64>),
        withdrawn: &Withdrawn,
    ) -> Result<Record, Error> {
        let unreadable = || Error::Internal("an event of a deletion has no id or version".into());
        let gone = Gone {
            tenant: self.context.tenant(),
            id: id.parse().map_err(|_| unreadable())?,
            kind: self.view.kind,
            row: withdrawn.row,
            version: version.ok_or_else(unreadable)?,
            created: withdrawn.created,
        };
        if gone.kind == Kind::Person && !store::restore::has_key(tx, gone.row)? {
            return Err(Error::Conflict(
                "the person has been erased, and that cannot be undone".into(),
            ));
        }
        let folded = store::restore::stand(tx, &gone, self.context.now)?;
        let sources = Vec::new();
        Ok(Record { folded, sources })
    }
}
