//! Ids of persons who have been merged into others, and pairs of whom a human has said that they are two (design §3).

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::db::on_both;
use super::rest::Seal;
use super::restore::{self, Gone};
use super::schema::{alias, cannot_link, resource};
use super::sql_types::{instant, key, micros, uuid};
use super::values::BATCH;
use super::{Error, Tx, event, record, source};
use crate::domain::claim::SourceRecord;
use crate::domain::event::Event;
use crate::domain::record::{Folded, Kind, Leaves};
use crate::id::{ResourceId, TenantId};

/// A person who has been merged into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The tenant.
    pub tenant: TenantId,
    /// The id that is a name now.
    pub id: ResourceId,
    /// The number of the record that it is a name of.
    pub survivor: i64,
    /// The number that the record had.
    pub origin: i64,
    /// The version that it will have when it stands again.
    pub version: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// The groups that it was in, by number, and whether the survivor was not.
    pub groups: Vec<(i64, bool)>,
}

type Row = (i32, Vec<u8>, i64, i64, i64, i64, String);

fn read((tenant, id, survivor, origin, version, created, groups): Row) -> Result<Alias, Error> {
    Ok(Alias {
        tenant: TenantId(tenant),
        id: ResourceId(uuid(&id)),
        survivor,
        origin,
        version,
        created: instant(created),
        groups: serde_json::from_str(&groups)?,
    })
}

/// The alias of that id, if it is one.
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, id: ResourceId) -> Result<Option<Alias>, Error> {
    let target = alias::table.find((tenant.0, key(id.0)));
    let row: Result<Row, _> = on_both!(tx.db(), connection => target.get_result(connection));
    let row = row.optional().map_err(|error| tx.explain(error))?;
    row.map(read).transpose()
}

/// Of these ids those that are aliases, each with the id of the record that it is a name of.
pub(super) fn survivors(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
) -> Result<Vec<(ResourceId, ResourceId)>, Error> {
    let mut found = Vec::new();
    for ids in ids.chunks(BATCH) {
        let keys: Vec<Vec<u8>> = ids.iter().map(|id| key(id.0)).collect();
        let rows: Vec<(Vec<u8>, Vec<u8>)> = alias::table
            .inner_join(resource::table.on(resource::id.eq(alias::survivor)))
            .filter(alias::tenant.eq(tenant.0))
            .filter(alias::uuid.eq_any(keys))
            .select((alias::uuid, resource::uuid))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        let id = |key: &[u8]| ResourceId(uuid(key));
        found.extend(rows.iter().map(|(alias, own)| (id(alias), id(own))));
    }
    Ok(found)
}

/// The aliases of a record.
pub fn of(tx: &mut Tx<'_>, survivor: i64) -> Result<Vec<Alias>, Error> {
    let rows: Vec<Row> = alias::table
        .filter(alias::survivor.eq(survivor))
        .order((alias::tenant, alias::uuid))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    rows.into_iter().map(read).collect()
}

/// Keeps an alias; those of the record that it was are the survivor's too.
fn insert(tx: &mut Tx<'_>, new: &Alias) -> Result<(), Error> {
    let values = (
        alias::tenant.eq(new.tenant.0),
        alias::uuid.eq(key(new.id.0)),
        alias::survivor.eq(new.survivor),
        alias::origin.eq(new.origin),
        alias::version.eq(new.version),
        alias::created.eq(micros(new.created)),
        alias::groups.eq(serde_json::to_string(&new.groups)?),
    );
    diesel::insert_into(alias::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    diesel::update(alias::table.filter(alias::survivor.eq(new.origin)))
        .set(alias::survivor.eq(new.survivor))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Takes an alias back.
fn delete(tx: &mut Tx<'_>, known: &Alias) -> Result<(), Error> {
    diesel::delete(alias::table.find((known.tenant.0, key(known.id.0))))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Forgets the aliases of a record that goes.
pub(super) fn delete_of(tx: &mut Tx<'_>, survivor: i64) -> Result<(), Error> {
    diesel::delete(alias::table.filter(alias::survivor.eq(survivor)))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// The first step of a merge: the record of that event is found by nothing any more, so that another can take its values.
pub fn yield_values(tx: &mut Tx<'_>, gone: &Folded, event: Event) -> Result<(), Error> {
    event::insert_of(tx, event, Some(gone.version + 1), gone.row)?;
    record::forget_values(tx, gone.row)
}

/// The last step of a merge: a record whose sources are another's now goes. Its id becomes a name of that one.
pub fn become_alias(tx: &mut Tx<'_>, gone: &Folded, known: &Alias) -> Result<(), Error> {
    record::remove_row(tx, gone)?;
    insert(tx, known)
}

/// The first step of a split: the record that an alias was stands again, as yet without values, and has its sources back.
pub fn stand_again(tx: &mut Tx<'_>, known: &Alias, at: DateTime<Utc>) -> Result<Folded, Error> {
    let gone = Gone {
        tenant: known.tenant,
        id: known.id,
        kind: Kind::Person,
        row: known.origin,
        version: known.version,
        created: known.created,
    };
    let stands = restore::stand(tx, &gone, at)?;
    let sources = source::of_records(tx, &[known.survivor])?.into_values();
    let moved: Vec<SourceRecord> = sources
        .flatten()
        .filter(|source| source.origin == Some(known.origin))
        .collect();
    let seal = Seal::of(tx, &stands, &Leaves::new(), &moved)?;
    for source in &moved {
        source::put(tx, known.origin, source, &seal)?;
    }
    delete(tx, known)?;
    Ok(stands)
}

/// A pair in the one order in which it is kept.
fn pair(a: ResourceId, b: ResourceId) -> (Vec<u8>, Vec<u8>) {
    let (a, b) = (key(a.0), key(b.0));
    if a <= b { (a, b) } else { (b, a) }
}

/// Remembers that two are two.
pub fn keep_apart(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (a, b): (ResourceId, ResourceId),
) -> Result<(), Error> {
    if are_apart(tx, tenant, (a, b))? {
        return Ok(());
    }
    let (one, other) = pair(a, b);
    diesel::insert_into(cannot_link::table)
        .values((
            cannot_link::tenant.eq(tenant.0),
            cannot_link::one.eq(one),
            cannot_link::other.eq(other),
        ))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Whether a human has said that two are two.
pub fn are_apart(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    (a, b): (ResourceId, ResourceId),
) -> Result<bool, Error> {
    let (one, other) = pair(a, b);
    let known: Option<i32> = cannot_link::table
        .find((tenant.0, one, other))
        .select(cannot_link::tenant)
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(known.is_some())
}
