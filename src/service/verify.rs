//! A whole log verified: every leaf against its event, the tree against every head that was signed, and nothing missing.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Error, Muster, shown};
use crate::domain::log::head::{Head, encoded};
use crate::domain::log::tree::Frontier;
use crate::domain::log::{Entry, Hash};
use crate::id::{EventId, TenantId};
use crate::store::audit::Sealed;
use crate::store::{self, Store};

/// How many leaves are read at a time.
pub(super) const PAGE: u32 = 500;
/// A tile is complete with so many leaves.
const TILE_LEVELS: u32 = 8;
/// After so many findings in a log the rest is left out.
pub(super) const MOST: usize = 100;

/// Something that is wrong with a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whose log.
    pub tenant: TenantId,
    /// The first position that is wrong; nothing where an event has none.
    pub position: Option<u64>,
    /// The event that stood or stands there, as far as that is known.
    pub event: Option<EventId>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tenant {}", self.tenant.0)?;
        if let Some(position) = self.position {
            write!(f, ", position {position}")?;
        }
        if let Some(event) = self.event {
            write!(f, ", event {event}")?;
        }
        write!(f, ": {}", self.what)
    }
}

/// A log that was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whose.
    pub tenant: TenantId,
    /// How many leaves it has.
    pub size: u64,
    /// How many heads it was compared with.
    pub heads: usize,
    /// How many events wait to be sealed.
    pub waiting: usize,
    /// What is wrong; nothing if all is well.
    pub findings: Vec<Finding>,
}

/// A root that the tree must have at a size, and who says so.
struct Expected {
    size: u64,
    root: Hash,
    of: String,
}

impl Muster {
    /// Verifies every log from the leaf number `since` on, and one that has not grown so long as a whole, against the heads in the database and the `retained` ones.
    pub fn verify_log(&self, since: u64, retained: &[Head]) -> Result<Vec<Verified>, Error> {
        let store = &self.0.store;
        let mut tenants = store.read_blocking(|tx| Ok::<_, Error>(store::audit::tenants(tx)?))?;
        tenants.extend(retained.iter().map(|head| head.tenant));
        tenants.sort_unstable();
        tenants.dedup();
        let verify = |tenant| self.verify_one(tenant, since, retained);
        tenants.into_iter().map(verify).collect()
    }

    fn verify_one(
        &self,
        tenant: TenantId,
        since: u64,
        retained: &[Head],
    ) -> Result<Verified, Error> {
        let store = &self.0.store;
        // Read before the leaves: a log that grows meanwhile has more of them, not fewer.
        let (horizon, stored) = store.read_blocking(|tx| {
            let horizon = store::log::horizon(tx)?;
            Ok::<_, Error>((horizon, store::log::heads(tx, tenant, 0)?))
        })?;
        let own = retained.iter().filter(|head| head.tenant == tenant);
        let known = stored.iter().chain(own.clone()).map(|head| head.size).max();
        // A log that never was so long has nothing before that could be taken as it is: it is verified whole.
        let is_so_long = known >= Some(since) || self.grown(tenant) >= since;
        let since = if is_so_long { since } else { 0 };
        let heads = stored
            .iter()
            .map(|head| (head, "in the database"))
            .chain(own.map(|head| (head, "that was retained")));
        let mut walk = Walk::new(store, tenant);
        let mut expected = Vec::new();
        for (head, from) in heads.filter(|(head, _)| head.size >= since) {
            if self.0.log_key.has_signed(head) {
                expected.push(Expected {
                    size: head.size,
                    root: head.root,
                    of: format!("the head of size {} {from}, signed {}", head.size, head.at),
                });
            } else {
                let what = format!(
                    "the head of size {} {from} has a wrong signature",
                    head.size
                );
                walk.find(None, None, what);
            }
        }
        let heads = expected.len();
        walk.hold_to(expected)?;
        walk.run(since)?;
        // Of a part of the log it cannot be told what is entered beside it.
        if since == 0 && walk.findings.is_empty() {
            walk.findings = shown::invented(store, tenant)?;
        }
        let waiting = walk.unsealed(horizon)?;
        Ok(Verified {
            tenant,
            size: walk.size,
            heads,
            waiting,
            findings: walk.findings,
        })
    }

    /// The size of a log by its stored frontier; none if that is damaged, of which the walk tells.
    fn grown(&self, tenant: TenantId) -> u64 {
        let tree = self
            .0
            .store
            .read_blocking(|tx| store::log::tree(tx, tenant));
        tree.map_or(0, |tree| tree.size())
    }

