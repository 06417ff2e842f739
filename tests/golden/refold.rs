//! Another policy over the same claims: simulated, then folded anew in the background.

use std::thread;

use muster::domain::catalog::Catalog;
use muster::domain::policy::load;
use serde_json::{Value, json};

use crate::support::policy::{apply, folded};
use crate::support::{App, on_both};
use crate::survivorship::{POLICY, at};

on_both!(
    a_policy_is_simulated_and_then_folds_what_is_there_anew,
    people_of_before_are_found_once_a_policy_matches
);

async fn a_policy_is_simulated_and_then_folds_what_is_there_anew(app: &App) {
    let (systems, rules) = POLICY.split_once("authority:").unwrap();
    let (_, roles) = rules.split_once("roles:\n").unwrap();
    let plain = format!("{systems}roles:\n{roles}");
    folded(app, apply(app, &plain));
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let mut people = Vec::new();
    for n in 0..250 {
        let made = hris
            .create("/Persons", json!({"externalId": format!("w{n}"), "legalName": format!("Worker {n}"), "displayName": format!("Worker number {n}")}))
            .await;
        people.push(made);
    }
    for person in people.iter().step_by(50) {
        let newer = json!([{"op": "replace", "path": "legalName", "value": "Another"}, {"op": "replace", "path": "displayName", "value": "W"}]);
        assert_eq!(
            ats.patch(&at(person), newer).await.ok(200)["legalName"],
            "Another"
        );
    }
    // Nothing is applied, and what it would change is told.
    let text = POLICY.replace("ISSUER", "https://idp.example.com");
    let policy = load(text.as_bytes(), &Catalog::load().unwrap())
        .policy
        .unwrap();
    let service = app.service().clone();
    let told = thread::spawn(move || service.simulate("default", &policy, 1, |_| {}))
        .join()
        .unwrap()
        .unwrap();
    assert_eq!((told.looked, told.changed, told.accounts_lost), (250, 5, 0));
    assert_eq!(told.effects["legalName"].changed, 5);
    assert_eq!(told.effects["legalName"].examples.len(), 3);
    let first = at(&people[0]);
    assert_eq!(hris.get(&first).await.ok(200)["legalName"], "Another");
    // Applied, it folds all of them anew, and those alone that come out otherwise get a version and an event.
    let untouched = hris.get(&at(&people[1])).await.etag().to_owned();
    let version = apply(app, POLICY);
    assert_eq!(folded(app, version), (250, 5));
    let now = hris.get(&first).await;
    assert_eq!(now.ok(200)["legalName"], "Worker 0");
    assert_eq!(now.ok(200)["displayName"], "Worker number 0");
    assert_eq!(hris.get(&at(&people[1])).await.etag(), untouched);
    assert_eq!(
        hris.find("/Persons", "legalName eq \"Another\"")
            .await
            .len(),
        0
    );
    let events = hris
        .find("/AuditEvents", "type eq \"person.refolded\"")
        .await;
    assert_eq!(events.len(), 5);
    assert_eq!(
        events[0]["reasonCode"],
        json!(format!("policy version {version}"))
    );
    let lineage = hris.get(&format!("{first}/lineage?path=legalName")).await;
    let history = lineage.ok(200)["attributes"][0]["history"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        history
            .iter()
            .any(|event: &Value| event["type"] == "person.refolded")
    );
}

async fn people_of_before_are_found_once_a_policy_matches(app: &App) {
    folded(app, apply(app, POLICY));
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let ada = json!({"name": {"givenName": "Augusta", "familyName": "Lovelace"}, "birthDate": "1985-12-10", "phoneNumbers": [{"value": "+442079460958"}]});
    let known = ats.create("/Persons", ada.clone()).await;
    folded(app, apply(app, &crate::resolution::matching()));
    let same = hris.create("/Persons", ada).await;
    assert_eq!(same["id"], known["id"]);
}
