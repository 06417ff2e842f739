//! How good a model is where the truth is known: one record after another as the server resolves them, and all at once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::apart::Said;
use super::decide::{Candidate, Context, Decision, Guard, Outcome, decide};
use super::model::{Calibration, Scorer};
use super::population::{Pair, Population};
use super::profile::Profile;

/// A record of which it is known whose it is.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it tells.
    pub profile: Arc<Profile>,
    /// Whose it is.
    pub person: u32,
}

/// What came of resolving records one after another.
#[derive(Clone, Debug, Default)]
pub struct Online {
    /// Records.
    pub records: usize,
    /// Those whose person was there already.
    pub known: usize,
    /// Merged with somebody.
    pub merged: usize,
    /// Of those, rightly.
    pub merged_right: usize,
    /// Sent to review.
    pub reviewed: usize,
    /// Of those, with the right person among the suggestions.
    pub reviewed_right: usize,
    /// Records whose person was there, sent to review with that person among the suggestions.
    pub known_reviewed: usize,
    /// Records whose person was there, and who became somebody new.
    pub missed: usize,
    /// Candidates compared.
    pub candidates: usize,
    /// The most of one record.
    pub most_candidates: usize,
    /// How many pairs were given a chance within each twentieth, and how many of them were right.
    pub bands: [(usize, usize, f64); 20],
    /// How often each guard fired.
    pub guards: HashMap<Option<Guard>, usize>,
    /// Scores with the truth, to calibrate on.
    pub scores: Vec<(f64, bool)>,
}

/// Resolves records one after another, as the server does; reviews are worked off before the next record comes.
#[must_use]
pub fn online(records: &[Known], scorer: &Scorer) -> Online {
    let mut people = Population::default();
    let mut of: Vec<u32> = Vec::new();
    let mut seen: HashSet<u32> = HashSet::new();
    let mut found = Online {
        records: records.len(),
        ..Online::default()
    };
    for record in records {
        let is_known = !seen.insert(record.person);
        let (decision, near) = resolve(&record.profile, &mut people, scorer);
        found.candidates += near;
        found.most_candidates = found.most_candidates.max(near);
        found.note(&decision, |id| of[id as usize] == record.person);
        let mut ids = decision.candidates.iter().map(|(id, _)| *id);
        let first = ids.clone().next();
        let right = ids.find(|id| of[*id as usize] == record.person);
        found.known += usize::from(is_known);
        let whose = match decision.outcome {
            Outcome::Merge => {
                found.merged += 1;
                found.merged_right += usize::from(first.is_some() && first == right);
                first
            }
            Outcome::Review => {
                found.reviewed += 1;
                found.reviewed_right += usize::from(right.is_some());
                found.known_reviewed += usize::from(right.is_some() && is_known);
                right
            }
            Outcome::New => {
                found.missed += usize::from(is_known);
                None
            }
        };
        if let Some(id) = whose {
            people.absorb(id, &record.profile);
        } else {
            people.add(record.profile.clone());
            of.push(record.person);
        }
    }
    found
}

/// Resolves one record among people: candidates found, compared, decided; and how many candidates there were.
pub fn resolve(
    newcomer: &Profile,
    people: &mut Population,
    scorer: &Scorer,
) -> (Decision<u32>, usize) {
    let near = people.candidates(newcomer);
    let candidates: Vec<Candidate<'_, u32>> = near
        .iter()
        .map(|id| Candidate {
            id: *id,
            profile: &people.profiles[*id as usize],
            same_system: false,
            said: Said::Nothing,
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a population needs no more")]
    let context = Context {
        population: people.profiles.len() as f64,
        merge_above: 0.9,
        review_from: 0.7,
        needs_strong_evidence: true,
        guards_account: false,
    };
    let decision = decide(newcomer, &candidates, &context, scorer, people);
    (decision, near.len())
}

impl Online {
    /// Notes how sure of each candidate the model was, and how right.
    fn note(&mut self, decision: &Decision<u32>, is_right: impl Fn(u32) -> bool) {
        for (id, trace) in &decision.candidates {
            let right = is_right(*id);
            *self.guards.entry(trace.guard).or_default() += 1;
            if trace.guard.is_none_or(|guard| !guard.is_final()) {
                let band = &mut self.bands[band(trace.probability)];
                band.0 += 1;
                band.1 += usize::from(right);
                band.2 += trace.probability;
                self.scores.push((trace.score, right));
            }
        }
    }
}

/// Which twentieth a chance lies in.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a chance lies between 0 and 1"
)]
fn band(chance: f64) -> usize {
    ((chance * 20.0) as usize).min(19)
}

