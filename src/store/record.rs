//! A record with all that hangs on it. Every verb that changes something takes the event that explains it, so an
//! unlogged change does not compile; each change makes exactly one version, and each version has exactly one event.

use diesel::prelude::*;

use super::alias;
use super::db::{Db, Dialect, on_both};
use super::event::EventRow;
use super::key as data_key;
use super::newcomer::{self, Newcomer, ResourceValues};
use super::rest::{self, Seal};
use super::schema::{attribute_index, resource, source_record, unique_beside, unique_value};
use super::source;
use super::sql_nodes::{Sharing, SharingAny};
use super::sql_types::{instant, key, micros, uuid};
use super::values::{self, Fresh};
use super::{Error, Tx, attribute_path, blind, counter, event, matching, member};
use crate::domain::claim::SourceRecord;
use crate::domain::event::Event;
use crate::domain::record::{Folded, Kind, Leaves, Record, display, has_account};
use crate::domain::sealed;
use crate::domain::secrets::Secrets;
use crate::domain::view::Specs;
use crate::id::{ResourceId, TenantId};

/// What [`resource`] holds, in the order of its columns.
pub(super) type ResourceRow = (
    i64,
    i32,
    Vec<u8>,
    i16,
    bool,
    i64,
    i64,
    i64,
    String,
    Option<String>,
    i64,
    i64,
);

/// A record out of its row, but for its values; and these as they are kept.
pub(super) fn parts(row: ResourceRow) -> Result<(Folded, String), Error> {
    let (row, tenant, id, kind, _, version, created, modified, document, _, members, open) = row;
    let folded = Folded {
        row,
        tenant: TenantId(tenant),
        id: ResourceId(uuid(&id)),
        kind: Kind::from_number(kind)
            .ok_or_else(|| Error::Fault(format!("record {row} is of no known kind")))?,
        version,
        created: instant(created),
        modified: instant(modified),
        modified_open: instant(open),
        leaves: Leaves::new(),
        sealed: Secrets::default(),
        members,
    };
    Ok((folded, document))
}

/// The record of that id, without its sources. (Not `first`: its `LIMIT ?` has SQLite prepare the statement again
/// whenever a value is bound.)
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, id: ResourceId) -> Result<Option<Folded>, Error> {
    let target = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::uuid.eq(key(id.0)));
    // A connection of its own type finds its prepared statement without writing the SQL again.
    let row: Result<ResourceRow, _> =
        on_both!(tx.db(), connection => target.get_result(connection));
    let row = row.optional().map_err(|error| tx.explain(error))?;
    row.map_or(Ok(None), |row| rest::folded(tx, row))
}

/// The record of that id, held until the transaction ends, so that writers of one record wait for each other instead of
/// losing. On SQLite there is one writer anyway.
pub fn claim(tx: &mut Tx<'_>, tenant: TenantId, id: ResourceId) -> Result<Option<Folded>, Error> {
    let target = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::uuid.eq(key(id.0)));
    let row: Result<ResourceRow, _> = match tx.db() {
        Db::Sqlite(connection) => target.get_result(connection),
        // Not FOR UPDATE: who only points to the record, such as a new member's row, need not wait.
        Db::Postgres(connection) => target.for_no_key_update().get_result(connection),
    };
    let row = row.optional().map_err(|error| tx.explain(error))?;
    row.map_or(Ok(None), |row| rest::folded(tx, row))
}

/// The record of that number, if it is still there, without its sources and without holding it.
pub fn at(tx: &mut Tx<'_>, row: i64) -> Result<Option<Folded>, Error> {
    let target = resource::table.find(row);
    let row: Result<ResourceRow, _> =
        on_both!(tx.db(), connection => target.get_result(connection));
    let row = row.optional().map_err(|error| tx.explain(error))?;
    row.map_or(Ok(None), |row| rest::folded(tx, row))
}

/// Holds the records of these ids as by [`claim`], all at once and in one order whoever asks: then use cases of many records
/// wait for each other instead of locking each other out.
pub fn hold(tx: &mut Tx<'_>, tenant: TenantId, ids: &[ResourceId]) -> Result<(), Error> {
    let Db::Postgres(connection) = tx.db() else {
        return Ok(());
    };
    let keys: Vec<Vec<u8>> = ids.iter().map(|id| key(id.0)).collect();
    let held: Result<Vec<i64>, _> = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::uuid.eq_any(keys))
        .order(resource::uuid)
        .select(resource::id)
        .for_no_key_update()
        .load(connection);
    held.map(drop).map_err(|error| tx.explain(error))
}

