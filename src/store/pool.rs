//! Connections that are kept, and PostgreSQL's worker threads: one a connection.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::r2d2::{ManageConnection, Pool as R2d2, PooledConnection};

use super::counter;
use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::home::Home;
use super::tx::{Paths, Tx, publish};
use super::use_case::{ATTEMPTS, Job};

/// How long a caller waits for a free connection before it is told to come back.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Jobs that may wait for a worker.
const QUEUE: usize = 4096;

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
}

impl ManageConnection for Manager {
    type Connection = Kept;
    type Error = Error;

    fn connect(&self) -> Result<Kept, Error> {
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
}

impl Pool {
    pub(super) fn new(address: &Address, home: Home, purpose: Purpose, size: u32) -> Self {
        let manager = Manager {
            address: address.clone(),
            purpose,
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
        let result = work(&mut Tx::new(&mut kept.db, paths));
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
            result = work(&mut Tx::new(&mut kept.db, paths));
            kept.broken = result.is_err() && kept.db.run("SELECT 1").is_err();
            if !kept.broken {
                break;
            }
        }
        result
    }
}

type Work = Box<dyn FnOnce(&Pool) + Send>;

/// Threads on which PostgreSQL's blocking work is done.
pub(super) struct Workers {
    queue: Mutex<Option<SyncSender<Work>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Workers {
    pub(super) fn start(pool: &Pool, count: u32) -> Result<Self, Error> {
        let (queue, jobs) = sync_channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let threads = (0..count)
            .map(|n| {
                let (pool, jobs) = (pool.clone(), Arc::clone(&jobs));
                std::thread::Builder::new()
                    .name(format!("muster-db-{n}"))
                    .spawn(move || work(&pool, &jobs))
            })
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            threads: Mutex::new(threads),
        })
    }

    /// Hands work to the next free thread.
    pub(super) fn submit(&self, work: Work) -> Result<(), Error> {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(queue) = queue else {
            return Err(Error::Unavailable("the server is stopping".into()));
        };
        queue.try_send(work).map_err(|error| match error {
            TrySendError::Full(_) => {
                Error::Unavailable("too many requests are waiting for the database".into())
            }
            TrySendError::Disconnected(_) => {
                Error::Unavailable("the database's workers have stopped".into())
            }
        })
    }

    /// Lets what is waiting finish, and stops.
    pub(super) fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        for thread in self
            .threads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .drain(..)
        {
            drop(thread.join());
        }
    }
}

fn work(pool: &Pool, jobs: &Mutex<Receiver<Work>>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // A panic has been answered inside; the thread goes on.
        drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(
            || job(pool),
        )));
    }
}

/// Runs a write in a transaction of its own, again after a lost race.
pub(super) fn write(pool: &Pool, paths: &Paths, mut job: Box<dyn Job>) {
    if !job.is_wanted() {
        return;
    }
    let mut outcome = Err(Error::Unavailable("too many concurrent changes".into()));
    for _ in 0..ATTEMPTS {
        let mut kept = match pool.begin("BEGIN ISOLATION LEVEL READ COMMITTED") {
            Ok(kept) => kept,
            Err(error) => return job.finish(Err(error)),
        };
        let mut tx = Tx::new(&mut kept.db, paths);
        let keep = job.run(&mut tx);
        let lost = tx.is_lost();
        let settled = if keep {
            counter::settle(&mut tx)
        } else {
            Ok(())
        };
        let learned = tx.into_learned();
        if keep {
            match settled.and_then(|()| kept.db.run("COMMIT")) {
                Ok(()) => {
                    kept.broken = false;
                    publish(paths, learned);
                    return job.finish(Ok(()));
                }
                Err(Error::Lost) => kept.broken = kept.db.run("ROLLBACK").is_err(),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        } else {
            // A connection that died took its transaction with it: nothing is committed, and another one may work.
            let died = kept.db.run("ROLLBACK").is_err();
            kept.broken = died;
            if !lost && !died {
                return job.finish(Ok(()));
            }
        }
    }
    job.finish(outcome);
}
