//! How far the import of a file has come. It moves in the transaction of the rows themselves, so that after a kill exactly
//! the rest is left to do.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::import_job;
use super::sql_types::micros;
use super::{Error, Tx};
use crate::id::TenantId;

/// A file that is taken in by a mapping, for a system: both are known by the hashes of their bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The tenant.
    pub tenant: TenantId,
    /// The source system.
    pub system: String,
    /// SHA-256 of the file.
    pub file: Vec<u8>,
    /// SHA-256 of the mapping.
    pub mapping: Vec<u8>,
    /// What the file is called.
    pub name: String,
}

/// How far it has come.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset,
)]
#[diesel(table_name = import_job)]
pub struct Ledger {
    /// How many rows were done before the last chunk.
    pub previous: i64,
    /// How many are done.
    pub position: i64,
    /// Persons whom nobody knew.
    pub created: i64,
    /// Persons known to others, of whom the system now speaks too.
    pub joined: i64,
    /// Persons who have changed.
    pub changed: i64,
    /// Rows that said what was known.
    pub unchanged: i64,
    /// Rows that could not be taken in.
    pub rejected: i64,
    /// Whether that was all.
    pub done: bool,
}

/// How far the job has come, if it was begun.
pub fn find(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Ledger>, Error> {
    import_job::table
        .find((job.tenant.0, &job.system, &job.file, &job.mapping))
        .select(Ledger::as_select())
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))
}

/// Whether a file of that name was begun with other bytes and never finished.
pub fn has_other(tx: &mut Tx<'_>, job: &Job) -> Result<bool, Error> {
    let others = import_job::table
        .filter(import_job::tenant.eq(job.tenant.0))
        .filter(import_job::system.eq(&job.system))
        .filter(import_job::name.eq(&job.name))
        .filter(import_job::file.ne(&job.file))
        .filter(import_job::done.eq(false));
    diesel::select(diesel::dsl::exists(others))
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Begins the job, anew if it was begun before.
pub fn claim(tx: &mut Tx<'_>, job: &Job, now: DateTime<Utc>) -> Result<(), Error> {
    let key = (job.tenant.0, &job.system, &job.file, &job.mapping);
    diesel::delete(import_job::table.find(key))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    let values = (
        import_job::tenant.eq(job.tenant.0),
        import_job::system.eq(&job.system),
        import_job::file.eq(&job.file),
        import_job::mapping.eq(&job.mapping),
        import_job::name.eq(&job.name),
        Ledger::default(),
        import_job::started.eq(micros(now)),
        import_job::touched.eq(micros(now)),
    );
    diesel::insert_into(import_job::table)
        .values(values)
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// Moves the job on from `before` to `after`; false if it stood elsewhere: somebody else works on it.
pub fn update(
    tx: &mut Tx<'_>,
    job: &Job,
    (before, after): (&Ledger, &Ledger),
    now: DateTime<Utc>,
) -> Result<bool, Error> {
    let at = import_job::table
        .find((job.tenant.0, &job.system, &job.file, &job.mapping))
        .filter(import_job::position.eq(before.position));
    let moved = diesel::update(at)
        .set((*after, import_job::touched.eq(micros(now))))
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(moved == 1)
}