/// The record of that number with its sources, held as by [`claim`]. One that has gone since its number was read is a lost
/// race.
pub fn fetch(tx: &mut Tx<'_>, row: i64) -> Result<Record, Error> {
    let target = resource::table.find(row);
    let found: Result<ResourceRow, _> = match tx.db() {
        Db::Sqlite(connection) => target.get_result(connection),
        Db::Postgres(connection) => target.for_no_key_update().get_result(connection),
    };
    let Some(found) = found.optional().map_err(|error| tx.explain(error))? else {
        return Err(tx.lose());
    };
    let folded = rest::folded(tx, found)?.ok_or_else(|| tx.lose())?;
    with_sources(tx, folded)
}

/// A record completed by its sources.
pub fn with_sources(tx: &mut Tx<'_>, folded: Folded) -> Result<Record, Error> {
    let mut sources = source::of_records(tx, &[folded.row])?;
    let sources = sources.remove(&folded.row).unwrap_or_default();
    Ok(Record { folded, sources })
}

/// The id of the record of that number, if it is still there.
pub fn identify(tx: &mut Tx<'_>, row: i64) -> Result<Option<ResourceId>, Error> {
    let id = resource::table
        .find(row)
        .select(resource::uuid)
        .get_result::<Vec<u8>>(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(id.map(|id| ResourceId(uuid(&id))))
}

/// For each of these values the numbers of at most `most` records that have it in the index.
pub fn with_values(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
    values: &[String],
    most: i64,
) -> Result<Vec<Vec<i64>>, Error> {
    let mut found = vec![Vec::new(); values.len()];
    let path = attribute_path::find(tx, tenant, kind, path)?;
    let (Some(path), false) = (path, values.is_empty()) else {
        return Ok(found);
    };
    let is_free = |value: &String| tx.gathered.is_unindexed(path, value);
    if values.iter().all(is_free) {
        return Ok(found);
    }
    let sharing = |value| Sharing { path, value, most };
    let loaded = match tx.looking() {
        Db::Sqlite(connection) => values
            .iter()
            .zip(&mut found)
            .try_for_each(|(value, found)| {
                *found = sharing(value).load(connection)?;
                Ok(())
            }),
        Db::Postgres(connection) => SharingAny { path, values, most }
            .load::<(i64, i64)>(connection)
            .map(|rows| {
                for (place, row) in rows {
                    let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
                    if let Some(found) = found.get_mut(place) {
                        found.push(row);
                    }
                }
            }),
    };
    loaded.map_err(|error| tx.explain(error))?;
    Ok(found)
}

/// A record that is about to exist.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Its folded values.
    pub leaves: Leaves,
    /// What they are folded from.
    pub sources: Vec<SourceRecord>,
    /// The numbers of its members, if it is a group.
    pub members: Vec<i64>,
    /// Its data key, if it is a person.
    pub data_key: Option<data_key::Fresh>,
}

