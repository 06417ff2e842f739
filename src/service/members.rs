//! Members of groups: rows, never a document (design §2). What a change costs goes with the members that it names, whatever
//! the size of the group.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::Error;
use super::change::Write;
use super::roster::{Manner, shown};
use crate::domain::brake::Act;
use crate::domain::event::{Change, Event, Happened};
use crate::domain::record::{Folded, Kind};
use crate::id::ResourceId;
use crate::scim;
use crate::scim::filter::Condition;
use crate::scim::patch::{Change as RowChange, Rows};
use crate::store::member::{self, Peer};
use crate::store::{self, Tx};

/// The most members that one event names: a change of more makes several versions in one transaction, so that no event and
/// no answer's memory grows with the group.
const EVENT: usize = 10_000;
/// How many members are looked at in one statement, where all of them must be.
const PAGE: i64 = 1000;

/// Takes the members out of a received document.
pub(super) fn given(document: &mut Map<String, Value>) -> Vec<Value> {
    match document.remove("members") {
        Some(Value::Array(members)) => members,
        _ => Vec::new(),
    }
}

/// Who came and who went, as an event tells it.
pub(super) fn change(added: &[Peer], removed: &[Peer]) -> Option<Change> {
    let ids = |peers: &[Peer]| {
        peers
            .iter()
            .map(|peer| Value::from(peer.id.to_string()))
            .collect::<Value>()
    };
    let changed = !added.is_empty() || !removed.is_empty();
    changed.then(|| Change {
        path: "members".into(),
        previous: ids(removed),
        new: ids(added),
    })
}

/// Who shall be a member after all changes, as far as they say.
#[derive(Default)]
struct Wanted<'a> {
    /// Which of those who are members now go, unless `named` says otherwise; none of these conditions is all of them.
    gone: Vec<Option<&'a Condition>>,
    /// Those whom a change names, by their numbers, and whether they stay.
    named: BTreeMap<i64, (Peer, bool)>,
}

impl<'a> Wanted<'a> {
    fn name<'p>(&mut self, peers: impl Iterator<Item = &'p Peer>, stay: bool) {
        self.named
            .extend(peers.map(|peer| (peer.row, (peer.clone(), stay))));
    }

    fn dismiss(&mut self, condition: Option<&'a Condition>, manner: &Manner) {
        for (peer, stay) in self.named.values_mut() {
            *stay = *stay && !passes(condition, peer, manner);
        }
        self.gone.push(condition);
    }

    /// Whether somebody whom nothing names leaves.
    fn leaves(&self, peer: &Peer, manner: &Manner) -> bool {
        !self.named.contains_key(&peer.row)
            && self
                .gone
                .iter()
                .any(|condition| passes(*condition, peer, manner))
    }

    /// Who joins and who leaves of those who are named, given who of them is in the group.
    fn differing(&self, present: &BTreeSet<i64>) -> (Vec<Peer>, Vec<Peer>) {
        let differs = |(peer, stay): &&(Peer, bool)| *stay != present.contains(&peer.row);
        let (join, leave): (Vec<_>, Vec<_>) = self
            .named
            .values()
            .filter(differs)
            .cloned()
            .partition(|(_, stay)| *stay);
        let peers = |pairs: Vec<(Peer, bool)>| pairs.into_iter().map(|(peer, _)| peer).collect();
        (peers(join), peers(leave))
    }
}

fn passes(condition: Option<&Condition>, peer: &Peer, manner: &Manner) -> bool {
    condition.is_none_or(|condition| condition.matches_element(&shown(peer, manner)))
}

/// The values of received elements.
fn values(elements: &[Value]) -> impl Iterator<Item = &str> {
    elements.iter().map(|element| {
        let value = element.get("value").and_then(Value::as_str);
        value.unwrap_or_default()
    })
}

fn ids<'v>(values: impl Iterator<Item = &'v str>) -> Vec<ResourceId> {
    values.filter_map(|value| value.parse().ok()).collect()
}

