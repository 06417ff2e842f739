//! Figures of how the house is run, over a period (A-120 to A-124, B-012, B-013, B-080). Only counts, shares and times leave: no
//! value of a record, and no name of whoever decides.
//!
//! | file | what it does |
//! |---|---|
//! | `mod` | who may ask, and all of them in one snapshot |
//! | `hiring` | times of the way in, verifications, steps that nobody had to do |
//! | `quality` | duplicates, corrections, reviews, readiness for an audit |

mod hiring;
mod quality;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::kpi::{Figure, Period, told};
use crate::id::TenantId;
use crate::store::Tx;

/// Of which tenant, over which period, as of when.
#[derive(Clone, Copy)]
struct Scope {
    tenant: TenantId,
    period: Period,
    now: DateTime<Utc>,
}

impl Scope {
    fn of(&self) -> (TenantId, Period) {
        (self.tenant, self.period)
    }
}

impl Muster {
    /// All figures of the caller's tenant as a document: `from`, `to` and `figures`.
    ///
    /// # Errors
    /// When the caller may not read all of `AuditEvent`.
    pub async fn kpis(&self, context: &Context, period: Period) -> Result<Value, Error> {
        Self::may_read_whole_log(context)?;
        let scope = Scope {
            tenant: context.tenant(),
            period,
            now: context.now,
        };
        let muster = self.clone();
        let read = move |tx: &mut Tx<'_>| muster.figures(tx, scope);
        let figures = self.0.store.read(read).await?;
        Ok(told(period, &figures))
    }

    /// The same of any tenant, for whoever runs the server.
    pub fn kpis_of(
        &self,
        tenant: TenantId,
        period: Period,
        now: DateTime<Utc>,
    ) -> Result<Vec<Figure>, Error> {
        let scope = Scope {
            tenant,
            period,
            now,
        };
        self.0.store.read_blocking(|tx| self.figures(tx, scope))
    }

    fn figures(&self, tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Figure>, Error> {
        let target = self.minutes_to_update(scope.tenant);
        let mut figures = hiring::times(tx, scope)?;
        figures.extend(quality::duplicates(tx, scope)?);
        figures.extend(quality::reviews(tx, scope)?);
        figures.push(self.readiness(tx, scope)?);
        figures.extend(hiring::verifications(tx, scope, target)?);
        figures.push(hiring::automated(tx, scope)?);
        Ok(figures)
    }

    /// Within how many minutes an application is to show what a verification has come to, as the policy has it (B-080).
    fn minutes_to_update(&self, tenant: TenantId) -> Option<f64> {
        let policies = self.policies();
        let row = policies.get(&tenant.0)?.policy.observability.as_ref()?;
        let slo = row.slos.get("verification_to_ats_update_minutes")?;
        slo.value.target.parse().ok()
    }
}

fn count(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn size(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
