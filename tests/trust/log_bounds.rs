//! A role that reaches a part of the log, and readers of the feed before whom something is hidden.

use serde_json::{Value, json};

use super::rules::{POLICY, apply};
use crate::support::{App, CUSTOMER, Client, on_both};

on_both!(
    what_bounds_a_role_bounds_the_log_in_every_total,
    the_feed_is_silent_about_what_is_hidden,
);

fn policy(rows: &str) -> String {
    let client = "  - { name: auditor, issuer: \"ISSUER\", match: { claim: azp, equals: auditor }, tenant: default, system: ats, roles: [log] }\n";
    POLICY
        .replacen("roles:\n", &format!("roles:\n  log: [{rows}]\n"), 1)
        .replacen("clients:\n", &format!("clients:\n{client}"), 1)
}

async fn types(client: &Client, query: &str) -> (u64, Vec<String>) {
    let told = client.get(&format!("/AuditEvents{query}")).await;
    let told = told.ok(200);
    let events = told["Resources"].as_array().unwrap().iter();
    let types = events.map(|event| event["type"].as_str().unwrap().to_owned());
    (told["totalResults"].as_u64().unwrap(), types.collect())
}

async fn what_bounds_a_role_bounds_the_log_in_every_total(app: &App) {
    let row =
        "{ types: [AuditEvent], rights: [read, search], where: 'type eq \"person.created\"' }";
    apply(app, &policy(row));
    let hris = app.client("hris").await;
    let made = hris.create("/Persons", json!({"displayName": "Ada"})).await;
    hris.create("/Users", json!({"userName": "bo"})).await;
    hris.create("/Groups", json!({"displayName": "all"})).await;
    let auditor = app.client("auditor").await;
    let (total, all) = types(&auditor, "").await;
    assert_eq!((total, all), (2, vec!["person.created".to_owned(); 2]));
    assert_eq!(
        types(&auditor, "?filter=type%20sw%20%22g%22").await,
        (0, Vec::new())
    );
    let events = app.service().events(0, 1000).unwrap();
    for (_, event) in &events {
        let path = format!("/AuditEvents/{}", event["eventId"].as_str().unwrap());
        let status = auditor.get(&path).await.status;
        let wanted = if event["type"] == "person.created" {
            200
        } else {
            404
        };
        assert_eq!(status, wanted, "{event}");
    }
    // What it may not read it cannot ask for.
    let row = "{ types: [AuditEvent], rights: [read, search], attributes: [AuditEvent.type] }";
    apply(app, &policy(row));
    let filter = format!("personId eq \"{}\"", made["id"].as_str().unwrap());
    let refused = auditor.list("/AuditEvents", &[("filter", &filter)]).await;
    assert!(refused.refused(403, "").contains("'personId'"));
    let shown = auditor
        .find("/AuditEvents", "type eq \"person.created\"")
        .await;
    assert!(
        shown.len() == 2 && shown.iter().all(|event| event.get("personId").is_none()),
        "{shown:?}"
    );
}

async fn the_feed_is_silent_about_what_is_hidden(app: &App) {
    let users = policy("{ types: [User], rights: [read] }");
    let matching = "matching: { mergeAbove: 90, reviewFrom: 70, model: builtin }\n";
    apply(app, &(users + matching));
    let hris = app.client("hris").await;
    let ada = |id: &str, born: &str| {
        json!({"externalId": id, "displayName": "Ada Lovelace", "name": {"givenName": "Ada", "familyName": "Lovelace"},
               "birthDate": born, CUSTOMER: {"status": "lead"}, "emails": [{"value": "ada@corp.example", "type": "work"}]})
    };
    let person = hris.create("/Persons", ada("1", "1985-12-10")).await;
    let path = format!("/Persons/{}", person["id"].as_str().unwrap());
    hris.create("/Persons", ada("2", "1990-01-01")).await;
    hris.patch(
        &path,
        json!([{"op": "replace", "path": "birthDate", "value": "1985-12-11"}]),
    )
    .await
    .ok(200);
    hris.patch(
        &path,
        json!([{"op": "replace", "path": "displayName", "value": "Ada King"}]),
    )
    .await
    .ok(200);
    let told = |name: &'static str| async move {
        let client = app.client(name).await;
        let (mut heard, mut next) = (Vec::new(), String::from("0"));
        loop {
            let told = client.get(&format!("/Events?after={next}&wait=3")).await;
            next = match &told.ok(200)["next"] {
                Value::String(sealed) => sealed.clone(),
                position => position.to_string(),
            };
            let events = told.body["events"].as_array().unwrap();
            if events.is_empty() {
                break;
            }
            heard.extend(events.clone());
        }
        heard.retain(|event: &Value| event["resourceType"] == "Person");
        heard
    };
    let updates = |heard: &[Value]| {
        heard
            .iter()
            .filter(|event| event["type"] == "person.updated")
            .count()
    };
    let (of_hris, of_idp) = (told("hris").await, told("idp").await);
    // Whoever reads accounts alone, or customers alone, hears of what it might see.
    assert!(updates(&told("auditor").await) > 0);
    assert_eq!(updates(&told("crm").await), 1);
    assert_eq!((updates(&of_hris), updates(&of_idp)), (2, 1), "{of_idp:?}");
    let trace = |heard: &[Value]| {
        let details = heard.iter().filter_map(|event| event["detail"].as_str());
        let details: Vec<&str> = details
            .filter(|detail| detail.contains("\"resolution\""))
            .collect();
        details.concat()
    };
    assert!(trace(&of_idp).contains("comparisons"), "{of_idp:?}");
    for sum in ["score", "probability", "among", "guard", "birthDate"] {
        assert!(!trace(&of_idp).contains(sum), "{sum}: {}", trace(&of_idp));
    }
}
