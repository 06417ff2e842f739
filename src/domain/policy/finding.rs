//! What is wrong with a policy, and where: every mistake, not only the first.

use std::fmt;

use serde::Serialize;

/// A place in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The policy cannot be used.
    Error,
    /// The policy can be used, but a line of it has no effect.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// One mistake: where, how bad, why, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Where it stands.
    #[serde(flatten)]
    pub at: Position,
    /// How bad it is.
    pub severity: Severity,
    /// One line: what is wrong and what would be right.
    pub reason: String,
}

/// A value and where it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed<T> {
    /// Where.
    pub at: Position,
    /// What.
    pub value: T,
}

/// The findings so far.
#[derive(Clone, Debug, Default)]
pub(in crate::domain) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds a mistake because of which the policy cannot be used.
    pub(in crate::domain) fn error(&mut self, at: Position, reason: impl Into<String>) {
        self.add(at, Severity::Error, &reason.into());
    }

    /// Adds a line without effect.
    pub(in crate::domain) fn warn(&mut self, at: Position, reason: impl Into<String>) {
        self.add(at, Severity::Warning, &reason.into());
    }

    /// What stands nowhere is a default for what is missing, which is told already.
    /// What stands in the file may hold anything: it must not draw on the operator's terminal.
    fn add(&mut self, at: Position, severity: Severity, reason: &str) {
        if at == Position::default() {
            return;
        }
        let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        self.0.push(Finding {
            at,
            severity,
            reason: reason.chars().map(plain).collect(),
        });
    }

    /// How many there are.
    pub(in crate::domain) fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them in the order of the file, none twice.
    pub(in crate::domain) fn sorted(self) -> Vec<Finding> {
        let mut found = self.0;
        found.sort();
        found.dedup();
        found
    }
}
