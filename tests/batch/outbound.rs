//! `muster export`: what a client may see leaves in its system's own layout, by the mapping that reads its extracts (B-037).

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, EMPLOYEE, on_both};
use crate::{Told, command, import_shipped, shipped, told};

on_both!(
    b_037_what_came_in_by_a_mapping_leaves_by_it,
    b_037_lists_and_words_of_json_find_their_way_back,
    what_a_client_may_not_see_does_not_leave_and_what_leaves_is_logged,
    what_has_no_word_in_a_layout_is_named_and_the_rest_leaves,
);

/// `hris` sees everything, `branch` speaks for the same system and has no purpose.
const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
  - { name: ats, kind: ats, owner: Recruiting }
roles:
  people: [{ types: [Person, User, AuditEvent], rights: [read, search, write, delete] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [people], purposes: [payroll] }
  - { name: branch, issuer: "ISSUER", match: { claim: azp, equals: branch }, tenant: default, system: hris, roles: [people] }
  - { name: ats, issuer: "ISSUER", match: { claim: azp, equals: ats }, tenant: default, system: ats, roles: [people] }
masking:
  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }
"#;

/// Both examples are taken in.
fn taken_in(app: &App) {
    apply(app, POLICY);
    for (system, file) in [("hris", "hris.csv"), ("ats", "ats.json")] {
        let (done, _) = import_shipped(app, system, file);
        assert_eq!(done.code, 2, "one row of each is wrong: {}", done.text);
    }
}

/// What is written, and what is said of it.
fn export(app: &App, (system, client): (&str, &str), more: &[&str]) -> (String, Told) {
    let out = app.database.folder().join("out").display().to_string();
    let map = shipped(&format!("{system}.yaml"));
    let arguments = [
        "export", "--system", system, "--map", &map, "--client", client, "--out", &out,
    ];
    let done = told(
        &command(app, &[&arguments[..], more].concat())
            .output()
            .unwrap(),
    );
    (fs::read_to_string(out).unwrap_or_default(), done)
}

/// The rows of a CSV file without their last column, by the first.
fn rows(text: &str) -> BTreeMap<String, String> {
    let rows = text
        .trim_start_matches('\u{feff}')
        .replace("\nBuilding", "~Building");
    let rows = rows.lines().filter_map(|row| {
        let (said, _) = row.rsplit_once(';')?;
        Some((said.split(';').next()?.to_owned(), said.to_owned()))
    });
    rows.collect()
}

async fn b_037_what_came_in_by_a_mapping_leaves_by_it(app: &App) {
    taken_in(app);
    let (text, done) = export(
        app,
        ("hris", "hris"),
        &["--filter", &format!("{EMPLOYEE}:employeeNumber pr")],
    );
    assert_eq!(done.code, 0, "{}", done.text);
    assert!(done.text.contains("5 rows written"), "{}", done.text);
    let mut expected = rows(&fs::read_to_string(shipped("hris.csv")).unwrap());
    expected
        .remove("1006")
        .expect("it was rejected on its way in");
    // A day is written in the first of the patterns by which it is read.
    let day = expected.get_mut("1003").unwrap();
    *day = day.replace("1979-05-23", "23.05.1979");
    assert_eq!(rows(&text), expected);
    // What left comes in again as what is known.
    let out = app.database.folder().join("out").display().to_string();
    let arguments = [
        "import",
        "--system",
        "hris",
        "--map",
        &shipped("hris.yaml"),
        &out,
    ];
    let again = told(&command(app, &arguments).output().unwrap());
    assert!(
        again.text.contains("0 changed, 5 unchanged"),
        "{}",
        again.text
    );
}

