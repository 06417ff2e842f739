//! Members as rows: adding one costs the same in a group of ten and of a million (design §2).

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;

use super::db::{Db, on_both};
use super::event;
use super::schema::{group_member, resource};
use super::sql_types::{instant, key, micros, uuid};
use super::values::BATCH;
use super::{Error, Tx, alias};
use crate::domain::event::Event;
use crate::domain::record::{Folded, Kind};
use crate::id::{ResourceId, TenantId};

/// A record on one side of a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The database's number.
    pub row: i64,
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Whether it is a person with an account.
    pub account: bool,
    /// What it is called.
    pub display: Option<String>,
}

impl Peer {
    /// Whether it can be a member: groups, and persons with an account, since a member is a User or a Group and is referred
    /// to as one (RFC 7643 §4.2).
    #[must_use]
    pub fn is_eligible(&self) -> bool {
        self.account || self.kind == Kind::Group
    }
}

type PeerRow = (i64, Vec<u8>, i16, bool, Option<String>);

/// The columns of a [`PeerRow`].
const PEER: (
    resource::id,
    resource::uuid,
    resource::kind,
    resource::account,
    resource::display,
) = (
    resource::id,
    resource::uuid,
    resource::kind,
    resource::account,
    resource::display,
);

fn peer((row, id, kind, account, display): PeerRow) -> Result<Peer, Error> {
    Ok(Peer {
        row,
        id: ResourceId(uuid(&id)),
        kind: Kind::from_number(kind)
            .ok_or_else(|| Error::Fault(format!("record {row} is of no known kind")))?,
        account,
        display,
    })
}

/// Records by the ids by which they were asked for: their own, or those of persons who have been merged into them.
pub type Named = HashMap<ResourceId, Peer>;

/// The records that have these ids.
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, ids: &[ResourceId]) -> Result<Named, Error> {
    named(tx, tenant, ids, false)
}

/// The same, kept as they are until the transaction ends: whoever closes an account or deletes a record waits, or has come
/// first and is seen. Always in the order of ids, so that two who claim the same records do not wait for each other.
pub fn claim(tx: &mut Tx<'_>, tenant: TenantId, ids: &[ResourceId]) -> Result<Named, Error> {
    named(tx, tenant, ids, true)
}

fn named(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
    hold: bool,
) -> Result<Named, Error> {
    let mut named = by_own_ids(tx, tenant, ids, hold)?;
    let strangers: Vec<ResourceId> = ids
        .iter()
        .filter(|id| !named.contains_key(id))
        .copied()
        .collect();
    let aliases = alias::survivors(tx, tenant, &strangers)?;
    let survivors: Vec<ResourceId> = aliases.iter().map(|(_, survivor)| *survivor).collect();
    let found = by_own_ids(tx, tenant, &survivors, hold)?;
    for (id, survivor) in aliases {
        named.extend(found.get(&survivor).map(|peer| (id, peer.clone())));
    }
    Ok(named)
}

fn by_own_ids(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
    hold: bool,
) -> Result<Named, Error> {
    let mut keys: Vec<Vec<u8>> = ids.iter().map(|id| key(id.0)).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut peers = Named::with_capacity(keys.len());
    for keys in keys.chunks(BATCH) {
        let query = resource::table
            .filter(resource::tenant.eq(tenant.0))
            .filter(resource::uuid.eq_any(keys.to_vec()))
            .order(resource::uuid.asc())
            .select(PEER);
        let rows: Result<Vec<PeerRow>, _> = match tx.db() {
            // SQLite has one writer, and nothing to hold.
            Db::Postgres(connection) if hold => query.for_share().load(connection),
            db => query.load(db),
        };
        for row in rows.map_err(|error| tx.explain(error))? {
            let peer = peer(row)?;
            peers.insert(peer.id, peer);
        }
    }
    Ok(peers)
}

/// The records of these numbers.
pub(super) fn peers(tx: &mut Tx<'_>, rows: &[i64]) -> Result<Vec<Peer>, Error> {
    let mut peers = Vec::with_capacity(rows.len());
    for rows in rows.chunks(BATCH) {
        let found: Vec<PeerRow> = resource::table
            .filter(resource::id.eq_any(rows.to_vec()))
            .select(PEER)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        for row in found {
            peers.push(peer(row)?);
        }
    }
    Ok(peers)
}

