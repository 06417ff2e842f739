//! The policy of each tenant, version by version. A version is never changed: to go back is a new one.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use super::schema::{policy, policy_approval};
use super::sql_types::{instant, micros};
use super::{Error, Tx, event};
use crate::domain::event::Event;
use crate::id::TenantId;

/// A version of a policy, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its number, from 1.
    pub number: i64,
    /// When it was applied.
    pub applied: DateTime<Utc>,
    /// By whom.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
}

/// The newest version of every tenant that has a policy.
pub fn newest(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, i64)>, Error> {
    let rows: Vec<(i32, Option<i64>)> = policy::table
        .group_by(policy::tenant)
        .select((policy::tenant, max(policy::version)))
        .order(policy::tenant)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(id, version)| (TenantId(id), version.unwrap_or(0)))
        .collect())
}

/// The text of a version; the newest without a number.
pub fn text(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    version: Option<i64>,
) -> Result<Option<(i64, Vec<u8>)>, Error> {
    let mut target = policy::table
        .filter(policy::tenant.eq(tenant.0))
        .order(policy::version.desc())
        .limit(1)
        .select((policy::version, policy::body))
        .into_boxed();
    if let Some(version) = version {
        target = target.filter(policy::version.eq(version));
    }
    target
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))
}

/// That a text may be applied, which changes what Security owns (B-016).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The SHA-256 of the text.
    pub digest: [u8; 32],
    /// The client that approved it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Keeps an approval, in place of an earlier one of the same text.
pub fn approve(tx: &mut Tx<'_>, tenant: TenantId, approval: &Approval) -> Result<(), Error> {
    take_approval(tx, tenant, &approval.digest)?;
    let values = (
        policy_approval::tenant.eq(tenant.0),
        policy_approval::digest.eq(approval.digest.to_vec()),
        policy_approval::client.eq(&approval.by),
        policy_approval::reason.eq(&approval.reason),
        policy_approval::approved.eq(micros(approval.at)),
    );
    diesel::insert_into(policy_approval::table)
        .values(values)
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// The approval of a text, which is then no more.
pub fn take_approval(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    digest: &[u8; 32],
) -> Result<Option<Approval>, Error> {
    let row = || policy_approval::table.find((tenant.0, digest.to_vec()));
    let found: Option<(String, String, i64)> = row()
        .select((
            policy_approval::client,
            policy_approval::reason,
            policy_approval::approved,
        ))
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    diesel::delete(row())
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(found.map(|(by, reason, at)| Approval {
        digest: *digest,
        by,
        reason,
        at: instant(at),
    }))
}

/// All versions, the newest first.
pub fn history(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<Version>, Error> {
    let rows: Vec<(i64, i64, String, Option<String>)> = policy::table
        .filter(policy::tenant.eq(tenant.0))
        .order(policy::version.desc())
        .select((
            policy::version,
            policy::applied,
            policy::actor,
            policy::reason,
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(number, applied, actor, reason)| Version {
            number,
            applied: instant(applied),
            actor,
            reason,
        })
        .collect())
}

/// Keeps a version, with the event that explains it. Who applies the same number at the same time loses.
pub fn insert(tx: &mut Tx<'_>, version: &Version, body: &[u8], event: Event) -> Result<(), Error> {
    let values = (
        policy::tenant.eq(event.tenant.0),
        policy::version.eq(version.number),
        policy::applied.eq(micros(version.applied)),
        policy::actor.eq(&version.actor),
        policy::reason.eq(&version.reason),
        policy::body.eq(body),
    );
    diesel::insert_into(policy::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::insert(tx, event, Some(version.number))
}
