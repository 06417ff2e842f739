//! Legal identifiers: written, never given back, found by whole values alone.

use serde_json::{Value, json};

use super::files::{anywhere, holding};
use super::rules::{POLICY, apply};
use crate::support::{App, Client, on_both};

on_both!(
    a_legal_identifier_is_found_by_its_whole_value_alone,
    a_legal_identifier_is_in_no_file,
    what_is_shown_of_an_identifier_follows_every_change,
    who_says_the_same_again_changes_nothing,
    an_auditor_sees_that_an_identifier_changed_and_no_more,
    where_identifiers_are_classified_only_a_purpose_finds_by_them,
);

const PASSPORT: &str = "PZ-93271-4408";

fn passport(value: &str) -> Value {
    json!({"type": "passport", "country": "PT", "value": value})
}

/// The ids that a search by POST finds.
async fn search(client: &Client, filter: &str) -> Vec<String> {
    let found = client.search("/Persons", json!({"filter": filter})).await;
    assert_eq!(found.status, 200, "{filter}: {}", found.body);
    let ids = found.resources().iter();
    ids.map(|person| person["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn a_legal_identifier_is_found_by_its_whole_value_alone(app: &App) {
    let (hris, auditor) = (app.client("hris").await, app.client("auditor").await);
    let content = json!({"displayName": "Ada", "legalIdentifiers": [passport(PASSPORT)]});
    let ada = hris.create("/Persons", content).await["id"].clone();
    let content = json!({"displayName": "Bo", "legalIdentifiers": [passport("QQ-1")]});
    hris.create("/Persons", content).await;
    let ada = [ada.as_str().unwrap().to_owned()];
    for filter in [
        format!("legalIdentifiers.value eq \"{PASSPORT}\""),
        format!("legalIdentifiers eq \"{PASSPORT}\""),
        format!("legalIdentifiers[value eq \"{PASSPORT}\"]"),
        format!("legalIdentifiers[type eq \"Passport\" and value eq \"{PASSPORT}\"]"),
        format!(
            "legalIdentifiers[value eq \"{PASSPORT}\" and country eq \"pt\" and type eq \"passport\"]"
        ),
        format!("displayName eq \"Ada\" and legalIdentifiers[value eq \"{PASSPORT}\"]"),
        format!("displayName eq \"Nobody\" or legalIdentifiers[value eq \"{PASSPORT}\"]"),
    ] {
        assert_eq!(search(&auditor, &filter).await, ada, "{filter}");
    }
    for filter in [
        format!("legalIdentifiers.value eq \"{}\"", PASSPORT.to_lowercase()),
        format!("legalIdentifiers.value eq \"{}\"", &PASSPORT[1..]),
        format!("legalIdentifiers[type eq \"ssn\" and value eq \"{PASSPORT}\"]"),
        format!("legalIdentifiers[country eq \"ES\" and value eq \"{PASSPORT}\"]"),
        format!("displayName eq \"Bo\" and legalIdentifiers[value eq \"{PASSPORT}\"]"),
    ] {
        assert_eq!(search(&auditor, &filter).await, [""; 0], "{filter}");
    }
    for filter in [
        "legalIdentifiers.value sw \"PZ\"",
        "legalIdentifiers.value co \"9\"",
        "legalIdentifiers.value ne \"x\"",
        "legalIdentifiers.value gt \"x\"",
        "legalIdentifiers pr",
        "legalIdentifiers[type eq \"passport\"]",
        "legalIdentifiers[value eq \"a\" or value eq \"b\"]",
        "legalIdentifiers[value eq \"a\" and value eq \"b\"]",
        "legalIdentifiers[not (value eq \"a\")]",
        "legalIdentifiers[issuer eq \"a\" and value eq \"b\"]",
        "legalIdentifiers.value eq null",
    ] {
        let answer = auditor.search("/Persons", json!({"filter": filter})).await;
        answer.refused(400, "invalidFilter");
        let listed = auditor.list("/Persons", &[("filter", filter)]).await;
        listed.refused(403, "sensitive");
    }
}

async fn a_legal_identifier_is_in_no_file(app: &App) {
    let hris = app.client("hris").await;
    let (first, second) = ("PZ-93271-4408", "PZ-55555-4409");
    let content = json!({"displayName": "Gegenwart-0815", "legalIdentifiers": [passport(first)]});
    let made = hris.create("/Persons", content).await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    let change = json!([{"op": "add", "path": "legalIdentifiers", "value": [passport(second)]}]);
    hris.patch(&path, change).await.ok(200);
    // The search finds what is there.
    assert!(!anywhere(app, "Gegenwart-0815").is_empty());
    for secret in [first, second, &first[..8]] {
        assert_eq!(anywhere(app, secret), [""; 0]);
        assert_eq!(holding(app, secret, true), [""; 0]);
    }
    let told: String = app
        .events_of(made["id"].as_str().unwrap())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(!told.contains(first) && !told.contains(second), "{told}");
}

async fn what_is_shown_of_an_identifier_follows_every_change(app: &App) {
    let hris = app.client("hris").await;
    let content = json!({
        "displayName": "Ada",
        "legalIdentifiers": [passport(PASSPORT), {"type": "taxNumber", "country": "PT", "value": "1234567"}],
    });
    let made = hris.create("/Persons", content.clone()).await;
    let hint = |last: &str| json!({"type": "passport", "country": "PT", "lastFour": last});
    let short = json!({"type": "taxNumber", "country": "PT"});
    assert_eq!(made["legalIdentifierHints"], json!([hint("4408"), short]));
    assert!(made.get("legalIdentifiers").is_none(), "{made}");
    let id = made["id"].as_str().unwrap();
    let path = format!("/Persons/{id}");

    // A client that never sees them cannot be expected to repeat them.
    let put = hris.put(&path, json!({"displayName": "Ada L."})).await;
    assert_eq!(
        put.ok(200)["legalIdentifierHints"],
        json!([hint("4408"), short])
    );

    let change = json!([{
        "op": "replace", "path": "legalIdentifiers[type eq \"passport\"].value", "value": "PZ-00000-7777",
    }]);
    let patched = hris.patch(&path, change).await;
    let hints = &patched.ok(200)["legalIdentifierHints"];
    assert!(hints.as_array().unwrap().contains(&hint("7777")), "{hints}");
    let by = |value: &str| format!("legalIdentifiers.value eq \"{value}\"");
    assert_eq!(search(&hris, &by(PASSPORT)).await, [""; 0]);
    assert_eq!(search(&hris, &by("PZ-00000-7777")).await, [id]);
    assert_eq!(search(&hris, &by("1234567")).await, [id]);

    let change = json!([{"op": "remove", "path": "legalIdentifiers[type eq \"passport\"]"}]);
    let patched = hris.patch(&path, change).await;
    assert_eq!(patched.ok(200)["legalIdentifierHints"], json!([short]));
    assert_eq!(search(&hris, &by("PZ-00000-7777")).await, [""; 0]);

    let change = json!([{"op": "remove", "path": "legalIdentifiers"}]);
    let patched = hris.patch(&path, change).await;
    assert!(patched.ok(200).get("legalIdentifierHints").is_none());
    assert_eq!(search(&hris, &by("1234567")).await, [""; 0]);
}

async fn who_says_the_same_again_changes_nothing(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let content = json!({"displayName": "Ada", "legalIdentifiers": [passport(PASSPORT)]});
    let made = hris.create("/Persons", content.clone()).await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    let put = hris.put(&path, content).await;
    assert_eq!(put.ok(200)["meta"]["version"], made["meta"]["version"]);
    // Another system's word for the same identifier is one element, not two.
    let change = json!([{"op": "add", "path": "legalIdentifiers", "value": [passport(PASSPORT)]}]);
    let patched = ats.patch(&path, change).await;
    let hints = patched.ok(200)["legalIdentifierHints"].as_array().unwrap();
    assert_eq!(hints.len(), 1);
    assert_eq!(hris.delete(&path).await.status, 409);
}

async fn where_identifiers_are_classified_only_a_purpose_finds_by_them(app: &App) {
    let classified = "masking:\n  - { attributes: [legalIdentifiers, legalIdentifierHints], openTo: [payroll], otherwise: omit }";
    apply(app, &POLICY.replace("masking:", classified));
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let content = json!({"displayName": "Ada", "legalIdentifiers": [passport(PASSPORT)]});
    let made = hris.create("/Persons", content).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(made["legalIdentifierHints"][0]["lastFour"], "4408");
    for filter in [
        format!("legalIdentifiers.value eq \"{PASSPORT}\""),
        format!("legalIdentifiers[type eq \"passport\" and value eq \"{PASSPORT}\"]"),
    ] {
        assert_eq!(search(&hris, &filter).await, [id], "{filter}");
        // A right value and a wrong one are answered alike.
        let mut answers = Vec::new();
        for filter in [filter.clone(), filter.replace("4408", "4409")] {
            let answer = idp.search("/Persons", json!({"filter": filter})).await;
            answers.push((answer.status, answer.body["totalResults"].clone()));
        }
        assert_eq!(answers[0], answers[1], "{filter}");
    }
    let shown = idp.get(&format!("/Persons/{id}")).await;
    assert!(shown.ok(200).get("legalIdentifierHints").is_none());
}

async fn an_auditor_sees_that_an_identifier_changed_and_no_more(app: &App) {
    let (hris, auditor) = (app.client("hris").await, app.client("auditor").await);
    let content = json!({"displayName": "Ada", "legalIdentifiers": [passport(PASSPORT)]});
    let made = hris.create("/Persons", content).await;
    let filter = format!("resourceId eq \"{}\"", made["id"].as_str().unwrap());
    let events = auditor.find("/AuditEvents", &filter).await;
    let changes = events[0]["changes"].as_array().unwrap();
    let change = |path: &str| changes.iter().find(|change| change["path"] == path);
    assert_eq!(change("displayName").unwrap()["new"], "Ada");
    let secret = change("legalIdentifiers").unwrap();
    assert_eq!(*secret, json!({"path": "legalIdentifiers"}));
}
