//! Writes that were refused for what they said: a row for each way in which a client was, with how often and when last.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use uuid::Uuid;

use super::db::on_both;
use super::schema::refused_write;
use super::sql_types::{instant, key, micros, uuid};
use super::{Error, Tx};
use crate::domain::refused::{Arrival, Item, Refused};
use crate::id::TenantId;
use crate::scim::comparable;

/// What became of one that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is waiting already.
    Again,
    /// It is new, or had been seen to and has come again.
    Opened,
    /// There are too many, and nobody has seen to any.
    Beyond,
}

/// Counts `count` that came in one way, as `id` if it is new: at most `most` ways of a tenant are kept, and those that somebody
/// has seen to make room first.
pub fn claim(
    tx: &mut Tx<'_>,
    (tenant, id): (TenantId, Uuid),
    (refused, arrival, count): (&Refused, &Arrival, i64),
    most: i64,
) -> Result<Kept, Error> {
    if again(tx, tenant, (refused, arrival, count), true)? {
        return Ok(Kept::Again);
    }
    if again(tx, tenant, (refused, arrival, count), false)? {
        return Ok(Kept::Opened);
    }
    let all: i64 = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .select(count_star())
        .first(tx.db())
        .map_err(|error| tx.explain(error))?;
    if all >= most && !make_room(tx, tenant)? {
        return Ok(Kept::Beyond);
    }
    let values = (
        refused_write::id.eq(key(id)),
        refused_write::tenant.eq(tenant.0),
        refused_write::digest.eq(refused.digest().to_vec()),
        refused_write::client.eq(&refused.client),
        refused_write::system.eq(&refused.system),
        refused_write::route.eq(&refused.route),
        refused_write::resource_type.eq(&refused.resource_type),
        refused_write::status.eq(i16::try_from(refused.status).unwrap_or(i16::MAX)),
        refused_write::scim_type.eq(&refused.scim_type),
        refused_write::detail.eq(&refused.detail),
        refused_write::correlation.eq(&arrival.correlation),
        refused_write::body.eq(arrival.body.map(|hash| hash.to_vec())),
        refused_write::first_seen.eq(micros(arrival.at)),
        refused_write::last_seen.eq(micros(arrival.at)),
        refused_write::count.eq(count),
    );
    let made = on_both!(tx.db(), connection => diesel::insert_into(refused_write::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    if made == 1 {
        return Ok(Kept::Opened);
    }
    // Another process was faster.
    again(tx, tenant, (refused, arrival, count), true).map(|_| Kept::Again)
}

/// Counts what is known, if it is `open`, or opens it again if it is not; whether there is any such.
fn again(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (refused, arrival, count): (&Refused, &Arrival, i64),
    open: bool,
) -> Result<bool, Error> {
    let known = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::digest.eq(refused.digest().to_vec()))
        .filter(refused_write::resolved.is_null().eq(open));
    let changed = diesel::update(known)
        .set((
            refused_write::count.eq(refused_write::count + count),
            refused_write::last_seen.eq(micros(arrival.at)),
            refused_write::correlation.eq(&arrival.correlation),
            refused_write::body.eq(arrival.body.map(|hash| hash.to_vec())),
            refused_write::resolved.eq(None::<i64>),
            refused_write::resolved_by.eq(None::<String>),
            refused_write::note.eq(None::<String>),
        ))
        .execute(tx.db());
    changed
        .map(|changed| changed == 1)
        .map_err(|error| tx.explain(error))
}

/// Forgets what somebody saw to the longest ago; whether there was any.
fn make_room(tx: &mut Tx<'_>, tenant: TenantId) -> Result<bool, Error> {
    let oldest: Option<Vec<u8>> = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.is_not_null())
        .order((refused_write::resolved, refused_write::last_seen))
        .select(refused_write::id)
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    let Some(oldest) = oldest else {
        return Ok(false);
    };
    let gone = diesel::delete(refused_write::table.find(oldest)).execute(tx.db());
    gone.map(|_| true).map_err(|error| tx.explain(error))
}

