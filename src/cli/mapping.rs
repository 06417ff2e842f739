//! `muster mapping check FILE`, and the mapping of a file that must be without error.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};

use super::Failure;
use super::findings::{Format, bytes, line, tell};
use crate::domain::catalog::Catalog;
use crate::domain::mapping::{Mapping, load};

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name every mistake of a mapping file. Exit code 1 if there is an error, 2 if the file cannot be read.
    Check(Check),
}

#[derive(Debug, Args)]
struct Check {
    /// The mapping (YAML).
    file: PathBuf,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints the findings.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let Command::Check(check) = &options.command;
    let catalog = Catalog::load().map_err(Failure::run)?;
    let loaded = load(&bytes(&check.file)?, &catalog);
    tell(&check.file, &loaded.findings, check.format)
}

/// The mapping of a file, and the SHA-256 of its bytes.
pub(super) fn sound(file: &Path, system: &str) -> Result<(Mapping, [u8; 32]), Failure> {
    let catalog = Catalog::load().map_err(Failure::run)?;
    let text = bytes(file)?;
    let loaded = load(&text, &catalog);
    let Some(mapping) = loaded.mapping else {
        let lines = loaded.findings.iter().map(|found| line(file, found));
        let lines: Vec<String> = lines.collect();
        return Err(Failure::usage(format!(
            "the mapping has errors:\n{}",
            lines.join("\n")
        )));
    };
    if mapping.system != system {
        return Err(Failure::usage(format!(
            "{} is of the system '{}', not of '{system}'",
            file.display(),
            mapping.system
        )));
    }
    Ok((mapping, Sha256::digest(&text).into()))
}
