//! The log: appended to in the same transaction as the change that it explains, and never touched again.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Binary, Integer, Nullable, SmallInt, Text};
use serde_json::Value;

use super::db::on_both;
use super::schema::{event, event_subject};
use super::sql_types::{key, micros};
use super::values::BATCH;
use super::{Error, Tx};
use crate::domain::event::Event;

/// Bodies are JSON, not encrypted.
const PLAIN_JSON: i16 = 1;

/// An event as it is stored.
#[derive(Insertable)]
#[diesel(table_name = event)]
pub(super) struct EventRow {
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
    key_id: &'static str,
    body: Vec<u8>,
    purpose: Option<String>,
    attributes: Option<String>,
}

impl EventRow {
    /// The event of the change that made `version` of its record, or of one that made none.
    pub(super) fn new(event: Event, version: Option<i64>) -> Result<Self, Error> {
        let body = serde_json::to_vec(&event.body(version))?;
        let (purpose, attributes) = (event.purpose.clone(), named(&event));
        Ok(Self {
            id: key(event.id.0),
            tenant: event.tenant.0,
            type_: event.kind,
            resource_type: event.resource_type,
            resource: key(event.resource.0),
            version,
            recorded: micros(event.at),
            client: event.client,
            correlation: event.correlation,
            format: PLAIN_JSON,
            key_id: "",
            body,
            purpose,
            attributes,
        })
    }

    /// `INSERT …`, as part of another statement.
    pub(super) fn walk_insert<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO event (id, tenant, type, resource_type, resource, version, recorded, client, correlation, \
             format, key_id, body, purpose, attributes) VALUES (",
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
        out.push_bind_param::<Text, _>(&self.key_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&self.body)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.purpose)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&self.attributes)?;
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

/// Appends the event of something that changed no record: a read, a refusal.
pub fn note(tx: &mut Tx<'_>, event: Event) -> Result<(), Error> {
    let subjects = event.subjects.clone();
    let (tenant, id) = (event.tenant, key(event.id.0));
    insert(tx, event, None)?;
    for subjects in subjects.chunks(BATCH) {
        let rows: Vec<_> = subjects
            .iter()
            .map(|subject| {
                (
                    event_subject::tenant.eq(tenant.0),
                    event_subject::subject.eq(key(subject.0)),
                    event_subject::event.eq(&id),
                )
            })
            .collect();
        on_both!(&mut *tx.db, connection => diesel::insert_into(event_subject::table).values(rows).execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Appends the event of the change that made `version` of its record, or of one that made none.
pub(super) fn insert(tx: &mut Tx<'_>, event: Event, version: Option<i64>) -> Result<(), Error> {
    append(tx, EventRow::new(event, version)?)
}

/// Appends an event.
pub(super) fn append(tx: &mut Tx<'_>, row: EventRow) -> Result<(), Error> {
    diesel::insert_into(event::table)
        .values(row)
        .execute(tx.db)
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// The events after `after` in the order of their sequence, at most `limit`.
pub fn list(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<(i64, Value)>, Error> {
    let rows: Vec<(i64, Vec<u8>)> = event::table
        .filter(event::seq.gt(after))
        .order(event::seq.asc())
        .limit(limit)
        .select((event::seq, event::body))
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    rows.into_iter()
        .map(|(seq, body)| Ok((seq, self::body(&body)?)))
        .collect()
}

/// What an event says.
pub(super) fn body(stored: &[u8]) -> Result<Value, Error> {
    Ok(serde_json::from_slice(stored)?)
}
