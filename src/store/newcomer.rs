//! A new record on PostgreSQL: all of its rows in one statement, which is one round trip instead of nine. Those of creates
//! that share a transaction are written together ([`super::newcomers`]).

use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};

use super::db::Db;
use super::event::EventRow;
use super::rest::Seal;
use super::sql_types::micros;
use super::values::{Columns, Fresh};
use super::{Error, Tx};
use crate::domain::claim::SourceRecord;

/// The row of the record itself.
pub(super) struct ResourceValues {
    pub(super) tenant: i32,
    pub(super) uuid: Vec<u8>,
    pub(super) kind: i16,
    pub(super) account: bool,
    /// When it was made, which is when it was last changed too.
    pub(super) at: i64,
    pub(super) document: String,
    pub(super) display: Option<String>,
    pub(super) members: i64,
}

/// What its sources say, a column each.
#[derive(Default)]
pub(super) struct Sources {
    pub(super) systems: Vec<String>,
    pub(super) external_ids: Vec<Option<String>>,
    pub(super) first_seen: Vec<i64>,
    pub(super) last_synced: Vec<i64>,
    pub(super) claims: Vec<String>,
}

/// All rows of a new record but those of its members.
pub(super) struct Newcomer {
    /// Its number, where that was taken ahead.
    pub(super) row: Option<i64>,
    pub(super) resource: ResourceValues,
    pub(super) sources: Sources,
    pub(super) fresh: Fresh,
    /// Its data key, wrapped, if it is a person.
    pub(super) data_key: Option<Vec<u8>>,
    pub(super) event: EventRow,
}

/// Makes the record; its number. One whose number was taken ahead waits for others like it.
pub(super) fn put(tx: &mut Tx<'_>, mut newcomer: Newcomer) -> Result<i64, Error> {
    if let Some(row) = tx.gathered.next_row() {
        newcomer.row = Some(row);
        newcomer.event.name_key(row);
        tx.gathered.wait(newcomer);
        return Ok(row);
    }
    let Db::Postgres(connection) = tx.db() else {
        return Err(Error::Fault("SQLite takes each row by itself".into()));
    };
    let one = One {
        index: Columns::of(newcomer.fresh.rows.iter(), &newcomer.fresh.row_paths),
        unique_paths: newcomer
            .fresh
            .uniques
            .iter()
            .map(|(path, _)| *path)
            .collect(),
        unique_values: newcomer
            .fresh
            .uniques
            .iter()
            .map(|(_, value)| &**value)
            .collect(),
        data_keys: newcomer.data_key.as_deref().into_iter().collect(),
        newcomer: &newcomer,
    };
    one.get_result(connection)
        .map_err(|error| tx.explain(error))
}

/// A record on its way into the tables, by itself.
struct One<'a> {
    newcomer: &'a Newcomer,
    index: Columns<'a>,
    unique_paths: Vec<i32>,
    unique_values: Vec<&'a str>,
    /// One, or nothing.
    data_keys: Vec<&'a [u8]>,
}

impl QueryFragment<Pg> for One<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let resource = &self.newcomer.resource;
        out.push_sql(
            "WITH made AS (INSERT INTO resource \
             (tenant, uuid, kind, account, version, created, modified, modified_open, document, display, members) VALUES (",
        );
        out.push_bind_param::<Integer, _>(&resource.tenant)?;
        out.push_sql(", ");
        out.push_bind_param::<Binary, _>(&resource.uuid)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&resource.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&resource.account)?;
        out.push_sql(", 1, ");
        out.push_bind_param::<BigInt, _>(&resource.at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&resource.at)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&resource.at)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&resource.document)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(&resource.display)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&resource.members)?;
        out.push_sql(") RETURNING id), ");
        self.newcomer.sources.walk(&mut out)?;
        out.push_sql(
            "indexed AS (INSERT INTO attribute_index (resource, path, element, value, whole) \
             SELECT made.id, given.* FROM made, ",
        );
        self.index.walk(&mut out)?;
        out.push_sql(
            " AS given), uniques AS (INSERT INTO unique_value (path, value, tenant, resource) \
             SELECT given.path, given.value, ",
        );
        out.push_bind_param::<Integer, _>(&resource.tenant)?;
        out.push_sql(", made.id FROM made, unnest(");
        out.push_bind_param::<Array<Integer>, _>(&self.unique_paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.unique_values)?;
        out.push_sql(") AS given (path, value)), ");
        out.push_sql(
            "keyed AS (INSERT INTO person_key (resource, wrapped) SELECT made.id, given.* FROM made, unnest(",
        );
        out.push_bind_param::<Array<Binary>, _>(&self.data_keys)?;
        out.push_sql(") AS given), logged AS (");
        self.newcomer.event.walk_insert(&mut out)?;
        out.push_sql(") SELECT id FROM made");
        Ok(())
    }
}

impl Sources {
    /// Those, for a record whose seal this is.
    pub(super) fn of(sources: &[SourceRecord], seal: &Seal) -> Result<Self, Error> {
        let mut said = Self::default();
        for source in sources {
            said.systems.push(source.system.clone());
            said.external_ids.push(source.external_id.clone());
            said.first_seen.push(micros(source.first_seen));
            said.last_synced.push(micros(source.last_synced));
            said.claims.push(seal.claims(&source.claims)?);
        }
        Ok(said)
    }

    fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "sources AS (INSERT INTO source_record \
             (resource, origin, system, external_id, first_seen, last_synced, claims) \
             SELECT made.id, made.id, given.* FROM made, unnest(",
        );
        out.push_bind_param::<Array<Text>, _>(&self.systems)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.external_ids)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.first_seen)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.last_synced)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.claims)?;
        out.push_sql(") AS given), ");
        Ok(())
    }
}

impl Query for One<'_> {
    type SqlType = BigInt;
}
// The text never varies: a connection finds its prepared statement by the type.
impl QueryId for One<'_> {
    type QueryId = One<'static>;
}
impl RunQueryDsl<PgConnection> for One<'_> {}
