//! GET many (RFC 7644 §3.4.2): filtered, sorted and paged in the database.

use super::{Asked, DEFAULT_PAGE, Error, Muster, Page};
use crate::domain::context::{Context, Right};
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
        let (muster, context) = (self.clone(), context.clone());
        let limit = request.count.unwrap_or(DEFAULT_PAGE).min(self.0.max_page);
        let asked = Asked {
            projection: request.projection.clone(),
            if_match: None,
        };
        let read = move |tx: &mut crate::store::Tx<'_>| {
            let query = Query {
                tenant: context.tenant(),
                system: context.system(),
                view: &view,
                base_url: &context.base_url,
                condition: request.filter.as_ref(),
                sort: request
                    .sort
                    .as_ref()
                    .map(|sort| (&sort.location, sort.descending)),
                offset: i64::try_from(request.start_index - 1).unwrap_or(i64::MAX),
                limit: i64::try_from(limit).unwrap_or(i64::MAX),
            };
            let (total, records) = list(tx, &query)?;
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
