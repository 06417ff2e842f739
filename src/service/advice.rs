//! What the past decisions of humans recommend to change of a tenant's policy, and what that would change.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Error, Muster};
use crate::domain::advice::{Advised, Evidence, Settled, advise};
use crate::domain::policy::selector::Target;
use crate::domain::record::{Kind, Leaves, Record};
use crate::domain::review::Asks;
use crate::domain::simulation::Simulation;
use crate::id::TenantId;
use crate::store;

/// Records read in one transaction.
const CHUNK: usize = 200;
/// The most reviews that are counted.
const MOST: i64 = 1_000_000;

/// What is recommended, and what it would change.
#[derive(Debug)]
pub struct Recommended {
    /// The advice, with the rows to paste.
    pub advised: Advised,
    /// What those rows would change; nothing where there are none.
    pub simulation: Option<Simulation>,
}

/// What of a person's attributes a review has settled already: its elevation counts once.
type Reviewed = BTreeSet<(String, String, String)>;

impl Muster {
    /// What the reviews of conflicts and the elevations of a tenant recommend, where at least `least` of them were decided;
    /// nothing if the tenant has no policy.
    pub fn advise(&self, tenant: &str, least: u64) -> Result<Option<Recommended>, Error> {
        self.refresh()?;
        let Some(id) = self.find_tenant(tenant)? else {
            return Ok(None);
        };
        let Some(governed) = self.policies().get(&id.0).cloned() else {
            return Ok(None);
        };
        let mut evidence = Evidence::default();
        let reviewed = self.count_reviews(id, &mut evidence)?;
        self.count_elevations(id, &reviewed, &mut evidence)?;
        let catalog = self.0.renderer.catalog();
        let advised = advise(&evidence, &governed.policy, catalog, least);
        let simulation = match &advised.policy {
            Some(policy) => Some(self.simulate(tenant, policy, 1, |_| ())?),
            None => None,
        };
        Ok(Some(Recommended {
            advised,
            simulation,
        }))
    }

    /// Counts the reviews of conflicts that somebody has decided.
    fn count_reviews(&self, tenant: TenantId, evidence: &mut Evidence) -> Result<Reviewed, Error> {
        let conflict = [Asks::Conflict.word().to_owned()];
        let of = (tenant, Kind::Review);
        let rows = self.0.store.read_blocking(|tx| {
            Ok::<_, Error>(store::record::with_values(tx, of, "kind", &conflict, MOST)?)
        })?;
        let mut reviewed = Reviewed::new();
        for rows in rows.concat().chunks(CHUNK) {
            let decided = self.0.store.read_blocking(|tx| {
                let mut decided = Vec::new();
                for row in rows {
                    let Some(review) = store::record::at(tx, *row)? else {
                        continue;
                    };
                    let subject = text(&review.leaves, "subject.value").parse().ok();
                    let about = match subject {
                        Some(id) => store::record::find(tx, tenant, id)?.map(|found| found.kind),
                        None => None,
                    };
                    // One that is merged or gone was a person: organizations are neither.
                    decided.push((review.leaves, about.unwrap_or(Kind::Person)));
                }
                Ok::<_, Error>(decided)
            })?;
            for (review, kind) in decided {
                let settled = match text(&review, "status") {
                    "approved" => Settled::Approved,
                    "rejected" => Settled::Rejected,
                    _ => continue,
                };
                let system = text(&review, "system");
                if let Some(target) = self.target_of(kind, text(&review, "path")) {
                    if settled == Settled::Approved {
                        let subject = text(&review, "subject.value").to_owned();
                        reviewed.insert((subject, target.path.clone(), system.to_owned()));
                    }
                    evidence.add(target, system, settled);
                }
            }
        }
        Ok(reviewed)
    }

    /// Counts what stands by an elevation that no review has brought.
    fn count_elevations(
        &self,
        tenant: TenantId,
        reviewed: &Reviewed,
        evidence: &mut Evidence,
    ) -> Result<(), Error> {
        let mut position = 0;
        loop {
            let page = self.0.store.read_blocking(|tx| {
                let limit = i64::try_from(CHUNK).unwrap_or(i64::MAX);
                let page = store::refold::page(tx, tenant, position, limit)?;
                let rows: Vec<i64> = page.iter().map(|record| record.row).collect();
                Ok::<_, Error>(store::matching::look(tx, &rows)?)
            })?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            position = last.folded.row;
            for record in &page {
                count_elevated(record, reviewed, evidence);
            }
        }
    }

    /// What a review's path means of a kind of record.
    fn target_of(&self, kind: Kind, path: &str) -> Option<Target> {
        let views = self.0.renderer.catalog().views().iter();
        let mut units = views
            .filter(|view| view.kind == kind)
            .flat_map(|view| view.units());
        let found = units.find(|(at, _)| at.to_string() == path);
        found.map(|(_, canonical)| Target {
            kind: Some(kind),
            path: canonical.to_owned(),
        })
    }
}

fn text<'l>(leaves: &'l Leaves, path: &str) -> &'l str {
    leaves.get(path).and_then(Value::as_str).unwrap_or_default()
}

fn count_elevated(record: &Record, reviewed: &Reviewed, evidence: &mut Evidence) {
    for source in &record.sources {
        for (path, claims) in &source.claims.0 {
            let by_human = claims
                .values()
                .any(|claim| claim.elevated.is_some() && !claim.is_derived());
            let key = (
                record.folded.id.to_string(),
                path.clone(),
                source.system.clone(),
            );
            if by_human && !reviewed.contains(&key) {
                let target = Target {
                    kind: Some(record.folded.kind),
                    path: path.clone(),
                };
                evidence.add(target, &source.system, Settled::Elevated);
            }
        }
    }
}
