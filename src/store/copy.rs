//! A whole database, row by row, into an empty one of either kind: keys, log and its signed heads as they are. Nothing here knows
//! a table by its name but those that must be filled first; a table that is new tomorrow is copied too.

use std::collections::BTreeMap;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::Value;

use super::db::{Address, Db, Dialect, Purpose, on_both};
use super::error::Error;
use super::migration;
use super::sql_nodes::Fragment;

/// Tables that others refer to, in this order, before all others.
const FIRST: [&str; 3] = ["tenant", "resource", "idempotency"];
/// What migrations themselves have written.
const SEEDED: &str = "log_horizon";
/// Where diesel keeps which migrations were applied.
const MIGRATIONS: &str = "__diesel_schema_migrations";
/// So many rows are written at once, if they do not have too many values.
const ROWS: usize = 200;
const VALUES: usize = 10_000;

/// How many rows of each table were copied.
pub type Copied = BTreeMap<String, u64>;

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    Bool,
    Bytes,
}

struct Column {
    name: String,
    kind: Kind,
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Typed {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Copies all that the database at `from` holds, as of one moment, into the one at `to`, which must be empty or not there yet.
/// `told` hears of each table when it begins. All of it is there in the end, or nothing.
///
/// # Errors
/// When `from` was last used by another version, when `to` is not empty, or when either cannot be reached.
pub fn copy(from: &Address, to: &Address, told: &mut dyn FnMut(&str)) -> Result<Copied, Error> {
    let mut source = from.as_it_is().reconnect(Purpose::Read)?;
    migration::apply(to)?;
    let mut target = to.reconnect(Purpose::Write)?;
    for db in [&mut source, &mut target] {
        if let Db::Postgres(connection) = db {
            // It takes as long as it takes.
            connection.batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0",
            )?;
        }
    }
    source.run(match source.dialect() {
        Dialect::Sqlite => "BEGIN",
        Dialect::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    })?;
    check_versions(&mut source, &mut target)?;
    target.run("BEGIN")?;
    let mut copied = Copied::new();
    for table in tables(&mut target)? {
        told(&table);
        let count = copy_table(&mut source, &mut target, &table)?;
        copied.insert(table, count);
    }
    number_on(&mut target)?;
    target.run("COMMIT")?;
    target.run("ANALYZE")?;
    Ok(copied)
}

/// The tables, in the order in which they are filled.
fn tables(db: &mut Db) -> Result<Vec<String>, Error> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        }
        Dialect::Postgres => {
            "SELECT cast(tablename AS text) AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
        }
    };
    let found: Vec<Named> = diesel::sql_query(sql).load(db)?;
    let mut tables: Vec<String> = found.into_iter().map(|table| table.name).collect();
    tables.retain(|table| table != MIGRATIONS);
    tables.sort_by_key(|table| {
        let place = FIRST.iter().position(|first| first == table);
        place.unwrap_or(FIRST.len())
    });
    Ok(tables)
}

fn columns(db: &mut Db, table: &str) -> Result<Vec<Column>, Error> {
    let sql = match db.dialect() {
        Dialect::Sqlite => {
            format!(
                "SELECT name, lower(type) AS kind FROM pragma_table_info('{table}') ORDER BY name"
            )
        }
        Dialect::Postgres => format!(
            "SELECT cast(column_name AS text) AS name, cast(data_type AS text) AS kind FROM information_schema.columns \
             WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY 1"
        ),
    };
    let found: Vec<Typed> = diesel::sql_query(sql).load(db)?;
    let column = |one: Typed| {
        let kind = match one.kind.as_str() {
            "bigint" | "integer" | "smallint" => Kind::Number,
            "text" => Kind::Text,
            "boolean" => Kind::Bool,
            "blob" | "bytea" => Kind::Bytes,
            other => return Err(Error::Fault(format!("{table}.{} is {other}", one.name))),
        };
        Ok(Column {
            name: one.name,
            kind,
        })
    };
    found.into_iter().map(column).collect()
}

/// Both must have the tables of this very version, and the target nothing in them.
fn check_versions(source: &mut Db, target: &mut Db) -> Result<(), Error> {
    let applied = |db: &mut Db| {
        let sql = format!("SELECT cast(version AS text) AS name FROM {MIGRATIONS} ORDER BY 1");
        let found: Result<Vec<Named>, _> = diesel::sql_query(sql).load(db);
        found.map(|found| found.into_iter().map(|one| one.name).collect::<Vec<_>>())
    };
    if applied(source)? != applied(target)? {
        return Err(Error::Address(
            "the source has the tables of another version of muster: start this version on it once"
                .into(),
        ));
    }
    for table in tables(target)? {
        let sql = format!("SELECT count(*) AS n FROM (SELECT 1 FROM {table} LIMIT 1) AS one_row");
        let found: Count = diesel::sql_query(sql).get_result(target)?;
        if found.n > 0 && table != SEEDED {
            return Err(Error::Address(format!(
                "the target is not empty: it has rows in {table}; name a database without any"
            )));
        }
    }
    Ok(())
}

