//! Rows that share a transaction: all of them at once, and only where one fails each in a savepoint of its own.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::super::create::Create;
use super::super::take::Taken;
use super::{Import, Line, Reject, elsewhere};
use crate::domain::context::Context;
use crate::domain::mapping::{Fault, Said};
use crate::scim::projection::Projection;
use crate::service::{Error, Muster};
use crate::store::import_job::{Job, Ledger};
use crate::store::{self, Tx};

/// Rows that were found right so far, and those that were not.
pub struct Chunk {
    rows: Arc<Vec<Ready>>,
    /// How many rows there are, the rejected among them.
    count: i64,
    rejected: i64,
    rejects: Vec<Reject>,
}

/// A row, ready for the transaction.
pub(super) struct Ready {
    pub(super) line: u64,
    pub(super) context: Context,
    pub(super) create: Create,
}

impl Chunk {
    pub(super) fn rows(&self) -> &Arc<Vec<Ready>> {
        &self.rows
    }

    /// What was found wrong with rows so far.
    #[must_use]
    pub fn rejects(&self) -> &[Reject] {
        &self.rejects
    }

    /// The rows of these lines alone.
    #[must_use]
    pub fn only(self, lines: &BTreeSet<u64>) -> Self {
        let rows = Arc::into_inner(self.rows).unwrap_or_default();
        let rows: Vec<Ready> = rows
            .into_iter()
            .filter(|row| lines.contains(&row.line))
            .collect();
        Self {
            count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
            rows: Arc::new(rows),
            rejected: 0,
            rejects: Vec::new(),
        }
    }
}

/// What came of each row.
type Outcomes = Vec<Result<Taken, Error>>;

/// How much of a day a birth may lie ahead: it is tomorrow somewhere already.
const AHEAD: chrono::TimeDelta = chrono::TimeDelta::days(1);

impl Import<'_> {
    /// Checks rows as far as the database is not needed; at most [`super::CHUNK`] of them.
    #[must_use]
    pub fn prepare(&self, lines: Vec<Line>, now: DateTime<Utc>) -> Chunk {
        let count = i64::try_from(lines.len()).unwrap_or(i64::MAX);
        let (mut rows, mut rejects, mut rejected) =
            (Vec::with_capacity(lines.len()), Vec::new(), 0);
        for line in lines {
            let number = line.number;
            match line.said.and_then(|said| self.ready(number, said, now)) {
                Ok(ready) => rows.push(ready),
                Err(faults) => {
                    rejected += 1;
                    let reject = |fault| Reject {
                        line: number,
                        fault,
                    };
                    rejects.extend(faults.into_iter().map(reject));
                }
            }
        }
        Chunk {
            rows: Arc::new(rows),
            count,
            rejected,
            rejects,
        }
    }

    fn ready(&self, line: u64, said: Said, now: DateTime<Utc>) -> Result<Ready, Vec<Fault>> {
        let mut context = self.context.clone();
        context.now = now;
        context.said_at = said.at;
        let endpoint = &self.mapping.resource_type.endpoint;
        let create =
            self.muster
                .prepare_create(&context, endpoint, said.body, &Projection::default());
        let blame = |error: Error| vec![self.mapping.blame(error.to_string())];
        let create = create.map_err(blame)?.clearing(&said.cleared);
        if create.is_silent() {
            return Err(vec![Fault {
                reason: "the row says nothing beside whom it is about".into(),
                ..Fault::default()
            }]);
        }
        let birth = create.leaves().get("birthDate").and_then(Value::as_str);
        let last = (now + AHEAD).date_naive().to_string();
        if let Some(birth) = birth.filter(|birth| *birth > last.as_str()) {
            let reason = format!("'birthDate' is {birth}, which is yet to come");
            return Err(vec![self.mapping.blame(reason)]);
        }
        Ok(Ready {
            line,
            context,
            create,
        })
    }

    /// Takes a chunk in and moves the job on, both or neither; in a dry run neither. The rejects of the chunk.
    pub fn commit(
        &self,
        ledger: &mut Ledger,
        chunk: Chunk,
        now: DateTime<Utc>,
    ) -> Result<Vec<Reject>, Error> {
        let work = Work {
            muster: self.muster.clone(),
            rows: chunk.rows.clone(),
            job: self.job.clone(),
            errand: self.errand,
            begun: *ledger,
            count: chunk.count,
            rejected: chunk.rejected,
            now,
        };
        let outcomes: Outcomes = self.run(&work)?;
        let asked = |(row, outcome): (&Ready, _)| self.muster.asked_blocking(&row.context, outcome);
        let outcomes: Outcomes = if self.dry_run {
            outcomes
        } else {
            chunk.rows.iter().zip(outcomes).map(asked).collect()
        };
        let mut rejects = chunk.rejects;
        *ledger = moved(ledger, (chunk.count, chunk.rejected), &outcomes);
        for (row, outcome) in chunk.rows.iter().zip(outcomes) {
            if let Err(error) = outcome {
                let fault = self.mapping.blame(error.to_string());
                let line = row.line;
                rejects.push(Reject { line, fault });
            }
        }
        rejects.sort_by_key(|reject| reject.line);
        Ok(rejects)
    }

    /// What the rejects of rows are that were done before: nothing is kept.
    pub fn replay(&self, chunk: Chunk, now: DateTime<Utc>) -> Result<Vec<Reject>, Error> {
        let replay = Import {
            muster: self.muster.clone(),
            mapping: self.mapping,
            context: self.context.clone(),
            job: self.job.clone(),
            errand: self.errand,
            dry_run: true,
            begun: self.begun,
            other_file: self.other_file,
        };
        replay.commit(&mut Ledger::default(), chunk, now)
    }

    /// A database that is locked or restarting is waited for: other processes write too, and hours of work do not end for that.
    fn run(&self, work: &Work) -> Result<Outcomes, Error> {
        let patience = ExponentialBuilder::default()
            .with_min_delay(FIRST_WAIT)
            .with_max_delay(LONGEST_WAIT)
            .without_max_times()
            .with_total_delay(Some(PATIENCE));
        let again = |error: &Error| matches!(error, Error::Unavailable { .. });
        let once = || self.run_once(work.clone());
        once.retry(patience)
            .when(again)
            .notify(|error, wait| {
                tracing::warn!(%error, wait_ms = wait.as_millis(), "the import waits for the database");
            })
            .call()
    }

    fn run_once(&self, work: Work) -> Result<Outcomes, Error> {
        let store = &self.muster.0.store;
        if !self.dry_run {
            return store.write_blocking(move |tx| work.perform(tx));
        }
        store.write_blocking(move |tx| tx.rehearse(|tx| work.enter(tx))?)
    }
}

