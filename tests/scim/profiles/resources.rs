//! Users, groups and the configuration as each profile answers them.

use reqwest::Method;
use serde_json::json;

use super::{EVERY, group, members, patched, user};
use crate::support::{App, ENTERPRISE, USER, on_both};

on_both!(
    rows_6_to_8_members_are_removed_as_listed,
    row_8_nothing_to_remove_is_an_error_for_the_strict_alone,
    rows_12_and_13_passwords_and_nulls_are_taken_and_not_kept,
    rows_15_to_17_a_user_is_found_and_is_unique,
    rows_18_and_19_a_user_is_deleted_once_and_made_again,
    rows_20_and_22_members_stay_unloaded_and_known_values_change_nothing,
    row_23_plain_json_is_taken,
    a_patch_of_a_group_is_answered_as_the_client_needs_it,
    the_configuration_tells_the_strict_that_the_interop_profile_is_kept_to,
);

async fn rows_6_to_8_members_are_removed_as_listed(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let ([a, b, c], path) = group(&client, name).await;
        let listed =
            json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": a}]}]);
        let now = patched(&client, &path, listed).await;
        assert_eq!(members(&now).len(), 2, "{name}");
        let selected = json!([{"op": "remove", "path": format!("members[value eq \"{b}\"]")}]);
        let now = patched(&client, &path, selected).await;
        assert_eq!(members(&now), [c.as_str()], "{name}");
        let now = patched(&client, &path, json!([{"op": "remove", "path": "members"}])).await;
        assert_eq!(members(&now).len(), 0, "{name}");
    }
}

async fn row_8_nothing_to_remove_is_an_error_for_the_strict_alone(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let ([a, ..], path) = group(&client, name).await;
        let (_, stranger) = user(&client, name).await;
        let stranger = stranger.rsplit('/').next().unwrap().to_owned();
        let before = client.get(&path).await;
        for operation in [
            json!({"op": "remove", "path": format!("members[value eq \"{stranger}\"]")}),
            json!({"op": "remove", "path": "members", "value": [{"value": stranger}]}),
        ] {
            if name == "strict" {
                client
                    .patch(&path, json!([operation]))
                    .await
                    .refused(400, "noTarget");
            } else {
                patched(&client, &path, json!([operation])).await;
            }
            assert_eq!(client.get(&path).await.etag(), before.etag(), "{name}");
        }
        let twice = json!([
            {"op": "add", "path": "members", "value": [{"value": stranger}]},
            {"op": "remove", "path": format!("members[value eq \"{stranger}\"]")},
            {"op": "remove", "path": format!("members[value eq \"{a}\"]")},
        ]);
        assert_eq!(
            members(&patched(&client, &path, twice).await).len(),
            2,
            "{name}"
        );
    }
    let strict = app.client("strict").await;
    let (_, path) = user(&strict, "strict.lonely").await;
    let operations = json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]);
    strict
        .patch(&path, operations)
        .await
        .refused(400, "noTarget");
}

async fn rows_12_and_13_passwords_and_nulls_are_taken_and_not_kept(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let content = json!({
            "userName": format!("{name}.null"), "password": "s3cret", "roles": [], "addresses": null, "title": null,
            ENTERPRISE: {"manager": null},
        });
        let made = client.post("/Users", content).await;
        assert_eq!(made.ignored(), ["password"], "{name}");
        for unassigned in ["password", "roles", "addresses", "title", ENTERPRISE] {
            assert_eq!(made.ok(201).get(unassigned), None, "{name}");
        }
    }
}

async fn rows_15_to_17_a_user_is_found_and_is_unique(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let filter = "userName eq \"0198c7f4-53a5-4a8e-93ad-0d5e5f1a2b3c\"";
        let answer = client.list("/Users", &[("filter", filter)]).await;
        assert_eq!(
            (&answer.ok(200)["totalResults"], answer.resources().len()),
            (&json!(0), 0)
        );
        let content = json!({"userName": format!("{name}.Case"), "externalId": "Ab-1"});
        client.create("/Users", content.clone()).await;
        let found = client
            .find(
                "/Users",
                &format!("userName eq \"{}.CASE\"", name.to_uppercase()),
            )
            .await;
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(
            client.find("/Users", "externalId eq \"Ab-1\"").await.len(),
            1,
            "{name}"
        );
        assert_eq!(
            client.find("/Users", "externalId eq \"ab-1\"").await.len(),
            0,
            "{name}"
        );
        client
            .post("/Users", content)
            .await
            .refused(409, "uniqueness");
        let content = json!({"displayName": format!("{name} team")});
        client.create("/Groups", content.clone()).await;
        client
            .post("/Groups", content)
            .await
            .refused(409, "uniqueness");
    }
}

