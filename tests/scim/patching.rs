//! PATCH (RFC 7644 §3.5.2) beyond the cases of `conformance/patches`: what does not show in one document alone.

use serde_json::{Value, json};

use crate::support::{App, Client, ENTERPRISE, on_both};

on_both!(
    what_changes_nothing_leaves_version_and_last_modified_alone,
    a_change_moves_version_and_last_modified,
    a_patch_is_all_or_nothing,
    entra_fills_a_bare_user_in_one_request,
    entra_names_a_manager_in_every_form,
    keycloak_disables_a_user,
    a_value_path_may_name_the_primary_element,
    a_filter_other_than_eq_that_matches_nothing_has_no_target,
    a_patch_body_must_be_one,
    an_error_names_the_operation,
    a_person_is_patched_like_a_user,
);

async fn ines(idp: &Client) -> (Value, String) {
    let content = json!({
        "userName": "ines", "title": "Surveyor", "active": true, "name": {"givenName": "Inês", "familyName": "Okafor"},
        "emails": [
            {"value": "ines@north.example", "type": "work", "primary": true},
            {"value": "ines@home.example", "type": "home"},
        ],
    });
    let made = idp.create("/Users", content).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    (made, path)
}

/// RFC 7644 §3.5.2.1; checklist row 22 of scim.md.
async fn what_changes_nothing_leaves_version_and_last_modified_alone(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let events = app.event_count();
    for operations in [
        json!([{"op": "add", "path": "title", "value": "Surveyor"}]),
        json!([{"op": "replace", "path": "title", "value": "Surveyor"}]),
        json!([{"op": "Replace", "path": "active", "value": "True"}]),
        json!([{"op": "add", "path": "emails", "value": [{"value": "ines@home.example", "type": "home"}]}]),
        json!([{"op": "add", "path": "emails[type eq \"home\"].value", "value": "ines@home.example"}]),
        json!([{"op": "replace", "path": "name", "value": {"givenName": "Inês"}}]),
        json!([{"op": "replace", "value": {"id": "x", "name.givenName": "Inês"}}]),
        json!([{"op": "remove", "path": "nickName"}]),
        json!([{"op": "remove", "path": "emails[type eq \"boat\"]"}]),
        json!([{"op": "add", "value": {"nickName": null, "ims": []}}]),
        json!([
            {"op": "replace", "path": "title", "value": "Diver"},
            {"op": "replace", "path": "title", "value": "Surveyor"},
        ]),
    ] {
        let answer = idp.patch(&path, operations.clone()).await;
        assert_eq!(answer.ok(200), &made, "{operations}");
    }
    assert_eq!(app.event_count(), events);
    let whole = idp.put(&path, made.clone()).await;
    assert_eq!(whole.ok(200), &made);
    assert_eq!(app.event_count(), events);
}

async fn a_change_moves_version_and_last_modified(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let answer = idp
        .patch(
            &path,
            json!([{"op": "replace", "path": "title", "value": "Diver"}]),
        )
        .await;
    let now = answer.ok(200);
    assert_ne!(now["meta"]["version"], made["meta"]["version"]);
    assert!(now["meta"]["lastModified"].as_str() > made["meta"]["lastModified"].as_str());
    assert_eq!(now["meta"]["created"], made["meta"]["created"]);
    let events = app.events_of(made["id"].as_str().unwrap());
    let change = &events.last().unwrap()["changes"];
    let changes = change.as_array().unwrap();
    assert_eq!(changes.len(), 1, "{change}");
    assert_eq!(
        (&changes[0]["previous"], &changes[0]["new"]),
        (&json!("Surveyor"), &json!("Diver"))
    );
}

async fn a_patch_is_all_or_nothing(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let events = app.event_count();
    let operations = json!([
        {"op": "replace", "path": "title", "value": "Diver"},
        {"op": "remove", "path": "emails"},
        {"op": "replace", "path": "active", "value": "perhaps"},
    ]);
    idp.patch(&path, operations)
        .await
        .refused(400, "invalidValue");
    assert_eq!(idp.get(&path).await.ok(200), &made);
    assert_eq!(app.event_count(), events);
}

/// E8: dozens of operations on a user that has only a name.
async fn entra_fills_a_bare_user_in_one_request(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let add = |path: &str, value: Value| json!({"op": "Add", "path": path, "value": value});
    let operations = json!([
        add("displayName", json!("Inês Okafor")),
        add(
            "emails[type eq \"work\"].value",
            json!("ines@north.example")
        ),
        add("emails[type eq \"work\"].primary", json!("True")),
        add(
            "phoneNumbers[type eq \"mobile\"].value",
            json!("+351 555 010")
        ),
        add("addresses[type eq \"work\"].formatted", json!("1 Quay")),
        add("addresses[type eq \"work\"].country", json!("PT")),
        add("roles[primary eq \"True\"].display", json!("Auditor")),
        add("roles[primary eq \"True\"].value", json!("auditor")),
        add("roles[primary eq \"True\"].type", json!("main")),
        add("name.givenName", json!("Inês")),
        add(&format!("{ENTERPRISE}:employeeNumber"), json!("417")),
        add(&format!("{ENTERPRISE}.department"), json!("Field work")),
    ]);
    let answer = idp.patch(&path, operations.clone()).await;
    let now = answer.ok(200);
    assert_eq!(
        now["emails"],
        json!([{"type": "work", "value": "ines@north.example", "primary": true}])
    );
    assert_eq!(
        now["roles"],
        json!([{"primary": true, "display": "Auditor", "value": "auditor", "type": "main"}])
    );
    assert_eq!(
        now["addresses"],
        json!([{"type": "work", "formatted": "1 Quay", "country": "PT"}])
    );
    assert_eq!(
        now["phoneNumbers"],
        json!([{"type": "mobile", "value": "+351 555 010"}])
    );
    assert_eq!(now[ENTERPRISE]["employeeNumber"], "417");
    assert_eq!(now[ENTERPRISE]["department"], "Field work");
    // Sent again after a time-out (E14), it finds everything as it wants it.
    assert_eq!(idp.patch(&path, operations).await.ok(200), now);
}