fn copy_table(source: &mut Db, target: &mut Db, table: &str) -> Result<u64, Error> {
    let columns = columns(target, table)?;
    if table == SEEDED {
        diesel::sql_query(format!("DELETE FROM {SEEDED}")).execute(target)?;
    }
    let most = ROWS.min(VALUES / columns.len().max(1));
    let (mut rows, mut count) = (Vec::new(), 0);
    let select = select(source.dialect(), table, &columns);
    each_line(source, &select, |line| {
        let row: Vec<Value> = serde_json::from_str(line)
            .map_err(|error| Error::Fault(format!("a row of {table}: {error}")))?;
        rows.push(row);
        count += 1;
        if rows.len() == most {
            insert(target, table, &columns, &std::mem::take(&mut rows))?;
        }
        Ok(())
    })?;
    if !rows.is_empty() {
        insert(target, table, &columns, &rows)?;
    }
    Ok(count)
}

/// A query of all rows, each as a JSON array of its values; bytes are in hexadecimal.
fn select(dialect: Dialect, table: &str, columns: &[Column]) -> String {
    let value = |column: &Column| {
        let name = &column.name;
        match (column.kind, dialect) {
            (Kind::Bytes, Dialect::Postgres) => format!("encode(\"{name}\", 'hex')"),
            // Its hex() makes an empty text of nothing.
            (Kind::Bytes, Dialect::Sqlite) => {
                format!("CASE WHEN \"{name}\" IS NOT NULL THEN hex(\"{name}\") END")
            }
            _ => format!("\"{name}\""),
        }
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    let values = values.join(", ");
    match dialect {
        Dialect::Sqlite => format!("SELECT json_array({values}) AS line FROM {table}"),
        Dialect::Postgres => {
            format!("SELECT cast(json_build_array({values}) AS text) AS line FROM {table}")
        }
    }
}

/// Row by row: a table may be larger than memory.
fn each_line(
    db: &mut Db,
    sql: &str,
    visit: impl FnMut(&str) -> Result<(), Error>,
) -> Result<(), Error> {
    fn walk<E>(
        lines: impl Iterator<Item = Result<Line, E>>,
        mut visit: impl FnMut(&str) -> Result<(), Error>,
    ) -> Result<(), Error>
    where
        Error: From<E>,
    {
        for line in lines {
            visit(&line?.line)?;
        }
        Ok(())
    }
    let query = diesel::sql_query(sql);
    match db {
        Db::Sqlite(connection) => walk(
            query.load_iter::<Line, DefaultLoadingMode>(connection)?,
            visit,
        ),
        Db::Postgres(connection) => walk(
            query.load_iter::<Line, PgRowByRowLoadingMode>(connection)?,
            visit,
        ),
    }
}

fn insert(db: &mut Db, table: &str, columns: &[Column], rows: &[Vec<Value>]) -> Result<(), Error> {
    let names: Vec<String> = columns
        .iter()
        .map(|one| format!("\"{}\"", one.name))
        .collect();
    let mut statement = Fragment::<BigInt>::new();
    statement.sql(&format!(
        "INSERT INTO {table} ({}) VALUES ",
        names.join(", ")
    ));
    for (n, row) in rows.iter().enumerate() {
        statement.sql(if n > 0 { ", (" } else { "(" });
        for (n, (column, value)) in columns.iter().zip(row).enumerate() {
            if n > 0 {
                statement.sql(", ");
            }
            put(&mut statement, column, value)
                .ok_or_else(|| Error::Fault(format!("{table}.{} holds {value}", column.name)))?;
        }
        statement.sql(")");
    }
    let statement = statement.whole::<BigInt>();
    on_both!(db, connection => statement.execute(connection))?;
    Ok(())
}

/// A value as a literal or bound; nothing if it is not of the column's kind.
fn put(statement: &mut Fragment<BigInt>, column: &Column, value: &Value) -> Option<()> {
    match column.kind {
        _ if value.is_null() => statement.sql("NULL"),
        Kind::Number => statement.number(value.as_i64()?),
        Kind::Text => statement.text(value.as_str()?),
        Kind::Bytes => statement.bytes(hex::decode(value.as_str()?).ok()?),
        Kind::Bool => {
            let is = value.as_bool().or_else(|| Some(value.as_i64()? != 0))?;
            statement.sql(if is { "TRUE" } else { "FALSE" })
        }
    };
    Some(())
}

/// PostgreSQL numbers new rows by counters of their own: they go on behind what was copied.
fn number_on(db: &mut Db) -> Result<(), Error> {
    let Db::Postgres(connection) = db else {
        return Ok(());
    };
    let sql = "SELECT cast(table_name AS text) AS name, cast(column_name AS text) AS kind FROM information_schema.columns \
               WHERE table_schema = current_schema() AND is_identity = 'YES'";
    let counted: Vec<Typed> = diesel::sql_query(sql).load(connection)?;
    for Typed { name, kind } in counted {
        let next = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', '{kind}'), greatest(coalesce(max({kind}), 0), 1), \
             max({kind}) IS NOT NULL) FROM {name}"
        );
        connection.batch_execute(&next)?;
    }
    Ok(())
}
