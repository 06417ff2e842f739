//! `muster events`: the log, one JSON object a line.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use clap::Args;

use super::{Failure, print};
use crate::config::{self, Config};
use crate::id::RandomIds;
use crate::secret::Secret;
use crate::service::{Muster, Settings};

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
        print(&lines)?;
        match (events.is_empty(), options.follow) {
            (true, false) => break,
            (true, true) => sleep(PATIENCE),
            _ => {}
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
    let database_url = config.server.database().reveal().to_owned();
    let settings = Settings {
        database_url,
        connections: 1,
        systems: Vec::new(),
        max_page: 1,
    };
    Ok(Muster::open(&settings, Arc::new(RandomIds))?)
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
