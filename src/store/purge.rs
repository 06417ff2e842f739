//! What is deleted is gone from the files too (design §5): on SQLite deleted content is overwritten with zeros at once, and
//! what its log still has goes with a truncating checkpoint; PostgreSQL removes dead rows by VACUUM.

use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};

use super::db::{Db, Purpose};
use super::{Error, Store};

/// The tables that hold something of a person.
const TABLES: [&str; 9] = [
    "resource",
    "source_record",
    "attribute_index",
    "unique_value",
    "unique_beside",
    "blind_index",
    "group_member",
    "person_key",
    "idempotency",
];
/// How often, and after how long, what readers are in the way of is tried again.
const ATTEMPTS: u32 = 150;
const PAUSE: Duration = Duration::from_millis(200);

#[derive(QueryableByName)]
struct Readers {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Present {
    #[diesel(sql_type = Text)]
    xid: String,
}

#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Store {
    /// Removes from the files what has been deleted. With `rewrite` they are written anew, which takes a lock on each table.
    pub fn purge(&self, rewrite: bool) -> Result<(), Error> {
        match self.0.address.reconnect(Purpose::Write)? {
            Db::Sqlite(mut connection) => sqlite(&mut connection, rewrite),
            Db::Postgres(mut connection) => postgres(&mut connection, rewrite),
        }
    }

    /// The same on a thread of its own, without rewriting.
    pub fn purge_later(&self) {
        let store = self.clone();
        let purge = move || {
            if let Err(error) = store.purge(false) {
                tracing::error!(%error, "store.purge failed: run `muster erase --purge`");
            }
        };
        if let Err(error) = thread::Builder::new()
            .name("muster-purge".into())
            .spawn(purge)
        {
            tracing::error!(%error, "store.purge failed: run `muster erase --purge`");
        }
    }
}

fn sqlite(connection: &mut SqliteConnection, rewrite: bool) -> Result<(), Error> {
    if rewrite {
        connection.batch_execute("VACUUM")?;
    }
    for _ in 0..ATTEMPTS {
        let done: Checkpoint =
            diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)").get_result(connection)?;
        if done.busy == 0 {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(in_the_way())
}

fn in_the_way() -> Error {
    Error::Unavailable("others still read what was deleted".into())
}

/// Waits until nobody is left who reads the database as it was before now: a row that somebody sees is not removed. What is
/// read from now on is as of the oldest transaction that runs, in whichever database of the server, so those come first.
fn outlive_readers(connection: &mut PgConnection) -> Result<(), Error> {
    let now = "SELECT cast(pg_current_xact_id() AS text) AS xid";
    let now: Present = diesel::sql_query(now).get_result(connection)?;
    let now = format!("age(cast(cast('{}' AS xid8) AS xid))", now.xid);
    wait_for(connection, &format!("age(backend_xid) > {now}"))?;
    wait_for(
        connection,
        &format!("datname = current_database() AND age(backend_xmin) > {now}"),
    )
}

/// Waits until no other session is so.
fn wait_for(connection: &mut PgConnection, gone: &str) -> Result<(), Error> {
    let left = format!(
        "SELECT count(*) AS n FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {gone}"
    );
    for _ in 0..ATTEMPTS {
        let readers: Readers = diesel::sql_query(&left).get_result(connection)?;
        if readers.n == 0 {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    Err(in_the_way())
}

/// Statistics are samples of values: they are taken anew. The keys' own table is small, and always written anew.
fn postgres(connection: &mut PgConnection, rewrite: bool) -> Result<(), Error> {
    connection.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0")?;
    outlive_readers(connection)?;
    for table in TABLES {
        let how = if rewrite || table == "person_key" {
            "FULL, ANALYZE"
        } else {
            "ANALYZE"
        };
        connection.batch_execute(&format!("VACUUM ({how}) {table}"))?;
    }
    if rewrite {
        connection.batch_execute("VACUUM (FULL) pg_statistic")?;
    }
    Ok(())
}
