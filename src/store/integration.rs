//! How far each client has read the feed, and when it last wrote: a row for each.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, max, min};
use diesel::prelude::*;

use super::db::on_both;
use super::schema::{event, integration, log_leaf, log_tree};
use super::sql_types::{instant, micros};
use super::{Error, Tx};
use crate::domain::integration::Signs;
use crate::id::TenantId;

/// Keeps what was heard of a client; what was not heard stays as it is.
pub fn keep(tx: &mut Tx<'_>, tenant: TenantId, client: &str, signs: &Signs) -> Result<(), Error> {
    let position = integration::position.eq(signs.asked.map(|(position, _)| position));
    let asked = integration::asked.eq(signs.asked.map(|(_, at)| micros(at)));
    let wrote = integration::wrote.eq(signs.wrote.map(micros));
    let said = (
        signs.asked.map(|_| (position, asked)),
        signs.wrote.map(|_| wrote),
    );
    on_both!(tx.db(), connection => diesel::insert_into(integration::table)
        .values((
            integration::tenant.eq(tenant.0),
            integration::client.eq(client),
            position,
            asked,
            wrote,
        ))
        .on_conflict((integration::tenant, integration::client))
        .do_update()
        .set(said)
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// What was heard of the clients of a tenant, by their names.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId) -> Result<BTreeMap<String, Signs>, Error> {
    type Row = (String, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = integration::table
        .filter(integration::tenant.eq(tenant.0))
        .select((
            integration::client,
            integration::position,
            integration::asked,
            integration::wrote,
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let signs = |(client, position, asked, wrote): Row| {
        let signs = Signs {
            asked: position.zip(asked.map(instant)),
            wrote: wrote.map(instant),
            ..Signs::default()
        };
        (client, signs)
    };
    Ok(rows.into_iter().map(signs).collect())
}

/// Whether there is a client that was not heard of since `then`.
pub fn is_any_silent(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    then: DateTime<Utc>,
) -> Result<bool, Error> {
    let heard = list(tx, tenant)?;
    let is_old = |at: Option<DateTime<Utc>>| at.is_none_or(|at| at < then);
    let mut all = heard.values();
    Ok(all.any(|signs| is_old(signs.asked.map(|(_, at)| at)) && is_old(signs.wrote)))
}

/// Forgets the clients that were not heard of since `then`; how many.
pub fn purge(tx: &mut Tx<'_>, tenant: TenantId, then: DateTime<Utc>) -> Result<usize, Error> {
    let then = micros(then);
    let asked = integration::asked.is_null().or(integration::asked.lt(then));
    let wrote = integration::wrote.is_null().or(integration::wrote.lt(then));
    let silent = integration::table
        .filter(integration::tenant.eq(tenant.0))
        .filter(asked.and(wrote).assume_not_null());
    let gone = diesel::delete(silent).execute(tx.db());
    gone.map_err(|error| tx.explain(error))
}

/// How many positions the sealed log of a tenant has.
pub fn positions(tx: &mut Tx<'_>, tenant: TenantId) -> Result<i64, Error> {
    let size = log_tree::table
        .filter(log_tree::tenant.eq(tenant.0))
        .select(log_tree::size)
        .first(tx.db())
        .optional();
    Ok(size.map_err(|error| tx.explain(error))?.unwrap_or(0))
}

/// The events of one type and one resource type between two positions.
#[derive(Debug)]
pub struct Lot {
    /// The type.
    pub kind: String,
    /// The resource type.
    pub of: String,
    /// How many.
    pub count: i64,
    /// The newest one's position.
    pub newest: i64,
    /// When the oldest was recorded.
    pub since: DateTime<Utc>,
}

/// The events of a tenant from one position to before another, by what they are of. It costs their number.
pub fn between(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (from, to): (i64, i64),
) -> Result<Vec<Lot>, Error> {
    type Row = (String, String, i64, Option<i64>, Option<i64>);
    let rows: Vec<Row> = log_leaf::table
        .inner_join(event::table.on(event::seq.eq(log_leaf::seq)))
        .filter(log_leaf::tenant.eq(tenant.0))
        .filter(log_leaf::position.ge(from))
        .filter(log_leaf::position.lt(to))
        .group_by((event::type_, event::resource_type))
        .select((
            event::type_,
            event::resource_type,
            count_star(),
            max(log_leaf::position),
            min(event::recorded),
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let lot = |(kind, of, count, newest, since): Row| Lot {
        kind,
        of,
        count,
        newest: newest.unwrap_or(from),
        since: instant(since.unwrap_or_default()),
    };
    Ok(rows.into_iter().map(lot).collect())
}