async fn rows_18_and_19_a_user_is_deleted_once_and_made_again(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let (made, path) = user(&client, name).await;
        let disable = json!([{"op": "Replace", "path": "active", "value": false}]);
        patched(&client, &path, disable).await;
        let filter = format!("userName eq \"{name}.tester\"");
        assert_eq!(client.find("/Users", &filter).await[0]["active"], false);
        client.delete(&path).await.ok(204);
        client.delete(&path).await.refused(404, "");
        client.get(&path).await.refused(404, "");
        let (again, _) = user(&client, name).await;
        assert_ne!(again["id"], made["id"], "{name}");
    }
}

async fn rows_20_and_22_members_stay_unloaded_and_known_values_change_nothing(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let ([a, ..], path) = group(&client, name).await;
        let bare = client
            .get(&format!("{path}?excludedAttributes=members"))
            .await;
        assert_eq!(bare.ok(200).get("members"), None);
        let filter = format!("displayName eq \"{name}'s group\"");
        let page = client
            .list(
                "/Groups",
                &[("filter", &filter), ("excludedAttributes", "members")],
            )
            .await;
        assert_eq!(
            (page.resources().len(), page.resources()[0].get("members")),
            (1, None)
        );
        patched(
            &client,
            &path,
            json!([{"op": "add", "path": "members", "value": [{"value": a}]}]),
        )
        .await;
        assert_eq!(client.get(&path).await.etag(), bare.etag(), "{name}");

        let (_, path) = user(&client, name).await;
        let mail = format!("Tess.{name}@known.example");
        let add = |mail: &str| json!([{"op": "add", "path": "emails", "value": [{"value": mail, "type": "work"}]}]);
        let before = patched(&client, &path, add(&mail)).await;
        // An address is no other one for its capitals.
        assert_eq!(
            patched(&client, &path, add(&mail.to_uppercase())).await,
            before,
            "{name}"
        );
    }
}

async fn row_23_plain_json_is_taken(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let body = json!({"schemas": [USER], "userName": format!("{name}.json")}).to_string();
        let headers = [("Content-Type", "application/json; charset=utf-8")];
        client
            .send(Method::POST, "/Users", &headers, Some(body.into_bytes()))
            .await
            .ok(201);
    }
}

async fn the_configuration_tells_the_strict_that_the_interop_profile_is_kept_to(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let config = client.get("/ServiceProviderConfig").await;
        let told = config.ok(200).get("interopProfileConformant");
        assert_eq!(told, (name == "strict").then_some(&json!(true)), "{name}");
    }
    let config = app.stranger().get("/ServiceProviderConfig").await;
    assert_eq!(config.ok(200).get("interopProfileConformant"), None);
}

/// Entra ID looks at no answer to a PATCH of a group; who names attributes or a preference gets what it names.
async fn a_patch_of_a_group_is_answered_as_the_client_needs_it(app: &App) {
    for name in EVERY {
        let client = app.client(name).await;
        let ([a, ..], path) = group(&client, name).await;
        let operations = json!([{"op": "remove", "path": format!("members[value eq \"{a}\"]")}]);
        let answer = client.patch(&path, operations).await;
        if name == "entra" {
            assert!(answer.ok(204).is_null());
            assert_eq!(answer.header("preference-applied"), None);
        } else {
            assert_eq!(members(answer.ok(200)).len(), 2, "{name}");
        }
        assert_eq!(answer.etag(), client.get(&path).await.etag(), "{name}");
        let rename = json!([{"op": "replace", "path": "displayName", "value": format!("{name}s")}]);
        let asked = format!("{path}?attributes=displayName");
        let answer = client.patch(&asked, rename.clone()).await;
        assert_eq!(answer.ok(200)["displayName"], format!("{name}s"));
        let preference = [("Prefer", "return=representation")];
        let answer = client.patch_if(&path, &preference, rename).await;
        assert_eq!(members(answer.ok(200)).len(), 2, "{name}");
        let (_, path) = user(&client, name).await;
        let title = json!([{"op": "add", "path": "title", "value": "x"}]);
        assert_eq!(client.patch(&path, title).await.ok(200)["title"], "x");
    }
}
