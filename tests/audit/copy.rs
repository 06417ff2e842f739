//! `muster copy` and `muster backup`: a database in a file and in the other kind of database, and back.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::rt::System;
use serde_json::{Value, json};

use crate::support::process::Process;
use crate::support::{Client, Database, Engine, PATIENCE, client, invariants};
use crate::users;

#[test]
fn a_database_is_moved_from_sqlite_to_postgres_and_back() {
    moved(Engine::Sqlite, Engine::Postgres);
}

#[test]
fn a_database_is_moved_from_postgres_to_sqlite_and_back() {
    moved(Engine::Postgres, Engine::Sqlite);
}

async fn hris(server: &Process) -> Client {
    let http = client::http();
    let token = client::token(&http, &server.origin, "hris").await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

/// All that a client sees, wherever the server listens.
async fn seen(server: &Process) -> String {
    let hris = hris(server).await;
    let mut all = String::new();
    for endpoint in ["/Users", "/Persons", "/Groups"] {
        all += &hris
            .get(&format!("{endpoint}?count=100"))
            .await
            .ok(200)
            .to_string();
    }
    let passport = "legalIdentifiers[type eq \"passport\" and value eq \"X4RTBPFW4\"]";
    let found = hris.search("/Persons", json!({"filter": passport})).await;
    assert_eq!(found.ok(200)["totalResults"], 1, "the blind index");
    // A version is that of the view, in which are the addresses.
    all.replace(&server.origin, "")
        .split("\"version\":")
        .map(|part| part.split_once('}').map_or(part, |(_, rest)| rest))
        .collect()
}

/// People with secrets, in groups, changed and deleted.
async fn populate(server: &Process) {
    let hris = hris(server).await;
    users(&hris, "ann", 4).await;
    let all = hris.get("/Users").await.resources().to_vec();
    let id = |n: usize| all[n]["id"].as_str().unwrap().to_owned();
    let group = json!({"displayName": "Crew", "members": [{"value": id(0)}, {"value": id(1)}]});
    hris.create("/Groups", group).await;
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    hris.patch(&format!("/Users/{}", id(0)), off).await.ok(200);
    hris.delete(&format!("/Users/{}", id(3))).await.ok(204);
    let passport = json!([{"type": "passport", "country": "UT", "value": "X4RTBPFW4"}]);
    let person = json!({"displayName": "Zo\u{eb} \u{2028}\u{1f30a} 'x' \"y\"", "legalIdentifiers": passport});
    hris.create("/Persons", person).await;
}

/// Waits until all events that are sealed are under a signed head, and keeps that; how many they are.
fn signed(folder: &str, url: &str, file: &Path) -> usize {
    let patience = Instant::now() + PATIENCE;
    loop {
        let size = log_of(folder, url).len();
        let head = said(&["audit", "head", "--data-dir", folder, "--database-url", url]).unwrap();
        if let Some(line) = head
            .lines()
            .find(|line| line.contains(&format!("\"size\":{size},")))
        {
            fs::write(file, line).unwrap();
            return size;
        }
        assert!(
            Instant::now() < patience,
            "no head of {size} events: {head}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// What a command says on standard output; its complaint if it fails.
fn said(arguments: &[&str]) -> Result<String, String> {
    let output = Process::command(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        Some(1) => Err(text(output.stderr)),
        _ => panic!("{output:?}"),
    }
}

fn log_of(folder: &str, url: &str) -> Vec<Value> {
    let told = said(&[
        "audit",
        "export",
        "--data-dir",
        folder,
        "--database-url",
        url,
    ])
    .unwrap();
    told.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn moved(one: Engine, other: Engine) {
    let database = Database::fresh(one);
    let (there, back) = (Database::empty(other), Database::empty(one));
    let folder = database.folder().to_str().unwrap().to_owned();
    let file = database.folder().join("backup.db");
    let backup = file.to_str().unwrap();
    let server = Process::start_on(database.folder(), database.url());
    let before = System::new().block_on(async {
        populate(&server).await;
        seen(&server).await
    });
    let kept = database.folder().join("kept.jsonl");
    let events = signed(&folder, database.url(), &kept);
    let kept = kept.to_str().unwrap();

    // While the server runs.
    copy_around(&folder, backup, [&database, &there, &back]);
    // The log, its heads and all else are what they were.
    let log = log_of(&folder, database.url());
    for copy in [&there, &back] {
        let place = ["--data-dir", &folder, "--database-url", copy.url()];
        let verify = [&["audit", "verify", "--head", kept][..], &place].concat();
        let told = said(&verify).unwrap();
        assert!(
            told.contains(&format!("{events} events, as sealed")),
            "{told}"
        );
        assert_eq!(log_of(&folder, copy.url()), log);
        invariants::check(&mut copy.connect());
    }
    server.kill();
    for copy in [&there, &back] {
        goes_on(&database, copy, (&before, &log));
    }
    for database in [there, back, database] {
        database.forget();
    }
}

/// Into a file, from there into the other kind, and from there back.
fn copy_around(folder: &str, backup: &str, [database, there, back]: [&Database; 3]) {
    let make = [
        "backup",
        "make",
        backup,
        "--data-dir",
        folder,
        "--database-url",
        database.url(),
    ];
    let mut nowhere = make;
    nowhere[6] = "sqlite:/nowhere/at.all";
    assert!(said(&nowhere).unwrap_err().contains("/nowhere/at.all"));
    let told = said(&make).unwrap();
    assert!(
        told.contains(" events,") && told.contains("audit verify"),
        "{told}"
    );
    assert!(said(&make).unwrap_err().contains("is there already"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    }
    let restore = [
        "backup",
        "restore",
        backup,
        "--data-dir",
        folder,
        "--database-url",
        there.url(),
    ];
    said(&restore).unwrap();
    let again = said(&restore).unwrap_err();
    assert!(again.contains("is not empty"), "{again}");
    said(&["copy", "--from", there.url(), "--to", back.url()]).unwrap();
    let gone = said(&[
        "copy",
        "--from",
        "sqlite:/nowhere/at.all",
        "--to",
        back.url(),
    ]);
    assert!(
        gone.unwrap_err()
            .contains("there is no database at /nowhere/at.all")
    );
}

/// A server that serves the copy shows what was there, and goes on.
fn goes_on(database: &Database, copy: &Database, (before, log): (&str, &[Value])) {
    let folder = database.folder().to_str().unwrap();
    let server = Process::start_on(database.folder(), copy.url());
    System::new().block_on(async {
        assert_eq!(seen(&server).await, before);
        users(&hris(&server).await, "later", 2).await;
    });
    let after = log_of(folder, copy.url());
    assert!(after.len() >= log.len() + 2 && after[..log.len()] == *log);
    drop(server);
    invariants::check(&mut copy.connect());
}
