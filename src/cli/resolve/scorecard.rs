//! How good a model is, figure by figure, each with its target where it has one, and the reliability table.

use std::fmt::Write;
use std::time::Instant;

use serde_json::{Value, json};

use super::LINE;
use super::measure::{memory, one_record};
use super::records::{Layout, Records};
use crate::domain::matching::Scorer;
use crate::domain::matching::evaluate::{Batch, Online, batch, online, ratio};
use crate::domain::matching::population::Pair;

/// From so many records on the targets of a million hold.
const MANY: usize = 500_000;
/// Fewer pairs in a band tell nothing.
const TELLING: usize = 200;

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// So much, or more.
    AtLeast(f64),
    /// So much, or less.
    AtMost(f64),
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it tells.
    pub name: &'static str,
    /// What was found.
    pub value: f64,
    /// What is wanted; nothing where it only informs.
    pub target: Option<Target>,
}

impl Figure {
    /// Whether the target is met; nothing where there is none.
    #[must_use]
    pub fn is_met(&self) -> Option<bool> {
        self.target.map(|target| match target {
            Target::AtLeast(least) => self.value >= least,
            Target::AtMost(most) => self.value <= most,
        })
    }
}

/// Pairs to which the model gave a probability within one twentieth.
#[derive(Clone, Copy, Debug)]
pub struct Band {
    /// Where it begins, from 0 to 1.
    pub from: f64,
    /// How many pairs.
    pub pairs: usize,
    /// The mean of what was said.
    pub predicted: f64,
    /// The share that was right.
    pub observed: f64,
}

/// All figures.
#[derive(Clone, Debug)]
pub struct Scorecard {
    /// The model's name.
    pub model: String,
    /// How many records.
    pub records: usize,
    /// The figures.
    pub figures: Vec<Figure>,
    /// The reliability table, without empty bands.
    pub bands: Vec<Band>,
}

impl Scorecard {
    /// Resolves the records of `files` files, one after another and all at once, and says how good that was.
    #[must_use]
    pub fn of(records: &Records, scorer: &Scorer, files: usize) -> Self {
        let start = Instant::now();
        let (together, mut people, pairs) = batch(&records.known, scorer, LINE);
        let seconds = start.elapsed().as_secs_f64();
        let memory = memory();
        let found = online(&records.known, scorer);
        let bands = bands(&found);
        let mut figures = vec![blocking(records, &pairs, &together)];
        if records.layout == Layout::Febrl {
            figures.push(febrl(records, scorer, &pairs, &together, files));
        } else {
            figures.extend(one_by_one(&found));
            figures.extend(at_once(&together, records.known.len()));
            figures.push(calibration(&bands));
        }
        figures.push(timed(seconds, records.known.len()));
        if let Some(bytes) = memory {
            figures.push(figure(
                "memory at its most, GiB",
                bytes / 1024_f64.powi(3),
                Some(Target::AtMost(4.0)),
            ));
        }
        figures.extend(one_record(&records.known, &mut people, scorer));
        Self {
            model: scorer.model.version.clone(),
            records: records.known.len(),
            figures,
            bands,
        }
    }

    /// A figure by its name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let found = self.figures.iter().find(|figure| figure.name == name);
        found.map(|figure| figure.value)
    }

    /// For people to read.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} records, model '{}'\n\n", self.records, self.model);
        let mut line = |cells: [String; 4]| {
            let [name, value, target, met] = cells;
            // Writing to a String never fails.
            _ = writeln!(text, "{name:<62} {value:>10}  {target:<10} {met}");
        };
        line(["figure", "found", "target", ""].map(str::to_owned));
        for figure in &self.figures {
            let (target, met) = match (figure.target, figure.is_met()) {
                (Some(Target::AtLeast(least)), Some(met)) => (format!("≥ {least}"), met),
                (Some(Target::AtMost(most)), Some(met)) => (format!("≤ {most}"), met),
                _ => {
                    line([
                        figure.name.into(),
                        plain(figure.value),
                        String::new(),
                        String::new(),
                    ]);
                    continue;
                }
            };
            let met = if met { "met" } else { "MISSED" };
            line([figure.name.into(), plain(figure.value), target, met.into()]);
        }
        text.push_str("\nprobability     pairs  predicted  observed\n");
        for band in &self.bands {
            let (from, to) = (band.from, band.from + 0.05);
            _ = writeln!(
                text,
                "{from:.2} to {to:.2} {:>8}  {:>9.3}  {:>8.3}",
                band.pairs, band.predicted, band.observed
            );
        }
        text
    }

    /// For programs to read.
    #[must_use]
    pub fn json(&self) -> Value {
        let figures = self.figures.iter().map(|figure| {
            let target = match figure.target {
                Some(Target::AtLeast(least)) => json!({ "atLeast": least }),
                Some(Target::AtMost(most)) => json!({ "atMost": most }),
                None => Value::Null,
            };
            json!({ "name": figure.name, "value": figure.value, "target": target, "met": figure.is_met() })
        });
        let bands = self.bands.iter().map(|band| {
            json!({ "from": band.from, "pairs": band.pairs, "predicted": band.predicted, "observed": band.observed })
        });
        json!({
            "model": self.model,
            "records": self.records,
            "figures": figures.collect::<Vec<_>>(),
            "bands": bands.collect::<Vec<_>>(),
        })
    }
}

