//! GET many (RFC 7644 §3.4.2): filtered, sorted and paged in the database.

use super::{Asked, DEFAULT_PAGE, Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::domain::view::View;
use crate::scim::list::ListRequest;
use crate::store::list::{Query, list};

impl Muster {
    /// One page of what matches.
    pub async fn list(
        &self,
        context: &Context,
        endpoint: &str,
        request: ListRequest,
    ) -> Result<Page, Error> {
        let view = self.view(context, endpoint, Right::Search)?;
        let (muster, context, most) = (self.clone(), context.clone(), self.0.max_page);
        let asked = Asked {
            projection: request.projection.clone(),
            if_match: None,
        };
        let read = move |tx: &mut crate::store::Tx<'_>| {
            let (total, records) = list(tx, &query(&context, &view, &request, most))?;
            let resources = muster.show(tx, &context, &view, &records, &asked)?;
            Ok(Page {
                total: u64::try_from(total).unwrap_or(0),
                start_index: request.start_index,
                resources,
            })
        };
        self.0.store.read(read).await
    }
}

/// How many a page holds.
pub(super) fn limit(request: &ListRequest, most: u64) -> i64 {
    i64::try_from(request.count.unwrap_or(DEFAULT_PAGE).min(most)).unwrap_or(i64::MAX)
}

/// The request as the store takes it.
pub(super) fn query<'a>(
    context: &'a Context,
    view: &'a View,
    request: &'a ListRequest,
    most: u64,
) -> Query<'a> {
    Query {
        tenant: context.tenant(),
        system: context.system(),
        view,
        base_url: &context.base_url,
        without_accounts: false,
        condition: request.filter.as_ref(),
        sort: request
            .sort
            .as_ref()
            .map(|sort| (&sort.location, sort.descending)),
        offset: i64::try_from(request.start_index - 1).unwrap_or(i64::MAX),
        limit: limit(request, most),
    }
}
