//! The golden record is folded from what each system says (design §3): over HTTP, system by system.

use serde_json::{Value, json};

use crate::support::{App, CANDIDATE, EMPLOYEE, ENTERPRISE, PROVENANCE, on_both};

on_both!(
    two_systems_write_one_person_and_each_reads_its_own_external_id,
    a_put_by_one_system_leaves_what_others_say,
    a_put_withdraws_what_its_own_system_said,
    an_echo_is_not_a_claim,
    the_newest_value_stands,
    the_last_write_stands_though_the_clock_has_gone_back,
    a_value_that_two_systems_confirm_outlives_one_of_them,
    elements_of_two_systems_are_joined_by_their_key,
    what_one_system_removes_is_gone_for_all,
    the_sources_of_a_person_are_told,
    a_confirmation_is_an_event_without_a_version,
);

/// A person whom the HRIS made and the others have seen: its path.
async fn lua(app: &App, content: Value) -> String {
    let made = app.client("hris").await.create("/Persons", content).await;
    format!("/Persons/{}", made["id"].as_str().unwrap())
}

async fn two_systems_write_one_person_and_each_reads_its_own_external_id(app: &App) {
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let path = lua(app, json!({"displayName": "Lua", "externalId": "H-1"})).await;
    let answer = ats
        .patch(
            &path,
            json!([{"op": "add", "path": "externalId", "value": "A-1"}]),
        )
        .await;
    assert_eq!(answer.ok(200)["externalId"], "A-1");
    assert_eq!(hris.get(&path).await.ok(200)["externalId"], "H-1");
    assert_eq!(ats.get(&path).await.ok(200)["externalId"], "A-1");
    assert!(crm.get(&path).await.ok(200).get("externalId").is_none());
    for (client, own, other) in [(&hris, "H-1", "A-1"), (&ats, "A-1", "H-1")] {
        assert_eq!(
            client
                .find("/Persons", &format!("externalId eq \"{own}\""))
                .await
                .len(),
            1
        );
        assert_eq!(
            client
                .find("/Persons", &format!("externalId eq \"{other}\""))
                .await
                .len(),
            0
        );
    }
    // One system's PUT without it withdraws its own only.
    ats.put(&path, json!({"displayName": "Lua"})).await.ok(200);
    assert!(ats.get(&path).await.ok(200).get("externalId").is_none());
    assert_eq!(hris.get(&path).await.ok(200)["externalId"], "H-1");
}

async fn a_put_by_one_system_leaves_what_others_say(app: &App) {
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let user = idp
        .create("/Users", json!({"userName": "lua", "nickName": "Lu"}))
        .await;
    let path = format!("/Users/{}", user["id"].as_str().unwrap());
    let operations = json!([
        {"op": "add", "path": format!("{EMPLOYEE}:hireDate"), "value": "2031-04-01"},
        {"op": "add", "path": "title", "value": "Surveyor"},
        {"op": "add", "path": format!("{ENTERPRISE}:department"), "value": "Field work"},
        {"op": "add", "path": "emails", "value": [{"value": "lua@north.example", "type": "work"}]},
        {"op": "add", "path": "name.familyName", "value": "Prado"},
    ]);
    hris.patch(&path, operations).await.ok(200);
    // Okta's PUT of the attributes it maps, and no others (O3).
    let content = json!({
        "userName": "lua", "name": {"givenName": "Lua"}, "emails": [{"value": "lua@home.example"}], "active": true,
    });
    let answer = idp.put(&path, content).await;
    let now = answer.ok(200);
    assert_eq!(now["title"], "Surveyor");
    assert_eq!(now[EMPLOYEE]["hireDate"], "2031-04-01");
    assert_eq!(now[ENTERPRISE]["department"], "Field work");
    assert_eq!(
        now["name"],
        json!({"familyName": "Prado", "givenName": "Lua"})
    );
    let emails = now["emails"].as_array().unwrap();
    assert_eq!(emails.len(), 2, "{emails:?}");
    assert!(now.get("nickName").is_none(), "its own is withdrawn");
    // With the extensions listed and empty, what others say in them stands as well.
    let content = json!({"userName": "lua", ENTERPRISE: {"costCenter": "12"}, EMPLOYEE: {}});
    let answer = idp.put(&path, content).await;
    assert_eq!(answer.ok(200)[EMPLOYEE]["hireDate"], "2031-04-01");
    assert_eq!(answer.body[ENTERPRISE]["department"], "Field work");
    assert_eq!(
        answer.body["emails"],
        json!([{"value": "lua@north.example", "type": "work"}])
    );
}

