//! SQLite's one writer: waiting writes share a transaction, and so share an fsync.
//!
//! A savepoint has SQLite copy every page before its first change, which is a tenth of a write's cost; and nearly every
//! write succeeds or fails before it has changed anything. So a group runs without savepoints first. If one of its writes
//! fails after it has changed something, all is rolled back and the group runs again, each write in a savepoint of its own.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::checkpoint::Checkpoints;
use super::counter::{self, Counted};
use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::home::Home;
use super::log;
use super::tx::{PathKey, Paths, Tx, publish};
use super::use_case::{ATTEMPTS, Job};

/// The most writes that share one commit, and the longest that the first of them waits for others to run. Who writes alone
/// waits for nobody: a group ends where the queue does.
const GROUP: usize = 64;
const WINDOW: Duration = Duration::from_millis(25);
/// After a group of so many at most, others may work on the file. When more are waiting, a second thread would only be in
/// the way of the disk, and the log would never come to an end: then the writer moves it, 32 MB at a time.
const QUIET: usize = 8;
/// Writes that may wait; beyond it the caller is told to come back.
const QUEUE: usize = 4096;

/// A handle on the writer's thread.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    seals: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn start(address: &Address, home: Home, paths: Paths) -> Result<Self, Error> {
        let seals = Arc::new(AtomicBool::new(true));
        let mut desk = Desk {
            seals: Arc::clone(&seals),
            db: Some(address.reconnect(Purpose::Write)?),
            checkpoints: Checkpoints::start(address, home.clone())?,
            address: address.clone(),
            home,
            paths,
        };
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("muster-writer".into())
            .spawn(move || serve_all(&mut desk, &jobs))
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            seals,
        })
    }

    /// From now on no event gets its leaf.
    pub(super) fn leave_unsealed(&self) {
        self.seals.store(false, Ordering::Relaxed);
    }

    pub(super) fn submit(&self, job: Box<dyn Job>) {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let refused = match queue.map(|queue| queue.try_send(job)) {
            Some(Ok(())) => return,
            Some(Err(TrySendError::Full(job))) => Some((job, "too many writes are waiting")),
            Some(Err(TrySendError::Disconnected(job))) => Some((job, "the writer has stopped")),
            None => None,
        };
        if let Some((job, why)) = refused {
            job.finish(Err(Error::Unavailable(why.into())));
        }
    }

    /// Lets what is waiting finish, and stops.
    pub(super) fn close(&self) {
        self.queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            drop(thread.join());
        }
    }
}

/// The writer's place of work.
struct Desk {
    address: Address,
    home: Home,
    paths: Paths,
    checkpoints: Checkpoints,
    /// Whether events get their leaves with the commit that they are of.
    seals: Arc<AtomicBool>,
    /// The connection; none after it has failed, until the next write.
    db: Option<Db>,
}

/// Serves group after group until no more can come.
fn serve_all(desk: &mut Desk, jobs: &Receiver<Box<dyn Job>>) {
    loop {
        match catch_unwind(AssertUnwindSafe(|| serve(desk, jobs))) {
            Ok(true) => {}
            Ok(false) => return,
            Err(_) => desk.db = None,
        }
    }
}

