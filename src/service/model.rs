//! Models of matching: trained ones are kept by name and version, and a policy says which one is in force.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::policy::Order;
use super::{Error, Muster};
use crate::domain::event::Event;
use crate::domain::matching::{Model, Reference, Scorer};
use crate::domain::policy::{Finding, Policy, Severity};
use crate::id::TenantId;
pub use crate::store::model::Stored;
use crate::store::{self, Store, Tx};

impl Muster {
    /// Keeps a model as the next version of its name. Nothing decides by it until a policy names it. Errs if the name is none,
    /// or if the model lacks a level.
    pub fn store_model(
        &self,
        tenant: &str,
        name: &str,
        model: &Model,
        order: &Order,
    ) -> Result<Stored, Error> {
        let refused = |reason: String| Error::Conflict(reason);
        let named: Reference = name.parse().map_err(refused)?;
        if named.is_builtin() || named.version.is_some() {
            let reason = format!("'{name}' is no name for a trained model: its version is counted");
            return Err(refused(reason));
        }
        let scorer = model.clone().scorer();
        scorer.map_err(|error| refused(error.to_string()))?;
        let tenant = self.tenant(tenant)?;
        let id = self.0.ids.event(order.at);
        let (model, order) = (model.clone(), order.clone());
        self.0.store.write_blocking(move |tx| {
            let new = Stored {
                name: named.name.clone(),
                version: store::model::newest(tx, tenant, &named.name)? + 1,
                created: order.at,
                actor: order.actor.clone(),
            };
            // What every trace and event of a decision made with it says.
            let model = Model {
                version: format!("{}@{}", new.name, new.version),
                ..model.clone()
            };
            let body = serde_json::to_string(&model)
                .map_err(|error| Error::Internal(error.to_string()))?;
            let told = (&*order.actor, order.at);
            let event = Event::of_model(id, tenant, &model.version, told, order.reason.as_deref());
            store::model::insert(tx, &new, &body, event)?;
            Ok(new)
        })
    }

    /// All versions of a tenant's models, by name, the newest first.
    pub fn models(&self, tenant: &str) -> Result<Vec<Stored>, Error> {
        self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok(Vec::new());
            };
            Ok(store::model::list(tx, tenant)?)
        })
    }

    /// The finding where a policy that is about to be applied names a model that is not there.
    pub(super) fn unknown_model(
        &self,
        policy: &Policy,
        tenant: &str,
        at: DateTime<Utc>,
    ) -> Result<Option<Finding>, Error> {
        let Some(meant) = policy.matching.as_ref().map(|row| &row.model) else {
            return Ok(None);
        };
        if meant.value.is_builtin() {
            return Ok(None);
        }
        let (found, known) = self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok::<_, Error>((None, Vec::new()));
            };
            let found = store::model::find(tx, tenant, &meant.value, at)?;
            Ok((found, store::model::list(tx, tenant)?))
        })?;
        let reason = match found.map(|body| usable(&body)) {
            Some(Ok(_)) => return Ok(None),
            Some(Err(error)) => format!(
                "the matching model '{}' is not usable: {error}",
                meant.value
            ),
            None => {
                let known = known
                    .iter()
                    .map(|one| format!(", {}@{}", one.name, one.version));
                format!(
                    "there is no matching model '{}' stored for this tenant; there are builtin{}: `muster resolve train \
                     --store NAME` stores one",
                    meant.value,
                    known.collect::<String>()
                )
            }
        };
        Ok(Some(Finding {
            at: meant.at,
            severity: Severity::Error,
            reason,
        }))
    }
}

/// A stored model, ready for use.
fn usable(body: &str) -> Result<Scorer, String> {
    let model = Model::parse(body.as_bytes()).map_err(|error| error.to_string())?;
    model.scorer().map_err(|error| error.to_string())
}

/// The model that a policy in force names; nothing where it is the one that is shipped. Errs with the reason if it is not
/// there or not understood, as a process of an older release may find.
pub(super) fn named(
    store: &Store,
    policy: &Policy,
    (tenant, version): (TenantId, i64),
) -> Result<Result<Option<Arc<Scorer>>, String>, Error> {
    let Some(meant) = policy.matching.as_ref().map(|row| row.model.value.clone()) else {
        return Ok(Ok(None));
    };
    if meant.is_builtin() {
        return Ok(Ok(None));
    }
    let found = store.read_blocking(|tx: &mut Tx<'_>| {
        let mut history = store::policy::history(tx, tenant)?.into_iter();
        let Some(applied) = history.find(|known| known.number == version) else {
            return Ok::<_, Error>(None);
        };
        Ok(store::model::find(tx, tenant, &meant, applied.applied)?)
    })?;
    Ok(match found {
        Some(body) => usable(&body).map(|scorer| Some(Arc::new(scorer))),
        None => Err(format!("there is no model '{meant}'")),
    })
}
