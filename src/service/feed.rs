//! The log as a feed: what a system picks up that is not pushed to, in the order of the sealed log, so that nobody
//! skips a late commit. A client sees the events of the types that it may read, deletions among them, with the values that it
//! might see.

use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Error, Muster};
use crate::domain::context::{Client, Context, Right};
use crate::domain::cursor::Cursor;
use crate::domain::masked::{Masked, Resource};
use crate::domain::record::{Kind, Leaves};
use crate::domain::view::View;
use crate::scim;
use crate::store::{self, Tx};

/// Where a reader stands in the feed: before the first event that it has not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The position in the log.
    position: i64,
    /// How many events the reader has been told on its way.
    told: u64,
}

/// A piece of the feed.
#[derive(Debug)]
pub struct Feed {
    /// The events that the caller may see, each with its position.
    pub events: Vec<(u64, Masked<Resource>)>,
    /// Where to go on.
    pub next: Place,
    /// Whether there is nothing more yet.
    pub is_end: bool,
}

/// Positions of the log that are looked at together, at least.
const PIECE: i64 = 100;

/// Events that are the log's own business, for who may read `AuditEvent`.
const INTERNAL: [&str; 2] = [".read", ".confirmed"];

impl Muster {
    /// Where a reader goes on that gives the `next` of an answer: a position, or what [`Self::feed_next`] has sealed. Without one,
    /// and with `0`, at the beginning.
    ///
    /// # Errors
    /// When it is neither, or a position from a client that may not count what it is not told.
    pub fn feed_place(&self, context: &Context, next: Option<&str>) -> Result<Place, Error> {
        let client = &*context.client;
        let text = next.filter(|text| !matches!(*text, "" | "0"));
        let Some(text) = text else {
            return Ok(Place::default());
        };
        let position = text.parse().ok().filter(|position| *position >= 0);
        let counts = client.clearance.guesses().is_none();
        if let Some(position) = position.filter(|_| counts) {
            return Ok(Place { position, told: 0 });
        }
        let place = Cursor::open(text, self.0.paging.key(), client).ok();
        let place = place.filter(|place| place.walk == walk()).ok_or_else(|| {
            scim::Error::invalid_value(
                "'after' is not where this client has come to: send the 'next' of the last answer, unchanged, or 0 for the beginning",
            )
        })?;
        Ok(Place {
            position: place.row,
            told: place.count,
        })
    }

    /// Where to go on, as the caller is told: the position; sealed, if the caller may not count what it is not told.
    pub fn feed_next(&self, context: &Context, place: Place) -> Result<Value, Error> {
        let client = &*context.client;
        if client.clearance.guesses().is_none() {
            return Ok(place.position.into());
        }
        let sealed = Cursor {
            walk: walk(),
            count: place.told,
            policy: 0,
            expires: 0,
            part: 0,
            key: None,
            row: place.position,
        };
        let sealed = sealed.seal(self.0.paging.key(), client, &self.0.ids.secret());
        Ok(sealed.map_err(Error::Internal)?.into())
    }

    /// At most `count` events from a place on: those among the next positions of the log that the caller may see. Their
    /// positions are those of the log; before a caller that may not count what it is not told, those of what it is told.
    pub async fn feed(&self, context: &Context, from: Place, count: i64) -> Result<Feed, Error> {
        self.note_asked(context, from.position);
        let (muster, reader) = (self.clone(), context.clone());
        let most = usize::try_from(count).unwrap_or(usize::MAX);
        let read = move |tx: &mut Tx<'_>| {
            let counts = reader.client.clearance.guesses().is_none();
            let piece = count.max(PIECE);
            let found = store::story::sealed_from(tx, reader.tenant(), from.position, piece)?;
            let places: Vec<i64> = found.iter().map(|(_, seq)| *seq).collect();
            let bodies = store::event::at(tx, &places)?;
            let (mut next, mut events) = (from, Vec::new());
            let mut is_end = i64::try_from(found.len()).is_ok_and(|found| found < piece);
            for ((position, _), (_, body)) in found.iter().zip(&bodies) {
                if events.len() == most {
                    is_end = false;
                    break;
                }
                next.position = position + 1;
                if muster.may_see_event(tx, &reader, body)? {
                    let of_log = u64::try_from(*position).unwrap_or(0);
                    let position = if counts { of_log } else { next.told };
                    next.told += 1;
                    events.push((position, muster.0.renderer.tell_event(&reader, body)));
                }
            }
            Ok::<_, Error>(Feed {
                events,
                next,
                is_end,
            })
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

/// What tells places in the feed from places in a list.
fn walk() -> [u8; 32] {
    Sha256::digest(b"Events").into()
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
