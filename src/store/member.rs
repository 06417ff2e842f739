//! Members as rows: adding one costs the same in a group of ten and of a million (design §2).

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::db::on_both;
use super::event;
use super::schema::{group_member, resource};
use super::sql_types::{instant, key, micros, uuid};
use super::{Error, Tx};
use crate::domain::event::Event;
use crate::domain::record::{Folded, Kind, Leaves};
use crate::id::{ResourceId, TenantId};

/// Rows in one statement, far below the bind limits of both databases.
const BATCH: usize = 1000;

/// A record on one side of a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The database's number.
    pub row: i64,
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
}

type PeerRow = (i64, Vec<u8>, i16);

fn peer((row, id, kind): PeerRow) -> Option<Peer> {
    Some(Peer {
        row,
        id: ResourceId(uuid(&id)),
        kind: Kind::from_number(kind)?,
    })
}

/// The records that have these ids.
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, ids: &[ResourceId]) -> Result<Vec<Peer>, Error> {
    let all = found(tx, tenant, ids)?;
    Ok(all.into_iter().filter_map(|(row, _)| peer(row)).collect())
}

/// Those of them that can be members: groups, and persons with an account, since a member is a User or a Group and is
/// referred to as one (RFC 7643 §4.2).
pub fn find_eligible(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
) -> Result<Vec<Peer>, Error> {
    let all = found(tx, tenant, ids)?.into_iter();
    Ok(all
        .filter_map(|(row, account)| peer(row).filter(|peer| account || peer.kind == Kind::Group))
        .collect())
}

/// With each, whether it has an account.
fn found(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
) -> Result<Vec<(PeerRow, bool)>, Error> {
    let mut rows = Vec::new();
    for ids in ids.chunks(BATCH) {
        let keys: Vec<Vec<u8>> = ids.iter().map(|id| key(id.0)).collect();
        let query = resource::table
            .filter(resource::tenant.eq(tenant.0))
            .filter(resource::uuid.eq_any(keys))
            .select((
                (resource::id, resource::uuid, resource::kind),
                resource::account,
            ));
        let some: Vec<(PeerRow, bool)> = query.load(tx.db).map_err(|error| tx.explain(error))?;
        rows.extend(some);
    }
    Ok(rows)
}

/// The members of a group, in the order of their numbers.
pub fn list(tx: &mut Tx<'_>, group: i64) -> Result<Vec<Peer>, Error> {
    let rows: Vec<PeerRow> = group_member::table
        .inner_join(resource::table.on(resource::id.eq(group_member::member)))
        .filter(group_member::grp.eq(group))
        .order(group_member::member.asc())
        .select((resource::id, resource::uuid, resource::kind))
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().filter_map(peer).collect())
}

/// The members of several groups, by the group's number.
pub fn of_groups(tx: &mut Tx<'_>, groups: &[i64]) -> Result<BTreeMap<i64, Vec<Peer>>, Error> {
    let rows: Vec<(i64, PeerRow)> = group_member::table
        .inner_join(resource::table.on(resource::id.eq(group_member::member)))
        .filter(group_member::grp.eq_any(groups.to_vec()))
        .order((group_member::grp.asc(), group_member::member.asc()))
        .select((
            group_member::grp,
            (resource::id, resource::uuid, resource::kind),
        ))
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    let mut members: BTreeMap<i64, Vec<Peer>> = BTreeMap::new();
    for (group, row) in rows {
        members.entry(group).or_default().extend(peer(row));
    }
    Ok(members)
}

/// The groups of which each of `members` is a direct member: by the member's number, each group's id and folded values.
pub fn groups_of(
    tx: &mut Tx<'_>,
    members: &[i64],
) -> Result<BTreeMap<i64, Vec<(ResourceId, String)>>, Error> {
    let mut groups: BTreeMap<i64, Vec<(ResourceId, String)>> = BTreeMap::new();
    let rows: Vec<(i64, Vec<u8>, String)> = group_member::table
        .inner_join(resource::table.on(resource::id.eq(group_member::grp)))
        .filter(group_member::member.eq_any(members.to_vec()))
        .order((group_member::member.asc(), group_member::grp.asc()))
        .select((group_member::member, resource::uuid, resource::document))
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    for (member, id, document) in rows {
        let leaves: Leaves = serde_json::from_str(&document)?;
        let name = leaves
            .get("displayName")
            .and_then(|name| name.as_str())
            .unwrap_or_default()
            .to_owned();
        groups
            .entry(member)
            .or_default()
            .push((ResourceId(uuid(&id)), name));
    }
    Ok(groups)
}

/// Which of `members` are in the group.
pub fn present(tx: &mut Tx<'_>, group: i64, members: &[i64]) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for members in members.chunks(BATCH) {
        let rows: Vec<i64> = group_member::table
            .filter(group_member::grp.eq(group))
            .filter(group_member::member.eq_any(members.to_vec()))
            .select(group_member::member)
            .load(tx.db)
            .map_err(|error| tx.explain(error))?;
        found.extend(rows);
    }
    Ok(found)
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
    let target = resource::table.filter(resource::id.eq(group.row));
    // The group's row first: whoever holds it decides on the members.
    let rows: Vec<i64> = on_both!(&mut *tx.db, connection => diesel::update(target)
        .set((resource::version.eq(resource::version + 1), resource::modified.eq(at)))
        .returning(resource::version)
        .load(connection))
    .map_err(|error| tx.explain(error))?;
    let Some(version) = rows.first().copied() else {
        return Err(tx.lose());
    };
    for members in remove.chunks(BATCH) {
        let gone = group_member::table
            .filter(group_member::grp.eq(group.row))
            .filter(group_member::member.eq_any(members.to_vec()));
        let count = diesel::delete(gone)
            .execute(tx.db)
            .map_err(|error| tx.explain(error))?;
        if count != members.len() {
            return Err(tx.lose());
        }
    }
    insert(tx, group.row, add)?;
    event::insert(tx, event, Some(version))?;
    Ok(Folded {
        version,
        modified: instant(at),
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
        on_both!(&mut *tx.db, connection => diesel::insert_into(group_member::table).values(values).execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Forgets a record that is going away, on both sides of its memberships; the groups that lose it are given.
pub(super) fn delete(tx: &mut Tx<'_>, row: i64) -> Result<(), Error> {
    let gone =
        group_member::table.filter(group_member::grp.eq(row).or(group_member::member.eq(row)));
    diesel::delete(gone)
        .execute(tx.db)
        .map_err(|error| tx.explain(error))?;
    Ok(())
}

/// What records are called: `displayName`, or else `userName`.
pub fn names(tx: &mut Tx<'_>, rows: &[i64]) -> Result<BTreeMap<i64, String>, Error> {
    let mut names = BTreeMap::new();
    for rows in rows.chunks(BATCH) {
        let found: Vec<(i64, String)> = resource::table
            .filter(resource::id.eq_any(rows.to_vec()))
            .select((resource::id, resource::document))
            .load(tx.db)
            .map_err(|error| tx.explain(error))?;
        for (row, document) in found {
            let leaves: Leaves = serde_json::from_str(&document)?;
            let name = leaves
                .get("displayName")
                .or_else(|| leaves.get("userName"))
                .and_then(|name| name.as_str());
            names.extend(name.map(|name| (row, name.to_owned())));
        }
    }
    Ok(names)
}
