//! Groups: members are rows (design §2), changed in every form that clients send.

use serde_json::{Value, json};

use crate::support::{App, Client, on_both};

on_both!(
    a_group_knows_its_members_and_they_know_it,
    members_are_added_one_by_one_and_many_at_once,
    adding_a_member_again_changes_nothing,
    entra_removes_listed_members_only,
    okta_removes_a_member_by_a_filter,
    removing_a_stranger_changes_nothing,
    removing_members_without_a_value_empties_the_group,
    null_never_empties_a_group,
    members_are_replaced,
    unknown_members_are_passed_over_and_named,
    a_person_without_an_account_is_no_member,
    okta_renames_a_group_with_its_id_in_the_value,
    a_patch_that_names_no_members_leaves_them,
    a_group_may_hold_groups,
    a_member_that_is_deleted_leaves_its_groups,
    a_deleted_group_leaves_its_members,
    a_group_is_read_without_its_members,
    a_group_takes_thousands_of_members,
    every_change_of_members_is_an_event,
);

async fn users(idp: &Client, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let made = idp
            .create("/Users", json!({"userName": format!("u{number}")}))
            .await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn group(idp: &Client, members: &[String]) -> (Value, String) {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    let made = idp
        .create(
            "/Groups",
            json!({"displayName": "Field work", "members": members}),
        )
        .await;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    (made, path)
}

fn members(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().into_iter().flatten();
    let mut ids: Vec<_> = members
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}

fn sorted(ids: &[String]) -> Vec<&str> {
    let mut ids: Vec<_> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids
}

async fn a_group_knows_its_members_and_they_know_it(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (made, path) = group(&idp, &ids[..1]).await;
    let reference = format!("{}/Users/{}", app.scim(), ids[0]);
    assert_eq!(
        made["members"],
        json!([{"value": ids[0], "$ref": reference, "type": "User"}])
    );
    assert_eq!(idp.get(&path).await.ok(200), &made);
    let user = idp.get(&format!("/Users/{}", ids[0])).await;
    let of = &user.ok(200)["groups"];
    assert_eq!(of[0]["value"], made["id"]);
    assert_eq!(of[0]["$ref"], made["meta"]["location"]);
    assert_eq!(of[0]["display"], "Field work");
    assert_eq!(of[0]["type"], "direct");
    assert!(
        idp.get(&format!("/Users/{}", ids[1]))
            .await
            .ok(200)
            .get("groups")
            .is_none()
    );
    assert_eq!(
        idp.get(&format!("/Persons/{}", ids[0])).await.ok(200)["groups"],
        *of
    );
}

async fn members_are_added_one_by_one_and_many_at_once(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 53).await;
    let (_, path) = group(&idp, &[]).await;
    // E4; IPSIE wants at least 50 operations in one PATCH.
    let one = json!([{"op": "Add", "path": "members", "value": [{"$ref": null, "value": ids[0]}]}]);
    assert_eq!(
        members(idp.patch(&path, one).await.ok(200)),
        [ids[0].as_str()]
    );
    let lone = json!([{"op": "add", "path": "members", "value": {"value": ids[1], "display": "u1", "type": "User"}}]);
    idp.patch(&path, lone).await.ok(200);
    let pathless = json!([{"op": "add", "value": {"members": [{"value": ids[2]}]}}]);
    idp.patch(&path, pathless).await.ok(200);
    let many = ids[3..]
        .iter()
        .map(|id| json!({"op": "add", "path": "members", "value": [{"value": id}]}))
        .collect();
    assert_eq!(members(idp.patch(&path, many).await.ok(200)), sorted(&ids));
}