/// Digits enough to tell two figures apart.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.5}")
    }
}

/// A figure.
pub(super) fn figure(name: &'static str, value: f64, target: Option<Target>) -> Figure {
    Figure {
        name,
        value,
        target,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count needs no more")]
fn count(n: usize) -> f64 {
    n as f64
}

fn blocking(records: &Records, pairs: &[Pair], together: &Batch) -> Figure {
    let found = pairs.iter().filter(|pair| is_right(records, pair)).count();
    let recall = ratio(found as u64, together.true_pairs);
    figure("blocking: true pairs that share a key", recall, None)
}

fn is_right(records: &Records, pair: &Pair) -> bool {
    records.known[pair.a as usize].person == records.known[pair.b as usize].person
}

/// F1 of pairs at the line: two files are linked (FEBRL4), one is searched for duplicates (FEBRL3).
fn febrl(
    records: &Records,
    scorer: &Scorer,
    pairs: &[Pair],
    together: &Batch,
    files: usize,
) -> Figure {
    let prior = scorer.prior(count(records.known.len()));
    let is_sure = |pair: &&Pair| {
        let odds = scorer.odds(prior + pair.bits);
        odds / (1.0 + odds) >= LINE
    };
    let (mut sure, mut right) = (0, 0);
    for pair in pairs.iter().filter(is_sure) {
        sure += 1;
        right += u64::from(is_right(records, pair));
    }
    let (precision, recall) = (ratio(right, sure), ratio(right, together.true_pairs));
    let f1 = 2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE);
    let least = if files > 1 { 0.9995 } else { 0.998 };
    figure(
        "FEBRL without the id: F1 of pairs",
        f1,
        Some(Target::AtLeast(least)),
    )
}

fn one_by_one(found: &Online) -> Vec<Figure> {
    let share = |part: usize, whole: usize| ratio(part as u64, whole as u64);
    let (least, most) = (|x| Some(Target::AtLeast(x)), |x| Some(Target::AtMost(x)));
    vec![
        figure(
            "automatic merges: precision",
            share(found.merged_right, found.merged),
            least(0.9995),
        ),
        figure(
            "of records whose person exists: merged automatically",
            share(found.merged_right, found.known),
            least(0.86),
        ),
        figure(
            "of records whose person exists: missed, only flagged",
            share(found.missed, found.known),
            most(0.06),
        ),
        figure(
            "share of records sent to review",
            share(found.reviewed, found.records),
            most(0.07),
        ),
        figure(
            "reviews: the suggested merge is right",
            share(found.reviewed_right, found.reviewed),
            least(0.95),
        ),
        figure(
            "candidates of a record: mean",
            count(found.candidates) / count(found.records.max(1)),
            None,
        ),
        figure(
            "candidates of a record: most",
            count(found.most_candidates),
            None,
        ),
    ]
}

fn at_once(together: &Batch, records: usize) -> Vec<Figure> {
    let f1 = if records < MANY { 0.95 } else { 0.945 };
    let (least, most) = (|x| Some(Target::AtLeast(x)), |x| Some(Target::AtMost(x)));
    vec![
        figure("all at once: F1 of pairs", together.f1(), least(f1)),
        figure("all at once: recall of pairs", together.recall(), None),
        figure(
            "clusters: precision of pairs",
            together.precision(),
            least(0.998),
        ),
        figure(
            "clusters: records of the largest",
            count(together.largest),
            most(10.0),
        ),
        figure(
            "clusters: across two legal identifiers",
            count(together.legal_conflicts),
            most(0.0),
        ),
    ]
}

fn bands(found: &Online) -> Vec<Band> {
    let all = (0_u32..).zip(&found.bands);
    let told = all.filter(|(_, (pairs, ..))| *pairs > 0);
    told.map(|(n, (pairs, right, said))| Band {
        from: f64::from(n) / 20.0,
        pairs: *pairs,
        predicted: said / count(*pairs),
        observed: count(*right) / count(*pairs),
    })
    .collect()
}

fn calibration(bands: &[Band]) -> Figure {
    let telling = bands.iter().filter(|band| band.pairs >= TELLING);
    let off = telling.map(|band| (band.observed - band.predicted).abs());
    figure(
        "calibration: the most that a band of 200 pairs is off",
        off.fold(0.0, f64::max),
        Some(Target::AtMost(0.05)),
    )
}

fn timed(seconds: f64, records: usize) -> Figure {
    let target = (records >= MANY).then_some(Target::AtMost(90.0));
    figure("all at once: seconds", seconds, target)
}
