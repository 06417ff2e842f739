//! Bulk (RFC 7644 §3.7): the RFC's own examples with values of ours, and what each operation of a request has to itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Client, EMPLOYEE, ENTERPRISE, GROUP, PATCH_OP, PERSON, USER, on_both,
};

on_both!(
    every_method_works_in_one_request,
    a_group_refers_to_a_user_of_the_same_request,
    a_reference_may_come_before_what_it_refers_to,
    two_groups_that_hold_each_other_are_both_made,
    a_circle_of_managers_and_groups_is_resolved,
    somebody_may_be_their_own_manager,
    a_path_may_refer_to_what_a_post_makes,
    the_filter_of_a_patch_path_may_refer_too,
    the_answer_holds_resources_if_asked,
    a_bulk_of_persons_knows_who_is_known,
    the_events_of_a_bulk_share_their_correlation,
    the_rights_are_those_of_single_requests,
    a_version_is_if_match,
    what_is_not_kept_is_named_by_its_operation,
    a_method_may_be_spelled_in_any_case,
    memberships_are_made_and_ended_too,
);

pub(super) const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// Sends operations, with other members of the body.
pub(super) async fn bulk_with(client: &Client, more: Value, operations: Value) -> Answer {
    let mut body = json!({"schemas": [BULK], "Operations": operations});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let body = body.to_string().into_bytes();
    client.send(Method::POST, "/Bulk", &[], Some(body)).await
}

/// Sends operations: those of the answer.
pub(super) async fn bulk(client: &Client, operations: Value) -> Vec<Value> {
    let answer = bulk_with(client, json!({}), operations).await;
    let body = answer.ok(200);
    assert_eq!(
        body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"])
    );
    body["Operations"].as_array().unwrap().clone()
}

pub(super) fn statuses(operations: &[Value]) -> Vec<&str> {
    let statuses = operations.iter();
    statuses
        .map(|operation| operation["status"].as_str().unwrap())
        .collect()
}

/// The id in the location of an operation.
pub(super) fn id(operation: &Value) -> &str {
    let location = operation["location"].as_str().unwrap_or_default();
    location
        .rsplit('/')
        .next()
        .filter(|id| !id.is_empty())
        .unwrap_or_else(|| panic!("no location: {operation}"))
}

pub(super) fn user(name: &str) -> Value {
    json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"schemas": [USER], "userName": name}})
}

pub(super) fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<_> = members
        .iter()
        .map(|member| json!({"value": member}))
        .collect();
    json!({"method": "POST", "path": "/Groups", "bulkId": name,
        "data": {"schemas": [GROUP], "displayName": name, "members": members}})
}

fn members(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().into_iter().flatten();
    members
        .map(|member| member["value"].as_str().unwrap())
        .collect()
}

