//! The log: appended to in the same transaction as the change that it explains, and never touched again. What an event
//! tells of a person is sealed under that person's key: with the key, all of it is gone (design §4).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use serde_json::Value;

use super::db::on_both;
use super::key::{self, Fresh};
use super::schema::{event, event_subject, resource};
use super::sql_types::{instant, key as bytes, micros, uuid};
use super::values::BATCH;
use super::{Error, Tx, shown};
use crate::domain::event::{Event, Withheld};
use crate::domain::sealing::{Key, Place};
use crate::id::{EventId, ResourceId, TenantId};

/// Bodies are JSON, as they were before there were keys.
const PLAIN_JSON: i16 = 1;
/// Bodies are JSON, sealed under the key that `key_id` names.
const SEALED_JSON: i16 = 2;

/// The tenant's key, as `key_id` names it; a person's is named by this and the record's number.
const TENANT: &str = "t";
const PERSON: &str = "p";

/// Whose key seals an event.
#[derive(Clone, Copy)]
pub(super) enum Under<'a> {
    /// The tenant's: nobody in particular is spoken of.
    Tenant,
    /// The person's, known by number and id.
    Person(i64, ResourceId),
    /// That of a person who has no number yet.
    Newcomer(&'a Fresh),
}

/// An event as it is stored.
#[derive(Insertable)]
#[diesel(table_name = event)]
pub(super) struct EventRow {
    pub(super) id: Vec<u8>,
    pub(super) tenant: i32,
    pub(super) type_: String,
    pub(super) resource_type: String,
    pub(super) resource: Vec<u8>,
    pub(super) version: Option<i64>,
    pub(super) recorded: i64,
    pub(super) client: String,
    pub(super) correlation: String,
    pub(super) format: i16,
    /// Empty while the person has no number.
    pub(super) key_id: String,
    pub(super) body: Vec<u8>,
    pub(super) purpose: Option<String>,
    pub(super) attributes: Option<String>,
    pub(super) person: Option<Vec<u8>>,
    pub(super) application: Option<Vec<u8>>,
}

/// Where the body of an event belongs.
fn place(tenant: TenantId, resource: ResourceId, id: &str) -> Place<'_> {
    Place {
        tenant,
        record: Some(resource),
        what: id,
    }
}

impl EventRow {
    /// The event of the change that made `version` of its record, or of one that made none; its body is sealed here, so that
    /// no value of it ever reaches the disk.
    pub(super) fn new(
        tx: &mut Tx<'_>,
        event: Event,
        version: Option<i64>,
        under: Under<'_>,
    ) -> Result<Self, Error> {
        let body = serde_json::to_vec(&event.body(version))?;
        let (purpose, attributes) = (event.purpose.clone(), named(&event));
        let (tenant, resource) = (event.tenant, event.resource);
        let person: Key;
        let tenants;
        let (seal, key_id) = match under {
            Under::Newcomer(fresh) => (&fresh.key, String::new()),
            Under::Person(row, id) => {
                person = key::of_person(tx, tenant, (row, id))?;
                (&person, format!("{PERSON}{row}"))
            }
            Under::Tenant => {
                tenants = key::of_tenant(tx, tenant)?;
                (&tenants.sealing, TENANT.to_owned())
            }
        };
        let id = event.id.to_string();
        let body = seal.seal(tx.keys().nonce(), place(tenant, resource, &id), &body)?;
        Ok(Self {
            id: bytes(event.id.0),
            tenant: event.tenant.0,
            type_: event.kind,
            resource_type: event.resource_type,
            resource: bytes(event.resource.0),
            version,
            recorded: micros(event.at),
            client: event.client,
            correlation: event.correlation,
            format: SEALED_JSON,
            key_id,
            body,
            purpose,
            attributes,
            person: event.person.map(|id| bytes(id.0)),
            application: event.application.map(|id| bytes(id.0)),
        })
    }

    /// Names the key of a person who has a number now.
    pub(super) fn name_key(&mut self, row: i64) {
        if self.key_id.is_empty() {
            self.key_id = format!("{PERSON}{row}");
        }
    }

    /// `INSERT …`, as part of another statement, in which `made` is the record.
    pub(super) fn walk_insert<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO event (id, tenant, type, resource_type, resource, version, recorded, client, correlation, \
             format, key_id, body, purpose, attributes, person, application) VALUES (",
        );
        out.push_bind_param::<Binary, _>(&self.id)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.tenant)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.type_)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.resource_type)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&self.resource)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.version)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.recorded)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.client)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.correlation)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&self.format)?;
        out.push_sql(", ");
        // One text of SQL whichever key it is: the statement stays prepared.
        out.push_sql("coalesce(nullif(");
        out.push_bind_param::<Text, _>(&self.key_id)?;
        out.push_sql(", ''), (SELECT 'p' || id FROM made))");
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&self.body)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.purpose)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.attributes)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Binary>, _>(&self.person)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Binary>, _>(&self.application)?;
        out.push_sql(")");
        Ok(())
    }
}

