//! Answers with more members than should be held at once: the document first, then the members as they come from the
//! database, no faster than the client reads.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context as Task, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use serde::Serialize;

use super::error::Failure;
use crate::domain::context::Context;
use crate::domain::masked::{Masked, Resource};
use crate::service::{Error, Following, Muster, Piece};

/// For whom an answer is written: whom to ask for what it does not hold yet.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) service: &'a Muster,
    pub(super) context: &'a Context,
}

/// A part of a body, in order.
enum Part {
    Text(String),
    /// All members of the group whose turn it is, as one more attribute of an object that is still open.
    Members,
}

/// A body that is written while it is read from the database.
pub(super) struct Body {
    parts: VecDeque<Part>,
    following: Following,
    /// Whether the array of the group whose turn it is has been opened.
    open: bool,
}

impl Reader<'_> {
    /// The body of one resource, if it is too long to be held.
    pub(super) async fn one(self, found: &Masked<Resource>) -> Result<Option<Body>, Failure> {
        if found.seen().rest.is_none() {
            return Ok(None);
        }
        let mut parts = VecDeque::new();
        push(&mut parts, found)?;
        self.body(parts, std::slice::from_ref(found)).await
    }

    /// The body of a list, if it is too long to be held; `envelope` is the response without its `Resources`.
    pub(super) async fn page(
        self,
        envelope: &impl Serialize,
        resources: &[Masked<Resource>],
    ) -> Result<Option<Body>, Failure> {
        if resources
            .iter()
            .all(|resource| resource.seen().rest.is_none())
        {
            return Ok(None);
        }
        let mut parts = VecDeque::from([Part::Text(opened(envelope)?)]);
        for (n, resource) in resources.iter().enumerate() {
            let before = if n == 0 { ",\"Resources\":[" } else { "," };
            parts.push_back(Part::Text(before.into()));
            push(&mut parts, resource)?;
        }
        parts.push_back(Part::Text("]}".into()));
        self.body(parts, resources).await
    }

    async fn body(
        self,
        parts: VecDeque<Part>,
        resources: &[Masked<Resource>],
    ) -> Result<Option<Body>, Failure> {
        let rests = resources.iter().filter_map(|one| one.seen().rest.clone());
        let following = self.service.follow(self.context, rests.collect()).await?;
        Ok(Some(Body {
            parts,
            following,
            open: false,
        }))
    }
}

/// A resource, and its members after it if they are still to be read.
fn push(parts: &mut VecDeque<Part>, resource: &Masked<Resource>) -> Result<(), Failure> {
    if resource.seen().rest.is_none() {
        parts.push_back(Part::Text(text(resource)?));
        return Ok(());
    }
    parts.push_back(Part::Text(opened(resource)?));
    parts.push_back(Part::Members);
    parts.push_back(Part::Text("}".into()));
    Ok(())
}

/// An object that has members, without its closing brace: every resource has an `id`, and every list its `schemas`.
fn opened(object: &impl Serialize) -> Result<String, Failure> {
    let mut text = text(object)?;
    text.pop();
    Ok(text)
}

fn text(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::internal(format!("an answer is no JSON: {error}")))
}

impl Body {
    /// Some more members as text.
    fn written(&mut self, piece: &Piece) -> Result<String, Error> {
        let Piece::Members(members) = piece else {
            self.parts.pop_front();
            let end = if self.open { "]" } else { "" };
            self.open = false;
            return Ok(end.into());
        };
        let array = serde_json::to_string(members)
            .map_err(|error| Error::Internal(format!("members are no JSON: {error}")))?;
        let elements = array.trim_start_matches('[').trim_end_matches(']');
        if elements.is_empty() {
            return Ok(String::new());
        }
        let before = if self.open { "," } else { ",\"members\":[" };
        self.open = true;
        Ok(format!("{before}{elements}"))
    }
}

impl MessageBody for Body {
    type Error = Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        task: &mut Task<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        loop {
            match self.parts.front_mut() {
                None => return Poll::Ready(None),
                Some(Part::Text(text)) => {
                    let text = std::mem::take(text);
                    self.parts.pop_front();
                    return Poll::Ready(Some(Ok(text.into())));
                }
                Some(Part::Members) => {}
            }
            let piece = match self.following.poll(task) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(piece))) => piece,
                // The status has been sent: all that can be done is to break the answer off, so that nobody takes it for
                // whole.
                Poll::Ready(Some(Err(error))) => return broken(error),
                Poll::Ready(None) => return broken(Error::Internal("a stream ended early".into())),
            };
            match self.written(&piece) {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Poll::Ready(Some(Ok(text.into()))),
                Err(error) => return broken(error),
            }
        }
    }
}

fn broken(error: Error) -> Poll<Option<Result<Bytes, Error>>> {
    tracing::warn!(error = %error, "an answer was broken off");
    Poll::Ready(Some(Err(error)))
}
