//! `POST /.search` at the root (RFC 7644 §3.4.3): over all types that the caller may search.

use super::paging::Part;
use super::{Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::domain::record::Kind;
use crate::scim::Map;
use crate::scim::list::ListRequest;

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
        let (muster, context) = (self.clone(), context.clone());
        self.0
            .store
            .read(move |tx| muster.page(tx, &context, &parts))
            .await
    }
}

fn is_users(part: &Part) -> bool {
    part.view.accounts_only
}
