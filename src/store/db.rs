//! One connection to either database, and how to make one.

use std::fmt;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, MultiConnection, PgConnection, RunQueryDsl, SqliteConnection};

use super::cipher;
use super::error::Error;
use super::sql_nodes::Statement;
use crate::domain::sealing::Key;

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
    Sqlite(SqliteFile),
    /// A libpq URL.
    Postgres(String),
}

/// A file of SQLite's.
#[derive(Clone, PartialEq, Eq)]
pub struct SqliteFile {
    /// Its path.
    pub(super) path: String,
    /// The key under which it is encrypted as a whole, if it is.
    key: Option<Key>,
}

impl fmt::Debug for Address {
    /// Never shows the password that a URL may hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.path),
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
            let path = path.to_owned();
            return Ok(Self::Sqlite(SqliteFile { path, key: None }));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(Error::Address(
            "a database URL starts with sqlite: or postgres://".into(),
        ))
    }

    /// The same, if it is a file encrypted as a whole under this key. PostgreSQL's files are their server's affair.
    #[must_use]
    pub fn keyed(self, key: Option<Key>) -> Self {
        match self {
            Self::Sqlite(SqliteFile { path, .. }) => Self::Sqlite(SqliteFile { path, key }),
            postgres @ Self::Postgres(_) => postgres,
        }
    }

    /// The same for a file that is there: one that is not encrypted is read without the key.
    pub(super) fn as_it_is(&self) -> Self {
        match self {
            Self::Sqlite(file) if cipher::is_plain(&file.path) => self.clone().keyed(None),
            _ => self.clone(),
        }
    }

    /// Whose dialect is spoken there.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Opens one connection to a database that must be there already: a file that is gone is not made anew, empty.
    pub(super) fn reconnect(&self, purpose: Purpose) -> Result<Db, Error> {
        match self {
            Self::Sqlite(file) if !file.path.starts_with("file:") => {
                // In a URI these mean something else (https://sqlite.org/uri.html).
                let path = file
                    .path
                    .replace('%', "%25")
                    .replace('?', "%3f")
                    .replace('#', "%23");
                file.open(&format!("file:{path}?mode=rw"), purpose)
            }
            _ => self.connect(purpose),
        }
    }

    /// Opens one connection and sets it up for its purpose.
    pub(super) fn connect(&self, purpose: Purpose) -> Result<Db, Error> {
        match self {
            Self::Sqlite(file) => file.open(&file.path, purpose),
            Self::Postgres(url) => {
                let mut connection = PgConnection::establish(&bounded(url))?;
                connection.batch_execute(POSTGRES)?;
                Ok(Db::Postgres(connection))
            }
        }
    }
}

impl SqliteFile {
    /// Opens it by its path or by a URI.
    fn open(&self, name: &str, purpose: Purpose) -> Result<Db, Error> {
        if self.key.is_some() && cipher::is_plain(&self.path) {
            return Err(Error::Key(
                "the configuration has a key for the SQLite file as a whole, and the file is not encrypted: `muster copy` \
                 makes an encrypted one of it"
                    .into(),
            ));
        }
        // The derived `establish` would try each variant, and SQLite accepts any path.
        let mut connection = SqliteConnection::establish(name)?;
        if let Some(key) = &self.key {
            cipher::unlock(&mut connection, key)?;
        }
        let set_up = connection.batch_execute(
            "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;",
        );
        set_up.map_err(cipher::explain)?;
        connection.batch_execute(match purpose {
            Purpose::Read => "PRAGMA query_only = ON;",
            Purpose::Write => SQLITE_WRITER,
        })?;
        Ok(Db::Sqlite(connection))
    }
}

/// What SQLite's one writer has of its own: it changes leaves of the index all over the file, so it keeps 64 MB of pages;
/// and it leaves it to [`super::checkpoint`] to move what it wrote from the log to the file, unless the log has grown by
/// 32 MB. What it deletes it overwrites: an erased person is not to be found between the rows of others.
const SQLITE_WRITER: &str =
    "PRAGMA cache_size = -64000; PRAGMA wal_autocheckpoint = 8000; PRAGMA secure_delete = ON;";

/// How each PostgreSQL session is set up. No statement holds a worker forever, nor a stopped process others' locks. And none is
/// compiled: one whose plan only looks dear, as where a table of one row must not be read from its beginning, would take
/// a tenth of a second of the processor's instead of microseconds.
const POSTGRES: &str = "SET client_min_messages = warning; SET TIME ZONE 'UTC'; SET jit = off; SET lock_timeout = '10s'; \
     SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '60s';";

/// libpq's parameters by which a server that has vanished without a word is noticed, in seconds and (the last) in
/// milliseconds: without them it takes TCP a quarter of an hour. What the operator wrote stands.
const WATCHED: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "20000"),
];

fn bounded(url: &str) -> String {
    let mut bounded = url.to_owned();
    for (name, value) in WATCHED {
        let given = format!("{name}=");
        if !url.contains(&given) {
            bounded.push(if bounded.contains('?') { '&' } else { '?' });
            bounded = bounded + &given + value;
        }
    }
    bounded
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

    /// How many rows this SQLite connection has changed since it was opened, what was rolled back included.
    pub(super) fn total_changes(&mut self) -> Result<i64, Error> {
        let total = diesel::select(diesel::dsl::sql::<BigInt>("total_changes()"));
        Ok(total.get_result(self)?)
    }

    /// Whether a transaction is open on this SQLite connection, which may have rolled it back of itself: within one, none
    /// can be begun.
    pub(super) fn is_in_transaction(&mut self) -> bool {
        self.run("BEGIN").is_err()
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

    use super::{Address, Db, Purpose, bounded};

    #[derive(QueryableByName)]
    struct Setting {
        #[diesel(sql_type = Integer)]
        synchronous: i32,
    }

    #[test]
    fn what_the_operator_wrote_into_the_url_stands() {
        let url = bounded("postgres://me@db/muster?connect_timeout=60&sslmode=require");
        assert!(
            url.starts_with("postgres://me@db/muster?connect_timeout=60&sslmode=require&keep"),
            "{url}"
        );
        assert_eq!(url.matches("connect_timeout").count(), 1);
        assert!(bounded("postgres://me@db/muster").contains("/muster?connect_timeout=5&"));
    }

    #[test]
    fn a_file_that_is_gone_is_not_made_anew() {
        let folder = std::env::temp_dir().join(format!("muster-gone-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("50% #1?.db");
        let address = Address::parse(&format!("sqlite:{}", path.display())).unwrap();
        assert!(address.reconnect(Purpose::Write).is_err());
        assert!(!path.exists());
        address.connect(Purpose::Write).unwrap();
        address.reconnect(Purpose::Read).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// FULL is 2: an answered write has reached the disk (design §5).
    #[test]
    fn every_sqlite_connection_is_synchronous_full() {
        let folder =
            std::env::temp_dir().join(format!("muster-synchronous-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("muster.db");
        let address = Address::parse(&format!("sqlite:{}", path.display())).unwrap();
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
