//! Every characteristic of an attribute (RFC 7643 §2.2) has its effect.

use serde_json::{Value, json};

use crate::support::{
    App, CANDIDATE, CONSENT, EMPLOYEE, ENTERPRISE, PERSON, PROVENANCE, USER, body, on_both,
};

on_both!(
    read_only_attributes_in_a_body_are_passed_over,
    a_read_only_attribute_as_a_patchs_path_is_refused,
    what_is_immutable_is_set_once,
    what_is_never_returned_is_never_returned,
    what_is_returned_on_request_comes_on_request,
    required_attributes_are_required,
    a_closed_enumeration_takes_its_own_values_alone,
    canonical_values_elsewhere_are_suggestions,
    attribute_names_and_schemas_know_no_case,
    an_attribute_given_twice_in_two_cases_is_refused,
    unknown_attributes_are_passed_over_and_named,
    schemas_are_required_and_follow_what_the_resource_holds,
    full_paths_may_stand_as_keys,
    aliases_of_one_leaf_show_one_value,
);

/// §7, `readOnly`; Okta sends `id`, `meta` and `groups` with every PUT (O3, O4).
async fn read_only_attributes_in_a_body_are_passed_over(app: &App) {
    let idp = app.client("idp").await;
    let mine = json!({
        "id": "mine", "meta": {"resourceType": "Robot", "created": "1999-01-01T00:00:00Z", "version": "W/\"1\""},
        "groups": [{"value": "nobody"}], "userName": "ines", "active": true,
        CANDIDATE: {"createdAt": "1999-01-01T00:00:00Z"},
    });
    let made = idp.create("/Users", mine.clone()).await;
    assert_ne!(made["id"], "mine");
    assert_eq!(made["meta"]["resourceType"], "User");
    assert!(
        made["meta"]["created"]
            .as_str()
            .unwrap()
            .starts_with("2031-03-01T12")
    );
    assert!(made.get("groups").is_none() && made.get(CANDIDATE).is_none());
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    assert_eq!(idp.put(&path, mine.clone()).await.ok(200), &made);
    assert_eq!(
        idp.patch(&path, json!([{"op": "replace", "value": mine}]))
            .await
            .ok(200),
        &made
    );
}

async fn a_read_only_attribute_as_a_patchs_path_is_refused(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    for target in [
        "id",
        "meta.created",
        "groups",
        &format!("{CANDIDATE}:createdAt"),
    ] {
        for op in ["add", "replace", "remove"] {
            let operation = json!([{"op": op, "path": target, "value": "x"}]);
            let answer = idp.patch(&path, operation).await;
            let detail = answer.refused(400, "mutability");
            assert!(detail.contains(target), "{detail}");
        }
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

/// §7, `immutable`: the parts of a membership.
async fn what_is_immutable_is_set_once(app: &App) {
    let idp = app.client("idp").await;
    let ines = idp.create("/Users", json!({"userName": "ines"})).await;
    let bo = idp.create("/Users", json!({"userName": "bo"})).await;
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "g", "members": [{"value": ines["id"]}]}),
        )
        .await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let target = format!(
        "members[value eq \"{}\"].value",
        ines["id"].as_str().unwrap()
    );
    let answer = idp
        .patch(
            &path,
            json!([{"op": "replace", "path": target, "value": bo["id"]}]),
        )
        .await;
    answer.refused(400, "mutability");
    assert_eq!(idp.get(&path).await.ok(200), &group);
}