/// RFC 7644 §3.5.2.1; checklist row 22.
async fn adding_a_member_again_changes_nothing(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (made, path) = group(&idp, &ids).await;
    let events = app.event_count();
    let again =
        json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}, {"value": ids[0]}]}]);
    assert_eq!(idp.patch(&path, again).await.ok(200), &made);
    let whole = json!([{"op": "replace", "path": "members", "value": [{"value": ids[1]}, {"value": ids[0]}]}]);
    assert_eq!(idp.patch(&path, whole).await.ok(200), &made);
    assert_eq!(idp.put(&path, made.clone()).await.ok(200), &made);
    assert_eq!(app.event_count(), events);
}

/// E3; checklist row 6.
async fn entra_removes_listed_members_only(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 3).await;
    let (made, path) = group(&idp, &ids).await;
    let operation =
        json!([{"op": "Remove", "path": "members", "value": [{"$ref": null, "value": ids[1]}]}]);
    let answer = idp.patch(&path, operation).await;
    assert_eq!(
        members(answer.ok(200)),
        sorted(&[ids[0].clone(), ids[2].clone()])
    );
    assert_ne!(answer.body["meta"]["version"], made["meta"]["version"]);
    assert!(answer.body["meta"]["lastModified"].as_str() > made["meta"]["lastModified"].as_str());
}

/// O5; checklist row 8.
async fn okta_removes_a_member_by_a_filter(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 3).await;
    let (_, path) = group(&idp, &ids).await;
    let remove =
        |id: &str| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    assert_eq!(
        members(idp.patch(&path, remove(&ids[0])).await.ok(200)),
        sorted(&ids[1..])
    );
    let answer = idp.patch(&path, remove(&ids[0])).await;
    assert_eq!(members(answer.ok(200)), sorted(&ids[1..]));
    let both = format!(
        "members[value eq \"{}\" or value eq \"{}\"]",
        ids[1], ids[2]
    );
    let answer = idp
        .patch(&path, json!([{"op": "remove", "path": both}]))
        .await;
    // A group without members is a group.
    assert!(answer.ok(200).get("members").is_none());
}

async fn removing_a_stranger_changes_nothing(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (made, path) = group(&idp, &ids[..1]).await;
    let events = app.event_count();
    for operation in [
        json!({"op": "remove", "path": format!("members[value eq \"{}\"]", ids[1])}),
        json!({"op": "remove", "path": "members[value eq \"nobody\"]"}),
        json!({"op": "remove", "path": "members", "value": [{"value": ids[1]}]}),
        json!({"op": "remove", "path": "members", "value": []}),
    ] {
        assert_eq!(
            idp.patch(&path, json!([operation])).await.ok(200),
            &made,
            "{operation}"
        );
    }
    assert_eq!(app.event_count(), events);
}

async fn removing_members_without_a_value_empties_the_group(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (_, path) = group(&idp, &ids).await;
    let answer = idp
        .patch(&path, json!([{"op": "remove", "path": "members"}]))
        .await;
    assert!(answer.ok(200).get("members").is_none());
}

/// E16: what went wrong elsewhere.
async fn null_never_empties_a_group(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (made, path) = group(&idp, &ids).await;
    let operation = json!([{"op": "remove", "path": "members", "value": null}]);
    idp.patch(&path, operation)
        .await
        .refused(400, "invalidValue");
    let operation =
        json!([{"op": "replace", "value": {"displayName": "Field work", "members": null}}]);
    assert_eq!(idp.patch(&path, operation).await.ok(200), &made);
}

