//! The sequencer: gives each committed event its gapless position in the log of its tenant, and its leaf in the tree.
//!
//! The keys of `log_leaf` make it exact: a position is taken once, and an event gets one. Within a batch the order is that of
//! insertion. On SQLite a batch is part of the commit that its events are of; on PostgreSQL `sealer` does it after.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types as sql;
use diesel::{PgConnection, SqliteConnection};

use super::db::{Dialect, on_both};
use super::schema::{log_head, log_horizon, log_leaf, log_node, log_tree};
use super::sql_types::{instant, micros};
use super::{Error, Tx};
use crate::domain::log::head::Head;
use crate::domain::log::tree::{Frontier, complete};
use crate::domain::log::{Entry, Hash};
use crate::id::TenantId;

/// The most events that are sealed at a time.
const BATCH: usize = 512;
/// A tile holds the hashes of 2^8 subtrees.
const TILE: u32 = 8;

/// Everything of an event that is hashed.
pub(super) type EntrySql = (
    sql::BigInt,
    sql::Binary,
    sql::Integer,
    sql::Text,
    sql::Text,
    sql::Binary,
    sql::Nullable<sql::BigInt>,
    sql::BigInt,
    sql::Text,
    sql::Text,
    sql::SmallInt,
    sql::Text,
    sql::Binary,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Binary>,
    sql::Nullable<sql::Binary>,
);

/// An event as its row is.
#[derive(Clone, Debug, Queryable)]
pub struct EntryRow {
    seq: i64,
    id: Vec<u8>,
    tenant: i32,
    kind: String,
    resource_type: String,
    resource: Vec<u8>,
    version: Option<i64>,
    recorded: i64,
    client: String,
    correlation: String,
    format: i16,
    key_id: String,
    body: Vec<u8>,
    purpose: Option<String>,
    attributes: Option<String>,
    person: Option<Vec<u8>>,
    application: Option<Vec<u8>>,
}

impl EntryRow {
    /// Its place in the order of insertion.
    #[must_use]
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// What is hashed of it.
    #[must_use]
    pub fn entry(&self) -> Entry<'_> {
        Entry {
            seq: self.seq,
            id: &self.id,
            tenant: self.tenant,
            kind: &self.kind,
            resource_type: &self.resource_type,
            resource: &self.resource,
            version: self.version,
            recorded: self.recorded,
            client: &self.client,
            correlation: &self.correlation,
            format: self.format,
            key_id: &self.key_id,
            body: &self.body,
            purpose: self.purpose.as_deref(),
            attributes: self.attributes.as_deref(),
            person: self.person.as_deref(),
            application: self.application.as_deref(),
        }
    }
}

/// The oldest events beyond the horizon that have no leaf yet. (Written out: SQLite prepares a statement with a bound LIMIT
/// anew each time; and the second look at the horizon keeps PostgreSQL from reading all of the leaves.)
#[derive(Clone, Copy)]
struct Unsealed;

