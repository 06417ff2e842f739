//! The sealed log read back, leaf by leaf with the event that each is of: to verify it and to hand it out.

use diesel::prelude::*;

use super::log::{EntryRow, count, number, read_hash};
use super::schema::{event, log_leaf, log_node, log_tree};
use super::{Error, Tx};
use crate::domain::log::Hash;
use crate::id::TenantId;

/// A leaf, and the event that stands where its own should.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its position.
    pub position: u64,
    /// The event's place in the order of insertion.
    pub seq: i64,
    /// The id of its event.
    pub event: Vec<u8>,
    /// Its hash; nothing if that is of another length.
    pub hash: Option<Hash>,
    /// The event that is there now.
    pub row: Option<EntryRow>,
}

type LeafRow = (i64, i64, Vec<u8>, Vec<u8>);

/// A tenant's leaves from a position on, at most `limit`, in their order.
pub fn page(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    from: u64,
    limit: i64,
) -> Result<Vec<Sealed>, Error> {
    let rows: Vec<(LeafRow, Option<EntryRow>)> = log_leaf::table
        .left_join(event::table.on(event::seq.eq(log_leaf::seq)))
        .filter(log_leaf::tenant.eq(tenant.0))
        .filter(log_leaf::position.ge(number(from)))
        .order(log_leaf::position)
        .limit(limit)
        .select((
            (
                log_leaf::position,
                log_leaf::seq,
                log_leaf::event,
                log_leaf::hash,
            ),
            event::all_columns.nullable(),
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let sealed = |((position, seq, event, hash), row): (LeafRow, Option<EntryRow>)| Sealed {
        position: count(position),
        seq,
        event,
        hash: read_hash(&hash),
        row,
    };
    Ok(rows.into_iter().map(sealed).collect())
}

/// The stored root of a complete subtree of 256^`level` leaves.
pub fn node(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    level: u32,
    position: u64,
) -> Result<Option<Hash>, Error> {
    let hash: Option<Vec<u8>> = log_node::table
        .filter(log_node::tenant.eq(tenant.0))
        .filter(log_node::level.eq(i16::try_from(level).unwrap_or(i16::MAX)))
        .filter(log_node::position.eq(number(position)))
        .select(log_node::hash)
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(hash.and_then(|hash| read_hash(&hash)))
}

/// The ids of a tenant's events that have no leaf, with their places in the order of insertion; at most `limit`.
pub fn unsealed(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    limit: i64,
) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    let leaf = log_leaf::table.filter(log_leaf::seq.eq(event::seq));
    event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(diesel::dsl::not(diesel::dsl::exists(leaf)))
        .order(event::seq)
        .limit(limit)
        .select((event::seq, event::id))
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The tenants that have a log, or events that should be in one.
pub fn tenants(tx: &mut Tx<'_>) -> Result<Vec<TenantId>, Error> {
    use super::schema::tenant;
    let mut found: Vec<i32> = tenant::table
        .select(tenant::id)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let sealed: Vec<i32> = log_tree::table
        .select(log_tree::tenant)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    found.extend(sealed);
    found.sort_unstable();
    found.dedup();
    Ok(found.into_iter().map(TenantId).collect())
}
