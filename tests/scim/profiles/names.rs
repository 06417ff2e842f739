//! What each profile makes of names that nobody knows, of names from before the RFC, and of what is read-only.

use reqwest::Method;
use serde_json::json;

use super::{EVERY, TOLERANT, group, id, members, patched, user};
use crate::support::{App, ENTERPRISE, GROUP, PATCH_OP, on_both};

on_both!(
    row_10_what_nobody_knows_is_named_or_refused,
    row_11_read_only_attributes_in_a_body_are_passed_over,
    former_urns_mean_the_schemas_of_today,
    unknown_names_of_attributes_are_named,
);

#[expect(
    clippy::too_many_lines,
    reason = "every place for an unknown name, in every profile"
)]
async fn row_10_what_nobody_knows_is_named_or_refused(app: &App) {
    const ADSCIM: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";
    let odd_group = |name: &str| json!({"schemas": [GROUP, ADSCIM], "displayName": format!("{name} odd"), "meta": {"resourceType": "Group"}});
    let odd_user = |name: &str| json!({"userName": format!("{name}.odd"), "shoeSize": 44, "name": {"pet": "x", "givenName": "y"}});
    for name in TOLERANT {
        let client = app.client(name).await;
        let made = client.post("/Groups", odd_group(name)).await;
        made.ok(201);
        assert_eq!(made.ignored(), [ADSCIM]);
        let made = client.post("/Users", odd_user(name)).await;
        assert_eq!(made.ok(201)["name"], json!({"givenName": "y"}));
        assert_eq!(made.ignored(), ["shoeSize", "name.pet"]);
        let path = format!("/Users/{}", id(&made.body));
        let answer = client
            .patch(
                &path,
                json!([{"name": "x", "op": "add", "path": "name", "value": {"pet": "x"}}]),
            )
            .await;
        assert_eq!(answer.ok(200), &made.body);
        assert_eq!(answer.ignored(), ["Operations[1].name", "name.pet"]);
    }
    let strict = app.client("strict").await;
    for (endpoint, content, named) in [
        ("/Groups", odd_group("strict"), ADSCIM),
        ("/Users", odd_user("strict"), "shoeSize"),
        (
            "/Users",
            json!({"userName": "s", "userNmae": "t"}),
            "did you mean 'userName'",
        ),
        (
            "/Users",
            json!({"userName": "s", "emails": [{"value": "x@s.example", "kind": "y"}]}),
            "'kind'",
        ),
        (
            "/Users",
            json!({"userName": "s", ENTERPRISE: {"team": "y"}}),
            "'team'",
        ),
    ] {
        let answer = strict.post(endpoint, content).await;
        let detail = answer.refused(400, "invalidSyntax");
        assert!(detail.contains(named), "{detail}");
    }
    let (made, path) = user(&strict, "strict").await;
    for operation in [
        json!({"op": "add", "path": "name", "value": {"pet": "x"}}),
        json!({"op": "add", "path": "title", "value": "x", "name": "y"}),
        json!({"op": "add", "path": ENTERPRISE, "value": {"team": "x"}}),
    ] {
        strict
            .patch(&path, json!([operation]))
            .await
            .refused(400, "invalidSyntax");
    }
    let mut whole = made.clone();
    whole["shoeSize"] = json!(44);
    strict.put(&path, whole).await.refused(400, "invalidSyntax");
    assert_eq!(strict.get(&path).await.ok(200), &made);
}

async fn row_11_read_only_attributes_in_a_body_are_passed_over(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let content = json!({
            "id": "mine", "userName": format!("{name}.ro"), "groups": [], "meta": {"resourceType": "User", "version": "W/\"0\""},
        });
        let made = client.create("/Users", content).await;
        assert_ne!(made["id"], "mine");
        let path = format!("/Users/{}", id(&made));
        let mut whole = made.clone();
        whole["title"] = json!("Diver");
        whole["groups"] = json!([{"value": "nobody"}]);
        assert_eq!(
            client.put(&path, whole).await.ok(200)["title"],
            "Diver",
            "{name}"
        );
        // What the id already is changes nothing; another one is refused, or left out for Okta.
        let same = json!([{"op": "replace", "path": "id", "value": id(&made)}]);
        client.patch(&path, same).await.ok(200);
        let other = client
            .patch(
                &path,
                json!([{"op": "replace", "path": "id", "value": "mine"}]),
            )
            .await;
        if name == "okta" {
            assert_eq!(other.ok(200)["id"], made["id"]);
            assert_eq!(other.ignored(), ["id"]);
        } else {
            other.refused(400, "mutability");
        }
    }
    for name in TOLERANT {
        let client = app.client(name).await;
        let (ids, path) = group(&client, name).await;
        let rename = json!([{"op": "replace", "value": {"id": path.rsplit('/').next(), "displayName": format!("{name} renamed")}}]);
        let now = patched(&client, &path, rename).await;
        assert_eq!(
            (now["displayName"].as_str(), members(&now).len()),
            (Some(format!("{name} renamed").as_str()), ids.len())
        );
    }
}