/// E7, and `$ref` beside the value.
async fn entra_names_a_manager_in_every_form(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    let boss = idp.create("/Users", json!({"userName": "boss"})).await;
    let boss = boss["id"].as_str().unwrap();
    let manager = format!("{ENTERPRISE}:manager");
    let set = [
        json!(boss),
        json!({"value": boss}),
        json!([{"$ref": format!("../Users/{boss}"), "value": boss}]),
        json!([{"value": boss}]),
    ];
    let unset = [
        json!([{"op": "Replace", "path": manager, "value": ""}]),
        json!([{"op": "Replace", "path": manager, "value": {"value": ""}}]),
        json!([{"op": "remove", "path": manager}]),
        json!([{"op": "Remove", "path": format!("{manager}[value eq \"{boss}\"]")}]),
    ];
    for (value, unset) in set.into_iter().zip(unset) {
        let answer = idp
            .patch(
                &path,
                json!([{"op": "Add", "path": manager, "value": value}]),
            )
            .await;
        assert_eq!(
            answer.ok(200)[ENTERPRISE]["manager"]["value"],
            boss,
            "{value}"
        );
        let location = answer.body[ENTERPRISE]["manager"]["$ref"].as_str().unwrap();
        assert!(location.ends_with(boss), "{location}");
        let answer = idp.patch(&path, unset.clone()).await;
        assert!(
            answer.ok(200).get(ENTERPRISE).is_none(),
            "{unset}: {}",
            answer.body
        );
    }
}

async fn keycloak_disables_a_user(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    let answer = idp
        .patch(
            &path,
            json!([{"op": "replace", "value": {"active": "false"}}]),
        )
        .await;
    assert_eq!(answer.ok(200)["active"], false);
    // A disabled user is still found (E13).
    assert_eq!(
        idp.find("/Users", "userName eq \"ines\" and active eq false")
            .await
            .len(),
        1
    );
}

/// E17, checklist row 5.
async fn a_value_path_may_name_the_primary_element(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    let operations = json!([{"op": "replace", "path": "emails[primary eq true].value", "value": "io@north.example"}]);
    let answer = idp.patch(&path, operations).await;
    let emails = answer.ok(200)["emails"].as_array().unwrap();
    assert_eq!(emails.len(), 2);
    assert!(
        emails.contains(&json!({"value": "io@north.example", "type": "work", "primary": true})),
        "{emails:?}"
    );
}

async fn a_filter_other_than_eq_that_matches_nothing_has_no_target(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let operations = json!([{"op": "replace", "path": "emails[type sw \"boat\"].value", "value": "x@y.example"}]);
    idp.patch(&path, operations).await.refused(400, "noTarget");
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

async fn a_patch_body_must_be_one(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    for operations in [
        json!([]),
        json!(null),
        json!("x"),
        json!([7]),
        json!([{"path": "title", "value": "x"}]),
    ] {
        let answer = idp.patch(&path, operations.clone()).await;
        assert_eq!(answer.status, 400, "{operations}: {}", answer.body);
    }
    for body in [
        json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]}),
        json!({"schemas": ["urn:x"], "Operations": [{"op": "add", "path": "title", "value": "x"}]}),
    ] {
        let body = Some(body.to_string().into_bytes());
        idp.send(reqwest::Method::PATCH, &path, &[], body)
            .await
            .refused(400, "invalidSyntax");
    }
    let many: Vec<Value> = (0..1001)
        .map(|n| json!({"op": "add", "path": "title", "value": n.to_string()}))
        .collect();
    assert_eq!(idp.patch(&path, many.into()).await.status, 400);
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

async fn an_error_names_the_operation(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    let operations = json!([
        {"op": "add", "path": "title", "value": "Diver"},
        {"op": "add", "path": "titel", "value": "Diver"},
    ]);
    let answer = idp.patch(&path, operations).await;
    let detail = answer.refused(400, "invalidPath");
    assert!(
        detail.contains('2') && detail.contains("titel") && detail.contains("title"),
        "{detail}"
    );
}

async fn a_person_is_patched_like_a_user(app: &App) {
    let hris = app.client("hris").await;
    let made = hris
        .create("/Persons", json!({"preferredName": "Ines"}))
        .await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    let operations = json!([
        {"op": "replace", "value": {"legalName": "Inês Maria Okafor", "preferredName": null}},
        {"op": "add", "path": "nationalities", "value": ["PT", "NG"]},
        {"op": "add", "path": "dataProtection.legalHold", "value": "true"},
    ]);
    let answer = hris.patch(&path, operations).await;
    let now = answer.ok(200);
    assert_eq!(now["legalName"], "Inês Maria Okafor");
    assert!(now.get("preferredName").is_none());
    assert_eq!(now["nationalities"], json!(["PT", "NG"]));
    assert_eq!(now["dataProtection"], json!({"legalHold": true}));
    let operations = json!([{"op": "remove", "path": "nationalities", "value": ["PT"]}]);
    assert_eq!(
        hris.patch(&path, operations).await.ok(200)["nationalities"],
        json!(["NG"])
    );
}
