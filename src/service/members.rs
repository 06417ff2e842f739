//! Members of groups: rows, never a document (design §2).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::change::Write;
use super::{Asked, Error, Muster};
use crate::domain::context::Context;
use crate::domain::event::{Change, Happened};
use crate::domain::record::{Folded, Kind};
use crate::domain::view::View;
use crate::id::ResourceId;
use crate::scim;
use crate::scim::patch::{Change as RowChange, Rows};
use crate::scim::resource_type::Location;
use crate::store::member::Peer;
use crate::store::{self, Tx};

/// Takes the members out of a received document.
pub(super) fn given(document: &mut Map<String, Value>) -> Vec<Value> {
    match document.remove("members") {
        Some(Value::Array(members)) => members,
        _ => Vec::new(),
    }
}

/// Who came and who went, as an event tells it.
pub(super) fn change(added: &[Peer], removed: &[Peer]) -> Option<Change> {
    let ids = |peers: &[Peer]| {
        peers
            .iter()
            .map(|peer| Value::from(peer.id.to_string()))
            .collect::<Value>()
    };
    let changed = !added.is_empty() || !removed.is_empty();
    changed.then(|| Change {
        path: "members".into(),
        previous: ids(removed),
        new: ids(added),
    })
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "User",
        Kind::Group => "Group",
    }
}

impl Write<'_> {
    /// The records that members name, and the names of those whom nobody knows: one stranger must not lose the whole push
    /// (scim.md E16), so they are left out and told.
    pub(super) fn known_members(
        &self,
        tx: &mut Tx<'_>,
        members: &[Value],
    ) -> Result<(Vec<Peer>, Vec<String>), Error> {
        let mut named = BTreeMap::new();
        let mut strangers = Vec::new();
        for member in members {
            let value = member
                .get("value")
                .and_then(Value::as_str)
                .unwrap_or_default();
            match value.parse::<ResourceId>() {
                Ok(id) => {
                    named.insert(id, value);
                }
                Err(_) => strangers.push(stranger(value)),
            }
        }
        let ids: Vec<ResourceId> = named.keys().copied().collect();
        let found = store::member::find_eligible(tx, self.context.tenant(), &ids)?;
        let known: BTreeSet<ResourceId> = found.iter().map(|peer| peer.id).collect();
        strangers.extend(
            named
                .iter()
                .filter(|(id, _)| !known.contains(id))
                .map(|(_, value)| stranger(value)),
        );
        Ok((found, strangers))
    }

    /// Applies changes of members in their order. Only what differs is written; nothing, if nothing does.
    pub(super) fn change_members(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        changes: &[RowChange],
    ) -> Result<(Folded, Vec<String>), Error> {
        let mut wanted: BTreeMap<i64, (Peer, bool)> = BTreeMap::new();
        let mut strangers = Vec::new();
        for change in changes {
            match change {
                RowChange::Add(members) => {
                    let (found, unknown) = self.known_members(tx, members)?;
                    strangers.extend(unknown);
                    wanted.extend(found.into_iter().map(|peer| (peer.row, (peer, true))));
                }
                RowChange::Replace(members) => {
                    let (found, unknown) = self.known_members(tx, members)?;
                    strangers.extend(unknown);
                    for (_, keep) in wanted.values_mut() {
                        *keep = false;
                    }
                    wanted.extend(
                        store::member::list(tx, group.row)?
                            .into_iter()
                            .map(|peer| (peer.row, (peer, false))),
                    );
                    wanted.extend(found.into_iter().map(|peer| (peer.row, (peer, true))));
                }
                RowChange::Remove(rows) => self.unwant(tx, group, rows, &mut wanted)?,
            }
        }
        let rows: Vec<i64> = wanted.keys().copied().collect();
        let present: BTreeSet<i64> = store::member::present(tx, group.row, &rows)?
            .into_iter()
            .collect();
        let (add, remove): (Vec<_>, Vec<_>) = wanted
            .into_values()
            .filter(|(peer, keep)| *keep != present.contains(&peer.row))
            .partition(|(_, keep)| *keep);
        let peers =
            |pairs: Vec<(Peer, bool)>| pairs.into_iter().map(|(peer, _)| peer).collect::<Vec<_>>();
        let (add, remove) = (peers(add), peers(remove));
        let Some(change) = change(&add, &remove) else {
            return Ok((group.clone(), strangers));
        };
        if add.iter().any(|peer| peer.row == group.row) {
            return Err(scim::Error::invalid_value(
                "a group cannot be a member of itself: 'members.value'",
            )
            .into());
        }
        let rows = |peers: &[Peer]| peers.iter().map(|peer| peer.row).collect::<Vec<_>>();
        let event = self
            .event(Happened::MembersChanged, group.id)
            .with_changes(vec![change]);
        Ok((
            store::member::update(tx, group, &rows(&add), &rows(&remove), event)?,
            strangers,
        ))
    }

    fn unwant(
        &self,
        tx: &mut Tx<'_>,
        group: &Folded,
        rows: &Rows,
        wanted: &mut BTreeMap<i64, (Peer, bool)>,
    ) -> Result<(), Error> {
        let gone: Vec<Peer> = match rows {
            Rows::Values(values) => {
                let ids: Vec<ResourceId> = values
                    .iter()
                    .filter_map(|value| value.parse().ok())
                    .collect();
                store::member::find(tx, self.context.tenant(), &ids)?
            }
            Rows::All => {
                for (_, keep) in wanted.values_mut() {
                    *keep = false;
                }
                store::member::list(tx, group.row)?
            }
            Rows::Matching(condition) => {
                let mut members = store::member::list(tx, group.row)?;
                let shown = |peer: &Peer| json!({ "value": peer.id.to_string(), "type": type_name(peer.kind) });
                members.retain(|peer| condition.matches_element(&shown(peer)));
                members
            }
        };
        wanted.extend(gone.into_iter().map(|peer| (peer.row, (peer, false))));
        Ok(())
    }

    /// Takes a record that is going away out of its groups: each of them gets a version and an event.
    pub(super) fn leave_groups(&self, tx: &mut Tx<'_>, record: &Folded) -> Result<(), Error> {
        let peer = Peer {
            row: record.row,
            id: record.id,
            kind: record.kind,
        };
        let groups = store::member::groups_of(tx, &[record.row])?;
        for (id, _) in groups.into_values().flatten() {
            let Some(group) = store::record::find(tx, self.context.tenant(), id)? else {
                continue;
            };
            let event = crate::domain::event::Event::new(
                self.context,
                self.muster.0.ids.event(self.context.now),
                Happened::MembersChanged,
                Kind::Group,
                "Group",
                id,
            );
            let event = event.with_changes(
                change(&[], std::slice::from_ref(&peer))
                    .into_iter()
                    .collect(),
            );
            store::member::update(
                tx,
                &group,
                &[],
                &[record.row],
                event.because(Some("memberDeleted")),
            )?;
        }
        Ok(())
    }
}

