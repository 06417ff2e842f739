//! A use case on its way through the database: run in a transaction, answered after its commit.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::error::Error;
use super::tx::Tx;

/// How often a use case is run again after a lost race before its caller is told to try later.
pub(super) const ATTEMPTS: u32 = 8;

/// What the engines run: a use case without its types.
pub(super) trait Job: Send {
    /// Whether the caller still waits. One who was told that the database does not answer, or has hung up, must not
    /// find it done much later.
    fn is_wanted(&self) -> bool;
    /// Runs in an open transaction; whether what it did shall be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Answers the caller, once it is known whether the commit held.
    fn finish(self: Box<Self>, commit: Result<(), Error>);
}

/// A use case with its caller waiting.
pub(super) struct UseCase<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> UseCase<F, T, E> {
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                work,
                outcome: None,
                reply,
            },
            answer,
        )
    }
}

impl<F, T, E> Job for UseCase<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(Error::Fault("a use case panicked".into()).into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn finish(self: Box<Self>, commit: Result<(), Error>) {
        let answer = match (self.outcome, commit) {
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(outcome), Ok(())) => outcome,
            (None, Ok(())) => Err(Error::Fault("a use case was not run".into()).into()),
        };
        // A caller that has gone away no longer wants to know.
        drop(self.reply.send(answer));
    }
}
