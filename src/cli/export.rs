//! `muster export`: people and what else there is in the layout of another system, by the mapping that reads its extracts (B-037).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use super::database::Whose;
use super::{Failure, mapping};
use crate::clock::{Clock, SystemClock};
use crate::domain::mapping::{Fault, Format, Mapping, Rendered, Row};
use crate::service::Muster;
use crate::telemetry;

/// What leaves, and for whom.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The system whose layout it is.
    #[arg(long, value_name = "NAME")]
    system: String,
    /// The mapping (YAML): which attribute is in which column.
    #[arg(long, value_name = "MAPPING")]
    map: PathBuf,
    /// The client of the policy for whom it is: what it may see leaves, as it sees it, and is logged as its reading.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// Only what matches this SCIM filter.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Where to write it; the standard output without it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    of: Whose,
}

/// What became of it.
#[derive(Default)]
struct Counts {
    written: u64,
    refused: u64,
    /// Values without a place, by attribute.
    unsaid: BTreeMap<String, u64>,
}

/// Writes it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    let (mapping, _) = mapping::sound(&options.map, &options.system)?;
    if mapping.format == Format::Scim {
        let reason =
            "a system that speaks SCIM reads SCIM: this format is for extracts that are taken in";
        return Err(Failure::usage(reason));
    }
    let service = options.of.place.open()?;
    let writing = write(&service, &mapping, options);
    let counts = actix_web::rt::System::new().block_on(writing)?;
    tell(&counts)?;
    if counts.refused == 0 {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "{} of {} could not be written in that layout: see above",
        counts.refused,
        counts.refused + counts.written
    )))
}

fn cannot(error: &io::Error) -> Failure {
    Failure::run(format!("cannot write: {error}"))
}

/// Page by page. What stands in the file goes once the first is there, and not for a name or a filter that is wrong.
async fn write(service: &Muster, mapping: &Mapping, options: &Options) -> Result<Counts, Failure> {
    let now = SystemClock.now();
    let context = service.in_the_name_of(&options.of.tenant, &options.client, now)?;
    let filter = options.filter.as_deref();
    let mut page = service.outbound(&context, mapping, (filter, "")).await?;
    let mut sink = Sink::open(mapping, options).map_err(|error| cannot(&error))?;
    let mut counts = Counts::default();
    loop {
        for (id, row) in page.rows {
            sink.take(&id, row, &mut counts)
                .map_err(|error| cannot(&error))?;
        }
        let Some(next) = page.next else { break };
        page = service.outbound(&context, mapping, (filter, &next)).await?;
    }
    sink.finish().map_err(|error| cannot(&error))?;
    Ok(counts)
}

/// How it went, where it is not taken for a row.
fn tell(counts: &Counts) -> Result<(), Failure> {
    let mut text = format!("{} rows written\n", counts.written);
    for (attribute, count) in &counts.unsaid {
        let _ = writeln!(
            text,
            "{count} values of {attribute} have no place in the layout"
        );
    }
    io::stderr()
        .write_all(text.as_bytes())
        .map_err(|error| cannot(&error))
}

/// A file in the layout of a mapping.
enum Sink {
    Csv(Box<csv::Writer<BufWriter<Box<dyn Write>>>>),
    Json(BufWriter<Box<dyn Write>>),
}

impl Sink {
    fn open(mapping: &Mapping, options: &Options) -> io::Result<Self> {
        let out: Box<dyn Write> = match &options.out {
            Some(path) => Box::new(File::create(path)?),
            None => Box::new(io::stdout()),
        };
        let out = BufWriter::new(out);
        if mapping.format == Format::JsonLines {
            return Ok(Self::Json(out));
        }
        let byte = |character: char| u8::try_from(character).unwrap_or(b',');
        let mut writer = csv::WriterBuilder::new()
            .delimiter(byte(mapping.delimiter))
            .quote(byte(mapping.quote))
            .from_writer(out);
        writer.write_record(mapping.columns())?;
        Ok(Self::Csv(Box::new(writer)))
    }

    /// Writes a row, or says why there is none.
    fn take(
        &mut self,
        id: &str,
        row: Result<Rendered, Vec<Fault>>,
        counts: &mut Counts,
    ) -> io::Result<()> {
        match row {
            Ok(Rendered { row, unsaid }) => {
                self.row(&row)?;
                counts.written += 1;
                for attribute in unsaid {
                    *counts.unsaid.entry(attribute).or_default() += 1;
                }
            }
            Err(faults) => {
                counts.refused += 1;
                for fault in faults {
                    let (column, attribute) = (fault.column, fault.attribute);
                    tracing::warn!("{id}: {attribute} in '{column}': {}", fault.reason);
                }
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        match (self, row) {
            (Self::Csv(writer), Row::Cells(cells)) => Ok(writer.write_record(cells)?),
            (Self::Json(out), Row::Object(object)) => writeln!(out, "{object}"),
            _ => Ok(()),
        }
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Csv(writer) => writer.flush(),
            Self::Json(out) => out.flush(),
        }
    }
}
