//! The raw files of both databases, as a thief has them.

use serde_json::json;

use crate::support::database::{Connection, rows};
use crate::support::{App, on_both};

on_both!(what_events_alone_hold_is_in_no_file);

/// A value that nobody has any more: it stood in the record, and stands in the event that made it and in the one that
/// changed it.
const GONE: &str = "Zwischenwert-4711";
/// A value that the record has.
const PRESENT: &str = "Gegenwart-0815";

#[derive(diesel::QueryableByName)]
struct Read {
    #[diesel(sql_type = diesel::sql_types::Text)]
    file: String,
    /// Whether the text stands in it; nothing where it was gone before it was read.
    #[diesel(sql_type = diesel::sql_types::Nullable<diesel::sql_types::Bool>)]
    held: Option<bool>,
}

/// The files of the database in which a text stands. What it has written is written to them first; with `rewritten`, what
/// was overwritten has been made room of too.
pub(super) fn holding(app: &App, text: &str, rewritten: bool) -> Vec<String> {
    let mut connection = app.database.connect();
    match &connection {
        Connection::Sqlite(_) => {
            connection.run("PRAGMA wal_checkpoint(TRUNCATE)");
            if rewritten {
                connection.run("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
            }
            app.database.files_with(text)
        }
        Connection::Postgres(_) => {
            if rewritten {
                connection.run("VACUUM FULL");
            }
            connection.run("CHECKPOINT");
            in_cluster(&mut connection, TABLES, text)
        }
    }
}

/// The same, and the files of the write-ahead log as they are, in which everything stands that was ever written.
pub(super) fn anywhere(app: &App, text: &str) -> Vec<String> {
    let mut connection = app.database.connect();
    let mut found = match &connection {
        Connection::Sqlite(_) => app.database.files_with(text),
        Connection::Postgres(_) => in_cluster(&mut connection, LOG, text),
    };
    found.extend(holding(app, text, false));
    found
}

/// The names of the files of this database, and of the log of its whole cluster.
const TABLES: &str = "SELECT 'base/' || d.oid || '/' || f AS name FROM pg_database d, \
     pg_ls_dir('base/' || d.oid) f WHERE d.datname = current_database()";
const LOG: &str = "SELECT 'pg_wal/' || w.name AS name FROM pg_ls_waldir() w";

/// The server itself reads its files: they are its user's alone. It drops and recycles some while others are read
/// (segments of its log after a checkpoint), so they are read until none was gone.
fn in_cluster(connection: &mut Connection, files: &str, text: &str) -> Vec<String> {
    let sql = format!(
        "SELECT name AS file, position(convert_to('{text}', 'UTF8') IN \
         pg_read_binary_file(name, 0, (pg_stat_file(name, true)).size, true)) > 0 AS held FROM ({files}) files"
    );
    for _ in 0..20 {
        let read = rows!(connection, Read, sql.as_str());
        if read.iter().all(|file| file.held.is_some()) {
            let found = read.into_iter().filter(|file| file.held == Some(true));
            return found.map(|file| file.file).collect();
        }
    }
    panic!("the server's files are dropped faster than they are read");
}

async fn what_events_alone_hold_is_in_no_file(app: &App) {
    let hris = app.client("hris").await;
    let made = hris.create("/Persons", json!({"displayName": GONE})).await;
    let id = made["id"].as_str().unwrap();
    let answer = hris
        .patch(
            &format!("/Persons/{id}"),
            json!([{"op": "replace", "path": "displayName", "value": PRESENT}]),
        )
        .await;
    answer.ok(200);
    let told: String = app.events_of(id).iter().map(ToString::to_string).collect();
    assert_eq!(told.matches(GONE).count(), 2, "{told}");
    // The search finds what is there ...
    assert!(!holding(app, PRESENT, true).is_empty());
    // ... and nothing of what the log alone knows.
    assert_eq!(holding(app, GONE, true), [""; 0]);
}
