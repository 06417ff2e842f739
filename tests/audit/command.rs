//! `muster audit` as an operator runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::database::Connection;
use crate::support::process::Process;
use crate::support::{Client, Database, Engine, PATIENCE, client};
use crate::tampering::unlock;
use crate::users;

#[test]
fn the_command_verifies_exports_and_finds_on_sqlite() {
    the_command_verifies_exports_and_finds(Engine::Sqlite);
}

#[test]
fn the_command_verifies_exports_and_finds_on_postgres() {
    the_command_verifies_exports_and_finds(Engine::Postgres);
}

/// A file that names the database and where heads are kept.
fn configuration(database: &Database, heads: &Path) -> PathBuf {
    let text = format!(
        "[server]\ndata_dir = \"{}\"\ndatabase_url = \"{}\"\n\n[audit]\nheads = \"{}\"\n",
        database.folder().display(),
        database.url(),
        heads.display()
    );
    let config = database.folder().join("muster.toml");
    fs::write(&config, text).unwrap();
    config
}

fn the_command_verifies_exports_and_finds(engine: Engine) {
    let database = Database::fresh(engine);
    let heads = database.folder().join("heads.jsonl");
    let config = configuration(&database, &heads);
    let config = config.to_str().unwrap();
    let server = Process::start_with(database.folder(), &["--config", config]);
    actix_web::rt::System::new().block_on(async {
        let http = client::http();
        let token = client::token(&http, &server.origin, "hris").await;
        let hris = Client::new(http, format!("{}/scim/v2", server.origin), Some(token));
        users(&hris, "ann", 6).await;
    });
    let patience = Instant::now() + PATIENCE;
    while !fs::read_to_string(&heads).is_ok_and(|text| text.contains("\"size\":6")) {
        assert!(Instant::now() < patience, "no head in {}", heads.display());
        std::thread::sleep(Duration::from_millis(50));
    }
    let text = |arguments: &[&str], code: i32| {
        let arguments = [&["audit"], arguments, &["--config", config]].concat();
        let output = Process::command(&arguments);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // While the server runs.
    let told = text(&["verify"], 0);
    assert!(told.contains("6 events, as sealed"), "{told}");
    assert!(text(&["verify", "--since", "3"], 0).contains("6 events"));
    let kept = heads.to_str().unwrap();
    assert!(text(&["verify", "--since", kept, "--head", kept], 0).contains("6 events"));
    let told = text(&["head"], 0);
    assert!(
        told.contains("\"size\":6") && told.contains("public key"),
        "{told}"
    );
    let (_, key) = told.trim_end().rsplit_once(' ').unwrap();
    assert!(text(&["verify", "--key", key], 0).contains("6 events"));
    let lines: Vec<Value> = text(&["export", "--after", "3"], 0)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["position"], 4);
    assert!(lines[0]["leaf"].is_string() && lines[0]["hash"].is_string());
    server.kill();
    let mut connection = database.connect();
    unlock(&mut connection);
    connection.run("UPDATE event SET client = 'nobody' WHERE seq = 5");
    let told = text(&["verify"], 1);
    let id = lines[0]["id"].as_str().unwrap();
    assert!(
        told.contains(&format!("position 4, event {id}: ")),
        "{told}"
    );
    connection.run("UPDATE event SET client = 'hris' WHERE seq = 5");
    another_key_is_found(&mut connection, &heads, key, text);
    drop(connection);
    database.forget();
}

/// Whoever puts a key of his own in that one's place, and signs all heads anew, is found by who has kept the key.
fn another_key_is_found(
    connection: &mut Connection,
    heads: &Path,
    key: &str,
    text: impl Fn(&[&str], i32) -> String,
) {
    assert!(text(&["verify", "--key", key], 0).contains("6 events"));
    let own = "07".repeat(32);
    let own = match connection {
        Connection::Sqlite(_) => format!("x'{own}'"),
        Connection::Postgres(_) => format!("'\\x{own}'::bytea"),
    };
    connection.run(&format!(
        "UPDATE setting SET value = {own} WHERE name = 'log-key'"
    ));
    connection.run("DELETE FROM log_head");
    fs::remove_file(heads).unwrap();
    text(&["verify"], 0);
    let told = text(&["verify", "--key", key], 1);
    assert!(told.contains(&format!("not by {key}")), "{told}");
}