/// Serves one group of writes; false when no more can come.
fn serve(desk: &mut Desk, jobs: &Receiver<Box<dyn Job>>) -> bool {
    let Ok(first) = jobs.recv() else { return false };
    if !first.is_wanted() {
        return true;
    }
    let mut db = match begin(desk) {
        Ok(db) => db,
        Err(error) => {
            // Who waited behind it has waited as long: the whole queue is told, not one after another.
            let mut waiting = vec![first];
            waiting.extend(jobs.try_iter().take(QUEUE));
            refuse(waiting, &error);
            return true;
        }
    };
    let started = Instant::now();
    let mut group = Group::new(&mut db, &desk.paths, first);
    let mut whole = group.run_last();
    while whole.is_ok() && group.ran.len() < GROUP && started.elapsed() < WINDOW {
        match jobs.try_recv() {
            Ok(job) if !job.is_wanted() => {}
            Ok(job) => {
                group.ran.push(job);
                whole = group.run_last();
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    let seals = desk.seals.load(Ordering::Relaxed);
    let whole = whole.and_then(|()| group.commit(seals));
    let (ran, learned) = (group.ran, group.learned);
    match whole {
        Ok(()) => {
            publish(&desk.paths, learned);
            if ran.len() <= QUIET {
                desk.checkpoints.wanted();
            }
            for job in ran {
                job.finish(Ok(()));
            }
            desk.db = Some(db);
        }
        Err(error) => {
            tracing::error!(error = %error, writes = ran.len(), "store.commit failed");
            // The transaction may still be open, or have been rolled back by SQLite itself: this connection is not
            // used again. Closing it ends the transaction.
            drop(db);
            refuse(ran, &error);
        }
    }
    true
}

/// A connection with a transaction begun on it: the last one, or a new one after that has failed.
fn begin(desk: &mut Desk) -> Result<Db, Error> {
    desk.home.check()?;
    let mut db = match desk.db.take() {
        Some(db) => db,
        None => desk.address.reconnect(Purpose::Write)?,
    };
    match db.run("BEGIN IMMEDIATE") {
        Ok(()) => Ok(db),
        Err(error) => {
            // A locked database is no reason to give up a connection to it.
            if error.to_string().contains("locked") {
                desk.db = Some(db);
            }
            Err(error)
        }
    }
}

/// Writes that share a transaction, which is open.
struct Group<'a> {
    db: &'a mut Db,
    paths: &'a Paths,
    ran: Vec<Box<dyn Job>>,
    learned: Vec<(PathKey, i32)>,
    counted: BTreeMap<Counted, i64>,
    /// How many rows the connection had changed when the last write was done.
    changes: i64,
    /// Whether each write gets a savepoint.
    careful: bool,
}

impl<'a> Group<'a> {
    fn new(db: &'a mut Db, paths: &'a Paths, first: Box<dyn Job>) -> Self {
        Self {
            db,
            paths,
            ran: vec![first],
            learned: Vec::new(),
            counted: BTreeMap::new(),
            changes: 0,
            careful: false,
        }
    }

    /// Runs the newest write of the group. An error is one of the whole transaction: on a full disk, say, SQLite rolls all of
    /// it back, and what came after would be committed statement by statement.
    fn run_last(&mut self) -> Result<(), Error> {
        let last = self.ran.len() - 1;
        if last == 0 {
            self.changes = self.db.total_changes()?;
        }
        if self.careful {
            return self.run_in_savepoint(last);
        }
        for _ in 0..ATTEMPTS {
            let done = self.attempt(last);
            if !self.db.is_in_transaction() {
                return Err(Error::Unavailable(
                    "the database has rolled the transaction back".into(),
                ));
            }
            let changes = self.db.total_changes()?;
            let is_clean = std::mem::replace(&mut self.changes, changes) == changes;
            match done {
                Attempt::Kept => return Ok(()),
                _ if !is_clean => return self.start_over(),
                Attempt::Failed => return Ok(()),
                Attempt::Lost => {}
            }
        }
        Ok(())
    }

    /// Runs all writes of the group again, carefully.
    fn start_over(&mut self) -> Result<(), Error> {
        self.db.run("ROLLBACK")?;
        self.db.run("BEGIN IMMEDIATE")?;
        self.learned.clear();
        self.counted.clear();
        self.careful = true;
        (0..self.ran.len()).try_for_each(|n| self.run_in_savepoint(n))
    }

    fn run_in_savepoint(&mut self, n: usize) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            self.db.run("SAVEPOINT write")?;
            let done = self.attempt(n);
            if matches!(done, Attempt::Kept) {
                return self.db.run("RELEASE write");
            }
            self.db.run("ROLLBACK TO write")?;
            self.db.run("RELEASE write")?;
            if matches!(done, Attempt::Failed) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn attempt(&mut self, n: usize) -> Attempt {
        let mut tx = Tx::new(self.db, self.paths);
        if !self.ran.get_mut(n).is_some_and(|job| job.run(&mut tx)) {
            return if tx.is_lost() {
                Attempt::Lost
            } else {
                Attempt::Failed
            };
        }
        for (what, by) in std::mem::take(&mut tx.counted) {
            *self.counted.entry(what).or_default() += by;
        }
        self.learned.extend(tx.into_learned());
        Attempt::Kept
    }

    fn commit(&mut self, seals: bool) -> Result<(), Error> {
        let mut tx = Tx::new(self.db, self.paths);
        tx.counted = std::mem::take(&mut self.counted);
        counter::settle(&mut tx)?;
        if seals {
            self.seal()?;
        }
        self.db.run("COMMIT")
    }

    /// Gives the group's events their leaves. That a log has been damaged is no reason to refuse a write: its event waits, and
    /// is found by who verifies the log.
    fn seal(&mut self) -> Result<(), Error> {
        self.db.run("SAVEPOINT seal")?;
        if let Err(error) = log::seal(&mut Tx::new(self.db, self.paths)) {
            tracing::error!(%error, "store.seal failed");
            self.db.run("ROLLBACK TO seal")?;
        }
        self.db.run("RELEASE seal")
    }
}

/// How it went with one write.
enum Attempt {
    Kept,
    Failed,
    /// Another writer was faster: it may be tried again.
    Lost,
}

fn refuse(jobs: Vec<Box<dyn Job>>, error: &Error) {
    for job in jobs {
        job.finish(Err(Error::Unavailable(error.to_string())));
    }
}

#[cfg(test)]
mod tests;
