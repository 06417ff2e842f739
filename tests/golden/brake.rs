//! The leaver brake (A-092; model.md, the lifecycle, 6): how many leavers go through, who is asked, and what the answer
//! changes.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::process::Process;
use crate::support::{Answer, App, Client, PATCH_OP, on_both};

on_both!(
    more_deactivations_than_the_policy_allows_wait_for_a_human,
    of_few_people_the_share_counts_from_ten_on,
    approved_they_go_on_for_a_window_or_for_so_many,
    rejected_they_stay_stopped_for_a_window,
    who_was_stopped_does_not_decide,
    a_question_that_nobody_answers_is_no_approval,
    users_and_persons_that_are_deleted_count_as_one_kind,
    members_that_leave_groups_are_counted_however_they_leave,
    each_operation_of_a_bulk_request_is_counted,
    many_at_once_get_no_more_through,
    the_count_holds_over_processes,
    what_an_import_deactivates_is_counted,
    without_a_brake_nothing_is_counted
);

/// Identity providers, and `hris`, who decides.
const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR, verifiesEmail: true }
  - { name: idp, kind: idp, owner: IT, verifiesEmail: true }
  - { name: okta, kind: idp, owner: IT, verifiesEmail: true }
roles:
  people: [{ types: [User, Person, Group, GroupMembership, AuditEvent], rights: [read, search, write, delete] }]
  steward: [{ types: [Person, Review], rights: [read, search, write] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [people, steward] }
  - { name: idp, issuer: "ISSUER", match: { claim: azp, equals: idp }, tenant: default, system: idp, roles: [people, steward] }
  - { name: okta, issuer: "ISSUER", match: { claim: azp, equals: okta }, tenant: default, system: okta, roles: [people], profile: okta }
"#;

/// With these limits.
pub(crate) fn braked(limits: &str) -> String {
    format!("{POLICY}leaverBrake: {{ {limits} }}\n")
}

pub(crate) fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// So many users: their ids.
pub(crate) async fn users(client: &Client, name: &str, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..count {
        let user = json!({"userName": format!("{name}{number}"), "externalId": format!("{name}-{number}")});
        let made = client.create("/Users", user).await;
        ids.push(id(&made).to_owned());
    }
    ids
}

fn active(is: bool) -> Value {
    json!([{"op": "replace", "value": {"active": is}}])
}

pub(crate) async fn deactivate(client: &Client, id: &str) -> Answer {
    client.patch(&format!("/Users/{id}"), active(false)).await
}

/// A client some time later, with a token that is still good then.
pub(crate) async fn later(app: &App, name: &str, by: TimeDelta) -> Client {
    app.clock.advance(by);
    let http = crate::support::client::http();
    let token = crate::support::client::token(&http, &app.origin(), name).await;
    Client::new(http, app.scim(), Some(token))
}

/// The one open review of the brake.
pub(crate) async fn question(app: &App) -> Value {
    let hris = later(app, "hris", TimeDelta::zero()).await;
    let open = "kind eq \"leaverBrake\" and status eq \"open\"";
    let reviews = hris.find("/Reviews", open).await;
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    reviews[0].clone()
}

async fn decide(client: &Client, review: &Value, decision: Value) -> Answer {
    let path = format!("/Reviews/{}", id(review));
    let operations = json!([{"op": "replace", "value": decision}]);
    client.patch(&path, operations).await
}

#[track_caller]
fn stopped(answer: &Answer, review: &Value) {
    let detail = answer.refused(429, "");
    assert!(detail.contains(id(review)), "{detail}");
    assert!(detail.contains("leaver brake"), "{detail}");
    assert_eq!(answer.header("retry-after"), Some("900"));
}

async fn more_deactivations_than_the_policy_allows_wait_for_a_human(app: &App) {
    apply(app, &braked("deactivations: 3"));
    let (idp, okta) = (app.client("idp").await, app.client("okta").await);
    let ids = users(&idp, "u", 5).await;
    let theirs = users(&okta, "o", 1).await;
    for id in &ids[..3] {
        deactivate(&idp, id).await.ok(200);
    }
    let first = deactivate(&idp, &ids[3]).await;
    let review = question(app).await;
    stopped(&first, &review);
    assert_eq!(
        (&review["client"], &review["system"], &review["act"]),
        (&json!("idp"), &json!("idp"), &json!("deactivations"))
    );
    assert_eq!(
        (&review["counted"], &review["limit"]),
        (&json!(3), &json!(3))
    );
    // The same again, and by PUT: the same question, and nothing has changed.
    stopped(&deactivate(&idp, &ids[3]).await, &review);
    let put = json!({"userName": "u4", "active": false});
    stopped(&idp.put(&format!("/Users/{}", ids[4]), put).await, &review);
    assert_eq!(id(&question(app).await), id(&review));
    for id in &ids[3..] {
        let user = idp.get(&format!("/Users/{id}")).await;
        assert_eq!(user.ok(200)["active"], true);
    }
    // What is no leaver goes on, whoever is stopped; and nobody else is.
    let title = json!([{"op": "replace", "path": "title", "value": "Diver"}]);
    idp.patch(&format!("/Users/{}", ids[3]), title)
        .await
        .ok(200);
    idp.patch(&format!("/Users/{}", ids[0]), active(true))
        .await
        .ok(200);
    deactivate(&okta, &theirs[0]).await.ok(200);
    // The window passes, but not the question.
    let idp = later(app, "idp", TimeDelta::minutes(120)).await;
    stopped(&deactivate(&idp, &ids[3]).await, &review);
}

async fn of_few_people_the_share_counts_from_ten_on(app: &App) {
    apply(app, &braked("deactivations: 1000, share: 50"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 24).await;
    for id in &ids[..12] {
        deactivate(&idp, id).await.ok(200);
    }
    let answer = deactivate(&idp, &ids[12]).await;
    let review = question(app).await;
    stopped(&answer, &review);
    assert_eq!(review["limit"], 12);
    apply(app, &braked("deletions: 1000, share: 1"));
    for id in &ids[..10] {
        idp.delete(&format!("/Users/{id}")).await.ok(204);
    }
    idp.delete(&format!("/Users/{}", ids[10]))
        .await
        .refused(429, "");
}

async fn approved_they_go_on_for_a_window_or_for_so_many(app: &App) {
    apply(app, &braked("deactivations: 2"));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 12).await;
    for id in &ids[..2] {
        deactivate(&idp, id).await.ok(200);
    }
    deactivate(&idp, &ids[2]).await.refused(429, "");
    let review = question(app).await;
    let less = json!({"status": "approved", "allowance": -1});
    decide(&hris, &review, less)
        .await
        .refused(400, "invalidValue");
    let approve = json!({"status": "approved", "allowance": 2});
    let decided = decide(&hris, &review, approve).await;
    assert_eq!(decided.ok(200)["decidedBy"], "hris");
    for id in &ids[2..4] {
        deactivate(&idp, id).await.ok(200);
    }
    // No more than that many; then another question.
    deactivate(&idp, &ids[4]).await.refused(429, "");
    let second = question(app).await;
    assert_ne!(id(&second), id(&review));
    decide(&hris, &second, json!({"status": "approved"}))
        .await
        .ok(200);
    for id in &ids[4..8] {
        deactivate(&idp, id).await.ok(200);
    }
    // After that window it is counted from nothing.
    let idp = later(app, "idp", TimeDelta::minutes(61)).await;
    for id in &ids[8..10] {
        deactivate(&idp, id).await.ok(200);
    }
    deactivate(&idp, &ids[10]).await.refused(429, "");
}

async fn rejected_they_stay_stopped_for_a_window(app: &App) {
    apply(app, &braked("deactivations: 1"));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 3).await;
    deactivate(&idp, &ids[0]).await.ok(200);
    deactivate(&idp, &ids[1]).await.refused(429, "");
    let review = question(app).await;
    decide(&hris, &review, json!({"status": "rejected"}))
        .await
        .ok(200);
    let idp = later(app, "idp", TimeDelta::minutes(59)).await;
    let answer = deactivate(&idp, &ids[1]).await;
    stopped(&answer, &review);
    assert!(answer.refused(429, "").contains("was not approved"));
    let hris = later(app, "hris", TimeDelta::zero()).await;
    let open = hris.find("/Reviews", "status eq \"open\"").await;
    assert!(open.is_empty(), "{open:?}");
    let idp = later(app, "idp", TimeDelta::minutes(2)).await;
    deactivate(&idp, &ids[1]).await.ok(200);
}

