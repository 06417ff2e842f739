//! `muster policy simulate | status`: what a policy would make of the records there are, and how far they are.

use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;

use chrono::SecondsFormat;
use clap::Args;

use super::stored::Tenancy;
use super::{Failure, print, sound};
use crate::domain::catalog::Catalog;
use crate::domain::simulation::Simulation;

/// `simulate FILE`.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The proposed policy (YAML).
    file: PathBuf,
    /// Look at one record in so many only.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    #[command(flatten)]
    of: Tenancy,
}

/// `status`.
#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    of: Tenancy,
}

pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let policy = sound(&options.file, catalog)?;
    let service = options.of.place.open()?;
    let shows = std::io::stderr().is_terminal();
    let found = service.simulate(&options.of.tenant, &policy, options.every, |passed| {
        if shows && passed % 10_000 == 0 {
            tracing::info!(records = passed, "looked at");
        }
    });
    print(&report(&found?, options.every)).map(drop)
}

fn report(found: &Simulation, every: u64) -> String {
    let mut text = String::new();
    let _ = match every {
        1 => writeln!(text, "{} records looked at", found.looked),
        every => writeln!(text, "{} records looked at, one in {every}", found.looked),
    };
    let _ = writeln!(text, "{} would change", found.changed);
    if found.accounts_lost > 0 {
        let lost = found.accounts_lost;
        let _ = writeln!(
            text,
            "{lost} accounts would be closed: nobody who may say so says what their userName is"
        );
    }
    if !found.effects.is_empty() {
        let _ = writeln!(text, "\nattribute\tchanged\tgained\tlost\tfor example");
    }
    for (path, effect) in &found.effects {
        let examples: Vec<String> = effect.examples.iter().map(ToString::to_string).collect();
        let (changed, gained, lost) = (effect.changed, effect.gained, effect.lost);
        let _ = writeln!(
            text,
            "{path}\t{changed}\t{gained}\t{lost}\t{}",
            examples.join(" ")
        );
    }
    text
}

pub(super) fn status(options: &Status) -> Result<(), Failure> {
    let service = options.of.place.open()?;
    let history = service.policy_history(&options.of.tenant);
    let progress = service.refold_progress(&options.of.tenant);
    let Some(newest) = history?.into_iter().next() else {
        return print("no policy is in force\n").map(drop);
    };
    let mut text = format!("version {} is in force\n", newest.number);
    let _ = match progress? {
        Some(known) if known.version == newest.number => {
            let (looked, changed, skipped) = (known.looked, known.changed, known.skipped);
            let state = known.finished.map_or_else(
                || "being folded under it by the server".to_owned(),
                |at| {
                    format!(
                        "folded under it since {}",
                        at.to_rfc3339_opts(SecondsFormat::Secs, true)
                    )
                },
            );
            writeln!(
                text,
                "records are {state}: {looked} looked at, {changed} changed, {skipped} skipped"
            )
        }
        _ => writeln!(
            text,
            "no record has been folded under it yet: a running server does it in the background"
        ),
    };
    print(&text).map(drop)
}
