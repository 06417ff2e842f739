//! Databases as files and as names: made, copied, asked directly.

use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::Failure;

/// Where a database is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// The folder of a file `muster.db`.
    Sqlite(PathBuf),
    /// The server's URL without the database, the database's name, and a folder for what is no row.
    Postgres(String, String, PathBuf),
}

/// An open connection of our own.
pub(crate) enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// One row of anything: a number, bytes and a text.
#[derive(QueryableByName)]
pub(crate) struct Found {
    #[diesel(sql_type = BigInt)]
    pub(crate) number: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) bytes: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) text: Option<String>,
}

impl Link {
    pub(crate) fn open(url: &str) -> Result<Self, Failure> {
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut link = SqliteConnection::establish(path)?;
                link.batch_execute("PRAGMA busy_timeout = 5000")?;
                Ok(Self::Sqlite(link))
            }
            None => Ok(Self::Postgres(PgConnection::establish(url)?)),
        }
    }

    pub(crate) fn run(&mut self, sql: &str) -> Result<(), Failure> {
        match self {
            Self::Sqlite(link) => link.batch_execute(sql)?,
            Self::Postgres(link) => link.batch_execute(sql)?,
        }
        Ok(())
    }

    /// Rows of a statement that gives `number`, `bytes` and `text`.
    pub(crate) fn find(&mut self, sql: &str) -> Result<Vec<Found>, Failure> {
        Ok(match self {
            Self::Sqlite(link) => sql_query(sql).load(link)?,
            Self::Postgres(link) => sql_query(sql).load(link)?,
        })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

impl Place {
    /// A database for `size` persons, not made yet.
    pub(crate) fn new(work: &Path, postgres: Option<&str>, name: &str) -> Result<Self, Failure> {
        let folder = work.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(match postgres {
            None => Self::Sqlite(folder),
            Some(url) => {
                let (server, _) = url
                    .rsplit_once('/')
                    .ok_or("a PostgreSQL URL names a database")?;
                Self::Postgres(server.to_owned(), name.replace('-', "_"), folder)
            }
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::Sqlite(folder) | Self::Postgres(_, _, folder) => folder,
        }
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.join("muster.db").display()),
            Self::Postgres(server, name, _) => format!("{server}/{name}"),
        }
    }

    /// Makes it: empty, or a copy of another that nobody uses at the moment.
    pub(crate) fn make(&self, from: Option<&Self>) -> Result<(), Failure> {
        match (self, from) {
            (Self::Sqlite(_), None) => {}
            (Self::Sqlite(to), Some(from)) => {
                Link::open(&from.url())?.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
                fs::copy(from.folder().join("muster.db"), to.join("muster.db"))?;
            }
            (Self::Postgres(server, name, _), from) => {
                let mut admin = Link::open(&format!("{server}/postgres"))?;
                admin.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
                let template = match from {
                    Some(Self::Postgres(_, template, _)) => format!(" TEMPLATE {template}"),
                    _ => String::new(),
                };
                admin.run(&format!("CREATE DATABASE {name}{template}"))?;
            }
        }
        if let Some(from) = from {
            // The issuer's key.
            for file in fs::read_dir(from.folder())? {
                let file = file?;
                let name = file.file_name();
                if !name.to_string_lossy().starts_with("muster.db") && file.file_type()?.is_file() {
                    fs::copy(file.path(), self.folder().join(name))?;
                }
            }
        }
        Ok(())
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> Result<u64, Failure> {
        let mut link = Link::open(&self.url())?;
        match self {
            Self::Sqlite(folder) => {
                link.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
                Ok(fs::metadata(folder.join("muster.db"))?.len())
            }
            Self::Postgres(..) => {
                let sql = "SELECT pg_database_size(current_database()) AS number, NULL::bytea AS bytes, NULL::text AS text";
                let size = link.find(sql)?.first().map_or(0, |row| row.number);
                Ok(u64::try_from(size)?)
            }
        }
    }

    /// Gives the disk space back.
    pub(crate) fn remove(&self) {
        if let Self::Postgres(server, name, _) = self
            && let Ok(mut admin) = Link::open(&format!("{server}/postgres"))
        {
            drop(admin.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        }
        drop(fs::remove_dir_all(self.folder()));
    }
}