/// The members of a group after the one of number `after`, in the order of their numbers, at most `limit`: a page costs the
/// same wherever it begins.
pub fn list(tx: &mut Tx<'_>, group: i64, after: i64, limit: i64) -> Result<Vec<Peer>, Error> {
    let rows: Vec<PeerRow> = group_member::table
        .inner_join(resource::table.on(resource::id.eq(group_member::member)))
        .filter(group_member::grp.eq(group))
        .filter(group_member::member.gt(after))
        .order(group_member::member.asc())
        .limit(limit)
        .select(PEER)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    rows.into_iter().map(peer).collect()
}

/// All members of several groups, by the group's number: for groups of which it is known that they are small.
pub fn of_groups(tx: &mut Tx<'_>, groups: &[i64]) -> Result<BTreeMap<i64, Vec<Peer>>, Error> {
    let mut members: BTreeMap<i64, Vec<Peer>> = BTreeMap::new();
    if groups.is_empty() {
        return Ok(members);
    }
    let rows: Vec<(i64, PeerRow)> = group_member::table
        .inner_join(resource::table.on(resource::id.eq(group_member::member)))
        .filter(group_member::grp.eq_any(groups.to_vec()))
        .order((group_member::grp.asc(), group_member::member.asc()))
        .select((group_member::grp, PEER))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    for (group, row) in rows {
        members.entry(group).or_default().push(peer(row)?);
    }
    Ok(members)
}

/// Which of `members` are in the group.
pub fn present(tx: &mut Tx<'_>, group: i64, members: &[i64]) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for members in members.chunks(BATCH) {
        let rows: Vec<i64> = group_member::table
            .filter(group_member::grp.eq(group))
            .filter(group_member::member.eq_any(members.to_vec()))
            .select(group_member::member)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Holds a group until the transaction ends, so that whoever changes its members decides on what is there. Who waited may
/// find others' changes: what was read before is to be read again. Whether that is so.
pub fn hold(tx: &mut Tx<'_>, group: i64) -> Result<bool, Error> {
    let Db::Postgres(connection) = tx.db() else {
        return Ok(false);
    };
    let held: Result<Vec<i64>, _> = resource::table
        .find(group)
        .select(resource::id)
        .for_no_key_update()
        .load(connection);
    let held = held.map_err(|error| tx.explain(error))?;
    if held.is_empty() {
        return Err(tx.lose());
    }
    Ok(true)
}

/// Adds and removes members, and counts the group's version up without comparing it: parallel changes of different
/// members lose nothing. A member added twice at once is a lost race, so that each version has its event.
pub fn update(
    tx: &mut Tx<'_>,
    group: &Folded,
    add: &[i64],
    remove: &[i64],
    event: Event,
) -> Result<Folded, Error> {
    let at = micros(event.at);
    let count = |rows: &[i64]| i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let more = count(add) - count(remove);
    let target = resource::table.filter(resource::id.eq(group.row));
    // The group's row first: whoever holds it decides on the members.
    let rows: Vec<(i64, i64)> = on_both!(tx.db(), connection => diesel::update(target)
        .set((
            resource::version.eq(resource::version + 1),
            resource::modified.eq(at),
            resource::modified_open.eq(at),
            resource::members.eq(resource::members + more),
        ))
        .returning((resource::version, resource::members))
        .load(connection))
    .map_err(|error| tx.explain(error))?;
    let Some((version, members)) = rows.first().copied() else {
        return Err(tx.lose());
    };
    for members in remove.chunks(BATCH) {
        let gone = group_member::table
            .filter(group_member::grp.eq(group.row))
            .filter(group_member::member.eq_any(members.to_vec()));
        let count = diesel::delete(gone)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
        if count != members.len() {
            return Err(tx.lose());
        }
    }
    insert(tx, group.row, add)?;
    event::insert_of(tx, event, Some(version), group.row)?;
    Ok(Folded {
        version,
        modified: instant(at),
        modified_open: instant(at),
        members,
        ..group.clone()
    })
}

pub(super) fn insert(tx: &mut Tx<'_>, group: i64, add: &[i64]) -> Result<(), Error> {
    for members in add.chunks(BATCH) {
        let values: Vec<_> = members
            .iter()
            .map(|member| {
                (
                    group_member::grp.eq(group),
                    group_member::member.eq(*member),
                )
            })
            .collect();
        on_both!(tx.db(), connection => diesel::insert_into(group_member::table).values(values).execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Forgets the members of a group that is going away. Of what groups a record is a member itself is the use case's affair,
/// because each of them gets a version: what it forgot, the foreign key tells as a lost race.
pub(super) fn delete(tx: &mut Tx<'_>, group: i64) -> Result<(), Error> {
    let gone = group_member::table.filter(group_member::grp.eq(group));
    diesel::delete(gone)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(())
}
