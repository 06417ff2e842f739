//! Answers too long to be held in memory: read on a thread and a connection of their own, so that no reader of one takes a
//! connection from others, and handed on piece by piece, never faster than they are taken.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

use super::db::{Address, Purpose};
use super::error::Error;
use super::home::Home;
use super::pool::{PATIENCE, Pool};
use super::tx::{Paths, Tx};

/// How many long answers are read at once; who comes then waits, and is told to come back.
const STREAMS: u32 = 4;
/// Pieces that wait for their reader.
const AHEAD: usize = 2;
/// How long a reader may take over one piece, and over all: a snapshot that stays open keeps the database from tidying up.
const STALL: Duration = Duration::from_secs(20);
const WHOLE: Duration = Duration::from_mins(10);

/// Where the pieces of an answer arrive.
pub type Pieces<T, E> = mpsc::Receiver<Result<T, E>>;

/// Where long answers are read.
pub(super) struct Streams {
    pool: Pool,
    free: Arc<Semaphore>,
}

impl Streams {
    pub(super) fn new(address: &Address, home: Home) -> Self {
        Self {
            pool: Pool::new(address, home, Purpose::Read, STREAMS),
            free: Arc::new(Semaphore::new(STREAMS as usize)),
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }

    pub(super) async fn open<T, E>(
        &self,
        paths: Paths,
        begin: &'static str,
        work: impl FnOnce(&mut Tx<'_>, &Sink<T, E>) -> Result<(), E> + Send + 'static,
    ) -> Result<Pieces<T, E>, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let free = tokio::time::timeout(PATIENCE, self.free.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = free else {
            return Err(Error::Unavailable("too many long answers are being read".into()).into());
        };
        let (sender, pieces) = mpsc::channel(AHEAD);
        let (pool, sink) = (self.pool.clone(), Sink::new(sender));
        let read = move || {
            if let Err(error) = pool.read(&paths, begin, |tx| work(tx, &sink)) {
                // A reader that has gone away no longer wants to know.
                drop(sink.put(Err(error)));
            }
            drop(permit);
        };
        thread::Builder::new()
            .name("muster-stream".into())
            .spawn(read)
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(pieces)
    }
}

/// Where a use case puts the pieces of its answer.
pub struct Sink<T, E> {
    sender: mpsc::Sender<Result<T, E>>,
    end: Instant,
}

impl<T, E> Sink<T, E> {
    fn new(sender: mpsc::Sender<Result<T, E>>) -> Self {
        Self {
            sender,
            end: Instant::now() + WHOLE,
        }
    }

    /// Hands on one piece, as soon as there is room for it.
    ///
    /// # Errors
    /// When the reader is gone or too slow: there is no use in reading on.
    pub fn send(&self, piece: T) -> Result<(), Error> {
        self.put(Ok(piece))
    }

    fn put(&self, piece: Result<T, E>) -> Result<(), Error> {
        let until = self.end.min(Instant::now() + STALL);
        match wait(self.sender.reserve(), until) {
            Some(Ok(room)) => {
                room.send(piece);
                Ok(())
            }
            Some(Err(_)) => Err(Error::Unavailable(
                "the reader of a long answer is gone".into(),
            )),
            None => Err(Error::Unavailable(
                "the reader of a long answer is too slow".into(),
            )),
        }
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// What a future gives before `until`.
fn wait<F: Future>(future: F, until: Instant) -> Option<F::Output> {
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_in_time_is_had_and_what_does_not_is_not() {
        let (sender, mut pieces) = mpsc::channel(1);
        let until = Instant::now() + Duration::from_secs(20);
        wait(sender.reserve(), until).unwrap().unwrap().send(1);
        let soon = Instant::now() + Duration::from_millis(20);
        assert!(wait(sender.reserve(), soon).is_none());
        let reader = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            (pieces.blocking_recv(), pieces)
        });
        wait(sender.reserve(), until).unwrap().unwrap().send(2);
        let (first, pieces) = reader.join().unwrap();
        assert_eq!(first, Some(1));
        drop(pieces);
        assert!(wait(sender.reserve(), until).unwrap().is_err());
    }
}
