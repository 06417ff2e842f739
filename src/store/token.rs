//! The tokens of the server's own issuer: that they were issued, until when, and whether they were revoked.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::token;
use super::sql_types::{instant, key, micros, uuid};
use super::{Error, Tx, event};
use crate::domain::event::Event;
use crate::id::{ResourceId, TenantId};

/// A token that was issued; not the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its `jti`.
    pub id: ResourceId,
    /// Whose client it is for.
    pub tenant: TenantId,
    /// The client.
    pub client: String,
    /// When it was issued.
    pub issued: DateTime<Utc>,
    /// By whom.
    pub issued_by: String,
    /// When it ends.
    pub expires: DateTime<Utc>,
    /// When it was revoked, and by whom.
    pub revoked: Option<(DateTime<Utc>, String)>,
    /// How many days before its end it was last warned of.
    pub warned: i32,
}

type Row = (
    Vec<u8>,
    i32,
    String,
    i64,
    String,
    i64,
    Option<i64>,
    Option<String>,
    i32,
    i64,
);

fn of(row: Row) -> Issued {
    let (id, tenant, client, issued, issued_by, expires, revoked, revoked_by, warned, _) = row;
    Issued {
        id: ResourceId(uuid(&id)),
        tenant: TenantId(tenant),
        client,
        issued: instant(issued),
        issued_by,
        expires: instant(expires),
        revoked: revoked.map(|at| (instant(at), revoked_by.unwrap_or_default())),
        warned,
    }
}

/// Keeps that a token was issued, with its event.
pub fn insert(tx: &mut Tx<'_>, issued: &Issued, event: Event) -> Result<(), Error> {
    let values = (
        token::jti.eq(key(issued.id.0)),
        token::tenant.eq(issued.tenant.0),
        token::client.eq(&issued.client),
        token::issued.eq(micros(issued.issued)),
        token::issued_by.eq(&issued.issued_by),
        token::expires.eq(micros(issued.expires)),
        token::warned.eq(issued.warned),
        token::changes.eq(1_i64),
    );
    diesel::insert_into(token::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::note(tx, event)
}

/// Who revoked it and when, with its event. Lost if it is revoked already.
pub fn update_revoked(
    tx: &mut Tx<'_>,
    id: ResourceId,
    (by, at): (&str, DateTime<Utc>),
    event: Event,
) -> Result<(), Error> {
    let count = diesel::update(token::table.find(key(id.0)))
        .filter(token::revoked.is_null())
        .set((
            token::revoked.eq(micros(at)),
            token::revoked_by.eq(by),
            token::changes.eq(token::changes + 1),
        ))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    event::note(tx, event)
}

/// That its end was warned of so many days before, with the warning. Lost if another process has just done it.
pub fn update_warned(
    tx: &mut Tx<'_>,
    issued: &Issued,
    days: i32,
    event: Event,
) -> Result<(), Error> {
    let count = diesel::update(token::table.find(key(issued.id.0)))
        .filter(token::warned.eq(issued.warned))
        .set(token::warned.eq(days))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count != 1 {
        return Err(tx.lose());
    }
    event::note(tx, event)
}

/// The one of that `jti`.
pub fn find(tx: &mut Tx<'_>, id: ResourceId) -> Result<Option<Issued>, Error> {
    let row: Option<Row> = token::table
        .find(key(id.0))
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(row.map(of))
}

/// All of a tenant, or of every tenant, the newest first.
pub fn list(tx: &mut Tx<'_>, tenant: Option<TenantId>) -> Result<Vec<Issued>, Error> {
    let mut query = token::table.into_boxed();
    if let Some(tenant) = tenant {
        query = query.filter(token::tenant.eq(tenant.0));
    }
    let rows: Vec<Row> = query
        .order((token::issued.desc(), token::jti.desc()))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().map(of).collect())
}

/// A number that changes whenever a token is issued or revoked, in whatever tenant.
pub fn changes(tx: &mut Tx<'_>) -> Result<i64, Error> {
    // A sum of integers is no integer on PostgreSQL.
    let counted: Vec<i64> = token::table
        .select(token::changes)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(counted.into_iter().sum())
}