/// §7, `writeOnly` and `returned: never`: also on request, also to auditors, also in the log; and nothing to search by.
async fn what_is_never_returned_is_never_returned(app: &App) {
    let hris = app.client("hris").await;
    let secret = "X-77-204-118";
    let content = json!({
        "name": {"familyName": "Okafor"}, "legalIdentifiers": [{"type": "passport", "country": "PT", "value": secret}],
    });
    let answer = hris.post("/Persons", content).await;
    assert!(answer.ignored().is_empty(), "{:?}", answer.ignored());
    let id = answer.ok(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/Persons/{id}");
    let auditor = app.client("auditor").await;
    for reader in [&hris, &auditor] {
        for query in [
            "",
            "?attributes=legalIdentifiers",
            "?attributes=legalIdentifiers.value",
        ] {
            let read = reader.get(&format!("{path}{query}")).await;
            assert!(!read.ok(200).to_string().contains(secret));
            assert!(read.body.get("legalIdentifiers").is_none());
        }
    }
    let filter = format!("legalIdentifiers.value eq \"{secret}\"");
    hris.list("/Persons", &[("filter", &filter)])
        .await
        .refused(403, "sensitive");
    hris.list("/Persons", &[("filter", "legalIdentifiers pr")])
        .await
        .refused(403, "sensitive");
    hris.list("/Persons", &[("sortBy", "legalIdentifiers.value")])
        .await
        .refused(400, "invalidPath");
    assert!(
        !app.events_of(&id)
            .iter()
            .any(|event| event.to_string().contains(secret))
    );
}

/// §7, `returned: request`.
async fn what_is_returned_on_request_comes_on_request(app: &App) {
    let idp = app.client("idp").await;
    let ines = idp
        .create("/Users", json!({"userName": "ines", "displayName": "Inês"}))
        .await;
    let group = idp
        .create(
            "/Groups",
            json!({"displayName": "g", "members": [{"value": ines["id"]}]}),
        )
        .await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    assert!(group["members"][0].get("display").is_none());
    let asked = idp.get(&format!("{path}?attributes=members.display")).await;
    assert_eq!(asked.ok(200)["members"][0]["display"], "Inês");
    let person = format!("/Persons/{}", ines["id"].as_str().unwrap());
    assert!(
        idp.get(&person).await.ok(200)[PROVENANCE]
            .get("attributes")
            .is_none()
    );
}

async fn required_attributes_are_required(app: &App) {
    let idp = app.client("idp").await;
    for content in [
        json!({}),
        json!({"userName": null}),
        json!({"userName": ""}),
        json!({"userName": []}),
    ] {
        let answer = idp.post("/Users", content).await;
        assert!(
            answer.refused(400, "invalidValue").contains("userName"),
            "{}",
            answer.body
        );
    }
    // A required part of an element: of a Person's, for RFC 7643 §8.7.1 asks none of a User's e-mail address.
    let hris = app.client("hris").await;
    let answer = hris
        .post("/Persons", json!({"emails": [{"type": "work"}]}))
        .await;
    assert!(
        answer.refused(400, "invalidValue").contains("emails.value"),
        "{}",
        answer.body
    );
    let made = idp.create("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    idp.put(&path, json!({"displayName": "Inês"}))
        .await
        .refused(400, "invalidValue");
    idp.patch(&path, json!([{"op": "remove", "path": "userName"}]))
        .await
        .refused(400, "mutability");
    idp.post("/Groups", json!({"members": []}))
        .await
        .refused(400, "invalidValue");
    let consent = json!({CONSENT: {"consents": [{"purpose": "hiring", "status": "given"}]}});
    let answer = hris.post("/Persons", consent).await;
    assert!(answer.refused(400, "invalidValue").contains("legalBasis"));
    assert_eq!(app.event_count(), 1);
}

/// model.md: closed enumerations are refused by their path, and spelled the canonical way.
async fn a_closed_enumeration_takes_its_own_values_alone(app: &App) {
    let ats = app.client("ats").await;
    let answer = ats
        .post("/Persons", json!({CANDIDATE: {"status": "perhaps"}}))
        .await;
    let detail = answer.refused(400, "invalidValue");
    assert!(
        detail.contains("status") && detail.contains("prospect"),
        "{detail}"
    );
    let made = ats
        .create("/Persons", json!({CANDIDATE: {"status": "ACTIVE"}}))
        .await;
    assert_eq!(made[CANDIDATE]["status"], "active");
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    let operation =
        json!([{"op": "replace", "path": format!("{CANDIDATE}:status"), "value": "gone"}]);
    ats.patch(&path, operation)
        .await
        .refused(400, "invalidValue");
}

/// RFC 7643 §7: `canonicalValues` are suggestions.
async fn canonical_values_elsewhere_are_suggestions(app: &App) {
    let idp = app.client("idp").await;
    let content =
        json!({"userName": "ines", "emails": [{"value": "ines@boat.example", "type": "boat"}]});
    assert_eq!(
        idp.create("/Users", content).await["emails"][0]["type"],
        "boat"
    );
}

/// RFC 7643 §2.1.
async fn attribute_names_and_schemas_know_no_case(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "SCHEMAS": [USER.to_uppercase()], "USERNAME": "ines", "Name": {"FAMILYNAME": "Okafor"},
        ENTERPRISE.to_uppercase(): {"DEPARTMENT": "Field work"},
    });
    let text = content.to_string();
    let answer = idp
        .send(reqwest::Method::POST, "/Users", &[], Some(text.into()))
        .await;
    let made = answer.ok(201);
    assert_eq!(made["userName"], "ines");
    assert_eq!(made["name"]["familyName"], "Okafor");
    assert_eq!(made[ENTERPRISE]["department"], "Field work");
    assert!(answer.ignored().is_empty(), "{:?}", answer.ignored());
}