async fn a_put_withdraws_what_its_own_system_said(app: &App) {
    let ats = app.client("ats").await;
    let path = lua(app, json!({"displayName": "Lua"})).await;
    let content = json!({"preferredName": "Lu", "displayName": "Lua P.", CANDIDATE: {"status": "active", "skills": ["SQL"]}});
    assert_eq!(
        ats.put(&path, content).await.ok(200)["displayName"],
        "Lua P."
    );
    // What only the other system said before comes to light again. An extension that is not listed stays untouched.
    let answer = ats.put(&path, json!({})).await;
    assert_eq!(answer.ok(200)["displayName"], "Lua");
    assert!(answer.body.get("preferredName").is_none());
    assert_eq!(answer.body[CANDIDATE]["status"], "active");
    let answer = ats
        .put(&path, json!({CANDIDATE: {"status": "active"}}))
        .await;
    assert!(
        answer.ok(200)[CANDIDATE].get("skills").is_none(),
        "{}",
        answer.body
    );
}

async fn an_echo_is_not_a_claim(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(app, json!({"displayName": "Lua", "legalName": "Lua Prado"})).await;
    let seen = ats.get(&path).await.ok(200).clone();
    // The ATS sends back what it read, with one value of its own.
    let mut echo = seen.clone();
    echo["preferredName"] = json!("Lu");
    ats.put(&path, echo).await.ok(200);
    // When the HRIS withdraws its name, nobody else has said it.
    let answer = hris.put(&path, json!({"displayName": "Lua"})).await;
    assert!(answer.ok(200).get("legalName").is_none(), "{}", answer.body);
    assert_eq!(answer.body["preferredName"], "Lu");
}

async fn the_newest_value_stands(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(app, json!({"displayName": "Lua"})).await;
    for (client, name) in [(&ats, "Lua P."), (&hris, "Lua Prado"), (&ats, "L. Prado")] {
        let answer = client
            .patch(
                &path,
                json!([{"op": "replace", "path": "displayName", "value": name}]),
            )
            .await;
        assert_eq!(answer.ok(200)["displayName"], name);
        assert_eq!(hris.get(&path).await.ok(200)["displayName"], name);
    }
}

/// A PATCH claims what it names even when it is equal (design §3).
async fn the_last_write_stands_though_the_clock_has_gone_back(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(app, json!({"displayName": "Lua"})).await;
    // Less than the leeway that tokens have.
    app.clock.advance(chrono::TimeDelta::seconds(-20));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Lua B."}]);
    assert_eq!(
        ats.patch(&path, rename).await.ok(200)["displayName"],
        "Lua B."
    );
    assert_eq!(hris.get(&path).await.ok(200)["displayName"], "Lua B.");
}

async fn a_value_that_two_systems_confirm_outlives_one_of_them(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(app, json!({"displayName": "Lua", "legalName": "Lua Prado"})).await;
    let before = ats.get(&path).await;
    let confirmed = ats
        .patch(
            &path,
            json!([{"op": "replace", "path": "legalName", "value": "Lua Prado"}]),
        )
        .await;
    assert_eq!(confirmed.ok(200), before.ok(200));
    let answer = hris.put(&path, json!({"displayName": "Lua"})).await;
    assert_eq!(answer.ok(200)["legalName"], "Lua Prado");
}

