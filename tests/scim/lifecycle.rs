//! Create, read, replace, delete (RFC 7644 §3.3, §3.4.1, §3.5.1, §3.6), and what real clients send when they create.

use reqwest::Method;
use serde_json::json;

use crate::support::{App, ENTERPRISE, GROUP, USER, body, on_both};

on_both!(
    create_answers_201_with_location_and_entity_tag,
    what_was_created_is_read_back,
    an_unknown_id_is_404,
    delete_answers_204_and_then_404,
    a_deleted_user_name_is_free_again,
    a_user_name_is_taken_whatever_its_case,
    a_user_name_cannot_be_taken_over_by_replace_or_patch,
    a_display_name_of_a_group_is_taken_whatever_its_case,
    an_external_id_is_unique_within_its_system,
    replace_clears_what_it_leaves_out,
    a_replacement_without_active_neither_opens_nor_closes_an_account,
    replace_never_creates,
    application_json_is_accepted_and_other_types_are_415,
    okta_creates_a_user,
    entra_creates_a_user_full_of_odd_values,
    entra_creates_a_group_with_a_schema_of_its_own,
    one_login_names_schemas_from_before_the_rfc,
);

async fn create_answers_201_with_location_and_entity_tag(app: &App) {
    let idp = app.client("idp").await;
    let answer = idp.post("/Users", json!({"userName": "ines"})).await;
    let made = answer.ok(201);
    let location = format!("{}/Users/{}", app.scim(), made["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(made["meta"]["location"], location);
    assert_eq!(made["meta"]["resourceType"], "User");
    assert_eq!(made["meta"]["created"], made["meta"]["lastModified"]);
    assert_eq!(made["meta"]["version"], answer.etag());
    assert_eq!(made["schemas"], json!([USER]));
    // An account is active unless somebody says that it is not.
    assert_eq!(made["active"], true);
}

async fn what_was_created_is_read_back(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines", "externalId": "00u1", "name": {"givenName": "Inês", "familyName": "Okafor"},
        "emails": [{"value": "ines@north.example", "type": "work", "primary": true}], "locale": "pt-PT",
        ENTERPRISE: {"employeeNumber": "417", "department": "Field work"},
    });
    let made = idp.create("/Users", content.clone()).await;
    let read = idp
        .get(&format!("/Users/{}", made["id"].as_str().unwrap()))
        .await;
    assert_eq!(read.ok(200), &made);
    for (name, value) in content.as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert!(
        made["schemas"]
            .as_array()
            .unwrap()
            .contains(&json!(ENTERPRISE))
    );
}

async fn an_unknown_id_is_404(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let known = made["id"].as_str().unwrap().to_owned();
    let odd = [
        "0197a0c2-5a30-7c44-9b0c-2f6f7d1b8e11",
        "ines",
        "1",
        "%00",
        "%2e%2e",
        "caf%C3%A9",
    ]
    .map(str::to_owned);
    // RFC 7643 §3.1: an id is caseExact.
    for id in odd
        .into_iter()
        .chain([known.to_uppercase(), known.replace('-', "")])
    {
        idp.get(&format!("/Users/{id}")).await.refused(404, "");
    }
    // A person is no group, and who has an account is a person too.
    idp.get(&format!("/Groups/{known}")).await.refused(404, "");
    idp.get(&format!("/Persons/{known}")).await.ok(200);
    idp.get("/Nothing/1").await.refused(404, "");
}

async fn delete_answers_204_and_then_404(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let gone = idp.delete(&path).await;
    assert!(gone.ok(204).is_null());
    idp.delete(&path).await.refused(404, "");
    idp.get(&path).await.refused(404, "");
    idp.put(&path, json!({"userName": "ines"}))
        .await
        .refused(404, "");
    idp.patch(&path, json!([{"op": "add", "path": "title", "value": "x"}]))
        .await
        .refused(404, "");
    assert!(idp.find("/Users", "userName eq \"ines\"").await.is_empty());
}

/// The interop profile; Entra re-creates so (E13).
async fn a_deleted_user_name_is_free_again(app: &App) {
    let idp = app.client("idp").await;
    let first = idp
        .create("/Users", json!({"userName": "ines", "externalId": "1"}))
        .await;
    idp.delete(&format!("/Users/{}", first["id"].as_str().unwrap()))
        .await
        .ok(204);
    let second = idp
        .create("/Users", json!({"userName": "ines", "externalId": "1"}))
        .await;
    // Nobody else spoke of the person, so it is another one.
    assert_ne!(first["id"], second["id"]);
}

