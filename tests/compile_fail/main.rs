//! What must not compile: a change of the database without the event that explains it (design §4), and an answer that has not
//! been through the policy (design §6).
//!
//! Each case is a program that the compiler is to refuse; what it says stands beside it, a line an error. (Not trybuild: it
//! compiles every dependency anew, which takes longer than all other suites. `rustc` is given the libraries that are there.)

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

mod explained;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

#[test]
fn a_change_without_its_event_does_not_compile() {
    let libraries = libraries();
    refuses(&libraries, "unexplained_change");
    refuses(&libraries, "unexplained_statement");
    refuses(&libraries, "unexplained_twice");
}

#[test]
fn an_answer_that_was_not_masked_does_not_compile() {
    refuses(&libraries(), "unmasked_answer");
}

/// The crate and what else the cases name, as cargo has compiled them.
fn libraries() -> Vec<(&'static str, PathBuf)> {
    let cargo = env::var("CARGO").expect("cargo runs the tests");
    let mut build = Command::new(cargo);
    // What cargo tells this test of its package would make some libraries' build scripts run again.
    let own = env::vars()
        .filter(|(name, _)| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"));
    own.for_each(|(name, _)| {
        build.env_remove(name);
    });
    let built = build
        .args([
            "test",
            "--no-run",
            "--test",
            "compile_fail",
            "--locked",
            "--message-format=json",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(built.status.success(), "{built:?}");
    let lines = String::from_utf8(built.stdout).unwrap();
    let artifacts: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let library = |name: &'static str| {
        let mut artifacts = artifacts.iter();
        let is_it = |target: &Value| target["name"] == name && target["kind"][0] == "lib";
        let artifact = artifacts.find(|line| is_it(&line["target"]));
        let files = artifact.expect("it is compiled")["filenames"].as_array();
        let mut files = files.unwrap().iter().map(|file| file.as_str().unwrap());
        let file = files.find(|file| Path::new(file).extension().is_some_and(|end| end == "rlib"));
        (name, PathBuf::from(file.expect("a library")))
    };
    vec![library("muster"), library("serde_json")]
}

/// The compiler refuses the case for what stands beside it, and for nothing else.
#[track_caller]
fn refuses(libraries: &[(&str, PathBuf)], case: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail");
    let mut compiler = Command::new(env::var("RUSTC").unwrap_or_else(|_| "rustc".into()));
    compiler
        .args([
            "--edition",
            "2024",
            "--emit",
            "metadata",
            "--error-format",
            "json",
        ])
        .arg("--out-dir")
        .arg(env!("CARGO_TARGET_TMPDIR"));
    for (name, file) in libraries {
        compiler
            .arg("--extern")
            .arg(format!("{name}={}", file.display()));
    }
    let deps = env::current_exe()
        .unwrap()
        .parent()
        .unwrap()
        .display()
        .to_string();
    let run = compiler
        .arg(format!("-Ldependency={deps}"))
        .arg(folder.join(format!("{case}.rs")))
        .output()
        .expect("the compiler runs");
    let said = String::from_utf8(run.stderr).unwrap();
    let errors = said.lines().filter_map(|line| {
        let said: Value = serde_json::from_str(line).unwrap();
        let at = said["spans"]
            .as_array()?
            .iter()
            .find(|span| span["is_primary"] == true)?;
        let code = said["code"]["code"].as_str()?;
        let message = said["message"].as_str()?;
        Some(format!(
            "{}:{} {code} {message}\n",
            at["line_start"], at["column_start"]
        ))
    });
    let told: String = errors.collect();
    let expected = folder.join(format!("{case}.expected"));
    let expected = fs::read_to_string(expected).unwrap_or_default();
    assert!(!run.status.success(), "{case} compiles");
    assert_eq!(told, expected, "{case}: {said}");
}
