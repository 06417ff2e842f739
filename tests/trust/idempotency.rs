//! A repeated request is answered with what its caller may do and see today (B-067, A-077, A-078).

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{App, CONSENT, CUSTOMER, PERSON, on_both};

on_both!(
    who_lost_a_right_or_is_shut_out_is_told_nothing_again,
    under_another_policy_the_record_is_shown_as_it_may_be_seen_now,
    an_unchanged_sight_is_answered_to_the_byte,
    a_consent_that_has_ended_closes_the_answer_too,
    what_is_out_of_reach_by_now_is_404,
    a_bulk_answer_is_repeated_without_what_may_not_be_seen_now,
    what_is_classified_is_logged_when_it_is_shown_again,
    a_policy_names_the_headers_and_the_window,
);

fn path(made: &Value) -> String {
    format!("/Persons/{}", made["id"].as_str().unwrap())
}

async fn who_lost_a_right_or_is_shut_out_is_told_nothing_again(app: &App) {
    apply(app, POLICY);
    let idp = app.client("idp").await.keyed("k");
    let content = json!({"displayName": "Ada"});
    idp.post("/Persons", content.clone()).await.ok(201);
    let reads = "people: [{ types: [User, Person, Group, GroupMembership], rights: [read, search";
    apply(app, &POLICY.replace(&format!("{reads}, write"), reads));
    idp.post("/Persons", content.clone()).await.refused(403, "");
    let out = POLICY.replace("system: idp, roles", "system: idp, disabled: true, roles");
    apply(app, &out);
    idp.post("/Persons", content.clone()).await.refused(403, "");
    apply(app, &format!("{POLICY}# again\n"));
    let again = idp.post("/Persons", content).await;
    assert!(again.is_replayed());
    assert_eq!(again.status, 201);
}

/// A client whose sight is restricted, but by nothing that changes from record to record: nothing is looked up anew.
async fn an_unchanged_sight_is_answered_to_the_byte(app: &App) {
    let text = POLICY.replace("otherwise: lastFour", "otherwise: omit");
    apply(app, &text);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let once = idp.keyed("k");
    let content = json!({"displayName": "Ada", "phoneNumbers": [{"value": "+351 210 000 111"}]});
    let first = once.post("/Persons", content.clone()).await;
    first.ok(201);
    let change = json!([{"op": "replace", "path": "displayName", "value": "Ada Byron"}]);
    hris.patch(&path(&first.body), change).await.ok(200);
    let again = once.post("/Persons", content).await;
    assert_eq!(
        (again.text.as_str(), again.is_replayed()),
        (first.text.as_str(), true)
    );
}

async fn under_another_policy_the_record_is_shown_as_it_may_be_seen_now(app: &App) {
    apply(app, POLICY);
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    let content = json!({"displayName": "Ada", "birthDate": "1815-12-10"});
    let first = once.post("/Persons", content.clone()).await;
    assert_eq!(first.ok(201)["birthDate"], "1815-12-10");
    apply(
        app,
        &POLICY.replace("[payroll, employment]", "[employment]"),
    );
    let again = once.post("/Persons", content.clone()).await;
    assert!(again.is_replayed());
    assert_eq!(again.ok(201).get("birthDate"), None);
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.body, hris.get(&path(&first.body)).await.body);
    assert_eq!(app.events_of(first.body["id"].as_str().unwrap()).len(), 2);
}

async fn a_consent_that_has_ended_closes_the_answer_too(app: &App) {
    apply(app, POLICY);
    let ats = app.client("ats").await;
    let once = ats.keyed("k");
    let given = json!({"consents": [{"purpose": "Hiring", "legalBasis": "consent", "status": "given",
        "expiresAt": "2031-03-01T12:30:00Z"}]});
    let content = json!({"displayName": "Ada", "legalName": "Ada King", CONSENT: given});
    let first = once.post("/Persons", content.clone()).await;
    assert_eq!(first.ok(201)["legalName"], "Ada King");
    let again = once.post("/Persons", content.clone()).await;
    assert_eq!(
        (again.text.as_str(), again.is_replayed()),
        (first.text.as_str(), true)
    );
    app.clock.advance(TimeDelta::minutes(31));
    let later = once.post("/Persons", content).await;
    assert!(later.is_replayed());
    assert_eq!(later.ok(201).get("legalName"), None);
}

