//! What a human has said of two persons binds their source records when these come again.

use serde_json::{Value, json};

use crate::resolution::{ada, matching};
use crate::support::policy::apply;
use crate::support::{App, Client, on_both};
use crate::survivorship::at;

on_both!(
    a_rejected_pair_is_not_asked_again,
    it_binds_from_either_side_and_without_an_id,
    an_address_that_is_vouched_for_does_not_link_a_rejected_pair,
    new_evidence_asks_again_and_the_answer_holds,
    who_is_taken_apart_is_not_linked_again
);

fn byron(external_id: Option<&str>) -> Value {
    let mut byron = json!({"name": {"givenName": "Byron", "familyName": "Lovelace"}, "phoneNumbers": [{"value": "+442079460958"}],
        "emails": [{"value": "augusta.lovelace77@example.org", "type": "home"}]});
    if let Some(id) = external_id {
        byron["externalId"] = id.into();
    }
    byron
}

async fn open_reviews(client: &Client) -> Vec<Value> {
    client
        .find("/Reviews", "kind eq \"match\" and status eq \"open\"")
        .await
}

/// Decides the one open review.
async fn decide(client: &Client, status: &str) {
    let mut open = open_reviews(client).await;
    assert_eq!(open.len(), 1, "{open:?}");
    let review = open.remove(0);
    let decided = json!([{"op": "replace", "path": "status", "value": status}]);
    let path = format!("/Reviews/{}", review["id"].as_str().unwrap());
    client.patch(&path, decided).await.ok(200);
}

/// Issue: a rejected pair is not proposed again when the same source record comes again; another source record is.
async fn a_rejected_pair_is_not_asked_again(app: &App) {
    apply(app, &matching());
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let known = ats.create("/Persons", ada()).await;
    let other = hris.create("/Persons", byron(Some("w7"))).await;
    decide(&hris, "rejected").await;
    hris.delete(&at(&other)).await.ok(204);
    let again = hris.create("/Persons", byron(Some("w7"))).await;
    assert!(again["id"] != other["id"] && again["id"] != known["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
    // One like Byron in all is Byron, whose twin a guard keeps out.
    let byron_too = crm.create("/Persons", byron(Some("x1"))).await;
    assert_eq!(byron_too["id"], again["id"]);
    // What another system says of somebody alike has not been decided.
    let mut annabella = byron(Some("x2"));
    annabella["name"]["givenName"] = "Annabella".into();
    crm.create("/Persons", annabella).await;
    let open = open_reviews(&hris).await;
    assert_eq!(open.len(), 1, "{open:?}");
}

/// Issue: the decision is of two source records, whichever of them comes again, with a system's own id or without.
async fn it_binds_from_either_side_and_without_an_id(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    let other = hris.create("/Persons", byron(None)).await;
    decide(&hris, "rejected").await;
    ats.delete(&at(&known)).await.ok(204);
    let again = ats.create("/Persons", ada()).await;
    assert_ne!(again["id"], other["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
    hris.delete(&at(&other)).await.ok(204);
    let again = hris.create("/Persons", byron(None)).await;
    assert_ne!(again["id"], known["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
}

/// Nor by a key: what two trusted systems vouch for is weighed where a human has said that they are two.
async fn an_address_that_is_vouched_for_does_not_link_a_rejected_pair(app: &App) {
    apply(app, &matching());
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let mut known = ada();
    known["externalId"] = "w1".into();
    let known = hris.create("/Persons", known).await;
    let same = json!({"externalId": "i1", "name": {"givenName": "Augusta", "familyName": "Lovelace"}, "emails": ada()["emails"]});
    let account = idp.create("/Persons", same.clone()).await;
    assert_eq!(
        account["id"], known["id"],
        "the address is verified on both sides"
    );
    let order = json!({"system": "idp", "reason": "another Augusta"});
    let apart = hris.order(&format!("{}/split", at(&known)), order).await;
    let apart = apart.ok(201).clone();
    assert_ne!(apart["id"], known["id"]);
    idp.delete(&at(&apart)).await.ok(204);
    let again = idp.create("/Persons", same).await;
    assert_ne!(again["id"], known["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
}

/// Issue: a verified address that was not known then opens a new review; once that is approved, the record is linked.
async fn new_evidence_asks_again_and_the_answer_holds(app: &App) {
    apply(app, &matching());
    let (hris, ats, idp) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("idp").await,
    );
    let user = |person: &Value| format!("/Users/{}", person["id"].as_str().unwrap());
    let account = |mut person: Value| {
        person["userName"] = "lovelace".into();
        person
    };
    let known = ats.create("/Persons", ada()).await;
    let mut given = ada();
    given["externalId"] = "w7".into();
    given["name"]["givenName"] = "Byron".into();
    given
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["birthDate", "emails"].contains(&name.as_str()));
    let other = idp.create("/Users", account(given)).await;
    decide(&hris, "rejected").await;
    idp.delete(&user(&other)).await.ok(204);
    // An address that it vouches for, and her name: without the decision she would be linked.
    let mut told = ada();
    told["externalId"] = "w7".into();
    told.as_object_mut().unwrap().remove("birthDate");
    let told = account(told);
    let reopened = idp.create("/Users", told.clone()).await;
    assert_ne!(
        reopened["id"], known["id"],
        "a human decides what a human has decided"
    );
    let open = open_reviews(&hris).await;
    assert_eq!(open[0]["candidates"][0]["value"], known["id"]);
    assert_eq!(open[0]["candidates"][0]["guard"], "newEvidence");
    decide(&hris, "approved").await;
    assert_eq!(hris.get(&at(&reopened)).await.status, 308);
    // The later decision is the one that holds.
    idp.delete(&user(&reopened)).await.ok(204);
    let linked = idp.create("/Users", told).await;
    assert_eq!(linked["id"], known["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
}

/// who was linked by mistake and taken apart again is not linked again.
async fn who_is_taken_apart_is_not_linked_again(app: &App) {
    apply(app, &matching());
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let known = ats.create("/Persons", ada()).await;
    let mut twin = ada();
    twin["externalId"] = "w7".into();
    assert_eq!(
        hris.create("/Persons", twin.clone()).await["id"],
        known["id"]
    );
    let order = json!({"system": "hris", "reason": "her twin"});
    let apart = hris.order(&format!("{}/split", at(&known)), order).await;
    let apart = apart.ok(201).clone();
    hris.delete(&at(&apart)).await.ok(204);
    let again = hris.create("/Persons", twin).await;
    assert_ne!(again["id"], known["id"]);
    assert_eq!(open_reviews(&hris).await.len(), 0);
}
