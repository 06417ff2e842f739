//! `muster policy advise`: which rules the past decisions of humans recommend, with the evidence.

use std::fmt::Write;

use clap::Args;

use super::stored::Tenancy;
use super::{Failure, print};
use crate::domain::advice::{Advice, Verdict};
use crate::service::advice::Recommended;

/// `advise`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Recommend nothing where fewer were decided.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    least: u64,
    #[command(flatten)]
    of: Tenancy,
}

pub(super) fn run(options: &Options) -> Result<(), Failure> {
    let service = options.of.place.open()?;
    let found = service.advise(&options.of.tenant, options.least);
    let Some(found) = found? else {
        let tenant = &options.of.tenant;
        return Err(Failure::run(format!("the tenant '{tenant}' has no policy")));
    };
    print(&report(&found, options.least)).map(drop)
}

fn report(found: &Recommended, least: u64) -> String {
    let advised = &found.advised;
    if advised.advice.is_empty() {
        return "nobody has decided about a suggestion yet: there is nothing to go by\n".to_owned();
    }
    let mut text = "attribute\tsystem\tapproved\televated\trejected\tadvice\n".to_owned();
    for one in &advised.advice {
        let (name, system, tally) = (&one.name, &one.system, one.tally);
        let (approved, elevated, rejected) = (tally.approved, tally.elevated, tally.rejected);
        let advice = sentence(one, least);
        let _ = writeln!(
            text,
            "{name}\t{system}\t{approved}\t{elevated}\t{rejected}\t{advice}"
        );
    }
    if advised.rows.is_empty() {
        text.push_str("\nno rule needs a change\n");
        return text;
    }
    text.push_str("\nauthority:\n");
    for row in &advised.rows {
        let _ = match (row.instead_of, &row.text) {
            (Some(line), Some(row)) => {
                writeln!(text, "  # instead of the row in line {line}:\n  {row}")
            }
            (Some(line), None) => writeln!(text, "  # the row in line {line} goes"),
            (None, row) => writeln!(
                text,
                "  # further:\n  {}",
                row.as_deref().unwrap_or_default()
            ),
        };
    }
    if let Some(simulation) = &found.simulation {
        let (looked, changed) = (simulation.looked, simulation.changed);
        let _ = writeln!(text, "\n{changed} of {looked} records would change:");
        for (path, effect) in &simulation.effects {
            let (changed, gained, lost) = (effect.changed, effect.gained, effect.lost);
            let _ = writeln!(
                text,
                "{path}\t{changed} changed, {gained} gained, {lost} lost"
            );
        }
    }
    text
}

fn sentence(one: &Advice, least: u64) -> String {
    let (taken, all) = (one.tally.taken(), one.tally.all());
    let master = one.master.as_deref().unwrap_or_default();
    let system = &one.system;
    match one.verdict {
        Verdict::Master => {
            format!("taken {taken} of {all} times: make {system} master in place of {master}")
        }
        Verdict::Stands => format!("taken {taken} of {all} times: {master} is rightly master"),
        Verdict::Mixed => format!("taken {taken} of {all} times: no rule fits, go on deciding"),
        Verdict::Few => format!("only {all} decided, {least} are needed"),
        Verdict::Settled => format!("what {system} says is no suggestion any more"),
    }
}
