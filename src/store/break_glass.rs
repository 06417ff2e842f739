//! Purposes that a client has for a while.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::break_glass;
use super::sql_types::{instant, key, micros, uuid};
use super::{Error, Tx, event};
use crate::domain::event::Event;
use crate::id::{ResourceId, TenantId};

/// A purpose for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glass {
    /// Its id.
    pub id: ResourceId,
    /// Whose.
    pub tenant: TenantId,
    /// The client.
    pub client: String,
    /// The purpose.
    pub purpose: String,
    /// For how many minutes from its approval on.
    pub minutes: i32,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub requested: DateTime<Utc>,
    /// By whom.
    pub requested_by: String,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// Until when it holds, once it is approved.
    pub until: Option<DateTime<Utc>>,
    /// How often it has changed.
    pub changes: i64,
}

type Row = (
    Vec<u8>,
    i32,
    String,
    String,
    i32,
    String,
    i64,
    String,
    Option<String>,
    Option<i64>,
    i64,
);

fn glass(row: Row) -> Glass {
    let (
        id,
        tenant,
        client,
        purpose,
        minutes,
        reason,
        requested,
        requested_by,
        approved_by,
        until,
        changes,
    ) = row;
    Glass {
        id: ResourceId(uuid(&id)),
        tenant: TenantId(tenant),
        client,
        purpose,
        minutes,
        reason,
        requested: instant(requested),
        requested_by,
        approved_by,
        until: until.map(instant),
        changes,
    }
}

/// Keeps a request, with its event.
pub fn insert(tx: &mut Tx<'_>, glass: &Glass, event: Event) -> Result<(), Error> {
    let values = (
        break_glass::id.eq(key(glass.id.0)),
        break_glass::tenant.eq(glass.tenant.0),
        break_glass::client.eq(&glass.client),
        break_glass::purpose.eq(&glass.purpose),
        break_glass::minutes.eq(glass.minutes),
        break_glass::reason.eq(&glass.reason),
        break_glass::requested.eq(micros(glass.requested)),
        break_glass::requested_by.eq(&glass.requested_by),
        break_glass::changes.eq(glass.changes),
    );
    diesel::insert_into(break_glass::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::note(tx, event)
}

/// Gives it these values, with its event. One that somebody else changed since it was read is a lost race.
pub fn update(tx: &mut Tx<'_>, glass: &Glass, event: Event) -> Result<(), Error> {
    let count = diesel::update(break_glass::table.find(key(glass.id.0)))
        .filter(break_glass::changes.eq(glass.changes))
        .set((
            break_glass::approved_by.eq(&glass.approved_by),
            break_glass::until.eq(glass.until.map(micros)),
            break_glass::changes.eq(glass.changes + 1),
        ))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    event::note(tx, event)
}

/// The one of that id.
pub fn find(tx: &mut Tx<'_>, id: ResourceId) -> Result<Option<Glass>, Error> {
    let row: Option<Row> = break_glass::table
        .find(key(id.0))
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(row.map(glass))
}

/// All of a tenant, the newest first.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<Glass>, Error> {
    let rows: Vec<Row> = break_glass::table
        .filter(break_glass::tenant.eq(tenant.0))
        .order(break_glass::requested.desc())
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().map(glass).collect())
}

/// A number that changes with every approval and every end, in whatever tenant.
pub fn changes(tx: &mut Tx<'_>) -> Result<i64, Error> {
    // A sum of integers is no integer on PostgreSQL.
    let counted: Vec<i64> = break_glass::table
        .filter(break_glass::changes.gt(0))
        .select(break_glass::changes)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(counted.into_iter().sum())
}
