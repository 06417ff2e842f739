//! Every event of the log keeps to the contract of its type (A-072, A-119, B-036).

use std::collections::{BTreeMap, BTreeSet};

use muster::domain::contract::event_types;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{App, Client, on_both};
use crate::validator::{Validator, published};

on_both!(every_event_is_valid_by_its_type);

/// Who may see what, so that reading is an event.
const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR }
  - { name: crm, kind: crm, owner: Sales }
roles:
  all: [{ types: ["*"], rights: [read, search, write, delete] }]
  sales: [{ types: [Person], rights: [read] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [all], purposes: [payroll] }
  - { name: crm, issuer: "ISSUER", match: { claim: azp, equals: crm }, tenant: default, system: crm, roles: [sales] }
masking:
  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }
"#;

/// What a system, a merge, a split, an erasure and refusals leave in the log.
async fn story(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let make = async |name: &str| {
        let born = json!({"displayName": name, "birthDate": "1990-02-01"});
        let made = hris.create("/Persons", born).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let (ada, twin, bo) = (make("Ada").await, make("Ada B").await, make("Bo").await);
    let path = format!("/Persons/{ada}");
    let name = |name: &str| json!([{"op": "replace", "path": "displayName", "value": name}]);
    hris.patch(&path, name("Ada Byron")).await.ok(200);
    hris.patch(&path, name("Ada Byron")).await.ok(200);
    hris.get(&path).await.ok(200);
    crm.patch(&path, name("Al")).await.refused(403, "");
    app.stranger().get(&path).await.refused(401, "");
    let account = json!({"userName": "bo", "externalId": "e-7"});
    let user = hris.create("/Users", account.clone()).await;
    hris.post("/Users", account)
        .await
        .refused(409, "uniqueness");
    let stale = [("if-match", "W/\"0\"")];
    hris.patch_if(&path, &stale, name("Ad"))
        .await
        .refused(412, "");
    let group = hris
        .create("/Groups", json!({"displayName": "Engines", "members": []}))
        .await;
    let members = json!([{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]);
    let group = format!("/Groups/{}", group["id"].as_str().unwrap());
    hris.patch(&group, members).await.ok(200);
    hris.delete(&group).await.ok(204);
    let merge = json!({"with": twin, "reason": "the same person"});
    hris.order(&format!("{path}/merge"), merge).await.ok(200);
    let erase = [("muster-erase", "asked to be forgotten")];
    let bo = format!("/Persons/{bo}");
    hris.send(Method::DELETE, &bo, &erase, None).await.ok(204);
    hris.delete(&path).await.ok(204);
}

async fn every_event_is_valid_by_its_type(app: &App) {
    story(app).await;
    let types = check_log(app, &app.client("hris").await).await;
    for wanted in [
        "person.created",
        "person.erased",
        "person.read",
        "person.merged",
        "group.members.changed",
        "policy.applied",
        "request.refused.403",
    ] {
        assert!(types.contains(wanted), "{wanted} is not in {types:?}");
    }
}

/// Holds every event of the log to the contract of its type, and every event that `client` finds in the feed; the types that
/// there are.
pub(crate) async fn check_log(app: &App, client: &Client) -> BTreeSet<String> {
    let service = app.service().clone();
    let events = std::thread::spawn(move || service.events(0, 1000).unwrap());
    let kept = events.join().unwrap().into_iter().map(|(_, event)| event);
    let feed = client.get("/Events?count=1000&wait=10").await;
    let told = feed.ok(200)["events"].as_array().unwrap().clone();
    assert!(!told.is_empty());
    let known = event_types();
    let mut by_type: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for event in kept.chain(told) {
        let ty = event["type"].as_str().unwrap().to_owned();
        assert!(known.contains(&ty), "{ty} has no contract");
        by_type.entry(ty).or_default().push(event);
    }
    for (ty, events) in &by_type {
        let validator = Validator::new(&published(app, ty).await);
        for event in events {
            validator.accept(event);
            let mut other = event.clone();
            other["type"] = json!("person.promoted");
            assert!(validator.complaint(&other).is_some(), "{other}");
            let mut silent = event.clone();
            silent.as_object_mut().unwrap().remove("correlationId");
            assert!(validator.complaint(&silent).is_some(), "{silent}");
        }
    }
    by_type.into_keys().collect()
}
