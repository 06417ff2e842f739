//! PostgreSQL's worker threads, one a connection, and how they write.
//!
//! A transaction costs three round trips and a share of an fsync beside what it does, and each statement costs one. So
//! newcomers that wait at the same time share a transaction, what they ask and what they write ([`super::gathered`]). One
//! that is refused before it has changed anything leaves the others as they are; if anything else goes wrong, all is rolled
//! back, and each gets a transaction of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::counter;
use super::error::Error;
use super::gathered::{self, Ahead};
use super::pool::Pool;
use super::sealer::Bell;
use super::tx::{Paths, Tx, publish};
use super::use_case::{ATTEMPTS, Job};

/// Jobs that may wait for a worker.
const QUEUE: usize = 4096;
/// The most writes that share a transaction.
const GROUP: usize = 64;

/// A write finds rows by their keys, whatever it is given. Left alone, PostgreSQL would plan half of its statements anew each
/// time, which took a fifth of a create; and a plan that is kept must be right for any number of rows: one that was made
/// while a table was small would otherwise go on reading all of it.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL plan_cache_mode = force_generic_plan; \
     SET LOCAL enable_seqscan = off";

/// What a worker is asked to do.
pub(super) enum Work {
    /// To read, on a connection that it takes.
    Read(Box<dyn FnOnce(&Pool) + Send>),
    /// To write in a transaction of its own.
    Write(Box<dyn Job>),
    /// To write rows that are new, so that the transaction may be shared: who touches rows that others touch would hold
    /// them for longer, and in an order that nobody knows.
    Newcomer(Newcomer),
}

/// A use case that may share its transaction, and what it is going to ask if it makes a record.
pub(super) struct Newcomer {
    pub(super) ahead: Option<Ahead>,
    pub(super) job: Box<dyn Job>,
}

/// What a worker does next.
enum Turn {
    Read(Box<dyn FnOnce(&Pool) + Send>),
    Write(Box<dyn Job>),
    Group(Vec<Newcomer>),
}

/// The threads and what waits for them.
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    /// The most groups that are written at a time: a third of the workers, so that creates gather and nobody else waits for them.
    most: usize,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Turn>,
    newcomers: VecDeque<Newcomer>,
    /// How many groups are being written.
    groups: usize,
    is_closed: bool,
}

