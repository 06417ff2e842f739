//! The log: appended to in the same transaction as the change that it explains, and never touched again.

use diesel::prelude::*;
use serde_json::Value;

use super::schema::event;
use super::sql_types::{key, micros};
use super::{Error, Tx};
use crate::domain::event::Event;

/// Bodies are JSON, not encrypted.
const PLAIN_JSON: i16 = 1;

/// Appends the event of the change that made `version` of its record, or of one that made none.
pub(super) fn insert(tx: &mut Tx<'_>, event: Event, version: Option<i64>) -> Result<(), Error> {
    let body = serde_json::to_vec(&event.body(version))?;
    let values = (
        event::id.eq(key(event.id.0)),
        event::tenant.eq(event.tenant.0),
        event::type_.eq(event.kind),
        event::resource_type.eq(event.resource_type),
        event::resource.eq(key(event.resource.0)),
        event::version.eq(version),
        event::recorded.eq(micros(event.at)),
        event::client.eq(event.client),
        event::correlation.eq(event.correlation),
        event::format.eq(PLAIN_JSON),
        event::key_id.eq(""),
        event::body.eq(body),
    );
    diesel::insert_into(event::table)
        .values(values)
        .execute(tx.db)
        .map_err(|error| tx.explain(error))?;
    Ok(())
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
        .map(|(seq, body)| Ok((seq, serde_json::from_slice(&body)?)))
        .collect()
}
