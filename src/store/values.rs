//! A record's rows of the attribute index and of the table of unique values: only what differs is touched, many rows in one
//! statement.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::{PgConnection, SqliteConnection};

use super::db::{Db, on_both};
use super::schema::{attribute_index, unique_beside, unique_value};
use super::sql_nodes::Fragment;
use super::{Error, Tx, attribute_path};
use crate::domain::event::Change;
use crate::domain::index::{self, Row, Unique};
use crate::domain::record::{Folded, Kind, Leaves};
use crate::domain::secrets::Secrets;
use crate::domain::view::Specs;
use crate::id::TenantId;

/// Rows in one statement, far below the bind limits of both databases.
pub(super) const BATCH: usize = 1000;

/// Puts one unique value on a connection of either type.
macro_rules! put_unique {
    ($connection:expr, $unique:expr, $record:expr) => {{
        let (tenant, path, value): (i32, i32, &str) = $unique;
        diesel::insert_into(unique_value::table)
            .values((
                unique_value::tenant.eq(tenant),
                unique_value::path.eq(path),
                unique_value::value.eq(value),
                unique_value::resource.eq($record),
            ))
            .execute($connection)
            .map(drop)
    }};
}

/// The rows of a new record, their paths interned.
pub(super) struct Fresh {
    pub(super) rows: Vec<Row>,
    /// The path of each of `rows`.
    pub(super) row_paths: Vec<i32>,
    /// Path and value of each unique value.
    pub(super) uniques: Vec<(i32, String)>,
}

impl Fresh {
    pub(super) fn of(
        tx: &mut Tx<'_>,
        specs: &Specs,
        (tenant, kind): (TenantId, Kind),
        (leaves, secrets): (&Leaves, &Secrets),
    ) -> Result<Self, Error> {
        let mut rows = Vec::new();
        for row in index::rows(specs, leaves, secrets) {
            let path = attribute_path::claim(tx, tenant, kind, &row.path)?;
            rows.push((path, row));
        }
        // In the order of the table's own key, so that each row is put behind the last one.
        rows.sort_unstable();
        let (row_paths, rows) = rows.into_iter().unzip();
        let mut uniques = Vec::new();
        for Unique { path, value } in index::uniques(specs, leaves) {
            uniques.push((attribute_path::claim(tx, tenant, kind, &path)?, value));
        }
        Ok(Self {
            rows,
            row_paths,
            uniques,
        })
    }

    /// Takes out the unique values which another record holds, of which its writer may not know: path and value of each.
    pub(super) fn set_aside(
        &mut self,
        tx: &mut Tx<'_>,
        specs: &Specs,
        (tenant, kind): (TenantId, Kind),
        (leaves, withheld): (&Leaves, &[Change]),
    ) -> Result<Vec<(i32, String)>, Error> {
        let mut aside = Vec::new();
        for Unique { path, value } in index::withheld(specs, leaves, withheld) {
            aside.push((attribute_path::claim(tx, tenant, kind, &path)?, value));
        }
        self.uniques.retain(|unique| !aside.contains(unique));
        Ok(aside)
    }

    /// Puts them into SQLite by statements that stay prepared.
    pub(super) fn put(
        &self,
        connection: &mut SqliteConnection,
        tenant: i32,
        record: i64,
    ) -> QueryResult<()> {
        put_each(connection, record, self.rows.iter().zip(&self.row_paths))?;
        self.uniques
            .iter()
            .try_for_each(|(path, value)| put_unique!(connection, (tenant, *path, value), record))
    }
}

/// Some rows a statement, and the last ones by themselves.
fn put_each<'r>(
    connection: &mut SqliteConnection,
    record: i64,
    rows: impl Iterator<Item = (&'r Row, &'r i32)>,
) -> QueryResult<()> {
    let rows: Vec<(&Row, &i32)> = rows.collect();
    let (some, last) = rows.as_chunks();
    for rows in some {
        Some16 { record, rows }.execute(connection)?;
    }
    last.iter().try_for_each(|(row, path)| {
        diesel::insert_into(attribute_index::table)
            .values((
                attribute_index::resource.eq(record),
                attribute_index::path.eq(path),
                attribute_index::element.eq(row.element),
                attribute_index::value.eq(&row.value),
                attribute_index::whole.eq(&row.whole),
            ))
            .execute(connection)
            .map(drop)
    })
}

/// Notes that a record has these values, by their paths, beside their holders.
pub(super) fn put_beside(
    tx: &mut Tx<'_>,
    (tenant, record): (TenantId, i64),
    values: &[(i32, String)],
) -> Result<(), Error> {
    for (path, value) in values {
        let row = (
            unique_beside::tenant.eq(tenant.0),
            unique_beside::path.eq(path),
            unique_beside::value.eq(value),
            unique_beside::resource.eq(record),
        );
        diesel::insert_into(unique_beside::table)
            .values(row)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Sixteen rows of the index of one record, on SQLite. Many rows of one statement cost it no less than one each, unless it need
/// not undo the first of them where a later one fails: whoever fails has all it did undone.
struct Some16<'a> {
    record: i64,
    rows: &'a [(&'a Row, &'a i32); 16],
}

impl QueryFragment<Sqlite> for Some16<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT OR FAIL INTO attribute_index (resource, path, element, value, whole) VALUES ",
        );
        for (n, (row, path)) in self.rows.iter().enumerate() {
            out.push_sql(if n == 0 { "(" } else { "), (" });
            out.push_bind_param::<BigInt, _>(&self.record)?;
            out.push_sql(", ");
            out.push_bind_param::<Integer, _>(*path)?;
            out.push_sql(", ");
            out.push_bind_param::<Integer, _>(&row.element)?;
            out.push_sql(", ");
            out.push_bind_param::<Text, _>(&row.value)?;
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(&row.whole)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

// The text never varies: a connection finds its prepared statement by the type.
impl QueryId for Some16<'_> {
    type QueryId = Some16<'static>;
}
impl RunQueryDsl<SqliteConnection> for Some16<'_> {}

