//! A fresh database for each test: a copied file on SQLite, a database made from a template on PostgreSQL.

use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{
    Connection as _, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query,
};
use muster::config::KeySource;
use muster::domain::sealing::Key;
use muster::id::RandomIds;
use muster::service::Settings;
use muster::store::{Keyring, Store};

/// A key of ours for PostgreSQL's advisory locks: one test process at a time makes the template.
const TEMPLATE_LOCK: i64 = 0x6d75_7374_6573;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file.
    Sqlite,
    /// The server at `MUSTER_TEST_POSTGRES`.
    Postgres,
}

/// A database that lives as long as its test, and a folder beside it.
#[derive(Debug)]
pub(crate) struct Database {
    engine: Engine,
    url: String,
    folder: PathBuf,
}

impl Database {
    /// A migrated database without content.
    pub(crate) fn fresh(engine: Engine) -> Self {
        let folder = scratch_folder();
        let url = match engine {
            Engine::Sqlite => {
                let file = folder.join("muster.db");
                fs::copy(sqlite_template(), &file).expect("the template can be copied");
                sqlite_url(&file)
            }
            Engine::Postgres => {
                let name = fresh_name();
                let template = postgres_template();
                admin().run(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
                postgres_url(&name)
            }
        };
        Self {
            engine,
            url,
            folder,
        }
    }

    /// A database without even tables.
    pub(crate) fn empty(engine: Engine) -> Self {
        let folder = scratch_folder();
        let url = match engine {
            Engine::Sqlite => sqlite_url(&folder.join("muster.db")),
            Engine::Postgres => {
                let name = fresh_name();
                admin().run(&format!("CREATE DATABASE {name}"));
                postgres_url(&name)
            }
        };
        Self {
            engine,
            url,
            folder,
        }
    }

    /// Which engine it is on.
    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// Its address, as `--database-url` takes it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder that lives as long as it does.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How another process opens it.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            database_url: self.url.clone(),
            connections: 2,
            systems: Vec::new(),
            max_page: 100,
            file_key: None,
            keys: self.keys(),
        }
    }

    /// The key-encryption key that a server made in the folder.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let source = KeySource::File(self.folder.join("dev-key-encryption-key"));
        vec![Key::new(source.read().expect("a server has made the key"))]
    }

    /// The same, to open the store with.
    pub(crate) fn keyring(&self) -> Keyring {
        Keyring::new(self.keys(), Arc::new(RandomIds))
    }

    /// The files of its folder in which a text stands. Another process looks: who closes a file of an SQLite database gives up
    /// the locks that all of its process has on it.
    pub(crate) fn files_with(&self, text: &str) -> Vec<String> {
        let options = [
            "--recursive",
            "--files-with-matches",
            "--text",
            "--fixed-strings",
        ];
        let found = std::process::Command::new("grep")
            .env("LC_ALL", "C")
            .args(options)
            .args(["--regexp", text])
            .arg(&self.folder)
            .output()
            .expect("grep runs");
        // 1: none; more: it could not look.
        assert!(matches!(found.status.code(), Some(0 | 1)), "{found:?}");
        let files = String::from_utf8(found.stdout).expect("names are text");
        files.lines().map(str::to_owned).collect()
    }

    /// A connection of the test's own.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(&self.url)
    }

    /// Removes it. After a failed test it stays, to be looked at.
    pub(crate) fn forget(self) {
        fs::remove_dir_all(&self.folder).expect("the folder can be removed");
        if self.engine == Engine::Postgres {
            let name = self
                .url
                .rsplit('/')
                .next()
                .and_then(|name| name.split('?').next())
                .expect("a database's name");
            admin().run(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn sqlite_url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// A new folder below cargo's own temporary one.
pub(crate) fn scratch_folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(fresh_name());
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let started = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    format!(
        "muster_test_{}_{}_{number}",
        started.as_millis() % 1_000_000_000,
        std::process::id()
    )
}

fn sqlite_template() -> &'static Path {
    static TEMPLATE: OnceLock<PathBuf> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("template-{:016x}.db", migrations()));
        if !file.exists() {
            let folder = scratch_folder();
            let draft = folder.join("muster.db");
            migrate(&sqlite_url(&draft));
            // Opened by us alone and closed again, the file is complete without its log.
            Connection::open(&sqlite_url(&draft)).run("PRAGMA wal_checkpoint(TRUNCATE)");
            fs::rename(&draft, &file).expect("the template can be kept");
            fs::remove_dir_all(folder).expect("the folder can be removed");
        }
        file
    })
}

