//! `muster policy check FILE`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Failure, line, open, print};
use crate::domain::catalog::Catalog;
use crate::domain::policy::Severity;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML).
    file: PathBuf,
    /// How to print the findings.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// One line each.
    Text,
    /// One JSON object.
    Json,
}

/// Prints the findings.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let findings = open(&options.file, catalog)?.findings;
    let count = |severity| {
        findings
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let name = options.file.display();
    let summary = format!(
        "{name}: {}, {}",
        many(errors, "error"),
        many(warnings, "warning")
    );
    let text = match options.format {
        Format::Text => {
            let lines = findings
                .iter()
                .map(|found| line(&options.file, found) + "\n");
            let end = if errors == 0 {
                format!("{summary}\n")
            } else {
                String::new()
            };
            lines.collect::<String>() + &end
        }
        Format::Json => {
            let file = name.to_string();
            format!(
                "{}\n",
                json!({"file": file, "errors": errors, "warnings": warnings, "findings": findings})
            )
        }
    };
    print(&text)?;
    if errors == 0 {
        return Ok(());
    }
    Err(Failure::run(summary))
}

fn many(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
