//! Fitting a model: u by random pairs and by how often values collide, m by expectation and maximization over the pairs that
//! share a key, or by the truth where it is known; then the calibration (matching.md).

use std::collections::BTreeMap;

use super::level::{ATTRIBUTES, Attribute, Levels, compare};
use super::model::{Calibration, KNOTS, Model, Rate, Scorer};
use super::population::{Pair, Population};
use super::weigh;

/// Random pairs that u is counted on.
const RANDOM_PAIRS: u64 = 400_000;
/// Rounds of expectation and maximization.
const ROUNDS: usize = 20;
/// No level is impossible: what was not seen has this chance.
const FLOOR: f64 = 1e-7;
/// What fitted rates are mixed with of the model that they start from: a level that the data hardly shows keeps its weight.
const TRUST: f64 = 25.0;

/// Scores that a calibration is fitted to, in bits: beyond them there is no doubt.
const TOLD: std::ops::Range<f64> = -6.0..24.0;

/// Counts of levels of each attribute.
type Counts = [Vec<f64>; ATTRIBUTES];

fn counts() -> Counts {
    let mut counts: Counts = Default::default();
    for attribute in Attribute::ALL {
        counts[*attribute as usize] = vec![0.0; attribute.levels().len()];
    }
    counts
}

fn count(counts: &mut Counts, levels: &Levels, weight: f64) {
    for (of, level) in counts.iter_mut().zip(levels) {
        if let Some(level) = level {
            of[usize::from(*level)] += weight;
        }
    }
}

/// Fits a model to a population. `truth` says of a pair whether it is one person, where that is known; `seed` starts the
/// choice of random pairs.
#[must_use]
pub fn train(
    population: &Population,
    pairs: &[Pair],
    start: &Scorer,
    (version, seed): (&str, u64),
    truth: Option<&dyn Fn(u32, u32) -> bool>,
) -> Model {
    let u = different(population, seed);
    let (m, exists) = if let Some(same) = truth {
        let mut m = counts();
        for pair in pairs.iter().filter(|pair| same(pair.a, pair.b)) {
            count(&mut m, &pair.levels, 1.0);
        }
        (m, start.model.exists)
    } else {
        let (m, each) = expected(population, pairs, start);
        // A score at its word needs the prior of these people; a calibration was fitted to the prior that it knows.
        let is_plain = start.model.calibration == Calibration::PLAIN;
        (m, if is_plain { each } else { start.model.exists })
    };
    let mut weights = BTreeMap::new();
    for attribute in Attribute::ALL {
        let at = *attribute as usize;
        let mut levels = BTreeMap::new();
        for (n, level) in attribute.levels().iter().enumerate() {
            let known = start
                .model
                .rate(*attribute, level)
                .unwrap_or(Rate { m: 0.5, u: 0.5 });
            let rate = Rate {
                m: share(&m[at], n, known.m, TRUST),
                u: share(&u[at], n, known.u, TRUST),
            };
            levels.insert((*level).to_owned(), rate);
        }
        weights.insert(attribute.word().to_owned(), levels);
    }
    let mut model = Model {
        version: version.to_owned(),
        exists,
        calibration: start.model.calibration,
        weights,
    };
    if let Some(same) = truth {
        weigh::together(&mut model, pairs, start, same);
    }
    model
}

/// A level's share of all that were counted, drawn towards what is known of it.
fn share(counts: &[f64], n: usize, known: f64, trust: f64) -> f64 {
    let all: f64 = counts.iter().sum();
    ((counts[n] + trust * known) / (all + trust)).clamp(FLOOR, 1.0)
}

/// The levels of random pairs: those of different people.
fn different(population: &Population, seed: u64) -> Counts {
    let mut found = counts();
    let people = population.profiles.len() as u64;
    if people < 2 {
        return found;
    }
    let mut state = seed | 1;
    let mut next = || {
        // xorshift64*: the choice must only be the same every time.
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        usize::try_from(state.wrapping_mul(0x2545_F491_4F6C_DD1D) % people).unwrap_or(0)
    };
    for _ in 0..RANDOM_PAIRS {
        let (a, b) = (next(), next());
        if a != b {
            count(
                &mut found,
                &compare(&population.profiles[a], &population.profiles[b]),
                1.0,
            );
        }
    }
    found
}