async fn an_attribute_given_twice_in_two_cases_is_refused(app: &App) {
    let idp = app.client("idp").await;
    idp.post("/Users", json!({"userName": "ines", "USERNAME": "ines"}))
        .await
        .refused(400, "invalidSyntax");
    assert_eq!(app.event_count(), 0);
}

/// Design §2: in the default profile.
async fn unknown_attributes_are_passed_over_and_named(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines", "favoriteColor": "green", "name": {"petName": "Ines"}, ENTERPRISE: {"shoeSize": 38},
        "urn:example:2.0:User": {"a": 1},
    });
    let answer = idp.post("/Users", content).await;
    let made = answer.ok(201).to_string();
    for name in [
        "favoriteColor",
        "petName",
        "shoeSize",
        "urn:example:2.0:User",
    ] {
        assert!(
            answer
                .ignored()
                .iter()
                .any(|ignored| ignored.contains(name)),
            "{name}: {:?}",
            answer.ignored()
        );
        assert!(!made.contains(name), "{made}");
    }
}

async fn schemas_are_required_and_follow_what_the_resource_holds(app: &App) {
    let idp = app.client("idp").await;
    for schemas in [
        json!(null),
        json!([]),
        json!([PERSON]),
        json!(USER),
        json!([1]),
        json!([ENTERPRISE]),
    ] {
        let answer = idp
            .post("/Users", json!({"schemas": schemas, "userName": "ines"}))
            .await;
        assert!(
            answer.refused(400, "invalidSyntax").contains(USER),
            "{}",
            answer.body
        );
    }
    let text = json!({"userName": "ines"}).to_string();
    let answer = idp
        .send(reqwest::Method::POST, "/Users", &[], Some(text.into()))
        .await;
    assert!(answer.refused(400, "invalidSyntax").contains("schemas"));
    // An extension without a value is not part of the resource.
    let made = idp
        .create(
            "/Users",
            json!({"schemas": [USER, ENTERPRISE], "userName": "ines", ENTERPRISE: {}}),
        )
        .await;
    assert_eq!(made["schemas"], json!([USER]));
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let department = format!("{ENTERPRISE}:department");
    let answer = idp
        .patch(
            &path,
            json!([{"op": "add", "path": department, "value": "Field work"}]),
        )
        .await;
    assert!(
        answer.ok(200)["schemas"]
            .as_array()
            .unwrap()
            .contains(&json!(ENTERPRISE))
    );
    let answer = idp
        .patch(&path, json!([{"op": "remove", "path": department}]))
        .await;
    assert_eq!(answer.ok(200)["schemas"], json!([USER]));
}

async fn full_paths_may_stand_as_keys(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({
        "userName": "ines", "name.familyName": "Okafor", "name": {"givenName": "Inês"},
        format!("{ENTERPRISE}:department"): "Field work",
    });
    let made = idp
        .create("/Users", body("/Users", with_schemas(content)))
        .await;
    assert_eq!(
        made["name"],
        json!({"familyName": "Okafor", "givenName": "Inês"})
    );
    assert_eq!(made[ENTERPRISE]["department"], "Field work");
}

fn with_schemas(mut content: Value) -> Value {
    content["schemas"] = json!([USER, ENTERPRISE]);
    content
}

/// Design §2: nothing is ever typed twice.
async fn aliases_of_one_leaf_show_one_value(app: &App) {
    let idp = app.client("idp").await;
    let content =
        json!({"userName": "ines", "title": "Surveyor", ENTERPRISE: {"department": "Field work"}});
    let made = idp.create("/Users", content).await;
    assert_eq!(made[EMPLOYEE]["jobTitle"], "Surveyor");
    assert_eq!(made[EMPLOYEE]["department"], "Field work");
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let hris = app.client("hris").await;
    let operation =
        json!([{"op": "replace", "path": format!("{EMPLOYEE}:jobTitle"), "value": "Geologist"}]);
    assert_eq!(
        hris.patch(&path, operation).await.ok(200)["title"],
        "Geologist"
    );
    // A client that read both may change either and send the other back as it was.
    let mut echo = idp.get(&path).await.ok(200).clone();
    echo["title"] = json!("Diver");
    let answer = idp.put(&path, echo).await;
    assert_eq!(answer.ok(200)["title"], "Diver");
    assert_eq!(answer.body[EMPLOYEE]["jobTitle"], "Diver");
}