impl Write<'_> {
    /// The records that members name, and the names of those whom nobody knows: one stranger must not lose the whole push
    /// (scim.md E16), so they are left out and told.
    pub(super) fn known_members(
        &self,
        tx: &mut Tx<'_>,
        members: &[Value],
    ) -> Result<(Vec<Peer>, Vec<String>), Error> {
        let found = member::claim(tx, self.context.tenant(), &ids(values(members)))?;
        let (known, strangers) = known(members, &found);
        let known: BTreeMap<i64, &Peer> = known.into_iter().map(|peer| (peer.row, peer)).collect();
        Ok((known.into_values().cloned().collect(), strangers))
    }

    /// Makes those the members of a group that has none yet, beyond the first, whom its own event has named.
    pub(super) fn admit(
        &self,
        tx: &mut Tx<'_>,
        group: Folded,
        members: &[Peer],
    ) -> Result<Folded, Error> {
        let mut group = group;
        for some in members.chunks(EVENT) {
            group = self.record(tx, &group, some, &[])?;
        }
        Ok(group)
    }

    /// The members whom a group's first event names, and the others.
    pub(super) fn first(members: &[Peer]) -> (&[Peer], &[Peer]) {
        members.split_at(members.len().min(EVENT))
    }

    /// Applies changes of members in their order. Only what differs is written; nothing, if nothing does.
    pub(super) fn change_members(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        changes: &[RowChange],
    ) -> Result<(Folded, Vec<String>), Error> {
        let (wanted, strangers) = self.wanted(tx, changes)?;
        let rows: Vec<i64> = wanted.named.keys().copied().collect();
        let present = member::present(tx, group.row, &rows)?;
        let (mut join, mut leave) = wanted.differing(&present.into_iter().collect());
        if join.is_empty() && leave.is_empty() && wanted.gone.is_empty() {
            return Ok((group.clone(), strangers));
        }
        if join.iter().any(|peer| peer.row == group.row) {
            return Err(scim::Error::invalid_value(
                "a group cannot be a member of itself: 'members.value'",
            )
            .into());
        }
        if member::hold(tx, group.row)? {
            let present = member::present(tx, group.row, &rows)?;
            (join, leave) = wanted.differing(&present.into_iter().collect());
        }
        let mut group = group.clone();
        let last = join.chunks(EVENT).count().saturating_sub(1);
        for some in join.chunks(EVENT).take(last) {
            group = self.record(tx, &group, some, &[])?;
        }
        let join = join.chunks(EVENT).next_back().unwrap_or_default();
        Ok((self.dismiss(tx, group, join, leave, &wanted)?, strangers))
    }

    /// The last of those who join, and all who leave: those who are named, and with them whoever else must go, found page by
    /// page.
    fn dismiss(
        &self,
        tx: &mut Tx<'_>,
        mut group: Folded,
        mut join: &[Peer],
        mut leave: Vec<Peer>,
        wanted: &Wanted<'_>,
    ) -> Result<Folded, Error> {
        let manner = &Manner::of(self.context);
        let mut after = (!wanted.gone.is_empty()).then_some(0);
        while let Some(from) = after {
            let page = member::list(tx, group.row, from, PAGE)?;
            after = page.last().map(|peer| peer.row);
            leave.extend(page.into_iter().filter(|peer| wanted.leaves(peer, manner)));
            while leave.len() >= EVENT {
                let rest = leave.split_off(EVENT);
                group = self.record(tx, &group, std::mem::take(&mut join), &leave)?;
                leave = rest;
            }
        }
        for some in leave.chunks(EVENT) {
            group = self.record(tx, &group, std::mem::take(&mut join), some)?;
        }
        if join.is_empty() {
            return Ok(group);
        }
        self.record(tx, &group, join, &[])
    }

    /// Who shall be a member, and the strangers: every record that is named is looked up once, however many operations name
    /// records.
    fn wanted<'c>(
        &self,
        tx: &mut Tx<'_>,
        changes: &'c [RowChange],
    ) -> Result<(Wanted<'c>, Vec<String>), Error> {
        let (mut joining, mut leaving) = (Vec::new(), Vec::new());
        for change in changes {
            match change {
                RowChange::Add(members) | RowChange::Replace(members) => {
                    joining.extend(ids(values(members)));
                }
                RowChange::Remove(Rows::Values(values)) => {
                    leaving.extend(ids(values.iter().map(String::as_str)));
                }
                RowChange::Remove(_) => {}
            }
        }
        let joining = member::claim(tx, self.context.tenant(), &joining)?;
        let leaving = member::find(tx, self.context.tenant(), &leaving)?;
        let manner = &Manner::of(self.context);
        let (mut wanted, mut strangers) = (Wanted::default(), Vec::new());
        for change in changes {
            match change {
                RowChange::Add(members) => {
                    let (found, unknown) = known(members, &joining);
                    strangers.extend(unknown);
                    wanted.name(found.into_iter(), true);
                }
                RowChange::Replace(members) => {
                    let (found, unknown) = known(members, &joining);
                    strangers.extend(unknown);
                    wanted.dismiss(None, manner);
                    wanted.name(found.into_iter(), true);
                }
                RowChange::Remove(Rows::Values(values)) => {
                    let ids = ids(values.iter().map(String::as_str));
                    wanted.name(ids.iter().filter_map(|id| leaving.get(id)), false);
                }
                RowChange::Remove(Rows::All) => wanted.dismiss(None, manner),
                RowChange::Remove(Rows::Matching(condition)) => {
                    wanted.dismiss(Some(condition), manner);
                }
            }
        }
        Ok((wanted, strangers))
    }

    /// One version of the group, with its event.
    fn record(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        join: &[Peer],
        leave: &[Peer],
    ) -> Result<Folded, Error> {
        let removals = u64::try_from(leave.len()).unwrap_or(u64::MAX);
        self.count_leavers(tx, Act::Removal, removals)?;
        self.record_because(tx, group, (join, leave), None)
    }

    pub(super) fn record_because(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        (join, leave): (&[Peer], &[Peer]),
        reason: Option<&str>,
    ) -> Result<Folded, Error> {
        let rows = |peers: &[Peer]| peers.iter().map(|peer| peer.row).collect::<Vec<_>>();
        let event = Event::new(
            self.context,
            self.muster.0.ids.event(self.context.now),
            Happened::MembersChanged,
            Kind::Group,
            "Group",
            group.id,
        );
        let event = event
            .with_changes(change(join, leave).into_iter().collect())
            .because(reason);
        Ok(member::update(tx, group, &rows(join), &rows(leave), event)?)
    }

    /// Takes a record that is going away out of its groups: each of them gets a version and an event.
    pub(super) fn leave_groups(&self, tx: &mut Tx<'_>, record: &Folded) -> Result<(), Error> {
        let peer = Peer {
            row: record.row,
            id: record.id,
            kind: record.kind,
            account: record.has_account(),
            display: None,
        };
        let peer = std::slice::from_ref(&peer);
        for belonging in store::belonging::direct(tx, record.row)? {
            let tenant = self.context.tenant();
            let Some(group) = store::record::find(tx, tenant, belonging.id)? else {
                continue;
            };
            self.record_because(tx, &group, (&[], peer), Some("memberDeleted"))?;
        }
        Ok(())
    }
}

/// Those of the received members who can be members, in their order, and the names of the others.
fn known<'f>(
    members: &[Value],
    found: &'f HashMap<ResourceId, Peer>,
) -> (Vec<&'f Peer>, Vec<String>) {
    let (mut known, mut strangers) = (Vec::new(), Vec::new());
    for value in values(members) {
        let id = value.parse::<ResourceId>().ok();
        match id.and_then(|id| found.get(&id)) {
            Some(peer) if peer.is_eligible() => known.push(peer),
            _ => strangers.push(format!("members[value eq \"{value}\"]")),
        }
    }
    (known, strangers)
}