/// RFC 7644 §3.3: 409 `uniqueness`. `userName` is not caseExact.
async fn a_user_name_is_taken_whatever_its_case(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "Ines.Straße"}))
        .await;
    let events = app.event_count();
    for again in ["Ines.Straße", "ines.straße", "INES.STRASSE"] {
        let answer = idp.post("/Users", json!({"userName": again})).await;
        let detail = answer.refused(409, "uniqueness");
        assert!(detail.contains("userName"), "{detail}");
    }
    assert_eq!(app.event_count(), events);
}

async fn a_user_name_cannot_be_taken_over_by_replace_or_patch(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "ines"})).await;
    let other = idp.create("/Users", json!({"userName": "bo"})).await;
    let path = format!("/Users/{}", other["id"].as_str().unwrap());
    idp.put(&path, json!({"userName": "INES"}))
        .await
        .refused(409, "uniqueness");
    let rename = json!([{"op": "replace", "path": "userName", "value": "Ines"}]);
    idp.patch(&path, rename).await.refused(409, "uniqueness");
    assert_eq!(idp.get(&path).await.ok(200), &other);
    // One's own name in another case is no conflict.
    idp.patch(
        &path,
        json!([{"op": "replace", "path": "userName", "value": "BO"}]),
    )
    .await
    .ok(200);
}

/// Entra expects it (E12).
async fn a_display_name_of_a_group_is_taken_whatever_its_case(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Groups", json!({"displayName": "Field work"}))
        .await;
    let answer = idp
        .post("/Groups", json!({"displayName": "FIELD WORK"}))
        .await;
    assert!(answer.refused(409, "uniqueness").contains("displayName"));
}

/// Design §2: `externalId` belongs to the caller's system.
async fn an_external_id_is_unique_within_its_system(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "ines", "externalId": "E1"}))
        .await;
    let answer = idp
        .post("/Users", json!({"userName": "bo", "externalId": "E1"}))
        .await;
    assert!(answer.refused(409, "uniqueness").contains("externalId"));
    // It is caseExact (RFC 7643 §3.1), another type's is its own, and so is another system's.
    idp.create("/Users", json!({"userName": "bo", "externalId": "e1"}))
        .await;
    idp.create(
        "/Groups",
        json!({"displayName": "Field work", "externalId": "E1"}),
    )
    .await;
    app.client("hris")
        .await
        .create("/Users", json!({"userName": "cyd", "externalId": "E1"}))
        .await;
}

/// RFC 7644 §3.5.1.
async fn replace_clears_what_it_leaves_out(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines", "nickName": "Ines", "title": "Surveyor", "externalId": "E1",
        "emails": [{"value": "ines@north.example"}, {"value": "ines@home.example"}], "name": {"givenName": "Inês"},
    });
    let made = idp.create("/Users", content).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let content = json!({"userName": "ines", "title": "Geologist", "emails": [{"value": "ines@home.example"}]});
    let answer = idp.put(&path, content).await;
    let now = answer.ok(200);
    assert_eq!(now["title"], "Geologist");
    assert_eq!(now["emails"], json!([{"value": "ines@home.example"}]));
    for gone in ["nickName", "name", "externalId"] {
        assert!(now.get(gone).is_none(), "{gone} is still there: {now}");
    }
    assert_eq!(now["id"], made["id"]);
    assert_eq!(now["meta"]["created"], made["meta"]["created"]);
    assert_ne!(now["meta"]["version"], made["meta"]["version"]);
    assert!(now["meta"]["lastModified"].as_str() > made["meta"]["lastModified"].as_str());
    assert_eq!(idp.get(&path).await.ok(200), now);
}

async fn a_replacement_without_active_neither_opens_nor_closes_an_account(app: &App) {
    let idp = app.client("idp").await;
    for active in [true, false] {
        let content = json!({"userName": format!("ines-{active}"), "active": active});
        let made = idp.create("/Users", content).await;
        let path = format!("/Users/{}", made["id"].as_str().unwrap());
        let content = json!({"userName": format!("ines-{active}"), "title": "Geologist"});
        assert_eq!(idp.put(&path, content).await.ok(200)["active"], active);
    }
}

