//! PostgreSQL's worker threads, one a connection, and how they write.
//!
//! A transaction costs three round trips and a share of an fsync beside what it does. So a worker that finds more
//! newcomers waiting than there are workers takes several into one transaction. If one of them fails, all is rolled back,
//! and each gets a transaction of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::counter;
use super::error::Error;
use super::pool::Pool;
use super::sealer::Bell;
use super::tx::{Paths, Tx, publish};
use super::use_case::{ATTEMPTS, Job};

/// Jobs that may wait for a worker.
const QUEUE: usize = 4096;
/// The most writes that share a transaction.
const GROUP: usize = 16;

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
    Newcomer(Box<dyn Job>),
}

/// The threads and what waits for them.
pub(super) struct Workers {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    workers: usize,
}

#[derive(Default)]
struct Waiting {
    work: VecDeque<Work>,
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
            workers: usize::try_from(count).unwrap_or(usize::MAX).max(1),
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
        if waiting.work.len() >= QUEUE {
            return Err(Error::Unavailable(
                "too many requests are waiting for the database".into(),
            ));
        }
        waiting.work.push_back(work);
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

    /// The next piece of work, with those that follow it into its transaction; none after the last.
    fn next(&self) -> Option<(Work, Vec<Box<dyn Job>>)> {
        let mut waiting = self.lock();
        let first = loop {
            if let Some(work) = waiting.work.pop_front() {
                break work;
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        };
        let mut others = Vec::new();
        if matches!(first, Work::Newcomer(_)) {
            // No more than its share, so that no worker has nothing to do meanwhile.
            let share = (waiting.work.len() / self.workers).min(GROUP - 1);
            while others.len() < share {
                match waiting.work.pop_front() {
                    Some(Work::Newcomer(job)) => others.push(job),
                    Some(other) => {
                        waiting.work.push_front(other);
                        break;
                    }
                    None => break,
                }
            }
        }
        Some((first, others))
    }
}

/// What a worker has besides its connection.
struct Desk {
    paths: Paths,
    /// Rung after each commit.
    bell: Bell,
}

fn serve(pool: &Pool, desk: &Desk, queue: &Queue) {
    while let Some((first, others)) = queue.next() {
        // A panic has been answered inside; the thread goes on.
        drop(catch_unwind(AssertUnwindSafe(|| match first {
            Work::Read(work) => work(pool),
            Work::Write(job) => write(pool, desk, job),
            Work::Newcomer(job) if others.is_empty() => write(pool, desk, job),
            Work::Newcomer(job) => {
                let mut jobs = vec![job];
                jobs.extend(others);
                write_together(pool, desk, jobs);
            }
        })));
    }
}

/// Runs writes in one transaction; if that does not work out, each in its own.
fn write_together(pool: &Pool, desk: &Desk, mut jobs: Vec<Box<dyn Job>>) {
    jobs.retain(|job| job.is_wanted());
    let mut kept = match pool.begin(BEGIN) {
        Ok(kept) => kept,
        Err(error) => {
            for job in jobs {
                job.finish(Err(Error::Unavailable(error.to_string())));
            }
            return;
        }
    };
    let mut tx = Tx::new(&mut kept.db, &desk.paths);
    let kept_all = jobs.iter_mut().all(|job| job.run(&mut tx)) && !tx.is_lost();
    let settled = kept_all && counter::settle(&mut tx).is_ok();
    let learned = tx.into_learned();
    if settled {
        match kept.db.run("COMMIT") {
            Ok(()) => {
                kept.broken = false;
                publish(&desk.paths, learned);
                desk.bell.ring();
                for job in jobs {
                    job.finish(Ok(()));
                }
                return;
            }
            Err(Error::Lost) => {}
            // Nobody can tell what became of it: it is not run again.
            Err(error) => {
                for job in jobs {
                    job.finish(Err(Error::Unavailable(error.to_string())));
                }
                return;
            }
        }
    }
    kept.broken = kept.db.run("ROLLBACK").is_err();
    drop(kept);
    for job in jobs {
        write(pool, desk, job);
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