async fn who_was_stopped_does_not_decide(app: &App) {
    apply(app, &braked("deactivations: 1"));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 2).await;
    deactivate(&idp, &ids[0]).await.ok(200);
    deactivate(&idp, &ids[1]).await.refused(429, "");
    let review = question(app).await;
    let approve = json!({"status": "approved"});
    let refusal = decide(&idp, &review, approve.clone()).await;
    assert!(refusal.refused(403, "").contains("somebody else"));
    deactivate(&idp, &ids[1]).await.refused(429, "");
    decide(&hris, &review, approve).await.ok(200);
    deactivate(&idp, &ids[1]).await.ok(200);
}

async fn a_question_that_nobody_answers_is_no_approval(app: &App) {
    apply(app, &braked("deactivations: 1"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 2).await;
    deactivate(&idp, &ids[0]).await.ok(200);
    deactivate(&idp, &ids[1]).await.refused(429, "");
    let review = question(app).await;
    let idp = later(app, "idp", TimeDelta::days(6)).await;
    let (service, now) = (
        app.service().clone(),
        muster::clock::Clock::now(&*app.clock),
    );
    let swept = std::thread::spawn(move || {
        let tenant = service.find_tenant("default").unwrap().unwrap();
        service.expire_reviews(tenant, now).unwrap()
    });
    swept.join().unwrap();
    let hris = later(app, "hris", TimeDelta::zero()).await;
    let expired = hris.get(&format!("/Reviews/{}", id(&review))).await;
    assert_eq!(expired.ok(200)["status"], "expired");
    stopped(&deactivate(&idp, &ids[1]).await, &review);
}

async fn users_and_persons_that_are_deleted_count_as_one_kind(app: &App) {
    apply(app, &braked("deletions: 2"));
    let (idp, hris) = (app.client("idp").await, app.client("hris").await);
    let ids = users(&idp, "u", 3).await;
    let person = idp.create("/Persons", json!({"legalName": "Ada"})).await;
    // Of the first another system speaks: the account is closed, and the person stays.
    let title = json!([{"op": "add", "path": "legalName", "value": "Augusta"}]);
    hris.patch(&format!("/Persons/{}", ids[0]), title)
        .await
        .ok(200);
    idp.delete(&format!("/Users/{}", ids[0])).await.ok(204);
    hris.get(&format!("/Persons/{}", ids[0])).await.ok(200);
    idp.delete(&format!("/Persons/{}", id(&person)))
        .await
        .ok(204);
    let answer = idp.delete(&format!("/Users/{}", ids[1])).await;
    let review = question(app).await;
    stopped(&answer, &review);
    assert_eq!(review["act"], "deletions");
    // Each kind of act by itself.
    deactivate(&idp, &ids[1]).await.ok(200);
    // One that is not there is missing, stopped or not.
    idp.delete(&format!("/Users/{}", ids[0]))
        .await
        .refused(404, "");
}

async fn members_that_leave_groups_are_counted_however_they_leave(app: &App) {
    apply(app, &braked("removals: 4"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 6).await;
    let all: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let make = |name: &str| idp.create("/Groups", json!({"displayName": name, "members": all}));
    let path = format!("/Groups/{}", id(&make("g").await));
    let doomed = format!("/Groups/{}", id(&make("doomed").await));
    let remove =
        |id: &str| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    idp.patch(&path, remove(&ids[0])).await.ok(200);
    // The same again takes nobody out.
    idp.patch(&path, remove(&ids[0])).await.ok(200);
    let ended = format!(
        "/GroupMemberships/{}.{}",
        path.trim_start_matches("/Groups/"),
        ids[1]
    );
    idp.delete(&ended).await.ok(204);
    // All at once, in any way, would be more than two more.
    let wiped = idp.put(&path, json!({"displayName": "g"})).await;
    let review = question(app).await;
    stopped(&wiped, &review);
    assert_eq!(
        (&review["act"], &review["counted"]),
        (&json!("removals"), &json!(2))
    );
    let replaced = json!([{"op": "replace", "path": "members", "value": [{"value": ids[5]}]}]);
    stopped(&idp.patch(&path, replaced).await, &review);
    stopped(&idp.delete(&doomed).await, &review);
    for (group, left) in [(&path, 4), (&doomed, 6)] {
        let group = idp.get(group).await;
        assert_eq!(group.ok(200)["members"].as_array().unwrap().len(), left);
    }
    // Who joins is no leaver.
    let add = json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}]}]);
    idp.patch(&path, add).await.ok(200);
    let hris = app.client("hris").await;
    decide(&hris, &review, json!({"status": "approved"}))
        .await
        .ok(200);
    idp.delete(&doomed).await.ok(204);
}