/// RFC 7644 §3.7.3, figures 10 and 11: a POST, a PUT, a PATCH and a DELETE.
async fn every_method_works_in_one_request(app: &App) {
    let idp = app.client("idp").await;
    let mut known = Vec::new();
    for name in ["mira", "noah", "olga"] {
        known.push(idp.create("/Users", json!({"userName": name})).await);
    }
    let path = |at: usize| format!("/Users/{}", known[at]["id"].as_str().unwrap());
    let done = bulk(
        &idp,
        json!([
            {"method": "POST", "path": "/Users", "bulkId": "first", "data": {"schemas": [USER], "userName": "pia"}},
            {"method": "PUT", "path": path(0), "data": {"schemas": [USER], "userName": "mira", "title": "Pilot"}},
            {"method": "PATCH", "path": path(1), "data": {"schemas": [PATCH_OP],
                "Operations": [{"op": "replace", "path": "nickName", "value": "No"}]}},
            {"method": "DELETE", "path": path(2), "version": known[2]["meta"]["version"]},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "200", "200", "204"]);
    assert_eq!(done[0]["bulkId"], "first");
    assert_eq!(done[3]["method"], "DELETE");
    assert_eq!(done[3]["location"], known[2]["meta"]["location"]);
    assert!(done[3].get("version").is_none() && done[3].get("response").is_none());
    for (at, attribute, value) in [
        (0, "userName", "pia"),
        (1, "title", "Pilot"),
        (2, "nickName", "No"),
    ] {
        let answer = idp.get(&format!("/Users/{}", id(&done[at]))).await;
        assert_eq!(answer.ok(200)[attribute], value);
        assert_eq!(answer.etag(), done[at]["version"]);
        assert_eq!(answer.body["meta"]["location"], done[at]["location"]);
        assert!(done[at].get("response").is_none());
    }
    idp.get(&path(2)).await.refused(404, "");
}

/// RFC 7644 §3.7.2, figure 9.
async fn a_group_refers_to_a_user_of_the_same_request(app: &App) {
    let idp = app.client("idp").await;
    let done = bulk(
        &idp,
        json!([user("rosa"), group("pilots", &["bulkId:rosa"])]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "201"]);
    let group = idp.get(&format!("/Groups/{}", id(&done[1]))).await;
    assert_eq!(members(group.ok(200)), [id(&done[0])]);
    assert_eq!(group.etag(), done[1]["version"]);
}

async fn a_reference_may_come_before_what_it_refers_to(app: &App) {
    let idp = app.client("idp").await;
    let manager = json!({"method": "POST", "path": "/Users", "bulkId": "sam", "data": {
        "schemas": [USER, ENTERPRISE], "userName": "sam", ENTERPRISE: {"manager": {"value": "bulkId:tess"}}}});
    let done = bulk(
        &idp,
        json!([
            group("all", &["bulkId:sam", "bulkId:tess"]),
            manager,
            user("tess")
        ]),
    )
    .await;
    // The answer keeps the order of the request.
    let names: Vec<_> = done.iter().map(|done| &done["bulkId"]).collect();
    assert_eq!(names, ["all", "sam", "tess"]);
    assert_eq!(statuses(&done), ["201", "201", "201"]);
    let group = idp.get(&format!("/Groups/{}", id(&done[0]))).await;
    let mut found = members(group.ok(200));
    found.sort_unstable();
    let mut wanted = [id(&done[1]), id(&done[2])];
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    // Nobody had to be written twice.
    assert_eq!(group.etag(), "W/\"1\"");
    let sam = idp.get(&format!("/Users/{}", id(&done[1]))).await;
    assert_eq!(sam.ok(200)[ENTERPRISE]["manager"]["value"], id(&done[2]));
}

/// RFC 7644 §3.7.1: figure 7's circle.
async fn two_groups_that_hold_each_other_are_both_made(app: &App) {
    let idp = app.client("idp").await;
    let done = bulk(
        &idp,
        json!([
            group("land", &["bulkId:sea"]),
            group("sea", &["bulkId:land"])
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "201"], "{done:?}");
    for (at, other) in [(0, 1), (1, 0)] {
        let group = idp.get(&format!("/Groups/{}", id(&done[at]))).await;
        assert_eq!(members(group.ok(200)), [id(&done[other])]);
        assert_eq!(group.etag(), done[at]["version"]);
    }
}

async fn a_circle_of_managers_and_groups_is_resolved(app: &App) {
    let idp = app.client("idp").await;
    let managed = |name: &str, by: &str| {
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"schemas": [USER, ENTERPRISE],
            "userName": name, "nickName": "one of three",
            ENTERPRISE: {"department": "Air", "manager": {"value": format!("bulkId:{by}")}}}})
    };
    let done = bulk(
        &idp,
        json!([
            managed("a", "b"),
            managed("b", "c"),
            managed("c", "a"),
            group("g", &["bulkId:a", "bulkId:b", "bulkId:c"]),
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201"; 4], "{done:?}");
    for (at, manager) in [(0, 1), (1, 2), (2, 0)] {
        let user = idp.get(&format!("/Users/{}", id(&done[at]))).await;
        let body = user.ok(200);
        assert_eq!(body[ENTERPRISE]["manager"]["value"], id(&done[manager]));
        assert_eq!(body[ENTERPRISE]["department"], "Air");
        assert_eq!(body["nickName"], "one of three");
        let direct = body["groups"][0]["value"].as_str().unwrap();
        assert_eq!(direct, id(&done[3]));
    }
}

async fn somebody_may_be_their_own_manager(app: &App) {
    let idp = app.client("idp").await;
    let chief = json!({"method": "POST", "path": "/Users", "bulkId": "una", "data": {"schemas": [USER, ENTERPRISE],
        "userName": "una", ENTERPRISE: {"manager": {"value": "bulkId:una"}}}});
    let done = bulk(&idp, json!([chief])).await;
    assert_eq!(statuses(&done), ["201"], "{done:?}");
    let user = idp.get(&format!("/Users/{}", id(&done[0]))).await;
    assert_eq!(user.ok(200)[ENTERPRISE]["manager"]["value"], id(&done[0]));
    assert_eq!(user.etag(), done[0]["version"]);
}

async fn a_path_may_refer_to_what_a_post_makes(app: &App) {
    let idp = app.client("idp").await;
    let rename = json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "nickName", "value": "V"}]});
    let done = bulk(
        &idp,
        json!([
            {"method": "PATCH", "path": "/Users/bulkId:vera", "data": rename},
            user("vera"),
            user("wim"),
            {"method": "DELETE", "path": "/Users/bulkId:wim"},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["200", "201", "201", "204"], "{done:?}");
    assert_eq!(done[0]["location"], done[1]["location"]);
    assert_eq!(done[3]["location"], done[2]["location"]);
    let vera = idp.get(&format!("/Users/{}", id(&done[1]))).await;
    assert_eq!(vera.ok(200)["nickName"], "V");
    idp.get(&format!("/Users/{}", id(&done[2])))
        .await
        .refused(404, "");
}

async fn the_filter_of_a_patch_path_may_refer_too(app: &App) {
    let idp = app.client("idp").await;
    let remove = |member: &str| {
        json!({"method": "PATCH", "path": "/Groups/bulkId:crew", "data": {"schemas": [PATCH_OP],
            "Operations": [{"op": "remove", "path": format!("members[value eq \"bulkId:{member}\"]")}]}})
    };
    let done = bulk(
        &idp,
        json!([
            user("x"),
            user("y"),
            group("crew", &["bulkId:x", "bulkId:y"]),
            remove("x"),
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["201", "201", "201", "200"], "{done:?}");
    let crew = idp.get(&format!("/Groups/{}", id(&done[2]))).await;
    assert_eq!(members(crew.ok(200)), [id(&done[1])]);
}

async fn the_answer_holds_resources_if_asked(app: &App) {
    let idp = app.client("idp").await;
    let body = json!({"schemas": [BULK], "Operations": [user("zoe"), group("g", &["bulkId:zoe"])]});
    let answer = idp
        .send(
            Method::POST,
            "/Bulk",
            &[("Prefer", "return=representation")],
            Some(body.to_string().into_bytes()),
        )
        .await;
    let done = answer.ok(200)["Operations"].as_array().unwrap();
    assert_eq!(
        answer.header("preference-applied"),
        Some("return=representation")
    );
    assert_eq!(done[0]["response"]["userName"], "zoe");
    assert_eq!(members(&done[1]["response"]), [id(&done[0])]);
    assert_eq!(done[1]["response"]["meta"]["version"], done[1]["version"]);
}

/// A POST that finds a known person answers that person's id, and whoever refers to it refers to that id.
async fn a_bulk_of_persons_knows_who_is_known(app: &App) {
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let known = hris
        .create(
            "/Persons",
            json!({"name": {"givenName": "Ada", "familyName": "Moon"}, "emails": [{"value": "ada@moon.example"}]}),
        )
        .await;
    let ada = json!({"method": "POST", "path": "/Users", "bulkId": "ada", "data": {"schemas": [USER],
        "userName": "ada", "name": {"givenName": "Ada", "familyName": "Moon"},
        "emails": [{"value": "ada@moon.example"}]}});
    let done = bulk(&idp, json!([group("g", &["bulkId:ada"]), ada])).await;
    assert_eq!(statuses(&done), ["201", "201"]);
    assert_eq!(id(&done[1]), known["id"].as_str().unwrap());
    let group = idp.get(&format!("/Groups/{}", id(&done[0]))).await;
    assert_eq!(members(group.ok(200)), [id(&done[1])]);
}

async fn the_events_of_a_bulk_share_their_correlation(app: &App) {
    let idp = app.client("idp").await;
    let body = json!({"schemas": [BULK], "Operations": [user("a"), user("b")]});
    let answer = idp
        .send(
            Method::POST,
            "/Bulk",
            &[("X-Correlation-Id", "monday")],
            Some(body.to_string().into_bytes()),
        )
        .await;
    assert_eq!(app.event_count(), 2);
    for operation in answer.ok(200)["Operations"].as_array().unwrap() {
        let events = app.events_of(id(operation));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["correlationId"], "monday", "{}", events[0]);
    }
}

async fn the_rights_are_those_of_single_requests(app: &App) {
    let (ats, auditor) = (app.client("ats").await, app.client("auditor").await);
    let person = json!({"method": "POST", "path": "/Persons", "bulkId": "p",
        "data": {"schemas": [PERSON, EMPLOYEE], "displayName": "P"}});
    let done = bulk(&ats, json!([user("a"), person])).await;
    assert_eq!(statuses(&done), ["403", "201"]);
    assert_eq!(done[0]["response"]["status"], "403");
    let done = bulk(&auditor, json!([user("a"), person])).await;
    assert_eq!(statuses(&done), ["403", "403"]);
    let stranger = bulk_with(&app.stranger(), json!({}), json!([user("a")])).await;
    stranger.refused(401, "");
}

async fn a_version_is_if_match(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Users", json!({"userName": "a"})).await;
    let change = |version: &Value, value: &str| {
        json!({"method": "PATCH", "path": format!("/Users/{}", made["id"].as_str().unwrap()), "version": version,
            "data": {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "nickName", "value": value}]}})
    };
    let old = &made["meta"]["version"];
    let done = bulk(&idp, json!([change(old, "x"), change(old, "y")])).await;
    assert_eq!(statuses(&done), ["200", "412"]);
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    assert_eq!(idp.get(&path).await.ok(200)["nickName"], "x");
}

