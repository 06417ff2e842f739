//! How far the records of a tenant have been folded anew under a version of its policy.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::db::on_both;
use super::record::ResourceRow;
use super::rest;
use super::schema::{refold, resource};
use super::sql_types::{instant, micros};
use super::{Error, Tx};
use crate::domain::record::{Folded, Kind};
use crate::id::TenantId;

/// How far it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The version of the policy.
    pub version: i64,
    /// The number of the last record that was looked at.
    pub position: i64,
    /// How many were looked at.
    pub looked: i64,
    /// How many came out otherwise.
    pub changed: i64,
    /// How many did not, because another record holds a value that has to be one's own.
    pub skipped: i64,
    /// When the last one was done.
    pub finished: Option<DateTime<Utc>>,
}

/// How far a tenant's records are; nothing if none were ever folded anew.
pub fn progress(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Option<Progress>, Error> {
    type Row = (i32, i64, i64, i64, i64, i64, Option<i64>);
    let row: Option<Row> = refold::table
        .find(tenant.0)
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(row.map(
        |(_, version, position, looked, changed, skipped, finished)| Progress {
            version,
            position,
            looked,
            changed,
            skipped,
            finished: finished.map(instant),
        },
    ))
}

/// Keeps how far it is, if it is still where it was `before`: two processes never do the same part.
pub fn advance(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    before: Option<Progress>,
    after: Progress,
) -> Result<(), Error> {
    let finished = after.finished.map(micros);
    let values = (
        refold::version.eq(after.version),
        refold::position.eq(after.position),
        refold::looked.eq(after.looked),
        refold::changed.eq(after.changed),
        refold::skipped.eq(after.skipped),
        refold::finished.eq(finished),
    );
    let done = match before {
        None => diesel::insert_into(refold::table)
            .values((refold::tenant.eq(tenant.0), values))
            .execute(tx.db()),
        Some(before) => {
            let target = refold::table
                .filter(refold::tenant.eq(tenant.0))
                .filter(refold::version.eq(before.version))
                .filter(refold::position.eq(before.position));
            diesel::update(target).set(values).execute(tx.db())
        }
    };
    match done.map_err(|error| tx.explain(error))? {
        1 => Ok(()),
        _ => Err(tx.lose()),
    }
}

/// A tenant's persons and organizations with numbers beyond `after`, at most `limit`, in their order.
pub fn page(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    after: i64,
    limit: i64,
) -> Result<Vec<Folded>, Error> {
    let kinds = [Kind::Person.number(), Kind::Organization.number()];
    let target = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::kind.eq_any(kinds))
        .filter(resource::id.gt(after))
        .order(resource::id)
        .limit(limit);
    let rows: Result<Vec<ResourceRow>, _> =
        on_both!(tx.db(), connection => target.load(connection));
    let rows = rows.map_err(|error| tx.explain(error))?;
    rest::folded_all(tx, rows)
}
