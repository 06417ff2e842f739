//! One connection to either database, and how to make one.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::{Connection, MultiConnection, PgConnection, RunQueryDsl, SqliteConnection};

use super::error::Error;
use super::sql_nodes::Statement;

/// A connection: SQLite or PostgreSQL.
#[derive(MultiConnection)]
pub(super) enum Db {
    /// The embedded default.
    Sqlite(SqliteConnection),
    /// For those who outgrow one machine.
    Postgres(PgConnection),
}

/// The query language's small differences, where a statement has to know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite's.
    Sqlite,
    /// PostgreSQL's.
    Postgres,
}

/// Runs the same diesel code on whichever connection it is: for what the enum lacks.
macro_rules! on_both {
    ($db:expr, $connection:ident => $body:expr) => {
        match $db {
            $crate::store::db::Db::Sqlite($connection) => $body,
            $crate::store::db::Db::Postgres($connection) => $body,
        }
    };
}
pub(super) use on_both;

/// Where the database is, by the URL's scheme.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// A file.
    Sqlite(String),
    /// A libpq URL.
    Postgres(String),
}

impl fmt::Debug for Address {
    /// Never shows the password that a URL may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{path}"),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// What a SQLite connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Read,
    Write,
}

impl Address {
    /// Reads `sqlite:PATH`, `postgres://…` or `postgresql://…`.
    pub fn parse(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() || path == ":memory:" {
                return Err(Error::Address(
                    "sqlite: needs the path of a file, as in sqlite:data/muster.db".into(),
                ));
            }
            return Ok(Self::Sqlite(path.to_owned()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(Error::Address(
            "a database URL starts with sqlite: or postgres://".into(),
        ))
    }

    /// Whose dialect is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Opens one connection and sets it up for its purpose.
    pub(super) fn connect(&self, purpose: Purpose) -> Result<Db, Error> {
        match self {
            // The derived `establish` would try each variant, and SQLite accepts any path.
            Self::Sqlite(path) => {
                let mut connection = SqliteConnection::establish(path)?;
                connection.batch_execute(
                    "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;",
                )?;
                if purpose == Purpose::Read {
                    connection.batch_execute("PRAGMA query_only = ON;")?;
                }
                Ok(Db::Sqlite(connection))
            }
            Self::Postgres(url) => {
                let mut connection = PgConnection::establish(url)?;
                connection.batch_execute(
                    "SET client_min_messages = warning; SET lock_timeout = '10s'; SET TIME ZONE 'UTC';",
                )?;
                Ok(Db::Postgres(connection))
            }
        }
    }
}

impl Db {
    /// Runs a statement without values or results, such as `BEGIN`. SQLite keeps it prepared; PostgreSQL's simple
    /// protocol is one round trip.
    pub(super) fn run(&mut self, sql: &'static str) -> Result<(), Error> {
        match self {
            Self::Sqlite(connection) => Statement(sql).execute(connection).map(drop)?,
            Self::Postgres(connection) => connection.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Whose dialect this connection speaks.
    #[must_use]
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }
}

#[cfg(test)]
mod tests {
    use diesel::prelude::*;
    use diesel::sql_types::Integer;

    use super::{Address, Db, Purpose};

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Integer)]
        synchronous: i32,
    }

    /// FULL is 2: an answered write has reached the disk (design §5).
    #[test]
    fn every_sqlite_connection_is_synchronous_full() {
        let folder =
            std::env::temp_dir().join(format!("muster-synchronous-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let address = Address::Sqlite(folder.join("muster.db").display().to_string());
        for purpose in [Purpose::Write, Purpose::Read] {
            let Db::Sqlite(mut connection) = address.connect(purpose).unwrap() else {
                panic!("{address:?} is SQLite's");
            };
            let query = diesel::sql_query("SELECT synchronous FROM pragma_synchronous");
            let setting: Setting = query.get_result(&mut connection).unwrap();
            assert_eq!(setting.synchronous, 2, "{purpose:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
