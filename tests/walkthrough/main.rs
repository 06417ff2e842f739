//! The README's walk-through, run as it is written against the real binary.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::process::Process;
use support::{CANDIDATE, Client, Database, EMPLOYEE, Engine, PROVENANCE, client};

/// The shell blocks between the README's two marks, as one script.
fn script(readme: &str) -> String {
    let (_, rest) = readme
        .split_once("<!-- walk-through -->")
        .expect("the walk-through begins");
    let (text, _) = rest
        .split_once("<!-- /walk-through -->")
        .expect("the walk-through ends");
    let blocks: Vec<&str> = text
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split_once("```").expect("a block ends").0)
        .collect();
    assert!(!blocks.is_empty(), "the walk-through has no sh block");
    blocks.concat()
}

/// Runs a script; what it printed.
fn run(script: &str) -> String {
    let mut command = Command::new("sh");
    command.arg("-eu");
    let mut shell = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let mut input = shell.stdin.take().expect("its input is ours");
    input
        .write_all(script.as_bytes())
        .expect("the shell reads the script");
    drop(input);
    let output = shell.wait_with_output().expect("the shell ends");
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(
        output.status.success() && complained.is_empty(),
        "{}\n{said}\n{complained}",
        output.status
    );
    said
}

/// What follows `words` on a line of its own.
fn told<'a>(output: &'a str, words: &str) -> &'a str {
    output
        .lines()
        .find_map(|line| line.strip_prefix(words))
        .unwrap_or_else(|| panic!("nothing says '{words}':\n{output}"))
}

async fn reader(server: &Process, name: &str) -> Client {
    let http = client::http();
    let token = client::token(&http, &server.origin, name).await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

#[test]
fn the_readmes_walk_through_does_what_it_says() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let script = script(&fs::read_to_string(readme).expect("there is a README"));
    let database = Database::empty(Engine::Sqlite);
    let server = Process::start(database.folder());
    assert!(script.contains("127.0.0.1:8080"));
    let said = run(&script.replace(":8080", &format!(":{}", server.port())));

    let id = told(&said, "the person is ");
    assert_eq!(told(&said, "the account is "), id);
    actix_web::rt::System::new().block_on(check(&server, id));
    server.kill();
    support::invariants::check(&mut database.connect());
    database.forget();
}

/// The outcome: one person, who is candidate, employee and user, and whom each system knows by its own key.
async fn check(server: &Process, id: &str) {
    let auditor = reader(server, "auditor").await;
    let person = auditor.get(&format!("/Persons/{id}")).await;
    assert_eq!(person.ok(200)[CANDIDATE]["status"], "active");
    assert_eq!(person.body[EMPLOYEE]["status"], "Pending");
    let user = auditor.get(&format!("/Users/{id}")).await;
    assert_eq!(user.ok(200)["title"], person.body[EMPLOYEE]["jobTitle"]);
    assert_eq!(user.body["active"], json!(true));
    for endpoint in ["/Persons", "/Users"] {
        assert_eq!(auditor.get(endpoint).await.ok(200)["totalResults"], 1);
    }
    let query = format!("/Persons/{id}?attributes={PROVENANCE}:sources");
    let sources = auditor.get(&query).await;
    let sources = sources.ok(200)[PROVENANCE]["sources"].clone();
    let systems: BTreeSet<&str> = sources
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|source| source["system"].as_str())
        .collect();
    assert_eq!(systems, ["ats", "hris", "idp"].into());
    let mut keys = BTreeSet::new();
    for system in systems {
        let seen = reader(server, system)
            .await
            .get(&format!("/Persons/{id}"))
            .await;
        // The identity provider may read persons too.
        keys.extend(
            seen.ok(200)
                .get("externalId")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
    }
    assert_eq!(keys.len(), 3, "{keys:?}");
}