/// OneLogin's URNs, and the one of Entra ID's documentation.
async fn former_urns_mean_the_schemas_of_today(app: &App) {
    const OLD: &str = "urn:scim:schemas:extension:enterprise:2.0";
    let content = |name: &str, urn: &str| {
        json!({
            "schemas": ["urn:scim:schemas:core:2.0", urn], "userName": format!("{name}.{}", urn.len()),
            urn: {"department": "Wells"},
        })
    };
    for name in TOLERANT {
        let client = app.client(name).await;
        for urn in [
            OLD,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
        ] {
            let made = client.post("/Users", content(name, urn)).await;
            let schemas = made.ok(201)["schemas"].as_array().unwrap();
            assert!(schemas.contains(&json!(ENTERPRISE)) && !schemas.contains(&json!(urn)));
            assert_eq!(made.body[ENTERPRISE], json!({"department": "Wells"}));
            assert!(made.ignored().is_empty(), "{:?}", made.ignored());
            let path = format!("/Users/{}", id(&made.body));
            let operations = json!([
                {"op": "replace", "path": format!("{urn}:department"), "value": "Rigs"},
                {"op": "add", "value": {urn: {"division": "North"}}},
            ]);
            let now = patched(&client, &path, operations).await;
            assert_eq!(
                now[ENTERPRISE],
                json!({"department": "Rigs", "division": "North"})
            );
            let filter = format!(
                "userName eq \"{name}.{}\" and {urn}:department eq \"rigs\"",
                urn.len()
            );
            assert_eq!(client.find("/Users", &filter).await.len(), 1);
        }
    }
    let strict = app.client("strict").await;
    strict
        .post("/Users", content("strict", OLD))
        .await
        .refused(400, "invalidSyntax");
    let filter = format!("{OLD}:department eq \"Rigs\"");
    strict
        .list("/Users", &[("filter", &filter)])
        .await
        .refused(400, "invalidFilter");
    let (_, path) = user(&strict, "strict").await;
    let operations = json!([{"op": "add", "path": format!("{OLD}:department"), "value": "Rigs"}]);
    strict
        .patch(&path, operations)
        .await
        .refused(400, "invalidPath");
}

#[expect(
    clippy::too_many_lines,
    reason = "every way to name an attribute, in every profile"
)]
async fn unknown_names_of_attributes_are_named(app: &App) {
    for name in TOLERANT {
        let client = app.client(name).await;
        let (_, path) = user(&client, name).await;
        let answer = client
            .get(&format!("{path}?attributes=userName,shoeSize,name.pet"))
            .await;
        assert_eq!(answer.ok(200)["userName"], format!("{name}.tester"));
        assert_eq!(answer.ignored(), ["shoeSize", "name.pet"]);
        let answer = client
            .list("/Users", &[("excludedAttributes", "shoeSize")])
            .await;
        answer.ok(200);
        assert_eq!(answer.ignored(), ["shoeSize"]);
        let answer = client
            .search("/Users", json!({"attributes": ["userName", "shoeSize"]}))
            .await;
        answer.ok(200);
        assert_eq!(answer.ignored(), ["shoeSize"]);
        let answer = client
            .search(
                "",
                json!({"attributes": ["userName", "members", "shoeSize"]}),
            )
            .await;
        answer.ok(200);
        assert_eq!(answer.ignored(), ["shoeSize"]);
        let body =
            json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "value": {"pet": "x"}}]});
        let asked = format!("{path}?attributes=shoeSize");
        let answer = client
            .send(
                Method::PATCH,
                &asked,
                &[],
                Some(body.to_string().into_bytes()),
            )
            .await;
        answer.ok(200);
        assert_eq!(answer.ignored(), ["pet", "shoeSize"]);
    }
    let strict = app.client("strict").await;
    let (made, path) = user(&strict, "strict").await;
    let answer = strict.get(&format!("{path}?attributes=userNme")).await;
    assert!(answer.refused(400, "invalidPath").contains("'userName'"));
    strict
        .list("/Users", &[("excludedAttributes", "shoeSize")])
        .await
        .refused(400, "invalidPath");
    strict
        .search("/Users", json!({"attributes": ["shoeSize"]}))
        .await
        .refused(400, "invalidPath");
    strict
        .search("", json!({"attributes": ["shoeSize"]}))
        .await
        .refused(400, "invalidPath");
    strict
        .search("", json!({"attributes": ["members"]}))
        .await
        .ok(200);
    strict
        .put(
            &format!("{path}?attributes=shoeSize"),
            json!({"userName": "other"}),
        )
        .await
        .refused(400, "invalidPath");
    assert_eq!(strict.get(&path).await.ok(200), &made);
}
