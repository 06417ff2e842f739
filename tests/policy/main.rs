//! `muster policy` on files: the real binary, good files and bad ones, what it prints beside each as data.
//!
//! `bad/NAME.yaml` holds mistakes, `bad/NAME.expected` what `check` says of them.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by failing"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/policy")
}

fn muster(within: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("policy")
        .args(arguments)
        .current_dir(folder().join(within))
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let mut cases = 0;
    for entry in fs::read_dir(folder().join("bad")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        cases += 1;
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let output = muster("bad", &["check", &name]);
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        assert_eq!(said(&output), expected, "{name}");
        assert_eq!(output.status.code(), Some(1), "{name}");
    }
    assert_eq!(cases, 17);
}

#[test]
fn good_files_pass_with_their_warnings() {
    let output = muster("", &["check", "brief-b.yaml"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(said(&output), "brief-b.yaml: 0 errors, 0 warnings\n");
    for (name, arguments) in [
        ("check", &["check", "example.yaml"][..]),
        (
            "explain",
            &[
                "explain",
                "example.yaml",
                "--client",
                "workday",
                "--type",
                "Person",
            ],
        ),
        (
            "who",
            &[
                "who",
                "example.yaml",
                "--attribute",
                "emails[type eq \"home\"]",
            ],
        ),
        (
            "who-secret",
            &["who", "example.yaml", "--attribute", "birthDate"],
        ),
    ] {
        let output = muster("", arguments);
        let expected = fs::read_to_string(folder().join(format!("example.{name}"))).unwrap();
        assert_eq!(said(&output), expected, "{name}");
        assert_eq!(output.status.code(), Some(0), "{name}");
    }
}

#[test]
fn programs_read_the_findings_as_json() {
    let output = muster("bad", &["check", "bom.yaml", "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["errors"], 1);
    assert_eq!(found["findings"][0]["line"], 2);
    assert_eq!(found["findings"][0]["severity"], "error");
}

#[test]
fn what_cannot_be_read_or_is_not_there_is_the_callers_mistake() {
    for (arguments, reason) in [
        (&["check", "nowhere.yaml"][..], "cannot read nowhere.yaml"),
        (&["check", "."], "cannot read ."),
        (
            &["explain", "example.yaml", "--client", "nobody"],
            "there are: okta, workday",
        ),
        (
            &[
                "explain",
                "example.yaml",
                "--client",
                "okta",
                "--type",
                "Persn",
            ],
            "did you mean 'Person'?",
        ),
        (
            &["who", "example.yaml", "--attribute", "birthDay"],
            "did you mean 'birthDate'?",
        ),
        (
            &["who", "example.yaml", "--attribute", "Person"],
            "no single attribute",
        ),
    ] {
        let output = muster("", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains(reason), "{}", said(&output));
    }
    let output = muster("bad", &["who", "overlap.yaml", "--attribute", "birthDate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("overlap.yaml:16:20: error"));
}

#[test]
fn an_endless_file_is_refused_without_reading_it_to_its_end() {
    if cfg!(unix) {
        let output = muster("", &["check", "/dev/zero"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("larger than 1048576 bytes"));
    }
}
