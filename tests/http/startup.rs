//! Starting: what goes wrong is one clear message and an exit code, never a panic.

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Output};

use super::app::{App, Folder, user};

fn muster(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .env_remove("MUSTER_DATABASE_URL")
        .output()
        .unwrap()
}

/// Runs a command that must fail with this code; answers its message.
pub(super) fn refused(code: i32, arguments: &[&str]) -> String {
    let output = muster(arguments);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(
        !message.contains("panicked") && !message.contains("Error {"),
        "{message}"
    );
    message
}

#[test]
fn without_an_issuer_serve_says_what_to_write() {
    let message = refused(2, &["serve"]);
    assert!(
        message.contains("[[issuer]]") && message.contains("--dev"),
        "{message}"
    );
}

#[test]
fn dev_mode_refuses_other_addresses_than_loopback() {
    let message = refused(2, &["serve", "--dev", "--host", "0.0.0.0"]);
    assert!(message.contains("loopback"), "{message}");
}

#[test]
fn mistakes_in_the_configuration_are_located() {
    let folder = Folder::new();
    let file = folder.0.join("muster.toml");
    fs::write(&file, "[server]\nport = 8080\nhots = \"localhost\"\n").unwrap();
    let message = refused(2, &["serve", "--config", file.to_str().unwrap()]);
    assert!(
        message.contains("muster.toml: line 3") && message.contains("hots"),
        "{message}"
    );
    refused(2, &["serve", "--config", "no-such-file.toml"]);
    let message = refused(
        2,
        &["serve", "--dev", "--database-url", "mysql://localhost/x"],
    );
    assert!(message.contains("postgres://"), "{message}");
}

#[test]
fn what_is_in_the_way_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let data = folder.0.join("data");
    let data = data.to_str().unwrap();
    let message = refused(1, &["serve", "--dev", "--port", &port, "--data-dir", data]);
    assert!(
        message.contains(&port) && message.contains("--port"),
        "{message}"
    );

    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    let message = refused(
        1,
        &[
            "serve",
            "--dev",
            "--port",
            "0",
            "--data-dir",
            file.to_str().unwrap(),
        ],
    );
    assert!(message.contains("data folder"), "{message}");

    let nowhere = "postgres://muster:s3cret@127.0.0.1:1/muster";
    let message = refused(
        1,
        &[
            "serve",
            "--dev",
            "--port",
            "0",
            "--data-dir",
            data,
            "--database-url",
            nowhere,
        ],
    );
    assert!(!message.contains("s3cret"), "{message}");

    let message = refused(
        1,
        &[
            "events",
            "--data-dir",
            folder.0.join("none").to_str().unwrap(),
        ],
    );
    assert!(message.contains("no database"), "{message}");
}

#[test]
fn help_and_version_are_told() {
    assert!(
        String::from_utf8(muster(&[]).stdout)
            .unwrap()
            .contains("serve")
    );
    assert!(
        String::from_utf8(muster(&["version"]).stdout)
            .unwrap()
            .starts_with("muster ")
    );
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_good_order_after_the_banner_told_how_to_call() {
    use std::io::Read;
    let folder = Folder::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args([
            "serve",
            "--dev",
            "--port",
            "0",
            "--data-dir",
            folder.0.to_str().unwrap(),
        ])
        .env_remove("MUSTER_DATABASE_URL")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut banner = String::new();
    while !banner.contains("/scim/v2/Users\n") {
        let mut part = [0; 1024];
        let read = out.read(&mut part).unwrap();
        assert!(read > 0, "{banner}");
        banner.push_str(std::str::from_utf8(&part[..read]).unwrap());
    }
    // What the banner prints is pasted into a shell as it stands.
    let pasted = &banner[banner.find("TOKEN=").unwrap()..];
    let list = Command::new("sh").args(["-c", pasted]).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    assert!(list.contains("\"totalResults\":0"), "{list}");
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[actix_web::test]
async fn the_log_is_printed_one_event_a_line() {
    let mut app = App::start();
    for name in ["ada", "bob"] {
        assert_eq!(app.post("/Users", user(name)).await.status, 201);
    }
    app.stop();
    let folder = app.folder.0.to_str().unwrap().to_owned();
    let lines = |after: &str| {
        let mut arguments = vec!["events", "--data-dir", &folder, "--after", after];
        let url = app.folder.database_url();
        arguments.extend(url.into_iter().flat_map(|url| ["--database-url", url]));
        let output = muster(&arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let all = lines("0");
    assert!(all.len() >= 2);
    for line in &all {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(lines("1"), all[1..]);
}
