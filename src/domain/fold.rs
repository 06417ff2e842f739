//! The golden record: a pure function of the source records and the policy (design §3). The policy says whose claims
//! survive; where it says nothing, the newest does.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::access::Classified;
use super::claim::{Claim, SINGLE, SourceRecord};
use super::record::{Leaves, external_id_path, external_ids};
use super::sealed;
use super::survivorship::{Law, Rank, Rulings};
use super::view::{Spec, Specs};
use crate::scim::comparable;

const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate:";

/// What a fold depends on beside the sources.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What the canonical paths mean.
    pub specs: &'a Specs,
    /// What the policy classifies.
    pub classified: &'a Classified,
    /// Whose claims survive.
    pub rulings: &'a Rulings,
}

/// A claim, and the system that made it.
pub type Said<'a> = (&'a str, &'a Claim);

/// A value of the fold, and the claim that gave it; of an element whose parts come from several claims, the first of them.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The canonical path.
    pub path: &'a str,
    /// The element's key; [`SINGLE`] for a single value.
    pub key: &'a str,
    /// The system.
    pub system: &'a str,
    /// Its claim.
    pub claim: &'a Claim,
}

impl<'a> Origin<'a> {
    /// The event by which a human decided that it stands.
    #[must_use]
    pub fn decision(&self) -> Option<&'a str> {
        let by = self
            .claim
            .elevated
            .as_ref()
            .filter(|_| !self.claim.is_derived())?;
        Some(&by.event)
    }
}

impl Rules<'_> {
    /// Folds what all sources say into one set of values. The order of `sources` does not matter.
    #[must_use]
    pub fn fold(&self, sources: &[SourceRecord]) -> Leaves {
        let mut leaves = Leaves::new();
        for path in paths(sources) {
            if let Some(value) = self.value(path, sources) {
                leaves.insert(path.to_owned(), value);
            }
        }
        let mut named: Vec<&SourceRecord> = sources
            .iter()
            .filter(|source| source.external_id.is_some())
            .collect();
        // Of two records of one system, which a merge has brought together, the first one's name is the person's.
        named.sort_by_key(|source| (source.first_seen, &source.external_id));
        for source in named {
            let external_id = Value::from(source.external_id.clone());
            match leaves.entry(external_id_path(&source.system)) {
                Entry::Vacant(none) => {
                    none.insert(external_id);
                }
                Entry::Occupied(mut one) => {
                    let all = [external_ids(one.get()), &[external_id]].concat();
                    one.insert(Value::Array(all));
                }
            }
        }
        derive(&mut leaves, sources);
        leaves
    }

    fn value(&self, path: &str, sources: &[SourceRecord]) -> Option<Value> {
        let spec = self.specs.get(path)?;
        if spec.attribute.multi_valued {
            return self.elements(spec, path, sources);
        }
        let (_, claim) = self.winner(path, sources)?;
        Some(claim.value.clone()).filter(|value| !value.is_null())
    }

    /// The claim on a single value that survives; it may say that there is none.
    pub(in crate::domain) fn winner<'s>(
        &self,
        path: &str,
        sources: &'s [SourceRecord],
    ) -> Option<Said<'s>> {
        let law = self.rulings.on(path);
        let claims = sources.iter().filter_map(|source| {
            let claim = source.claims.get(path, SINGLE)?;
            Some((source.system.as_str(), claim))
        });
        let admitted = claims.filter(|(system, claim)| law.admits(system, claim));
        admitted.max_by_key(|(system, claim)| law.rank(system, claim))
    }

    /// The elements that survive. Of one element's sub-attributes each comes from the first claim that speaks of it, so that
    /// a view without `verified` does not wipe it.
    fn elements(&self, spec: &Spec, path: &str, sources: &[SourceRecord]) -> Option<Value> {
        let mut survivors = survivors(self.rulings.on(path), path, sources.iter());
        if spec.attribute.sub("primary").is_some() {
            keep_one_primary(&mut survivors, |element| {
                self.classified.holds(path, element)
            });
        }
        let values: Vec<Value> = survivors
            .into_iter()
            .map(|survivor| survivor.value)
            .collect();
        (!values.is_empty()).then_some(Value::Array(values))
    }

    /// Where each value of the fold comes from, in the order of the paths.
    #[must_use]
    pub fn origins<'s>(&self, sources: &'s [SourceRecord]) -> Vec<Origin<'s>> {
        let mut origins = Vec::new();
        for path in paths(sources) {
            let Some(spec) = self.specs.get(path) else {
                continue;
            };
            if spec.attribute.multi_valued {
                let survivors = survivors(self.rulings.on(path), path, sources.iter());
                origins.extend(survivors.into_iter().map(|survivor| Origin {
                    path,
                    key: survivor.key,
                    system: survivor.said.0,
                    claim: survivor.said.1,
                }));
            } else if let Some((system, claim)) = self.winner(path, sources)
                && !claim.value.is_null()
            {
                let key = SINGLE;
                origins.push(Origin {
                    path,
                    key,
                    system,
                    claim,
                });
            }
        }
        origins
    }
}