/// Brings the index and the unique values from what a record had to what it has, of which this is secret: only what differs is
/// touched. What is `withheld` it has beside its holder.
pub(super) fn put(
    tx: &mut Tx<'_>,
    specs: &Specs,
    record: &Folded,
    (after, secrets): (&Leaves, &Secrets),
    withheld: &[Change],
) -> Result<(), Error> {
    let before = &record.leaves;
    let old = index::rows(specs, before, &record.sealed);
    let new = index::rows(specs, after, secrets);
    let gone: Vec<&Row> = old.difference(&new).collect();
    remove_rows(tx, record, &gone)?;
    let fresh: Vec<&Row> = new.difference(&old).collect();
    put_rows(tx, record, &fresh)?;
    let (old, new) = (index::uniques(specs, before), index::uniques(specs, after));
    for Unique { path, value } in old.difference(&new) {
        let path = attribute_path::claim(tx, record.tenant, record.kind, path)?;
        remove_unique(tx, record, (path, value))?;
    }
    let aside = index::withheld(specs, after, withheld);
    for unique in new.difference(&old) {
        let Unique { path, value } = unique;
        let path = attribute_path::claim(tx, record.tenant, record.kind, path)?;
        if aside.contains(unique) {
            put_beside(tx, (record.tenant, record.row), &[(path, value.clone())])?;
            continue;
        }
        // A record has one or two: a statement each, which stays prepared.
        let unique = (record.tenant.0, path, &**value);
        on_both!(tx.db(), connection => put_unique!(connection, unique, record.row))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Takes a value from a record, whether it holds it or has it beside its holder.
fn remove_unique(
    tx: &mut Tx<'_>,
    record: &Folded,
    (path, value): (i32, &str),
) -> Result<(), Error> {
    let held = unique_value::table
        .find((record.tenant.0, path, value))
        .filter(unique_value::resource.eq(record.row));
    let count = diesel::delete(held)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    if count == 0 {
        let beside = unique_beside::table.find((record.tenant.0, path, value, record.row));
        diesel::delete(beside)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Takes rows out of the index, many in one statement.
fn remove_rows(tx: &mut Tx<'_>, record: &Folded, rows: &[&Row]) -> Result<(), Error> {
    for rows in rows.chunks(BATCH) {
        let mut gone = Fragment::<Bool>::new();
        // Not a join: PostgreSQL would compare each of the record's rows with each of these.
        gone.sql(
            "((attribute_index.path, attribute_index.element, attribute_index.value) IN (VALUES ",
        );
        for (n, row) in rows.iter().enumerate() {
            let path = attribute_path::claim(tx, record.tenant, record.kind, &row.path)?;
            let comma = if n == 0 { "" } else { ", " };
            gone.sql(&format!("{comma}({path}, {}, ", row.element))
                .text(row.value.as_str())
                .sql(")");
        }
        gone.sql(")) IS TRUE");
        let target = attribute_index::table
            .filter(attribute_index::resource.eq(record.row))
            .filter(gone);
        diesel::delete(target)
            .execute(tx.db())
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Puts rows into the index by statements that stay prepared, however many rows there are: SQLite takes some at a time,
/// PostgreSQL, where each would be a round trip, takes them as arrays.
fn put_rows(tx: &mut Tx<'_>, record: &Folded, rows: &[&Row]) -> Result<(), Error> {
    let mut paths = Vec::with_capacity(rows.len());
    for row in rows {
        paths.push(attribute_path::claim(
            tx,
            record.tenant,
            record.kind,
            &row.path,
        )?);
    }
    let result = match tx.db() {
        Db::Sqlite(connection) => {
            put_each(connection, record.row, rows.iter().copied().zip(&paths))
        }
        Db::Postgres(connection) => {
            rows.chunks(BATCH)
                .zip(paths.chunks(BATCH))
                .try_for_each(|(rows, paths)| {
                    let rows = IndexRows {
                        resource: record.row,
                        columns: Columns::of(rows.iter().copied(), paths),
                    };
                    rows.execute(connection).map(drop)
                })
        }
    };
    result.map_err(|error| tx.explain(error))
}

/// Rows of the index as arrays, one a column.
pub(super) struct Columns<'a> {
    paths: &'a [i32],
    elements: Vec<i32>,
    values: Vec<&'a str>,
    wholes: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    /// Of these rows, whose paths are interned so.
    pub(super) fn of(rows: impl Iterator<Item = &'a Row> + Clone, paths: &'a [i32]) -> Self {
        Self {
            paths,
            elements: rows.clone().map(|row| row.element).collect(),
            values: rows.clone().map(|row| &*row.value).collect(),
            wholes: rows.map(|row| row.whole.as_deref()).collect(),
        }
    }

    /// `unnest(…)`: path, element, value and whole of each row.
    pub(super) fn walk<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("unnest(");
        out.push_bind_param::<Array<Integer>, _>(self.paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.elements)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.values)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Text>>, _>(&self.wholes)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Rows of the index of one record.
struct IndexRows<'a> {
    resource: i64,
    columns: Columns<'a>,
}

impl QueryId for IndexRows<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryFragment<Pg> for IndexRows<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO attribute_index (resource, path, element, value, whole) SELECT ");
        out.push_bind_param::<BigInt, _>(&self.resource)?;
        out.push_sql(", * FROM ");
        self.columns.walk(&mut out)
    }
}

impl RunQueryDsl<PgConnection> for IndexRows<'_> {}
