//! From candidate to employee with SCIM calls only, and who is taken for whom (design §2, §7).

use serde_json::{Value, json};

use crate::support::{App, CANDIDATE, EMPLOYEE, IDENTITY, on_both};

on_both!(
    a_candidate_becomes_an_employee_with_an_account_under_one_id,
    an_account_finds_its_person_by_an_external_identifier,
    an_account_finds_its_person_by_an_external_id_of_another_system,
    an_account_finds_the_person_that_its_own_system_calls_so,
    a_candidate_with_an_account_is_a_candidate_too,
    a_system_that_is_not_trusted_finds_nobody_by_mail,
    an_address_said_to_be_unverified_finds_nobody,
    conflicting_names_keep_two_people_apart,
    an_initial_and_a_full_name_do_not_conflict,
    two_people_of_one_address_are_not_guessed_between,
    a_second_account_is_a_second_person,
    closing_an_account_leaves_the_person,
    an_account_that_comes_back_finds_its_person,
    a_person_of_another_system_cannot_be_deleted,
    a_person_that_nobody_speaks_of_is_gone,
    an_external_identifier_is_one_persons,
);

const MAIL: &str = "lua@north.example";

fn applicant() -> Value {
    json!({
        "externalId": "cand-88", "name": {"givenName": "Lua", "familyName": "Prado"},
        "emails": [{"value": MAIL, "type": "home"}], CANDIDATE: {"status": "active", "sourceType": "referral"},
    })
}

fn account() -> Value {
    json!({
        "userName": "lua.prado", "externalId": "00u88", "name": {"givenName": "Lua", "familyName": "Prado"},
        "emails": [{"value": MAIL, "type": "work", "primary": true}],
    })
}

async fn a_candidate_becomes_an_employee_with_an_account_under_one_id(app: &App) {
    let (ats, hris, idp) = (
        app.client("ats").await,
        app.client("hris").await,
        app.client("idp").await,
    );
    let candidate = ats.create("/Persons", applicant()).await;
    assert!(candidate[CANDIDATE]["createdAt"].is_string());
    let person = format!("/Persons/{}", candidate["id"].as_str().unwrap());
    let employee = json!({"employeeNumber": "E-9", "status": "Pending", "hireDate": "2031-04-01", "jobTitle": "Surveyor"});
    let operations = json!([
        {"op": "add", "path": EMPLOYEE, "value": employee},
        {"op": "add", "path": "externalId", "value": "hr-9"},
    ]);
    hris.patch(&person, operations).await.ok(200);
    let answer = idp.post("/Users", account()).await;
    let user = answer.ok(201);
    assert_eq!(user["id"], candidate["id"]);
    assert_eq!(
        answer.header("location"),
        Some(format!("{}/Users/{}", app.scim(), candidate["id"].as_str().unwrap()).as_str())
    );
    assert_eq!(user["title"], "Surveyor");
    assert_eq!(user["externalId"], "00u88");
    assert_eq!(user[CANDIDATE]["status"], "active");
    let seen = ats.get(&person).await;
    assert_eq!(seen.ok(200)["externalId"], "cand-88");
    assert_eq!(seen.body[EMPLOYEE]["employeeNumber"], "E-9");
    assert_eq!(seen.body["active"], true);
    let events = app.events_of(candidate["id"].as_str().unwrap());
    let attached = events
        .iter()
        .find(|event| event["type"] == "person.account.attached")
        .unwrap();
    assert_eq!(attached["reasonCode"], "verifiedEmail");
    assert_eq!(idp.get("/Users").await.ok(200)["totalResults"], 1);
    assert_eq!(idp.get("/Persons").await.ok(200)["totalResults"], 1);
}

/// It names the identifier outright, so names and addresses do not matter.
async fn an_account_finds_its_person_by_an_external_identifier(app: &App) {
    let mut content = applicant();
    content["externalIdentifiers"] =
        json!([{"system": "greenhouse", "field": "candidateId", "value": "88"}]);
    let candidate = app.client("ats").await.create("/Persons", content).await;
    let identity = json!({"externalIdentifiers": [{"system": "greenhouse", "field": "candidateId", "value": "88"}]});
    let content = json!({"userName": "lp", "name": {"givenName": "Somebody", "familyName": "Else"}, IDENTITY: identity});
    let user = app.client("idp").await.create("/Users", content).await;
    assert_eq!(user["id"], candidate["id"]);
}

async fn an_account_finds_its_person_by_an_external_id_of_another_system(app: &App) {
    let candidate = app
        .client("ats")
        .await
        .create("/Persons", applicant())
        .await;
    let identity = json!({"externalIdentifiers": [{"system": "ats", "field": "externalId", "value": "cand-88"}]});
    let user = app
        .client("idp")
        .await
        .create("/Users", json!({"userName": "lp", IDENTITY: identity}))
        .await;
    assert_eq!(user["id"], candidate["id"]);
}

