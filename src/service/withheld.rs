//! Values that are to be unique and stand beside the one who holds them, of whom the writer may not know: whether the two are one
//! is for a human to say (design §6). The writer's own request only notes it; the question is opened by the sweep, a minute later, so that nothing of it shows
//! in an answer, not even by the numbers that records get.

use chrono::{DateTime, TimeDelta, Utc};

use super::change::Write;
use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::event::Change;
use crate::domain::index;
use crate::domain::record::{Kind, Leaves};
use crate::domain::review::{Asks, Opening};
use crate::id::{ResourceId, TenantId};
use crate::store::withheld::Withheld;
use crate::store::{self, Tx};

/// So many are asked about in one transaction.
const CHUNK: i64 = 100;
/// So much later.
const LATER: TimeDelta = TimeDelta::minutes(1);
/// The guard of a candidate who holds a value that the subject has beside it.
const GUARD: &str = "withheldValue";

impl Write<'_> {
    /// Notes who holds what a person has beside them.
    pub(super) fn note_withheld(
        &self,
        tx: &mut Tx<'_>,
        (subject, leaves): (ResourceId, &Leaves),
        withheld: &[Change],
    ) -> Result<(), Error> {
        let tenant = self.context.tenant();
        if self.view.kind == Kind::Person && !withheld.is_empty() {
            let sought = index::withheld(self.specs(), leaves, withheld);
            let sought: Vec<_> = sought.iter().collect();
            let holders = store::unique::holders(tx, tenant, self.view.kind, &sought)?;
            for row in holders.into_iter().flatten() {
                if let Some(holder) = store::record::identify(tx, row)? {
                    let system = self.context.system().to_owned();
                    let new = Withheld {
                        subject,
                        holder,
                        system,
                    };
                    store::withheld::insert(tx, tenant, &new, self.context.now)?;
                }
            }
        }
        Ok(())
    }
}

impl Muster {
    /// Gives what stands beside holders that are no more to whoever has stood there longest; how many values.
    pub fn promote(&self, tenant: TenantId) -> Result<usize, Error> {
        let promote = move |tx: &mut Tx<'_>| Ok(store::unique::promote(tx, tenant)?);
        self.0.store.write_blocking(promote)
    }

    /// Asks a human of each that is noted whether the two are one; how many questions were opened.
    pub fn ask_of_withheld(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let muster = self.clone();
        self.0.store.write_blocking(move |tx| {
            let context = muster.at_work(tenant, now);
            let mut opened = 0;
            for known in store::withheld::list(tx, tenant, now - LATER, CHUNK)? {
                opened += usize::from(muster.ask_whose(tx, &context, &known)?);
                store::withheld::delete(tx, tenant, &known)?;
            }
            Ok::<_, Error>(opened)
        })
    }

    /// Whether a question was opened: not of records that are gone, nor of two of whom a human has said that they are two.
    fn ask_whose(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        known: &Withheld,
    ) -> Result<bool, Error> {
        let (tenant, pair) = (context.tenant(), (known.subject, known.holder));
        let one = store::record::find(tx, tenant, pair.0)?;
        let other = store::record::find(tx, tenant, pair.1)?;
        let both = one.is_some() && other.is_some() && pair.0 != pair.1;
        if !both || store::alias::are_apart(tx, tenant, pair)? {
            return Ok(false);
        }
        let opening = Opening {
            asks: Asks::Match,
            subject: Some(known.subject),
            about: None,
            payload: None,
            candidates: vec![(known.holder, 1.0, Some(GUARD.to_owned()))],
            path: None,
            system: known.system.clone(),
        };
        Ok(self.open_review(tx, context, &opening)?.is_some())
    }
}