async fn elements_of_two_systems_are_joined_by_their_key(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(
        app,
        json!({"emails": [{"value": "lua@north.example", "primary": true}]}),
    )
    .await;
    let emails = json!([
        {"value": "LUA@north.example", "type": "work"},
        {"value": "lua@home.example", "primary": true},
    ]);
    let answer = ats.put(&path, json!({"emails": emails})).await;
    let found = answer.ok(200)["emails"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:?}");
    // One address whatever its case, known from both; of two primaries the newer.
    let work = found.iter().find(|email| email["type"] == "work").unwrap();
    assert_ne!(work.get("primary"), Some(&json!(true)));
    let home = found
        .iter()
        .find(|email| email["value"] == "lua@home.example")
        .unwrap();
    assert_eq!(home["primary"], true);
    assert_eq!(
        hris.find(
            "/Persons",
            "emails[primary eq true].value eq \"lua@home.example\""
        )
        .await
        .len(),
        1
    );
}

/// With no policy a removal wins (design §3); a later value brings it back.
async fn what_one_system_removes_is_gone_for_all(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let emails = json!([{"value": "lua@north.example"}, {"value": "lua@home.example"}]);
    let path = lua(app, json!({"legalName": "Lua Prado", "emails": emails})).await;
    let operations = json!([
        {"op": "remove", "path": "legalName"},
        {"op": "remove", "path": "emails[value eq \"lua@home.example\"]"},
    ]);
    ats.patch(&path, operations).await.ok(200);
    let answer = hris.get(&path).await;
    assert!(answer.ok(200).get("legalName").is_none());
    assert_eq!(
        answer.body["emails"],
        json!([{"value": "lua@north.example"}])
    );
    let answer = hris
        .patch(
            &path,
            json!([{"op": "add", "path": "legalName", "value": "Lua Prado"}]),
        )
        .await;
    assert_eq!(answer.ok(200)["legalName"], "Lua Prado");
}

/// model.md, Provenance.
async fn the_sources_of_a_person_are_told(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let path = lua(app, json!({"displayName": "Lua", "externalId": "H-1"})).await;
    ats.patch(
        &path,
        json!([{"op": "add", "path": "externalId", "value": "A-1"}]),
    )
    .await
    .ok(200);
    let query = format!("{path}?attributes={PROVENANCE}:sources");
    let answer = app.client("auditor").await.get(&query).await;
    let sources = answer.ok(200)[PROVENANCE]["sources"].as_array().unwrap();
    let mut told: Vec<_> = sources
        .iter()
        .map(|source| (source["system"].as_str(), source["externalId"].as_str()))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [(Some("ats"), Some("A-1")), (Some("hris"), Some("H-1"))]
    );
    // Nobody writes it.
    let mine = json!({"displayName": "Lua", PROVENANCE: {"sources": [{"system": "crm"}]}});
    hris.put(&path, mine).await.ok(200);
    let again = app.client("auditor").await.get(&query).await;
    assert_eq!(
        again.ok(200)[PROVENANCE]["sources"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

async fn a_confirmation_is_an_event_without_a_version(app: &App) {
    let ats = app.client("ats").await;
    let path = lua(app, json!({"legalName": "Lua Prado"})).await;
    let operation = json!([{"op": "replace", "path": "legalName", "value": "Lua Prado"}]);
    ats.patch(&path, operation.clone()).await.ok(200);
    ats.patch(&path, operation).await.ok(200);
    let events = app.events_of(path.rsplit('/').next().unwrap());
    let told: Vec<_> = events
        .iter()
        .map(|event| (event["type"].as_str().unwrap(), event["version"].as_i64()))
        .collect();
    assert_eq!(
        told,
        [("person.created", Some(1)), ("person.confirmed", None)]
    );
    assert_eq!(events[1]["sourceSystem"], "ats");
}