impl<DB: Backend> QueryFragment<DB> for Unsealed {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(
            "SELECT e.seq, e.id, e.tenant, e.type, e.resource_type, e.resource, e.version, e.recorded, e.client, \
             e.correlation, e.format, e.key_id, e.body, e.purpose, e.attributes, e.person, e.application FROM event e \
             WHERE e.seq > (SELECT h.seq FROM log_horizon h WHERE h.id = 1) AND NOT EXISTS (\
               SELECT 1 FROM log_leaf l WHERE l.seq = e.seq \
               AND l.seq > (SELECT h.seq FROM log_horizon h WHERE h.id = 1)) \
             ORDER BY e.seq LIMIT ",
        );
        out.push_sql(&BATCH.to_string());
        Ok(())
    }
}
impl Query for Unsealed {
    type SqlType = EntrySql;
}
impl QueryId for Unsealed {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl RunQueryDsl<PgConnection> for Unsealed {}
impl RunQueryDsl<SqliteConnection> for Unsealed {}

#[derive(Clone, Insertable)]
#[diesel(table_name = log_leaf)]
struct LeafRow {
    tenant: i32,
    position: i64,
    seq: i64,
    event: Vec<u8>,
    hash: Vec<u8>,
}

#[derive(Clone, Insertable)]
#[diesel(table_name = log_node)]
struct NodeRow {
    tenant: i32,
    level: i16,
    position: i64,
    hash: Vec<u8>,
}

/// Gives the oldest unsealed events, at most [`BATCH`], their leaves. If there may be more, answers up to where all that is
/// to be seen has one now.
pub(super) fn seal(tx: &mut Tx<'_>) -> Result<Option<i64>, Error> {
    let unsealed: Vec<EntryRow> =
        on_both!(tx.db(), connection => Unsealed.load(connection)).map_err(|e| tx.explain(e))?;
    let Some(last) = unsealed.last().map(|row| row.seq) else {
        return Ok(None);
    };
    let mut trees: BTreeMap<i32, (u64, Frontier)> = BTreeMap::new();
    let (mut leaves, mut nodes) = (Vec::with_capacity(unsealed.len()), Vec::new());
    for row in &unsealed {
        let tenant = row.tenant;
        let (_, tree) = match trees.entry(tenant) {
            Slot::Occupied(known) => known.into_mut(),
            Slot::Vacant(slot) => {
                let tree = tree(tx, TenantId(tenant))?;
                slot.insert((tree.size(), tree))
            }
        };
        let hash = row.entry().hash();
        leaves.push(LeafRow {
            tenant,
            position: number(tree.size()),
            seq: row.seq,
            event: row.id.clone(),
            hash: hash.to_vec(),
        });
        tree.append(hash, |level, position, hash| {
            if level % TILE == 0 {
                nodes.push(NodeRow {
                    tenant,
                    level: i16::try_from(level / TILE).unwrap_or(i16::MAX),
                    position: number(position),
                    hash: hash.to_vec(),
                });
            }
        });
    }
    insert(tx, leaves, nodes)?;
    for (tenant, (before, tree)) in trees {
        grow(tx, tenant, before, &tree)?;
    }
    // Elsewhere an event that came earlier may be committed later.
    if tx.dialect() == Dialect::Sqlite {
        advance(tx, last)?;
    }
    Ok((unsealed.len() == BATCH).then_some(last))
}

fn insert(tx: &mut Tx<'_>, leaves: Vec<LeafRow>, nodes: Vec<NodeRow>) -> Result<(), Error> {
    if tx.dialect() == Dialect::Postgres {
        on_both!(tx.db(), connection => diesel::insert_into(log_leaf::table)
            .values(&leaves)
            .execute(connection))
        .map_err(|error| tx.explain(error))?;
    } else {
        // One by one: the statement stays prepared.
        for leaf in leaves {
            let done = diesel::insert_into(log_leaf::table).values(leaf);
            done.execute(tx.db()).map_err(|error| tx.explain(error))?;
        }
    }
    for node in nodes {
        let done = diesel::insert_into(log_node::table).values(node);
        done.execute(tx.db()).map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Keeps a tree that has grown; whoever has grown it meanwhile was faster.
fn grow(tx: &mut Tx<'_>, tenant: i32, before: u64, tree: &Frontier) -> Result<(), Error> {
    let (size, peaks) = (number(tree.size()), tree.to_bytes());
    let done = if before == 0 {
        diesel::insert_into(log_tree::table)
            .values((
                log_tree::tenant.eq(tenant),
                log_tree::size.eq(size),
                log_tree::peaks.eq(peaks),
            ))
            .execute(tx.db())
    } else {
        diesel::update(
            log_tree::table
                .filter(log_tree::tenant.eq(tenant))
                .filter(log_tree::size.eq(number(before))),
        )
        .set((log_tree::size.eq(size), log_tree::peaks.eq(peaks)))
        .execute(tx.db())
    };
    match done.map_err(|error| tx.explain(error))? {
        1 => Ok(()),
        _ => Err(tx.lose()),
    }
}

/// Notes that every event up to `seq` has its leaf, and that none will come before it.
pub(super) fn advance(tx: &mut Tx<'_>, seq: i64) -> Result<(), Error> {
    diesel::update(log_horizon::table.filter(log_horizon::seq.lt(seq)))
        .set(log_horizon::seq.eq(seq))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// How far it is known that all is sealed, and that nothing will come before.
pub fn horizon(tx: &mut Tx<'_>) -> Result<i64, Error> {
    log_horizon::table
        .select(log_horizon::seq)
        .first(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Whether SQLite's writer has left events for later.
pub fn has_backlog(tx: &mut Tx<'_>) -> Result<bool, Error> {
    use super::schema::event;
    let newest: Option<i64> = event::table
        .select(event::seq)
        .order(event::seq.desc())
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(newest > Some(horizon(tx)?))
}

/// A tenant's tree: its size and its frontier.
pub fn tree(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Frontier, Error> {
    let row: Option<(i64, Vec<u8>)> = log_tree::table
        .filter(log_tree::tenant.eq(tenant.0))
        .select((log_tree::size, log_tree::peaks))
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    let Some((size, peaks)) = row else {
        return Ok(Frontier::default());
    };
    Frontier::from_bytes(count(size), &peaks)
        .ok_or_else(|| Error::Fault("the frontier of the log is damaged".into()))
}

/// The root of a complete subtree of a tenant's tree, from the tile that its hashes are in.
pub fn subtree(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    level: u32,
    position: u64,
) -> Result<Hash, Error> {
    let (tier, within) = (level / TILE, level % TILE);
    let (from, until) = (position << within, (position + 1) << within);
    let hashes: Vec<Vec<u8>> = if tier == 0 {
        log_leaf::table
            .filter(log_leaf::tenant.eq(tenant.0))
            .filter(log_leaf::position.ge(number(from)))
            .filter(log_leaf::position.lt(number(until)))
            .order(log_leaf::position)
            .select(log_leaf::hash)
            .load(tx.db())
    } else {
        log_node::table
            .filter(log_node::tenant.eq(tenant.0))
            .filter(log_node::level.eq(i16::try_from(tier).unwrap_or(i16::MAX)))
            .filter(log_node::position.ge(number(from)))
            .filter(log_node::position.lt(number(until)))
            .order(log_node::position)
            .select(log_node::hash)
            .load(tx.db())
    }
    .map_err(|error| tx.explain(error))?;
    let hashes: Option<Vec<Hash>> = hashes.iter().map(|hash| read_hash(hash)).collect();
    match hashes {
        Some(hashes) if hashes.len() as u64 == until - from => Ok(complete(&hashes)),
        _ => Err(Error::Fault("a tile of the log is damaged".into())),
    }
}

/// Where an event stands in its tenant's log, and its leaf; nothing if it is not sealed, or there is none.
pub fn find(tx: &mut Tx<'_>, tenant: TenantId, id: &[u8]) -> Result<Option<(u64, Hash)>, Error> {
    use super::schema::event;
    let seq: Option<i64> = event::table
        .filter(event::id.eq(id))
        .filter(event::tenant.eq(tenant.0))
        .select(event::seq)
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    let Some(seq) = seq else { return Ok(None) };
    let leaf: Option<(i64, Vec<u8>)> = log_leaf::table
        .filter(log_leaf::seq.eq(seq))
        .select((log_leaf::position, log_leaf::hash))
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(leaf.and_then(|(position, hash)| Some((count(position), read_hash(&hash)?))))
}

/// The tenants whose trees have grown beyond their last signed heads.
pub fn unsigned(tx: &mut Tx<'_>) -> Result<Vec<(TenantId, Frontier)>, Error> {
    let trees: Vec<(i32, i64)> = log_tree::table
        .select((log_tree::tenant, log_tree::size))
        .order(log_tree::tenant)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let mut grown = Vec::new();
    for (tenant, size) in trees {
        let tenant = TenantId(tenant);
        let signed = newest_head(tx, tenant)?.map_or(0, |head| head.size);
        if count(size) > signed {
            grown.push((tenant, tree(tx, tenant)?));
        }
    }
    Ok(grown)
}

type HeadRow = (i32, i64, Vec<u8>, i64, Vec<u8>);

/// A stored head; one whose hashes are of another length is as good as one that nobody signed.
fn head((tenant, size, root, at, signature): HeadRow) -> Head {
    Head {
        tenant: TenantId(tenant),
        size: count(size),
        root: read_hash(&root).unwrap_or_default(),
        at: instant(at),
        signature: signature.try_into().unwrap_or([0; 64]),
    }
}

/// The newest signed head of a tenant's log.
pub fn newest_head(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Option<Head>, Error> {
    let row: Option<HeadRow> = log_head::table
        .filter(log_head::tenant.eq(tenant.0))
        .order(log_head::size.desc())
        .first(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))?;
    Ok(row.map(head))
}

/// All signed heads of a tenant's log beyond a size, the smallest first.
pub fn heads(tx: &mut Tx<'_>, tenant: TenantId, beyond: u64) -> Result<Vec<Head>, Error> {
    let rows: Vec<HeadRow> = log_head::table
        .filter(log_head::tenant.eq(tenant.0))
        .filter(log_head::size.gt(number(beyond)))
        .order(log_head::size)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().map(head).collect())
}

/// Keeps a head; whether it is new.
pub fn insert_head(tx: &mut Tx<'_>, head: &Head) -> Result<bool, Error> {
    let values = (
        log_head::tenant.eq(head.tenant.0),
        log_head::size.eq(number(head.size)),
        log_head::root.eq(head.root.to_vec()),
        log_head::at.eq(micros(head.at)),
        log_head::signature.eq(head.signature.to_vec()),
    );
    let done = on_both!(tx.db(), connection => diesel::insert_into(log_head::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(connection));
    done.map(|rows| rows == 1)
        .map_err(|error| tx.explain(error))
}

pub(super) fn read_hash(bytes: &[u8]) -> Option<Hash> {
    bytes.try_into().ok()
}

/// A position or a size as it is stored.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored position or size.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
