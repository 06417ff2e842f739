//! Whom each read showed, beside the sealed events that say it: "who saw this person" is one look-up.

use diesel::prelude::*;

use super::db::on_both;
use super::schema::event_subject;
use super::sql_types::{key as bytes, uuid};
use super::values::BATCH;
use super::{Error, Tx};
use crate::id::{EventId, ResourceId, TenantId};

/// A person who was shown, and the read that showed them.
pub type Shown = (ResourceId, EventId);

/// Enters whom a read showed.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    event: EventId,
    subjects: &[ResourceId],
) -> Result<(), Error> {
    for subjects in subjects.chunks(BATCH) {
        let rows: Vec<_> = subjects
            .iter()
            .map(|subject| {
                (
                    event_subject::tenant.eq(tenant.0),
                    event_subject::subject.eq(bytes(subject.0)),
                    event_subject::event.eq(bytes(event.0)),
                )
            })
            .collect();
        on_both!(tx.db(), connection => diesel::insert_into(event_subject::table).values(rows).execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Those of these persons whom a read is entered to have shown.
pub fn among(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    event: EventId,
    subjects: &[ResourceId],
) -> Result<Vec<ResourceId>, Error> {
    let mut found = Vec::with_capacity(subjects.len());
    for subjects in subjects.chunks(BATCH) {
        let subjects: Vec<Vec<u8>> = subjects.iter().map(|subject| bytes(subject.0)).collect();
        let rows: Vec<Vec<u8>> = event_subject::table
            .filter(event_subject::tenant.eq(tenant.0))
            .filter(event_subject::event.eq(bytes(event.0)))
            .filter(event_subject::subject.eq_any(subjects))
            .select(event_subject::subject)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(rows.iter().map(|subject| ResourceId(uuid(subject))));
    }
    Ok(found)
}

/// What is entered after this, in the order of persons and events, at most `limit`.
pub fn after(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    last: Option<Shown>,
    limit: i64,
) -> Result<Vec<Shown>, Error> {
    let mut query = event_subject::table
        .filter(event_subject::tenant.eq(tenant.0))
        .order((event_subject::subject, event_subject::event))
        .select((event_subject::subject, event_subject::event))
        .limit(limit)
        .into_boxed();
    if let Some((subject, event)) = last {
        let (subject, event) = (bytes(subject.0), bytes(event.0));
        query = query
            .filter(event_subject::subject.ge(subject.clone()))
            .filter((event_subject::subject.gt(subject)).or(event_subject::event.gt(event)));
    }
    let rows: Vec<(Vec<u8>, Vec<u8>)> = query.load(tx.db()).map_err(|error| tx.explain(error))?;
    let rows = rows.iter();
    Ok(rows
        .map(|(subject, event)| (ResourceId(uuid(subject)), EventId(uuid(event))))
        .collect())
}
