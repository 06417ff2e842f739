//! What a client would do with and see of one record, by the policy in force: for an access review, not for the client.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Error, Muster};
use crate::domain::access::{Access, Decision, Seen, Sight};
use crate::domain::context::{Context, Right};
use crate::domain::record::Folded;
use crate::domain::view::View;
use crate::store;

/// The same through one view.
#[derive(Debug)]
pub struct Explained {
    /// The resource type.
    pub ty: String,
    /// What it may do with it.
    pub rights: Vec<Right>,
    /// Each attribute that has a value, and those that a row names.
    pub attributes: Vec<ExplainedAttribute>,
}

/// One attribute of a record to a client.
#[derive(Debug)]
pub struct ExplainedAttribute {
    /// Its path.
    pub path: String,
    /// `whole`, `in part`, `hidden`, or `no value`.
    pub shown: &'static str,
    /// What decides.
    pub sight: Sight,
}

impl Muster {
    /// What a client of a tenant's policy in force would do with and see of a record at `now`, view by view.
    pub fn explain(
        &self,
        tenant: &str,
        client: &str,
        id: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Explained>, Error> {
        let parsed = id
            .parse()
            .map_err(|_| Error::NotFound(format!("'{id}' is no id")))?;
        let found = self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok::<_, Error>(None);
            };
            Ok(store::record::find(tx, tenant, parsed)?)
        })?;
        let missing = || Error::NotFound(format!("there is no record with id '{id}'"));
        let record = found.ok_or_else(missing)?;
        let governed = self.policies().get(&record.tenant.0).cloned();
        let none = || Error::NotFound(format!("the tenant '{tenant}' has no policy"));
        let governed = governed.ok_or_else(none)?;
        let mut rows = governed.clients.iter();
        let admitted = rows.find(|row| row.client.name == client);
        let catalog = self.0.renderer.catalog();
        let access = Access::of(&governed.policy, catalog, client);
        let (Some(admitted), Some(access)) = (admitted, access) else {
            let reason = format!("the policy has no client '{client}'");
            return Err(Error::NotFound(reason));
        };
        let context = Context {
            client: admitted.client.clone(),
            correlation: String::new(),
            base_url: "".into(),
            now,
            said_at: None,
            attempt: None,
        };
        let views = catalog.views().iter().filter(|view| view.holds(&record));
        let explained = views.map(|view| self.explained(&context, view, &record, &access));
        Ok(explained.collect())
    }

    fn explained(
        &self,
        context: &Context,
        view: &View,
        record: &Folded,
        access: &Access<'_>,
    ) -> Explained {
        let key = self.veil_key(context, view);
        let seen = self.before(context, view, &record.leaves, &key);
        let ty = &view.resource_type;
        let decisions = access.decisions(ty).into_iter();
        let attributes = decisions.filter_map(|decision| attribute(view, record, &seen, decision));
        let rights = Right::ALL.into_iter().filter(|right| seen.may(*right));
        Explained {
            ty: ty.name.clone(),
            rights: rights.collect(),
            attributes: attributes.collect(),
        }
    }
}

/// What is seen of an attribute; nothing of one that has no value and that no row names.
fn attribute(
    view: &View,
    record: &Folded,
    seen: &Seen<'_>,
    decision: Decision,
) -> Option<ExplainedAttribute> {
    let Decision { path, sight, .. } = decision;
    let mut attributes = view.resource_type.attributes();
    let whole = attributes.find(|found| found.location.to_string() == path)?;
    let units = view.units().filter(|(at, _)| at.whole() == whole.location);
    let values: Vec<(&str, &Value)> = units
        .filter_map(|(_, path)| Some((path, record.leaves.get(path)?)))
        .collect();
    let shown = if matches!(sight, Sight::NeverReturned) {
        "hidden"
    } else if values.is_empty() {
        if matches!(sight, Sight::Open) {
            return None;
        }
        "no value"
    } else if values.iter().all(|(path, value)| !seen.alters(path, value)) {
        "whole"
    } else if values
        .iter()
        .all(|(path, value)| seen.value(path, value).is_none())
    {
        "hidden"
    } else {
        "in part"
    };
    Some(ExplainedAttribute { path, shown, sight })
}