async fn each_operation_of_a_bulk_request_is_counted(app: &App) {
    apply(app, &braked("deactivations: 3, deletions: 1"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 7).await;
    let off = |id: &String| {
        json!({"method": "PATCH", "path": format!("/Users/{id}"),
            "data": {"schemas": [PATCH_OP], "Operations": active(false)}})
    };
    let gone = |id: &String| json!({"method": "DELETE", "path": format!("/Users/{id}")});
    let mut operations: Vec<Value> = ids[..5].iter().map(off).collect();
    operations.extend(ids[5..].iter().map(gone));
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let body = body.to_string().into_bytes();
    let answer = idp.send(Method::POST, "/Bulk", &[], Some(body)).await;
    let done = answer.ok(200)["Operations"].as_array().unwrap().clone();
    let statuses: Vec<&Value> = done.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["200", "200", "200", "429", "429", "204", "429"]);
    let hris = app.client("hris").await;
    let reviews = hris.find("/Reviews", "kind eq \"leaverBrake\"").await;
    assert_eq!(reviews.len(), 2, "{reviews:?}");
    let detail = done[4]["response"]["detail"].as_str().unwrap();
    assert!(reviews.iter().any(|review| detail.contains(id(review))));
}

async fn many_at_once_get_no_more_through(app: &App) {
    apply(app, &braked("deactivations: 7"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 30).await;
    let calls: Vec<_> = ids
        .iter()
        .map(|id| {
            let (idp, id) = (idp.clone(), id.clone());
            actix_web::rt::spawn(async move { deactivate(&idp, &id).await.status })
        })
        .collect();
    let mut through = 0;
    for call in calls {
        match call.await.unwrap() {
            200 => through += 1,
            status => assert_eq!(status, 429),
        }
    }
    assert_eq!(through, 7);
    question(app).await;
}

async fn the_count_holds_over_processes(app: &App) {
    apply(app, &braked("deactivations: 3"));
    let idp = app.client("idp").await;
    let ids = users(&idp, "u", 4).await;
    for id in &ids[..2] {
        deactivate(&idp, id).await.ok(200);
    }
    let other = Process::start_on(app.database.folder(), app.database.url());
    let issuer = format!("{}/dev", other.origin);
    apply(app, &braked("deactivations: 3").replace("ISSUER", &issuer));
    let http = crate::support::client::http();
    let token = crate::support::client::token(&http, &other.origin, "idp").await;
    let elsewhere = Client::new(http, format!("{}/scim/v2", other.origin), Some(token));
    let mut last = 401;
    while matches!(last, 401 | 403) {
        // Until it has heard of the policy.
        last = deactivate(&elsewhere, &ids[2]).await.status;
    }
    assert_eq!(last, 200);
    let detail = deactivate(&elsewhere, &ids[3]).await;
    let detail = detail.refused(429, "");
    assert!(detail.contains("3 deactivations"), "{detail}");
    // What the other process has not sealed yet, this one seals once it is gone.
    drop(other);
    apply(app, &braked("deactivations: 3"));
}

async fn what_an_import_deactivates_is_counted(app: &App) {
    apply(app, &braked("deactivations: 2"));
    let hris = app.client("hris").await;
    let ids = users(&hris, "u", 4).await;
    let map = "system: hris\nformat: csv\nresourceType: User\nexternalId: id\nclaims:\n  - { from: name, to: userName }\n  - { from: active, to: active, with: boolean }\n";
    let folder = app.database.folder();
    let (map_file, file) = (folder.join("map.yaml"), folder.join("leavers.csv"));
    std::fs::write(&map_file, map).unwrap();
    let rows = "id,name,active\nu-0,u0,false\nu-1,u1,false\nu-2,u2,false\nu-3,u3,false\n";
    std::fs::write(&file, rows).unwrap();
    let (map_file, file) = (map_file.to_str().unwrap(), file.to_str().unwrap());
    let arguments = [
        "import", "--system", "hris", "--actor", "eve", "--map", map_file, file,
    ];
    let told = crate::restore::muster(app, &arguments);
    assert!(told.contains("2 of 4 rows were rejected"), "{told}");
    let review = question(app).await;
    assert_eq!(review["client"], "eve");
    let mut left = 0;
    for id in &ids {
        let user = hris.get(&format!("/Users/{id}")).await;
        left += usize::from(user.ok(200)["active"] == true);
    }
    assert_eq!(left, 2);
}

async fn without_a_brake_nothing_is_counted(app: &App) {
    apply(app, POLICY);
    let idp = app.client("idp").await;
    for id in users(&idp, "u", 60).await {
        deactivate(&idp, &id).await.ok(200);
        idp.delete(&format!("/Users/{id}")).await.ok(204);
    }
    let counted = app
        .database
        .connect()
        .number("SELECT count(*) AS n FROM brake");
    assert_eq!(counted, 0);
}
