//! The log by position, and what it tells of one application and of one person: places in the order of insertion, to be read
//! with [`super::event::at`].

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::schema::{event, log_leaf};
use super::sql_types::key as bytes;
use super::{Error, Tx, attribute_path};
use crate::domain::record::{Kind, external_id_path};
use crate::id::{ResourceId, TenantId};

/// The sealed events from a position on: each position with the event's place. Nobody who reads so skips a late commit (design
/// §4).
pub fn sealed_from(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    position: i64,
    limit: i64,
) -> Result<Vec<(i64, i64)>, Error> {
    log_leaf::table
        .filter(log_leaf::tenant.eq(tenant.0))
        .filter(log_leaf::position.ge(position))
        .order(log_leaf::position)
        .limit(limit)
        .select((log_leaf::position, log_leaf::seq))
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The places of the events of one application, oldest first, at most `limit`.
pub fn of_application(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    application: ResourceId,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::application.eq(bytes(application.0)))
        .order(event::seq)
        .limit(limit)
        .select(event::seq)
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The places of the events that are about one person and of no application, of types that begin so, oldest first, at most
/// `limit` of each: whatever else has happened to the person is not read.
pub fn of_person(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    person: ResourceId,
    (begin, limit): (&[&str], i64),
) -> Result<Vec<i64>, Error> {
    let id = bytes(person.0);
    let types = begin.iter().map(|begin| format!("type LIKE '{begin}%'"));
    let types = types.collect::<Vec<_>>().join(" OR ");
    let types = || sql::<Bool>(&format!("({types})"));
    let of = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::application.is_null())
        .order(event::seq)
        .limit(limit)
        .select(event::seq);
    let mut places: Vec<i64> = of
        .filter(event::resource.eq(&id))
        .filter(types())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let about: Vec<i64> = of
        .filter(event::person.eq(&id))
        .filter(types())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    places.extend(about);
    Ok(places)
}

/// The places of the events of one record, or about one person, oldest first, at most `limit` of each.
pub fn of_record(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    record: ResourceId,
    limit: i64,
) -> Result<Vec<i64>, Error> {
    let id = bytes(record.0);
    let mut places: Vec<i64> = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::resource.eq(&id))
        .order(event::seq)
        .limit(limit)
        .select(event::seq)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let about: Vec<i64> = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::person.eq(&id))
        .order(event::seq)
        .limit(limit)
        .select(event::seq)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    places.extend(about);
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// The paths of all systems' own ids of a kind of record.
pub fn external_id_paths(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
) -> Result<Vec<String>, Error> {
    attribute_path::beginning(tx, tenant, kind, &external_id_path(""))
}
