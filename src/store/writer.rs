//! SQLite's one writer: waiting writes share a transaction, each in a savepoint, and so share an fsync.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::counter;
use super::db::{Address, Db, Purpose};
use super::error::Error;
use super::home::Home;
use super::tx::{PathKey, Paths, Tx, publish};
use super::use_case::{ATTEMPTS, Job};

/// The most writes that share one commit, and the longest that the first of them waits for others to run.
const GROUP: usize = 64;
const WINDOW: Duration = Duration::from_millis(5);
/// Writes that may wait; beyond it the caller is told to come back.
const QUEUE: usize = 4096;

/// A handle on the writer's thread.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(address: &Address, home: Home, paths: Paths) -> Result<Self, Error> {
        let mut desk = Desk {
            db: Some(address.reconnect(Purpose::Write)?),
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
        })
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
    let paths = &desk.paths;
    let started = Instant::now();
    let mut ran = vec![first];
    let mut learned = Vec::new();
    let mut whole = run(&mut db, paths, &mut ran, &mut learned);
    while whole.is_ok() && ran.len() < GROUP && started.elapsed() < WINDOW {
        match jobs.try_recv() {
            Ok(job) if !job.is_wanted() => {}
            Ok(job) => {
                ran.push(job);
                whole = run(&mut db, paths, &mut ran, &mut learned);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    match whole.and_then(|()| db.run("COMMIT")) {
        Ok(()) => {
            publish(paths, learned);
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

/// Runs the last of `ran` in a savepoint of its own. An error is one of the whole transaction: on a full disk, say, SQLite
/// rolls all of it back, and the next savepoint would begin, and its release commit, a transaction of its own.
fn run(
    db: &mut Db,
    paths: &Paths,
    ran: &mut [Box<dyn Job>],
    learned: &mut Vec<(PathKey, i32)>,
) -> Result<(), Error> {
    let Some(job) = ran.last_mut() else {
        return Ok(());
    };
    for _ in 0..ATTEMPTS {
        db.run("SAVEPOINT write")?;
        let mut tx = Tx::new(db, paths);
        let keep = job.run(&mut tx);
        let lost = tx.is_lost();
        if keep {
            counter::settle(&mut tx)?;
        }
        let fresh = tx.into_learned();
        if keep {
            db.run("RELEASE write")?;
            learned.extend(fresh);
            return Ok(());
        }
        db.run("ROLLBACK TO write")?;
        db.run("RELEASE write")?;
        if !lost {
            return Ok(());
        }
    }
    Ok(())
}

fn refuse(jobs: Vec<Box<dyn Job>>, error: &Error) {
    for job in jobs {
        job.finish(Err(Error::Unavailable(error.to_string())));
    }
}

#[cfg(test)]
mod tests;