/// Makes a record, at version 1.
pub fn insert(
    tx: &mut Tx<'_>,
    specs: &Specs,
    new: NewRecord,
    event: Event,
) -> Result<Folded, Error> {
    let at = micros(event.at);
    let tenant = event.tenant;
    let members = i64::try_from(new.members.len()).unwrap_or(i64::MAX);
    let seal = Seal::of_new(tx, (tenant, new.kind), new.data_key.as_ref());
    let values = ResourceValues {
        tenant: tenant.0,
        uuid: key(new.id.0),
        kind: new.kind.number(),
        account: has_account(&new.leaves),
        at,
        document: seal.document(&new.leaves)?,
        display: display(&new.leaves).map(str::to_owned),
        members,
    };
    let mut fresh = Fresh::of(tx, specs, (tenant, new.kind), (&new.leaves, &seal.secrets))?;
    let beside = fresh.set_aside(
        tx,
        specs,
        (tenant, new.kind),
        (&new.leaves, &event.withheld),
    )?;
    let under = event::under(tx, &event, new.data_key.as_ref())?;
    let event = EventRow::new(tx, event, Some(1), under)?;
    let row = match tx.dialect() {
        Dialect::Postgres => newcomer::put(
            tx,
            Newcomer {
                row: None,
                resource: values,
                sources: newcomer::Sources::of(&new.sources, &seal)?,
                fresh,
                data_key: new.data_key.as_ref().map(|key| key.wrapped.clone()),
                event,
            },
        )?,
        Dialect::Sqlite => put_each(tx, &new, &seal, (values, &fresh, event))?,
    };
    values::put_beside(tx, (tenant, row), &beside)?;
    put_blind(tx, specs, (tenant, row), &new, &seal)?;
    member::insert(tx, row, &new.members)?;
    let folded = Folded {
        row,
        tenant,
        id: new.id,
        kind: new.kind,
        version: 1,
        created: instant(at),
        modified: instant(at),
        modified_open: instant(at),
        sealed: seal.secrets.among(&new.leaves),
        leaves: new.leaves,
        members,
    };
    counter::count(tx, tenant, folded.kind, folded.has_account(), 1);
    Ok(folded)
}

/// Puts a new record into SQLite, a statement for each row; its number.
fn put_each(
    tx: &mut Tx<'_>,
    new: &NewRecord,
    seal: &Seal,
    (values, fresh, mut event): (ResourceValues, &Fresh, EventRow),
) -> Result<i64, Error> {
    let tenant = values.tenant;
    let Db::Sqlite(connection) = tx.db() else {
        return Err(Error::Fault("PostgreSQL takes all rows at once".into()));
    };
    let row = insert_row(connection, values).and_then(|row| {
        fresh.put(connection, tenant, row)?;
        Ok(row)
    });
    let row = row.map_err(|error| tx.explain(error))?;
    for source in &new.sources {
        source::put(tx, row, source, seal)?;
    }
    if let Some(data_key) = &new.data_key {
        data_key::insert(tx, row, &data_key.wrapped)?;
        event.name_key(row);
    }
    event::append(tx, event)?;
    Ok(row)
}

/// Makes the secrets of a new record findable.
fn put_blind(
    tx: &mut Tx<'_>,
    specs: &Specs,
    (tenant, row): (TenantId, i64),
    new: &NewRecord,
    seal: &Seal,
) -> Result<(), Error> {
    let secret = sealed::any(specs, &new.leaves) || seal.secrets.any(&new.leaves);
    let Some(data_key) = new.data_key.as_ref().filter(|_| secret) else {
        return Ok(());
    };
    let said = (&new.leaves, &*seal.secrets);
    blind::put(
        tx,
        specs,
        (tenant, new.kind, row),
        said,
        &data_key.envelope(),
    )
}

/// The row of the record itself; its number.
fn insert_row(connection: &mut SqliteConnection, new: ResourceValues) -> QueryResult<i64> {
    diesel::insert_into(resource::table)
        .values((
            resource::tenant.eq(new.tenant),
            resource::uuid.eq(new.uuid),
            resource::kind.eq(new.kind),
            resource::account.eq(new.account),
            resource::version.eq(1_i64),
            resource::created.eq(new.at),
            resource::modified.eq(new.at),
            resource::modified_open.eq(new.at),
            resource::document.eq(new.document),
            resource::display.eq(new.display),
            resource::members.eq(new.members),
        ))
        .returning(resource::id)
        .get_result(connection)
}

