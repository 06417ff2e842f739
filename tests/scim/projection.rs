//! `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{App, Client, ENTERPRISE, on_both};

on_both!(
    attributes_names_what_is_returned,
    excluded_attributes_names_what_is_not,
    both_at_once_are_refused,
    a_write_answers_with_what_it_is_asked_for,
    lists_and_searches_are_narrowed_too,
);

async fn ines(idp: &Client) -> String {
    let content = json!({
        "userName": "ines", "title": "Surveyor", "name": {"givenName": "Inês", "familyName": "Okafor"},
        "emails": [{"value": "ines@north.example", "type": "work"}], "externalId": "E1",
        ENTERPRISE: {"department": "Field work", "costCenter": "12"},
    });
    let made = idp.create("/Users", content).await;
    format!("/Users/{}", made["id"].as_str().unwrap())
}

fn fields(resource: &Value) -> BTreeSet<&str> {
    resource
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

async fn attributes_names_what_is_returned(app: &App) {
    let idp = app.client("idp").await;
    let path = ines(&idp).await;
    for (asked, wanted) in [
        ("userName", vec!["userName"]),
        ("USERNAME,title", vec!["userName", "title"]),
        ("name.familyName", vec!["name"]),
        ("emails.value", vec!["emails"]),
        ("meta", vec!["meta"]),
        ("externalId", vec!["externalId"]),
        ("nothingLikeIt", vec![]),
        ("id", vec![]),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:title",
            vec!["title"],
        ),
        (ENTERPRISE, vec![ENTERPRISE]),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
            vec![ENTERPRISE],
        ),
    ] {
        let answer = idp.get(&format!("{path}?attributes={asked}")).await;
        let mut found = fields(answer.ok(200));
        // `id` is always returned (RFC 7643 §3.1), and `schemas` tells what the rest is.
        assert!(
            found.remove("id") && found.remove("schemas"),
            "{asked}: {}",
            answer.body
        );
        assert_eq!(found, wanted.into_iter().collect(), "{asked}");
    }
    let answer = idp
        .get(&format!(
            "{path}?attributes=name.familyName,emails.type,{ENTERPRISE}:costCenter"
        ))
        .await;
    assert_eq!(answer.body["name"], json!({"familyName": "Okafor"}));
    assert_eq!(answer.body["emails"], json!([{"type": "work"}]));
    assert_eq!(answer.body[ENTERPRISE], json!({"costCenter": "12"}));
}

async fn excluded_attributes_names_what_is_not(app: &App) {
    let idp = app.client("idp").await;
    let path = ines(&idp).await;
    let whole = idp.get(&path).await;
    let answer = idp
        .get(&format!(
            "{path}?excludedAttributes=title,name.givenName,{ENTERPRISE}:department,id,schemas"
        ))
        .await;
    let narrowed = answer.ok(200);
    let gone: Vec<_> = fields(&whole.body)
        .difference(&fields(narrowed))
        .copied()
        .collect();
    assert_eq!(gone, ["title"]);
    assert_eq!(narrowed["name"], json!({"familyName": "Okafor"}));
    assert_eq!(narrowed[ENTERPRISE], json!({"costCenter": "12"}));
    assert_eq!(narrowed["id"], whole.body["id"]);
    let answer = idp
        .get(&format!(
            "{path}?excludedAttributes={ENTERPRISE},nothingLikeIt"
        ))
        .await;
    assert!(answer.ok(200).get(ENTERPRISE).is_none());
}

async fn both_at_once_are_refused(app: &App) {
    let idp = app.client("idp").await;
    let path = ines(&idp).await;
    idp.get(&format!("{path}?attributes=title&excludedAttributes=name"))
        .await
        .refused(400, "invalidValue");
    let events = app.event_count();
    let answer = idp
        .put(
            &format!("{path}?attributes=title&excludedAttributes=name"),
            json!({"userName": "bo"}),
        )
        .await;
    answer.refused(400, "invalidValue");
    assert_eq!(app.event_count(), events);
}

async fn a_write_answers_with_what_it_is_asked_for(app: &App) {
    let idp = app.client("idp").await;
    let path = ines(&idp).await;
    let query = "?attributes=title";
    let wanted: BTreeSet<_> = ["id", "schemas", "title"].into();
    let operation = json!([{"op": "replace", "path": "title", "value": "Diver"}]);
    assert_eq!(
        fields(
            idp.patch(&format!("{path}{query}"), operation)
                .await
                .ok(200)
        ),
        wanted
    );
    let content = json!({"userName": "ines", "title": "Pilot"});
    let answer = idp.put(&format!("{path}{query}"), content).await;
    assert_eq!(fields(answer.ok(200)), wanted);
    assert_eq!(answer.etag(), idp.get(&path).await.etag());
    let body =
        crate::support::body("/Users", json!({"userName": "bo", "title": "Diver"})).to_string();
    let answer = idp
        .send(
            reqwest::Method::POST,
            &format!("/Users{query}"),
            &[],
            Some(body.into()),
        )
        .await;
    assert_eq!(fields(answer.ok(201)), wanted);
}

async fn lists_and_searches_are_narrowed_too(app: &App) {
    let idp = app.client("idp").await;
    ines(&idp).await;
    let wanted: BTreeSet<_> = ["id", "schemas", "title"].into();
    let listed = idp.list("/Users", &[("attributes", "title")]).await;
    let searched = idp.search("/Users", json!({"attributes": ["title"]})).await;
    for answer in [listed, searched] {
        assert_eq!(fields(&answer.resources()[0]), wanted);
    }
    let searched = idp
        .search("/Users", json!({"excludedAttributes": ["title", "emails"]}))
        .await;
    assert!(!fields(&searched.resources()[0]).contains("emails"));
}
