//! `muster events`: the log, one JSON object a line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use super::{Failure, database, print};
use crate::config::{self, Config};
use crate::id::RandomIds;
use crate::secret::Secret;
use crate::service::Muster;
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
    /// The configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the embedded database is.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The database: postgres://… or sqlite:PATH.
    #[arg(
        long,
        value_name = "URL",
        env = "MUSTER_DATABASE_URL",
        hide_env_values = true
    )]
    database_url: Option<String>,
}

/// Prints the events.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = open(options)?;
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
    service.close();
    Ok(())
}

fn open(options: &Options) -> Result<Muster, Failure> {
    let mut config = options
        .config
        .as_deref()
        .map(config::load)
        .transpose()?
        .unwrap_or_default();
    if let Some(url) = &options.database_url {
        config.server.database_url = Some(Secret::new(url));
    } else if let Some(directory) = &options.data_dir {
        config.server.data_dir.clone_from(directory);
        config.server.database_url = None;
    }
    config.check_database()?;
    must_exist(&config)?;
    database::open(&config, 1, Arc::new(RandomIds))
}

/// Reading a log must not make an empty database where none is.
fn must_exist(config: &Config) -> Result<(), Failure> {
    let url = config.server.database();
    match url.reveal().strip_prefix("sqlite:") {
        Some(path) if !Path::new(path).exists() => {
            Err(Failure::run(format!("there is no database at {path}")))
        }
        _ => Ok(()),
    }
}
