//! What requests leave in the log that change nothing (design §4): reads of what is classified, and refusals.

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, on_both};

on_both!(
    reads_of_what_is_classified_are_logged_with_their_purpose,
    refusals_are_logged_with_their_reason
);

fn of_type(app: &App, kind: &str) -> Vec<Value> {
    let events = app.service().events(0, 10_000).unwrap();
    let events = events.into_iter().map(|(_, event)| event);
    events
        .filter(|event| event["type"].as_str().unwrap().starts_with(kind))
        .collect()
}

async fn reads_of_what_is_classified_are_logged_with_their_purpose(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    let path = format!("/Persons/{id}");
    let before = of_type(app, "person.read").len();
    hris.get(&path).await.ok(200);
    let reads = of_type(app, "person.read");
    let read = &reads[before];
    assert_eq!(read["client"], "hris");
    assert_eq!(read["personId"], id.as_str());
    assert_eq!(read["subjects"], json!([id]));
    assert_eq!(read["purpose"], "employment payroll");
    assert!(read["attributes"].to_string().contains("birthDate"));
    assert!(!read.to_string().contains("1815"), "no value: {read}");
    // What it does not show it does not log, and who sees nothing classified leaves nothing.
    hris.get(&format!("{path}?attributes=displayName"))
        .await
        .ok(200);
    idp.get(&path).await.ok(200);
    idp.get("/Persons").await.ok(200);
    assert_eq!(of_type(app, "person.read").len(), before + 1);
    // One event a request, with all whom it is of; also a search by it that finds nobody.
    ada_again(&hris).await;
    let before = of_type(app, "person.read").len();
    hris.get("/Persons").await.ok(200);
    hris.find("/Persons", "birthDate eq \"1999-01-01\"").await;
    let reads = of_type(app, "person.read");
    assert_eq!(reads.len(), before + 2);
    assert_eq!(reads[before]["subjects"].as_array().unwrap().len(), 2);
    assert_eq!(reads[before + 1]["attributes"], json!(["birthDate"]));
    assert_eq!(reads[before + 1]["purpose"], "payroll");
}

async fn ada_again(hris: &crate::support::Client) {
    hris.create(
        "/Persons",
        json!({"displayName": "Eve", "birthDate": "1900-01-01"}),
    )
    .await;
}

async fn refusals_are_logged_with_their_reason(app: &App) {
    apply(app, POLICY);
    let (idp, crm) = (app.client("idp").await, app.client("crm").await);
    app.stranger().get("/Users").await.refused(401, "");
    crm.get("/Users").await.refused(403, "");
    idp.create("/Users", json!({"userName": "ada"})).await;
    idp.post("/Users", json!({"userName": "ada"}))
        .await
        .refused(409, "uniqueness");
    idp.get("/Users/nobody").await.refused(404, "");
    let refused = of_type(app, "request.refused");
    let told: Vec<(&str, &str, &str)> = refused
        .iter()
        .map(|event| {
            let text = |name: &str| event[name].as_str().unwrap_or_default();
            (text("type"), text("client"), text("resourceType"))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("request.refused.401", "", "User"),
            ("request.refused.403", "crm", "User"),
            ("request.refused.409", "idp", "User")
        ]
    );
    assert_eq!(refused[2]["reasonCode"], "uniqueness");
    assert!(
        refused[2]["detail"]["why"]
            .as_str()
            .unwrap()
            .contains("userName")
    );
    // They are bounded: a flood is counted, not kept.
    for _ in 0..150 {
        crm.get("/Users").await.refused(403, "");
    }
    let kept = of_type(app, "request.refused");
    assert!(kept.len() < 140, "{}", kept.len());
}
