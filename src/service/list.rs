//! GET many (RFC 7644 §3.4.2): filtered, sorted and paged in the database.

use super::paging::Part;
use super::{Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::scim::list::ListRequest;

impl Muster {
    /// One page of what matches.
    pub async fn list(
        &self,
        context: &Context,
        endpoint: &str,
        request: ListRequest,
    ) -> Result<Page, Error> {
        let part = Part {
            view: self.view(context, endpoint, Right::Search)?,
            request,
            without_accounts: false,
        };
        let (muster, context) = (self.clone(), context.clone());
        self.0
            .store
            .read(move |tx| muster.page(tx, &context, &[part]))
            .await
    }
}
