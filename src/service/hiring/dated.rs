//! Changes of an employment that hold from a day on: what of them holds in a write, whom they name, and who may say them.

use serde_json::Value;

use super::Write;
use crate::domain::claim::{Claim, Claims, Elevation, SINGLE, SourceRecord, Stamp};
use crate::domain::lifecycle::{Holding, dated, day};
use crate::domain::record::{Kind, Leaves};
use crate::domain::view::Reference;
use crate::scim;
use crate::service::Error;
use crate::store::Tx;

/// Parts of a change that name a record, and what kind of one.
const NAMING: [(&str, &str); 2] = [("managerId", "Person"), ("organizationId", "Organization")];

impl Write<'_> {
    /// What of the changes holds today, put in its place in `after`.
    pub(super) fn date(
        &self,
        before: Option<&Leaves>,
        sources: &[SourceRecord],
        after: &mut Leaves,
    ) -> Result<Vec<Holding>, Error> {
        if self.view.kind != Kind::Employment {
            return Ok(Vec::new());
        }
        self.permit_dated(sources, after)?;
        dated::check(before, after).map_err(|wrong| match wrong {
            dated::Wrong::AfterEnd { .. } => Error::Conflict(wrong.to_string()),
            _ => scim::Error::invalid_value(wrong.to_string()).into(),
        })?;
        let until = (self.context.now.date_naive(), day(after, "endDate"));
        let holding = dated::holding(&self.rules(), sources, until);
        for one in &holding {
            after.insert(one.path.to_owned(), one.value.clone());
        }
        Ok(holding)
    }

    /// Who may not write an attribute may not say that it changes on a day either.
    fn permit_dated(&self, sources: &[SourceRecord], after: &Leaves) -> Result<(), Error> {
        let mut said = self.said_now(sources).peekable();
        if said.peek().is_none() {
            return Ok(());
        }
        let key = self.muster.veil_key(self.context, self.view);
        let seen = self.muster.before(self.context, self.view, after, &key);
        for claim in said {
            for (name, path) in dated::CHANGED {
                if claim.value.get(name).is_some_and(|value| !value.is_null()) {
                    self.permit_path(&seen, path)?;
                }
            }
        }
        Ok(())
    }

    /// The changes that this write says.
    fn said_now<'s>(&self, sources: &'s [SourceRecord]) -> impl Iterator<Item = &'s Claim> {
        let event = self.event.to_string();
        let claims = sources
            .iter()
            .filter_map(|source| source.claims.0.get(dated::PATH));
        let claims = claims.flat_map(|claims| claims.values());
        claims.filter(move |claim| claim.event == event)
    }

    /// Puts ids in the place of other systems' identifiers in one change.
    pub(super) fn refer_dated(&self, tx: &mut Tx<'_>, change: &mut Value) -> Result<(), Error> {
        for (name, of) in NAMING {
            let Some(Value::String(given)) = change.get(name).cloned() else {
                continue;
            };
            let day = change["effectiveDate"].as_str().unwrap_or_default();
            let attribute = format!("{}[effectiveDate eq \"{day}\"].{name}", dated::PATH);
            let reference = Reference {
                attribute: &attribute,
                path: dated::PATH,
                types: &[of.to_owned()],
                many: false,
            };
            change[name] = self.referred(tx, &reference, &given)?.into();
        }
        Ok(())
    }
}

/// The server claims what holds because its day has come, in the place of what is said of the attribute; what it claimed so
/// before keeps its event. It ranks as a decision of that day: what a human decides later stands above it.
pub(super) fn claim_holding(
    own: &mut SourceRecord,
    holding: Vec<Holding>,
    (known, stamp): (&mut Claims, Stamp),
) {
    for one in holding {
        let elevated = Some(Elevation {
            at: one.since,
            event: one.event,
        });
        let before = known.0.remove(one.path);
        let same = before.filter(|claims| {
            claims
                .get(SINGLE)
                .is_some_and(|claim| claim.value == one.value && claim.elevated == elevated)
        });
        if let Some(claims) = same {
            own.claims.0.insert(one.path.to_owned(), claims);
            continue;
        }
        own.claims.claim(one.path, SINGLE, one.value, stamp, &mut 0);
        let claims = own.claims.0.get_mut(one.path);
        if let Some(claim) = claims.and_then(|claims| claims.get_mut(SINGLE)) {
            claim.elevated = elevated;
        }
    }
}
