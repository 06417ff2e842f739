//! What is secret stays so (design §5): a stolen file shows none of it, a wrong key opens nothing, and who is erased is gone.
//!
//! | file | what it shows |
//! |---|---|
//! | `keys` | the key-encryption key: made, missing, wrong, replaced while servers run |
//! | `erasure` | who is erased is gone, and who asks is given what is kept |
//! | `idempotency` | answers that are kept to be given again |
//! | `identifiers` | legal identifiers: sealed, hinted at, found by whole values alone |
//! | `marked` | what a policy marks as secret: the same, and seen as the masking says |
//! | `logs` | all that a server says of itself, at its most talkative, searched for planted values |
//! | `files` | the raw files of both databases, searched for planted values |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod erasure;
mod files;
mod idempotency;
mod identifiers;
mod keys;
mod logs;
mod marked;
#[path = "../trust/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the built binary.
fn muster(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .env_remove("MUSTER_DATABASE_URL")
        .output()
        .expect("the binary runs")
}

/// What a command says that must succeed.
fn done(arguments: &[&str]) -> String {
    let output = muster(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{errors}");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// What a command says that must fail with this code.
fn refused(code: i32, arguments: &[&str]) -> String {
    let output = muster(arguments);
    let message = String::from_utf8(output.stderr).expect("it prints text");
    assert_eq!(output.status.code(), Some(code), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// Writes a file into a folder.
fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the file can be written");
    path
}