async fn members_are_replaced(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 4).await;
    let (_, path) = group(&idp, &ids[..2]).await;
    let list = |ids: &[String]| {
        ids.iter()
            .map(|id| json!({"value": id}))
            .collect::<Vec<_>>()
    };
    let operation = json!([{"op": "replace", "path": "members", "value": list(&ids[1..3])}]);
    assert_eq!(
        members(idp.patch(&path, operation).await.ok(200)),
        sorted(&ids[1..3])
    );
    let operation = json!([{"op": "replace", "value": {"members": list(&ids[2..])}}]);
    assert_eq!(
        members(idp.patch(&path, operation).await.ok(200)),
        sorted(&ids[2..])
    );
    let content = json!({"displayName": "Sea work", "members": list(&ids[..1])});
    let answer = idp.put(&path, content).await;
    assert_eq!(members(answer.ok(200)), [ids[0].as_str()]);
    assert_eq!(answer.body["displayName"], "Sea work");
    let operations = json!([
        {"op": "remove", "path": "members"},
        {"op": "add", "path": "members", "value": list(&ids[3..])},
        {"op": "replace", "path": "displayName", "value": "Air work"},
    ]);
    let answer = idp.patch(&path, operations).await;
    assert_eq!(members(answer.ok(200)), [ids[3].as_str()]);
    assert_eq!(answer.body["displayName"], "Air work");
}

/// E16: one unknown id must not lose the whole push.
async fn unknown_members_are_passed_over_and_named(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let nobody = "0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11";
    let content =
        json!({"displayName": "Field work", "members": [{"value": ids[0]}, {"value": nobody}]});
    let answer = idp.post("/Groups", content).await;
    assert_eq!(members(answer.ok(201)), [ids[0].as_str()]);
    assert!(
        answer.ignored().iter().any(|name| name.contains(nobody)),
        "{:?}",
        answer.ignored()
    );
    let path = format!("/Groups/{}", answer.body["id"].as_str().unwrap());
    let operation = json!([{"op": "add", "path": "members", "value": [{"value": "nobody"}, {"value": ids[1]}]}]);
    let answer = idp.patch(&path, operation).await;
    assert_eq!(members(answer.ok(200)), sorted(&ids));
    assert!(
        answer.ignored().iter().any(|name| name.contains("nobody")),
        "{:?}",
        answer.ignored()
    );
}

/// A member is a User or a Group, and is referred to as one: what is no User yet would have a reference that leads nowhere.
async fn a_person_without_an_account_is_no_member(app: &App) {
    let (idp, ats) = (app.client("idp").await, app.client("ats").await);
    let person = ats.create("/Persons", json!({"displayName": "Lua"})).await;
    let id = person["id"].as_str().unwrap();
    let (_, path) = group(&idp, &[]).await;
    let add = json!([{"op": "add", "path": "members", "value": [{"value": id}]}]);
    let answer = idp.patch(&path, add).await;
    assert_eq!(answer.ok(200).get("members"), None);
    assert_eq!(answer.ignored().len(), 1);
}

/// O4.
async fn okta_renames_a_group_with_its_id_in_the_value(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 1).await;
    let (made, path) = group(&idp, &ids).await;
    let operation =
        json!([{"op": "replace", "value": {"id": made["id"], "displayName": "Sea work"}}]);
    let answer = idp.patch(&path, operation).await;
    assert_eq!(answer.ok(200)["displayName"], "Sea work");
    assert_eq!(members(&answer.body), [ids[0].as_str()]);
    let user = idp.get(&format!("/Users/{}", ids[0])).await;
    assert_eq!(user.body["groups"][0]["display"], "Sea work");
}

async fn a_patch_that_names_no_members_leaves_them(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (_, path) = group(&idp, &ids).await;
    for operation in [
        json!({"op": "add", "path": "externalId", "value": "g1"}),
        json!({"op": "replace", "value": {"displayName": "Sea work"}}),
        json!({"op": "remove", "path": "externalId"}),
    ] {
        assert_eq!(
            members(idp.patch(&path, json!([operation])).await.ok(200)),
            sorted(&ids)
        );
    }
}

async fn a_group_may_hold_groups(app: &App) {
    let idp = app.client("idp").await;
    let (inner, inner_path) = group(&idp, &[]).await;
    let outer =
        json!({"displayName": "Everybody", "members": [{"value": inner["id"], "type": "Group"}]});
    let outer = idp.create("/Groups", outer).await;
    assert_eq!(outer["members"][0]["type"], "Group");
    assert_eq!(outer["members"][0]["$ref"], inner["meta"]["location"]);
    idp.delete(&inner_path).await.ok(204);
    let answer = idp
        .get(&format!("/Groups/{}", outer["id"].as_str().unwrap()))
        .await;
    assert!(answer.ok(200).get("members").is_none());
}

