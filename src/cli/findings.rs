//! What is wrong with a file, printed: a line each, or one JSON object.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::ValueEnum;
use serde_json::json;

use super::{Failure, print};
use crate::domain::policy::{Finding, MAX_BYTES, Severity};

/// How to print findings.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// One line each.
    Text,
    /// One JSON object.
    Json,
}

/// Prints what is wrong with a file; a failure if there is an error.
pub(super) fn tell(file: &Path, findings: &[Finding], format: Format) -> Result<(), Failure> {
    let count = |severity| {
        findings
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let name = file.display();
    let summary = format!(
        "{name}: {}, {}",
        many(errors, "error"),
        many(warnings, "warning")
    );
    let text = match format {
        Format::Text => {
            let lines = findings.iter().map(|found| line(file, found) + "\n");
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

/// `FILE:LINE:COLUMN: error: reason`
pub(super) fn line(path: &Path, found: &Finding) -> String {
    let Finding {
        at,
        severity,
        reason,
    } = found;
    format!(
        "{}:{}:{}: {severity}: {reason}",
        path.display(),
        at.line,
        at.column
    )
}

/// Reads a file; of one that is too large only so much that this shows.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = |error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let file = File::open(path).map_err(cannot)?;
    let mut bytes = Vec::new();
    let most = MAX_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn many(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}
