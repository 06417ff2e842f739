//! Bulk when things go wrong (RFC 7644 §3.7.3, §3.7.4): each failure is its operation's own, unless `failOnErrors` says
//! otherwise.

use reqwest::Method;
use serde_json::{Value, json};

use crate::bulk::{BULK, bulk, bulk_with, group, id, statuses, user};
use crate::support::{App, ENTERPRISE, GROUP, PATCH_OP, USER, on_both};

on_both!(
    a_failure_leaves_the_others_alone,
    after_so_many_errors_the_rest_is_not_attempted,
    who_refers_to_what_failed_fails_with_409,
    of_a_circle_all_are_made_or_none,
    a_required_attribute_cannot_be_circular,
    a_group_cannot_hold_itself,
    references_to_nothing_and_shared_names_are_refused,
    an_operation_that_fails_late_leaves_nothing_behind,
    endpoints_and_ids_that_are_not_there_are_404,
    malformed_requests_change_nothing,
    more_than_the_announced_limits_is_413,
    a_user_name_freed_by_a_delete_can_be_taken_in_the_same_request,
);

fn detail(operation: &Value) -> &str {
    operation["response"]["detail"].as_str().unwrap_or_default()
}

/// RFC 7644 §3.7.3, figure 12: an error in the midst of others.
async fn a_failure_leaves_the_others_alone(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "ida"})).await;
    let nameless =
        json!({"method": "POST", "path": "/Users", "bulkId": "n", "data": {"schemas": [USER]}});
    let done = bulk(
        &idp,
        json!([user("jan"), user("ida"), nameless, user("kim")]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "409", "400", "201"]);
    let refused = &done[1];
    assert!(refused.get("location").is_none() && refused.get("version").is_none());
    assert_eq!(refused["bulkId"], "ida");
    assert_eq!(
        refused["response"]["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
    );
    assert_eq!(refused["response"]["status"], "409");
    assert_eq!(refused["response"]["scimType"], "uniqueness");
    assert!(
        detail(&done[2]).contains("userName"),
        "{}",
        detail(&done[2])
    );
    assert_eq!(app.event_count(), 3);
}

async fn after_so_many_errors_the_rest_is_not_attempted(app: &App) {
    let idp = app.client("idp").await;
    let bad = |number: usize| json!({"method": "DELETE", "path": format!("/Users/nobody{number}")});
    let operations = json!([user("a"), bad(1), user("b"), bad(2), user("c"), bad(3)]);
    let answer = bulk_with(&idp, json!({"failOnErrors": 2}), operations).await;
    let done = answer.ok(200)["Operations"].as_array().unwrap();
    assert_eq!(statuses(done), ["201", "404", "201", "404"]);
    assert_eq!(app.event_count(), 2);
    assert!(idp.find("/Users", "userName eq \"c\"").await.is_empty());
    // Over several chunks too.
    let many: Vec<Value> = (0..120)
        .map(|number| {
            if number % 40 == 39 {
                bad(number)
            } else {
                user(&format!("u{number}"))
            }
        })
        .collect();
    let answer = bulk_with(&idp, json!({"failOnErrors": 3}), json!(many)).await;
    let done = answer.ok(200)["Operations"].as_array().unwrap();
    assert_eq!(done.len(), 120);
    let answer = bulk_with(&idp, json!({"failOnErrors": 1}), json!(many)).await;
    assert_eq!(answer.ok(200)["Operations"].as_array().unwrap().len(), 1);
}

