//! Two of whom a human has said that they are two: the decision binds their source records when these come again, until
//! something new is known of either (design §3, A-049).

use std::collections::BTreeMap;

use super::change::Write;
use super::create::Given;
use super::{Error, Muster};
use crate::domain::claim::SourceRecord;
use crate::domain::context::Context;
use crate::domain::matching::Profile;
use crate::domain::matching::apart::{Evidence, Said, facts, source_name};
use crate::domain::record::{Folded, Leaves, Record};
use crate::domain::resolution::vouched_emails;
use crate::domain::sealed;
use crate::id::{ResourceId, TenantId};
use crate::store::{self, Tx};

/// A person as such decisions name it: by its id and its source records, and by what is known of it.
struct Side {
    id: Vec<i64>,
    sources: Vec<i64>,
    facts: Vec<i64>,
}

/// From whom a newcomer is kept apart.
pub(super) struct Apart {
    /// What was known, by the other's name.
    known: BTreeMap<i64, Evidence>,
    /// What the newcomer brings.
    own: Vec<i64>,
}

impl Muster {
    /// Remembers that two persons are two, and of which source records that was said.
    pub(super) fn keep_apart(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        (a, b): (ResourceId, ResourceId),
    ) -> Result<(), Error> {
        let tenant = context.tenant();
        store::alias::keep_apart(tx, tenant, (a, b))?;
        let Some((one, other)) = self.sides(tx, tenant, (a, b))? else {
            return Ok(());
        };
        for (own, other) in [(&one, &other), (&other, &one)] {
            let evidence = Evidence {
                own: own.facts.iter().copied().collect(),
                other: other.facts.iter().copied().collect(),
            };
            let evidence = serde_json::to_string(&evidence)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let names = [other.id.as_slice(), &other.sources].concat();
            store::apart::put(tx, tenant, (&own.sources, &names), &evidence)?;
        }
        Ok(())
    }

    /// Two who are one after all are kept apart no longer.
    pub(super) fn forget_apart(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        (one, other): (&Record, &Record),
    ) -> Result<(), Error> {
        let (one, other) = (self.side(tx, one)?, self.side(tx, other)?);
        for (own, other) in [(&one, &other), (&other, &one)] {
            let names = [other.id.as_slice(), &other.sources].concat();
            store::apart::forget(tx, tenant, (&own.sources, &names))?;
        }
        Ok(())
    }

    /// Forgets from whom somebody who is erased was kept apart.
    pub(super) fn erase_apart(&self, tx: &mut Tx<'_>, person: &Folded) -> Result<(), Error> {
        let record = store::record::with_sources(tx, person.clone())?;
        let side = self.side(tx, &record)?;
        let names = [side.id, side.sources].concat();
        Ok(store::apart::forget_all(tx, person.tenant, &names)?)
    }

    fn sides(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        (a, b): (ResourceId, ResourceId),
    ) -> Result<Option<(Side, Side)>, Error> {
        let mut sides = Vec::new();
        for id in [a, b] {
            // Of one who is gone nothing is known any more.
            let Some(folded) = store::record::find(tx, tenant, id)? else {
                return Ok(None);
            };
            let record = store::record::with_sources(tx, folded)?;
            sides.push(self.side(tx, &record)?);
        }
        let other = sides.pop();
        Ok(sides.pop().zip(other))
    }

    fn side(&self, tx: &mut Tx<'_>, record: &Record) -> Result<Side, Error> {
        let tenant = record.folded.tenant;
        let mut ids = vec![format!("person\n{}", record.folded.id)];
        let aliases = store::alias::of(tx, record.folded.row)?.into_iter();
        ids.extend(aliases.map(|alias| format!("person\n{}", alias.id)));
        let sources: Vec<String> = record
            .sources
            .iter()
            .map(|source| self.name_of_source(source))
            .collect();
        let profile = self.profile(tx, record, true, &record.folded.leaves)?;
        let facts = facts(&profile, &self.vouched(tenant, &record.sources));
        Ok(Side {
            id: store::apart::names(tx, tenant, &ids)?,
            sources: store::apart::names(tx, tenant, &sources)?,
            facts: store::apart::names(tx, tenant, &facts)?,
        })
    }

    fn name_of_source(&self, source: &SourceRecord) -> String {
        let said = Profile::of(&self.said_by(source), Vec::new());
        source_name(&source.system, source.external_id.as_deref(), &said)
    }

    /// The e-mail addresses that trusted systems vouch for.
    fn vouched(&self, tenant: TenantId, sources: &[SourceRecord]) -> Vec<String> {
        let trusted = sources
            .iter()
            .filter(|source| self.verifies(tenant, &source.system));
        let catalog = self.0.renderer.catalog();
        trusted
            .flat_map(|source| vouched_emails(catalog, &self.said_by(source)))
            .collect()
    }
}

impl Write<'_> {
    /// From whom the newcomer is kept apart; nothing if from nobody. `given` is not sealed yet.
    pub(super) fn apart(&self, tx: &mut Tx<'_>, given: &Given) -> Result<Option<Apart>, Error> {
        let (tenant, system) = (self.context.tenant(), self.context.system());
        let said = Profile::of(&given.leaves, Vec::new());
        let name = source_name(system, given.external_id.as_deref(), &said);
        let mut known = BTreeMap::new();
        for one in store::apart::names(tx, tenant, &[name])? {
            for (other, evidence) in store::apart::of(tx, tenant, one)? {
                let evidence: Evidence = serde_json::from_str(&evidence)
                    .map_err(|error| Error::Internal(error.to_string()))?;
                known.insert(other, evidence);
            }
        }
        if known.is_empty() {
            return Ok(None);
        }
        let facts = facts(
            &self.newcomer(&given.leaves)?,
            &self.vouched_of(&given.leaves),
        );
        let own = store::apart::names(tx, tenant, &facts)?;
        Ok(Some(Apart { known, own }))
    }

    /// A newcomer as matching compares people.
    pub(super) fn newcomer(&self, given: &Leaves) -> Result<Profile, Error> {
        let legal = sealed::identifiers(self.specs(), given, None).map_err(store::Error::from)?;
        Ok(Profile::of(given, legal))
    }

    fn vouched_of(&self, given: &Leaves) -> Vec<String> {
        if self
            .muster
            .verifies(self.context.tenant(), self.context.system())
        {
            vouched_emails(self.muster.0.renderer.catalog(), given)
        } else {
            Vec::new()
        }
    }

    /// What a human has said of the newcomer and a candidate.
    pub(super) fn said_of(
        &self,
        tx: &mut Tx<'_>,
        apart: Option<&Apart>,
        candidate: &Record,
    ) -> Result<Said, Error> {
        let Some(apart) = apart else {
            return Ok(Said::Nothing);
        };
        let side = self.muster.side(tx, candidate)?;
        let now = Evidence {
            own: apart.own.iter().copied().collect(),
            other: side.facts.into_iter().collect(),
        };
        let mut names = side.id.iter().chain(&side.sources);
        let then = names.find_map(|name| apart.known.get(name));
        Ok(then.map_or(Said::Nothing, |then| then.said(&now)))
    }
}
