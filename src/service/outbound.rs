//! What leaves in another system's layout (B-037): all that a client of the policy may see of a type, as that client sees it, and
//! logged as if it had asked itself.

use chrono::{DateTime, Utc};

use super::sight::known_type;
use super::{Error, Muster};
use crate::domain::context::{Context, Right};
use crate::domain::mapping::{Fault, Mapping, Rendered};
use crate::scim::filter::condition;
use crate::scim::list::ListRequest;
use crate::scim::projection::Projection;

/// How many are on a page.
const PAGE: u64 = 500;

/// A page of what leaves.
#[derive(Debug)]
pub struct Outbound {
    /// Each with its id: its row, or why it has none.
    pub rows: Vec<(String, Result<Rendered, Vec<Fault>>)>,
    /// What the next page is asked for with, if this is not the last.
    pub next: Option<String>,
}

impl Muster {
    /// A client of a tenant's policy in force, as the one in whose name something leaves.
    ///
    /// # Errors
    /// When the policy has no such client, or it is shut out.
    pub fn in_the_name_of(
        &self,
        tenant: &str,
        client: &str,
        now: DateTime<Utc>,
    ) -> Result<Context, Error> {
        self.refresh()?;
        let tenant_id = self.tenant_of(tenant)?;
        let governed = self.policies().get(&tenant_id.0).cloned();
        let mut rows = governed.iter().flat_map(|governed| &governed.clients);
        let row = rows.find(|row| row.client.name == client && !row.disabled);
        let row = row.ok_or_else(|| {
            Error::NotFound(format!(
                "the policy of the tenant '{tenant}' has no client '{client}' that is not shut out"
            ))
        })?;
        let correlation = self.0.ids.event(now).to_string();
        Ok(Context::of_client(row.at(now).clone(), &correlation, now))
    }

    /// The page of what leaves that `cursor` begins; the first without one.
    pub async fn outbound(
        &self,
        context: &Context,
        mapping: &Mapping,
        (filter, cursor): (Option<&str>, &str),
    ) -> Result<Outbound, Error> {
        if context.system() != mapping.system {
            return Err(Error::Conflict(format!(
                "the client '{}' speaks for the system '{}', and the layout is of '{}'",
                context.client.name,
                context.system(),
                mapping.system
            )));
        }
        let endpoint = &mapping.resource_type.endpoint;
        let view = self.view(context, endpoint, Right::Search)?;
        let ty = known_type(context, &view);
        let filter = filter.map(|filter| condition(filter, ty, context.client.profile));
        let request = ListRequest {
            filter: filter.transpose()?,
            sort: None,
            start_index: 1,
            cursor: Some(cursor.to_owned()),
            count: Some(PAGE),
            projection: Projection::parse(ty, Some(&mapping.attributes()), None)?,
        };
        let page = self.list(context, endpoint, request).await?;
        let rows = page.resources.iter().map(|resource| {
            let document = &resource.seen().document;
            let id = document["id"].as_str().unwrap_or_default();
            (id.to_owned(), mapping.render(document))
        });
        Ok(Outbound {
            rows: rows.collect(),
            next: page.next_cursor,
        })
    }
}
