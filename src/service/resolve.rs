//! Who a newcomer is, by evidence: candidates by their keys, scored, guarded, decided and explained (design §7, A-046 to A-051).
//! It runs where the policy has a `matching` row; keys alone decide otherwise.

use serde_json::{Value, json};

use super::change::Write;
use super::create::Given;
use super::sight::clearance;
use super::{Error, Muster};
use crate::domain::claim::SourceRecord;
use crate::domain::context::{Context, Right};
use crate::domain::matching::block::keys;
use crate::domain::matching::population::HOT;
use crate::domain::matching::{
    self, Candidate, Decision, Outcome, Profile, Scorer, Trace, Unknown, decide,
};
use crate::domain::record::{Folded, Kind, Leaves, Record};
use crate::domain::review::{Asks, Opening};
use crate::domain::sealed;
use crate::domain::survivorship::Rulings;
use crate::id::ResourceId;
use crate::store::{self, Tx};

/// The most candidates that are compared: those who share the most keys.
pub(super) const MOST: usize = 30;

/// What is decided of a newcomer, and what there is to keep of it.
pub(super) struct Verdict {
    /// What is decided.
    pub(super) outcome: Outcome,
    /// Whom it was compared with, the likeliest first.
    pub(super) candidates: Vec<(Record, Trace)>,
    /// Keys that too many share.
    hot: usize,
    /// How many keys were looked up.
    tried: usize,
}

impl Verdict {
    /// Why, without any of the values: what the log tells.
    pub(super) fn told(&self) -> Value {
        let candidates: Vec<Value> = self
            .candidates
            .iter()
            .map(|(record, trace)| {
                let comparisons = trace.comparisons.iter();
                let comparisons: Vec<Value> = comparisons
                    .map(|one| json!({ "path": one.path, "attribute": one.attribute, "level": one.level, "bits": one.bits }))
                    .collect();
                json!({
                    "id": record.folded.id.to_string(),
                    "prior": trace.prior,
                    "score": trace.score,
                    "probability": trace.probability,
                    "among": trace.among,
                    "guard": trace.guard,
                    "model": trace.model,
                    "comparisons": comparisons,
                })
            })
            .collect();
        let decision = match self.outcome {
            Outcome::Merge => "linked",
            Outcome::Review => "review",
            Outcome::New => "new",
        };
        json!({ "resolution": {
            "decision": decision, "keysTried": self.tried, "hotKeys": self.hot, "candidates": candidates,
        }})
    }

    /// The review that it asks for, if it does.
    pub(super) fn opening(&self, subject: ResourceId, system: &str) -> Option<Opening> {
        (self.outcome == Outcome::Review).then(|| Opening {
            asks: Asks::Match,
            subject: Some(subject),
            about: None,
            payload: None,
            candidates: self
                .candidates
                .iter()
                .map(|(record, trace)| {
                    let guard = trace
                        .guard
                        .and_then(|guard| serde_json::to_value(guard).ok());
                    let guard = guard.and_then(|guard| guard.as_str().map(str::to_owned));
                    (record.folded.id, trace.probability, guard)
                })
                .collect(),
            path: None,
            system: system.to_owned(),
        })
    }
}

impl Muster {
    /// The lines of the tenant's policy, from 0 to 1: what merges, and what a human looks at; nothing if it does not match.
    pub(super) fn lines(&self, context: &Context) -> Option<(f64, f64)> {
        let policies = self.policies();
        let row = policies
            .get(&context.tenant().0)?
            .policy
            .matching
            .as_ref()?;
        let share = |points: u32| f64::from(points) / 100.0;
        Some((share(row.merge_above), share(row.review_from)))
    }

    /// A person as matching compares people: all that its systems say. `leaves` is what of it may be used.
    pub(super) fn profile(
        &self,
        tx: &mut Tx<'_>,
        record: &Record,
        whole: bool,
        leaves: &Leaves,
    ) -> Result<Profile, Error> {
        let specs = self.0.renderer.catalog().specs(Kind::Person);
        if !whole {
            return Ok(Profile::of(leaves, Vec::new()));
        }
        let envelope = if sealed::any(specs, leaves) {
            store::key::find_envelope(tx, &record.folded)?
        } else {
            None
        };
        let legal = match &envelope {
            Some(envelope) => {
                sealed::identifiers(specs, leaves, Some(envelope)).map_err(store::Error::from)?
            }
            None => Vec::new(),
        };
        let mut profile = Profile::of(leaves, legal);
        for source in &record.sources {
            profile.absorb(&Profile::of(&self.said_by(source), Vec::new()));
        }
        Ok(profile)
    }

    /// What one system alone says of a person.
    pub(super) fn said_by(&self, source: &SourceRecord) -> Leaves {
        let rules = crate::domain::fold::Rules {
            specs: self.0.renderer.catalog().specs(Kind::Person),
            classified: &crate::domain::access::Classified::default(),
            rulings: &Rulings::default(),
        };
        rules.fold(std::slice::from_ref(source))
    }

