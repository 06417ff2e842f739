//! `Provenance.resolution`: how it was decided who somebody is, for who asks.

use serde_json::{Value, json};

use crate::resolution::{ada, matching};
use crate::support::policy::apply;
use crate::support::{App, Client, on_both};
use crate::survivorship::at;

on_both!(
    a_person_says_how_it_was_decided_who_it_is,
    whom_a_reader_may_not_know_of_is_not_named
);

const PROVENANCE: &str = "urn:muster:scim:schemas:extension:1.0:Provenance";

async fn resolution_of(reader: &Client, person: &Value) -> Value {
    let asked = format!("{}?attributes={PROVENANCE}:resolution", at(person));
    reader.get(&asked).await.ok(200)[PROVENANCE]["resolution"].clone()
}

/// linked, asked about, or new and flagged for reconciliation; and what a human has said since.
async fn a_person_says_how_it_was_decided_who_it_is(app: &App) {
    apply(app, &matching());
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let known = ats.create("/Persons", ada()).await;
    let first = resolution_of(&hris, &known).await;
    assert_eq!(
        first,
        json!({"decision": "new", "flagged": false}),
        "nobody is like her"
    );

    let same = json!({"name": {"givenName": "Augusta", "familyName": "Lovelase"}, "birthDate": "1985-12-10",
        "phoneNumbers": [{"value": "+442079460958"}]});
    crm.create("/Persons", same).await;
    let linked = resolution_of(&hris, &known).await;
    assert_eq!(
        (&linked["decision"], &linked["matchedPerson"]),
        (&json!("linked"), &known["id"])
    );
    assert!(linked["score"].as_f64().unwrap() > 90.0, "{linked}");
    assert!(
        linked["decidedBy"].is_string() && linked["flagged"] == false,
        "{linked}"
    );

    let maybe = json!({"name": {"givenName": "Byron", "familyName": "Lovelace"}, "phoneNumbers": [{"value": "+442079460958"}],
        "emails": [{"value": "augusta.lovelace77@example.org", "type": "home"}]});
    let other = hris.create("/Persons", maybe).await;
    let asked = resolution_of(&hris, &other).await;
    assert_eq!(
        (&asked["decision"], &asked["flagged"]),
        (&json!("review"), &json!(true))
    );
    assert_eq!(asked["matchedPerson"], known["id"]);
    let review = hris
        .find("/Reviews", "kind eq \"match\" and status eq \"open\"")
        .await
        .remove(0);
    let rejected = json!([{"op": "replace", "path": "status", "value": "rejected"}]);
    hris.patch(
        &format!("/Reviews/{}", review["id"].as_str().unwrap()),
        rejected,
    )
    .await
    .ok(200);
    assert_eq!(
        resolution_of(&hris, &other).await["flagged"],
        false,
        "somebody has looked"
    );

    // The same family and day, and nothing else: under the line.
    let far = json!({"name": {"givenName": "Augusta", "familyName": "Lovelace"}, "birthDate": "1958-03-02",
        "addresses": [{"type": "home", "streetAddress": "1 High Street", "locality": "Leeds", "country": "GB"}]});
    let new = app.client("idp").await.create("/Persons", far).await;
    let told = resolution_of(&hris, &new).await;
    assert_eq!(
        (&told["decision"], &told["flagged"]),
        (&json!("new"), &json!(true)),
        "{told}"
    );

    let order = json!({"with": new["id"], "reason": "she said so"});
    hris.order(&format!("{}/merge", at(&other)), order)
        .await
        .ok(200);
    let merged = resolution_of(&hris, &other).await;
    assert_eq!(
        merged,
        json!({"decision": "merged", "matchedPerson": new["id"], "decidedBy": "hris", "flagged": false})
    );
    // It is told to who asks alone.
    let plain = hris.get(&at(&other)).await;
    assert!(plain.ok(200)[PROVENANCE]["resolution"].is_null());
}

/// The person that it was matched with is beyond what this reader's role reaches: it sees the decision, and not with whom.
async fn whom_a_reader_may_not_know_of_is_not_named(app: &App) {
    let bounded = matching()
        .replace("  steward:", "  byrons: [{ types: [Person], rights: [read], where: 'name.givenName eq \"Byron\"' }]\n  steward:")
        .replace("system: crm, roles: [people]", "system: crm, roles: [byrons]");
    apply(app, &bounded);
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let known = ats.create("/Persons", ada()).await;
    let maybe = json!({"name": {"givenName": "Byron", "familyName": "Lovelace"}, "phoneNumbers": [{"value": "+442079460958"}],
        "emails": [{"value": "augusta.lovelace77@example.org", "type": "home"}]});
    let other = hris.create("/Persons", maybe).await;
    assert_eq!(crm.get(&at(&known)).await.status, 404);
    let (whole, part) = (
        resolution_of(&hris, &other).await,
        resolution_of(&crm, &other).await,
    );
    assert_eq!(whole["matchedPerson"], known["id"]);
    assert_eq!(
        (&part["decision"], &part["matchedPerson"]),
        (&json!("review"), &Value::Null)
    );
}
