//! `muster copy` and `muster backup`: the whole database into another one, or into a file and back.

use std::fs::{self, OpenOptions};
use std::io;
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::database::{Place, is_there, shown};
use super::{Failure, keys, print};
use crate::config;
use crate::domain::sealing::Key;
use crate::service::Muster;
use crate::telemetry;

/// From where to where.
#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The database to read: postgres://… or sqlite:PATH.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to fill: it must be empty.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The configuration (TOML) whose `sqlite_key` opens the file that is read, if it is encrypted as a whole.
    #[arg(long, value_name = "FILE")]
    from_config: Option<PathBuf>,
    /// The configuration (TOML) whose `sqlite_key` encrypts the file that is made.
    #[arg(long, value_name = "FILE")]
    to_config: Option<PathBuf>,
}

/// The configured database and a file.
#[derive(Debug, Args)]
pub(super) struct Backup {
    #[command(subcommand)]
    command: BackupCommand,
}

#[derive(Debug, Subcommand)]
enum BackupCommand {
    /// Write all that the database holds, as of one moment, to a new file; the server may go on.
    Make(With),
    /// Fill the configured database, which must be empty, from such a file.
    Restore(With),
}

#[derive(Debug, Args)]
struct With {
    /// The backup: an SQLite database that muster can serve too.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// Copies a database.
pub(super) fn run(options: &Copy) -> Result<(), Failure> {
    let key = |path: &Option<PathBuf>| {
        let config = path.as_deref().map(config::load).transpose()?;
        keys::of_file(&config.unwrap_or_default())
    };
    let keys = (key(&options.from_config)?, key(&options.to_config)?);
    copy((&options.from, &options.to), keys)
}

/// Makes a backup or takes one in.
pub(super) fn backup(options: &Backup) -> Result<(), Failure> {
    let (with, is_made) = match &options.command {
        BackupCommand::Make(with) => (with, true),
        BackupCommand::Restore(with) => (with, false),
    };
    let config = with.place.settings()?;
    let (database, key) = (config.server.database(), keys::of_file(&config)?);
    let file = format!("sqlite:{}", with.file.display());
    if is_made {
        reserve(&with.file)?;
        // What is not whole is no backup, and must not be in the way of the next.
        let made = copy((database.reveal(), &file), (key.clone(), key));
        return made.inspect_err(|_| drop(fs::remove_file(&with.file)));
    }
    copy((&file, database.reveal()), (key.clone(), key))
}

/// A new file that nobody else can read: it holds all that the database does.
fn reserve(file: &Path) -> Result<(), Failure> {
    let mut new = OpenOptions::new();
    new.write(true).create_new(true);
    #[cfg(unix)]
    new.mode(0o600);
    new.open(file).map(drop).map_err(|error| {
        let shown = file.display();
        Failure::run(match error.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("{shown} is there already: a backup is a new file")
            }
            _ => format!("cannot write {shown}: {error}"),
        })
    })
}

fn copy((from, to): (&str, &str), keys: (Option<Key>, Option<Key>)) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    is_there(from)?;
    let told = &mut |table: &str| tracing::info!(table, "copying");
    let copied = Muster::copy((from, to), keys, told);
    let copied = copied.map_err(|error| {
        Failure::run(format!(
            "cannot copy {} to {}: {error}",
            shown(from),
            shown(to)
        ))
    })?;
    let rows: u64 = copied.values().sum();
    let count = |table: &str| copied.get(table).copied().unwrap_or_default();
    print(&format!(
        "{rows} rows copied: {} records, {} events, {} signed heads\n\
         `muster audit verify` on the copy holds them against the log; whoever opens it needs the same key-encryption key\n",
        count("resource"),
        count("event"),
        count("log_head"),
    ))
    .map(drop)
}
