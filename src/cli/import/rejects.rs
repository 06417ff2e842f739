//! The file of what was not taken in: line, column, attribute and reason of each row, as CSV or as JSON Lines. It is there
//! only if there is something to tell.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::service::import::Reject;

/// The file, once there is something in it.
pub(super) struct Rejects {
    path: PathBuf,
    is_json: bool,
    file: Option<File>,
}

/// The names of the columns.
const HEAD: [&str; 4] = ["line", "column", "attribute", "reason"];

impl Rejects {
    /// What an earlier import has left is removed, unless this one goes on with it.
    pub(super) fn open(path: &Path, goes_on: bool) -> Result<Self, Failure> {
        let rejects = Self {
            path: path.to_owned(),
            is_json: path.extension().is_some_and(|ending| ending != "csv"),
            file: None,
        };
        if !goes_on && path.exists() {
            fs::remove_file(path).map_err(|error| rejects.cannot(&error))?;
        }
        Ok(rejects)
    }

    fn cannot(&self, error: &dyn std::fmt::Display) -> Failure {
        Failure::run(format!("cannot write {}: {error}", self.path.display()))
    }

    /// Leaves out what is told of a line and those after it.
    pub(super) fn forget_from(&mut self, line: u64) -> Result<(), Failure> {
        if !self.path.exists() {
            return Ok(());
        }
        let kept = self.read().map_err(|error| self.cannot(&error))?;
        fs::remove_file(&self.path).map_err(|error| self.cannot(&error))?;
        self.file = None;
        let kept: Vec<Reject> = kept.into_iter().filter(|known| known.line < line).collect();
        self.write(&kept)
    }

    fn read(&self) -> io::Result<Vec<Reject>> {
        if self.is_json {
            let text = fs::read_to_string(&self.path)?;
            // A last line that was cut off is one of those that are told again.
            let read = text
                .lines()
                .map_while(|line| serde_json::from_str(line).ok());
            return Ok(read.collect());
        }
        let mut reader = csv::Reader::from_path(&self.path)?;
        let rows = reader.records().map_while(|row| {
            let row = row.ok()?;
            let cell = |n| row.get(n).unwrap_or_default().to_owned();
            Some(Reject {
                line: cell(0).parse().ok()?,
                fault: crate::domain::mapping::Fault {
                    column: cell(1),
                    attribute: cell(2),
                    reason: cell(3),
                },
            })
        });
        Ok(rows.collect())
    }

    pub(super) fn write(&mut self, rejects: &[Reject]) -> Result<(), Failure> {
        if rejects.is_empty() {
            return Ok(());
        }
        let written = self.append(rejects);
        written.map_err(|error| self.cannot(&error))
    }

    fn append(&mut self, rejects: &[Reject]) -> io::Result<()> {
        let is_new = !self.path.exists();
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let open = OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(&self.path)?;
                none.insert(open)
            }
        };
        let mut text = Vec::new();
        if self.is_json {
            for reject in rejects {
                serde_json::to_writer(&mut text, reject)?;
                text.push(b'\n');
            }
        } else {
            let mut writer = csv::Writer::from_writer(&mut text);
            if is_new {
                writer.write_record(HEAD)?;
            }
            for Reject { line, fault } in rejects {
                let line = line.to_string();
                writer.write_record([&line, &fault.column, &fault.attribute, &fault.reason])?;
            }
            writer.flush()?;
        }
        file.write_all(&text)
    }

    /// Has what was written reach the disk.
    pub(super) fn close(self) -> Result<(), Failure> {
        let synced = self.file.as_ref().map_or(Ok(()), File::sync_all);
        synced.map_err(|error| self.cannot(&error))
    }
}