/// The attributes that an event is about, by name: ` birthDate emails `.
fn named(event: &Event) -> Option<String> {
    let changed = event.changes.iter().map(|change| change.path.as_str());
    let read = event.attributes.iter().map(String::as_str);
    let mut names: Vec<&str> = changed.chain(read).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| format!(" {} ", names.join(" ")))
}

/// Appends the event of something that changed no record: a read, a refusal. It tells no values and outlives whom it names:
/// the tenant's key seals it.
pub fn note(tx: &mut Tx<'_>, event: Event) -> Result<(), Error> {
    let (tenant, id, subjects) = (event.tenant, event.id, event.subjects.clone());
    let row = EventRow::new(tx, event, None, Under::Tenant)?;
    append(tx, row)?;
    shown::insert(tx, tenant, id, &subjects)
}

/// Appends the event of what follows from a change, beside the event of that.
pub fn announce(tx: &mut Tx<'_>, event: Event) -> Result<(), Error> {
    insert(tx, event, None)
}

/// Appends an event that is of no record at hand. One that speaks of a person is sealed under that person's key all the same.
pub(super) fn insert(tx: &mut Tx<'_>, event: Event, version: Option<i64>) -> Result<(), Error> {
    let under = under(tx, &event, None)?;
    let row = EventRow::new(tx, event, version, under)?;
    append(tx, row)
}

/// Whose key seals an event: that of the person whom it is about, who may only be about to exist; the tenant's where it is
/// about nobody, or nobody who is known.
pub(super) fn under<'a>(
    tx: &mut Tx<'_>,
    event: &Event,
    newcomer: Option<&'a Fresh>,
) -> Result<Under<'a>, Error> {
    let person = match (newcomer, event.of_person()) {
        (Some(fresh), _) => return Ok(Under::Newcomer(fresh)),
        (None, None) => return Ok(Under::Tenant),
        (None, Some(person)) => person,
    };
    let tenant = event.tenant;
    let target = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::uuid.eq(bytes(person.0)));
    let row = target.select(resource::id).get_result::<i64>(tx.db());
    let row = row.optional().map_err(|error| tx.explain(error))?;
    Ok(row.map_or(Under::Tenant, |row| Under::Person(row, person)))
}

/// Appends the event of the change that made `version` of its record, or of one that made none. `row` is the number of that
/// record, whose key seals it if it is a person.
pub(super) fn insert_of(
    tx: &mut Tx<'_>,
    event: Event,
    version: Option<i64>,
    row: i64,
) -> Result<(), Error> {
    if !event.is_person {
        return insert(tx, event, version);
    }
    let under = Under::Person(row, event.resource);
    let row = EventRow::new(tx, event, version, under)?;
    append(tx, row)
}