async fn b_037_lists_and_words_of_json_find_their_way_back(app: &App) {
    taken_in(app);
    let candidates = "urn:muster:scim:schemas:extension:1.0:Candidate:status pr";
    let (text, done) = export(app, ("ats", "ats"), &["--filter", candidates]);
    assert_eq!(done.code, 0, "{}", done.text);
    let extract: Value =
        serde_json::from_str(&fs::read_to_string(shipped("ats.json")).unwrap()).unwrap();
    let mut left: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    left.sort_by_key(|row: &Value| row["id"].to_string());
    assert_eq!(left.len(), 2, "{text}");
    for (row, known) in left.iter_mut().zip(extract.as_array().unwrap()) {
        let mut known = known.clone();
        // Its own ids are texts here, and when it changed is when it changed here; an empty list is none.
        known["id"] = known["id"].to_string().into();
        known["updated_at"] = row["updated_at"].clone();
        if known["phones"] == json!([]) {
            known.as_object_mut().unwrap().remove("phones");
        }
        assert_eq!(*row, known);
    }
}

async fn what_a_client_may_not_see_does_not_leave_and_what_leaves_is_logged(app: &App) {
    taken_in(app);
    let employees = format!("{EMPLOYEE}:employeeNumber eq \"1001\"");
    let (text, done) = export(app, ("hris", "branch"), &["--filter", &employees]);
    assert!(
        done.code == 0 && !text.contains("1985"),
        "{text}{}",
        done.text
    );
    assert!(
        text.contains("1001;Lovelace, Ada;;;ada.lovelace@example.com"),
        "{text}"
    );
    let hris = app.client("hris").await;
    let read = "type eq \"person.read\" and attributes eq \"birthDate\"";
    assert_eq!(hris.find("/AuditEvents", read).await.len(), 0);
    let (text, _) = export(app, ("hris", "hris"), &["--filter", &employees]);
    assert!(text.contains("10.12.1985"), "{text}");
    let read = hris.find("/AuditEvents", read).await;
    assert_eq!(read.len(), 1);
    assert_eq!(
        (&read[0]["client"], &read[0]["purpose"]),
        (&json!("hris"), &json!("payroll"))
    );
    // It is refused for whom the policy does not know, or who speaks for another system.
    for (client, why) in [
        ("nobody", "no client 'nobody'"),
        ("ats", "speaks for the system 'ats'"),
    ] {
        let (kept, done) = export(app, ("hris", client), &[]);
        assert!(done.code == 1 && done.text.contains(why), "{}", done.text);
        assert_eq!(kept, text, "what was exported before still stands");
    }
    let (kept, done) = export(app, ("hris", "branch"), &["--filter", "birthDate pr"]);
    assert_eq!(kept, text);
    assert!(
        done.code == 1 && done.text.contains("may not search"),
        "{}",
        done.text
    );
}

async fn what_has_no_word_in_a_layout_is_named_and_the_rest_leaves(app: &App) {
    taken_in(app);
    let hris = app.client("hris").await;
    let known = hris
        .find(
            "/Persons",
            &format!("{EMPLOYEE}:employeeNumber eq \"1004\""),
        )
        .await;
    let path = format!("/Persons/{}", known[0]["id"].as_str().unwrap());
    let change = |path: &str, value: Value| json!([{"op": "add", "path": path, "value": value}]);
    let leave = change(&format!("{EMPLOYEE}:status"), json!("Pending"));
    hris.patch(&path, leave).await.ok(200);
    let known = hris
        .find(
            "/Persons",
            &format!("{EMPLOYEE}:employeeNumber eq \"1001\""),
        )
        .await;
    let other = format!("/Persons/{}", known[0]["id"].as_str().unwrap());
    let homes =
        json!([{"value": "+4915550001", "type": "home"}, {"value": "+4915550002", "type": "home"}]);
    hris.patch(&other, change("phoneNumbers", homes))
        .await
        .ok(200);
    let employees = format!("{EMPLOYEE}:employeeNumber pr");
    let (text, done) = export(app, ("hris", "hris"), &["--filter", &employees]);
    assert_eq!(done.code, 2, "{}", done.text);
    let told = format!(
        "{}: {EMPLOYEE}:status in 'Status': 'Pending' is none of Active, Inactive, Terminated",
        path.trim_start_matches("/Persons/")
    );
    assert!(done.text.contains(&told), "{}", done.text);
    assert!(
        done.text.contains("1 of 5 could not be written"),
        "{}",
        done.text
    );
    assert!(
        done.text.contains("2 values of phoneNumbers have no place"),
        "{}",
        done.text
    );
    assert_eq!(rows(&text).len(), 5, "four and the head: {text}");
}
