//! Memberships: as resources of their own (draft-zollner-scim-group-members-01), and as the groups that a person shows,
//! its own and those above them (RFC 7643 §4.1.2).

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Client, on_both};

on_both!(
    a_membership_is_made_read_listed_and_ended,
    a_membership_is_made_once,
    what_is_not_there_cannot_be_put_together,
    memberships_are_found_from_either_side,
    memberships_are_listed_page_by_page,
    memberships_are_not_searched_otherwise,
    memberships_are_not_changed,
    memberships_need_rights_of_their_own,
    memberships_are_discovered,
    groups_of_groups_are_shown_as_indirect,
    groups_in_a_circle_are_each_shown_once,
    groups_are_filtered_as_they_are_shown,
    members_are_found_by_their_id,
    a_group_that_is_renamed_or_nested_changes_its_members_version,
);

async fn user(idp: &Client, name: &str) -> String {
    let made = idp.create("/Users", json!({"userName": name})).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn group(idp: &Client, name: &str, members: &[&str]) -> String {
    let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
    let content = json!({"displayName": name, "members": members});
    let made = idp.create("/Groups", content).await;
    made["id"].as_str().unwrap().to_owned()
}

fn pair(group: &str, member: &str) -> Value {
    json!({"group": {"value": group}, "member": {"value": member}})
}

async fn a_membership_is_made_read_listed_and_ended(app: &App) {
    let idp = app.client("idp").await;
    let ada = user(&idp, "ada").await;
    let g = group(&idp, "Engineers", &[]).await;
    let made = idp.post("/GroupMemberships", pair(&g, &ada)).await;
    let membership = made.ok(201);
    let id = format!("{g}.{ada}");
    let base = app.scim();
    assert_eq!(membership["id"], id);
    assert_eq!(
        membership["group"],
        json!({"value": g, "$ref": format!("{base}/Groups/{g}"), "display": "Engineers"})
    );
    assert_eq!(
        membership["member"],
        json!({"value": ada, "$ref": format!("{base}/Users/{ada}"), "type": "User", "display": "ada"})
    );
    assert_eq!(membership["meta"]["resourceType"], "GroupMembership");
    let location = format!("{base}/GroupMemberships/{id}");
    assert_eq!(made.header("location"), Some(location.as_str()));
    let path = format!("/GroupMemberships/{id}");
    let found = idp.get(&path).await;
    assert_eq!(found.ok(200), membership);
    assert_eq!(found.etag(), made.etag());
    let listed = idp.list("/GroupMemberships", &[]).await;
    assert_eq!(listed.resources(), std::slice::from_ref(membership));
    let narrow = idp.get(&format!("{path}?attributes=member.value")).await;
    assert_eq!(narrow.ok(200)["member"], json!({ "value": ada }));
    // It is what the group and the person show, and an event of the group.
    let shown = idp.get(&format!("/Groups/{g}")).await;
    assert_eq!(shown.ok(200)["members"][0]["value"], *ada);
    assert_eq!(shown.etag(), "W/\"2\"");
    let events = app.events_of(&g);
    assert_eq!(events[1]["type"], "group.members.changed");
    let other = idp
        .send(Method::DELETE, &path, &[("If-Match", "W/\"x\"")], None)
        .await;
    other.refused(412, "");
    idp.delete(&path).await.ok(204);
    idp.delete(&path).await.refused(404, "");
    idp.get(&path).await.refused(404, "");
    assert_eq!(idp.get(&format!("/Groups/{g}")).await.etag(), "W/\"3\"");
}

async fn a_membership_is_made_once(app: &App) {
    let idp = app.client("idp").await;
    let ada = user(&idp, "ada").await;
    let g = group(&idp, "Engineers", &[&ada]).await;
    let again = idp.post("/GroupMemberships", pair(&g, &ada)).await;
    again.refused(409, "uniqueness");
    assert_eq!(idp.get(&format!("/Groups/{g}")).await.etag(), "W/\"1\"");
}

async fn what_is_not_there_cannot_be_put_together(app: &App) {
    let (idp, ats) = (app.client("idp").await, app.client("ats").await);
    let ada = user(&idp, "ada").await;
    let g = group(&idp, "Engineers", &[]).await;
    let person = ats.create("/Persons", json!({"displayName": "Lua"})).await;
    let person = person["id"].as_str().unwrap();
    let nobody = "0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11";
    for (group, member, named) in [
        (nobody, &*ada, "group.value"),
        ("x", &*ada, "group.value"),
        (&*ada, &*ada, "group.value"),
        (&*g, nobody, "member.value"),
        (&*g, "", "member"),
        (&*g, person, "member.value"),
        (&*g, &*g, "members.value"),
    ] {
        let answer = idp.post("/GroupMemberships", pair(group, member)).await;
        let detail = answer.refused(400, "invalidValue");
        assert!(detail.contains(named), "{group} {member}: {detail}");
    }
    for body in [
        json!({"group": {"value": g}}),
        json!({"member": {"value": ada}}),
        json!({"group": {}, "member": {"value": ada}}),
    ] {
        let answer = idp.post("/GroupMemberships", body).await;
        answer.refused(400, "invalidValue");
    }
    assert!(
        idp.list("/GroupMemberships", &[])
            .await
            .resources()
            .is_empty()
    );
    for id in ["x", "x.y", &format!("{g}.{ada}"), &format!("{ada}.{g}.")] {
        let path = format!("/GroupMemberships/{id}");
        idp.get(&path).await.refused(404, "");
        idp.delete(&path).await.refused(404, "");
    }
}

async fn memberships_are_found_from_either_side(app: &App) {
    let idp = app.client("idp").await;
    let (ada, bob) = (user(&idp, "ada").await, user(&idp, "bob").await);
    let one = group(&idp, "One", &[&ada, &bob]).await;
    let two = group(&idp, "Two", &[&ada, &one]).await;
    let all = [(&one, &ada), (&one, &bob), (&two, &ada), (&two, &one)];
    let ids = |pairs: &[(&String, &String)]| -> BTreeSet<String> {
        let pairs = pairs.iter();
        pairs
            .map(|(group, member)| format!("{group}.{member}"))
            .collect()
    };
    let found = async |filter: &str| -> BTreeSet<String> {
        let found = idp.find("/GroupMemberships", filter).await;
        found
            .iter()
            .map(|found| found["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let eq = |side: &str, id: &str| format!("{side}.value eq \"{id}\"");
    assert_eq!(found(&eq("group", &one)).await, ids(&all[..2]));
    assert_eq!(found(&eq("member", &ada)).await, ids(&[all[0], all[2]]));
    assert_eq!(found(&eq("member", &one)).await, ids(&all[3..]));
    let both = format!("{} and {}", eq("group", &two), eq("member", &ada));
    assert_eq!(found(&both).await, ids(&all[2..3]));
    assert_eq!(
        found(&format!("group[value eq \"{one}\"]")).await,
        ids(&all[..2])
    );
    assert_eq!(
        found(&format!("id eq \"{two}.{one}\"")).await,
        ids(&all[3..])
    );
    let never = format!("{} and {}", eq("group", &one), eq("group", &two));
    for none in [
        never,
        eq("group", "x"),
        eq("group", &ada),
        eq("member", &two),
    ] {
        assert_eq!(found(&none).await, BTreeSet::new(), "{none}");
    }
}

async fn memberships_are_listed_page_by_page(app: &App) {
    let idp = app.client("idp").await;
    let (ada, bob) = (user(&idp, "ada").await, user(&idp, "bob").await);
    let one = group(&idp, "One", &[&ada, &bob]).await;
    let two = group(&idp, "Two", &[&ada, &one]).await;
    let all = [(&one, &ada), (&one, &bob), (&two, &ada), (&two, &one)];
    let eq = |side: &str, id: &str| format!("{side}.value eq \"{id}\"");
    let mut walked = Vec::new();
    for start in ["1", "3", "5"] {
        let query = [("startIndex", start), ("count", "2")];
        let page = idp.list("/GroupMemberships", &query).await;
        assert_eq!(page.ok(200)["totalResults"], 4);
        walked.extend(
            page.resources()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(
        walked,
        all.map(|(group, member)| format!("{group}.{member}"))
    );
    let search = json!({"filter": eq("group", &two), "count": 0});
    let counted = idp.search("/GroupMemberships", search).await;
    assert_eq!(counted.ok(200)["totalResults"], 2);
    assert!(counted.resources().is_empty());
    // Memberships are no records: a search over all records does not list them.
    let everything = idp.search("", json!({"count": 100})).await;
    assert_eq!(everything.ok(200)["totalResults"], 4);
}

async fn memberships_are_not_searched_otherwise(app: &App) {
    let idp = app.client("idp").await;
    for filter in [
        "group.value co \"a\"",
        "group.display eq \"One\"",
        "not (group.value eq \"x\")",
        "group.value eq \"x\" or member.value eq \"y\"",
        "member.type eq \"User\"",
        "meta.created gt \"2026-01-01T00:00:00Z\"",
        "group pr",
    ] {
        let answer = idp.list("/GroupMemberships", &[("filter", filter)]).await;
        let detail = answer.refused(400, "invalidFilter");
        assert!(detail.contains("group.value"), "{detail}");
    }
    let sorted = [("sortBy", "group.value")];
    let answer = idp.list("/GroupMemberships", &sorted).await;
    answer.refused(400, "invalidValue");
}

async fn memberships_are_not_changed(app: &App) {
    let idp = app.client("idp").await;
    let ada = user(&idp, "ada").await;
    let g = group(&idp, "Engineers", &[&ada]).await;
    let path = format!("/GroupMemberships/{g}.{ada}");
    for method in [Method::PUT, Method::PATCH] {
        let answer = idp.send(method, &path, &[], Some(b"{}".to_vec())).await;
        answer.refused(405, "");
        assert_eq!(answer.header("allow"), Some("GET, DELETE"));
    }
}

async fn memberships_need_rights_of_their_own(app: &App) {
    let (idp, ats, auditor) = (
        app.client("idp").await,
        app.client("ats").await,
        app.client("auditor").await,
    );
    let ada = user(&idp, "ada").await;
    let g = group(&idp, "Engineers", &[&ada]).await;
    let path = format!("/GroupMemberships/{g}.{ada}");
    ats.get(&path).await.refused(403, "");
    ats.list("/GroupMemberships", &[]).await.refused(403, "");
    auditor.get(&path).await.ok(200);
    auditor.delete(&path).await.refused(403, "");
    let answer = auditor.post("/GroupMemberships", pair(&g, &ada)).await;
    answer.refused(403, "");
}

async fn memberships_are_discovered(app: &App) {
    let anybody = app.stranger();
    let urn = "urn:ietf:params:scim:schemas:core:2.0:GroupMembership";
    let found = anybody.get("/ResourceTypes/GroupMembership").await;
    assert_eq!(found.ok(200)["endpoint"], "/GroupMemberships");
    assert_eq!(found.body["schema"], urn);
    let schema = anybody.get(&format!("/Schemas/{urn}")).await;
    assert_eq!(schema.ok(200)["attributes"].as_array().unwrap().len(), 2);
}

/// What a person shows as its groups: each name with its type.
async fn groups(idp: &Client, id: &str) -> Vec<(String, String)> {
    let answer = idp.get(&format!("/Users/{id}")).await;
    let groups = answer.ok(200)["groups"].as_array().cloned();
    let text = |group: &Value, name: &str| group[name].as_str().unwrap().to_owned();
    groups
        .unwrap_or_default()
        .iter()
        .map(|group| (text(group, "display"), text(group, "type")))
        .collect()
}

fn typed(groups: &[(&str, &str)]) -> Vec<(String, String)> {
    groups
        .iter()
        .map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned()))
        .collect()
}

async fn groups_of_groups_are_shown_as_indirect(app: &App) {
    let idp = app.client("idp").await;
    let (ada, bob) = (user(&idp, "ada").await, user(&idp, "bob").await);
    let team = group(&idp, "Team", &[&ada]).await;
    let site = group(&idp, "Site", &[&team, &bob]).await;
    let firm = group(&idp, "Firm", &[&site, &ada]).await;
    group(&idp, "Guild", &[&team]).await;
    let of_ada = [
        ("Team", "direct"),
        ("Firm", "direct"),
        ("Site", "indirect"),
        ("Guild", "indirect"),
    ];
    // Each once, and what is direct is told as direct.
    assert_eq!(groups(&idp, &ada).await, typed(&of_ada));
    assert_eq!(
        groups(&idp, &bob).await,
        typed(&[("Site", "direct"), ("Firm", "indirect")])
    );
    let person = idp.get(&format!("/Persons/{ada}")).await;
    assert_eq!(person.ok(200)["groups"].as_array().unwrap().len(), 4);
    // A list shows what a GET shows, and nothing where it is not asked for.
    let listed = idp.find("/Users", "userName eq \"ada\"").await;
    assert_eq!(listed[0], *idp.get(&format!("/Users/{ada}")).await.ok(200));
    let query = [("attributes", "userName")];
    let listed = idp.list("/Users", &query).await;
    assert!(
        listed
            .resources()
            .iter()
            .all(|user| user.get("groups").is_none())
    );
    // Leaving a nested group is leaving those above it.
    idp.delete(&format!("/Groups/{firm}")).await.ok(204);
    idp.delete(&format!("/GroupMemberships/{site}.{team}"))
        .await
        .ok(204);
    assert_eq!(
        groups(&idp, &ada).await,
        typed(&[("Team", "direct"), ("Guild", "indirect")])
    );
}

async fn groups_in_a_circle_are_each_shown_once(app: &App) {
    let idp = app.client("idp").await;
    let ada = user(&idp, "ada").await;
    let one = group(&idp, "One", &[&ada]).await;
    let two = group(&idp, "Two", &[&one]).await;
    let three = group(&idp, "Three", &[&two]).await;
    let add = json!([{"op": "add", "path": "members", "value": [{"value": three}]}]);
    idp.patch(&format!("/Groups/{one}"), add).await.ok(200);
    let all = [
        ("One", "direct"),
        ("Two", "indirect"),
        ("Three", "indirect"),
    ];
    assert_eq!(groups(&idp, &ada).await, typed(&all));
    let found = idp
        .find("/Users", &format!("groups.value eq \"{two}\""))
        .await;
    assert_eq!(found.len(), 1);
}

async fn groups_are_filtered_as_they_are_shown(app: &App) {
    let idp = app.client("idp").await;
    let (ada, bob) = (user(&idp, "ada").await, user(&idp, "bob").await);
    user(&idp, "eve").await;
    let team = group(&idp, "Team", &[&ada]).await;
    let site = group(&idp, "Site", &[&team, &bob]).await;
    for (filter, who) in [
        (format!("groups.value eq \"{site}\""), vec!["ada", "bob"]),
        (format!("groups eq \"{team}\""), vec!["ada"]),
        (
            format!("groups[value eq \"{site}\" and type eq \"direct\"]"),
            vec!["bob"],
        ),
        (
            format!("groups[value eq \"{site}\" and type eq \"indirect\"]"),
            vec!["ada"],
        ),
        (
            format!("groups[value eq \"{site}\" and not (type eq \"direct\")]"),
            vec!["ada"],
        ),
        ("groups.type eq \"indirect\"".into(), vec!["ada"]),
        ("groups.type pr".into(), vec!["ada", "bob"]),
        ("groups.display sw \"si\"".into(), vec!["ada", "bob"]),
        (
            "groups[display eq \"Team\" and type eq \"indirect\"]".into(),
            vec![],
        ),
        ("not (groups pr)".into(), vec!["eve"]),
        (
            format!("not (groups.value eq \"{team}\")"),
            vec!["bob", "eve"],
        ),
        (
            format!("userName eq \"ada\" and groups.value eq \"{site}\""),
            vec!["ada"],
        ),
        (
            format!("id eq \"{bob}\" and groups.value eq \"{team}\""),
            vec![],
        ),
        (
            format!("userName eq \"eve\" or groups.value eq \"{team}\""),
            vec!["ada", "eve"],
        ),
    ] {
        let found = idp.find("/Users", &filter).await;
        let found: Vec<_> = found
            .iter()
            .map(|user| user["userName"].as_str().unwrap())
            .collect();
        assert_eq!(found, who, "{filter}");
    }
}

/// E11, and what IPSIE asks for.
async fn members_are_found_by_their_id(app: &App) {
    let idp = app.client("idp").await;
    let (ada, bob) = (user(&idp, "ada").await, user(&idp, "bob").await);
    let team = group(&idp, "Team", &[&ada]).await;
    let site = group(&idp, "Site", &[&team, &bob]).await;
    for (filter, which) in [
        (format!("members[value eq \"{ada}\"]"), vec!["Team"]),
        (format!("members.value eq \"{bob}\""), vec!["Site"]),
        (format!("members eq \"{team}\""), vec!["Site"]),
        (
            format!("id eq \"{team}\" and members eq \"{ada}\""),
            vec!["Team"],
        ),
        (format!("id eq \"{site}\" and members eq \"{ada}\""), vec![]),
        (
            format!("members[value eq \"{team}\" and type eq \"Group\"]"),
            vec!["Site"],
        ),
        (
            format!("members[value eq \"{team}\" and type eq \"User\"]"),
            vec![],
        ),
        (format!("not (members.value eq \"{ada}\")"), vec!["Site"]),
        ("members.value eq \"nobody\"".into(), vec![]),
    ] {
        let found = idp.find("/Groups", &filter).await;
        let found: Vec<_> = found
            .iter()
            .map(|group| group["displayName"].as_str().unwrap())
            .collect();
        assert_eq!(found, which, "{filter}");
    }
}

/// The entity tag is of the whole view, and the groups are in it.
async fn a_group_that_is_renamed_or_nested_changes_its_members_version(app: &App) {
    let idp = app.client("idp").await;
    let ada = user(&idp, "ada").await;
    let path = format!("/Users/{ada}");
    let mut seen = BTreeSet::from([idp.get(&path).await.etag().to_owned()]);
    let team = group(&idp, "Team", &[&ada]).await;
    assert!(seen.insert(idp.get(&path).await.etag().to_owned()));
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Crew"}]);
    idp.patch(&format!("/Groups/{team}"), rename).await.ok(200);
    assert!(seen.insert(idp.get(&path).await.etag().to_owned()));
    group(&idp, "Site", &[&team]).await;
    let etag = idp.get(&path).await.etag().to_owned();
    assert!(seen.insert(etag.clone()));
    for query in ["attributes=userName", "excludedAttributes=groups"] {
        let answer = idp.get(&format!("{path}?{query}")).await;
        assert_eq!(answer.etag(), etag, "{query}");
    }
    let listed = idp.list("/Users", &[("attributes", "meta.version")]).await;
    assert_eq!(listed.resources()[0]["meta"]["version"], *etag);
}