/// The levels of pairs of one person, as far as the model itself tells them apart; and how many such pairs a record is in.
fn expected(population: &Population, pairs: &[Pair], start: &Scorer) -> (Counts, f64) {
    #[expect(clippy::cast_precision_loss, reason = "a population needs no more")]
    let prior = start.prior(population.profiles.len() as f64);
    let mut chances: Vec<f64> = pairs
        .iter()
        .map(|pair| {
            let odds = start.odds(prior + pair.bits);
            odds / (1.0 + odds)
        })
        .collect();
    let mut m = counts();
    for _ in 0..ROUNDS {
        let (mut same, mut other) = (counts(), counts());
        let mut sure = 0.0;
        for (pair, chance) in pairs.iter().zip(&chances) {
            count(&mut same, &pair.levels, *chance);
            count(&mut other, &pair.levels, 1.0 - chance);
            sure += chance;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
        let lambda = (sure / pairs.len().max(1) as f64).clamp(1e-6, 1.0 - 1e-6);
        let rate = |counts: &Counts, at: usize, level: u8| {
            share(&counts[at], usize::from(level), 0.0, 0.001)
        };
        for (pair, chance) in pairs.iter().zip(&mut chances) {
            let mut odds = (lambda / (1.0 - lambda)).ln();
            for (at, level) in pair.levels.iter().enumerate() {
                if let Some(level) = level {
                    odds += (rate(&same, at, *level) / rate(&other, at, *level)).ln();
                }
            }
            *chance = 1.0 / (1.0 + (-odds).exp());
        }
        m = same;
    }
    #[expect(clippy::cast_precision_loss, reason = "a population needs no more")]
    let each = 2.0 * chances.iter().sum::<f64>() / population.profiles.len().max(1) as f64;
    (m, each.max(FLOOR))
}

/// Fits the calibration to scores of which the truth is known (logistic regression by Newton's method, in bits).
#[must_use]
pub fn calibrate(scores: &[(f64, bool)], start: Calibration) -> Calibration {
    let ln2 = std::f64::consts::LN_2;
    let (mut a, mut b) = (start.intercept * ln2, start.slope * ln2);
    for _ in 0..50 {
        let (mut ga, mut gb, mut haa, mut hab, mut hbb) = (0.0, 0.0, 1e-6, 0.0, 1e-6);
        for (score, same) in scores.iter().filter(|(score, _)| TOLD.contains(score)) {
            let p = 1.0 / (1.0 + (-(a + b * score)).exp());
            let miss = f64::from(u8::from(*same)) - p;
            let weight = p * (1.0 - p);
            ga += miss;
            gb += miss * score;
            haa += weight;
            hab += weight * score;
            hbb += weight * score * score;
        }
        let determinant = haa * hbb - hab * hab;
        if determinant.abs() < 1e-9 {
            break;
        }
        let (da, db) = (
            (hbb * ga - hab * gb) / determinant,
            (haa * gb - hab * ga) / determinant,
        );
        a += da.clamp(-2.0, 2.0);
        b += db.clamp(-0.5, 0.5);
        if da.abs() + db.abs() < 1e-9 {
            break;
        }
    }
    bend(
        scores,
        Calibration {
            intercept: a / ln2,
            slope: b / ln2,
            ..Calibration::PLAIN
        },
    )
}

/// Bends a line where what was seen around a knot differs from it; so little that a higher score never gets lower odds.
fn bend(scores: &[(f64, bool)], mut line: Calibration) -> Calibration {
    let mut last = f64::NEG_INFINITY;
    for (n, knot) in KNOTS.into_iter().enumerate() {
        let (mut seen, mut right, mut said) = (0.0, 0.0, 0.0);
        for (score, same) in scores {
            let bits = line.line(*score);
            if (bits - knot).abs() < 0.6 {
                let odds = bits.exp2();
                seen += 1.0;
                right += f64::from(u8::from(*same));
                said += odds / (1.0 + odds);
            }
        }
        let bits = |right: f64| ((right + 0.5) / (seen - right + 0.5)).log2();
        let trust = seen / (seen + TRUST);
        let bend = (bits(right) - bits(said)).clamp(-2.0, 2.0) * trust;
        let bent = (knot + bend).max(last);
        line.bends[n] = bent - knot;
        last = bent;
    }
    line
}
