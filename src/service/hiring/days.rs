//! Employments that a day begins or ends: looked for each minute by every process, done once by whichever comes first, since it
//! holds the record and looks again.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::Write;
use crate::domain::claim::Claims;
use crate::domain::context::{Context, Right};
use crate::domain::event::Happened;
use crate::domain::lifecycle::{employment, text};
use crate::id::TenantId;
use crate::service::{Error, Muster};
use crate::store::{self, Tx};

/// So many at once.
const SWEPT: i64 = 100;
/// Why.
const DUE: &str = "dateReached";

impl Muster {
    /// Begins and ends the employments of a tenant whose day has come; how many, at most a hundred at once.
    pub fn turn_employments(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let today = now.date_naive().to_string();
        let find =
            |tx: &mut Tx<'_>| Ok::<_, Error>(store::employment::due(tx, tenant, &today, SWEPT)?);
        let due = self.0.store.read_blocking(find)?;
        let count = due.len();
        for row in due {
            let muster = self.clone();
            let context = Arc::new(self.at_work(tenant, now));
            self.0
                .store
                .write_blocking(move |tx| muster.turn(tx, &context, row))?;
        }
        Ok(count)
    }

    fn turn(&self, tx: &mut Tx<'_>, context: &Context, row: i64) -> Result<(), Error> {
        let view = self.view(context, "/Employments", Right::Write)?;
        let record = store::record::fetch(tx, row)?;
        let leaves = &record.folded.leaves;
        let stands = text(leaves, "status").unwrap_or_default();
        if employment::effective(stands, leaves, Some(stands), context.now.date_naive()) == stands {
            return Ok(());
        }
        let mut write = Write::new(self, context, &view);
        write.errand = Some(DUE);
        let why = (Happened::Updated, Some(DUE), None);
        write
            .settle(tx, &record, record.sources.clone(), &Claims::default(), why)
            .map(drop)
    }
}
