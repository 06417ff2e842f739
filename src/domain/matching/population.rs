//! Many people at once: an index of their keys, pairs that may be one, and clusters (matching.md, "Clusters").

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use super::block::keys;
use super::decide::{Guard, conflict, rarity};
use super::level::{Attribute, Levels, compare};
use super::model::{Frequencies, Scorer};
use super::profile::Profile;

/// People who share a key, beyond whom it tells nobody apart: such a key is skipped and counted, never walked.
pub const HOT: usize = 30;

/// People, the keys that they are found by, and how rare their names are.
#[derive(Debug, Default)]
pub struct Population {
    /// The people, by number. Whoever else holds one keeps it as it was.
    pub profiles: Vec<Arc<Profile>>,
    index: HashMap<u64, Vec<u32>>,
    names: [HashMap<String, u32>; 2],
    /// How many look-ups met a key that too many share.
    pub hot: usize,
    /// How many records were added.
    pub records: usize,
}

/// Two people who may be one.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The one.
    pub a: u32,
    /// The other.
    pub b: u32,
    /// How alike they are.
    pub levels: Levels,
    /// The sum of the bits, without the prior.
    pub bits: f64,
}

impl Frequencies for Population {
    fn share(&self, attribute: Attribute, value: &str) -> Option<f64> {
        let names = match attribute {
            Attribute::Given => &self.names[0],
            Attribute::Family => &self.names[1],
            _ => return None,
        };
        let count = names.get(value).copied().unwrap_or(1).max(1);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a share of people needs no more"
        )]
        Some(f64::from(count) / self.records.max(1) as f64)
    }
}

impl Population {
    /// Adds somebody, who gets the next number.
    pub fn add(&mut self, profile: impl Into<Arc<Profile>>) -> u32 {
        let profile = profile.into();
        let number = u32::try_from(self.profiles.len()).unwrap_or(u32::MAX);
        self.learn(number, &profile);
        self.profiles.push(profile);
        number
    }

    /// Adds to somebody what another record tells of them.
    pub fn absorb(&mut self, number: u32, profile: &Profile) {
        self.learn(number, profile);
        if let Some(known) = self.profiles.get_mut(number as usize) {
            Arc::make_mut(known).absorb(profile);
        }
    }

    fn learn(&mut self, number: u32, profile: &Profile) {
        self.records += 1;
        for key in keys(profile) {
            let holders = self.index.entry(hash(&key)).or_default();
            // One more than is walked, so that it is known to be hot.
            if holders.len() <= HOT && holders.last() != Some(&number) {
                holders.push(number);
            }
        }
        if let Some(name) = profile.names.first() {
            for (names, part) in self.names.iter_mut().zip([&name.given, &name.family]) {
                *names.entry(part.clone()).or_default() += 1;
            }
        }
    }

    /// Those who share a key with `profile`, each once.
    pub fn candidates(&mut self, profile: &Profile) -> Vec<u32> {
        let (found, hot) = self.near(profile);
        self.hot += hot;
        found
    }

    /// Those who share a key with `profile`, each once; and how many of its keys too many share.
    fn near(&self, profile: &Profile) -> (Vec<u32>, usize) {
        let (mut found, mut hot) = (Vec::new(), 0);
        for key in keys(profile) {
            match self.index.get(&hash(&key)) {
                Some(holders) if holders.len() <= HOT => found.extend(holders),
                Some(_) => hot += 1,
                None => {}
            }
        }
        found.sort_unstable();
        found.dedup();
        (found, hot)
    }

