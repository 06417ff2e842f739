//! SQLite's file encrypted as a whole, which a build with the feature `sqlcipher` can do: a thief of the file has nothing
//! (design §5). `tests/run` builds it so; PostgreSQL's files are their server's affair.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use actix_web::rt::System;
use serde_json::json;

use support::database::scratch_folder;
use support::process::Process;
use support::{Client, client};

const NAME: &str = "Gegenwart-0815";

/// A configuration whose files are encrypted under a key of these digits.
fn configured(folder: &Path, digit: &str) -> PathBuf {
    let path = folder.join(format!("{digit}.toml"));
    let text = format!(
        "[server]\ndata_dir = \"{}\"\n[keys]\nkey_encryption_key = {{ command = [\"printf\", \"{}\"] }}\n\
         sqlite_key = {{ command = [\"printf\", \"{}\"] }}\n",
        folder.display(),
        "ab".repeat(32),
        digit.repeat(64),
    );
    fs::write(&path, text).unwrap();
    path
}

/// The same configuration without that key.
fn keyless(config: &Path) -> PathBuf {
    let text = fs::read_to_string(config).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("sqlite_key"));
    let path = config.with_extension("keyless.toml");
    fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
    path
}

/// What a command says, and its exit code.
fn said(arguments: &[&str]) -> (i32, String) {
    let output = Process::command(arguments);
    let text = [output.stdout, output.stderr].concat();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(text).unwrap(),
    )
}

#[track_caller]
fn done(arguments: &[&str]) -> String {
    let (code, text) = said(arguments);
    assert_eq!(code, 0, "{text}");
    text
}

/// Files of the folder that begin as SQLite's do, or in which a text stands.
fn readable(folder: &Path, text: &str) -> Vec<String> {
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    files
        .filter(|path| path.to_str().unwrap().contains(".db"))
        .filter(|path| {
            let bytes = fs::read(path).unwrap();
            let holds = bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            holds || bytes.starts_with(b"SQLite format 3")
        })
        .map(|path| path.display().to_string())
        .collect()
}

async fn hris(server: &Process) -> Client {
    let http = client::http();
    let token = client::token(&http, &server.origin, "hris").await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

/// Starts a server that makes its database, and writes people into it.
fn written(folder: &Path, config: &Path) {
    let server = Process::start_with(folder, &["--config", config.to_str().unwrap()]);
    System::new().block_on(async {
        let hris = hris(&server).await;
        for n in 0..30 {
            let person = json!({"displayName": format!("{NAME} {n}"), "externalId": n.to_string()});
            hris.create("/Persons", person).await;
        }
        let found = hris.find("/Persons", "displayName sw \"Gegenwart\"").await;
        assert_eq!(found.len(), 30);
    });
    server.kill();
}

#[test]
fn a_file_that_is_encrypted_as_a_whole_shows_nothing_and_is_served_like_any() {
    let folder = scratch_folder();
    let config = configured(&folder, "1");
    written(&folder, &config);
    // Killed, with a log that has not been moved to the file.
    assert!(folder.join("muster.db-wal").exists());
    assert_eq!(readable(&folder, NAME), [""; 0]);
    let config = config.to_str().unwrap();
    let told = done(&["events", "--config", config]);
    assert!(told.contains(NAME), "{told}");
    done(&["audit", "verify", "--config", config]);
}

#[test]
fn without_its_key_or_with_another_it_is_not_opened_and_loses_nothing() {
    let folder = scratch_folder();
    written(&folder, &configured(&folder, "1"));
    let wrong = configured(&folder, "2");
    let (code, text) = said(&["events", "--config", wrong.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(text.contains("does not open it"), "{text}");
    let keyless = keyless(&wrong);
    let (code, text) = said(&["events", "--config", keyless.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(text.contains("`sqlite_key` under [keys]"), "{text}");
    let right = configured(&folder, "1");
    let right = right.to_str().unwrap();
    let told = done(&["events", "--config", right]);
    assert_eq!(told.matches(NAME).count(), 30, "{told}");
    done(&["audit", "verify", "--config", right]);
}

#[test]
fn a_file_is_copied_into_an_encrypted_one_and_back_and_a_backup_is_encrypted_too() {
    let folder = scratch_folder();
    let config = configured(&folder, "1");
    let plain = keyless(&config);
    let server = Process::start_with(&folder, &["--config", plain.to_str().unwrap()]);
    System::new().block_on(async {
        let person = json!({"displayName": NAME});
        hris(&server).await.create("/Persons", person).await;
    });
    server.kill();
    let config = config.to_str().unwrap();
    // Nothing goes on in plain where a key says otherwise.
    let (code, text) = said(&["events", "--config", config]);
    assert_eq!(code, 1);
    assert!(
        text.contains("`muster copy` makes an encrypted one"),
        "{text}"
    );

    let url = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let (plain, sealed, again) = (url("muster.db"), url("sealed.db"), url("again.db"));
    let between = ["--from", &plain, "--to", &sealed];
    done(&[&["copy"][..], &between, &["--to-config", config]].concat());
    let backup = folder.join("backup.db").display().to_string();
    let place = ["--config", config, "--database-url", &sealed];
    done(&[&["backup", "make", &backup][..], &place].concat());
    // Another key, by way of the backup.
    let from = format!("sqlite:{backup}");
    let other = configured(&folder, "3").display().to_string();
    let between = ["--from", &from, "--to", &again];
    let keys = ["--from-config", config, "--to-config", &other];
    done(&[&["copy"][..], &between, &keys].concat());
    let mut found = readable(&folder, NAME);
    assert!(!found.is_empty(), "the search finds what is in plain");
    found.retain(|path| !path.contains("muster.db"));
    assert_eq!(found, [""; 0], "the copies are encrypted");
    let told = done(&["events", "--config", &other, "--database-url", &again]);
    assert!(told.contains(NAME), "{told}");
    let (code, text) = said(&["copy", "--from", &again, "--to", &url("open.db")]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("`sqlite_key` under [keys]"), "{text}");
}
