//! `muster keys`: makes a key-encryption key, and puts a new one in an old one's place. And where the keys of every other
//! command come from.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::database::Place;
use super::{Failure, print};
use crate::config::{Config, KeySource, encode_key};
use crate::domain::sealing::Key;
use crate::id::{IdSource, RandomIds};
use crate::telemetry;

/// The name of the file in the data folder, in which `--dev` keeps its key.
pub(super) const FILE: &str = "dev-key-encryption-key";

/// What to say where no key is configured.
const WANTED: &str = r#"no key-encryption key is configured, and without one nothing that is secret can be kept. Make one:

muster keys generate > /etc/muster/kek && chmod 400 /etc/muster/kek

and name it in the configuration:

[keys]
key_encryption_key = { file = "/etc/muster/kek" }   # or { env = "NAME" }, or { command = ["PROGRAM", "ARGUMENT"] }

Keep a copy of it apart from the database and its backups: who has lost it has lost what it encrypts."#;

/// What can be done with keys.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a new key-encryption key.
    Generate,
    /// Encrypt every tenant's key under the configured key-encryption key, instead of a previous one. Servers go on.
    Rotate(Place),
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Generate => print(&format!("{}\n", encode_key(&RandomIds.secret()))).map(drop),
        Command::Rotate(options) => rotate(options),
    }
}

fn rotate(options: &Place) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.open()?;
    let (id, count) = service.rotate_keys()?;
    let s = if count == 1 { "" } else { "s" };
    let done = format!(
        "{count} tenant key{s} newly encrypted; all are encrypted under the key-encryption key {id} now\n"
    );
    print(&done).map(drop)
}

/// The key-encryption keys as configured; those of `--dev` in the data folder, if it has been used there.
pub(super) fn find(config: &Config) -> Result<Vec<Key>, Failure> {
    let read = if let Some(keys) = &config.keys {
        keys.read()
    } else {
        let path = path(&config.server.data_dir);
        if !path.exists() {
            return Err(Failure::run(WANTED));
        }
        KeySource::File(path).read().map(|key| vec![key])
    };
    let keys = read.map_err(|error| Failure::run(error.to_string()))?;
    Ok(keys.into_iter().map(Key::new).collect())
}

/// The key of SQLite's file as a whole, where one is configured.
pub(super) fn of_file(config: &Config) -> Result<Option<Key>, Failure> {
    let source = config
        .keys
        .as_ref()
        .and_then(|keys| keys.sqlite_key.as_ref());
    let read = source.map(KeySource::read).transpose();
    let key = read.map_err(|error| Failure::run(error.to_string()))?;
    Ok(key.map(Key::new))
}

/// What a server is started with: as configured; with `--dev` one is made in the data folder where none is.
pub(super) fn prepare(config: &Config, dev: bool, ids: &dyn IdSource) -> Result<(), Failure> {
    match (&config.keys, dev) {
        (Some(_), _) => Ok(()),
        (None, false) => Err(Failure::run(WANTED)),
        (None, true) => {
            let path = path(&config.server.data_dir);
            match keep(&path, &encode_key(&ids.secret())) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Failure::run(
                    format!("cannot keep a key in {}: {error}", path.display()),
                )),
                _ => Ok(()),
            }
        }
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join(FILE)
}

/// Writes a file for its owner's eyes, if there is none of that name. It has that name once it is whole: another process may
/// start at the same time.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension(std::process::id().to_string());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    let kept = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    kept
}
