//! What each profile takes for a value, an operation and a literal.

use serde_json::json;

use super::{EVERY, RFC, TOLERANT, id, patched, user};
use crate::support::{App, ENTERPRISE, on_both};

on_both!(
    row_1_operations_come_in_any_case,
    row_2_booleans_come_as_strings,
    row_3_values_without_a_path_have_paths_as_names,
    rows_4_and_5_an_element_that_is_missing_is_made,
    row_9_a_manager_comes_in_every_form,
    row_14_odd_values_are_kept_as_they_are,
    row_24_bare_literals_are_entras,
    a_strict_replace_of_a_complex_value_is_whole,
    an_encoded_role_stays_a_text_for_entra,
);

async fn row_1_operations_come_in_any_case(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        for (op, title) in [("Add", "a"), ("REPLACE", "b")] {
            let operations = json!([{"op": op, "path": "title", "value": title}]);
            assert_eq!(patched(&client, &path, operations).await["title"], title);
        }
        let gone = patched(&client, &path, json!([{"op": "Remove", "path": "title"}])).await;
        assert_eq!(gone.get("title"), None, "{name}");
    }
}

async fn row_2_booleans_come_as_strings(app: &App) {
    let roles = json!([{"value": "x", "primary": "True"}]);
    let disable = json!([{"op": "replace", "path": "active", "value": "False"}]);
    let display =
        json!([{"op": "add", "path": "roles[primary eq \"True\"].display", "value": "X"}]);
    for name in TOLERANT {
        let client = app.client(name).await;
        let content = json!({"userName": format!("{name}.bool"), "active": "true", "roles": roles});
        let made = client.create("/Users", content).await;
        assert_eq!(
            (&made["active"], &made["roles"][0]["primary"]),
            (&json!(true), &json!(true))
        );
        let path = format!("/Users/{}", id(&made));
        assert_eq!(
            patched(&client, &path, disable.clone()).await["active"],
            false
        );
        let now = patched(&client, &path, display.clone()).await;
        assert_eq!(
            now["roles"],
            json!([{"value": "x", "display": "X", "primary": true}])
        );
        let filter = format!(
            "userName eq \"{name}.bool\" and active eq \"False\" and roles[primary eq \"True\"]"
        );
        assert_eq!(client.find("/Users", &filter).await.len(), 1, "{name}");
    }
    let strict = app.client("strict").await;
    let (made, path) = user(&strict, "strict").await;
    let content = json!({"userName": "strict.bool", "roles": roles});
    strict
        .post("/Users", content)
        .await
        .refused(400, "invalidValue");
    strict
        .patch(&path, disable)
        .await
        .refused(400, "invalidValue");
    strict
        .patch(&path, display)
        .await
        .refused(400, "invalidPath");
    for filter in [
        "active eq \"True\"",
        "not (roles[primary eq \"True\"])",
        "roles[type eq \"x\"].primary eq \"true\"",
    ] {
        let answer = strict.list("/Users", &[("filter", filter)]).await;
        assert!(
            answer
                .refused(400, "invalidFilter")
                .contains("without quotes")
        );
    }
    assert_eq!(strict.get(&path).await.ok(200), &made);
}

async fn row_3_values_without_a_path_have_paths_as_names(app: &App) {
    let employee = format!("{ENTERPRISE}:employeeNumber");
    let operations =
        json!([{"op": "replace", "value": {"name.givenName": "Theo", employee.as_str(): "E7"}}]);
    for name in TOLERANT {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        let now = patched(&client, &path, operations.clone()).await;
        assert_eq!(
            now["name"],
            json!({"givenName": "Theo", "familyName": "Ter"})
        );
        assert_eq!(now[ENTERPRISE], json!({"employeeNumber": "E7"}));
    }
    let strict = app.client("strict").await;
    let (made, path) = user(&strict, "strict").await;
    for value in [operations, json!([{"op": "add", "value": {"title": "x"}}])] {
        let answer = strict.patch(&path, value).await;
        assert!(answer.refused(400, "invalidSyntax").contains("'path'"));
    }
    let answer = strict
        .post(
            "/Users",
            json!({"userName": "dotted", "name.givenName": "Theo"}),
        )
        .await;
    answer.refused(400, "invalidSyntax");
    assert_eq!(strict.get(&path).await.ok(200), &made);
}

async fn rows_4_and_5_an_element_that_is_missing_is_made(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        let mail = format!("{name}@made.example");
        let add = json!([{"op": "Add", "path": "emails[type eq \"work\"].value", "value": mail}]);
        let now = patched(&client, &path, add).await;
        assert_eq!(now["emails"], json!([{"type": "work", "value": mail}]));
        let replace = json!([{"op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+351 1"}]);
        if name == "strict" {
            client.patch(&path, replace).await.refused(400, "noTarget");
        } else {
            let now = patched(&client, &path, replace).await;
            assert_eq!(
                now["phoneNumbers"],
                json!([{"type": "mobile", "value": "+351 1"}])
            );
        }
    }
}