/// How well all records at once are put together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Batch {
    /// Pairs of records put together.
    pub together: u64,
    /// Of those, rightly.
    pub right: u64,
    /// Pairs that belong together.
    pub true_pairs: u64,
    /// The most records of one cluster.
    pub largest: usize,
    /// Clusters of more than one record.
    pub clusters: usize,
    /// Of those, of one person alone.
    pub pure: usize,
    /// Clusters that hold two legal identifiers.
    pub legal_conflicts: usize,
}

impl Batch {
    /// The share of what was put together that is right.
    #[must_use]
    pub fn precision(&self) -> f64 {
        ratio(self.right, self.together)
    }

    /// The share of what belongs together that was.
    #[must_use]
    pub fn recall(&self) -> f64 {
        ratio(self.right, self.true_pairs)
    }

    /// Their harmonic mean.
    #[must_use]
    pub fn f1(&self) -> f64 {
        let (p, r) = (self.precision(), self.recall());
        if p + r > 0.0 {
            2.0 * p * r / (p + r)
        } else {
            0.0
        }
    }
}

/// One number's share of another; 1 of nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share needs no more")]
pub fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// Puts all records together at once.
#[must_use]
pub fn batch(records: &[Known], scorer: &Scorer, line: f64) -> (Batch, Population, Vec<Pair>) {
    let mut people = Population::default();
    for record in records {
        people.add(record.profile.clone());
    }
    let pairs = people.pairs(scorer);
    let clusters = people.clusters(&pairs, scorer, line, 10);
    (judge(records, &clusters), people, pairs)
}

fn judge(records: &[Known], clusters: &[u32]) -> Batch {
    let mut of_person: HashMap<u32, u64> = HashMap::new();
    let mut of_cluster: HashMap<u32, Vec<usize>> = HashMap::new();
    for (n, (record, cluster)) in records.iter().zip(clusters).enumerate() {
        *of_person.entry(record.person).or_default() += 1;
        of_cluster.entry(*cluster).or_default().push(n);
    }
    let pairs = |n: u64| n * n.saturating_sub(1) / 2;
    let mut judged = Batch {
        true_pairs: of_person.values().map(|n| pairs(*n)).sum(),
        ..Batch::default()
    };
    for members in of_cluster.values() {
        let mut people: HashMap<u32, u64> = HashMap::new();
        let mut legal: Vec<&String> = Vec::new();
        for n in members {
            *people.entry(records[*n].person).or_default() += 1;
            legal.extend(&records[*n].profile.legal);
        }
        legal.sort();
        legal.dedup();
        judged.together += pairs(members.len() as u64);
        judged.right += people.values().map(|n| pairs(*n)).sum::<u64>();
        judged.largest = judged.largest.max(members.len());
        judged.clusters += usize::from(members.len() > 1);
        judged.pure += usize::from(members.len() > 1 && people.len() == 1);
        judged.legal_conflicts += usize::from(legal.len() > 1);
    }
    judged
}

/// A calibration fitted to what an online run has shown.
#[must_use]
pub fn calibration(found: &Online, start: Calibration) -> Calibration {
    super::train::calibrate(&found.scores, start)
}