async fn what_is_not_kept_is_named_by_its_operation(app: &App) {
    let idp = app.client("idp").await;
    let mut odd = user("a");
    odd["data"]["favoriteColor"] = json!("blue");
    let stranger = "0c0c0c0c-0000-4000-8000-000000000000";
    let answer = bulk_with(
        &idp,
        json!({"mood": "good"}),
        json!([odd, group("g", &["bulkId:a", stranger])]),
    )
    .await;
    let mut ignored = answer.ignored();
    ignored.sort_unstable();
    let member = format!("Operations[1].members[value?eq?\"{stranger}\"]");
    assert_eq!(
        ignored,
        ["Operations[0].favoriteColor", member.as_str(), "mood"]
    );
    assert_eq!(
        statuses(answer.ok(200)["Operations"].as_array().unwrap()),
        ["201"; 2]
    );
}

async fn a_method_may_be_spelled_in_any_case(app: &App) {
    let idp = app.client("idp").await;
    let mut lower = user("a");
    lower["method"] = json!("post");
    let done = bulk(&idp, json!([lower])).await;
    assert_eq!(statuses(&done), ["201"]);
    assert_eq!(done[0]["method"], "POST");
}

async fn memberships_are_made_and_ended_too(app: &App) {
    let admin = app.client("admin").await;
    let membership = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
    let made = bulk(
        &admin,
        json!([
            {"method": "POST", "path": "/GroupMemberships", "bulkId": "m", "data": {
                "schemas": [membership], "group": {"value": "bulkId:g"}, "member": {"value": "bulkId:u"}}},
            {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "Pilots"}},
            {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"schemas": [USER], "userName": "ines"}},
        ]),
    )
    .await;
    assert_eq!(statuses(&made), ["201", "201", "201"], "{made:?}");
    let (group, user) = (id(&made[1]), id(&made[2]));
    let path = format!("/GroupMemberships/{group}.{user}");
    assert!(made[0]["location"].as_str().unwrap().ends_with(&path));
    let members = &admin.get(&format!("/Groups/{group}")).await.body["members"];
    assert_eq!(members[0]["value"], user);

    let patch = json!({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": "member"}]});
    let ended = bulk(
        &admin,
        json!([
            {"method": "PATCH", "path": path, "data": patch},
            {"method": "DELETE", "path": path},
            {"method": "DELETE", "path": path},
        ]),
    )
    .await;
    assert_eq!(statuses(&ended), ["400", "204", "404"], "{ended:?}");
    assert_eq!(ended[0]["response"]["scimType"], "mutability");
}
