//! What opens only with a person's consent, by itself and in queries.

use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{App, CONSENT, on_both};

on_both!(consent_opens_and_its_end_closes);

fn consent(status: &str, expires: &str) -> Value {
    json!({"consents": [{"purpose": "Hiring", "legalBasis": "consent", "status": status, "expiresAt": expires}]})
}

async fn consent_opens_and_its_end_closes(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let later = "2032-01-01T00:00:00Z";
    let with = |name: &str, given: Option<Value>| {
        let mut person = json!({"displayName": name, "legalName": format!("{name} King")});
        if let Some(given) = given {
            person[CONSENT] = given;
        }
        person
    };
    let people = [
        ("none", None, false),
        ("given", Some(consent("given", later)), true),
        ("refused", Some(consent("refused", later)), false),
        (
            "over",
            Some(consent("given", "2031-01-01T00:00:00Z")),
            false,
        ),
    ];
    let mut given = String::new();
    for (name, said, opens) in people {
        let made = hris.create("/Persons", with(name, said)).await;
        let path = format!("/Persons/{}", made["id"].as_str().unwrap());
        let seen = hris.get(&path).await;
        assert_eq!(seen.ok(200).get("legalName").is_some(), opens, "{name}");
        assert_eq!(idp.get(&path).await.ok(200).get("legalName"), None);
        if opens {
            given = path;
        }
    }
    for (filter, found) in [
        ("legalName co \"King\"", 1),
        ("legalName pr", 1),
        ("not (legalName pr)", 3),
    ] {
        assert_eq!(hris.find("/Persons", filter).await.len(), found, "{filter}");
    }
    let withdraw = json!([{"op": "replace", "path": format!("{CONSENT}:consents[purpose eq \"Hiring\"].status"), "value": "withdrawn"}]);
    let answer = hris.patch(&given, withdraw).await;
    assert_eq!(answer.ok(200).get("legalName"), None);
    assert_eq!(hris.find("/Persons", "legalName pr").await.len(), 0);
}