/// All paths of which anybody says anything.
fn paths(sources: &[SourceRecord]) -> BTreeSet<&str> {
    let claims = sources.iter().flat_map(|source| source.claims.0.keys());
    claims.map(String::as_str).collect()
}

/// An element with its key, its place among its siblings and the claim that gave it.
struct Survivor<'a> {
    key: &'a str,
    place: Option<(u32, &'a str)>,
    rank: Rank<'a>,
    said: Said<'a>,
    value: Value,
}

/// The keys of the elements at `path`, in the order in which the fold has them.
pub(in crate::domain) fn keys<'a>(
    law: Law<'_>,
    path: &str,
    sources: impl Iterator<Item = &'a SourceRecord>,
) -> Vec<String> {
    let survivors = survivors(law, path, sources).into_iter();
    survivors.map(|survivor| survivor.key.to_owned()).collect()
}

fn survivors<'a>(
    law: Law<'_>,
    path: &str,
    sources: impl Iterator<Item = &'a SourceRecord>,
) -> Vec<Survivor<'a>> {
    let mut all: Vec<(&str, Said<'a>)> = Vec::new();
    for source in sources {
        let claims = source.claims.0.get(path).into_iter().flatten();
        let said = claims.map(|(key, claim)| (key.as_str(), (source.system.as_str(), claim)));
        all.extend(said.filter(|(_, (system, claim))| law.admits(system, claim)));
    }
    // Where sources have an order, the first that speaks is heard with all that it says.
    let first = all.iter().map(|(_, (system, _))| law.order(system)).min();
    let mut by_key: BTreeMap<&str, Vec<Said<'a>>> = BTreeMap::new();
    for (key, (system, claim)) in all {
        let heard = Some(law.order(system)) == first;
        // In a union nobody takes away what another says.
        let kept = heard && !(law.is_union() && claim.value.is_null());
        // A human has decided otherwise.
        if kept || claim.elevated.is_some() {
            by_key.entry(key).or_default().push((system, claim));
        }
    }
    let mut survivors = Vec::new();
    for (key, mut claims) in by_key {
        claims.sort_by_key(|(system, claim)| std::cmp::Reverse(law.rank(system, claim)));
        let place = claims
            .iter()
            .map(|(system, claim)| (claim.place, *system))
            .min();
        if let (Some(said), Some(value)) = (claims.first().copied(), joined(&claims)) {
            survivors.push(Survivor {
                key,
                place,
                rank: law.rank(said.0, said.1),
                said,
                value,
            });
        }
    }
    survivors.sort_by_key(|survivor| survivor.place);
    survivors
}

/// One element from the claims on it, the first in rank first; none if that denies it.
fn joined(claims: &[Said<'_>]) -> Option<Value> {
    let (_, first) = claims.first()?;
    let Value::Object(_) = first.value else {
        return Some(first.value.clone()).filter(|value| !value.is_null());
    };
    let mut element = Map::new();
    for (_, claim) in claims {
        // Beyond a denial nothing lower is heard.
        let Value::Object(subs) = &claim.value else {
            break;
        };
        for (name, value) in subs {
            element.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    element.retain(|_, value| !value.is_null());
    Some(Value::Object(element))
}

/// At most one `primary` survives, from the claim that ranks highest (RFC 7643 §2.4). One that is hidden from some never
/// takes the mark from one that is not: they would see it go.
fn keep_one_primary(survivors: &mut [Survivor<'_>], is_hidden: impl Fn(&Value) -> bool) {
    let ranks: Vec<_> = survivors
        .iter()
        .map(|survivor| {
            let is_primary = survivor.value.get("primary") == Some(&json!(true));
            let open = !is_hidden(&survivor.value);
            is_primary.then_some((open, survivor.rank, survivor.place))
        })
        .collect();
    let best = ranks.iter().max().copied().flatten();
    for (survivor, rank) in survivors.iter_mut().zip(ranks) {
        if rank.is_some() && rank != best {
            survivor.value["primary"] = json!(false);
        }
    }
}

/// Whether the value at `path` follows from the claims without being claimed itself.
#[must_use]
pub fn is_derived(path: &str, leaves: &Leaves, sources: &[SourceRecord]) -> bool {
    let mut others = leaves.clone();
    others.remove(path);
    derive(&mut others, sources);
    others.contains_key(path)
}

/// What follows from the claims without being claimed.
fn derive(leaves: &mut Leaves, sources: &[SourceRecord]) {
    if let Some((path, hints)) = sealed::hints(leaves) {
        leaves.insert(path.into(), hints);
    }
    let speaks = |source: &&SourceRecord| {
        source
            .claims
            .0
            .keys()
            .any(|path| path.starts_with(CANDIDATE))
    };
    if leaves.keys().any(|path| path.starts_with(CANDIDATE))
        && let Some(first) = sources
            .iter()
            .filter(speaks)
            .map(|source| source.first_seen)
            .min()
    {
        leaves.insert(
            format!("{CANDIDATE}createdAt"),
            comparable::instant(first).into(),
        );
    }
}