/// How long a database is waited for that cannot answer: in all, first, and at most at once.
const PATIENCE: Duration = Duration::from_mins(2);
const FIRST_WAIT: Duration = Duration::from_millis(100);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A chunk as a use case.
#[derive(Clone)]
struct Work {
    muster: Muster,
    rows: Arc<Vec<Ready>>,
    job: Option<Job>,
    errand: &'static str,
    begun: Ledger,
    count: i64,
    rejected: i64,
    now: DateTime<Utc>,
}

impl Work {
    fn perform(&self, tx: &mut Tx<'_>) -> Result<Outcomes, Error> {
        let outcomes = self.enter(tx)?;
        let after = moved(&self.begun, (self.count, self.rejected), &outcomes);
        if let Some(job) = &self.job
            && !store::import_job::update(tx, job, (&self.begun, &after), self.now)?
        {
            return Err(elsewhere());
        }
        Ok(outcomes)
    }

    fn enter(&self, tx: &mut Tx<'_>) -> Result<Outcomes, Error> {
        let enter = |row: &Ready, tx: &mut Tx<'_>| {
            row.create
                .take((&self.muster, &row.context), self.errand, tx)
        };
        let at_once = tx.savepoint(|tx| {
            let rows = self.rows.iter();
            rows.map(|row| enter(row, tx))
                .collect::<Result<Vec<_>, _>>()
        })?;
        match at_once {
            Ok(taken) => return Ok(taken.into_iter().map(Ok).collect()),
            Err(error @ Error::Unavailable { .. }) => return Err(error),
            Err(_) => {}
        }
        let mut outcomes = Vec::with_capacity(self.rows.len());
        for row in self.rows.iter() {
            match tx.savepoint(|tx| enter(row, tx))? {
                Err(error @ (Error::Unavailable { .. } | Error::Internal(_))) => return Err(error),
                outcome => outcomes.push(outcome),
            }
        }
        Ok(outcomes)
    }
}

/// Where the job stands after a chunk.
fn moved(before: &Ledger, (count, rejected): (i64, i64), outcomes: &Outcomes) -> Ledger {
    let mut after = *before;
    after.previous = before.position;
    after.position += count;
    after.rejected += rejected;
    for outcome in outcomes {
        let counter = match outcome {
            Ok(Taken::Created) => &mut after.created,
            Ok(Taken::Joined) => &mut after.joined,
            Ok(Taken::Changed) => &mut after.changed,
            Ok(Taken::Unchanged) => &mut after.unchanged,
            Err(_) => &mut after.rejected,
        };
        *counter += 1;
    }
    after
}
