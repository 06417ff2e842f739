//! `muster import`: takes an extract in.
//!
//! One thread reads, maps and checks; the other commits: what is slow of each goes on while the other works, and no more
//! than a few chunks are in memory.
//!
//! | file | what it does |
//! |---|---|
//! | `progress` | how far it is, on a terminal or in a log |
//! | `rejects` | the file of what was not taken in |

mod progress;
mod rejects;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use clap::Args;

use super::database::Place;
use super::extract::{self, Extract, Job};
use super::{Failure, mapping, print};
use crate::clock::{Clock, SystemClock};
use crate::domain::mapping::{Bound, Format, Mapping};
use crate::service::import::{CHUNK, Chunk, Counts, Import, Ledger, Line, Order, Seen};
use crate::telemetry;
use progress::Progress;
use rejects::Rejects;

/// What to take in.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(flatten)]
    job: Job,
    /// Where to write the rows that are not taken in, each with its line and why; FILE.rejects.csv or FILE.rejects.jsonl
    /// without it.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Do everything but keep it: say what would be created, changed and rejected. Rows of one file do not see each other
    /// beyond a chunk.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

/// Chunks that wait to be committed.
const AHEAD: usize = 2;

/// A chunk on its way from one thread to the other.
struct Parcel {
    chunk: Chunk,
    /// The line of its first row.
    first: u64,
    /// Whether an earlier run has committed it.
    is_done: bool,
    /// How many bytes of the file are read.
    bytes: u64,
}

/// Takes the file in.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let (mapping, mapping_hash) = mapping::sound(&options.job.map, &options.job.system)?;
    let cannot = |error: std::io::Error| {
        Failure::usage(format!(
            "cannot read {}: {error}",
            options.job.file.display()
        ))
    };
    let (file_hash, length) = extract::fingerprint(&options.job.file).map_err(cannot)?;
    let extract = Extract::open(&options.job.file, &mapping).map_err(cannot)?;
    let bound = bind(&mapping, &extract, &options.job.file)?;
    let service = options.place.open()?;
    let order = Order {
        tenant: service.tenant(&options.job.tenant)?,
        system: options.job.system.clone(),
        actor: options.job.actor.clone(),
        at: SystemClock.now(),
        name: options.job.file.display().to_string(),
        file: file_hash,
        mapping: mapping_hash,
        dry_run: options.dry_run,
    };
    let import = service.import(&order, &mapping)?;
    let begun = import.begun();
    if import.is_of_changed_file() {
        tracing::warn!("the file has changed since an import of it was begun: it starts anew");
    }
    let rejects = Rejects::open(&options.rejects_file(&mapping), begun.position > 0)?;
    let counts = work(&import, (extract, &bound), rejects, length)?;
    print(&summary(&counts, options))?;
    if counts.rejected == 0 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} of {} rows were rejected: see {}",
        counts.rejected,
        counts.rows,
        options.rejects_file(&mapping).display()
    )))
}

impl Options {
    fn rejects_file(&self, mapping: &Mapping) -> PathBuf {
        let ending = match mapping.format {
            Format::Csv => "rejects.csv",
            Format::JsonLines | Format::Scim => "rejects.jsonl",
        };
        let beside = || format!("{}.{ending}", self.job.file.display()).into();
        self.rejects.clone().unwrap_or_else(beside)
    }
}

/// The mapping on the columns of an extract.
pub(super) fn bind<'m>(
    mapping: &'m Mapping,
    extract: &Extract,
    file: &Path,
) -> Result<Bound<'m>, Failure> {
    // An empty file names no columns, and has no rows that would need them; JSON has none anyway.
    if extract.columns.is_empty() {
        return Ok(mapping.unbound());
    }
    mapping.bind(&extract.columns).map_err(|wrong| {
        Failure::usage(format!(
            "{} does not fit the mapping:\n{}",
            file.display(),
            wrong.join("\n")
        ))
    })
}

/// Reads in one thread and commits in this one.
fn work(
    import: &Import<'_>,
    (extract, bound): (Extract, &Bound<'_>),
    mut rejects: Rejects,
    length: u64,
) -> Result<Counts, Failure> {
    let (sender, parcels) = sync_channel(AHEAD);
    let ledger = thread::scope(|scope| {
        let reader = scope.spawn(move || read(import, extract, bound, &sender));
        let committed = commit(import, &parcels, &mut rejects, length);
        drop(parcels);
        let read = reader
            .join()
            .map_err(|_| Failure::run("the reading thread panicked"))?;
        let ledger = committed?;
        read?;
        Ok::<_, Failure>(ledger)
    })?;
    rejects.close()?;
    Ok(import.finish(&ledger, SystemClock.now())?)
}

/// Reads rows, maps them, and sends them on in chunks.
fn read(
    import: &Import<'_>,
    mut extract: Extract,
    bound: &Bound<'_>,
    parcels: &SyncSender<Parcel>,
) -> Result<(), Failure> {
    let mut seen = Seen::default();
    let begun = import.begun();
    let (previous, position) = (begun.previous, begun.position);
    let mut at: i64 = 0;
    let mut lines = Vec::with_capacity(CHUNK);
    loop {
        let next = extract.next().transpose();
        let next = next.map_err(|error| Failure::run(format!("cannot read on: {error}")))?;
        let is_end = next.is_none();
        if let Some((number, row)) = next {
            let now = SystemClock.now();
            let said = row.map_err(|fault| vec![fault]);
            let said = said.and_then(|row| bound.apply(&row, now));
            let line = seen.check(Line { number, said });
            at += 1;
            if at > previous {
                lines.push(line);
            }
        }
        let is_full = lines.len() == CHUNK || at == position;
        if (is_full || is_end) && !lines.is_empty() {
            let first = lines.first().map_or(0, |line| line.number);
            let lines = std::mem::replace(&mut lines, Vec::with_capacity(CHUNK));
            let parcel = Parcel {
                chunk: import.prepare(lines, SystemClock.now()),
                first,
                is_done: at <= position,
                bytes: extract.read_bytes(),
            };
            // Who no longer takes them has failed, and says why.
            if parcels.send(parcel).is_err() {
                return Ok(());
            }
        }
        if is_end {
            return Ok(());
        }
    }
}

fn commit(
    import: &Import<'_>,
    parcels: &Receiver<Parcel>,
    rejects: &mut Rejects,
    length: u64,
) -> Result<Ledger, Failure> {
    let mut ledger = import.begun();
    let mut progress = Progress::new(length, ledger.position);
    for parcel in parcels {
        let now = SystemClock.now();
        if parcel.is_done {
            // Committed by a run that was ended before it could tell what it had rejected.
            rejects.forget_from(parcel.first)?;
            rejects.write(&import.replay(parcel.chunk, now)?)?;
        } else {
            rejects.write(&import.commit(&mut ledger, parcel.chunk, now)?)?;
        }
        progress.tell(parcel.bytes, ledger.position, ledger.rejected);
    }
    progress.finish();
    Ok(ledger)
}

fn summary(counts: &Counts, options: &Options) -> String {
    let Counts {
        rows,
        created,
        joined,
        changed,
        unchanged,
        rejected,
    } = counts;
    let (start, would) = if options.dry_run {
        ("nothing was kept; of ", "would be ")
    } else {
        ("", "")
    };
    format!(
        "{start}{rows} rows: {created} {would}created, {joined} {would}joined to records of other systems, \
         {changed} {would}changed, {unchanged} unchanged, {rejected} rejected\n"
    )
}
