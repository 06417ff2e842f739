//! Memberships one by one: which groups and which members are together, found from either side.

use std::collections::HashMap;

use diesel::prelude::*;

use super::member::{self, Peer};
use super::schema::{group_member, resource};
use super::{Error, Tx};
use crate::domain::record::Kind;
use crate::id::{ResourceId, TenantId};

/// Which memberships: those of a group, of a member, of both, or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Narrow {
    /// Those of this group.
    pub group: Option<ResourceId>,
    /// Those of this member.
    pub member: Option<ResourceId>,
}

/// How many there are, and a page of them: each group with one of its members, in the order of their numbers. What is
/// counted is known from the groups, or is few.
pub fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    narrow: Narrow,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<(Peer, Peer)>), Error> {
    let sides = (
        side(tx, tenant, narrow.group)?,
        side(tx, tenant, narrow.member)?,
    );
    let (group, member) = match sides {
        (Side::Nobody, _) | (_, Side::Nobody) => return Ok((0, Vec::new())),
        (group, member) => (group.row(), member.row()),
    };
    let total = count(tx, tenant, group, member)?;
    if limit == 0 || offset >= total {
        return Ok((total, Vec::new()));
    }
    let mut page = group_member::table.into_boxed();
    if let Some(group) = group {
        page = page.filter(group_member::grp.eq(group));
    }
    if let Some(member) = member {
        page = page.filter(group_member::member.eq(member));
    }
    if group.is_none() && member.is_none() {
        let own = resource::table
            .filter(resource::tenant.eq(tenant.0))
            .filter(resource::kind.eq(Kind::Group.number()))
            .select(resource::id);
        page = page.filter(group_member::grp.eq_any(own));
    }
    let pairs: Vec<(i64, i64)> = page
        .order((group_member::grp.asc(), group_member::member.asc()))
        .offset(offset)
        .limit(limit)
        .select((group_member::grp, group_member::member))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let mut rows: Vec<i64> = pairs.iter().flat_map(|(g, m)| [*g, *m]).collect();
    rows.sort_unstable();
    rows.dedup();
    let peers: HashMap<i64, Peer> = member::peers(tx, &rows)?
        .into_iter()
        .map(|peer| (peer.row, peer))
        .collect();
    let both = |(group, member): &(i64, i64)| {
        Some((peers.get(group)?.clone(), peers.get(member)?.clone()))
    };
    Ok((total, pairs.iter().filter_map(both).collect()))
}

/// What is asked for on one side.
#[derive(Clone, Copy)]
enum Side {
    Anybody,
    Row(i64),
    /// An id that no record has.
    Nobody,
}

impl Side {
    fn row(self) -> Option<i64> {
        match self {
            Self::Row(row) => Some(row),
            Self::Anybody | Self::Nobody => None,
        }
    }
}

fn side(tx: &mut Tx<'_>, tenant: TenantId, id: Option<ResourceId>) -> Result<Side, Error> {
    let Some(id) = id else {
        return Ok(Side::Anybody);
    };
    let found = member::find(tx, tenant, &[id])?;
    Ok(found
        .get(&id)
        .map_or(Side::Nobody, |peer| Side::Row(peer.row)))
}

fn count(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    group: Option<i64>,
    member: Option<i64>,
) -> Result<i64, Error> {
    let counted = match (group, member) {
        (Some(group), Some(member)) => {
            let found = member::present(tx, group, &[member])?;
            return Ok(i64::try_from(found.len()).unwrap_or(i64::MAX));
        }
        (None, Some(member)) => group_member::table
            .filter(group_member::member.eq(member))
            .count()
            .get_result(tx.db()),
        (Some(group), None) => resource::table
            .find(group)
            .select(resource::members)
            .first(tx.db()),
        (None, None) => {
            let counts: Result<Vec<i64>, _> = resource::table
                .filter(resource::tenant.eq(tenant.0))
                .filter(resource::kind.eq(Kind::Group.number()))
                .filter(resource::members.gt(0))
                .select(resource::members)
                .load(tx.db());
            counts.map(|counts| counts.into_iter().sum())
        }
    };
    counted.map_err(|error| tx.explain(error))
}
