//! Many persons in little time: those that the server itself wrote are multiplied, row by row, in SQL.
//!
//! A person's own values all hold the person's token, so a copy with another token has exactly the rows that writing it
//! through the server would have made, but for the data key, which is made when the copy is first changed; [`super::seed`]
//! writes one more through the server and compares.

use std::fmt::Write;

use super::Failure;
use super::database::Link;
use super::people::{PLAIN, WRITTEN, token};

/// A person to be copied.
struct Template {
    row: i64,
    token: String,
    id: String,
    event: String,
}

/// Persons in one transaction.
const BATCH: usize = 9_000;

/// Adds the persons `from..to`.
pub(crate) fn multiply(link: &mut Link, from: usize, to: usize) -> Result<(), Failure> {
    if from >= to {
        return Ok(());
    }
    let templates = templates(link)?;
    set_apart(link, &templates)?;
    // Rows go in faster than into indexes, and one sort makes each of those again.
    let indexes = indexes(link)?;
    if !link.is_postgres() {
        link.run(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -500000; PRAGMA foreign_keys = OFF",
        )?;
    }
    for (name, _) in &indexes {
        link.run(&format!("DROP INDEX {name}"))?;
    }
    let binary = if link.is_postgres() { "BYTEA" } else { "BLOB" };
    link.run(&format!(
        "CREATE TEMPORARY TABLE copy (old BIGINT, row BIGINT PRIMARY KEY, old_token TEXT, token TEXT, old_id TEXT, id TEXT, \
         id_key {binary}, old_event TEXT, event TEXT, event_key {binary})"
    ))?;
    let mut row = maximum(
        link,
        "SELECT max(id) AS number, NULL AS bytes, NULL AS text FROM resource",
    )?;
    let mut next = from;
    while next < to {
        let end = to.min(next + BATCH);
        link.run("BEGIN")?;
        prepare(link, &templates, next..end, &mut row)?;
        copy(link)?;
        link.run("COMMIT")?;
        next = end;
    }
    link.run("DROP TABLE copy")?;
    count(link)?;
    for (_, sql) in &indexes {
        link.run(sql)?;
    }
    if link.is_postgres() {
        link.run("SELECT setval(pg_get_serial_sequence('resource', 'id'), (SELECT max(id) FROM resource))")?;
        link.run("VACUUM ANALYZE")?;
    } else {
        link.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
    }
    Ok(())
}

fn maximum(link: &mut Link, sql: &str) -> Result<i64, Failure> {
    let sql = if link.is_postgres() {
        sql.replace("NULL AS bytes", "NULL::bytea AS bytes")
            .replace("NULL AS text", "NULL::text AS text")
    } else {
        sql.to_owned()
    };
    Ok(link.find(&sql)?.first().map_or(0, |found| found.number))
}

fn templates(link: &mut Link) -> Result<Vec<Template>, Failure> {
    let ids = link.find(
        "SELECT id AS number, uuid AS bytes, document AS text FROM resource WHERE kind = 1",
    )?;
    let text = if link.is_postgres() {
        "NULL::text"
    } else {
        "NULL"
    };
    let mut templates = Vec::new();
    for found in ids {
        let document: serde_json::Value = serde_json::from_str(&found.text.unwrap_or_default())?;
        let name = document["userName"].as_str().unwrap_or_default();
        let Some((token, _)) = name.split_once('@') else {
            continue;
        };
        let number = token.trim_start_matches('p').parse().unwrap_or(0);
        if !(PLAIN..WRITTEN).contains(&number) {
            continue;
        }
        let id = uuid::Uuid::from_slice(&found.bytes.unwrap_or_default())?;
        let literal = literal(link, id);
        let event = link.find(&format!(
            "SELECT version AS number, id AS bytes, {text} AS text FROM event WHERE resource = {literal} AND version = 1"
        ))?;
        let event = event
            .into_iter()
            .next()
            .and_then(|event| event.bytes)
            .unwrap_or_default();
        templates.push(Template {
            row: found.number,
            token: token.to_owned(),
            id: id.to_string(),
            event: uuid::Uuid::from_slice(&event)?.to_string(),
        });
    }
    Ok(templates)
}

