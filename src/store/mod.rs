//! SQL, and nothing else. Reading and writing go through [`Store`], inside a [`Tx`].
//!
//! | file | what it knows |
//! |---|---|
//! | `db` `tx` `sql_types` `sql_nodes` | the two databases and their differences |
//! | `writer` `pool` `workers` `use_case` | how use cases reach a connection, and when they are answered |
//! | `checkpoint` | SQLite's log on its way to the file |
//! | `cipher` | SQLite's file encrypted as a whole |
//! | `home` | whether SQLite's file is still where it was |
//! | `migration` | the tables' history |
//! | `record` | a record with its sources, index, unique values and event: the write path's one end |
//! | `rest` | what is secret of a person, sealed on its way to the tables |
//! | `source` | what each system says of a record |
//! | `newcomer` | all rows of a new record in one statement, for PostgreSQL |
//! | `gathered` `newcomers` | what creates that share a transaction ask and write together, for PostgreSQL |
//! | `blind` | secret values, found without being known |
//! | `key` | the keys of tenants and persons |
//! | `copy` | a whole database into an empty one, of either kind |
//! | `purge` | what is deleted is gone from the files too |
//! | `unique` | who holds a value that is unique, and who has it beside them |
//! | `values` | a record's rows of the attribute index and of unique values |
//! | `seek` | a record by what names it alone, with its groups, in one statement |
//! | `counter` | how many records there are, in flat time |
//! | `filter` `list` | a filter and a page as SQL over the attribute index |
//! | `audit_event` | a filter and a page over the log |
//! | `membership` | memberships one by one, from either side |
//! | `belonging` | the groups above a record |
//! | `stream` | answers too long to be held, read piece by piece on connections of their own |
//! | `shown` | whom each read showed, to be found by who was |
//! | `log` `sealer` `audit` | the sealed log: how events get their leaves, and how it is read back |
//! | `brake` | how many leavers each client has made lately |
//! | `acknowledged` | how far each client has acknowledged the feed, and when |
//! | `integration` | how far each client has read the feed, and when it last wrote |
//! | `refused` | writes that were refused for what they said |
//! | `apart` | of which source records a human has said that they are two persons |
//! | `model` | trained models of matching, version by version |
//! | `withheld` | who holds what another has beside them, until a human is asked |
//! | `restore` | what is gone standing again |
//! | `kpi` | what figures are made of |
//! | `join_key` | who holds the values of a join key |
//! | `held` | of whom a system is held to speak |
//! | `idempotency` | requests that carry a key, how far each has come, and its answer |
//! | `import_job` | how far the import of a file has come |
//! | `member` `event` `policy` `session` `break_glass` `token` `tenant` `setting` `attribute_path` | a table each |

pub mod acknowledged;
pub mod alias;
pub mod apart;
mod attribute_path;
pub mod audit;
pub mod audit_event;
pub mod belonging;
mod blind;
pub mod brake;
pub mod break_glass;
mod checkpoint;
mod cipher;
pub mod copy;
mod counter;
mod db;
pub mod due;
mod error;
pub mod event;
mod filter;
mod gathered;
pub mod held;
mod home;
pub mod idempotency;
pub mod import_job;
pub mod integration;
pub mod join_key;
pub mod key;
pub mod kpi;
pub mod list;
pub mod log;
pub mod matching;
pub mod member;
pub mod membership;
mod migration;
pub mod model;
mod newcomer;
mod newcomers;
pub mod policy;
mod pool;
mod purge;
pub mod record;
pub mod refold;
pub mod refused;
pub mod rest;
pub mod restore;
pub mod review;
mod schema;
mod sealer;
pub mod seek;
pub mod session;
pub mod setting;
pub mod shown;
pub mod source;
mod sql_nodes;
mod sql_types;
pub mod story;
pub mod stream;
pub mod tenant;
pub mod token;
mod tx;
pub mod unique;
mod use_case;
mod values;
pub mod withheld;
mod workers;
mod writer;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

pub use db::{Address, Dialect};
pub use error::Error;
pub use gathered::Ahead;
pub use key::Keyring;
pub use tx::Tx;

use crate::domain::secrets::Secrets;
use crate::id::TenantId;
use home::Home;
use pool::Pool;
use sealer::{Bell, Heard, Sealer};
use stream::{Pieces, Sink, Streams};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tx::Paths;
use use_case::UseCase;
use workers::{Newcomer, Work, Workers};
use writer::Writer;

