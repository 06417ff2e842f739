//! `POST /.search` at the root (RFC 7644 §3.4.3): over all types that the caller may search.

use std::sync::Arc;

use super::list::{limit, query};
use super::{Asked, Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::domain::record::Kind;
use crate::domain::view::View;
use crate::scim::Map;
use crate::scim::list::ListRequest;
use crate::store::list::{Query, list};

/// What one type contributes.
struct Part {
    view: Arc<View>,
    request: ListRequest,
    /// Persons whom the search lists as Users already are left out (design §2: a record is listed once).
    without_accounts: bool,
}

impl Muster {
    /// One page over all types, type after type. A type that does not know what the filter names has no match; if none
    /// does, the filter is at fault.
    pub async fn search(&self, context: &Context, body: Map) -> Result<Page, Error> {
        let mut parts: Vec<Part> = Vec::new();
        let mut fault = None;
        let views = self.0.renderer.catalog().views();
        for view in views
            .iter()
            .filter(|view| context.client.may(Right::Search, &view.resource_type.name))
        {
            let profile = context.client.profile;
            match ListRequest::from_search(&view.resource_type, body.clone(), profile) {
                Ok(request) => {
                    let without_accounts = view.kind == Kind::Person
                        && !view.accounts_only
                        && parts.iter().any(is_users);
                    parts.push(Part {
                        view: view.clone(),
                        request,
                        without_accounts,
                    });
                }
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        if parts.is_empty() {
            return Err(match fault {
                Some(error) => error.into(),
                None => Error::Forbidden(format!(
                    "the client '{}' may search nothing",
                    context.client.name
                )),
            });
        }
        let (muster, context, most) = (self.clone(), context.clone(), self.0.max_page);
        self.0
            .store
            .read(move |tx| muster.pages(tx, &context, &parts, most))
            .await
    }

    fn pages(
        &self,
        tx: &mut crate::store::Tx<'_>,
        context: &Context,
        parts: &[Part],
        most: u64,
    ) -> Result<Page, Error> {
        let Some(first) = parts.first() else {
            return Err(Error::Internal("a search of nothing".into()));
        };
        let start_index = first.request.start_index;
        let mut offset = i64::try_from(start_index - 1).unwrap_or(i64::MAX);
        let mut room = limit(&first.request, most);
        let mut page = Page {
            total: 0,
            start_index,
            resources: Vec::new(),
        };
        for part in parts {
            let asked = Asked {
                projection: part.request.projection.clone(),
                if_match: None,
            };
            let query = Query {
                without_accounts: part.without_accounts,
                offset,
                limit: room,
                ..query(context, &part.view, &part.request, most)
            };
            let (total, records) = list(tx, &query)?;
            offset = (offset - total).max(0);
            room -= i64::try_from(records.len()).unwrap_or(i64::MAX);
            page.total += u64::try_from(total).unwrap_or(0);
            page.resources
                .extend(self.show(tx, context, &part.view, &records, &asked)?);
        }
        Ok(page)
    }
}

fn is_users(part: &Part) -> bool {
    part.view.accounts_only
}