impl Workers {
    pub(super) fn start(
        pool: &Pool,
        paths: &Paths,
        bell: &Bell,
        count: u32,
    ) -> Result<Self, Error> {
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            most: usize::try_from(count / 3).unwrap_or(usize::MAX).max(1),
        });
        let threads = (0..count)
            .map(|n| {
                let (pool, queue) = (pool.clone(), Arc::clone(&queue));
                let desk = Desk {
                    paths: paths.clone(),
                    bell: bell.clone(),
                };
                std::thread::Builder::new()
                    .name(format!("muster-db-{n}"))
                    .spawn(move || serve(&pool, &desk, &queue))
            })
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self {
            queue,
            threads: Mutex::new(threads),
        })
    }

    /// Hands work to the next free thread.
    pub(super) fn submit(&self, work: Work) -> Result<(), Error> {
        let mut waiting = self.queue.lock();
        if waiting.is_closed {
            return Err(Error::Unavailable("the server is stopping".into()));
        }
        if waiting.work.len() + waiting.newcomers.len() >= QUEUE {
            return Err(Error::Unavailable(
                "too many requests are waiting for the database".into(),
            ));
        }
        match work {
            Work::Read(work) => waiting.work.push_back(Turn::Read(work)),
            Work::Write(job) => waiting.work.push_back(Turn::Write(job)),
            Work::Newcomer(newcomer) => waiting.newcomers.push_back(newcomer),
        }
        drop(waiting);
        self.queue.arrived.notify_one();
        Ok(())
    }

    /// Lets what is waiting finish, and stops.
    pub(super) fn close(&self) {
        self.queue.lock().is_closed = true;
        self.queue.arrived.notify_all();
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

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next piece of work; none after the last.
    fn next(&self) -> Option<Turn> {
        let mut waiting = self.lock();
        loop {
            if !waiting.newcomers.is_empty() && waiting.groups < self.most {
                waiting.groups += 1;
                let most = waiting.newcomers.len().min(GROUP);
                return Some(Turn::Group(waiting.newcomers.drain(..most).collect()));
            }
            if let Some(turn) = waiting.work.pop_front() {
                return Some(turn);
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What a worker has besides its connection.
struct Desk {
    paths: Paths,
    /// Rung after each commit.
    bell: Bell,
}

fn serve(pool: &Pool, desk: &Desk, queue: &Queue) {
    while let Some(turn) = queue.next() {
        let is_group = matches!(turn, Turn::Group(_));
        // A panic has been answered inside; the thread goes on.
        drop(catch_unwind(AssertUnwindSafe(|| match turn {
            Turn::Read(work) => work(pool),
            Turn::Write(job) => write(pool, desk, job),
            Turn::Group(group) => write_together(pool, desk, group),
        })));
        if is_group {
            queue.lock().groups -= 1;
        }
    }
}

/// Runs writes in one transaction; if that does not work out, each in its own.
fn write_together(pool: &Pool, desk: &Desk, mut group: Vec<Newcomer>) {
    group.retain(|newcomer| newcomer.job.is_wanted());
    if group.is_empty() {
        return;
    }
    let mut kept = match pool.begin(BEGIN) {
        Ok(kept) => kept,
        Err(error) => return answer(group, || Err(Error::Unavailable(error.to_string()))),
    };
    let mut tx = Tx::new(&mut kept.db, &desk.paths);
    let settled = run_all(&mut tx, &mut group);
    let away = tx.away();
    let learned = tx.into_learned();
    if settled {
        match kept.db.run("COMMIT") {
            Ok(()) => {
                kept.broken = false;
                publish(&desk.paths, learned);
                desk.bell.ring();
                return answer(group, || Ok(()));
            }
            Err(Error::Lost) => {}
            // Nobody can tell what became of it: it is not run again.
            Err(error) => return answer(group, || Err(Error::Unavailable(error.to_string()))),
        }
    }
    kept.broken = kept.db.run("ROLLBACK").is_err();
    match away {
        // They would all wait for the same, one after another. (A connection that died is another matter.)
        Some(why) if !kept.broken => answer(group, || Err(why.of_passing().unwrap_or(Error::Lost))),
        _ => {
            drop(kept);
            for newcomer in group {
                write(pool, desk, newcomer.job);
            }
        }
    }
}

/// Runs all of them; whether what came of it may be committed. One that fails takes no other with it, unless it has
/// changed something before.
fn run_all(tx: &mut Tx<'_>, group: &mut [Newcomer]) -> bool {
    let aheads: Vec<&Ahead> = group.iter().filter_map(|one| one.ahead.as_ref()).collect();
    if !aheads.is_empty() && gathered::ask(tx, &aheads).is_err() {
        return false;
    }
    let run = |newcomer: &mut Newcomer| {
        let mark = tx.mark();
        (newcomer.job.run(tx) || tx.undo(mark)) && !tx.is_lost()
    };
    group.iter_mut().all(run) && tx.write_waiting().is_ok() && counter::settle(tx).is_ok()
}

fn answer(group: Vec<Newcomer>, commit: impl Fn() -> Result<(), Error>) {
    for newcomer in group {
        newcomer.job.finish(commit());
    }
}

/// Runs a write in a transaction of its own, again after a lost race.
fn write(pool: &Pool, desk: &Desk, mut job: Box<dyn Job>) {
    if !job.is_wanted() {
        return;
    }
    let mut outcome = Err(Error::Unavailable("too many concurrent changes".into()));
    for _ in 0..ATTEMPTS {
        let mut kept = match pool.begin(BEGIN) {
            Ok(kept) => kept,
            Err(error) => return job.finish(Err(error)),
        };
        let mut tx = Tx::new(&mut kept.db, &desk.paths);
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
                    publish(&desk.paths, learned);
                    desk.bell.ring();
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
