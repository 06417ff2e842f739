//! Employments that a day begins, changes or ends, and tiers that count no longer: looked for each minute by every process, done
//! once by whichever comes first, since it holds the record and looks again.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use serde_json::{Value, json};

use super::Write;
use crate::domain::claim::Claims;
use crate::domain::context::{Context, Right};
use crate::domain::event::Happened;
use crate::domain::lifecycle::{dated, day, employment, text};
use crate::domain::record::{Kind, Record};
use crate::id::TenantId;
use crate::service::{Error, Muster};
use crate::store::{self, Tx};

/// So many at once.
const SWEPT: i64 = 100;
/// Why.
const DUE: &str = "dateReached";

impl Muster {
    /// Begins, changes and ends the employments of a tenant whose day has come; how many, at most a hundred of each at once.
    pub fn turn_employments(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let today = now.date_naive().to_string();
        let find =
            |tx: &mut Tx<'_>| Ok::<_, Error>(store::due::employments(tx, tenant, &today, SWEPT)?);
        let due = self.0.store.read_blocking(find)?;
        self.look_again(tenant, now, "/Employments", due, |record, now| {
            let (leaves, today) = (&record.folded.leaves, now.date_naive());
            let stands = text(leaves, "status").unwrap_or_default();
            employment::effective(stands, leaves, Some(stands), today) != stands
                || dated::is_due(leaves, today)
        })
    }

    /// Looks again at the applications of a tenant whose verification counts no longer (B-031); how many, at most a hundred at
    /// once.
    pub fn turn_applications(&self, tenant: TenantId, now: DateTime<Utc>) -> Result<usize, Error> {
        let find =
            |tx: &mut Tx<'_>| Ok::<_, Error>(store::due::applications(tx, tenant, now, SWEPT)?);
        let due = self.0.store.read_blocking(find)?;
        self.look_again(tenant, now, "/Applications", due, |_, _| true)
    }

    /// Asks the rules again of each of these records that is `due`, now that its day has come.
    fn look_again(
        &self,
        tenant: TenantId,
        now: DateTime<Utc>,
        endpoint: &'static str,
        rows: Vec<i64>,
        is_due: fn(&Record, DateTime<Utc>) -> bool,
    ) -> Result<usize, Error> {
        let mut count = 0;
        let context = Arc::new(self.at_work(tenant, now));
        for row in rows {
            let (muster, context) = (self.clone(), context.clone());
            let done = self.0.store.write_blocking(move |tx| {
                let record = store::record::fetch(tx, row)?;
                if is_due(&record, now) {
                    muster.turn(tx, &context, endpoint, &record)?;
                }
                Ok::<_, Error>(())
            });
            match done {
                Ok(()) => count += 1,
                Err(error @ Error::Unavailable { .. }) => return Err(error),
                // One that cannot be turned keeps no other from it.
                Err(error) => {
                    tracing::warn!(%error, record = row, endpoint, "its day has come, and it cannot be turned");
                }
            }
        }
        Ok(count)
    }

    fn turn(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        endpoint: &str,
        record: &Record,
    ) -> Result<(), Error> {
        let view = self.view(context, endpoint, Right::Write)?;
        let mut write = Write::new(self, context, &view);
        write.errand = Some(DUE);
        let come = write.come(record);
        write.cause = come.last().and_then(|due| due.event.parse().ok());
        let told = come.iter().map(
            |due| json!({ "effectiveDate": due.day, "system": due.system, "saidBy": due.event }),
        );
        let told: Vec<Value> = told.collect();
        let told = (!told.is_empty()).then(|| json!({ "datedChanges": told }));
        // The reason that was given, where all of them have it.
        let reason = come.first().and_then(|due| due.reason);
        let reason = reason.filter(|_| come.iter().all(|due| due.reason == reason));
        let why = (Happened::Updated, reason.or(Some(DUE)), told);
        write
            .settle(tx, record, record.sources.clone(), &Claims::default(), why)
            .map(drop)
    }
}

impl Write<'_> {
    /// The changes of an employment whose day has come and that have not been seen to.
    fn come<'r>(&self, record: &'r Record) -> Vec<dated::Due<'r>> {
        let today = self.context.now.date_naive();
        let next = day(&record.folded.leaves, dated::NEXT).filter(|next| *next <= today);
        match next.filter(|_| record.folded.kind == Kind::Employment) {
            Some(next) => dated::due(&self.rules(), &record.sources, (next, today)),
            None => Vec::new(),
        }
    }
}