fn postgres_template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = format!("muster_template_{:016x}", migrations());
        let mut admin = admin();
        admin.run(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"));
        if admin.number(&format!("SELECT count(*) AS n FROM pg_database WHERE datname = '{name}'")) == 0 {
            let draft = fresh_name();
            admin.run(&format!("CREATE DATABASE {draft}"));
            migrate(&postgres_url(&draft));
            admin.run(&format!(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{draft}'"
            ));
            admin.run(&format!("ALTER DATABASE {draft} RENAME TO {name}"));
        }
        admin.run(&format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})"));
        name
    })
}

/// A ring of one key. Tables without content show nothing of it.
pub(crate) fn keyring() -> Keyring {
    Keyring::new(vec![Key::new([1; 32])], Arc::new(RandomIds))
}

fn migrate(url: &str) {
    let store = Store::open(url, 2, keyring()).expect("the database can be migrated");
    store.close();
}

/// A number that changes with the migrations, so that a template is never out of date.
fn migrations() -> u64 {
    let mut hasher = DefaultHasher::new();
    for engine in ["sqlite", "postgres"] {
        for (name, up) in migration_files(engine) {
            (name, up).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The names of an engine's migrations in order, each with its `up.sql`.
pub(crate) fn migration_files(engine: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(engine);
    let entries = fs::read_dir(&folder).expect("the migrations are in the repository");
    let mut files: Vec<_> = entries
        .map(|entry| {
            let entry = entry.expect("the folder can be read");
            let up =
                fs::read_to_string(entry.path().join("up.sql")).expect("a migration has an up.sql");
            (entry.file_name().to_string_lossy().into_owned(), up)
        })
        .collect();
    files.sort();
    files
}

fn server() -> String {
    env::var("MUSTER_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "the tests need a PostgreSQL server: set MUSTER_TEST_POSTGRES to the URL of its database `postgres`, as in \
             postgres://user:password@127.0.0.1:5432/postgres, or run tests/run, which starts one"
        )
    })
}

fn postgres_url(database: &str) -> String {
    let mut url = reqwest::Url::parse(&server()).expect("MUSTER_TEST_POSTGRES is a URL");
    url.set_path(database);
    url.into()
}

fn admin() -> Connection {
    Connection::open(&server())
}

/// A connection to either engine.
pub(crate) enum Connection {
    /// SQLite's.
    Sqlite(SqliteConnection),
    /// PostgreSQL's.
    Postgres(PgConnection),
}

/// Runs a query whose rows are of the given type, on whichever connection it is.
macro_rules! rows {
    ($connection:expr, $type:ty, $sql:expr) => {
        match $connection {
            $crate::support::database::Connection::Sqlite(connection) => {
                diesel::RunQueryDsl::load::<$type>(diesel::sql_query($sql), connection)
            }
            $crate::support::database::Connection::Postgres(connection) => {
                diesel::RunQueryDsl::load::<$type>(diesel::sql_query($sql), connection)
            }
        }
        .expect("the query runs")
    };
}
pub(crate) use rows;

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    t: String,
}

impl Connection {
    /// A connection to the database at `url`.
    pub(crate) fn open(url: &str) -> Self {
        match url.strip_prefix("sqlite:") {
            Some(path) => {
                let mut connection =
                    SqliteConnection::establish(path).expect("the file can be opened");
                connection
                    .batch_execute("PRAGMA busy_timeout = 30000")
                    .expect("a pragma");
                Self::Sqlite(connection)
            }
            None => Self::Postgres(PgConnection::establish(url).unwrap_or_else(|error| {
                panic!("PostgreSQL at MUSTER_TEST_POSTGRES cannot be reached: {error}")
            })),
        }
    }

    /// Runs statements without results.
    pub(crate) fn run(&mut self, sql: &str) {
        let done = self.try_run(sql);
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The same, which may be refused.
    pub(crate) fn try_run(&mut self, sql: &str) -> Result<(), String> {
        match self {
            Self::Sqlite(connection) => connection.batch_execute(sql),
            Self::Postgres(connection) => connection.batch_execute(sql),
        }
        .map_err(|error| error.to_string())
    }

    /// The number that a query gives as `n`.
    pub(crate) fn number(&mut self, sql: &str) -> i64 {
        rows!(self, Number, sql)[0].n
    }

    /// The texts that a query gives as `t`.
    pub(crate) fn texts(&mut self, sql: &str) -> Vec<String> {
        rows!(self, Words, sql)
            .into_iter()
            .map(|row| row.t)
            .collect()
    }
}
