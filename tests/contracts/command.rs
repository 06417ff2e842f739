//! `muster contract check`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::published::contracts;

/// What the command says of two schemas, and its exit code.
fn check(older: &str, newer: &str) -> (Option<i32>, String) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let files = [
        ("contract-older.json", older),
        ("contract-newer.json", newer),
    ]
    .map(|(name, text)| {
        let file = folder.join(name);
        fs::write(&file, text).unwrap();
        file
    });
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["contract", "check"])
        .args(files)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[test]
fn a_command_names_what_breaks() {
    let schema: Value = contracts().swap_remove(0).schema;
    let older = schema.to_string();
    assert_eq!(check(&older, &older), (Some(0), String::new()));
    let mut newer = schema;
    newer["required"] = json!(["candidateId", "primaryEmail", "createdAt", "phone"]);
    let (code, text) = check(&older, &newer.to_string());
    assert_eq!(code, Some(1));
    assert!(
        text.starts_with("the whole: 'phone' is required now\n"),
        "{text}"
    );
    let (code, text) = check(&older, "no JSON");
    assert_eq!(code, Some(2));
    assert!(text.contains("contract-newer.json"), "{text}");
}
