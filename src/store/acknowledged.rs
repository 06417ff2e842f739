//! How far each client has acknowledged the feed, and when it came so far (B-079): a row each time that it comes further.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use super::db::on_both;
use super::schema::{acknowledged, log_leaf};
use super::sql_types::{instant, micros};
use super::{Error, Tx};
use crate::id::TenantId;

/// Notes how far a client has come; nothing is written unless that is further than before.
pub fn note(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    client: &str,
    (position, at): (i64, DateTime<Utc>),
) -> Result<(), Error> {
    let known: Option<i64> = acknowledged::table
        .filter(acknowledged::tenant.eq(tenant.0))
        .filter(acknowledged::client.eq(client))
        .select(max(acknowledged::position))
        .first(tx.db())
        .map_err(|error| tx.explain(error))?;
    if known.unwrap_or(0) >= position {
        return Ok(());
    }
    on_both!(tx.db(), connection => diesel::insert_into(acknowledged::table)
        .values((
            acknowledged::tenant.eq(tenant.0),
            acknowledged::client.eq(client),
            acknowledged::position.eq(position),
            acknowledged::at.eq(micros(at)),
        ))
        .on_conflict_do_nothing()
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// An event of the sealed log, and when a client had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Had {
    /// The event's place in the order of insertion.
    pub seq: i64,
    /// Its position.
    pub position: i64,
    /// When; nothing if the client has not come so far, as far as that is kept.
    pub at: Option<DateTime<Utc>>,
}

/// When a client had each of the events at these places. Those that are not sealed yet are left out.
pub fn of(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    client: &str,
    places: &[i64],
) -> Result<Vec<Had>, Error> {
    let beyond = acknowledged::table
        .filter(acknowledged::tenant.eq(tenant.0))
        .filter(acknowledged::client.eq(client))
        .filter(acknowledged::position.gt(log_leaf::position))
        .order(acknowledged::position)
        .select(acknowledged::at)
        .single_value();
    let rows: Vec<(i64, i64, Option<i64>)> = log_leaf::table
        .filter(log_leaf::tenant.eq(tenant.0))
        .filter(log_leaf::seq.eq_any(places.to_vec()))
        .select((log_leaf::seq, log_leaf::position, beyond))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let had = |(seq, position, at): (i64, i64, Option<i64>)| Had {
        seq,
        position,
        at: at.map(instant),
    };
    Ok(rows.into_iter().map(had).collect())
}

/// Whether anything was noted before `then`.
pub fn is_any_old(tx: &mut Tx<'_>, tenant: TenantId, then: DateTime<Utc>) -> Result<bool, Error> {
    let old = acknowledged::table
        .filter(acknowledged::tenant.eq(tenant.0))
        .filter(acknowledged::at.lt(micros(then)))
        .select(acknowledged::position)
        .first::<i64>(tx.db())
        .optional();
    Ok(old.map_err(|error| tx.explain(error))?.is_some())
}

/// Forgets what was noted before `then`; how many.
pub fn purge(tx: &mut Tx<'_>, tenant: TenantId, then: DateTime<Utc>) -> Result<usize, Error> {
    let old = acknowledged::table
        .filter(acknowledged::tenant.eq(tenant.0))
        .filter(acknowledged::at.lt(micros(then)));
    let gone = diesel::delete(old).execute(tx.db());
    gone.map_err(|error| tx.explain(error))
}
