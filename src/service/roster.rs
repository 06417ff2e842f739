//! The members of groups and the groups of persons, as answers show them. Few members are held; many are read piece by
//! piece, on one snapshot, while they are sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use serde_json::{Map, Value, json};

use super::{Asked, Error, Muster};
use crate::domain::catalog::endpoint;
use crate::domain::context::Context;
use crate::domain::masked::{Masked, Members, Renderer, Rest};
use crate::domain::record::{Folded, Kind};
use crate::domain::view::View;
use crate::scim::resource_type::Location;
use crate::store::belonging::{self, Belonging};
use crate::store::member::{self, Peer};
use crate::store::stream::{Pieces, Sink};
use crate::store::{self, Tx};

/// The most members of one group that an answer holds, and the most of all groups on its page: beyond them it streams.
const HELD: i64 = 1000;
const HELD_IN_ALL: i64 = 10_000;
/// Members in one piece of a stream.
const PIECE: i64 = 1000;

/// What is shown of a record besides its document, by the record's number.
pub(super) type Held = BTreeMap<i64, Value>;

/// A piece of an answer that streams.
#[derive(Debug)]
pub enum Piece {
    /// Some more members of the group whose turn it is.
    Members(Masked<Members>),
    /// These were all of that group: the next one's turn begins.
    End,
}

/// The members of one group after another, as they come.
pub struct Following {
    first: Option<Piece>,
    pieces: Pieces<Piece, Error>,
}

impl Following {
    /// The next piece; none after the last.
    pub fn poll(&mut self, task: &mut Task<'_>) -> Poll<Option<Result<Piece, Error>>> {
        match self.first.take() {
            Some(piece) => Poll::Ready(Some(Ok(piece))),
            None => self.pieces.poll_recv(task),
        }
    }
}

/// The name of the resource type that a kind of record is referred to as.
pub(super) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "User",
        other => other.type_name(),
    }
}

/// How peers are shown to a caller.
#[derive(Clone)]
pub(super) struct Manner {
    base_url: Arc<str>,
    /// Whether the names of persons are hidden from it.
    nameless: bool,
}

impl Manner {
    pub(super) fn of(context: &Context) -> Self {
        Self {
            base_url: context.base_url.clone(),
            nameless: context.client.clearance.on("Group").is_nameless(),
        }
    }
}

/// A member with all that can be shown of it.
pub(super) fn shown(peer: &Peer, manner: &Manner) -> Value {
    let base_url = &manner.base_url;
    let kind = type_name(peer.kind);
    let endpoint = endpoint(kind).unwrap_or_default();
    let mut member = Map::new();
    member.insert("value".into(), peer.id.to_string().into());
    member.insert(
        "$ref".into(),
        format!("{base_url}{endpoint}/{}", peer.id).into(),
    );
    member.insert("type".into(), kind.into());
    let named = peer.kind != Kind::Person || !manner.nameless;
    if let Some(name) = peer.display.as_ref().filter(|_| named) {
        member.insert("display".into(), name.as_str().into());
    }
    Value::Object(member)
}

/// A group that a record belongs to, as the record shows it (RFC 7643 §4.1.2).
fn shown_group(group: &Belonging, base_url: &str) -> Value {
    let kind = if group.direct { "direct" } else { "indirect" };
    let id = group.id.to_string();
    let at = format!("{base_url}/Groups/{id}");
    let mut shown = json!({ "value": id, "$ref": at });
    if let Some(name) = &group.display {
        shown["display"] = name.as_str().into();
    }
    shown["type"] = kind.into();
    shown
}

fn asks(view: &View, asked: &Asked, attribute: &str, sub: Option<&str>) -> bool {
    let location = Location {
        extension: None,
        attribute: attribute.into(),
        sub: sub.map(Into::into),
    };
    asked.projection.includes(&view.resource_type, &location)
}

