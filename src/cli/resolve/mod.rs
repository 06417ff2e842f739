//! `muster resolve`: how good identity resolution is where the truth is known, models fitted to people, and the join keys in use.
//!
//! | file | what it does |
//! |---|---|
//! | `records` | records from CSV files, with the truth |
//! | `scorecard` | the figures of a model, each with its target |
//! | `stored` | models kept for a tenant, which its policy may name |
//! | `keys` | the join keys in use, and how risky each is |
//! | `measure` | how long one record takes, and how much memory it took |

mod keys;
mod measure;
pub mod records;
pub mod scorecard;
mod stored;

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Failure, print};
use crate::domain::matching::evaluate::{batch, calibration, online};
use crate::domain::matching::model::{Calibration, ModelError};
use crate::domain::matching::train::train;
use crate::domain::matching::{Model, Scorer};
use records::{ReadError, Records};
use scorecard::Scorecard;

/// A pair at least so sure is one person.
pub const LINE: f64 = 0.9;
/// How often a model is fitted to what the one before has found.
const ROUNDS: usize = 2;
/// What starts the choice of random pairs.
const SEED: u64 = 7;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print how good a model is on records of which it is known whose they are. Exit code 0 whether targets are met or not.
    Evaluate(Evaluate),
    /// Fit a model to records: without labels (expectation and maximization), or by the truth.
    Train(Train),
    /// List the models that are stored for a tenant: name and version, when, by whom, and which its policy goes by.
    Models(stored::Models),
    /// List the join keys that a tenant's records hold, ranked by the risk that a join by them is wrong: counts, no values.
    Keys(keys::Keys),
}

#[derive(Debug, Args)]
struct Evaluate {
    /// Records as CSV, with `true_id` or FEBRL's `rec_id`. Several files are one population.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    truth: Vec<PathBuf>,
    /// The model, as 'muster resolve train' writes it; the shipped one if it is left out.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Train {
    /// Records as CSV. Several files are one population.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The files say whose each record is: weights and calibration are fitted to that.
    #[arg(long)]
    truth: bool,
    /// The model to start from; the shipped one if it is left out.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The attributes err independently of each other: a score is taken at its word instead of by the start's calibration.
    #[arg(long, conflicts_with = "truth")]
    independent: bool,
    /// The name that the model gets, and that every decision made with it is stored with.
    #[arg(long, default_value = "trained")]
    version: String,
    /// Where the model is written.
    #[arg(long, value_name = "MODEL.json", required_unless_present = "store")]
    out: Option<PathBuf>,
    #[command(flatten)]
    keep: stored::Keep,
}

/// What turns a fitted model's score into a probability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calibrated {
    /// Weights and calibration are fitted to the truth.
    ByTruth,
    /// Weights without labels; the score at its word.
    Independent,
    /// Weights without labels; the calibration of the model that the fit starts from.
    AsBefore,
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::run(error.to_string())
    }
}

/// Runs the command.
pub(super) fn run(options: &Options) -> Result<(), Failure> {
    match &options.command {
        Command::Evaluate(options) => evaluate(options),
        Command::Train(options) => learn(options),
        Command::Models(options) => stored::models(options),
        Command::Keys(options) => keys::keys(options),
    }
}

fn evaluate(options: &Evaluate) -> Result<(), Failure> {
    let scorer = scorer(options.model.as_ref())?;
    let records = labeled(&options.truth)?;
    let scorecard = Scorecard::of(&records, &scorer, options.truth.len());
    let text = if options.json {
        format!("{:#}\n", scorecard.json())
    } else {
        scorecard.text()
    };
    print(&text).map(drop)
}

fn labeled(files: &[PathBuf]) -> Result<Records, Failure> {
    let records = records::read(files)?;
    if records.is_labeled {
        Ok(records)
    } else {
        Err(Failure::usage(
            "the file has no column 'true_id': nothing says which records are one person's",
        ))
    }
}

fn scorer(file: Option<&PathBuf>) -> Result<Scorer, Failure> {
    let model = match file {
        None => Model::builtin(),
        Some(file) => {
            let said = |error: String| Failure::usage(format!("{}: {error}", file.display()));
            let text = fs::read(file).map_err(|error| said(error.to_string()))?;
            Model::parse(&text).map_err(|error| said(error.to_string()))?
        }
    };
    model
        .scorer()
        .map_err(|error| Failure::usage(error.to_string()))
}

fn learn(options: &Train) -> Result<(), Failure> {
    let start = scorer(options.model.as_ref())?;
    let records = if options.truth {
        labeled(&options.files)?
    } else {
        records::read(&options.files)?
    };
    let calibrated = match (options.truth, options.independent) {
        (true, _) => Calibrated::ByTruth,
        (false, true) => Calibrated::Independent,
        (false, false) => Calibrated::AsBefore,
    };
    let model = fit(&records, start, &options.version, calibrated)
        .map_err(|error| Failure::run(error.to_string()))?;
    if let Some(out) = &options.out {
        let text = serde_json::to_string_pretty(&model)
            .map_err(|error| Failure::run(error.to_string()))?;
        let shown = out.display();
        fs::write(out, text + "\n")
            .map_err(|error| Failure::run(format!("cannot write {shown}: {error}")))?;
        let (version, count) = (&model.version, records.known.len());
        print(&format!("{shown}: model '{version}' of {count} records\n"))?;
    }
    stored::keep(&options.keep, &model)
}

/// Fits a model to records, starting from `start`; the same every time. Errs where `start` lacks a level.
pub fn fit(
    records: &Records,
    start: Scorer,
    version: &str,
    calibrated: Calibrated,
) -> Result<Model, ModelError> {
    let known = &records.known;
    let same = |a: u32, b: u32| known[a as usize].person == known[b as usize].person;
    let truth = (calibrated == Calibrated::ByTruth).then_some(&same as &dyn Fn(u32, u32) -> bool);
    let mut scorer = start;
    if calibrated == Calibrated::Independent {
        scorer.model.calibration = Calibration::PLAIN;
    }
    for _ in 0..ROUNDS {
        let (_, people, pairs) = batch(known, &scorer, LINE);
        let model = train(&people, &pairs, &scorer, (version, SEED), truth);
        scorer = model.scorer()?;
        if truth.is_some() {
            let found = online(known, &scorer);
            scorer.model.calibration = calibration(&found, scorer.model.calibration);
        }
    }
    Ok(scorer.model)
}