    /// A tenant's log from a position on, each line with its position, its hash, the bytes that are hashed, and the event.
    pub fn export_log(&self, tenant: &str, from: u64) -> Result<Vec<Value>, Error> {
        let page = self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok(Vec::new());
            };
            let page = store::audit::page(tx, tenant, from, PAGE.into())?;
            let rows = page.iter().filter_map(|leaf| leaf.row.as_ref());
            let places: Vec<i64> = rows.map(store::log::EntryRow::seq).collect();
            let told = store::event::at(tx, &places)?.into_iter().collect();
            Ok::<_, Error>(page.iter().map(|leaf| exported(leaf, &told)).collect())
        })?;
        Ok(page)
    }
}

fn exported(leaf: &Sealed, told: &HashMap<i64, Value>) -> Value {
    let bytes = leaf.row.as_ref().map(|row| row.entry().bytes());
    let body = leaf.row.as_ref().and_then(|row| told.get(&row.seq()));
    json!({
        "position": leaf.position,
        "id": event_id(&leaf.event).to_string(),
        "hash": leaf.hash.map(|hash| encoded(&hash)),
        "leaf": bytes.map(|bytes| encoded(&bytes)),
        "event": body,
    })
}

/// One log on the way from its first leaf to its last.
struct Walk<'a> {
    store: &'a Store,
    tenant: TenantId,
    tree: Frontier,
    /// Ordered by size, the next one last.
    expected: Vec<Expected>,
    findings: Vec<Finding>,
    /// The position after the last leaf.
    size: u64,
    /// The size at which the tree was last seen to be right.
    sound: u64,
    /// Since then: the first leaf that stands after one that was written later.
    disorder: Option<(u64, EventId)>,
    /// The first leaf since then.
    first: Option<EventId>,
    last_seq: i64,
    /// Whether the tree can still be what was signed.
    is_whole: bool,
}

impl<'a> Walk<'a> {
    fn new(store: &'a Store, tenant: TenantId) -> Self {
        Self {
            store,
            tenant,
            tree: Frontier::default(),
            expected: Vec::new(),
            findings: Vec::new(),
            size: 0,
            sound: 0,
            disorder: None,
            first: None,
            last_seq: 0,
            is_whole: true,
        }
    }

    fn find(&mut self, position: Option<u64>, event: Option<EventId>, what: impl Into<String>) {
        self.findings.push(Finding {
            tenant: self.tenant,
            position,
            event,
            what: what.into(),
        });
    }

    /// Notes what the tree must be: by the heads, and by its own frontier.
    fn hold_to(&mut self, heads: Vec<Expected>) -> Result<(), Error> {
        self.expected = heads;
        let tenant = self.tenant;
        let tree = self.store.read_blocking(|tx| store::log::tree(tx, tenant));
        match tree {
            Ok(tree) => self.expected.push(Expected {
                size: tree.size(),
                root: tree.root(),
                of: "its stored frontier".into(),
            }),
            Err(store::Error::Fault(what)) => self.find(None, None, what),
            Err(error) => return Err(error.into()),
        }
        self.expected
            .sort_by_key(|head| std::cmp::Reverse(head.size));
        Ok(())
    }

    fn run(&mut self, since: u64) -> Result<(), Error> {
        let tenant = self.tenant;
        let start = self.store.read_blocking(|tx| {
            Frontier::at(since, |level, number| {
                store::log::subtree(tx, tenant, level, number)
            })
        });
        match start {
            Ok(tree) => self.tree = tree,
            Err(store::Error::Fault(_)) => {
                self.find(
                    None,
                    None,
                    format!("what stands before position {since} is incomplete"),
                );
                self.is_whole = false;
            }
            Err(error) => return Err(error.into()),
        }
        (self.size, self.sound) = (since, since);
        self.expected.retain(|head| head.size >= since);
        self.compare();
        loop {
            let from = self.size;
            let page = self.store.read_blocking(|tx| {
                Ok::<_, Error>(store::audit::page(tx, tenant, from, PAGE.into())?)
            })?;
            let mut sound = Vec::new();
            for leaf in &page {
                let found = self.findings.len();
                self.leaf(leaf)?;
                if self.findings.len() >= MOST {
                    return Ok(());
                }
                if self.findings.len() == found {
                    sound.push(leaf);
                }
            }
            self.findings
                .extend(shown::missing(self.store, tenant, &sound)?);
            if page.len() < PAGE as usize {
                break;
            }
        }
        if let Some(cut) = self.expected.first().filter(|_| self.is_whole) {
            let what = format!("the log has been cut off here: {} covers more", cut.of);
            self.find(Some(self.size), None, what);
        }
        Ok(())
    }