impl Muster {
    /// The groups of persons, by the person's number. The entity tag is of the whole view, groups included, so that they
    /// are needed wherever it is shown, and left alone where it is not.
    pub(super) fn groups(
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        persons: &[i64],
        asked: &Asked,
    ) -> Result<Held, Error> {
        let needed = persons.len() == 1
            || asks(view, asked, "groups", None)
            || asks(view, asked, "meta", Some("version"));
        if view.kind != Kind::Person || !needed {
            return Ok(BTreeMap::new());
        }
        Ok(belonging::list(tx, persons)?
            .into_iter()
            .filter_map(|(row, groups)| Some((row, Self::shown_groups(&groups, context)?)))
            .collect())
    }

    /// The groups as a person shows them, if there are any.
    pub(super) fn shown_groups(groups: &[Belonging], context: &Context) -> Option<Value> {
        let shown = groups
            .iter()
            .map(|group| shown_group(group, &context.base_url));
        (!groups.is_empty()).then(|| shown.collect())
    }

    /// Groups' members by the group's number, and those groups whose members are too many to be held; neither if the
    /// answer does not ask for them, and then no row of a member is read. A page of groups costs as many statements as one
    /// group.
    pub(super) fn members(
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        groups: &[Folded],
        asked: &Asked,
    ) -> Result<(Held, BTreeMap<i64, Rest>), Error> {
        let (mut held, mut rest) = (Vec::new(), BTreeMap::new());
        let reads = context.client.clearance.on("Group").reads_all("members");
        if view.kind != Kind::Group || !reads || !asks(view, asked, "members", None) {
            return Ok((BTreeMap::new(), rest));
        }
        let mut room = HELD_IN_ALL;
        for group in groups.iter().filter(|group| group.members > 0) {
            if group.members <= HELD.min(room) {
                room -= group.members;
                held.push(group.row);
            } else {
                let projection = asked.projection.clone();
                let group = group.row;
                rest.insert(group, Rest { group, projection });
            }
        }
        let members = match held[..] {
            // A statement of one text, which is prepared once.
            [group] => BTreeMap::from([(group, member::list(tx, group, 0, i64::MAX)?)]),
            _ => member::of_groups(tx, &held)?,
        };
        let manner = Manner::of(context);
        let value = |peers: Vec<Peer>| -> Value {
            let peers = peers.iter();
            peers.map(|peer| shown(peer, &manner)).collect()
        };
        let members = members
            .into_iter()
            .map(|(group, peers)| (group, value(peers)))
            .collect();
        Ok((members, rest))
    }

    /// Reads the members that answers left for later: one group's after another's, all on one snapshot.
    pub async fn follow(&self, context: &Context, rests: Vec<Rest>) -> Result<Following, Error> {
        let view = self.0.renderer.catalog().at("/Groups");
        let view = view.ok_or_else(|| Error::Internal("there are no groups".into()))?;
        let (view, manner) = (view.clone(), Manner::of(context));
        let read = move |tx: &mut Tx<'_>, sink: &Sink<Piece, Error>| {
            rests
                .iter()
                .try_for_each(|rest| follow(tx, sink, &view, &manner, rest))
        };
        let mut pieces = self.0.store.stream(read).await?;
        // What goes wrong before anything has been sent can still be told.
        let first = pieces.recv().await.transpose()?;
        Ok(Following { first, pieces })
    }
}

/// Reads one group's members.
fn follow(
    tx: &mut Tx<'_>,
    sink: &Sink<Piece, Error>,
    view: &View,
    manner: &Manner,
    rest: &Rest,
) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let peers = store::member::list(tx, rest.group, after, PIECE)?;
        let Some(last) = peers.last() else {
            return Ok(sink.send(Piece::End)?);
        };
        after = last.row;
        let members = peers.iter().map(|peer| shown(peer, manner)).collect();
        let members = Renderer::mask_members(view, members, &rest.projection);
        sink.send(Piece::Members(members))?;
    }
}
