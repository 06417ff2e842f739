//! What a run has found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use super::cases::Case;
use super::compare::Mismatch;
use super::wire::Request;

/// The most characters of a body that the report for people repeats.
const SHOWN: usize = 1200;

/// What went wrong in a case.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    step: String,
    request: Option<Box<Request>>,
    mismatch: Mismatch,
}

impl Problem {
    /// At `step`, the answer to `request` was not what it should be.
    pub(super) fn new(step: &str, request: Option<Request>, mismatch: Mismatch) -> Self {
        Self {
            step: step.into(),
            request: request.map(Box::new),
            mismatch,
        }
    }

    /// The same went wrong in so many answers more.
    pub(super) fn repeated(mut self, more: usize) -> Self {
        if more > 0 {
            self.step = format!("{} and {more} more", self.step);
        }
        self
    }

    /// The request as it was sent, without the token.
    fn shown_request(&self) -> String {
        let Some(request) = &self.request else {
            return "none".into();
        };
        let mut text = format!("{} {}", request.method, request.path);
        for (name, value) in public_headers(request) {
            _ = write!(text, "\n{name}: {value}");
        }
        if let Some(body) = &request.body {
            _ = write!(text, "\n{body}");
        }
        text
    }

    fn to_json(&self) -> Value {
        let request = self.request.as_ref().map(|request| {
            let headers: BTreeMap<&str, &str> = public_headers(request).collect();
            json!({
                "method": request.method, "path": request.path,
                "headers": headers, "body": request.body,
            })
        });
        json!({
            "step": self.step, "request": request,
            "expected": self.mismatch.expected, "got": self.mismatch.got,
        })
    }
}

/// A case may try another Authorization, which is nobody's secret; all the same none is shown.
fn public_headers(request: &Request) -> impl Iterator<Item = (&str, &str)> {
    request
        .headers
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"))
        .map(|(name, value)| (name.as_str(), value.as_str()))
}

/// How a case ended.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Passed,
    Failed(Problem),
    /// Why it was not tried.
    Skipped(String),
}

/// One case and how it ended.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) file: &'static str,
    pub(super) name: String,
    pub(super) clause: String,
    pub(super) outcome: Outcome,
}

impl Finding {
    pub(super) fn new(case: &Case, outcome: Outcome) -> Self {
        Self {
            file: case.file,
            name: case.name.clone(),
            clause: case.clause.clone(),
            outcome,
        }
    }
}

/// What a run has found.
#[derive(Debug)]
pub struct Report {
    pub(super) url: String,
    pub(super) profile: String,
    pub(super) findings: Vec<Finding>,
    /// What could not be removed again.
    pub(super) left: Vec<String>,
}

/// How many cases ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that the server meets.
    pub passed: usize,
    /// Cases that it does not meet.
    pub failed: usize,
    /// Cases that were not tried, each with its reason.
    pub skipped: usize,
}

impl Totals {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
        }
    }
}

impl Report {
    /// The totals.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for finding in &self.findings {
            totals.count(&finding.outcome);
        }
        totals
    }

    /// The report as one JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let totals = self.totals();
        let case = |finding: &Finding| {
            let mut case = json!({
                "file": finding.file, "name": finding.name, "clause": finding.clause,
            });
            match &finding.outcome {
                Outcome::Passed => case["outcome"] = "passed".into(),
                Outcome::Skipped(reason) => {
                    case["outcome"] = "skipped".into();
                    case["reason"] = reason.as_str().into();
                }
                Outcome::Failed(problem) => {
                    case["outcome"] = "failed".into();
                    case["failure"] = problem.to_json();
                }
            }
            case
        };
        json!({
            "url": self.url, "profile": self.profile,
            "passed": totals.passed, "failed": totals.failed, "skipped": totals.skipped,
            "left": self.left,
            "cases": self.findings.iter().map(case).collect::<Vec<_>>(),
        })
    }

    /// The report for people: a table by clause, every failure, the reasons for what was skipped, the totals.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = self.table();
        for finding in &self.findings {
            if let Outcome::Failed(problem) = &finding.outcome {
                _ = write!(
                    text,
                    "\nFAILED  {}: {}\n        {}\n",
                    finding.clause, finding.name, finding.file
                );
                for (title, what) in [
                    ("step", problem.step.clone()),
                    ("request", problem.shown_request()),
                    ("expected", problem.mismatch.expected.clone()),
                    ("got", problem.mismatch.got.clone()),
                ] {
                    let what = shortened(&what).replace('\n', "\n            ");
                    _ = writeln!(text, "  {title:9} {what}");
                }
            }
        }
        self.skips(&mut text);
        for location in &self.left {
            _ = writeln!(text, "\nleft behind: {location}");
        }
        let totals = self.totals();
        _ = writeln!(
            text,
            "\n{} as profile {}: {} passed, {} failed, {} skipped",
            self.url, self.profile, totals.passed, totals.failed, totals.skipped
        );
        text
    }

    fn table(&self) -> String {
        let mut clauses: BTreeMap<Vec<Chunk>, (&str, Totals)> = BTreeMap::new();
        for finding in &self.findings {
            let clause = finding.clause.split(',').next().unwrap_or_default().trim();
            let row = clauses
                .entry(chunks(clause))
                .or_insert((clause, Totals::default()));
            row.1.count(&finding.outcome);
        }
        let mut text = format!("{:34} passed failed skipped\n", "");
        for (clause, totals) in clauses.into_values() {
            let Totals {
                passed,
                failed,
                skipped,
            } = totals;
            _ = writeln!(text, "{clause:34} {passed:6} {failed:6} {skipped:7}");
        }
        text
    }

    fn skips(&self, text: &mut String) {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for finding in &self.findings {
            if let Outcome::Skipped(reason) = &finding.outcome {
                reasons.entry(reason).or_default().push(&finding.name);
            }
        }
        for (reason, names) in reasons {
            _ = writeln!(text, "\nskipped {}: {reason}", names.len());
            for name in names.iter().take(5) {
                _ = writeln!(text, "  {name}");
            }
            if names.len() > 5 {
                _ = writeln!(text, "  and {} more", names.len() - 5);
            }
        }
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    let start: String = text.chars().take(SHOWN).collect();
    format!("{start} … ({} bytes in all)", text.len())
}

/// A part of a clause's number, so that §3.10 comes after §3.9.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Chunk {
    Number(u64),
    Text(String),
}

fn chunks(clause: &str) -> Vec<Chunk> {
    let mut found: Vec<Chunk> = Vec::new();
    for c in clause.chars() {
        match (c.to_digit(10).map(u64::from), found.last_mut()) {
            (Some(digit), Some(Chunk::Number(number))) => {
                *number = number.saturating_mul(10).saturating_add(digit);
            }
            (Some(digit), _) => found.push(Chunk::Number(digit)),
            (None, Some(Chunk::Text(text))) => text.push(c),
            (None, _) => found.push(Chunk::Text(c.into())),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::chunks;

    #[test]
    fn clauses_are_in_the_order_of_their_numbers() {
        assert!(chunks("RFC 7644 §3.9") < chunks("RFC 7644 §3.10"));
        assert!(chunks("RFC 7643 §9") < chunks("RFC 7644 §3"));
        assert!(chunks("RFC 7644 §3.4") < chunks("RFC 7644 §3.4.1"));
    }
}