/// The database, whichever it is. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    address: Address,
    paths: Paths,
    pool: Pool,
    streams: Streams,
    engine: Engine,
}

enum Engine {
    /// One writer thread; readers are inline.
    Sqlite(Writer),
    /// As many threads as connections, and one that seals what they have committed.
    Postgres(Workers, Sealing),
}

/// PostgreSQL's sealer, once it is started.
struct Sealing {
    bell: Bell,
    heard: Mutex<Option<Heard>>,
    sealer: OnceLock<Sealer>,
}

/// How long a caller waits for an answer of the database, its turn included: what hangs longer is not waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// The same for who only asks whether there would be one.
const PROBE: Duration = Duration::from_secs(5);

/// A snapshot for reading, on SQLite and on PostgreSQL.
const SNAPSHOT: [&str; 2] = ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"];

impl Store {
    /// Opens the database at `url`, and brings its tables up to date. If its keys are wrapped by a key-encryption key
    /// other than those of `keys`, that is an error, and nothing has been touched.
    pub fn open(url: &str, connections: u32, keys: Keyring) -> Result<Self, Error> {
        let address = Address::parse(url)?.keyed(keys.file_key());
        key::check(&address, &keys)?;
        migration::apply(&address)?;
        let home = Home::of(&address)?;
        let paths = Paths::new(keys);
        let size = connections.max(2);
        let streams = Streams::new(&address, home.clone());
        let (pool, engine) = match address.dialect() {
            Dialect::Sqlite => {
                let writer = Writer::start(&address, home.clone(), paths.clone())?;
                (
                    Pool::new(&address, home, db::Purpose::Read, size),
                    Engine::Sqlite(writer),
                )
            }
            Dialect::Postgres => {
                let pool = Pool::new(&address, home, db::Purpose::Write, size);
                let (bell, heard) = Sealer::bell();
                let workers = Workers::start(&pool, &paths, &bell, size)?;
                let sealing = Sealing {
                    bell,
                    heard: Mutex::new(Some(heard)),
                    sealer: OnceLock::new(),
                };
                (pool, Engine::Postgres(workers, sealing))
            }
        };
        Ok(Self(Arc::new(Inner {
            address,
            paths,
            pool,
            streams,
            engine,
        })))
    }

    /// Runs a use case that changes something. It may run more than once: it must not keep state of its own.
    /// The answer comes after the commit has reached the disk.
    pub async fn write<T, E>(
        &self,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        Self::answer(self.submit(use_case, Work::Write)?).await
    }

    /// The same for a use case that makes rows and hardly touches any that are there: on PostgreSQL too it may share its
    /// transaction with others like it. If it makes a record, it says what it is going to ask.
    pub async fn write_new<T, E>(
        &self,
        ahead: Option<Ahead>,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let as_work = |job| Work::Newcomer(Newcomer { ahead, job });
        Self::answer(self.submit(use_case, as_work)?).await
    }

    async fn answer<T, E: From<Error>>(answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
        let answer = timeout(PATIENCE, answer).await;
        let stopped = |why: &str| Err(Error::Unavailable(why.into()).into());
        answer
            .map_err(|_| "no answer in time")
            .and_then(|answer| answer.map_err(|_| "the database has stopped"))
            .unwrap_or_else(stopped)
    }