fn stranger(value: &str) -> String {
    format!("members[value eq \"{value}\"]")
}

impl Muster {
    /// Groups' members as an answer shows them, by the group's number; none if it does not ask for them, and then they are
    /// not loaded. A page of groups costs as many queries as one group.
    pub(super) fn members(
        &self,
        tx: &mut Tx<'_>,
        context: &Context,
        view: &View,
        groups: &[i64],
        asked: &Asked,
    ) -> Result<BTreeMap<i64, Value>, Error> {
        let asks = |sub: Option<&str>| {
            let location = Location {
                extension: None,
                attribute: "members".into(),
                sub: sub.map(Into::into),
            };
            asked.projection.includes(&view.resource_type, &location)
        };
        if view.kind != Kind::Group || !asks(None) {
            return Ok(BTreeMap::new());
        }
        let members = store::member::of_groups(tx, groups)?;
        let names = if asks(Some("display")) {
            let rows: BTreeSet<i64> = members.values().flatten().map(|peer| peer.row).collect();
            store::member::names(tx, &rows.into_iter().collect::<Vec<_>>())?
        } else {
            BTreeMap::new()
        };
        let catalog = self.0.renderer.catalog();
        let shown = |peer: &Peer| {
            let kind = type_name(peer.kind);
            let endpoint = catalog.endpoint(kind).unwrap_or_default();
            let mut member = Map::new();
            member.insert("value".into(), peer.id.to_string().into());
            member.insert(
                "$ref".into(),
                format!("{}{endpoint}/{}", context.base_url, peer.id).into(),
            );
            member.insert("type".into(), kind.into());
            if let Some(name) = names.get(&peer.row) {
                member.insert("display".into(), name.as_str().into());
            }
            Value::Object(member)
        };
        Ok(members
            .into_iter()
            .map(|(group, peers)| (group, peers.iter().map(shown).collect()))
            .collect())
    }
}
