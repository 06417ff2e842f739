//! The log as a feed: what a system picks up that is not pushed to, in the order of the sealed log, so that nobody
//! skips a late commit. A client sees the events of the types that it may read, deletions among them, with the values that it
//! might see.

use std::sync::Arc;

use serde_json::Value;

use super::{Error, Muster};
use crate::domain::context::{Client, Context, Right};
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Kind, Leaves};
use crate::domain::view::View;
use crate::store::{self, Tx};

/// A piece of the feed.
#[derive(Debug)]
pub struct Feed {
    /// The events that the caller may see, each with its position in the log.
    pub events: Vec<(i64, Masked<Resource>)>,
    /// The position to go on from.
    pub next: i64,
}

/// Events that are the log's own business, for who may read `AuditEvent`.
const INTERNAL: [&str; 2] = [".read", ".confirmed"];

impl Muster {
    /// The events from a position on, at most `limit` positions of the log.
    pub async fn feed(&self, context: &Context, after: i64, limit: i64) -> Result<Feed, Error> {
        self.note_asked(context, after);
        let (muster, reader) = (self.clone(), context.clone());
        let read = move |tx: &mut Tx<'_>| {
            let tenant = reader.tenant();
            let found = store::story::sealed_from(tx, tenant, after, limit)?;
            let next = found.last().map_or(after, |(position, _)| position + 1);
            let places: Vec<i64> = found.iter().map(|(_, seq)| *seq).collect();
            let bodies = store::event::at(tx, &places)?;
            let mut events = Vec::new();
            for ((position, _), (_, body)) in found.iter().zip(&bodies) {
                if muster.may_see_event(tx, &reader, body)? {
                    events.push((*position, muster.0.renderer.tell_event(&reader, body)));
                }
            }
            Ok::<_, Error>(Feed { events, next })
        };
        let feed = self.0.store.read(read).await?;
        let shown = feed.events.iter().map(|(_, event)| event);
        self.disclose(context, "AuditEvent", shown, Vec::new())
            .await?;
        Ok(feed)
    }

    /// Whether an event is of a record that the caller may read.
    pub(super) fn may_see_event(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        body: &Value,
    ) -> Result<bool, Error> {
        let text = |name: &str| body[name].as_str().unwrap_or_default();
        let told = self.is_told_of(Some(&context.client), text("type"), text("resourceType"));
        let Some(view) = told else { return Ok(false) };
        let clearance = context.client.clearance.on(&view.resource_type.name);
        let shows = |path: &str| self.may_show(context, view.kind, path);
        if self.0.renderer.hides_event(context, body, shows) {
            return Ok(false);
        }
        if !clearance.is_bounded() {
            return Ok(true);
        }
        // Of whom a bounded role reaches it is told while it does, and that it is no more what it reached to the end.
        let id = body["resourceId"].as_str().and_then(|id| id.parse().ok());
        let found = match id {
            Some(id) => store::record::find(tx, context.tenant(), id)?,
            None => None,
        };
        let leaves = match found {
            Some(found) => found.leaves,
            None if text("type").ends_with(".deleted") => last_known(body),
            None => return Ok(false),
        };
        Ok(self.reaches(context, view, &leaves, Right::Read))
    }

    /// Whether the caller may know of a value at a canonical path of records of a kind, through any type that shows it.
    fn may_show(&self, context: &Context, kind: Kind, path: &str) -> bool {
        let mut views = self.0.renderer.catalog().views().iter();
        path.starts_with("externalId@")
            || views.any(|view| {
                let clearance = context.client.clearance.on(&view.resource_type.name);
                view.kind == kind && !view.shown(path).is_empty() && !clearance.omits(path)
            })
    }

    /// The view through which a client is told of events of a type, about records of a resource type; nothing if it is not. Of no
    /// client: that of whoever may read everything.
    pub(super) fn is_told_of(
        &self,
        client: Option<&Client>,
        what: &str,
        of: &str,
    ) -> Option<&Arc<View>> {
        let kind = Kind::of_type(of).filter(|_| !INTERNAL.iter().any(|end| what.ends_with(end)))?;
        let may = |name: &str| client.is_none_or(|client| client.may(Right::Read, name));
        let mut views = self.0.renderer.catalog().views().iter();
        views.find(|view| view.kind == kind && may(&view.resource_type.name))
    }
}

/// What a record was when it was deleted, as the event of that tells.
fn last_known(body: &Value) -> Leaves {
    let changes = body["changes"].as_array().into_iter().flatten();
    let left = changes.filter_map(|change| {
        let path = change["path"].as_str()?.to_owned();
        Some((path, change["previous"].clone()))
    });
    left.filter(|(_, value)| !value.is_null()).collect()
}