/// Appends an event.
pub(super) fn append(tx: &mut Tx<'_>, row: EventRow) -> Result<(), Error> {
    on_both!(tx.db(), connection => diesel::insert_into(event::table)
        .values(row)
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// A stored event, as much of it as is needed to read it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = event)]
struct StoredRow {
    seq: i64,
    id: Vec<u8>,
    tenant: i32,
    type_: String,
    resource_type: String,
    resource: Vec<u8>,
    version: Option<i64>,
    recorded: i64,
    client: String,
    correlation: String,
    format: i16,
    key_id: String,
    body: Vec<u8>,
    person: Option<Vec<u8>>,
}

impl StoredRow {
    /// The number of the person whose key sealed it.
    fn person(&self) -> Option<i64> {
        self.key_id.strip_prefix(PERSON)?.parse().ok()
    }

    /// The body; without its values where the key has been destroyed.
    fn read(&self, tx: &mut Tx<'_>, people: &HashMap<i64, Vec<u8>>) -> Result<Value, Error> {
        if self.format == PLAIN_JSON {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        let (tenant, resource) = (TenantId(self.tenant), ResourceId(uuid(&self.resource)));
        let keys = key::of_tenant(tx, tenant)?;
        let key = match self.person() {
            None => keys.sealing,
            Some(row) => match people.get(&row) {
                Some(wrapped) => keys.open(tenant, self.about().unwrap_or(resource), wrapped)?,
                None => return Ok(self.withheld(resource)),
            },
        };
        let id = EventId(uuid(&self.id)).to_string();
        let body = key.open(place(tenant, resource, &id), &self.body)?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Whom it is about, where its record is no person.
    fn about(&self) -> Option<ResourceId> {
        self.person.as_deref().map(|id| ResourceId(uuid(id)))
    }

    fn withheld(&self, resource: ResourceId) -> Value {
        let withheld = Withheld {
            person: self.about().unwrap_or(resource),
            id: EventId(uuid(&self.id)),
            tenant: TenantId(self.tenant),
            kind: &self.type_,
            resource_type: &self.resource_type,
            resource,
            version: self.version,
            at: instant(self.recorded),
            client: &self.client,
            correlation: &self.correlation,
        };
        withheld.body()
    }
}

/// The events after `after` in the order of their sequence, at most `limit`. What is told of a person who has been erased
/// stands there without its values.
pub fn list(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<(i64, Value)>, Error> {
    let rows: Vec<StoredRow> = event::table
        .filter(event::seq.gt(after))
        .order(event::seq.asc())
        .limit(limit)
        .select(StoredRow::as_select())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    read(tx, &rows)
}

/// The tenant's events of these ids, by id; those of nobody's are left out.
pub fn told(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[&str],
) -> Result<HashMap<String, Value>, Error> {
    let mut ids: Vec<Vec<u8>> = ids
        .iter()
        .filter_map(|id| id.parse::<EventId>().ok())
        .map(|id| bytes(id.0))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let mut told = HashMap::new();
    for ids in ids.chunks(BATCH) {
        let rows: Vec<StoredRow> = event::table
            .filter(event::tenant.eq(tenant.0))
            .filter(event::id.eq_any(ids.to_vec()))
            .select(StoredRow::as_select())
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        let events = read(tx, &rows)?.into_iter().zip(&rows);
        told.extend(events.map(|((_, event), row)| (EventId(uuid(&row.id)).to_string(), event)));
    }
    Ok(told)
}

/// All that is told of one record, oldest first.
pub fn of_record(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    record: ResourceId,
) -> Result<Vec<Value>, Error> {
    let rows: Vec<StoredRow> = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::resource.eq(bytes(record.0)))
        .order(event::seq.asc())
        .select(StoredRow::as_select())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let told = read(tx, &rows)?;
    Ok(told.into_iter().map(|(_, event)| event).collect())
}

/// The reads in which somebody was shown, oldest first.
pub fn of_subject(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    person: ResourceId,
) -> Result<Vec<Value>, Error> {
    let shown = event_subject::table
        .filter(event_subject::tenant.eq(tenant.0))
        .filter(event_subject::subject.eq(bytes(person.0)))
        .select(event_subject::event);
    let rows: Vec<StoredRow> = event::table
        .filter(event::id.eq_any(shown))
        .order(event::seq.asc())
        .select(StoredRow::as_select())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let told = read(tx, &rows)?;
    Ok(told.into_iter().map(|(_, event)| event).collect())
}

/// What a client did since then, of events of these types: the newest first, before the place `before`, at most `limit`, each
/// with its place.
pub fn of_client(
    tx: &mut Tx<'_>,
    (tenant, client): (TenantId, &str),
    types: &[&str],
    (since, before): (DateTime<Utc>, i64),
    limit: i64,
) -> Result<Vec<(i64, Value)>, Error> {
    let rows: Vec<StoredRow> = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::recorded.ge(micros(since)))
        .filter(event::seq.lt(before))
        .filter(event::client.eq(client))
        .filter(event::type_.eq_any(types.to_vec()))
        .order(event::seq.desc())
        .limit(limit)
        .select(StoredRow::as_select())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    read(tx, &rows)
}

/// The number of a person of whom the log alone still tells.
pub(super) fn departed(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    person: ResourceId,
) -> Result<Option<i64>, Error> {
    let keys: Vec<String> = event::table
        .filter(event::tenant.eq(tenant.0))
        .filter(event::resource.eq(bytes(person.0)))
        .filter(event::key_id.ne(TENANT))
        .select(event::key_id)
        .distinct()
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let mut rows = keys
        .iter()
        .filter_map(|key| key.strip_prefix(PERSON)?.parse().ok());
    Ok(rows.next())
}

/// Appends the event that outlives a person: it is sealed under the tenant's key.
pub(super) fn insert_tombstone(
    tx: &mut Tx<'_>,
    event: Event,
    version: Option<i64>,
) -> Result<(), Error> {
    let row = EventRow::new(tx, event, version, Under::Tenant)?;
    append(tx, row)
}

fn read(tx: &mut Tx<'_>, rows: &[StoredRow]) -> Result<Vec<(i64, Value)>, Error> {
    let mut people: Vec<i64> = rows.iter().filter_map(StoredRow::person).collect();
    people.sort_unstable();
    people.dedup();
    let mut wrapped = HashMap::new();
    for people in people.chunks(BATCH) {
        wrapped.extend(key::wrapped(tx, people.to_vec())?);
    }
    rows.iter()
        .map(|row| Ok((row.seq, row.read(tx, &wrapped)?)))
        .collect()
}

/// The events at these places of the log, in this order.
pub fn at(tx: &mut Tx<'_>, places: &[i64]) -> Result<Vec<(i64, Value)>, Error> {
    let mut told = HashMap::new();
    for places in places.chunks(BATCH) {
        let rows: Vec<StoredRow> = event::table
            .filter(event::seq.eq_any(places.to_vec()))
            .select(StoredRow::as_select())
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        told.extend(read(tx, &rows)?);
    }
    let mut place = |seq: &i64| told.remove(seq).map(|event| (*seq, event));
    Ok(places.iter().filter_map(&mut place).collect())
}
