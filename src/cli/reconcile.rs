//! `muster reconcile`: a full extract against what is held of its system.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::database::Place;
use super::extract::{Extract, Job};
use super::{Failure, mapping, print};
use crate::clock::{Clock, SystemClock};
use crate::domain::mapping::Mapping;
use crate::service::Muster;
use crate::service::import::{CHUNK, Compared, Counts, Import, Ledger, Line, Order, Report, Seen};
use crate::telemetry;

/// What to compare.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    job: Job,
    /// Take in the rows that drifted or are missing here. Who is missing there is only reported.
    #[arg(long)]
    repair: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// Compares, repairs if asked to, and prints the report.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let service = options.place.open()?;
    let report = reconcile(&service, (&options.job, options.repair), &SystemClock)?;
    print(&if options.json {
        format!("{:#}\n", json!(report))
    } else {
        readable(&report)
    })
    .map(drop)
}

/// Compares a file with what is held; the report is kept in the log too.
pub(super) fn reconcile(
    service: &Muster,
    (job, repair): (&Job, bool),
    clock: &dyn Clock,
) -> Result<Report, Failure> {
    let (mapping, mapping_hash) = mapping::sound(&job.map, &job.system)?;
    let order = Order {
        tenant: service.tenant(&job.tenant)?,
        system: job.system.clone(),
        actor: job.actor.clone(),
        at: clock.now(),
        name: job.file.display().to_string(),
        file: [0; 32],
        mapping: mapping_hash,
        dry_run: false,
    };
    let import = service.reconciliation(&order, &mapping)?;
    let mut report = Report {
        system: job.system.clone(),
        file: order.name.clone(),
        at: order.at,
        ..Report::default()
    };
    let mut ledger = Ledger::default();
    let mut seen = Seen::default();
    each_chunk(&job.file, &mapping, clock, |lines| {
        let lines = lines.into_iter().map(|line| seen.check(line)).collect();
        let chunk = import.prepare(lines, clock.now());
        for reject in chunk.rejects() {
            report.reject(reject.clone());
        }
        let compared = import.compare(&chunk)?;
        let repairable = compared.iter().filter(|row| row.is_repairable());
        let repairable: BTreeSet<u64> = repairable.map(|row| row.line).collect();
        for row in compared {
            report.add(row);
        }
        if repair && !repairable.is_empty() {
            for reject in import.commit(&mut ledger, chunk.only(&repairable), clock.now())? {
                report.reject(reject);
            }
        }
        Ok(())
    })?;
    missing_there(&import, &seen, &mut report)?;
    report.repaired = repair.then(|| Counts::from(&ledger));
    import.report(&report, clock.now())?;
    Ok(report)
}

/// Reads a file chunk by chunk.
fn each_chunk(
    file: &Path,
    mapping: &Mapping,
    clock: &dyn Clock,
    mut take: impl FnMut(Vec<Line>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let cannot =
        |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", file.display()));
    let extract = Extract::open(file, mapping).map_err(cannot)?;
    let bound = super::import::bind(mapping, &extract, file)?;
    let mut lines = Vec::with_capacity(CHUNK);
    for next in extract {
        let (number, row) = next.map_err(cannot)?;
        let said = row.map_err(|fault| vec![fault]);
        let said = said.and_then(|row| bound.apply(&row, clock.now()));
        lines.push(Line { number, said });
        if lines.len() == CHUNK {
            take(std::mem::take(&mut lines))?;
        }
    }
    if lines.is_empty() {
        Ok(())
    } else {
        take(lines)
    }
}

/// Adds those of whom the system is held to speak and the file does not. A row that could not be read may have spoken of
/// anybody, so that it shows beside them in the report.
fn missing_there(import: &Import<'_>, seen: &Seen, report: &mut Report) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let page = import.held(after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.row;
        for held in page {
            let is_there = held.external_id.as_deref().is_some_and(|id| seen.has(id));
            if !is_there {
                report.miss(held);
            }
        }
    }
}

/// The report for people to read.
fn readable(report: &Report) -> String {
    let mut text = format!(
        "{} against {}: {} rows compared, {} agree\n",
        report.file, report.system, report.rows, report.agreeing
    );
    let kinds = [
        ("missingHere", "in the extract, and not here"),
        ("missingThere", "here, and not in the extract"),
        ("orphans", "of these, no other system speaks of them"),
        ("unnamed", "of these, the system never gave an externalId"),
        ("drifted", "in both, and not alike"),
        ("duplicates", "twice in the extract"),
        ("rejected", "could not be compared"),
    ];
    for (kind, meaning) in kinds {
        let _ = writeln!(text, "{:>9}  {meaning}", report.of(kind));
    }
    for (path, count) in &report.drifted_attributes {
        let _ = writeln!(text, "{count:>9}  {path}");
    }
    let row = |kind: &str, row: &Compared| {
        let said = row.drifted.iter().cloned();
        let silent = row
            .lingering
            .iter()
            .map(|path| format!("{path} (no longer said)"));
        let what: Vec<String> = said.chain(silent).collect();
        format!(
            "line {}: {} {kind} {}\n",
            row.line,
            row.external_id,
            what.join(", ")
        )
    };
    for compared in &report.missing_here {
        text.push_str(&row("is missing here", compared));
    }
    for compared in &report.drifted {
        text.push_str(&row("drifted:", compared));
    }
    for missing in &report.missing_there {
        let name = missing.external_id.as_deref().unwrap_or("(no externalId)");
        let orphan = if missing.orphan { ", an orphan" } else { "" };
        let _ = writeln!(
            text,
            "{name} is missing there: person {}{orphan}",
            missing.person
        );
    }
    for reject in &report.rejected {
        let _ = writeln!(text, "line {}: {}", reject.line, reject.fault.reason);
    }
    if let Some(repaired) = &report.repaired {
        let _ = writeln!(
            text,
            "repaired: {} created, {} joined, {} changed",
            repaired.created, repaired.joined, repaired.changed
        );
    }
    text
}
