//! Mapping files: every mistake has its place, and what would be right.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::{App, on_both};
use crate::{import_shipped, shipped, told};

on_both!(the_shipped_examples_are_taken_in);

fn check(file: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["mapping", "check", file])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/batch"))
        .output()
        .unwrap();
    let told = told(&output);
    (told.code, told.text)
}

/// B-007, B-019: a mapping is checked by the integration layer, to the line and column, with the nearest name.
#[test]
fn every_mistake_of_a_mapping_is_told_with_its_place() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/batch/bad/mapping.check");
    let (code, text) = check("bad/mapping.yaml");
    assert_eq!(code, 1);
    let expected = fs::read_to_string(golden).unwrap();
    assert_eq!(
        text, expected,
        "tests/batch/bad/mapping.check has what was expected"
    );
}

#[test]
fn the_shipped_examples_have_no_mistake() {
    for name in ["hris.yaml", "ats.yaml"] {
        let (code, text) = check(&shipped(name));
        assert!(code == 0 && text.contains("0 errors, 0 warnings"), "{text}");
    }
}

/// inconsistent vendor schemas are absorbed by data: columns, JSON paths, converters.
async fn the_shipped_examples_are_taken_in(app: &App) {
    let (done, rejects) = import_shipped(app, "hris", "hris.csv");
    assert_eq!(done.code, 2, "{}", done.text);
    assert!(done.text.contains("6 rows: 5 created"), "{}", done.text);
    assert!(
        rejects.contains("30.02.1990") && rejects.contains("\"line\":8"),
        "{rejects}"
    );
    let (done, rejects) = import_shipped(app, "ats", "ats.json");
    assert!(
        done.code == 2 && done.text.contains("3 rows: 2 created"),
        "{}",
        done.text
    );
    assert!(rejects.contains("'sleeping' is none of new"), "{rejects}");
    let hris = app.client("hris").await;
    let found = hris
        .get("/Persons?filter=name.familyName%20eq%20%22Hopper%22")
        .await
        .ok(200)
        .clone();
    let grace = &found["Resources"][0];
    assert_eq!(grace["name"]["givenName"], "Grace \"Amazing\"");
    assert_eq!(grace["externalId"], "1002");
    assert_eq!(grace["birthDate"], "1986-12-09");
    assert_eq!(grace["nationalities"], json!(["US", "CA"]));
    assert_eq!(
        grace["addresses"][0]["streetAddress"],
        "1 Navy Yard\nBuilding 2"
    );
    assert_eq!(
        grace["emails"][0],
        json!({"value": "grace.hopper@example.com", "type": "work", "primary": true})
    );
    let found = hris
        .get("/Persons?filter=emails.value%20eq%20%22ada@private.example%22")
        .await
        .ok(200)
        .clone();
    let ada = &found["Resources"][0];
    assert_eq!(
        ada["name"],
        json!({"familyName": "Lovelace", "givenName": "Ada"})
    );
    let candidate = &ada["urn:muster:scim:schemas:extension:1.0:Candidate"];
    assert_eq!(candidate["skills"], json!(["mathematics", "poetry"]));
    assert_eq!(candidate["noticePeriodDays"], 30);
}
