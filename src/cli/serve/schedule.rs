//! Reconciliations on a schedule, one after another in a thread of their own. What each came to is kept as an event, and told
//! in a line of the log.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::super::extract::Job;
use super::super::reconcile::reconcile;
use super::Failure;
use crate::clock::Clock;
use crate::config::{Every, Reconcile};
use crate::service::Muster;

/// How often the clock is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// The hour of the night, UTC.
const NIGHT: i64 = 2;

/// The running schedule; it ends when this is dropped.
pub(super) struct Schedule {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A reconciliation and when it is due next.
struct Due {
    job: Job,
    repair: bool,
    every: Every,
    at: DateTime<Utc>,
}

/// The first moment after `now` at which it is due.
fn next(every: Every, now: DateTime<Utc>) -> DateTime<Utc> {
    let (period, offset) = match every {
        Every::Hourly => (TimeDelta::hours(1), TimeDelta::zero()),
        Every::Nightly => (TimeDelta::days(1), TimeDelta::hours(NIGHT)),
    };
    let start = (now - offset).duration_trunc(period).unwrap_or(now);
    start + offset + period
}

impl Schedule {
    /// Starts it; nothing if nothing is scheduled.
    pub(super) fn start(
        rows: &[Reconcile],
        service: &Muster,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<Self>, Failure> {
        if rows.is_empty() {
            return Ok(None);
        }
        let now = clock.now();
        let due = |row: &Reconcile| Due {
            job: Job {
                system: row.system.clone(),
                map: row.map.clone(),
                file: row.file.clone(),
                tenant: row.tenant.clone(),
                actor: "schedule".into(),
            },
            repair: row.repair,
            every: row.every,
            at: next(row.every, now),
        };
        let due: Vec<Due> = rows.iter().map(due).collect();
        let (stop, stopped) = channel();
        let service = service.clone();
        let thread = thread::Builder::new()
            .name("muster-reconcile".into())
            .spawn(move || run(due, &service, &*clock, &stopped))
            .map_err(|error| Failure::run(format!("cannot start a thread: {error}")))?;
        Ok(Some(Self {
            stop: Some(stop),
            thread: Some(thread),
        }))
    }
}

impl Drop for Schedule {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(mut due: Vec<Due>, service: &Muster, clock: &dyn Clock, stopped: &Receiver<()>) {
    while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let now = clock.now();
        for one in due.iter_mut().filter(|one| one.at <= now) {
            one.at = next(one.every, now);
            let file = one.job.file.display();
            match reconcile(service, (&one.job, one.repair), clock) {
                Ok(report) => tracing::info!(
                    "reconcile.system" = one.job.system,
                    "reconcile.rows" = report.rows,
                    "reconcile.drifted" = report.of("drifted"),
                    "reconcile.missing_here" = report.of("missingHere"),
                    "reconcile.missing_there" = report.of("missingThere"),
                    "a reconciliation with {file} is done"
                ),
                Err(failure) => tracing::error!(
                    "reconcile.system" = one.job.system,
                    %failure,
                    "a reconciliation with {file} failed"
                ),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hourly_is_due_at_the_hour_and_what_is_nightly_at_two() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let cases = [
            (
                Every::Hourly,
                "2026-03-01T10:00:00Z",
                "2026-03-01T11:00:00Z",
            ),
            (
                Every::Hourly,
                "2026-03-01T10:59:59Z",
                "2026-03-01T11:00:00Z",
            ),
            (
                Every::Nightly,
                "2026-03-01T01:59:59Z",
                "2026-03-01T02:00:00Z",
            ),
            (
                Every::Nightly,
                "2026-03-01T02:00:00Z",
                "2026-03-02T02:00:00Z",
            ),
        ];
        for (every, now, due) in cases {
            assert_eq!(next(every, at(now)), at(due), "{now}");
        }
    }
}
