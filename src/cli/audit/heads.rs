//! The file outside the database in which the server keeps the heads that it signs, each as a line of JSON.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::service::log::Keep;

/// Where: as configured, else in the data folder if the database is there too.
pub(in crate::cli) fn file(config: &Config) -> Option<PathBuf> {
    let beside = || config.server.data_dir.join("heads.jsonl");
    let configured = config.audit.heads.clone();
    configured.or_else(|| config.server.database_url.is_none().then(beside))
}

/// Appends to that file. What it answers for has reached the disk.
pub(in crate::cli) fn keep(file: PathBuf) -> Keep {
    Box::new(move |lines| append(&file, lines))
}

fn append(file: &Path, lines: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(lines.as_bytes())?;
    file.sync_data()
}