    /// As [`Store::write`], for callers outside an async runtime.
    pub fn write_blocking<T, E>(
        &self,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let answer = self.submit(use_case, Work::Write)?;
        answer
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Unavailable("the database has stopped".into()).into()))
    }

    fn submit<T, E>(
        &self,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        as_work: impl FnOnce(Box<dyn use_case::Job>) -> Work,
    ) -> Result<oneshot::Receiver<Result<T, E>>, Error>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, answer) = UseCase::new(use_case);
        match &self.0.engine {
            Engine::Sqlite(writer) => writer.submit(Box::new(job)),
            Engine::Postgres(workers, _) => workers.submit(as_work(Box::new(job)))?,
        }
        Ok(answer)
    }

    /// Runs a use case that only reads, on one consistent snapshot: inline on SQLite, on a worker on PostgreSQL.
    pub async fn read<T, E>(
        &self,
        use_case: impl FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let Engine::Postgres(workers, _) = &self.0.engine else {
            return self.read_blocking(use_case);
        };
        let paths = self.0.paths.clone();
        self.on_worker(workers, move |pool| {
            pool.read(&paths, SNAPSHOT[1], use_case)
        })
        .await
    }

    /// Runs a use case that is one statement, outside of a transaction, inline on SQLite, on a worker on PostgreSQL.
    pub async fn read_at_once<T: Send + 'static>(
        &self,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Engine::Postgres(workers, _) = &self.0.engine else {
            return self.0.pool.read_at_once(&self.0.paths, use_case);
        };
        let paths = self.0.paths.clone();
        self.on_worker(workers, move |pool| pool.read_at_once(&paths, use_case))
            .await
    }

    /// Runs statements that need no snapshot, outside of a transaction, on the caller's own thread.
    pub fn glance_blocking<T>(
        &self,
        use_case: impl Fn(&mut Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.0.pool.read_at_once(&self.0.paths, use_case)
    }

    /// Has a worker do it, and waits for it.
    async fn on_worker<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        workers: &Workers,
        work: impl FnOnce(&Pool) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let (reply, answer) = oneshot::channel();
        workers.submit(Work::Read(Box::new(move |pool| {
            if !reply.is_closed() {
                drop(reply.send(work(pool)));
            }
        })))?;
        match timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::Fault("a read panicked".into()).into()),
            Err(_) => Err(Error::Unavailable("no answer in time".into()).into()),
        }
    }

    /// Whether both reading and writing are possible now. Nothing is written.
    pub async fn ready(&self) -> Result<(), Error> {
        let probe = async {
            self.write(|_| Ok::<_, Error>(())).await?;
            self.read(|tx| tenant::count(tx).map(drop)).await
        };
        match timeout(PROBE, probe).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Unavailable("no answer in time".into())),
        }
    }

    /// From now on this is what is secret of a tenant's persons. What was written before is for [`rest::reseal`].
    pub fn mark_secret(&self, tenant: TenantId, secrets: Arc<Secrets>) {
        self.0.paths.keys().mark(tenant, secrets);
    }

    /// As [`Store::read`], on the caller's own thread.
    pub fn read_blocking<T, E: From<Error>>(
        &self,
        use_case: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let begin = SNAPSHOT[usize::from(self.dialect() == Dialect::Postgres)];
        self.0.pool.read(&self.0.paths, begin, use_case)
    }

    /// Runs a use case that reads more than one answer should hold, on one consistent snapshot; what it gives to its sink
    /// is received piece by piece.
    pub async fn stream<T, E>(
        &self,
        use_case: impl FnOnce(&mut Tx<'_>, &Sink<T, E>) -> Result<(), E> + Send + 'static,
    ) -> Result<Pieces<T, E>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let begin = SNAPSHOT[usize::from(self.dialect() == Dialect::Postgres)];
        let paths = self.0.paths.clone();
        self.0.streams.open(paths, begin, use_case).await
    }

    /// Whose SQL the database speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.0.address.dialect()
    }

    /// Starts to seal what is committed, in a thread. On SQLite that is part of every commit anyway.
    pub fn start_sealing(&self) -> Result<(), Error> {
        let Engine::Postgres(_, sealing) = &self.0.engine else {
            return Ok(());
        };
        let heard = sealing
            .heard
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(heard) = heard {
            let sealer = Sealer::start(&self.0.address, &self.0.paths, &sealing.bell, heard)?;
            _ = sealing.sealer.set(sealer);
        }
        Ok(())
    }

    /// Seals nothing from now on: to measure what sealing costs.
    pub fn leave_unsealed(&self) {
        if let Engine::Sqlite(writer) = &self.0.engine {
            writer.leave_unsealed();
        }
    }

    /// Seals what has been committed here, and then no more on PostgreSQL.
    pub fn stop_sealing(&self) {
        if let Engine::Postgres(_, sealing) = &self.0.engine
            && let Some(sealer) = sealing.sealer.get()
        {
            sealer.close();
        }
    }

    /// Lets what is being written finish, and stops.
    pub fn close(&self) {
        match &self.0.engine {
            Engine::Sqlite(writer) => writer.close(),
            Engine::Postgres(workers, _) => {
                workers.close();
                self.stop_sealing();
            }
        }
        self.0.pool.close();
        self.0.streams.close();
    }
}
