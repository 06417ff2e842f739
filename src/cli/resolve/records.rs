//! Records of which it is known whose they are, from CSV files.
//!
//! A file's header says how it is laid out: FEBRL's has `rec_id`, whose number is the person's (`rec-17-dup-0`); any other has
//! `given_name` and `family_name`, and a `true_id` where the truth is known. Columns that are missing are values that are missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use serde_json::Value;

use crate::domain::matching::Profile;
use crate::domain::matching::evaluate::Known;

/// How a file is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// FEBRL's; its identifier is left out, because with it nothing is left to find out.
    Febrl,
    /// That of people as HR systems know them.
    People,
}

/// What the files hold.
#[derive(Debug)]
pub struct Records {
    /// The records, in the files' order; where the truth is not known, each is somebody else's.
    pub known: Vec<Known>,
    /// How the last file is laid out.
    pub layout: Layout,
    /// Whether the truth is known.
    pub is_labeled: bool,
}

/// Why a file cannot be used; each names the file, and the line where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read, or is no CSV.
    #[error("{file}: {error}")]
    Csv {
        /// The file.
        file: String,
        /// What the reader says, with the line.
        error: csv::Error,
    },
    /// Its header lacks what tells people apart.
    #[error("{file}: the header has neither 'rec_id' nor both 'given_name' and 'family_name'")]
    Header {
        /// The file.
        file: String,
    },
    /// A row does not say whose it is.
    #[error("{file}, line {line}: nothing says whose record this is")]
    Nobody {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
    },
}

/// The row of a file, by the names of its columns.
struct Row<'r> {
    columns: &'r HashMap<String, usize>,
    values: &'r StringRecord,
}

impl Row<'_> {
    fn get(&self, column: &str) -> &str {
        let at = self.columns.get(column);
        at.and_then(|at| self.values.get(*at))
            .unwrap_or_default()
            .trim()
    }
}

/// Reads the files, one after the other.
pub fn read(files: &[PathBuf]) -> Result<Records, ReadError> {
    let mut records = Records {
        known: Vec::new(),
        layout: Layout::People,
        is_labeled: true,
    };
    let mut people = HashMap::new();
    for file in files {
        read_file(file, &mut records, &mut people)?;
    }
    Ok(records)
}

fn read_file(
    path: &Path,
    records: &mut Records,
    people: &mut HashMap<String, u32>,
) -> Result<(), ReadError> {
    let file = path.display().to_string();
    let broken = |error| ReadError::Csv {
        file: file.clone(),
        error,
    };
    let mut reader = csv::Reader::from_path(path).map_err(broken)?;
    let header = reader.headers().map_err(broken)?;
    let columns: HashMap<String, usize> = header
        .iter()
        .enumerate()
        .map(|(at, name)| (name.trim().to_owned(), at))
        .collect();
    let has = |name: &str| columns.contains_key(name);
    records.layout = match (has("rec_id"), has("given_name") && has("family_name")) {
        (true, _) => Layout::Febrl,
        (false, true) => Layout::People,
        (false, false) => return Err(ReadError::Header { file }),
    };
    let is_labeled = records.layout == Layout::Febrl || has("true_id");
    records.is_labeled &= is_labeled;
    for values in reader.records() {
        let values = values.map_err(broken)?;
        let row = Row {
            columns: &columns,
            values: &values,
        };
        let (profile, whose) = match records.layout {
            Layout::Febrl => febrl(&row),
            Layout::People => person(&row),
        };
        let line = values.position().map_or(0, csv::Position::line);
        let whose = if is_labeled {
            whose.to_owned()
        } else {
            format!("{file}:{line}")
        };
        if whose.is_empty() {
            return Err(ReadError::Nobody { file, line });
        }
        let next = u32::try_from(people.len()).unwrap_or(u32::MAX);
        let person = *people.entry(whose).or_insert(next);
        let profile = profile.into();
        records.known.push(Known { profile, person });
    }
    Ok(())
}

fn febrl<'r>(row: &'r Row<'_>) -> (Profile, &'r str) {
    let mut profile = Profile::default();
    profile.name([row.get("given_name"), "", row.get("surname")], "", "");
    profile.birth(row.get("date_of_birth"));
    let street = ["street_number", "address_1", "address_2"].map(|column| row.get(column));
    profile.place([
        &street.join(" "),
        row.get("suburb"),
        row.get("state"),
        row.get("postcode"),
    ]);
    let number = row.get("rec_id").split('-').nth(1);
    (profile, number.unwrap_or_default())
}

fn person<'r>(row: &'r Row<'_>) -> (Profile, &'r str) {
    let mut profile = Profile::default();
    let legal = row.get("national_id_hash");
    if !legal.is_empty() {
        profile.legal.push(legal.to_owned());
    }
    profile.name(
        ["given_name", "middle_name", "family_name"].map(|column| row.get(column)),
        row.get("name_suffix"),
        row.get("display_name"),
    );
    profile.birth(row.get("birth_date"));
    for column in ["email_primary", "email_secondary"] {
        profile.email(row.get(column));
    }
    let country = Some(row.get("country")).filter(|country| !country.is_empty());
    for column in ["phone_primary", "phone_secondary"] {
        profile.phone(row.get(column), country);
    }
    profile.place(["street", "city", "region", "postal_code"].map(|column| row.get(column)));
    profile.employer(row.get("employer"));
    if let Ok(Value::Array(jobs)) = serde_json::from_str(row.get("employment_history")) {
        for job in jobs {
            profile.employer(job["employer"].as_str().unwrap_or_default());
        }
    }
    (profile, row.get("true_id"))
}
