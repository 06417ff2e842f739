//! GET many (RFC 7644 §3.4.2): filtered, sorted and paged in the database.

use super::get::Sought;
use super::paging::Part;
use super::sight::clearance;
use super::{Asked, Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::domain::name::Name;
use crate::domain::record::Kind;
use crate::domain::view::View;
use crate::scim;
use crate::scim::list::ListRequest;
use crate::scim::resource_type::Location;

impl Muster {
    /// One page of what matches.
    pub async fn list(
        &self,
        context: &Context,
        endpoint: &str,
        request: ListRequest,
    ) -> Result<Page, Error> {
        let view = self.view(context, endpoint, Right::Search)?;
        let filter = Self::seen_filter(context, &view, &request)?;
        if let Some(page) = self.page_of_one(context, &view, &request).await? {
            return Ok(page);
        }
        let searched = Self::searched(context, &view, &request);
        let name = view.resource_type.name.clone();
        let part = Part {
            view,
            request,
            filter,
            without_accounts: false,
            elsewhere: None,
        };
        let (muster, reader) = (self.clone(), context.clone());
        let read = self
            .0
            .store
            .read(move |tx| muster.page(tx, &reader, &[part]));
        let page = read.await?;
        self.disclosed_page(context, &name, page, searched).await
    }

    /// Refuses a filter in a URI on what the policy marks as secret: URIs are written into logs and histories (RFC 7644 §7.5.2).
    pub fn check_uri(
        &self,
        context: &Context,
        endpoint: &str,
        request: &ListRequest,
    ) -> Result<(), Error> {
        let policies = self.policies();
        let governed = policies.get(&context.tenant().0);
        let secrets = governed.map(|row| &row.governing.secrets);
        let (Some(secrets), Some(filter)) = (secrets, &request.filter) else {
            return Ok(());
        };
        let view = self.view(context, endpoint, Right::Search)?;
        let is_secret = |at: &&Location| {
            let paths = [view.canonical(&at.whole()), view.canonical(at)];
            view.kind == Kind::Person && paths.into_iter().flatten().any(|path| secrets.holds(path))
        };
        match filter.locations().into_iter().find(is_secret) {
            Some(at) => Err(scim::Error::sensitive_in_uri(at).into()),
            None => Ok(()),
        }
    }

    /// The first page of what only one can match, if the filter is such.
    async fn page_of_one(
        &self,
        context: &Context,
        view: &View,
        request: &ListRequest,
    ) -> Result<Option<Page>, Error> {
        let first =
            request.start_index == 1 && request.count != Some(0) && request.cursor.is_none();
        let plain = clearance(context, view).is_plain();
        let Some(filter) = request.filter.as_ref().filter(|_| first && plain) else {
            return Ok(None);
        };
        let specs = self.0.renderer.catalog().specs(view.kind);
        let Some(name) = Name::of(filter, view, specs, context.system()) else {
            return Ok(None);
        };
        let asked = Asked::from(&request.projection);
        let resources = match self.seek(context, view, name, &asked).await? {
            Sought::Found(found) => vec![*found],
            Sought::Nobody => Vec::new(),
            Sought::Unclear => return Ok(None),
        };
        Ok(Some(Page {
            total: Some(resources.len() as u64),
            start_index: Some(1),
            next_cursor: None,
            resources,
        }))
    }
}
