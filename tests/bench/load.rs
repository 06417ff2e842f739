//! Load, and how it was borne.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Failure;
use super::http::Connection;
use super::operations::{Operation, Target, Walk};
use super::server::processor_seconds;

/// How one run went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// Each answered request's latency, sorted.
    latencies: Vec<Duration>,
    seconds: f64,
    /// The server's processor time for all of them, in seconds.
    processor: f64,
    /// Requests that were not answered with 2xx, and what the first of them was told.
    pub(crate) failed: usize,
    pub(crate) complaint: Option<String>,
}

impl Outcome {
    /// Requests answered a second.
    pub(crate) fn rate(&self) -> f64 {
        as_number(self.latencies.len()) / self.seconds.max(1e-9)
    }

    /// How long the fastest `share` of all requests took at most, in milliseconds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count is a count"
        )]
        let place = (as_number(self.latencies.len()) * share).ceil() as usize;
        let place = place.clamp(1, self.latencies.len().max(1)) - 1;
        self.latencies
            .get(place)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }

    /// The server's processor time for one request, in milliseconds. A database server's own is not in it.
    pub(crate) fn cost(&self) -> f64 {
        self.processor * 1e3 / as_number(self.latencies.len())
    }

    fn join(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.complaint = self.complaint.take().or(other.complaint);
    }
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) fn as_number(count: usize) -> f64 {
    count as f64
}

/// When the requests of a run are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Each connection sends its next request when it has the answer to the last.
    Closed,
    /// So many a second, whatever the answers do. A request that has to wait for a connection has waited: its latency
    /// counts from when it was due.
    Open(f64),
}

/// Runs `operation` for so many seconds, or until `most` requests are sent.
pub(crate) async fn run(
    target: &Arc<Target>,
    operation: Operation,
    pace: Pace,
    seconds: f64,
    most: usize,
) -> Result<Outcome, Failure> {
    let connections = match pace {
        Pace::Closed => operation.connections(),
        Pace::Open(_) => 32,
    };
    if let Some(request) = target.lead_in(operation) {
        Connection::to(target.port).call(&request).await?;
    }
    let before = processor_seconds(target.process).unwrap_or(f64::NAN);
    let started = Instant::now();
    let until = started + Duration::from_secs_f64(seconds);
    let sent = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..connections.min(most) {
        let (target, sent) = (target.clone(), sent.clone());
        let schedule = Schedule {
            pace,
            started,
            until,
            sent,
            most,
        };
        tasks.push(tokio::spawn(async move {
            one(&target, operation, &schedule).await
        }));
    }
    let mut all = Outcome::default();
    for task in tasks {
        all.join(task.await?);
    }
    all.seconds = started.elapsed().as_secs_f64();
    all.processor = processor_seconds(target.process).unwrap_or(f64::NAN) - before;
    all.latencies.sort_unstable();
    Ok(all)
}

struct Schedule {
    pace: Pace,
    started: Instant,
    until: Instant,
    sent: Arc<AtomicUsize>,
    most: usize,
}

impl Schedule {
    /// Waits until the next request is due; from when its latency counts, or none when the run is over.
    async fn next(&self) -> Option<Instant> {
        let n = self.sent.fetch_add(1, Ordering::Relaxed);
        if n >= self.most {
            return None;
        }
        let now = Instant::now();
        let Pace::Open(rate) = self.pace else {
            return (now < self.until).then_some(now);
        };
        let due = self.started + Duration::from_secs_f64(as_number(n) / rate);
        if due >= self.until {
            return None;
        }
        if now >= due {
            return Some(due);
        }
        // The timer's own lateness, up to a millisecond, is ours and not the server's.
        tokio::time::sleep_until(due.into()).await;
        Some(Instant::now())
    }
}

async fn one(target: &Target, operation: Operation, schedule: &Schedule) -> Outcome {
    let mut connection = Connection::to(target.port);
    let mut walk = Walk::default();
    let mut outcome = Outcome::default();
    while let Some(due) = schedule.next().await {
        let Some(request) = target.request(operation, &walk) else {
            break;
        };
        // Making the request is not the server's time, unless it was overdue.
        let since = if matches!(schedule.pace, Pace::Closed) {
            Instant::now()
        } else {
            due
        };
        match connection.call(&request).await {
            Ok(answer) if (200..300).contains(&answer.status) => {
                outcome.latencies.push(since.elapsed());
                target.learn(operation, &mut walk, &answer);
            }
            Ok(answer) => {
                let body = String::from_utf8_lossy(&answer.body).into_owned();
                outcome.fail(format!("{} {body}", answer.status));
            }
            Err(error) => {
                outcome.fail(error.to_string());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    outcome
}

impl Outcome {
    fn fail(&mut self, complaint: String) {
        self.failed += 1;
        self.complaint.get_or_insert(complaint);
    }
}
