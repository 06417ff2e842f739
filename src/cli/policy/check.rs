//! `muster policy check FILE`.

use std::path::PathBuf;

use clap::Args;

use super::super::findings::{Format, tell};
use super::{Failure, open};
use crate::domain::catalog::Catalog;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML).
    file: PathBuf,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints the findings.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let findings = open(&options.file, catalog)?.findings;
    tell(&options.file, &findings, options.format)
}
