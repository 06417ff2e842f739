//! What a client would do with and see of one record, by the policy in force: for an access review, not for the client.
//! Who asks over HTTP is told of a value no more than it may see itself: what hangs on values is left out where something is
//! hidden from it, whether there is a value or not (design §6).

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{Error, Muster, permit};
use crate::domain::access::{Access, Decision, Held, Seen, Sight};
use crate::domain::context::{Client, Context, Right};
use crate::domain::record::Folded;
use crate::domain::view::View;
use crate::scim::filter::condition;
use crate::scim::profile::Profile;
use crate::store::{self, Tx};

/// The same through one view.
#[derive(Debug)]
pub struct Explained {
    /// The resource type.
    pub ty: String,
    /// What it may do with it, as far as who asks may know.
    pub rights: Vec<Right>,
    /// Each attribute that has a value, and those that a row names.
    pub attributes: Vec<ExplainedAttribute>,
}

/// A right that a row of a role gives.
#[derive(Debug)]
pub struct ExplainedRight {
    /// The right, the row and the filter that bounds it.
    pub held: Held,
    /// Whether the filter holds of the record; nothing if who asks may not know.
    pub holds: Option<bool>,
}

/// One attribute of a record to a client.
#[derive(Debug)]
pub struct ExplainedAttribute {
    /// Its path.
    pub path: String,
    /// The rights on it, each as often as a row gives it.
    pub rights: Vec<ExplainedRight>,
    /// `whole`, `in part`, `hidden`, or `no value`; nothing if who asks may not know.
    pub shown: Option<&'static str>,
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
        self.explained(&found.ok_or_else(missing)?, (client, None), now)
    }

    /// The same for a client that may read all of `AuditEvent`, and the record.
    pub async fn explain_to(
        &self,
        context: &Context,
        (client, id): (&str, &str),
    ) -> Result<Vec<Explained>, Error> {
        Self::may_read_whole_log(context)?;
        let missing = || Error::NotFound(format!("there is no record with id '{id}'"));
        let (tenant, parsed) = (context.tenant(), id.parse().map_err(|_| missing())?);
        let find = move |tx: &mut Tx<'_>| Ok::<_, Error>(store::record::find(tx, tenant, parsed)?);
        let record = self.0.store.read(find).await?.ok_or_else(missing)?;
        let catalog = self.0.renderer.catalog();
        let mut views = catalog.views().iter().filter(|view| view.holds(&record));
        let reaches = |view: &Arc<View>| {
            let seen = self.before(context, view, &record.leaves, &[]);
            permit(context, Right::Read, &view.resource_type.name).is_ok() && seen.may(Right::Read)
        };
        if !views.any(reaches) {
            return Err(missing());
        }
        let asker = context.client.name.as_str();
        self.explained(&record, (client, Some(asker)), context.now)
    }

    fn explained(
        &self,
        record: &Folded,
        (client, asker): (&str, Option<&str>),
        now: DateTime<Utc>,
    ) -> Result<Vec<Explained>, Error> {
        let governed = self.policies().get(&record.tenant.0).cloned();
        let none = || Error::NotFound("the tenant has no policy".into());
        let governed = governed.ok_or_else(none)?;
        let admitted = |name: &str| {
            let mut rows = governed.clients.iter();
            rows.find(|row| row.client.name == name)
        };
        let catalog = self.0.renderer.catalog();
        let access = |name: &str| Access::of(&governed.policy, catalog, name);
        let asking = asker.and_then(|name| Some((access(name)?, &*admitted(name)?.client)));
        let admitted = admitted(client);
        let access = access(client);
        let (Some(admitted), Some(access)) = (admitted, access) else {
            let reason = format!("the policy has no client '{client}'");
            return Err(Error::NotFound(reason));
        };
        let context = Context::of_client(admitted.client.clone(), "", now);
        let views = catalog.views().iter().filter(|view| view.holds(record));
        let by = (&access, asking.as_ref());
        let explained = views.map(|view| self.through(&context, view, record, by));
        Ok(explained.collect())
    }

    fn through(
        &self,
        context: &Context,
        view: &View,
        record: &Folded,
        (access, asking): (&Access<'_>, Option<&(Access<'_>, &Client)>),
    ) -> Explained {
        let key = self.veil_key(context, view);
        let seen = self.before(context, view, &record.leaves, &key);
        // What is confidential before who asks is not told of.
        let ty = asking.map_or(&view.resource_type, |(_, asker)| {
            let clearance = asker.clearance.on(&view.resource_type.name);
            clearance.known(&view.resource_type)
        });
        let concealed: BTreeSet<String> = asking.map_or_else(BTreeSet::new, |(asking, _)| {
            let decisions = asking.decisions(ty).into_iter();
            let open =
                |sight: &Sight| matches!(sight, Sight::Open | Sight::Shown { consent: None, .. });
            let hidden = decisions.filter(|decision| !open(&decision.sight));
            hidden
                .map(|decision| attribute_of(&decision.path))
                .collect()
        });
        let known = |path: &str| !concealed.iter().any(|hidden| meet(hidden, path));
        let document = self.0.renderer.whole(context, view, &record.leaves);
        // Whether a row's filter holds: of a filter on what is hidden, who asks may not know.
        let holds = |held: &Held| {
            let text = held.filter.as_deref()?;
            let bound = condition(text, &view.resource_type, Profile::Rfc).ok()?;
            let mut locations = bound.locations().into_iter();
            let knows = locations.all(|location| known(&attribute_of(&location.to_string())));
            knows.then(|| bound.matches(&document))
        };
        let explain = |held: Held| ExplainedRight {
            holds: match &held.filter {
                None => Some(true),
                Some(_) => holds(&held),
            },
            held,
        };
        let decisions = access.decisions(ty).into_iter();
        let attributes = decisions.filter_map(|mut decision| {
            let path = attribute_of(&decision.path);
            let rights = std::mem::take(&mut decision.rights);
            let rights = rights.into_iter().map(explain).collect();
            attribute(view, record, (&seen, known(&path)), (decision, rights))
        });
        let rows: Vec<_> = access.rights(&ty.name).into_iter().map(explain).collect();
        let may = |right: &Right| {
            let mut rows = rows.iter();
            rows.any(|row| row.held.right == *right && row.holds == Some(true))
        };
        let rights = Right::ALL.into_iter().filter(may);
        Explained {
            ty: ty.name.clone(),
            rights: rights.collect(),
            attributes: attributes.collect(),
        }
    }
}

/// The attribute of a path, without the brackets of some elements.
fn attribute_of(path: &str) -> String {
    path.split('[').next().unwrap_or(path).to_owned()
}

/// Whether one path is the other's, or a part of it.
fn meet(one: &str, other: &str) -> bool {
    let holds = |whole: &str, part: &str| {
        let rest = part.strip_prefix(whole);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    holds(one, other) || holds(other, one)
}

/// What is seen of an attribute; nothing of one that has no value and that no row names. What hangs on whether there is a
/// value is told only where that may be known.
fn attribute(
    view: &View,
    record: &Folded,
    (seen, known): (&Seen<'_>, bool),
    (decision, rights): (Decision, Vec<ExplainedRight>),
) -> Option<ExplainedAttribute> {
    let Decision { path, sight, .. } = decision;
    if !known {
        return Some(ExplainedAttribute {
            path,
            rights,
            shown: None,
            sight,
        });
    }
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
    Some(ExplainedAttribute {
        path,
        rights,
        shown: Some(shown),
        sight,
    })
}