async fn replace_never_creates(app: &App) {
    let idp = app.client("idp").await;
    let path = "/Users/0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11";
    idp.put(path, json!({"userName": "ines"}))
        .await
        .refused(404, "");
    assert_eq!(app.event_count(), 0);
}

/// RFC 7644 §3.1, §8.1; Okta sends either (O7).
async fn application_json_is_accepted_and_other_types_are_415(app: &App) {
    let idp = app.client("idp").await;
    for (number, kind) in ["application/json", "application/scim+json; charset=utf-8"]
        .into_iter()
        .enumerate()
    {
        let text = body("/Users", json!({"userName": format!("ines{number}")})).to_string();
        idp.send(
            Method::POST,
            "/Users",
            &[("content-type", kind)],
            Some(text.into()),
        )
        .await
        .ok(201);
    }
    for kind in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
    ] {
        let text = body("/Users", json!({"userName": "bo"})).to_string();
        idp.send(
            Method::POST,
            "/Users",
            &[("content-type", kind)],
            Some(text.into()),
        )
        .await
        .refused(415, "");
    }
}

/// Okta's POST (O2): `groups` and a password come along; no password is ever given back.
async fn okta_creates_a_user(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines@north.example", "name": {"givenName": "Ines", "familyName": "Okafor"},
        "emails": [{"primary": true, "value": "ines@north.example", "type": "work"}], "displayName": "Ines Okafor",
        "locale": "en-US", "externalId": "00u1", "groups": [], "password": "Quay-and-tide-31", "active": true,
    });
    let answer = idp.post("/Users", content).await;
    assert!(answer.ignored().contains(&"password"));
    assert!(!answer.ok(201).to_string().contains("Quay-and-tide-31"));
    assert!(answer.body.get("groups").is_none());
    for event in app.events_of(answer.body["id"].as_str().unwrap()) {
        assert!(!event.to_string().contains("Quay-and-tide-31"));
    }
}

/// Entra's POST (E5, E9): nulls, empty arrays, booleans as strings, and references and locales that are none.
async fn entra_creates_a_user_full_of_odd_values(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines", "externalId": "ab12", "meta": {"resourceType": "User"}, "addresses": null, "manager": null,
        "active": "True", "profileUrl": "ask at the desk", "locale": "wherever", "timezone": "tea time",
        "roles": [{"primary": "True", "display": "Auditor", "value": "auditor", "type": "main"}], "ims": [],
        "phoneNumbers": [
            {"value": "+47 555 0134", "type": "work"}, {"value": "+47 555 0134", "type": "mobile"},
            {"value": "+47 555 0134", "type": "fax"},
        ],
        ENTERPRISE: {"manager": null, "department": null},
    });
    let answer = idp.post("/Users", content).await;
    let made = answer.ok(201);
    assert_eq!(made["active"], true);
    assert_eq!(made["roles"][0]["primary"], true);
    assert_eq!(made["profileUrl"], "ask at the desk");
    assert_eq!(made["phoneNumbers"].as_array().unwrap().len(), 3);
    assert!(made.get("addresses").is_none() && made.get(ENTERPRISE).is_none());
}

/// E6: an unknown schema is passed over and named.
async fn entra_creates_a_group_with_a_schema_of_its_own(app: &App) {
    let idp = app.client("idp").await;
    let foreign = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let content = json!({
        "schemas": [GROUP, foreign], "externalId": "g1", "displayName": "Field work",
        "meta": {"resourceType": "Group"},
    });
    let answer = idp.post("/Groups", content).await;
    assert_eq!(answer.ok(201)["schemas"], json!([GROUP]));
    assert_eq!(answer.ignored(), [foreign]);
}

async fn one_login_names_schemas_from_before_the_rfc(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "schemas": ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"], "userName": "ines",
    });
    let answer = idp.post("/Users", content).await;
    assert_eq!(answer.ok(201)["schemas"], json!([USER]));
    // Its filters have `+` for a blank, and an ampersand too many.
    let found = idp.get("/Users?filter=userName+eq+%22ines%22&").await;
    assert_eq!(found.ok(200)["totalResults"], 1);
}
