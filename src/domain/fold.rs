//! The golden record: a pure function of the source records and the policy (design §3). The newest claim wins; of the
//! policy it needs what is classified.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::access::Classified;
use super::claim::{Claim, SINGLE, SourceRecord};
use super::record::{Leaves, external_id_path};
use super::sealed;
use super::view::{Spec, Specs};
use crate::scim::comparable;

const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate:";

/// Folds what all sources say into one set of values. The order of `sources` does not matter.
#[must_use]
pub fn fold(specs: &Specs, classified: &Classified, sources: &[SourceRecord]) -> Leaves {
    let mut leaves = Leaves::new();
    let paths: BTreeSet<&String> = sources
        .iter()
        .flat_map(|source| source.claims.0.keys())
        .collect();
    for path in paths {
        let Some(spec) = specs.get(path) else {
            continue;
        };
        let value = if spec.attribute.multi_valued {
            elements(spec, classified, path, sources)
        } else {
            newest(path, sources)
        };
        if let Some(value) = value {
            leaves.insert(path.clone(), value);
        }
    }
    for source in sources {
        if let Some(external_id) = &source.external_id {
            leaves.insert(external_id_path(&source.system), external_id.clone().into());
        }
    }
    derive(&mut leaves, sources);
    leaves
}

fn newest(path: &str, sources: &[SourceRecord]) -> Option<Value> {
    let claims = sources
        .iter()
        .filter_map(|source| source.claims.get(path, SINGLE));
    claims
        .max_by_key(|claim| claim.rank())
        .map(|claim| claim.value.clone())
        .filter(|value| !value.is_null())
}

/// An element with its key, its place among its siblings and the rank of the claim that gave it.
struct Survivor<'a> {
    key: &'a str,
    place: Option<(u32, &'a str)>,
    rank: (i64, &'a str),
    value: Value,
}

/// The union of the elements by key (design §3). Of one element's sub-attributes each comes from the newest claim that
/// speaks of it, so that a view without `verified` does not wipe it.
fn elements(
    spec: &Spec,
    classified: &Classified,
    path: &str,
    sources: &[SourceRecord],
) -> Option<Value> {
    let mut survivors = survivors(path, sources.iter());
    if spec.attribute.sub("primary").is_some() {
        keep_one_primary(&mut survivors, |element| classified.holds(path, element));
    }
    let values: Vec<Value> = survivors
        .into_iter()
        .map(|survivor| survivor.value)
        .collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

/// The keys of the elements at `path`, in the order in which the fold has them.
pub(super) fn keys<'a>(path: &str, sources: impl Iterator<Item = &'a SourceRecord>) -> Vec<String> {
    let survivors = survivors(path, sources).into_iter();
    survivors.map(|survivor| survivor.key.to_owned()).collect()
}

fn survivors<'a>(path: &str, sources: impl Iterator<Item = &'a SourceRecord>) -> Vec<Survivor<'a>> {
    let mut by_key: BTreeMap<&str, Vec<(&Claim, &str)>> = BTreeMap::new();
    for source in sources {
        for (key, claim) in source.claims.0.get(path).into_iter().flatten() {
            by_key.entry(key).or_default().push((claim, &source.system));
        }
    }
    let mut survivors = Vec::new();
    for (key, mut claims) in by_key {
        claims.sort_by(|(a, _), (b, _)| b.rank().cmp(&a.rank()));
        let place = claims
            .iter()
            .map(|(claim, system)| (claim.place, *system))
            .min();
        if let (Some((winner, _)), Some(value)) = (claims.first(), joined(&claims)) {
            survivors.push(Survivor {
                key,
                place,
                rank: winner.rank(),
                value,
            });
        }
    }
    survivors.sort_by_key(|survivor| survivor.place);
    survivors
}

/// One element from the claims on it, newest first; none if the newest denies it.
fn joined(claims: &[(&Claim, &str)]) -> Option<Value> {
    let (newest, _) = claims.first()?;
    let Value::Object(_) = newest.value else {
        return Some(newest.value.clone()).filter(|value| !value.is_null());
    };
    let mut element = Map::new();
    for (claim, _) in claims {
        // Beyond a denial nothing older is heard.
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
    let is_primary = |survivor: &Survivor<'_>| survivor.value.get("primary") == Some(&json!(true));
    let rank = |survivor: &Survivor<'_>| {
        let open = !is_hidden(&survivor.value);
        (
            open,
            survivor.rank.0,
            survivor.rank.1.to_owned(),
            survivor
                .place
                .map(|(place, system)| (place, system.to_owned())),
        )
    };
    let ranks: Vec<_> = survivors
        .iter()
        .map(|survivor| is_primary(survivor).then(|| rank(survivor)))
        .collect();
    let best = ranks.iter().max().cloned().flatten();
    for (survivor, rank) in survivors.iter_mut().zip(ranks) {
        if rank.is_some() && rank != best {
            survivor.value["primary"] = json!(false);
        }
    }
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
