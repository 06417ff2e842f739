//! How far an import is: a bar on a terminal, else a line every few seconds.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a log is told.
const EVERY: Duration = Duration::from_secs(5);

/// What is told, and to whom.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    told: Instant,
    length: u64,
    /// The rows and bytes that an earlier run had done.
    skipped: (i64, Option<u64>),
}

impl Progress {
    pub(super) fn new(length: u64, rows: i64) -> Self {
        let style = ProgressStyle::with_template("{bar:32} {percent:>3} %  {msg}  {eta} left");
        let bar = style
            .ok()
            .filter(|_| io::stderr().is_terminal())
            .map(|style| ProgressBar::new(length).with_style(style));
        let now = Instant::now();
        Self {
            bar,
            started: now,
            told: now,
            length,
            skipped: (rows, None),
        }
    }

    pub(super) fn tell(&mut self, bytes: u64, rows: i64, rejected: i64) {
        let skipped = *self
            .skipped
            .1
            .get_or_insert(if self.skipped.0 > 0 { bytes } else { 0 });
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let rate = per_second(rows - self.skipped.0, seconds);
        let text = format!("{rows} rows, {rate} a second, {rejected} rejected");
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
            bar.set_message(text);
        } else if self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let done = bytes.saturating_sub(skipped).max(1);
            let left = self.length.saturating_sub(bytes);
            let speed = per_second(i64::try_from(done).unwrap_or(i64::MAX), seconds).max(1);
            let left = left / u64::try_from(speed).unwrap_or(1);
            tracing::info!("{text}, {left} s left");
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a rate for people"
)]
fn per_second(count: i64, seconds: f64) -> i64 {
    (count as f64 / seconds) as i64
}
