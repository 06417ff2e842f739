//! `muster policy`: says what is wrong with a policy, what it lets a client do, and who may see what; puts it in force, and
//! looks back at what was.
//!
//! | file | what it does |
//! |---|---|
//! | `check` | every mistake of a file, with its place |
//! | `stored` | the versions of a tenant: apply, show, history, rollback |
//! | `diff` | what a policy would change, and for whom |
//! | `simulate` | what it would make of the records there are; and how far they are |
//! | `advise` | which rules the decisions of humans recommend |
//! | `explain` | attribute by attribute what one client may do and see |
//! | `who` | who may see one attribute, for what, by which row |

mod advise;
mod check;
mod diff;
mod explain;
mod simulate;
mod stored;
mod who;

use std::path::Path;

use clap::{Args, Subcommand};

use super::findings::{bytes, line};
use super::{Failure, print};
use crate::domain::access::{Held, Sight};
use crate::domain::catalog::Catalog;
use crate::domain::policy::{Loaded, Policy, load};
use stored::Tenancy;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Name every mistake of a policy file. Exit code 1 if there is an error, 2 if the file cannot be read.
    Check(check::Options),
    /// Put a policy in force for a tenant, as its next version. All processes have it within a quarter of a second.
    Apply(stored::Apply),
    /// Print the policy in force, or another version.
    Show(stored::Show),
    /// List the versions, the newest first: when, by whom, why.
    History(stored::History),
    /// Put an older version in force again, as the next one.
    Rollback(stored::Rollback),
    /// Say what a policy would change, and for whom.
    Diff(diff::Options),
    /// Say what a proposed policy would change of the records there are, before it is applied.
    Simulate(simulate::Options),
    /// Say which rules past reviews and elevations recommend, with the evidence, the rows to paste, and what they would change.
    Advise(advise::Options),
    /// Say which version is in force, and how far the records are folded under it.
    Status(simulate::Status),
    /// Say attribute by attribute what a client may do and see, and which line of the policy decides it.
    Explain(explain::Options),
    /// Say who may see an attribute, for what, and which line of the policy decides it.
    Who(who::Options),
}

/// Answers the question.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let catalog = Catalog::load().map_err(Failure::run)?;
    match &options.command {
        Command::Check(options) => check::run(options, &catalog),
        Command::Apply(options) => stored::apply(options),
        Command::Show(options) => stored::show(options),
        Command::History(options) => stored::history(options),
        Command::Rollback(options) => stored::rollback(options),
        Command::Diff(options) => diff::run(options, &catalog),
        Command::Simulate(options) => simulate::run(options, &catalog),
        Command::Advise(options) => advise::run(options),
        Command::Status(options) => simulate::status(options),
        Command::Explain(options) => explain::run(options, &catalog),
        Command::Who(options) => who::run(options, &catalog),
    }
}

/// Reads a file and all that it says.
fn open(path: &Path, catalog: &Catalog) -> Result<Loaded, Failure> {
    Ok(load(&bytes(path)?, catalog))
}

/// The policy of a file, or else the one in force; it must be without error.
fn chosen(file: Option<&Path>, of: &Tenancy, catalog: &Catalog) -> Result<Policy, Failure> {
    if let Some(file) = file {
        return sound(file, catalog);
    }
    let (version, text) = stored::text(of, None)?;
    let understood = load(&text, catalog).policy;
    understood.ok_or_else(|| {
        Failure::run(format!(
            "version {version} is of another release and not understood"
        ))
    })
}

/// Reads a file that must be without error.
fn sound(path: &Path, catalog: &Catalog) -> Result<Policy, Failure> {
    let loaded = open(path, catalog)?;
    loaded.policy.ok_or_else(|| {
        let lines: Vec<String> = loaded
            .findings
            .iter()
            .map(|found| line(path, found))
            .collect();
        Failure::run(format!("the policy has errors:\n{}", lines.join("\n")))
    })
}

/// The row that gives a right: `role hris, line 64, where …`.
fn by(held: &Held) -> String {
    let bound = held.filter.as_ref();
    let bound = bound.map_or_else(String::new, |filter| format!(", where {filter}"));
    format!("{}, line {}{bound}", held.row.name, held.row.at.line)
}

/// What is seen, in words, with the line that decides.
fn sight(sight: &Sight) -> String {
    match sight {
        Sight::Unreadable => "not readable".to_owned(),
        Sight::NeverReturned => "never returned".to_owned(),
        Sight::Open => "shown".to_owned(),
        Sight::Shown {
            purpose,
            consent: None,
            row,
        } => {
            format!("shown for {purpose} (line {})", row.at.line)
        }
        Sight::Shown {
            purpose,
            consent: Some((needed, treatment)),
            row,
        } => {
            let (line, word) = (row.at.line, treatment.word());
            format!("shown for {purpose} with consent to {needed}, else {word} (line {line})")
        }
        Sight::Hidden { treatment, row } => {
            format!("{} (line {})", treatment.word(), row.at.line)
        }
    }
}