    /// Brings the keys that a person is found by to what is known of them, where the policy matches.
    pub(super) fn key(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        person: &Folded,
    ) -> Result<(), Error> {
        if person.kind != Kind::Person || self.lines(context).is_none() {
            return Ok(());
        }
        self.rekey(tx, person.clone())
    }

    /// The same whatever the policy says.
    pub(super) fn rekey(&self, tx: &mut Tx<'_>, person: Folded) -> Result<(), Error> {
        let tenant = person.tenant;
        let record = store::record::with_sources(tx, person)?;
        let profile = self.profile(tx, &record, true, &record.folded.leaves)?;
        let names = store::matching::names(tx, tenant, &keys(&profile))?;
        Ok(store::matching::put(tx, record.folded.row, &names)?)
    }
}

impl Write<'_> {
    /// Who the newcomer is, by evidence; nothing where the policy does not match. `given` is not sealed yet.
    pub(super) fn weigh(&self, tx: &mut Tx<'_>, given: &Given) -> Result<Option<Verdict>, Error> {
        let Some((merge_above, review_from)) = self.muster.lines(self.context) else {
            return Ok(None);
        };
        let tenant = self.context.tenant();
        let newcomer = self.newcomer(&given.leaves)?;
        let names = store::matching::names(tx, tenant, &keys(&newcomer))?;
        let sharers = store::matching::sharers(tx, &names, HOT)?;
        let mut near: Vec<(i64, usize)> = sharers.shared.into_iter().collect();
        near.sort_by_key(|(row, shared)| (std::cmp::Reverse(*shared), *row));
        let rows: Vec<i64> = near.iter().take(MOST).map(|(row, _)| *row).collect();
        let records = store::matching::look(tx, &rows)?;
        let people = self.candidates(tx, records)?;
        let apart = self.apart(tx, given)?;
        let mut said = Vec::with_capacity(people.len());
        for (record, _) in &people {
            said.push(self.said_of(tx, apart.as_ref(), record)?);
        }
        let candidates: Vec<Candidate<'_, usize>> = people
            .iter()
            .enumerate()
            .map(|(n, (record, profile))| Candidate {
                id: n,
                profile,
                same_system: record
                    .sources
                    .iter()
                    .any(|source| source.system == self.context.system()),
                said: said[n],
            })
            .collect();
        let population = store::matching::population(tx, tenant)?;
        #[expect(clippy::cast_precision_loss, reason = "a population needs no more")]
        let context = matching::Context {
            population: population as f64,
            merge_above,
            review_from,
            needs_strong_evidence: true,
            guards_account: self.view.accounts_only
                && !self.muster.verifies(tenant, self.context.system()),
        };
        let policies = self.muster.policies();
        let trained = policies
            .get(&tenant.0)
            .and_then(|row| row.scorer.as_deref());
        let scorer = match trained {
            Some(trained) => trained,
            None => Scorer::builtin().map_err(|error| Error::Internal(error.to_string()))?,
        };
        let decision: Decision<usize> = decide(&newcomer, &candidates, &context, scorer, &Unknown);
        let mut people: Vec<Option<Record>> =
            people.into_iter().map(|(record, _)| Some(record)).collect();
        let told = decision.candidates.into_iter();
        Ok(Some(Verdict {
            outcome: decision.outcome,
            candidates: told
                .filter_map(|(n, trace)| Some((people[n].take()?, trace)))
                .collect(),
            hot: sharers.hot,
            tried: names.len(),
        }))
    }

    /// The records that the caller may know of, with what of each it may know.
    fn candidates(
        &self,
        tx: &mut Tx<'_>,
        records: Vec<Record>,
    ) -> Result<Vec<(Record, Profile)>, Error> {
        let whole = clearance(self.context, self.view).is_plain();
        let key = self.muster.veil_key(self.context, self.view);
        let mut known = Vec::with_capacity(records.len());
        for record in records
            .into_iter()
            .filter(|record| record.folded.tenant == self.context.tenant())
        {
            let leaves = record.folded.leaves.clone();
            let seen = self.muster.before(self.context, self.view, &leaves, &key);
            if !seen.may(Right::Read) {
                continue;
            }
            let leaves = if whole {
                leaves.clone()
            } else {
                seen.leaves(leaves.clone())
            };
            let profile = self.muster.profile(tx, &record, whole, &leaves)?;
            known.push((record, profile));
        }
        Ok(known)
    }

    /// Keeps the traces of a verdict with the person of whom they tell, sealed under that person's key.
    pub(super) fn keep_traces(
        &self,
        tx: &mut Tx<'_>,
        subject: &Folded,
        verdict: &Verdict,
    ) -> Result<(), Error> {
        for (record, trace) in &verdict.candidates {
            let trace =
                serde_json::to_vec(trace).map_err(|error| Error::Internal(error.to_string()))?;
            store::matching::keep_trace(
                tx,
                subject,
                record.folded.row,
                (self.context.now, &trace),
            )?;
        }
        Ok(())
    }
}
