//! Weights that are fitted together, where the truth is known: attributes depend on each other, and namesakes in one house or
//! at one employer are no random pairs. Logistic regression over the pairs that share a key, drawn towards the weights that
//! each level has by itself.

use super::level::{ATTRIBUTES, Attribute};
use super::model::{Model, Scorer};
use super::population::Pair;

/// Rounds of Newton's method.
const ROUNDS: usize = 150;
/// How strongly a weight is drawn to what the level says by itself: so much as so many doubtful pairs.
const TRUST: f64 = 1.0;
/// A part of each step: the levels of a pair are changed at the same time.
const STEP: f64 = 0.25;
/// No level is impossible.
const LEAST: f64 = 1e-12;

/// A weight while it is fitted, in nats.
#[derive(Clone, Copy, Debug, Default)]
struct Weight {
    start: f64,
    now: f64,
    slope: f64,
    bend: f64,
}

/// Fits the weights of `model` to what `same` says of `pairs`, whose bits `start` has weighed. A level's u stays, since the
/// rarity of names is measured by it; m is what gives the weight.
pub(super) fn together(
    model: &mut Model,
    pairs: &[Pair],
    start: &Scorer,
    same: &dyn Fn(u32, u32) -> bool,
) {
    let Ok(scorer) = model.clone().scorer() else {
        return;
    };
    let nats = std::f64::consts::LN_2;
    let mut weights: [Vec<Weight>; ATTRIBUTES] = Default::default();
    for attribute in Attribute::ALL {
        for level in (0..).take(attribute.levels().len()) {
            let alone = scorer.bits(*attribute, level) * nats;
            weights[*attribute as usize].push(Weight {
                start: alone,
                now: alone,
                ..Weight::default()
            });
        }
    }
    let told: Vec<(&Pair, f64, f64)> = pairs
        .iter()
        .map(|pair| {
            let rarity = (pair.bits - start.sum(&pair.levels)) * nats;
            (pair, rarity, f64::from(u8::from(same(pair.a, pair.b))))
        })
        .collect();
    let mut prior = -10.0;
    for _ in 0..ROUNDS {
        prior += round(&mut weights, &told, prior);
    }
    for attribute in Attribute::ALL {
        let Some(levels) = model.weights.get_mut(attribute.word()) else {
            continue;
        };
        for (name, weight) in attribute.levels().iter().zip(&weights[*attribute as usize]) {
            if let Some(rate) = levels.get_mut(*name) {
                let ratio = weight.now.exp();
                rate.u = rate.u.min(1.0 / ratio).clamp(LEAST, 1.0);
                rate.m = (rate.u * ratio).clamp(LEAST, 1.0);
            }
        }
    }
}

/// One round; what the prior changes by.
fn round(weights: &mut [Vec<Weight>; ATTRIBUTES], told: &[(&Pair, f64, f64)], prior: f64) -> f64 {
    let (mut slope, mut bend) = (0.0, 0.0);
    for (pair, rarity, right) in told {
        let levels = || (0..ATTRIBUTES).zip(&pair.levels);
        let known = || levels().filter_map(|(at, level)| Some((at, usize::from((*level)?))));
        let sum: f64 = known().map(|(at, level)| weights[at][level].now).sum();
        let chance = 1.0 / (1.0 + (-(prior + rarity + sum)).exp());
        let (miss, doubt) = (right - chance, chance * (1.0 - chance));
        slope += miss;
        bend += doubt;
        for (at, level) in known() {
            weights[at][level].slope += miss;
            weights[at][level].bend += doubt;
        }
    }
    for weight in weights.iter_mut().flatten() {
        let pull = TRUST * (weight.start - weight.now) / 4.0;
        let step = (weight.slope + pull) / (weight.bend + TRUST / 4.0);
        weight.now += STEP * step.clamp(-4.0, 4.0);
        (weight.slope, weight.bend) = (0.0, 0.0);
    }
    STEP * (slope / (bend + 1.0)).clamp(-4.0, 4.0)
}
