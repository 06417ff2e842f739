//! A new record on PostgreSQL: all of its rows in one statement, which is one round trip instead of nine.

use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text};

use super::Error;
use super::event::EventRow;
use super::rest::Seal;
use super::sql_types::micros;
use super::values::{Columns, Fresh};
use crate::domain::claim::SourceRecord;

/// The row of the record itself.
pub(super) struct ResourceValues<'a> {
    pub(super) tenant: i32,
    pub(super) uuid: Vec<u8>,
    pub(super) kind: i16,
    pub(super) account: bool,
    /// When it was made, which is when it was last changed too.
    pub(super) at: i64,
    pub(super) document: String,
    pub(super) display: Option<&'a str>,
    pub(super) members: i64,
}

/// What its sources say, a column each.
#[derive(Default)]
pub(super) struct Sources<'a> {
    systems: Vec<&'a str>,
    external_ids: Vec<Option<&'a str>>,
    first_seen: Vec<i64>,
    last_synced: Vec<i64>,
    claims: Vec<String>,
}

/// All rows of a new record but those of its members.
struct Newcomer<'a> {
    resource: &'a ResourceValues<'a>,
    sources: Sources<'a>,
    index: Columns<'a>,
    unique_paths: Vec<i32>,
    unique_values: Vec<&'a str>,
    /// Its data key, wrapped, if it is a person; nothing otherwise.
    data_keys: Vec<&'a [u8]>,
    event: &'a EventRow,
}

/// Inserts the rows; the record's number.
pub(super) fn insert(
    connection: &mut PgConnection,
    resource: &ResourceValues<'_>,
    sources: Sources<'_>,
    fresh: &Fresh,
    (data_key, event): (Option<&[u8]>, &EventRow),
) -> Result<i64, diesel::result::Error> {
    let newcomer = Newcomer {
        resource,
        sources,
        index: Columns::of(fresh.rows.iter(), &fresh.row_paths),
        unique_paths: fresh.uniques.iter().map(|(path, _)| *path).collect(),
        unique_values: fresh.uniques.iter().map(|(_, value)| &**value).collect(),
        data_keys: data_key.into_iter().collect(),
        event,
    };
    newcomer.get_result(connection)
}

impl QueryFragment<Pg> for Newcomer<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let resource = self.resource;
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
        self.sources.walk(&mut out)?;
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
        self.event.walk_insert(&mut out)?;
        out.push_sql(") SELECT id FROM made");
        Ok(())
    }
}

impl<'a> Sources<'a> {
    /// Those, for a record whose seal this is.
    pub(super) fn of(sources: &'a [SourceRecord], seal: &Seal) -> Result<Self, Error> {
        let mut said = Self::default();
        for source in sources {
            said.systems.push(&source.system);
            said.external_ids.push(source.external_id.as_deref());
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

impl Query for Newcomer<'_> {
    type SqlType = BigInt;
}
// The text never varies: a connection finds its prepared statement by the type.
impl QueryId for Newcomer<'_> {
    type QueryId = Newcomer<'static>;
}
impl RunQueryDsl<PgConnection> for Newcomer<'_> {}