/// Gives a record new values and sources, and its next version; `open` says whether any of what changes is not classified. A record that somebody else changed meanwhile is a lost race.
pub fn update(
    tx: &mut Tx<'_>,
    specs: &Specs,
    before: &Record,
    (leaves, open): (Leaves, bool),
    sources: &[SourceRecord],
    event: Event,
) -> Result<Folded, Error> {
    let old = &before.folded;
    let modified_open = if open { event.at } else { old.modified_open };
    let target = resource::table
        .filter(resource::id.eq(old.row))
        .filter(resource::version.eq(old.version));
    let seal = Seal::of(tx, old, &leaves, sources)?;
    let values = (
        resource::version.eq(old.version + 1),
        resource::modified.eq(micros(event.at)),
        resource::modified_open.eq(micros(modified_open)),
        resource::account.eq(has_account(&leaves)),
        resource::document.eq(seal.document(&leaves)?),
        resource::display.eq(display(&leaves)),
    );
    let count = diesel::update(target)
        .set(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    source::put_all(tx, before, sources, &seal)?;
    values::put(tx, specs, old, (&leaves, &seal.secrets), &event.withheld)?;
    blind::change(tx, specs, old, (&leaves, &seal.secrets))?;
    counter::count(tx, old.tenant, old.kind, old.has_account(), -1);
    counter::count(tx, old.tenant, old.kind, has_account(&leaves), 1);
    let modified = event.at;
    event::insert_of(tx, event, Some(old.version + 1), old.row)?;
    Ok(Folded {
        version: old.version + 1,
        modified,
        modified_open,
        sealed: seal.secrets.among(&leaves),
        leaves,
        ..old.clone()
    })
}

/// Keeps what sources say where the fold stays the same: a confirmation makes no version (design §3).
pub fn confirm(
    tx: &mut Tx<'_>,
    before: &Record,
    sources: &[SourceRecord],
    event: Event,
) -> Result<(), Error> {
    // The row is locked, so that nobody folds meanwhile from sources that are about to change.
    let old = &before.folded;
    let target = resource::table
        .filter(resource::id.eq(old.row))
        .filter(resource::version.eq(old.version));
    let same = resource::version.eq(old.version);
    let count = diesel::update(target)
        .set(same)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    let seal = Seal::of(tx, old, &Leaves::new(), sources)?;
    source::put_all(tx, before, sources, &seal)?;
    event::insert_of(tx, event, None, old.row)
}

/// Removes a record with everything that hangs on it. Its events stay; the one of its end has the version after its last.
pub fn delete(tx: &mut Tx<'_>, record: &Folded, event: Event) -> Result<(), Error> {
    event::insert_of(tx, event, Some(record.version + 1), record.row)?;
    remove(tx, record)
}

/// Removes a person as [`delete`] does, and destroys the key of all that the log tells of them: that cannot be read again.
/// The tombstone has the version after the last.
pub fn erase(tx: &mut Tx<'_>, person: &Folded, tombstone: Event) -> Result<(), Error> {
    event::insert_tombstone(tx, tombstone, Some(person.version + 1))?;
    data_key::destroy(tx, person.row)?;
    // Whoever has been merged into this one is this one.
    for alias in alias::of(tx, person.row)? {
        data_key::destroy(tx, alias.origin)?;
    }
    remove(tx, person)
}

/// Destroys the key of somebody who was deleted before; whether there was one.
pub fn erase_departed(tx: &mut Tx<'_>, tombstone: Event) -> Result<bool, Error> {
    let (tenant, person) = (tombstone.tenant, tombstone.resource);
    let Some(row) = event::departed(tx, tenant, person)? else {
        return Ok(false);
    };
    if !data_key::destroy(tx, row)? {
        return Ok(false);
    }
    event::insert_tombstone(tx, tombstone, None)?;
    Ok(true)
}

fn remove(tx: &mut Tx<'_>, record: &Folded) -> Result<(), Error> {
    member::delete(tx, record.row)?;
    let row = record.row;
    forget_values(tx, row)?;
    alias::delete_of(tx, row)?;
    diesel::delete(source_record::table.filter(source_record::resource.eq(row)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    remove_row(tx, record)
}

/// Forgets by what a record is found.
pub(super) fn forget_values(tx: &mut Tx<'_>, row: i64) -> Result<(), Error> {
    blind::delete(tx, row)?;
    matching::delete(tx, row)?;
    diesel::delete(attribute_index::table.filter(attribute_index::resource.eq(row)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    diesel::delete(unique_beside::table.filter(unique_beside::resource.eq(row)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    diesel::delete(unique_value::table.filter(unique_value::resource.eq(row)))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

pub(super) fn remove_row(tx: &mut Tx<'_>, record: &Folded) -> Result<(), Error> {
    let target = resource::table
        .filter(resource::id.eq(record.row))
        .filter(resource::version.eq(record.version));
    let count = diesel::delete(target)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    counter::count(tx, record.tenant, record.kind, record.has_account(), -1);
    Ok(())
}
