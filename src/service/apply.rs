//! Applying a policy, and the approval that it may take: what Security owns comes into force only when a client that speaks for
//! Security has approved the text, by its SHA-256, with a token of its own (B-016). An approval is for one application.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::event::Event;
use crate::domain::policy::{Finding, Policy, Reserved, Severity, dropped, load, reserved};
use crate::id::{EventId, TenantId};
use crate::scim;
use crate::store::policy::{Approval, Version};
use crate::store::{self, Tx};

/// For how many days an approval waits for its text to be applied.
const APPROVED_DAYS: i64 = 7;

/// What a policy that was to be applied came to.
#[derive(Debug)]
pub enum Applied {
    /// It is in force as this version; the warnings stay.
    Done {
        /// The version.
        version: i64,
        /// Warnings.
        findings: Vec<Finding>,
    },
    /// It is what is in force already.
    Unchanged {
        /// The version.
        version: i64,
    },
    /// It has errors, or speaks of another tenant's clients.
    Wrong(Vec<Finding>),
    /// It changes what Security owns, and Security has not approved it (B-016).
    Unapproved {
        /// What it changes of that, and who may approve it.
        reserved: Reserved,
        /// By which the text is named to whoever approves it: its SHA-256, in hexadecimal.
        sha256: String,
    },
    /// Another version than the expected one is in force.
    Overtaken {
        /// The version in force.
        version: i64,
    },
}

/// Who applies a policy, and why.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: DateTime<Utc>,
    /// The version that it is meant to follow, if that matters.
    pub after: Option<i64>,
}

impl Muster {
    /// Applies a policy to a tenant: from the answer on it is in force here, and in all other processes within a quarter of a
    /// second.
    pub fn apply_policy(&self, tenant: &str, text: &[u8], order: &Order) -> Result<Applied, Error> {
        let loaded = load(text, self.0.renderer.catalog());
        let Some(policy) = &loaded.policy else {
            return Ok(Applied::Wrong(loaded.findings));
        };
        let mut wrong = strangers(policy, tenant);
        wrong.extend(self.unknown_model(policy, tenant, order.at)?);
        let in_force = self.find_tenant(tenant)?;
        let in_force = in_force.and_then(|id| self.policies().get(&id.0).cloned());
        if let Some(governed) = in_force {
            wrong.extend(dropped(&governed.policy, policy, self.0.renderer.catalog()));
        }
        if !wrong.is_empty() {
            return Ok(Applied::Wrong(wrong));
        }
        let id = self.tenant(tenant)?;
        let event = self.0.ids.event(order.at);
        let (text, order) = (text.to_vec(), order.clone());
        let work = move |tx: &mut Tx<'_>| keep(tx, (id, event), &text, &order);
        let kept = self.0.store.write_blocking(work)?;
        self.refresh()?;
        Ok(match kept {
            Applied::Done { version, .. } => Applied::Done {
                version,
                findings: loaded.findings,
            },
            other => other,
        })
    }

    /// Approves a text that is to be applied, by its SHA-256 in hexadecimal; until when that counts.
    ///
    /// # Errors
    /// When the policy in force does not name the caller's client among those that speak for Security.
    pub async fn approve_policy(
        &self,
        context: &Context,
        (sha256, reason): (&str, &str),
    ) -> Result<DateTime<Utc>, Error> {
        let (tenant, by) = (context.tenant(), context.client.name.clone());
        let governed = self.policies().get(&tenant.0).cloned();
        let approval = governed.and_then(|governed| governed.policy.approval.clone());
        let mut names = approval.into_iter().flat_map(|row| row.security);
        if !names.any(|name| name.value == by) {
            return Err(Error::Forbidden(format!(
                "the policy in force does not name the client '{by}' among those that speak for Security ('approval')"
            )));
        }
        let mut digest = [0; 32];
        let refused = |why: &str| Error::from(scim::Error::invalid_value(why));
        hex::decode_to_slice(sha256, &mut digest).map_err(|_| {
            refused("'sha256' must be the SHA-256 of the policy's file: 64 hexadecimal digits")
        })?;
        if reason.trim().is_empty() {
            return Err(refused("the 'reason' says why it may be applied"));
        }
        let approval = Approval {
            digest,
            by,
            reason: reason.to_owned(),
            at: context.now,
        };
        let event = self.0.ids.event(context.now);
        let detail = json!({ "sha256": hex::encode(digest), "reason": reason });
        let event = Event::of_batch(context, event, "policy.approved", detail);
        let work = move |tx: &mut Tx<'_>| {
            store::policy::approve(tx, tenant, &approval)?;
            Ok::<_, Error>(store::event::note(tx, event.clone())?)
        };
        self.0.store.write(work).await?;
        Ok(context.now + TimeDelta::days(APPROVED_DAYS))
    }
}

/// Takes the approval of a text, if there is one that still counts.
fn take(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    text: &[u8],
    now: DateTime<Utc>,
) -> Result<Option<Approval>, Error> {
    let digest: [u8; 32] = Sha256::digest(text).into();
    let since = now - TimeDelta::days(APPROVED_DAYS);
    let taken = store::policy::take_approval(tx, tenant, &digest)?;
    Ok(taken.filter(|approval| approval.at > since))
}

/// Clients of other tenants: a policy speaks of its own alone.
fn strangers(policy: &Policy, tenant: &str) -> Vec<Finding> {
    let others = policy.clients.iter().filter(|row| row.tenant != tenant);
    others
        .map(|row| Finding {
            at: row.at,
            severity: Severity::Error,
            reason: format!(
                "the client '{}' is of the tenant '{}', and this policy is of '{tenant}'",
                row.name.value, row.tenant
            ),
        })
        .collect()
}

fn keep(
    tx: &mut Tx<'_>,
    (tenant, event): (TenantId, EventId),
    text: &[u8],
    order: &Order,
) -> Result<Applied, Error> {
    let before = store::policy::text(tx, tenant, None)?;
    let current = before.as_ref().map_or(0, |(version, _)| *version);
    if order.after.is_some_and(|after| after != current) {
        return Ok(Applied::Overtaken { version: current });
    }
    if before.as_ref().is_some_and(|(_, known)| known == text) {
        return Ok(Applied::Unchanged { version: current });
    }
    let reserved = before.and_then(|(_, known)| reserved(&known, text));
    let mut approval = None;
    if let Some(reserved) = reserved {
        approval = take(tx, tenant, text, order.at)?;
        if approval.is_none() {
            let sha256 = hex::encode(Sha256::digest(text));
            return Ok(Applied::Unapproved { reserved, sha256 });
        }
    }
    let version = Version {
        number: current + 1,
        applied: order.at,
        actor: order.actor.clone(),
        reason: order.reason.clone(),
    };
    let mut event = Event::of_policy(
        event,
        tenant,
        version.number,
        (&order.actor, order.at),
        order.reason.as_deref(),
    );
    if let Some(Approval { by, reason, .. }) = approval {
        event.detail = json!({ "approvedBy": by, "approvalReason": reason });
    }
    store::policy::insert(tx, &version, text, event)?;
    Ok(Applied::Done {
        version: version.number,
        findings: Vec::new(),
    })
}