    fn leaf(&mut self, leaf: &Sealed) -> Result<(), Error> {
        let event = event_id(&leaf.event);
        if leaf.position != self.size {
            let what = format!("the positions up to {} are missing", leaf.position - 1);
            self.find(Some(self.size), None, what);
            self.is_whole = false;
            self.size = leaf.position;
        }
        let now = leaf.row.as_ref().map(store::log::EntryRow::entry);
        if let Some(what) = wrong(leaf, now, self.tenant) {
            self.find(Some(leaf.position), Some(event), what);
        }
        self.first.get_or_insert(event);
        if leaf.seq < self.last_seq && self.disorder.is_none() {
            self.disorder = Some((leaf.position, event));
        }
        self.last_seq = leaf.seq;
        let mut tiles = Vec::new();
        let hash = leaf.hash.unwrap_or_default();
        self.tree.append(hash, |level, number, hash| {
            if level % TILE_LEVELS == 0 {
                tiles.push((level / TILE_LEVELS, number, *hash));
            }
        });
        self.size += 1;
        for (level, number, hash) in tiles {
            self.tile(level, number, hash)?;
        }
        self.compare();
        Ok(())
    }

    /// A subtree that is complete now, against the stored one.
    fn tile(&mut self, level: u32, number: u64, hash: Hash) -> Result<(), Error> {
        let tenant = self.tenant;
        let stored = self
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::audit::node(tx, tenant, level, number)?))?;
        if self.is_whole && stored != Some(hash) {
            let leaves = 1_u64 << (level * TILE_LEVELS);
            let what = format!(
                "the leaves from position {} on are not those of their stored tile",
                number * leaves
            );
            self.suspect(what);
        }
        Ok(())
    }

    /// The tree as it is now, against every head of its size.
    fn compare(&mut self) {
        while let Some(head) = self.expected.pop_if(|head| head.size <= self.size) {
            if !self.is_whole || head.size < self.size {
                continue;
            }
            if self.tree.root() == head.root {
                self.sound = self.size;
                (self.disorder, self.first) = (None, None);
            } else {
                self.suspect(format!(
                    "an event from position {} to {} was changed, removed, reordered or inserted after it had been sealed: \
                     the tree is not that of {}",
                    self.sound,
                    self.size.saturating_sub(1),
                    head.of
                ));
            }
        }
    }

    /// The tree is another. Where a leaf stands after one that was written later, that is the place; else all that is known
    /// is where it was last right.
    fn suspect(&mut self, what: String) {
        let place = match self.disorder {
            Some((position, event)) => (position, Some(event)),
            None => (self.sound, self.first),
        };
        self.find(Some(place.0), place.1, what);
        self.is_whole = false;
    }

    /// Events without a leaf: those behind the horizon will never get one. Answers how many wait.
    fn unsealed(&mut self, horizon: i64) -> Result<usize, Error> {
        let tenant = self.tenant;
        let unsealed = self
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::audit::unsealed(tx, tenant, PAGE.into())?))?;
        let (lost, waiting): (Vec<_>, Vec<_>) =
            unsealed.into_iter().partition(|(seq, _)| *seq <= horizon);
        for (_, id) in lost {
            self.find(
                None,
                Some(event_id(&id)),
                "it has no leaf: it was inserted behind the log's back, or its leaf was removed",
            );
        }
        Ok(waiting.len())
    }
}

/// What is wrong with a leaf, given what its event is now.
fn wrong(leaf: &Sealed, now: Option<Entry<'_>>, tenant: TenantId) -> Option<&'static str> {
    let Some(now) = now else {
        return Some("the event has been removed");
    };
    if now.id != leaf.event || now.tenant != tenant.0 {
        return Some("another event stands in its place");
    }
    (Some(now.hash()) != leaf.hash).then_some("the event has been changed, or its hash has")
}

fn event_id(bytes: &[u8]) -> EventId {
    EventId(Uuid::from_slice(bytes).unwrap_or_default())
}