/// The indexes that are no constraint: name and statement.
fn indexes(link: &mut Link) -> Result<Vec<(String, String)>, Failure> {
    let sql = if link.is_postgres() {
        "SELECT 0::bigint AS number, convert_to(c.relname, 'UTF8') AS bytes, pg_get_indexdef(c.oid) AS text FROM pg_index i \
         JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid)"
    } else {
        "SELECT 0 AS number, CAST(name AS BLOB) AS bytes, sql AS text FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    };
    let found = link.find(sql)?;
    let named = found.into_iter().map(|index| {
        let name = String::from_utf8(index.bytes.unwrap_or_default())?;
        Ok((name, index.text.unwrap_or_default()))
    });
    named.collect()
}

fn literal(link: &Link, id: uuid::Uuid) -> String {
    if link.is_postgres() {
        format!("'\\x{}'::bytea", id.simple())
    } else {
        format!("x'{}'", id.simple())
    }
}

/// Says who is copied to whom.
fn prepare(
    link: &mut Link,
    templates: &[Template],
    persons: std::ops::Range<usize>,
    row: &mut i64,
) -> Result<(), Failure> {
    link.run("DELETE FROM copy")?;
    let persons: Vec<usize> = persons.collect();
    for some in persons.chunks(300) {
        let mut sql = String::from("INSERT INTO copy VALUES ");
        for (n, person) in some.iter().enumerate() {
            let old = &templates[person % templates.len()];
            *row += 1;
            let id = uuid::Uuid::new_v4();
            let event = uuid::Uuid::now_v7();
            let comma = if n == 0 { "" } else { ", " };
            let (id_key, event_key) = (literal(link, id), literal(link, event));
            write!(
                sql,
                "{comma}({}, {row}, '{}', '{}', '{}', '{id}', {id_key}, '{}', '{event}', {event_key})",
                old.row,
                old.token,
                token(*person),
                old.id,
                old.event
            )?;
        }
        link.run(&sql)?;
    }
    Ok(())
}

/// Sets the templates' rows apart, so that finding them again takes no index.
fn set_apart(link: &mut Link, templates: &[Template]) -> Result<(), Failure> {
    let rows: Vec<String> = templates.iter().map(|old| old.row.to_string()).collect();
    let rows = rows.join(", ");
    for (name, select) in [
        (
            "old_resource",
            format!("SELECT id AS old, t.* FROM resource t WHERE id IN ({rows})"),
        ),
        (
            "old_source",
            format!("SELECT resource AS old, t.* FROM source_record t WHERE resource IN ({rows})"),
        ),
        (
            "old_index",
            format!(
                "SELECT resource AS old, t.* FROM attribute_index t WHERE resource IN ({rows})"
            ),
        ),
        (
            "old_unique",
            format!("SELECT resource AS old, t.* FROM unique_value t WHERE resource IN ({rows})"),
        ),
        (
            "old_event",
            format!(
                "SELECT r.id AS old, t.* FROM event t JOIN resource r ON r.tenant = t.tenant AND r.uuid = t.resource \
                 WHERE r.id IN ({rows}) AND t.version = 1"
            ),
        ),
    ] {
        link.run(&format!("CREATE TEMPORARY TABLE {name} AS {select}"))?;
        link.run(&format!("CREATE INDEX {name}_by_old ON {name} (old)"))?;
        if link.is_postgres() {
            link.run(&format!("ANALYZE {name}"))?;
        }
    }
    Ok(())
}

/// Copies each row of each table that holds something of a person, whatever columns the tables have by now.
fn copy(link: &mut Link) -> Result<(), Failure> {
    for (table, old) in TABLES {
        let mut columns = Vec::new();
        let mut values = Vec::new();
        for (column, kind) in columns_of(link, table)? {
            let Some(value) = copied(table, &column, &kind) else {
                continue;
            };
            columns.push(column);
            values.push(value);
        }
        link.run(&format!(
            "INSERT INTO {table} ({}) SELECT {} FROM copy c JOIN {old} t ON t.old = c.old ORDER BY c.row",
            columns.join(", "),
            values.join(", ")
        ))?;
    }
    Ok(())
}

/// The tables, and where their templates are set apart.
const TABLES: [(&str, &str); 5] = [
    ("resource", "old_resource"),
    ("source_record", "old_source"),
    ("attribute_index", "old_index"),
    ("unique_value", "old_unique"),
    ("event", "old_event"),
];

/// What a column of the copy holds; none where the database numbers rows by itself.
fn copied(table: &str, column: &str, kind: &str) -> Option<String> {
    let renamed = |text: &str| {
        format!(
            "replace(replace(replace({text}, c.old_token, c.token), c.old_event, c.event), c.old_id, c.id)"
        )
    };
    Some(match (table, column) {
        ("source_record", "id") | ("event", "seq") => return None,
        ("resource", "uuid") | ("event", "resource") => "c.id_key".into(),
        ("event", "id") => "c.event_key".into(),
        ("resource", "id") | (_, "origin" | "resource") => "c.row".into(),
        // A body is sealed, so a copy of it is as long and says nothing: it is told as that of somebody who has been erased.
        ("event", "key_id") => "'p0'".into(),
        _ if kind.eq_ignore_ascii_case("text") => renamed(&format!("t.{column}")),
        _ => format!("t.{column}"),
    })
}

/// A table's columns and their types, in order.
fn columns_of(link: &mut Link, table: &str) -> Result<Vec<(String, String)>, Failure> {
    let sql = if link.is_postgres() {
        format!(
            "SELECT ordinal_position::bigint AS number, convert_to(column_name, 'UTF8') AS bytes, data_type::text AS text \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY 1"
        )
    } else {
        format!(
            "SELECT cid AS number, CAST(name AS BLOB) AS bytes, type AS text FROM pragma_table_info('{table}') ORDER BY 1"
        )
    };
    let found = link.find(&sql)?.into_iter().map(|column| {
        let name = String::from_utf8(column.bytes.unwrap_or_default())?;
        Ok((name, column.text.unwrap_or_default()))
    });
    found.collect()
}

/// Counts again what the server counts as it writes.
fn count(link: &mut Link) -> Result<(), Failure> {
    if columns_of(link, "record_count")?.is_empty() {
        return Ok(());
    }
    link.run(
        "DELETE FROM record_count; INSERT INTO record_count (tenant, kind, account, shard, n) \
         SELECT tenant, kind, account, 0, count(*) FROM resource GROUP BY tenant, kind, account",
    )
}
