//! `muster audit`: verifies the sealed log, hands it out, and prints its signed heads.
//!
//! | file | what it does |
//! |---|---|
//! | `heads` | the file outside the database in which signed heads are kept |

pub(super) mod heads;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::database::Place;
use super::{Failure, print};
use crate::domain::log::head::Head;
use crate::service::Muster;
use crate::telemetry;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify every event against its leaf, and the whole tree against every signed head. Exit code 1 if something is wrong.
    Verify(Verify),
    /// Print a tenant's log in its order, one JSON object a line: position, hash, what is hashed, and the event.
    Export(Export),
    /// Print the newest signed head of each log, one a line, and the public key that verifies them.
    Head(PlaceOnly),
}

#[derive(Debug, Args)]
struct Verify {
    /// Begin at this size, or at the size of the head in this file; what stands before is taken from the stored tree.
    #[arg(long, value_name = "HEAD|SIZE")]
    since: Option<String>,
    /// A file of heads that were kept elsewhere, one a line [default: the file that the server keeps].
    #[arg(long, value_name = "FILE")]
    head: Option<PathBuf>,
    /// The public key that was kept elsewhere, as `muster audit head` prints it: another one is a finding.
    #[arg(long, value_name = "BASE64")]
    key: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Export {
    /// Begin after this position.
    #[arg(long, value_name = "N")]
    after: Option<u64>,
    /// Whose log.
    #[arg(long, default_value = "default")]
    tenant: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct PlaceOnly {
    #[command(flatten)]
    place: Place,
}

/// Does it.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    telemetry::init(telemetry::Lines::Text, None).map_err(Failure::usage)?;
    match &options.command {
        Command::Verify(options) => verify(options),
        Command::Export(options) => export(options),
        Command::Head(options) => head(&options.place),
    }
}

fn verify(options: &Verify) -> Result<(), Failure> {
    let config = options.place.settings()?;
    let mut retained = match (&options.head, heads::file(&config)) {
        (Some(file), _) => read(file)?,
        (None, Some(file)) if file.exists() => read(&file)?,
        (None, _) => Vec::new(),
    };
    let since = match &options.since {
        None => 0,
        Some(text) => start(text, &mut retained)?,
    };
    let service = options.place.open()?;
    let known = service.log_key();
    if let Some(key) = options.key.as_ref().filter(|key| key.trim() != known) {
        print(&format!(
            "the heads are signed by the key {known}, not by {}: who put it in that one's place could sign any log\n",
            key.trim()
        ))?;
        return Err(Failure::run("the log is not what was sealed: another key"));
    }
    tell(&service, since, &retained)
}

/// The size to begin at: itself, or that of a head in a file, which is then a head to compare with too.
fn start(text: &str, retained: &mut Vec<Head>) -> Result<u64, Failure> {
    if let Ok(size) = text.parse() {
        return Ok(size);
    }
    let named = read(Path::new(text))?;
    let size = named.iter().map(|head| head.size).min();
    retained.extend(named);
    size.ok_or_else(|| Failure::usage(format!("there is no head in {text}")))
}

fn tell(service: &Muster, since: u64, retained: &[Head]) -> Result<(), Failure> {
    let mut found = 0;
    for log in service.verify_log(since, retained)? {
        let mut text = String::new();
        for finding in &log.findings {
            text = text + &finding.to_string() + "\n";
        }
        if log.findings.is_empty() {
            text = format!(
                "tenant {}: {} events, as sealed; {} heads hold; {} events wait to be sealed\n",
                log.tenant.0, log.size, log.heads, log.waiting
            );
        }
        found += log.findings.len();
        print(&text)?;
    }
    match found {
        0 => Ok(()),
        _ => Err(Failure::run(format!(
            "the log is not what was sealed: {found} findings"
        ))),
    }
}

/// The heads in a file, one a line.
fn read(file: &Path) -> Result<Vec<Head>, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    let lines = text.lines().enumerate();
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(n, line)| {
            Head::from_json(line).ok_or_else(|| {
                let line = n + 1;
                Failure::usage(format!("{}, line {line}: this is no head", file.display()))
            })
        })
        .collect()
}

fn export(options: &Export) -> Result<(), Failure> {
    let service = options.place.open()?;
    let mut from = options.after.map_or(0, |after| after + 1);
    loop {
        let page = service.export_log(&options.tenant, from)?;
        let mut lines = String::new();
        for line in &page {
            lines = lines + &line.to_string() + "\n";
            from = line["position"].as_u64().map_or(from, |at| at + 1);
        }
        if page.is_empty() || !print(&lines)? {
            break;
        }
    }
    Ok(())
}

fn head(place: &Place) -> Result<(), Failure> {
    let service = place.open()?;
    let mut lines = String::new();
    for head in service.log_heads()? {
        lines = lines + &head.to_json().to_string() + "\n";
    }
    lines = lines + "public key (Ed25519): " + &service.log_key() + "\n";
    print(&lines).map(drop)
}
