//! `POST /.search` at the root (RFC 7644 §3.4.3): over all types that the caller may search.

use std::sync::Arc;

use serde_json::Value;

use super::paging::Part;
use super::sight::{clearance, known_type};
use super::{Error, Muster, Page};
use crate::domain::context::{Context, Right};
use crate::domain::record::Kind;
use crate::domain::view::View;
use crate::scim::Map;
use crate::scim::attribute_path::AttributePath;
use crate::scim::filter;
use crate::scim::list::ListRequest;
use crate::scim::resource_type::{Among, ResourceType};

impl Muster {
    /// One page over all types, type after type. What a type does not know counts there as an attribute without a value
    /// (§3.4.2.1); what no type knows, or does not fit the type that knows it, is refused.
    pub async fn search(&self, context: &Context, body: Map) -> Result<Page, Error> {
        let views = self.0.renderer.catalog().views();
        let profile = context.client.profile;
        let may = |view: &View| context.client.may(Right::Search, &view.resource_type.name);
        if !views.iter().any(|view| may(view)) {
            return Err(Error::Forbidden(format!(
                "the client '{}' may search nothing",
                context.client.name
            )));
        }
        let types: Vec<Arc<ResourceType>> = views
            .iter()
            .map(|view| known_type(context, view).clone())
            .collect();
        let mut parts: Vec<Part> = Vec::new();
        let mut searched = Vec::new();
        for view in views {
            let among = Among {
                ty: known_type(context, view),
                all: &types,
            };
            // Also where the caller may not search: whether a request is right depends on nobody's rights.
            let request = ListRequest::from_search_among(among, body.clone(), profile)?;
            if may(view) {
                searched.extend(Self::searched(context, view, &request));
                parts.push(Part {
                    filter: Self::seen_filter(context, view, &request)?,
                    view: view.clone(),
                    request,
                    without_accounts: false,
                    elsewhere: None,
                });
            }
        }
        let names = match body.get("filter").and_then(Value::as_str) {
            Some(text) => filter::parse_as(text, profile)?.paths(),
            None => Vec::new(),
        };
        list_each_once(context, &mut parts, &names);
        leave_out_empty(&mut parts);
        let (muster, reader) = (self.clone(), context.clone());
        let read = self
            .0
            .store
            .read(move |tx| muster.page(tx, &reader, &parts));
        let page = read.await?;
        self.disclosed_page(context, "", page, searched).await
    }
}

/// A record that is a User and a Person is listed as a User (design §2), unless that hides what a Person is found by: then
/// it is listed as a Person. If each of the two knows a name that the other does not, it is listed as the User that matches,
/// or else as the Person.
fn list_each_once(context: &Context, parts: &mut Vec<Part>, names: &[AttributePath]) {
    let find = |accounts_only: bool| {
        let is_it = |view: &View| view.kind == Kind::Person && view.accounts_only == accounts_only;
        parts.iter().position(|part| is_it(&part.view))
    };
    let (Some(users), Some(persons)) = (find(true), find(false)) else {
        return;
    };
    let knows = |part: usize, name| {
        known_type(context, &parts[part].view)
            .resolve(name)
            .is_some()
    };
    let suffices = |this, other| {
        let mut names = names.iter();
        names.all(|name| knows(this, name) || !knows(other, name))
    };
    let plain = clearance(context, &parts[users].view).is_plain();
    if plain && suffices(users, persons) {
        parts[persons].without_accounts = true;
    } else if plain && suffices(persons, users) {
        parts.remove(users);
    } else {
        // Who is not seen as a User may still be seen as a Person.
        let filter = parts[users].filter.clone();
        let filter = filter.unwrap_or(filter::Condition::All(Vec::new()));
        parts[persons].elsewhere = Some((parts[users].view.clone(), filter));
    }
}

/// Spares the database the types in which nothing can match; one stands for them if there is no other.
fn leave_out_empty(parts: &mut Vec<Part>) {
    let is_empty = |part: &Part| {
        let filter = part.request.filter.as_ref();
        filter.is_some_and(filter::Condition::is_never)
    };
    if parts.iter().all(is_empty) {
        parts.truncate(1);
    } else {
        parts.retain(|part| !is_empty(part));
    }
}
