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

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use clap::Args;

use super::database::Place;
use super::extract::{self, Extract, Job};
use super::{Failure, mapping, print};
use crate::clock::{Clock, SystemClock};
use crate::domain::mapping::{Bound, Format, Mapping};
use crate::service::Muster;
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

/// What is ordered.
pub(super) struct Ordered {
    pub(super) job: Job,
    /// Where rejected rows are written, if not beside the file.
    pub(super) rejects: Option<PathBuf>,
    pub(super) dry_run: bool,
}

/// What came of it.
pub(super) struct Taken {
    pub(super) counts: Counts,
    /// The file of the rejected rows.
    pub(super) rejects: PathBuf,
}

/// How far it has come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reached {
    pub(super) rows: i64,
    pub(super) rejected: i64,
    /// Bytes that are read, of how many.
    pub(super) bytes: u64,
    pub(super) length: u64,
    /// Rows that an earlier run had done.
    pub(super) skipped: i64,
}

/// Is told how far it has come; false ends it.
pub(super) type Watch<'w> = &'w dyn Fn(Reached) -> bool;

/// Takes the file in, and says how far it is on the terminal.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let ordered = Ordered {
        job: options.job.clone(),
        rejects: options.rejects.clone(),
        dry_run: options.dry_run,
    };
    // What is wrong with the files is told before a database is looked for.
    mapping::sound(&ordered.job.map, &ordered.job.system)?;
    let service = options.place.open()?;
    let progress = RefCell::new(None);
    let tell = |reached: Reached| {
        let mut progress = progress.borrow_mut();
        let bar = progress.get_or_insert_with(|| Progress::new(reached.length, reached.skipped));
        bar.tell(reached.bytes, reached.rows, reached.rejected);
        true
    };
    let taken = take(&service, &ordered, &SystemClock, &tell);
    if let Some(progress) = progress.borrow().as_ref() {
        progress.finish();
    }
    let Taken { counts, rejects } = taken?;
    print(&summary(&counts, options.dry_run))?;
    if counts.rejected == 0 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} of {} rows were rejected: see {}",
        counts.rejected,
        counts.rows,
        rejects.display()
    )))
}

/// Takes the file in, or goes on with it where an earlier run was ended.
pub(super) fn take(
    service: &Muster,
    ordered: &Ordered,
    clock: &dyn Clock,
    watch: Watch<'_>,
) -> Result<Taken, Failure> {
    let job = &ordered.job;
    let (mapping, mapping_hash) = mapping::sound(&job.map, &job.system)?;
    let cannot = |error: std::io::Error| {
        Failure::usage(format!("cannot read {}: {error}", job.file.display()))
    };
    let (file_hash, length) = extract::fingerprint(&job.file).map_err(cannot)?;
    let extract = Extract::open(&job.file, &mapping).map_err(cannot)?;
    let bound = bind(&mapping, &extract, &job.file)?;
    let order = Order {
        tenant: service.tenant(&job.tenant)?,
        system: job.system.clone(),
        actor: job.actor.clone(),
        at: clock.now(),
        name: job.file.display().to_string(),
        file: file_hash,
        mapping: mapping_hash,
        dry_run: ordered.dry_run,
    };
    let import = service.import(&order, &mapping)?;
    let begun = import.begun();
    if import.is_of_changed_file() {
        tracing::warn!("the file has changed since an import of it was begun: it starts anew");
    }
    let rejects = ordered.rejects_file(&mapping);
    let work = Work {
        import: &import,
        clock,
        watch,
        length,
    };
    let kept = Rejects::open(&rejects, begun.position > 0)?;
    let counts = work.run((extract, &bound), kept)?;
    Ok(Taken { counts, rejects })
}

impl Ordered {
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

/// An import at work.
struct Work<'w, 'm> {
    import: &'w Import<'m>,
    clock: &'w dyn Clock,
    watch: Watch<'w>,
    length: u64,
}

impl Work<'_, '_> {
    /// Reads in one thread and commits in this one.
    fn run(
        &self,
        (extract, bound): (Extract, &Bound<'_>),
        mut rejects: Rejects,
    ) -> Result<Counts, Failure> {
        let (sender, parcels) = sync_channel(AHEAD);
        let (import, clock) = (self.import, self.clock);
        let ledger = thread::scope(|scope| {
            let reader = scope.spawn(move || read(import, (extract, bound), clock, &sender));
            let committed = self.commit(&parcels, &mut rejects);
            drop(parcels);
            let read = reader
                .join()
                .map_err(|_| Failure::run("the reading thread panicked"))?;
            let ledger = committed?;
            read?;
            Ok::<_, Failure>(ledger)
        })?;
        rejects.close()?;
        Ok(self.import.finish(&ledger, self.clock.now())?)
    }

    fn commit(&self, parcels: &Receiver<Parcel>, rejects: &mut Rejects) -> Result<Ledger, Failure> {
        let mut ledger = self.import.begun();
        let skipped = ledger.position;
        for parcel in parcels {
            let now = self.clock.now();
            if parcel.is_done {
                // Committed by a run that was ended before it could tell what it had rejected.
                rejects.forget_from(parcel.first)?;
                rejects.write(&self.import.replay(parcel.chunk, now)?)?;
            } else {
                rejects.write(&self.import.commit(&mut ledger, parcel.chunk, now)?)?;
            }
            let reached = Reached {
                rows: ledger.position,
                rejected: ledger.rejected,
                bytes: parcel.bytes,
                length: self.length,
                skipped,
            };
            if !(self.watch)(reached) {
                return Err(Failure::run(
                    "it was ended before it was done: it goes on there when it is asked for again",
                ));
            }
        }
        Ok(ledger)
    }
}

/// Reads rows, maps them, and sends them on in chunks.
fn read(
    import: &Import<'_>,
    (mut extract, bound): (Extract, &Bound<'_>),
    clock: &dyn Clock,
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
            let said = row.map_err(|fault| vec![fault]);
            let said = said.and_then(|row| bound.apply(&row, clock.now()));
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
                chunk: import.prepare(lines, clock.now()),
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

fn summary(counts: &Counts, dry_run: bool) -> String {
    let Counts {
        rows,
        created,
        joined,
        changed,
        unchanged,
        rejected,
    } = counts;
    let (start, would) = if dry_run {
        ("nothing was kept; of ", "would be ")
    } else {
        ("", "")
    };
    format!(
        "{start}{rows} rows: {created} {would}created, {joined} {would}joined to records of other systems, \
         {changed} {would}changed, {unchanged} unchanged, {rejected} rejected\n"
    )
}
