//! The weights of each level as chances among the same and among different people, and what turns a score into a probability
//! (Fellegi and Sunter; matching.md).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::level::{ATTRIBUTES, Attribute, Levels};

/// The model that is shipped.
const BUILTIN: &str = include_str!("builtin.json");
/// No level may weigh more than this: no single attribute is beyond doubt.
const MOST_BITS: f64 = 30.0;
/// How far the rarity of a name may move its weight, down and up, in bits.
const RARITY: (f64, f64) = (-5.0, 4.0);

/// The chance of a level among pairs of the same person, and among pairs of different people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Among the same.
    pub m: f64,
    /// Among different ones.
    pub u: f64,
}

/// What turns a score into a calibrated one: `intercept + slope × score`, in bits (Platt), and bends in that line.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Added.
    pub intercept: f64,
    /// What the score is multiplied by.
    pub slope: f64,
    /// What is added at each of [`KNOTS`], and between them in proportion: what a straight line cannot follow.
    #[serde(default)]
    pub bends: [f64; KNOTS.len()],
}

/// Where a calibration bends, in bits of the calibrated score.
pub const KNOTS: [f64; 9] = [-6.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0];

impl Calibration {
    /// A score taken at its word.
    pub const PLAIN: Self = Self {
        intercept: 0.0,
        slope: 1.0,
        bends: [0.0; KNOTS.len()],
    };

    /// The line alone, in bits.
    #[must_use]
    pub fn line(&self, score: f64) -> f64 {
        self.intercept + self.slope * score
    }

    /// The calibrated score, in bits: the logarithm to the base 2 of the odds.
    #[must_use]
    pub fn bits(&self, score: f64) -> f64 {
        let line = self.line(score);
        let upper = KNOTS.iter().position(|knot| line < *knot);
        let bend = match upper {
            Some(0) => self.bends[0],
            None => self.bends[KNOTS.len() - 1],
            Some(upper) => {
                let (low, high) = (KNOTS[upper - 1], KNOTS[upper]);
                let part = (line - low) / (high - low);
                self.bends[upper - 1] * (1.0 - part) + self.bends[upper] * part
            }
        };
        line + bend
    }
}

/// A model, as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its name; every trace says which it was.
    pub version: String,
    /// The chance that a newcomer is known already.
    pub exists: f64,
    /// From a score to a probability.
    pub calibration: Calibration,
    /// The rates of each level, by attribute and level.
    pub weights: BTreeMap<String, BTreeMap<String, Rate>>,
}

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It is no model.
    #[error("this is no model: {0}")]
    Json(#[from] serde_json::Error),
    /// A level has no rate, or one that is no chance.
    #[error(
        "the model says nothing of use on the level '{level}' of '{attribute}': m and u lie between 0 and 1"
    )]
    Level {
        /// The attribute.
        attribute: &'static str,
        /// The level.
        level: &'static str,
    },
}

/// How rare names are among the people that are compared.
pub trait Frequencies {
    /// The share of people whose `attribute` has this value; nothing if it is not known.
    fn share(&self, attribute: Attribute, value: &str) -> Option<f64>;
}

/// Nothing is known of how rare names are.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

impl Frequencies for Unknown {
    fn share(&self, _: Attribute, _: &str) -> Option<f64> {
        None
    }
}

/// A model ready for use.
#[derive(Clone, Debug)]
pub struct Scorer {
    /// The model.
    pub model: Model,
    bits: [Vec<f64>; ATTRIBUTES],
}

impl Model {
    /// The model that is shipped.
    #[must_use]
    pub fn builtin() -> Self {
        serde_json::from_str(BUILTIN).unwrap_or_else(|_| Self {
            version: "empty".into(),
            exists: 0.5,
            calibration: Calibration::PLAIN,
            weights: BTreeMap::new(),
        })
    }

    /// A model as it stands in a file.
    pub fn parse(text: &[u8]) -> Result<Self, ModelError> {
        Ok(serde_json::from_slice(text)?)
    }

    /// The rate of a level. A model that was fitted before there was that level goes on as it did.
    #[must_use]
    pub fn rate(&self, attribute: Attribute, level: &str) -> Option<Rate> {
        let levels = self.weights.get(attribute.word())?;
        let before = match level {
            "differentSameEmployer" => levels.get("differentWork"),
            _ => None,
        };
        levels.get(level).or(before).copied()
    }

    /// The model ready for use.
    pub fn scorer(self) -> Result<Scorer, ModelError> {
        let mut bits: [Vec<f64>; ATTRIBUTES] = Default::default();
        for attribute in Attribute::ALL {
            for level in attribute.levels() {
                let is_chance = |chance: f64| chance > 0.0 && chance <= 1.0;
                let rate = self.rate(*attribute, level);
                let rate = rate.filter(|rate| is_chance(rate.m) && is_chance(rate.u));
                let Some(rate) = rate else {
                    let attribute = attribute.word();
                    return Err(ModelError::Level { attribute, level });
                };
                let weight = (rate.m / rate.u).log2().clamp(-MOST_BITS, MOST_BITS);
                bits[*attribute as usize].push(weight);
            }
        }
        Ok(Scorer { model: self, bits })
    }
}

impl Scorer {
    /// The model that is shipped, ready for use; read once.
    ///
    /// # Errors
    /// Never: a test reads it.
    pub fn builtin() -> Result<&'static Self, &'static ModelError> {
        static SCORER: LazyLock<Result<Scorer, ModelError>> =
            LazyLock::new(|| Model::builtin().scorer());
        SCORER.as_ref()
    }

    /// The bits of a level.
    #[must_use]
    pub fn bits(&self, attribute: Attribute, level: u8) -> f64 {
        let bits = self.bits[attribute as usize].get(usize::from(level));
        bits.copied().unwrap_or(0.0)
    }

    /// The bits of an equal name of which `share` of the people have it: a rare name tells more.
    #[must_use]
    pub fn bits_of_share(&self, attribute: Attribute, share: f64) -> f64 {
        let plain = self.bits(attribute, 0);
        let m = self
            .model
            .rate(attribute, "exact")
            .map_or(0.9, |rate| rate.m);
        let rarity = (m / share.max(f64::MIN_POSITIVE)).log2() - plain;
        plain + rarity.clamp(RARITY.0, RARITY.1)
    }

    /// The sum of all levels' bits, without what the rarity of names adds.
    #[must_use]
    pub fn sum(&self, levels: &Levels) -> f64 {
        let all = Attribute::ALL.iter().zip(levels);
        all.filter_map(|(attribute, level)| Some(self.bits(*attribute, (*level)?)))
            .sum()
    }

    /// The bits that speak for a newcomer to be one certain person of `population`.
    #[must_use]
    pub fn prior(&self, population: f64) -> f64 {
        (self.model.exists / population.max(1.0)).log2()
    }

    /// The odds that a score stands for.
    #[must_use]
    pub fn odds(&self, score: f64) -> f64 {
        self.model.calibration.bits(score).clamp(-60.0, 60.0).exp2()
    }
}
