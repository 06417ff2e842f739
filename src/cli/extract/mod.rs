//! Extracts of a system as files, read row by row: whatever their size, one row is in memory.
//!
//! | file | what it reads |
//! |---|---|
//! | `lines` | lines, each with its number |
//! | `csv` | CSV (RFC 4180), with every mistake told by its line |
//! | `json` | JSON Lines, the elements of one JSON array, or the operations of a SCIM bulk request |

mod csv;
mod json;
mod lines;

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest, Sha256};

use crate::domain::mapping::{Fault, Format, Mapping, Row};
use csv::Table;
use json::Objects;
use lines::Lines;

/// An extract, whose it is, and who orders what is done with it.
#[derive(Clone, Debug, Args)]
pub(super) struct Job {
    /// The extract.
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// The source system whose extract it is.
    #[arg(long, value_name = "NAME")]
    pub(super) system: String,
    /// The mapping (YAML): which column claims which attribute.
    #[arg(long, value_name = "MAPPING")]
    pub(super) map: PathBuf,
    /// The tenant.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) tenant: String,
    /// Who orders it, for the log.
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub(super) actor: String,
}

/// The most bytes that a row may have.
pub(super) const MAX_ROW: usize = 4 * 1024 * 1024;

/// A row by the number of its line, or why it is none.
pub(super) type Read1 = (u64, Result<Row, Fault>);

/// A file that is read row by row.
pub(super) struct Extract {
    /// The names of its columns; none if it is JSON.
    pub(super) columns: Vec<String>,
    rows: Rows,
}

enum Rows {
    Table(Table),
    Objects(Objects),
}

impl Extract {
    /// Opens a file that is written as a mapping says.
    pub(super) fn open(path: &Path, mapping: &Mapping) -> io::Result<Self> {
        let lines = Lines::new(BufReader::with_capacity(1 << 16, File::open(path)?))?;
        Ok(match mapping.format {
            Format::Csv => {
                let table = Table::new(lines, (mapping.delimiter, mapping.quote))?;
                Self {
                    columns: table.columns.clone(),
                    rows: Rows::Table(table),
                }
            }
            Format::JsonLines => Self {
                columns: Vec::new(),
                rows: Rows::Objects(Objects::new(lines)?),
            },
            Format::Scim => Self {
                columns: Vec::new(),
                rows: Rows::Objects(Objects::of_bulk(lines)?),
            },
        })
    }

    /// How many bytes have been read.
    pub(super) fn read_bytes(&self) -> u64 {
        match &self.rows {
            Rows::Table(table) => table.read_bytes(),
            Rows::Objects(objects) => objects.read_bytes(),
        }
    }
}

impl Iterator for Extract {
    type Item = io::Result<Read1>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match &mut self.rows {
            Rows::Table(table) => table.next_row(),
            Rows::Objects(objects) => objects.next_row(),
        };
        next.transpose()
    }
}

/// A row that is none.
fn unreadable(reason: impl Into<String>) -> Result<Row, Fault> {
    Err(Fault {
        reason: reason.into(),
        ..Fault::default()
    })
}

/// SHA-256 of a file, and its length.
pub(super) fn fingerprint(path: &Path) -> io::Result<([u8; 32], u64)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hasher.finalize().into(), length));
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
}

#[cfg(test)]
mod tests;