async fn an_account_finds_the_person_that_its_own_system_calls_so(app: &App) {
    let hris = app.client("hris").await;
    let person = hris
        .create(
            "/Persons",
            json!({"externalId": "hr-9", "legalName": "Lua Prado"}),
        )
        .await;
    let account = json!({"userName": "lp", "externalId": "hr-9"});
    let user = hris.create("/Users", account.clone()).await;
    assert_eq!(user["id"], person["id"]);
    assert_eq!(hris.get("/Persons").await.ok(200)["totalResults"], 1);
    // A second account of the one name is refused, as a second person of that name is.
    hris.post("/Users", json!({"userName": "other", "externalId": "hr-9"}))
        .await
        .refused(409, "uniqueness");
    hris.post("/Persons", json!({"externalId": "hr-9"}))
        .await
        .refused(409, "uniqueness");
}

/// Who has an account already may be meant just as well: a guess would give one person's account to another.
async fn a_candidate_with_an_account_is_a_candidate_too(app: &App) {
    let (ats, idp) = (app.client("ats").await, app.client("idp").await);
    let address = json!([{"value": MAIL}]);
    let first = idp
        .create("/Users", json!({"userName": "lp1", "emails": address}))
        .await;
    // The address is vouched for by two systems.
    let second = ats
        .create(
            "/Persons",
            json!({"externalId": "c1", "emails": address, "name": {"givenName": "Lua"}}),
        )
        .await;
    assert_eq!(second["id"], first["id"]);
    let third = ats
        .create("/Persons", json!({"externalId": "c2", "emails": address}))
        .await;
    assert_ne!(third["id"], first["id"]);
    let account = idp
        .create("/Users", json!({"userName": "lp2", "emails": address}))
        .await;
    assert_ne!(account["id"], first["id"]);
    assert_ne!(account["id"], third["id"]);
}

/// In dev the CRM is not trusted to verify addresses, neither as the first nor as the second to know one.
async fn a_system_that_is_not_trusted_finds_nobody_by_mail(app: &App) {
    let (ats, crm, idp) = (
        app.client("ats").await,
        app.client("crm").await,
        app.client("idp").await,
    );
    let lead = json!({"emails": [{"value": MAIL, "verified": true}]});
    let first = crm.create("/Persons", lead.clone()).await;
    let second = ats.create("/Persons", applicant()).await;
    assert_ne!(first["id"], second["id"]);
    let third = app.client("admin").await.create("/Persons", lead).await;
    assert_ne!(third["id"], second["id"]);
    assert_eq!(idp.create("/Users", account()).await["id"], second["id"]);
}

async fn an_address_said_to_be_unverified_finds_nobody(app: &App) {
    let mut content = applicant();
    content["emails"][0]["verified"] = json!(false);
    let candidate = app.client("ats").await.create("/Persons", content).await;
    assert_ne!(
        app.client("idp").await.create("/Users", account()).await["id"],
        candidate["id"]
    );
}

async fn conflicting_names_keep_two_people_apart(app: &App) {
    let candidate = app
        .client("ats")
        .await
        .create("/Persons", applicant())
        .await;
    let mut content = account();
    content["name"] = json!({"givenName": "Henrik", "familyName": "Prado"});
    assert_ne!(
        app.client("idp").await.create("/Users", content).await["id"],
        candidate["id"]
    );
}

async fn an_initial_and_a_full_name_do_not_conflict(app: &App) {
    let candidate = app
        .client("ats")
        .await
        .create("/Persons", applicant())
        .await;
    let mut content = account();
    content["name"] = json!({"givenName": "L.", "familyName": "PRADO"});
    content["emails"][0]["value"] = json!(MAIL.to_uppercase());
    assert_eq!(
        app.client("idp").await.create("/Users", content).await["id"],
        candidate["id"]
    );
}

async fn two_people_of_one_address_are_not_guessed_between(app: &App) {
    let ats = app.client("ats").await;
    let mut other = applicant();
    other["externalId"] = json!("cand-89");
    let ids = [
        ats.create("/Persons", applicant()).await["id"].clone(),
        ats.create("/Persons", other).await["id"].clone(),
    ];
    // A system that POSTs the same address twice means two people.
    assert_ne!(ids[0], ids[1]);
    let user = app.client("idp").await.create("/Users", account()).await;
    assert!(!ids.contains(&user["id"]));
}

/// Design §2: two accounts are never merged automatically.
async fn a_second_account_is_a_second_person(app: &App) {
    let first = app.client("idp").await.create("/Users", account()).await;
    let mut content = account();
    content["userName"] = json!("lua.second");
    let second = app.client("hris").await.create("/Users", content).await;
    assert_ne!(first["id"], second["id"]);
}