async fn who_refers_to_what_failed_fails_with_409(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "taken"})).await;
    let done = bulk(
        &idp,
        json!([
            group("all", &["bulkId:taken", "bulkId:free"]),
            group("outer", &["bulkId:all"]),
            user("taken"),
            user("free"),
            {"method": "DELETE", "path": "/Users/bulkId:taken"},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["409", "409", "409", "201", "409"]);
    assert!(
        detail(&done[0]).contains("bulkId:taken"),
        "{}",
        detail(&done[0])
    );
    assert!(
        detail(&done[1]).contains("bulkId:all"),
        "{}",
        detail(&done[1])
    );
    assert_eq!(done[2]["response"]["scimType"], "uniqueness");
    assert!(
        detail(&done[4]).contains("bulkId:taken"),
        "{}",
        detail(&done[4])
    );
    // The same over a chunk's border.
    let mut many: Vec<Value> = vec![user("taken")];
    many.extend((0..60).map(|number| user(&format!("u{number}"))));
    many.push(group("late", &["bulkId:taken"]));
    many.push(group("good", &["bulkId:u0"]));
    let done = bulk(&idp, json!(many)).await;
    assert_eq!(
        (&done[61]["status"], &done[62]["status"]),
        (&json!("409"), &json!("201"))
    );
}

async fn of_a_circle_all_are_made_or_none(app: &App) {
    let idp = app.client("idp").await;
    idp.create("/Users", json!({"userName": "b"})).await;
    let managed = |name: &str, by: &str| {
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"schemas": [USER, ENTERPRISE],
            "userName": name, ENTERPRISE: {"manager": {"value": format!("bulkId:{by}")}}}})
    };
    let done = bulk(
        &idp,
        json!([
            managed("a", "b"),
            managed("b", "c"),
            managed("c", "a"),
            user("d")
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["409", "409", "409", "201"]);
    assert_eq!(done[1]["response"]["scimType"], "uniqueness");
    for at in [0, 2] {
        assert!(
            detail(&done[at]).contains("bulkId:b"),
            "{}",
            detail(&done[at])
        );
    }
    assert_eq!(app.event_count(), 2);
}

async fn a_required_attribute_cannot_be_circular(app: &App) {
    let idp = app.client("idp").await;
    let named = |name: &str, after: &str| {
        json!({"method": "POST", "path": "/Users", "bulkId": name,
            "data": {"schemas": [USER], "userName": format!("bulkId:{after}")}})
    };
    let done = bulk(&idp, json!([named("a", "b"), named("b", "a")])).await;
    assert_eq!(statuses(&done), ["400", "409"]);
    assert!(
        detail(&done[0]).contains("userName, whose reference is circular"),
        "{}",
        detail(&done[0])
    );
    // What is no circle is resolved, also where an id makes little sense.
    let done = bulk(&idp, json!([named("c", "d"), user("d")])).await;
    assert_eq!(statuses(&done), ["201", "201"]);
    let odd = idp.get(&format!("/Users/{}", id(&done[0]))).await;
    assert_eq!(odd.ok(200)["userName"], id(&done[1]));
}

async fn a_group_cannot_hold_itself(app: &App) {
    let idp = app.client("idp").await;
    let done = bulk(&idp, json!([group("g", &["bulkId:g"]), user("a")])).await;
    assert_eq!(statuses(&done), ["400", "201"]);
    assert!(
        detail(&done[0]).contains("member of itself"),
        "{}",
        detail(&done[0])
    );
    assert_eq!(app.event_count(), 1);
}

async fn references_to_nothing_and_shared_names_are_refused(app: &App) {
    let idp = app.client("idp").await;
    let mut twin = user("twin");
    twin["data"]["userName"] = json!("other");
    let done = bulk(
        &idp,
        json!([
            group("g", &["bulkId:nobody"]),
            twin,
            user("twin"),
            group("h", &["bulkId:twin"]),
            user("a"),
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["400", "400", "400", "409", "201"]);
    assert!(
        detail(&done[0]).contains("bulkId:nobody"),
        "{}",
        detail(&done[0])
    );
    assert_eq!(done[0]["response"]["scimType"], "invalidValue");
    assert!(detail(&done[1]).contains("unique"), "{}", detail(&done[1]));
    assert_eq!(app.event_count(), 1);
}

/// The event, the index and the unique values of what was undone are gone too: the end of every test checks it.
async fn an_operation_that_fails_late_leaves_nothing_behind(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "a"})).await;
    let group = idp.create("/Groups", json!({"displayName": "g"})).await;
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    // The document is written before the members, and a group cannot hold itself.
    let done = bulk(
        &idp,
        json!([
            {"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": [
                {"op": "replace", "path": "displayName", "value": "new"},
                {"op": "add", "path": "members", "value": [{"value": made["id"]}, {"value": group["id"]}]}]}},
            {"method": "PUT", "path": path, "data": {"schemas": [GROUP], "displayName": "other"}},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["400", "200"]);
    assert_eq!(idp.get(&path).await.etag(), "W/\"2\"");
}

async fn endpoints_and_ids_that_are_not_there_are_404(app: &App) {
    let idp = app.client("idp").await;
    let content = json!({"schemas": [USER], "userName": "a"});
    let unknown = "0c0c0c0c-0000-4000-8000-000000000000";
    let done = bulk(
        &idp,
        json!([
            {"method": "POST", "path": "/Robots", "bulkId": "r", "data": content},
            {"method": "PUT", "path": format!("/Users/{unknown}"), "data": content},
            {"method": "PATCH", "path": "/Users/x", "data": {"schemas": [PATCH_OP],
                "Operations": [{"op": "add", "path": "title", "value": "t"}]}},
            {"method": "PATCH", "path": "/Users/x", "data": {"Operations": []}},
            {"method": "DELETE", "path": format!("/Users/{unknown}/x")},
            {"method": "POST", "path": "/Bulk", "bulkId": "b", "data": {"schemas": [BULK]}},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["404", "404", "404", "400", "404", "404"]);
    // Whoever fails to change something is told what; a POST has nothing to tell.
    assert_eq!(
        done[1]["location"],
        format!("{}/Users/{unknown}", app.scim())
    );
    assert!(done[0].get("location").is_none());
    assert_eq!(app.event_count(), 0);
}

async fn malformed_requests_change_nothing(app: &App) {
    let idp = app.client("idp").await;
    for (more, operations) in [
        (json!({"schemas": [USER]}), json!([user("a")])),
        (json!({"failOnErrors": 0}), json!([user("a")])),
        (json!({"failOnErrors": "two"}), json!([user("a")])),
        (json!({}), json!([])),
        (json!({}), json!({"method": "POST"})),
        (json!({}), json!([user("a"), 7])),
        (json!({}), json!([user("a"), {"path": "/Users"}])),
        (
            json!({}),
            json!([user("a"), {"method": "POST", "path": ["/Users"]}]),
        ),
    ] {
        let answer = bulk_with(&idp, more, operations).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
    }
    let answer = idp.get("/Bulk").await;
    answer.refused(405, "");
    assert_eq!(app.event_count(), 0);
}

async fn more_than_the_announced_limits_is_413(app: &App) {
    let idp = app.client("idp").await;
    let configuration = idp.get("/ServiceProviderConfig").await;
    let limits = configuration.ok(200)["bulk"].clone();
    assert_eq!(limits["supported"], true);
    let most = usize::try_from(limits["maxOperations"].as_u64().unwrap()).unwrap();
    // Written as text: whoever keeps a connection waiting for long loses it.
    let many = |count: usize, note: &str| {
        let operations = "{},".repeat(count - 1);
        format!(r#"{{"schemas":["{BULK}"],"note":"{note}","Operations":[{operations}{{}}]}}"#)
    };
    let send = |text: String| idp.send(Method::POST, "/Bulk", &[], Some(text.into_bytes()));
    let answer = send(many(most + 1, "")).await;
    let detail = answer.refused(413, "");
    assert!(detail.contains(&most.to_string()), "{detail}");
    // A million of them, within the bytes that are allowed.
    let answer = send(many(1_000_000, "")).await;
    answer.refused(413, "");
    let bytes = usize::try_from(limits["maxPayloadSize"].as_u64().unwrap()).unwrap();
    let answer = send(many(1, &"x".repeat(bytes))).await;
    let detail = answer.refused(413, "");
    assert!(detail.contains(&bytes.to_string()), "{detail}");
    assert_eq!(app.event_count(), 0);
}

async fn a_user_name_freed_by_a_delete_can_be_taken_in_the_same_request(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "a"})).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    // The group waits for the user it refers to; the user does not come before the DELETE.
    let done = bulk(
        &idp,
        json!([group("g", &["bulkId:a"]), {"method": "DELETE", "path": path}, user("a")]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "204", "201"]);
    assert_ne!(id(&done[2]), made["id"].as_str().unwrap());
}
