//! The tables' history: embedded in the binary, applied at start under a lock.

use diesel::connection::SimpleConnection;
use diesel::migration::MigrationSource;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::db::{Address, Db, Purpose};
use super::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// A number of ours for PostgreSQL's advisory lock: "muster".
const LOCK: i64 = 0x6d75_7374_6572;

/// Brings the tables up to date. Of several processes that start at once, one does it and the others wait.
pub(super) fn apply(address: &Address) -> Result<(), Error> {
    match address.connect(Purpose::Write)? {
        Db::Sqlite(mut connection) => {
            // An exclusive transaction is the lock: each migration runs in a savepoint inside it.
            connection
                .exclusive_transaction(|connection| {
                    pending(connection, SQLITE)
                        .map_err(|error| diesel::result::Error::QueryBuilderError(error.into()))
                })
                .map_err(Error::from)
        }
        Db::Postgres(mut connection) => {
            // The lock is another process's migration, and a migration takes as long as it takes.
            connection.batch_execute("SET lock_timeout = 0; SET statement_timeout = 0")?;
            connection.batch_execute(&format!("SELECT pg_advisory_lock({LOCK})"))?;
            pending(&mut connection, POSTGRES).map_err(Error::Fault)?;
            connection.batch_execute(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
            Ok(())
        }
    }
}

fn pending<C, DB>(connection: &mut C, migrations: impl MigrationSource<DB>) -> Result<(), String>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    connection
        .run_pending_migrations(migrations)
        .map(drop)
        .map_err(|error| format!("migration: {error}"))
}
