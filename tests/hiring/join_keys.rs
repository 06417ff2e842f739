//! The join keys in use, counted and ranked by the command line (B-035, B-081).

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::process::Process;
use crate::support::{App, Client, on_both};

on_both!(
    b_035_join_keys_in_use_are_counted_and_ranked,
    b_081_email_is_the_riskiest_key_though_nobody_shares_one,
    a_tenant_without_records_has_no_join_keys
);

fn keys(app: &App, more: &[&str]) -> (bool, String) {
    let folder = app.database.folder().to_str().unwrap();
    let place = ["--data-dir", folder, "--database-url", app.database.url()];
    let output = Process::command(&[&["resolve", "keys"], &place[..], more].concat());
    let said = String::from_utf8(output.stdout).unwrap();
    (output.status.success(), said)
}

fn report(app: &App) -> Vec<Value> {
    let (_, text) = keys(app, &["--tenant", "default", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    report["keys"].as_array().unwrap().clone()
}

/// Records, values, shared values and the largest group of a key; its rank.
fn row(report: &[Value], record: &str, name: &str) -> (Value, String) {
    let found = report
        .iter()
        .find(|row| row["record"] == record && row["key"] == name);
    let row = found.unwrap_or_else(|| panic!("no {name} of {record} in {report:?}"));
    let counts = ["records", "values", "sharedValues", "largestGroup"].map(|name| &row[name]);
    (json!(counts), row["risk"].as_str().unwrap().to_owned())
}

async fn person(ats: &Client, name: &str, email: &str, phone: &str, legal: &str) -> Value {
    let body = json!({
        "externalId": format!("c-{name}"), "name": {"givenName": name, "familyName": "Okafor"}, "birthDate": "1990-04-01",
        "emails": [{"value": email, "type": "home"}], "phoneNumbers": [{"value": phone, "type": "mobile"}],
        "externalIdentifiers": called("greenhouse", "candidate_id", &format!("gc-{name}")),
        "legalIdentifiers": [{"type": "ssn", "country": "US", "value": legal}],
    });
    ats.create("/Persons", body).await
}

/// B-035: each key with who holds it, from the riskiest to the safest; no value of anybody's is printed.
async fn b_035_join_keys_in_use_are_counted_and_ranked(app: &App) {
    let (ats, _) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    let ann = person(
        &ats,
        "Ann",
        "info@port.example",
        "+442079460958",
        "078-05-1120",
    )
    .await;
    person(
        &ats,
        "Bea",
        "bea+jobs@home.example",
        "+442079460958",
        "078-05-1121",
    )
    .await;
    person(
        &ats,
        "Cyd",
        "INFO@port.example",
        "+442079460959",
        "078-05-1122",
    )
    .await;
    let application = ats
        .create("/Applications", applying(&ann, &job, "ga-1"))
        .await;
    for attempt in ["t-1", "t-2"] {
        let body = json!({"application": to(&application), "occurredAt": "2031-02-20T09:00:00Z", "vendor": "codepad",
            "attemptId": attempt, "result": "pass"});
        ats.create("/Assessments", body).await;
    }
    let report = report(app);
    let high = |counts: [usize; 4]| (json!(counts), "high".to_owned());
    let low = |counts: [usize; 4]| (json!(counts), "low".to_owned());
    assert_eq!(row(&report, "Person", "email"), high([3, 2, 1, 2]));
    assert_eq!(row(&report, "Person", "phone"), high([3, 2, 1, 2]));
    let named = row(&report, "Person", "nameAndBirthDate");
    assert_eq!(named, (json!([3, 3, 0, 1]), "medium".to_owned()));
    let legal = row(&report, "Person", "legalIdentifier");
    assert_eq!(legal, low([3, 3, 0, 1]));
    for (record, name, counts) in [
        ("Person", "ats:externalId", [3, 3, 0, 1]),
        ("Person", "greenhouse:candidate_id", [3, 3, 0, 1]),
        ("Application", "greenhouse:application_id", [1, 1, 0, 1]),
        ("Requisition", "greenhouse:job_id", [1, 1, 0, 1]),
        ("Assessment", "codepad:attemptId", [2, 2, 0, 1]),
    ] {
        assert_eq!(row(&report, record, name), low(counts), "{record} {name}");
    }
    let ranks: Vec<&str> = report
        .iter()
        .map(|row| row["risk"].as_str().unwrap())
        .collect();
    assert_eq!(
        ranks,
        [
            "high", "high", "medium", "low", "low", "low", "low", "low", "low"
        ]
    );
    assert_eq!(report[0]["key"], "email");
    assert_eq!(
        (&report[0]["roleAddressPercent"], &report[0]["aliasPercent"]),
        (&json!(50.0), &json!(50.0))
    );
    let (_, table) = keys(app, &[]);
    assert!(
        table.contains("role addresses 50.0 %, aliases 50.0 %"),
        "{table}"
    );
    let told = format!("{table}{report:?}");
    for value in [
        "@",
        "home.example",
        "Okafor",
        "Ann",
        "1990",
        "4207946",
        "078",
        "1120",
        "gc-",
        "c-A",
        "t-1",
    ] {
        assert!(!told.contains(value), "{value} is in {told}");
    }
}

/// B-081, B-035: e-mail ranks first by its nature; two who share a legal identifier are seen without opening it.
async fn b_081_email_is_the_riskiest_key_though_nobody_shares_one(app: &App) {
    let (ats, _) = set(app, "").await;
    let number = "078-05-1120";
    person(&ats, "Ann", "ann@home.example", "+442079460958", number).await;
    person(&ats, "Bea", "bea@home.example", "+442079460959", number).await;
    let report = report(app);
    assert_eq!(report[0]["key"], "email", "{report:?}");
    let high = |counts: [usize; 4]| (json!(counts), "high".to_owned());
    assert_eq!(row(&report, "Person", "email"), high([2, 2, 0, 1]));
    let legal = row(&report, "Person", "legalIdentifier");
    assert_eq!(legal, high([2, 1, 1, 2]));
    let (_, phone) = row(&report, "Person", "phone");
    assert_eq!(phone, "medium");
}

async fn a_tenant_without_records_has_no_join_keys(app: &App) {
    assert_eq!(report(app), Vec::<Value>::new());
    let (is_done, text) = keys(app, &[]);
    assert!(
        is_done && text.starts_with("no record of 'default'"),
        "{text}"
    );
    let (is_done, _) = keys(app, &["--tenant", "nobody"]);
    assert!(!is_done);
}
