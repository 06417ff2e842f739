//! PostgreSQL's sealer: a thread that gives committed events their leaves, in batches. Every process has one, and a lock
//! that ends with the transaction lets one of them work at a time; without it they would only be in each other's way.
//!
//! Events of parallel transactions are committed in another order than they are numbered in. So all events beyond the
//! *horizon* are looked through, and the horizon moves on to the highest number seen once every transaction that was
//! writing events then has ended: who inserts holds a lock on the table from before it takes a number until its end.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::log::{advance, seal};
use super::schema::event;
use super::tx::{Paths, Tx};

/// A number of ours for PostgreSQL's advisory lock: "musters".
const LOCK: i64 = 0x006d_7573_7465_7273;
/// How long events that other processes have committed wait at most, while nobody rings.
const LOOK: Duration = Duration::from_millis(200);
/// When to try again after a failure.
const AWAY: Duration = Duration::from_secs(2);
/// After a commit more are gathered for so long: sealing costs the same for one as for many.
const GATHER: Duration = Duration::from_millis(20);

const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; \
     SET LOCAL plan_cache_mode = force_generic_plan";

/// The end of whoever has committed. Cheap to clone.
#[derive(Clone)]
pub(super) struct Bell(SyncSender<Order>);

enum Order {
    Seal,
    Stop,
}

impl Bell {
    /// Says that something was committed.
    pub(super) fn ring(&self) {
        // One that waits already speaks for both.
        let _ = self.0.try_send(Order::Seal);
    }
}

/// The thread.
pub(super) struct Sealer {
    thread: Mutex<Option<JoinHandle<()>>>,
    stop: SyncSender<Order>,
}

impl Sealer {
    /// A bell, and what is needed to start the thread that hears it.
    pub(super) fn bell() -> (Bell, Heard) {
        let (bell, heard) = sync_channel(1);
        (Bell(bell), Heard(heard))
    }

    /// Starts the thread. Whatever has no leaf yet gets one.
    pub(super) fn start(
        address: &Address,
        paths: &Paths,
        bell: &Bell,
        heard: Heard,
    ) -> Result<Self, Error> {
        let mut desk = Desk {
            address: address.clone(),
            paths: paths.clone(),
            db: None,
            awaited: None,
        };
        let thread = std::thread::Builder::new()
            .name("muster-sealer".into())
            .spawn(move || desk.serve(&heard.0))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            thread: Mutex::new(Some(thread)),
            stop: bell.0.clone(),
        })
    }

    /// Seals what is left, and stops.
    pub(super) fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            _ = self.stop.send(Order::Stop);
            drop(thread.join());
        }
    }
}

/// The sealer's end of the bell.
pub(super) struct Heard(Receiver<Order>);

/// Transactions that were writing events when `seq` was the highest number.
struct Awaited {
    seq: i64,
    writers: BTreeSet<String>,
}

struct Desk {
    address: Address,
    paths: Paths,
    db: Option<Db>,
    awaited: Option<Awaited>,
}

impl Desk {
    fn serve(&mut self, heard: &Receiver<Order>) {
        loop {
            let patience = match self.work() {
                Ok(true) => continue,
                Ok(false) => LOOK,
                Err(error) => {
                    tracing::warn!(%error, "store.seal failed");
                    AWAY
                }
            };
            match heard.recv_timeout(patience) {
                Ok(Order::Seal) => std::thread::sleep(GATHER),
                Err(RecvTimeoutError::Timeout) => {}
                Ok(Order::Stop) => {
                    while matches!(self.work(), Ok(true)) {}
                    return;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Seals one batch; whether there are more.
    fn work(&mut self) -> Result<bool, Error> {
        let mut db = match self.db.take() {
            Some(db) => db,
            None => self.address.reconnect(Purpose::Write)?,
        };
        db.run(BEGIN)?;
        let paths = self.paths.clone();
        let done = self.batch(&mut Tx::new(&mut db, &paths));
        match &done {
            Ok(_) => db.run("COMMIT")?,
            Err(_) => db.run("ROLLBACK")?,
        }
        self.db = Some(db);
        match done {
            // Another process was faster; it has done what was to be done here.
            Err(Error::Lost) => Ok(false),
            done => done,
        }
    }

    fn batch(&mut self, tx: &mut Tx<'_>) -> Result<bool, Error> {
        if !is_ours(tx)? {
            return Ok(false);
        }
        // Whoever has ended by now is seen by the statements that follow.
        let settled = self.settled(tx)?;
        let more = seal(tx)?;
        if let Some(seq) = settled {
            advance(tx, more.map_or(seq, |sealed| sealed.min(seq)))?;
            self.awaited = self.awaited.take().filter(|_| more.is_some());
        }
        Ok(more.is_some())
    }

    /// Up to where every event has been committed, or never will be; nothing while that is where it was.
    fn settled(&mut self, tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
        let Some(awaited) = &self.awaited else {
            let seq: Option<i64> = event::table
                .select(event::seq)
                .order(event::seq.desc())
                .first(tx.db())
                .optional()
                .map_err(|error| tx.explain(error))?;
            let Some(seq) = seq else { return Ok(None) };
            if seq > super::log::horizon(tx)? {
                let writers = writers(tx)?;
                self.awaited = Some(Awaited { seq, writers });
            }
            return Ok(None);
        };
        let is_over = awaited.writers.is_disjoint(&writers(tx)?);
        Ok(is_over.then_some(awaited.seq))
    }
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    ours: bool,
}

fn is_ours(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let query = diesel::sql_query("SELECT pg_try_advisory_xact_lock($1) AS ours");
    let row: Locked = query
        .bind::<BigInt, _>(LOCK)
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(row.ours)
}

#[derive(QueryableByName)]
struct Writing {
    #[diesel(sql_type = Text)]
    writer: String,
}

/// The transactions that are writing events.
fn writers(tx: &mut Tx<'_>) -> Result<BTreeSet<String>, Error> {
    let rows: Vec<Writing> = diesel::sql_query(
        "SELECT virtualtransaction AS writer FROM pg_locks WHERE locktype = 'relation' \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND relation = 'event'::regclass AND mode = 'RowExclusiveLock'",
    )
    .load(tx.db())
    .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().map(|row| row.writer).collect())
}