    /// All pairs that share a key, compared and weighed: each processor takes a part of the people.
    #[must_use]
    pub fn pairs(&mut self, scorer: &Scorer) -> Vec<Pair> {
        let people = self.profiles.len();
        let parts = thread::available_parallelism().map_or(1, NonZero::get);
        let size = people.div_ceil(parts).max(1);
        let known = &*self;
        let found = thread::scope(|scope| {
            let parts: Vec<_> = (0..people)
                .step_by(size)
                .map(|from| {
                    let numbers = from..(from + size).min(people);
                    scope.spawn(move || known.pairs_of(numbers, scorer))
                })
                .collect();
            let all = parts.into_iter().map(|part| match part.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            all.collect::<Vec<_>>()
        });
        let mut pairs = Vec::with_capacity(found.iter().map(|(pairs, _)| pairs.len()).sum());
        for (more, hot) in found {
            pairs.extend(more);
            self.hot += hot;
        }
        pairs
    }

    /// The pairs of those of these numbers with those before them.
    fn pairs_of(&self, numbers: Range<usize>, scorer: &Scorer) -> (Vec<Pair>, usize) {
        let (mut pairs, mut all_hot) = (Vec::new(), 0);
        for (number, profile) in (0..)
            .zip(&self.profiles)
            .skip(numbers.start)
            .take(numbers.len())
        {
            let (others, hot) = self.near(profile);
            all_hot += hot;
            for other in others.into_iter().filter(|other| *other < number) {
                let known = &self.profiles[other as usize];
                let levels = compare(profile, known);
                let bits = scorer.sum(&levels) + rarity(profile, known, &levels, scorer, self);
                pairs.push(Pair {
                    a: other,
                    b: number,
                    levels,
                    bits,
                });
            }
        }
        (pairs, all_hot)
    }

    /// Clusters of those who are one: pairs from `line` on, the surest first; a union that would hold two legal identifiers or
    /// two birth dates of one person, or more than `most` records, is refused. The number of each one's cluster.
    #[must_use]
    pub fn clusters(&self, pairs: &[Pair], scorer: &Scorer, line: f64, most: usize) -> Vec<u32> {
        #[expect(clippy::cast_precision_loss, reason = "a population needs no more")]
        let prior = scorer.prior(self.profiles.len() as f64);
        let mut sure: Vec<(f64, &Pair)> = pairs
            .iter()
            .map(|pair| (scorer.odds(prior + pair.bits), pair))
            .filter(|(odds, pair)| {
                odds / (1.0 + odds) > line
                    && conflict(&pair.levels) != Some(Guard::LegalIdentifiersDiffer)
            })
            .collect();
        sure.sort_by(|(a, x), (b, y)| b.total_cmp(a).then((x.a, x.b).cmp(&(y.a, y.b))));
        let mut clusters = Clusters::new(&self.profiles);
        for (_, pair) in sure {
            clusters.join(pair.a, pair.b, most);
        }
        (0..clusters.parents.len())
            .map(|n| clusters.root(u32::try_from(n).unwrap_or(u32::MAX)))
            .collect()
    }
}

/// Union-find whose parts know their legal identifiers and birth dates.
struct Clusters {
    parents: Vec<u32>,
    facts: BTreeMap<u32, Facts>,
}

#[derive(Clone, Debug, Default)]
struct Facts {
    size: usize,
    legal: Vec<String>,
    births: Vec<String>,
}

impl Clusters {
    fn new(profiles: &[Arc<Profile>]) -> Self {
        let facts = (0..).zip(profiles).map(|(n, profile)| {
            let facts = Facts {
                size: 1,
                legal: profile.legal.clone(),
                births: profile.births.clone(),
            };
            (n, facts)
        });
        Self {
            parents: (0..).take(profiles.len()).collect(),
            facts: facts.collect(),
        }
    }

    fn root(&mut self, mut n: u32) -> u32 {
        while self.parents[n as usize] != n {
            let up = self.parents[self.parents[n as usize] as usize];
            self.parents[n as usize] = up;
            n = up;
        }
        n
    }

    fn join(&mut self, a: u32, b: u32, most: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        let (Some(mine), Some(theirs)) = (self.facts.get(&a), self.facts.get(&b)) else {
            return;
        };
        let apart = |x: &[String], y: &[String]| {
            !x.is_empty() && !y.is_empty() && !x.iter().any(|one| y.contains(one))
        };
        let far = |x: &String, y: &String| strsim::osa_distance(x, y) > 2;
        let days = mine
            .births
            .iter()
            .any(|x| theirs.births.iter().any(|y| far(x, y)));
        if apart(&mine.legal, &theirs.legal) || days || mine.size + theirs.size > most {
            return;
        }
        let mut facts = theirs.clone();
        facts.size += mine.size;
        facts.legal.extend(mine.legal.iter().cloned());
        facts.births.extend(mine.births.iter().cloned());
        facts.births.sort();
        facts.births.dedup();
        self.facts.remove(&a);
        self.facts.insert(b, facts);
        self.parents[a as usize] = b;
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