/// Whether there is anything that somebody saw to before `then`.
pub fn is_any_settled(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    then: DateTime<Utc>,
) -> Result<bool, Error> {
    let settled = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.lt(micros(then)));
    let found = diesel::select(exists(settled)).get_result(tx.db());
    found.map_err(|error| tx.explain(error))
}

/// Forgets what somebody saw to before `then`; how many.
pub fn purge(tx: &mut Tx<'_>, tenant: TenantId, then: DateTime<Utc>) -> Result<usize, Error> {
    let settled = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.lt(micros(then)));
    let gone = diesel::delete(settled).execute(tx.db());
    gone.map_err(|error| tx.explain(error))
}

/// How many ways wait for a human, by client.
pub fn waiting(tx: &mut Tx<'_>, tenant: TenantId) -> Result<BTreeMap<String, i64>, Error> {
    let rows: Vec<(String, i64)> = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.is_null())
        .filter(refused_write::client.ne(""))
        .group_by(refused_write::client)
        .select((refused_write::client, count_star()))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().collect())
}

#[derive(Queryable)]
struct Row {
    id: Vec<u8>,
    _tenant: i32,
    _digest: Vec<u8>,
    client: String,
    system: String,
    route: String,
    resource_type: String,
    status: i16,
    scim_type: Option<String>,
    detail: String,
    correlation: String,
    body: Option<Vec<u8>>,
    first_seen: i64,
    last_seen: i64,
    count: i64,
    resolved: Option<i64>,
    resolved_by: Option<String>,
    note: Option<String>,
}

impl From<Row> for Item {
    fn from(row: Row) -> Self {
        let at = |micros| comparable::instant(instant(micros));

        Self {
            id: uuid(&row.id).to_string(),
            client: row.client,
            system: row.system,
            route: row.route,
            resource_type: row.resource_type,
            status: u16::try_from(row.status).unwrap_or(0),
            scim_type: row.scim_type,
            detail: row.detail,
            correlation_id: row.correlation,
            body_sha256: row.body.map(hex::encode),
            first_seen_at: at(row.first_seen),
            last_seen_at: at(row.last_seen),
            count: row.count,
            resolved_at: row.resolved.map(at),
            resolved_by: row.resolved_by,
            note: row.note,
        }
    }
}

/// The items of a tenant that wait, or those that somebody has seen to, the last to come first; and how many there are.
pub fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    open: bool,
    (offset, limit): (i64, i64),
) -> Result<(Vec<Item>, i64), Error> {
    let of = refused_write::table
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.is_null().eq(open));
    let total = of.select(count_star()).first(tx.db());
    let total = total.map_err(|error| tx.explain(error))?;
    let rows: Vec<Row> = of
        .order((refused_write::last_seen.desc(), refused_write::id))
        .offset(offset)
        .limit(limit)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok((rows.into_iter().map(Item::from).collect(), total))
}

/// The item of that id.
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, id: Uuid) -> Result<Option<Item>, Error> {
    let row: Result<Option<Row>, _> = refused_write::table
        .find(key(id))
        .filter(refused_write::tenant.eq(tenant.0))
        .first(tx.db())
        .optional();
    let row = row.map_err(|error| tx.explain(error))?;
    Ok(row.map(Item::from))
}

/// Keeps that somebody has seen to an item that waits, and what they say of it; whether it waited.
pub fn resolve(
    tx: &mut Tx<'_>,
    (tenant, id): (TenantId, Uuid),
    (by, note): (&str, &str),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let waits = refused_write::table
        .filter(refused_write::id.eq(key(id)))
        .filter(refused_write::tenant.eq(tenant.0))
        .filter(refused_write::resolved.is_null());
    let changed = diesel::update(waits)
        .set((
            refused_write::resolved.eq(micros(now)),
            refused_write::resolved_by.eq(by),
            refused_write::note.eq(note),
        ))
        .execute(tx.db());
    changed
        .map(|changed| changed == 1)
        .map_err(|error| tx.explain(error))
}