async fn row_9_a_manager_comes_in_every_form(app: &App) {
    let manager = format!("{ENTERPRISE}:manager");
    for name in EVERY {
        let client = app.client(name).await;
        let (boss, _) = user(&client, &format!("{name}.boss")).await;
        let (_, path) = user(&client, name).await;
        let boss = id(&boss);
        let place = format!("/{}/manager/value", ENTERPRISE.replace('/', "~1"));
        let object = json!([{"op": "Add", "path": manager, "value": {"value": boss}}]);
        assert_eq!(
            patched(&client, &path, object).await.pointer(&place),
            Some(&json!(boss)),
            "{name}"
        );
        let gone = json!([{"op": "Replace", "path": manager, "value": {"value": ""}}]);
        assert_eq!(
            patched(&client, &path, gone).await.get(ENTERPRISE),
            None,
            "{name}"
        );
        for value in [json!(boss), json!([{"$ref": null, "value": boss}])] {
            let add = json!([{"op": "Add", "path": manager, "value": value}]);
            if name == "strict" {
                client.patch(&path, add).await.refused(400, "invalidValue");
                continue;
            }
            assert_eq!(
                patched(&client, &path, add).await.pointer(&place),
                Some(&json!(boss)),
                "{name}"
            );
            let remove =
                json!([{"op": "Remove", "path": format!("{manager}[value eq \"{boss}\"]")}]);
            assert_eq!(
                patched(&client, &path, remove).await.get(ENTERPRISE),
                None,
                "{name}"
            );
        }
        let dotted = json!([{"op": "Add", "path": format!("{ENTERPRISE}.manager"), "value": {"value": boss}}]);
        if name == "strict" {
            client
                .patch(&path, dotted)
                .await
                .refused(400, "invalidPath");
        } else {
            assert_eq!(
                patched(&client, &path, dotted).await.pointer(&place),
                Some(&json!(boss)),
                "{name}"
            );
        }
    }
}

async fn row_14_odd_values_are_kept_as_they_are(app: &App) {
    let odd = [
        ("profileUrl", "not a url"),
        ("locale", "somewhere nice"),
        ("timezone", "half past ten"),
    ];
    for name in EVERY {
        let client = app.client(name).await;
        for (attribute, value) in odd {
            let content = json!({"userName": format!("{name}.{attribute}"), attribute: value});
            let made = client.post("/Users", content).await;
            if name == "strict" {
                assert!(made.refused(400, "invalidValue").contains(attribute));
            } else {
                assert_eq!(made.ok(201)[attribute], value);
            }
        }
    }
    let strict = app.client("strict").await;
    let sound = json!({
        "userName": "sound", "profileUrl": "https://example.com/%7Etess", "locale": "pt-PT", "timezone": "Europe/Lisbon",
    });
    strict.create("/Users", sound).await;
}

async fn row_24_bare_literals_are_entras(app: &App) {
    let entra = app.client("entra").await;
    let content = json!({"userName": "jyoung", "externalId": "12345", "active": true});
    let made = entra.create("/Users", content).await;
    for filter in [
        "userName eq jyoung",
        "userName sw JY",
        "externalId eq 12345",
        "meta.created gt 2015-10-10T14:38:21.8617979-07:00",
        "active eq true",
        "active eq True and userName eq \"jyoung\"",
        "title eq null",
    ] {
        let found = entra.find("/Users", filter).await;
        assert!(
            found.iter().any(|it| it["id"] == made["id"]),
            "{filter}: {found:?}"
        );
    }
    let path = format!("/Users/{}", id(&made));
    let operations =
        json!([{"op": "add", "path": "emails[type eq work].value", "value": "j@bare.example"}]);
    let now = patched(&entra, &path, operations.clone()).await;
    assert_eq!(
        now["emails"],
        json!([{"type": "work", "value": "j@bare.example"}])
    );
    for name in [RFC, "okta", "strict"] {
        let client = app.client(name).await;
        for filter in [
            "userName eq jyoung",
            "externalId eq 12345",
            "meta.created gt 2015-10-10T14:38:21Z",
        ] {
            client
                .list("/Users", &[("filter", filter)])
                .await
                .refused(400, "invalidFilter");
        }
        let (_, path) = user(&client, name).await;
        client
            .patch(&path, operations.clone())
            .await
            .refused(400, "invalidPath");
    }
}

async fn a_strict_replace_of_a_complex_value_is_whole(app: &App) {
    let replace = json!([{"op": "replace", "path": "name", "value": {"givenName": "Theo"}}]);
    let add = json!([{"op": "add", "path": "name", "value": {"middleName": "M"}}]);
    for name in EVERY {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        let now = patched(&client, &path, replace.clone()).await;
        let family = now["name"].get("familyName");
        assert_eq!(family.is_none(), name == "strict", "{name}");
        let now = patched(&client, &path, add.clone()).await;
        assert_eq!(now["name"]["givenName"], "Theo", "{name}");
    }
}

/// E10: a role assignment may be a JSON text.
async fn an_encoded_role_stays_a_text_for_entra(app: &App) {
    let role = "{\"id\":\"r1\",\"value\":\"Reader\",\"displayName\":\"Reader\"}";
    for name in EVERY {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        let whole = json!([{"op": "Add", "path": "roles", "value": [{"value": role}]}]);
        assert_eq!(
            patched(&client, &path, whole).await["roles"],
            json!([{"value": role}])
        );
        patched(&client, &path, json!([{"op": "remove", "path": "roles"}])).await;
        let bare = json!([{"op": "Add", "path": "roles", "value": [role]}]);
        if name == "entra" {
            assert_eq!(
                patched(&client, &path, bare).await["roles"],
                json!([{"value": role}])
            );
        } else {
            client.patch(&path, bare).await.refused(400, "invalidValue");
        }
    }
}
