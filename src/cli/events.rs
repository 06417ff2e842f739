//! `muster events`: the log, one JSON object a line.

use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use super::database::Place;
use super::{Failure, print};
use crate::telemetry;

/// How many events are read at a time.
const PAGE: i64 = 500;
/// How long `--follow` waits before it looks again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Begin after this position.
    #[arg(long, default_value_t = 0)]
    after: i64,
    /// Wait for more instead of ending.
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    place: Place,
}

/// Prints the events.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.place.open()?;
    let mut after = options.after;
    loop {
        let events = service.events(after, PAGE)?;
        let mut lines = String::new();
        for (position, event) in &events {
            lines.push_str(&event.to_string());
            lines.push('\n');
            after = *position;
        }
        let read = print(&lines)?;
        match (events.is_empty(), options.follow) {
            (true, false) => break,
            _ if !read => break,
            (true, true) => sleep(PATIENCE),
            (false, _) => {}
        }
    }
    Ok(())
}
