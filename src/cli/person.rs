//! `muster person`: what is kept of one person.

use clap::{Args, Subcommand};

use super::database::Place;
use super::{Failure, print};
use crate::telemetry;

/// What can be asked of a person.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print what is kept of a person as JSON, for that person: record, sources, consents, hiring records, log. Nothing is masked.
    Export(Export),
}

#[derive(Debug, Args)]
struct Export {
    /// The id of the person.
    #[arg(value_name = "PERSON")]
    person: String,
    /// The person's tenant.
    #[arg(long, default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let Command::Export(export) = &options.command;
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let id = export.person.parse();
    let id = id.map_err(|_| Failure::usage(format!("'{}' is no id of a person", export.person)))?;
    let service = export.place.open()?;
    let exported = service.export_person(&export.tenant, id)?;
    print(&format!("{exported:#}\n")).map(drop)
}
