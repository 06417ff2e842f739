//! Connections that are kept.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use diesel::r2d2::{ManageConnection, Pool as R2d2, PooledConnection};

use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::home::Home;
use super::tx::{Paths, Tx, publish};

/// How long a caller waits for a free connection before it is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether a connection is still used.
const PAUSE: Duration = Duration::from_millis(2);

/// A kept connection, and whether it has been seen to fail or is in the middle of a transaction.
pub(super) struct Kept {
    pub(super) db: Db,
    pub(super) broken: bool,
}

/// Makes connections for r2d2.
#[derive(Debug)]
pub(super) struct Manager {
    address: Address,
    purpose: Purpose,
    /// Held for reading while a connection is made: r2d2 does that on threads of its own.
    closed: Arc<RwLock<bool>>,
}

impl ManageConnection for Manager {
    type Connection = Kept;
    type Error = Error;

    fn connect(&self) -> Result<Kept, Error> {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            return Err(Error::Unavailable("the server is stopping".into()));
        }
        Ok(Kept {
            db: self.address.reconnect(self.purpose)?,
            broken: false,
        })
    }

    fn is_valid(&self, kept: &mut Kept) -> Result<(), Error> {
        kept.db.run("SELECT 1")
    }

    fn has_broken(&self, kept: &mut Kept) -> bool {
        kept.broken
    }
}

/// A pool of connections.
#[derive(Clone)]
pub(super) struct Pool {
    kept: R2d2<Manager>,
    home: Home,
    /// While no connection can be made: when somebody last waited for one.
    away: Arc<Mutex<Option<Instant>>>,
    closed: Arc<RwLock<bool>>,
}

impl Pool {
    pub(super) fn new(address: &Address, home: Home, purpose: Purpose, size: u32) -> Self {
        let closed = Arc::default();
        let manager = Manager {
            address: address.clone(),
            purpose,
            closed: Arc::clone(&closed),
        };
        // Connections are made when they are first wanted, and again after the database was away.
        let builder = R2d2::builder()
            .max_size(size)
            .min_idle(Some(0))
            .test_on_check_out(false);
        Self {
            kept: builder
                .connection_timeout(PATIENCE)
                .build_unchecked(manager),
            home,
            away: Arc::default(),
            closed,
        }
    }

    /// Makes no more connections, and waits for those that are being made or used: a process that ends while a thread of it
    /// talks to the database by TLS may be taken down by a signal, since OpenSSL has left before the thread has. Who uses one
    /// is waited for as long as for a free one.
    pub(super) fn close(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
        let until = Instant::now() + PATIENCE;
        let busy = || {
            let state = self.kept.state();
            state.connections > state.idle_connections
        };
        while busy() && Instant::now() < until {
            thread::sleep(PAUSE);
        }
    }

    /// A connection. While the database is away one caller at a time waits for it to come back; all others are told at
    /// once, so that no queue builds up of callers who each wait their turn to wait.
    fn get(&self) -> Result<PooledConnection<Manager>, Error> {
        if let Some(kept) = self.kept.try_get() {
            return Ok(kept);
        }
        if self.kept.state().connections == 0 {
            let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
            if away.is_some_and(|since| since.elapsed() < PATIENCE) {
                return Err(Error::Unavailable("the database is away".into()));
            }
            *away = away.map(|_| Instant::now());
        }
        let kept = self.kept.get();
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        *away = kept.is_err().then(Instant::now);
        kept.map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// A connection with `begin` done on it. One that died while it was idle is replaced.
    pub(super) fn begin(&self, begin: &'static str) -> Result<PooledConnection<Manager>, Error> {
        self.home.check_now_and_then()?;
        let mut last = Error::Unavailable("no connection".into());
        for _ in 0..=self.kept.max_size() {
            let mut kept = self.get()?;
            match kept.db.run(begin) {
                // Until its transaction has ended a connection is of no use to anybody else: work may panic.
                Ok(()) => {
                    kept.broken = true;
                    return Ok(kept);
                }
                Err(error) => {
                    kept.broken = true;
                    last = error;
                }
            }
        }
        Err(last)
    }

    /// Runs `work` on one consistent snapshot.
    pub(super) fn read<T, E: From<Error>>(
        &self,
        paths: &Paths,
        begin: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut kept = self.begin(begin)?;
        let mut tx = Tx::new(&mut kept.db, paths);
        let result = work(&mut tx);
        // What a reader has seen is committed.
        publish(paths, tx.into_learned());
        kept.broken = kept.db.run("ROLLBACK").is_err();
        result
    }
}

impl Pool {
    /// Runs `work`, which is one statement and so needs no transaction to see one snapshot: on PostgreSQL that is one round
    /// trip instead of three. A connection that died while it was idle is replaced.
    pub(super) fn read_at_once<T>(
        &self,
        paths: &Paths,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.home.check_now_and_then()?;
        let mut result = Err(Error::Unavailable("no connection".into()));
        for _ in 0..=self.kept.max_size() {
            let mut kept = self.get()?;
            // Of no use to anybody else if work panics.
            kept.broken = true;
            let mut tx = Tx::new(&mut kept.db, paths);
            result = work(&mut tx);
            publish(paths, tx.into_learned());
            kept.broken = result.is_err() && kept.db.run("SELECT 1").is_err();
            if !kept.broken {
                break;
            }
        }
        result
    }
}