async fn a_member_that_is_deleted_leaves_its_groups(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let (made, path) = group(&idp, &ids).await;
    idp.delete(&format!("/Users/{}", ids[0])).await.ok(204);
    let answer = idp.get(&path).await;
    assert_eq!(members(answer.ok(200)), [ids[1].as_str()]);
    assert_ne!(answer.body["meta"]["version"], made["meta"]["version"]);
    assert!(answer.body["meta"]["lastModified"].as_str() > made["meta"]["lastModified"].as_str());
}

async fn a_deleted_group_leaves_its_members(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 1).await;
    let (_, path) = group(&idp, &ids).await;
    idp.delete(&path).await.ok(204);
    assert!(
        idp.get(&format!("/Users/{}", ids[0]))
            .await
            .ok(200)
            .get("groups")
            .is_none()
    );
    let again = group(&idp, &[]).await.0;
    assert!(again.get("members").is_none());
}

/// E11, checklist row 20; authentik.
async fn a_group_is_read_without_its_members(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 1).await;
    let (_, path) = group(&idp, &ids).await;
    let query = "?excludedAttributes=members";
    assert!(
        idp.get(&format!("{path}{query}"))
            .await
            .ok(200)
            .get("members")
            .is_none()
    );
    let filter = [
        ("filter", "displayName eq \"field work\""),
        ("excludedAttributes", "members"),
    ];
    let found = idp.list("/Groups", &filter).await;
    assert!(found.resources()[0].get("members").is_none());
    let operation = json!([{"op": "replace", "path": "displayName", "value": "Sea work"}]);
    let answer = idp.patch(&format!("{path}{query}"), operation).await;
    assert!(answer.ok(200).get("members").is_none());
    assert_eq!(members(idp.get(&path).await.ok(200)), [ids[0].as_str()]);
}

/// More than fit in one statement.
async fn a_group_takes_thousands_of_members(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 40).await;
    let mut groups = Vec::new();
    for number in 0..3 {
        let made = idp
            .create("/Groups", json!({"displayName": format!("g{number}")}))
            .await;
        groups.push(made["id"].as_str().unwrap().to_owned());
    }
    // Known ids among thousands of unknown ones, and each known one a hundred times.
    let strangers =
        (0..2_500_u32).map(|number| format!("0197a0c2-5a30-4c44-9b0c-2f6f{number:08x}"));
    let repeated = (0..4_000).map(|number| ids[number % 40].clone());
    let wanted: Vec<Value> = strangers
        .chain(repeated)
        .map(|id| json!({"value": id}))
        .collect();
    let path = format!("/Groups/{}", groups[0]);
    let answer = idp
        .patch(
            &path,
            json!([{"op": "add", "path": "members", "value": wanted}]),
        )
        .await;
    assert_eq!(members(answer.ok(200)), sorted(&ids));
    let answer = idp
        .patch(
            &path,
            json!([{"op": "remove", "path": "members", "value": wanted}]),
        )
        .await;
    assert!(answer.ok(200).get("members").is_none());
}

async fn every_change_of_members_is_an_event(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 1).await;
    let (made, path) = group(&idp, &[]).await;
    idp.patch(
        &path,
        json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}]}]),
    )
    .await
    .ok(200);
    idp.patch(&path, json!([{"op": "remove", "path": "members"}]))
        .await
        .ok(200);
    let events = app.events_of(made["id"].as_str().unwrap());
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "group.created",
            "group.members.changed",
            "group.members.changed"
        ]
    );
    assert!(
        events[1]["changes"].to_string().contains(&ids[0]),
        "{}",
        events[1]
    );
    assert_eq!(events[1]["client"], "idp");
}