async fn what_is_out_of_reach_by_now_is_404(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let once = crm.keyed("k");
    let content = json!({"displayName": "Bo", CUSTOMER: {"status": "customer"}});
    let first = once.post("/Persons", content.clone()).await;
    first.ok(201);
    let leave = json!([{"op": "remove", "path": format!("{CUSTOMER}:status")}]);
    hris.patch(&path(&first.body), leave).await;
    let still = crm.get(&path(&first.body)).await;
    let again = once.post("/Persons", content).await;
    match still.status {
        404 => drop(again.refused(404, "").to_owned()),
        _ => assert_eq!(again.body, still.body),
    }
    assert_eq!(still.status, 404, "the test is about a person out of reach");
}

async fn a_bulk_answer_is_repeated_without_what_may_not_be_seen_now(app: &App) {
    apply(app, POLICY);
    let hris = app.client("hris").await.keyed("k");
    let data = json!({"schemas": [PERSON], "displayName": "Ada", "birthDate": "1815-12-10"});
    let request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "POST", "path": "/Persons", "bulkId": "p", "data": data}],
    });
    let bytes = request.to_string().into_bytes();
    let whole: &[(&str, &str)] = &[("prefer", "return=representation")];
    let first = hris
        .send(Method::POST, "/Bulk", whole, Some(bytes.clone()))
        .await;
    let operation = &first.ok(200)["Operations"][0];
    assert_eq!(operation["response"]["birthDate"], "1815-12-10");
    apply(
        app,
        &POLICY.replace("[payroll, employment]", "[employment]"),
    );
    let again = hris.send(Method::POST, "/Bulk", whole, Some(bytes)).await;
    assert!(again.is_replayed());
    let mut expected = operation.clone();
    expected.as_object_mut().unwrap().remove("response");
    assert_eq!(again.ok(200)["Operations"][0], expected);
}

/// Design §4: a read of a classified attribute is an event, whatever it is read by.
async fn what_is_classified_is_logged_when_it_is_shown_again(app: &App) {
    apply(app, POLICY);
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    let content = json!({"displayName": "Ada", "birthDate": "1815-12-10"});
    let first = once.post("/Persons", content.clone()).await;
    let read = || {
        let events = app.events_of(first.ok(201)["id"].as_str().unwrap());
        events
            .iter()
            .filter(|event| event["type"] == "person.read")
            .count()
    };
    let before = read();
    let again = once.post("/Persons", content).await;
    assert_eq!(again.ok(201)["birthDate"], "1815-12-10");
    assert_eq!(again.text, first.text);
    assert!(again.is_replayed());
    assert_eq!(read(), before + 1);
}

/// B-067, B-068, B-069.
async fn a_policy_names_the_headers_and_the_window(app: &App) {
    let webhooks = "webhooks:
  delivery:
    auth: { method: OIDC }
    idempotency: { header: X-Once, windowDays: 7 }
    correlation: { header: X-Flow }
    retries: { maxAttempts: 12, backoff: exponential, deadLetterQueue: true }
";
    apply(app, &format!("{POLICY}{webhooks}"));
    let idp = app.client("idp").await;
    let body = json!({"schemas": [PERSON], "displayName": "Ada"})
        .to_string()
        .into_bytes();
    let once: &[(&str, &str)] = &[("x-once", "k"), ("x-flow", "flow-1")];
    let post = async |headers: &[(&str, &str)]| {
        idp.send(Method::POST, "/Persons", headers, Some(body.clone()))
            .await
    };
    let first = post(once).await;
    let id = first.ok(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(first.header("x-flow"), Some("flow-1"));
    let event = &app.events_of(&id)[0];
    assert_eq!(event["idempotencyKey"], "k");
    assert_eq!(event["correlationId"], "flow-1");
    assert!(post(once).await.is_replayed());
    // Another header is no key here.
    let other = post(&[("idempotency-key", "k")]).await;
    assert_ne!(other.ok(201)["id"], id);
    let days = "SELECT min(expires - lease) AS n FROM idempotency";
    let window = TimeDelta::days(7) - TimeDelta::minutes(1);
    assert_eq!(
        app.database.connect().number(days),
        window.num_microseconds().unwrap()
    );
    let wrong = post(&[("x-once", "two words")]).await;
    assert!(wrong.refused(400, "invalidValue").contains("X-Once"));
}
