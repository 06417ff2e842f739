//! `muster policy` on a database in use: the real binary beside a running server.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::masking::ada;
use crate::rules::POLICY;
use crate::support::{App, PATIENCE, on_both};

on_both!(
    policies_are_applied_compared_and_taken_back_by_command,
    a_command_ends_with_an_exit_code,
    a_record_is_explained_to_whoever_reviews_access
);

/// What a command prints, and whether it succeeds.
fn muster(app: &App, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some(), "{}: {text}", output.status);
    (output.status.success(), text)
}

/// A process that ended while a thread of it was still talking to PostgreSQL by TLS went down with a signal one time in twenty.
async fn a_command_ends_with_an_exit_code(app: &App) {
    for _ in 0..60 {
        let (found, text) = muster(app, &["policy", "show"]);
        assert!(!found && text.contains("has no policy"), "{text}");
    }
}

#[track_caller]
fn done(app: &App, arguments: &[&str]) -> String {
    let (success, text) = muster(app, arguments);
    assert!(success, "{arguments:?}: {text}");
    text
}

/// Keeps a policy as a file; its path.
fn kept(app: &App, name: &str, text: &str) -> String {
    let text = text.replace("ISSUER", &format!("{}/dev", app.origin()));
    let path = app.database.folder().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Waits until the server has the policy that a process beside it applied.
async fn in_force(app: &App) {
    let applied = Instant::now();
    while app.service().policies().is_empty() {
        assert!(applied.elapsed() < PATIENCE, "it is not in force");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn policies_are_applied_compared_and_taken_back_by_command(app: &App) {
    let first = kept(app, "first.yaml", POLICY);
    let opened = POLICY.replace("purposes: [recruiting]", "purposes: [recruiting, payroll]");
    let second = kept(app, "second.yaml", &opened);
    let (found, text) = muster(app, &["policy", "show"]);
    assert!(!found && text.contains("has no policy"), "{text}");
    assert!(done(app, &["policy", "apply", &first]).contains("version 1 is in force"));
    in_force(app).await;
    app.client("auditor")
        .await
        .get("/Users")
        .await
        .refused(403, "");
    let text = done(app, &["policy", "diff", &second]);
    assert!(text.contains("+  - { name: ats,"), "{text}");
    assert!(
        text.contains(
            "ats, Person birthDate: omit, read search write -> shown for payroll, read search write"
        ),
        "{text}"
    );
    assert!(!text.contains("idp, Person"), "{text}");
    let (applied, text) = muster(app, &["policy", "apply", &second, "--after", "7"]);
    assert!(!applied && text.contains("version 1 is in force"), "{text}");
    done(
        app,
        &[
            "policy", "apply", &second, "--actor", "Sam", "--reason", "audit 12",
        ],
    );
    done(app, &["policy", "rollback", "1", "--actor", "Sam"]);
    assert!(done(app, &["policy", "diff", &first]).contains("no difference"));
    let history = done(app, &["policy", "history"]);
    let lines: Vec<&str> = history.lines().collect();
    assert_eq!(lines.len(), 3, "{history}");
    assert!(lines[0].contains("Sam  rollback to version 1") && lines[1].contains("Sam  audit 12"));
    let wrong = kept(
        app,
        "wrong.yaml",
        &POLICY.replace("[birthDate]", "[birthday]"),
    );
    let (applied, text) = muster(app, &["policy", "apply", &wrong]);
    assert!(
        !applied && text.contains("wrong.yaml:18:") && text.contains("nothing changed"),
        "{text}"
    );
    let who = done(app, &["policy", "who", "--attribute", "birthDate"]);
    assert!(
        who.contains("hris: Person birthDate: shown for payroll"),
        "{who}"
    );
}

async fn a_record_is_explained_to_whoever_reviews_access(app: &App) {
    let file = kept(app, "policy.yaml", POLICY);
    done(app, &["policy", "apply", &file]);
    in_force(app).await;
    let person = ada(&app.client("hris").await).await;
    let id = person["id"].as_str().unwrap();
    let told = |client: &str| {
        done(
            app,
            &[
                "policy",
                "explain",
                "--client",
                client,
                "--resource",
                id,
                "--type",
                "Person",
            ],
        )
    };
    let line = |text: &str, path: &str| {
        let found = text
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{path} ")));
        let found = found.unwrap_or_else(|| panic!("{path}: {text}"));
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let idp = told("idp");
    assert!(
        line(&idp, "birthDate").starts_with("birthDate hidden omit (line 18)"),
        "{idp}"
    );
    assert!(
        line(&idp, "phoneNumbers").starts_with("phoneNumbers in part lastFour"),
        "{idp}"
    );
    assert!(line(&idp, "emails").starts_with("emails in part"), "{idp}");
    assert!(
        line(&idp, "displayName").starts_with("displayName whole shown"),
        "{idp}"
    );
    assert!(
        line(&idp, "displayName").ends_with("; read, search, write (role people, line 8)"),
        "{idp}"
    );
    assert!(line(&told("hris"), "birthDate").starts_with("birthDate whole shown for payroll"));
    assert!(told("crm").contains("out of reach"));
    let (found, text) = muster(
        app,
        &["policy", "explain", "--client", "idp", "--resource", "7"],
    );
    assert!(!found && text.contains("'7' is no id"), "{text}");
    assert_eq!(json!(id), person["id"]);
}
