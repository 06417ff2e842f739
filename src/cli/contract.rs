//! `muster contract`: whether a newer JSON Schema breaks who relies on an older one.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::Value;

use super::{Failure, print};
use crate::domain::contract::compatible::breaks;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what of a newer schema breaks who relies on an older one; exit code 1 if there is anything.
    Check {
        /// The schema as it was published.
        older: PathBuf,
        /// The schema as it is to be.
        newer: PathBuf,
    },
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let Command::Check { older, newer } = &options.command;
    let found = breaks(&read(older)?, &read(newer)?);
    if found.is_empty() {
        return Ok(());
    }
    print(&(found.join("\n") + "\n"))?;
    let (count, newer) = (found.len(), newer.display());
    Err(Failure::run(format!(
        "{count} breaking: publish {newer} as a new version"
    )))
}

fn read(file: &Path) -> Result<Value, Failure> {
    let wrong = |why: String| Failure::usage(format!("{}: {why}", file.display()));
    let text = fs::read(file).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))
}
