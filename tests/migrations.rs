//! The two databases' migrations make the same tables.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::thread;

use diesel::QueryableByName;
use diesel::sql_types::{Integer, Text};
use muster::store::Store;
use support::database::{Connection, keyring, migration_files, rows};
use support::{Database, Engine};

/// A column: its name, and whether it may be null.
type Column = (String, bool);

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Integer)]
    nullable: i32,
}

/// What diesel and the databases keep for themselves.
fn is_ours(table: &str) -> bool {
    !table.starts_with("__diesel") && !table.starts_with("sqlite_")
}

fn tables(connection: &mut Connection) -> Vec<String> {
    let names = match connection {
        Connection::Sqlite(_) => {
            connection.texts("SELECT name AS t FROM sqlite_master WHERE type = 'table'")
        }
        Connection::Postgres(_) => connection.texts(
            "SELECT cast(table_name AS text) AS t FROM information_schema.tables \
             WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
        ),
    };
    let mut names: Vec<_> = names.into_iter().filter(|name| is_ours(name)).collect();
    names.sort();
    names
}

fn columns(connection: &mut Connection, table: &str) -> Vec<Column> {
    let sql = match connection {
        Connection::Sqlite(_) => {
            format!(
                "SELECT name, 1 - \"notnull\" AS nullable FROM pragma_table_info('{table}') ORDER BY cid"
            )
        }
        Connection::Postgres(_) => format!(
            "SELECT cast(column_name AS text) AS name, CASE is_nullable WHEN 'YES' THEN 1 ELSE 0 END AS nullable \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}' \
             ORDER BY ordinal_position"
        ),
    };
    rows!(connection, ColumnRow, sql)
        .into_iter()
        .map(|row| (row.name, row.nullable == 1))
        .collect()
}

/// The columns of each unique key, the primary key among them, in the key's order.
fn unique_keys(connection: &mut Connection, table: &str) -> BTreeSet<String> {
    let sql = match connection {
        Connection::Sqlite(_) => format!(
            "SELECT group_concat(name, ', ') AS t FROM (\
               SELECT l.name AS key, i.name FROM pragma_index_list('{table}') l, pragma_index_info(l.name) i \
               WHERE l.\"unique\" = 1 ORDER BY l.name, i.seqno\
             ) GROUP BY key \
             UNION SELECT group_concat(name, ', ') AS t FROM (\
               SELECT name FROM pragma_table_info('{table}') WHERE pk > 0 ORDER BY pk)"
        ),
        Connection::Postgres(_) => format!(
            "SELECT string_agg(cast(a.attname AS text), ', ' ORDER BY k.place) AS t \
             FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (number, place), pg_attribute a \
             WHERE i.indrelid = cast('{table}' AS regclass) AND i.indisunique \
             AND a.attrelid = i.indrelid AND a.attnum = k.number GROUP BY i.indexrelid"
        ),
    };
    connection.texts(&sql).into_iter().collect()
}

#[test]
fn both_databases_have_migrations_of_the_same_names() {
    let names = |engine| {
        migration_files(engine)
            .into_iter()
            .map(|(name, _)| name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn both_databases_have_the_same_tables_columns_and_unique_keys() {
    let (sqlite, postgres) = (
        Database::fresh(Engine::Sqlite),
        Database::fresh(Engine::Postgres),
    );
    let (mut one, mut other) = (sqlite.connect(), postgres.connect());
    let names = tables(&mut one);
    assert_eq!(names, tables(&mut other));
    assert!(names.iter().any(|name| name == "event"), "{names:?}");
    for table in names {
        assert_eq!(
            columns(&mut one, &table),
            columns(&mut other, &table),
            "columns of {table}"
        );
        let keys = unique_keys(&mut one, &table);
        assert!(!keys.is_empty(), "{table} has no key");
        assert_eq!(
            keys,
            unique_keys(&mut other, &table),
            "unique keys of {table}"
        );
    }
    drop((one, other));
    sqlite.forget();
    postgres.forget();
}

/// Design §5: applied at start under a lock. Of processes that start at once one migrates and the others wait.
#[test]
fn several_processes_may_start_on_an_empty_database_at_once() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let database = Database::empty(engine);
        let starts: Vec<_> = (0..4)
            .map(|_| {
                let url = database.url().to_owned();
                thread::spawn(move || Store::open(&url, 2, keyring()).map(|store| store.close()))
            })
            .collect();
        for start in starts {
            start
                .join()
                .expect("no start panics")
                .expect("each start succeeds");
        }
        let mut connection = database.connect();
        let applied = connection.number("SELECT count(*) AS n FROM __diesel_schema_migrations");
        assert_eq!(
            usize::try_from(applied),
            Ok(migration_files("sqlite").len()),
            "{engine:?}"
        );
        drop(connection);
        database.forget();
    }
}

/// `down.sql` takes away what `up.sql` made.
#[test]
fn every_migration_can_be_taken_back() {
    for (engine, folder) in [(Engine::Sqlite, "sqlite"), (Engine::Postgres, "postgres")] {
        let database = Database::fresh(engine);
        let mut connection = database.connect();

        for (name, _) in migration_files(folder).into_iter().rev() {
            let path = format!(
                "{}/migrations/{folder}/{name}/down.sql",
                env!("CARGO_MANIFEST_DIR")
            );
            connection.run(&std::fs::read_to_string(path).expect("a migration has a down.sql"));
        }
        assert_eq!(tables(&mut connection), [] as [String; 0], "{engine:?}");
        drop(connection);
        database.forget();
    }
}
