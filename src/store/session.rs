//! Who is signed in, under the hash of what the browser holds.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::session;
use super::sql_types::{instant, micros};
use super::{Error, Tx, event};
use crate::domain::event::Event;
use crate::domain::session::Session;
use crate::id::TenantId;

type Row = (i32, String, String, String, String, i64, i64);

/// Keeps a session, with the event that explains it.
pub fn insert(
    tx: &mut Tx<'_>,
    hash: &[u8],
    (tenant, opened): (TenantId, &Session),
    event: Event,
) -> Result<(), Error> {
    let values = (
        session::hash.eq(hash),
        session::tenant.eq(tenant.0),
        session::issuer.eq(&opened.issuer),
        session::subject.eq(&opened.subject),
        session::name.eq(&opened.name),
        session::client.eq(&opened.client),
        session::opened.eq(micros(opened.opened)),
        session::seen.eq(micros(opened.seen)),
    );
    diesel::insert_into(session::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::insert(tx, event, None)
}

/// The session of that hash, over or not.
pub fn find(tx: &mut Tx<'_>, hash: &[u8]) -> Result<Option<(TenantId, Session)>, Error> {
    let found: Option<Row> = session::table
        .filter(session::hash.eq(hash))
        .select((
            session::tenant,
            session::issuer,
            session::subject,
            session::name,
            session::client,
            session::opened,
            session::seen,
        ))
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(
        found.map(|(tenant, issuer, subject, name, client, opened, seen)| {
            let session = Session {
                issuer,
                subject,
                name,
                client,
                opened: instant(opened),
                seen: instant(seen),
            };
            (TenantId(tenant), session)
        }),
    )
}

/// Notes that a session is in use. Of who is signed in nothing changes, so there is no event.
pub fn update_seen(tx: &mut Tx<'_>, hash: &[u8], now: DateTime<Utc>) -> Result<(), Error> {
    diesel::update(session::table.filter(session::hash.eq(hash)))
        .set(session::seen.eq(micros(now)))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Ends a session, with the event that explains it, if it is still there.
pub fn delete(tx: &mut Tx<'_>, hash: &[u8], event: Event) -> Result<(), Error> {
    let gone = diesel::delete(session::table.filter(session::hash.eq(hash)))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if gone == 0 {
        return Ok(());
    }
    event::insert(tx, event, None)
}

/// Forgets the sessions that were over before: time ended them, so there is no event.
pub fn delete_unseen_since(tx: &mut Tx<'_>, seen: DateTime<Utc>) -> Result<(), Error> {
    diesel::delete(session::table.filter(session::seen.le(micros(seen))))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}