async fn closing_an_account_leaves_the_person(app: &App) {
    let (ats, idp) = (app.client("ats").await, app.client("idp").await);
    let candidate = ats.create("/Persons", applicant()).await;
    let user = idp.create("/Users", account()).await;
    assert_eq!(user["id"], candidate["id"]);
    let group = json!({"displayName": "Field work", "members": [{"value": user["id"]}]});
    let group = idp.create("/Groups", group).await;
    let (account_path, person) = (
        format!("/Users/{}", user["id"].as_str().unwrap()),
        format!("/Persons/{}", user["id"].as_str().unwrap()),
    );
    idp.delete(&account_path).await.ok(204);
    idp.get(&account_path).await.refused(404, "");
    idp.delete(&account_path).await.refused(404, "");
    let seen = ats.get(&person).await;
    assert_eq!(seen.ok(200)[CANDIDATE]["status"], "active");
    for gone in ["userName", "active", "groups"] {
        assert!(seen.body.get(gone).is_none(), "{gone}: {}", seen.body);
    }
    // What the account's system said is withdrawn, what the ATS said stands.
    assert_eq!(
        seen.body["emails"],
        json!([{"value": MAIL, "type": "home"}])
    );
    assert!(idp.get(&person).await.ok(200).get("externalId").is_none());
    let group = idp
        .get(&format!("/Groups/{}", group["id"].as_str().unwrap()))
        .await;
    assert!(group.ok(200).get("members").is_none());
    // The name is free for somebody else.
    let other = idp.create("/Users", json!({"userName": "LUA.PRADO"})).await;
    assert_ne!(other["id"], candidate["id"]);
}

async fn an_account_that_comes_back_finds_its_person(app: &App) {
    let (ats, idp) = (app.client("ats").await, app.client("idp").await);
    let candidate = ats.create("/Persons", applicant()).await;
    for _ in 0..2 {
        let user = idp.create("/Users", account()).await;
        assert_eq!(user["id"], candidate["id"]);
        idp.delete(&format!("/Users/{}", user["id"].as_str().unwrap()))
            .await
            .ok(204);
    }
}

async fn a_person_of_another_system_cannot_be_deleted(app: &App) {
    let (ats, hris) = (app.client("ats").await, app.client("hris").await);
    let candidate = ats.create("/Persons", applicant()).await;
    let path = format!("/Persons/{}", candidate["id"].as_str().unwrap());
    let operation = json!([{"op": "add", "path": format!("{EMPLOYEE}:status"), "value": "Active"}]);
    hris.patch(&path, operation).await.ok(200);
    let events = app.event_count();
    let answer = ats.delete(&path).await;
    assert!(answer.refused(409, "").contains("hris"), "{}", answer.body);
    hris.delete(&path).await.refused(409, "");
    app.client("crm").await.delete(&path).await.refused(409, "");
    assert_eq!(app.event_count(), events);
    assert_eq!(ats.get(&path).await.ok(200)["id"], candidate["id"]);
}

async fn a_person_that_nobody_speaks_of_is_gone(app: &App) {
    let ats = app.client("ats").await;
    let candidate = ats.create("/Persons", applicant()).await;
    let path = format!("/Persons/{}", candidate["id"].as_str().unwrap());
    ats.delete(&path).await.ok(204);
    ats.get(&path).await.refused(404, "");
    ats.delete(&path).await.refused(404, "");
    let events = app.events_of(candidate["id"].as_str().unwrap());
    assert_eq!(events.last().unwrap()["type"], "person.deleted");
    assert_ne!(
        ats.create("/Persons", applicant()).await["id"],
        candidate["id"]
    );
}

/// model.md: unique per tenant.
async fn an_external_identifier_is_one_persons(app: &App) {
    let (ats, hris) = (app.client("ats").await, app.client("hris").await);
    let key = json!([{"system": "payroll", "field": "number", "value": "P9"}]);
    let first = ats
        .create("/Persons", json!({"externalIdentifiers": key}))
        .await;
    ats.post("/Persons", json!({"externalIdentifiers": key}))
        .await
        .refused(409, "uniqueness");
    let other = hris.create("/Persons", json!({"displayName": "Lua"})).await;
    let path = format!("/Persons/{}", other["id"].as_str().unwrap());
    let operation = json!([{"op": "add", "path": "externalIdentifiers", "value": key}]);
    hris.patch(&path, operation)
        .await
        .refused(409, "uniqueness");
    // Another system that names it means that very person.
    assert_eq!(
        hris.create("/Persons", json!({"externalIdentifiers": key}))
            .await["id"],
        first["id"]
    );
}
