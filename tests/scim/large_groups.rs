//! Groups of very many members: what a change costs goes with the members it names, and what is read comes as a stream.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{App, Client, Engine, PATIENCE, counted_on_both, on_both, statements};

on_both!(
    a_large_group_is_read_whole,
    a_large_group_is_narrowed_like_a_small_one,
    a_version_that_is_known_is_not_read_again,
    a_list_with_large_groups_is_read_whole,
    a_patch_of_a_large_group_answers_without_a_body,
    a_patch_of_a_large_group_answers_what_it_asks_for,
    a_large_group_is_replaced,
    a_group_is_made_and_replaced_with_thousands_of_members,
    a_large_group_is_emptied_and_deleted,
    members_leave_by_their_type,
    many_operations_of_one_patch_are_one_change,
    readers_who_stop_reading_hold_nobody_up,
    a_million_members_in_one_body_are_413,
);

/// A group and as many members beside it. They are written past the service, whose people need more than this; each has
/// the event that every version has.
async fn group(app: &App, idp: &Client, name: &str, count: usize) -> String {
    let made = idp.create("/Groups", json!({"displayName": name})).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let bytes = match app.database.engine() {
        Engine::Sqlite => "randomblob(16)",
        Engine::Postgres => "uuid_send(gen_random_uuid())",
    };
    let last = "(SELECT max(id) FROM resource)";
    let own = format!("(SELECT id FROM resource WHERE display = '{name}' AND kind = 2)");
    let mut connection = app.database.connect();
    let before = connection.number(&format!("SELECT {last} AS n"));
    connection.run(&format!(
        "INSERT INTO resource (tenant, uuid, kind, account, version, created, modified, document, display) \
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         SELECT 1, {bytes}, 1, 1 = 0, 1, 0, 0, '{{}}', NULL FROM n; \
         INSERT INTO event (id, tenant, type, resource_type, resource, version, recorded, client, correlation, format, \
           key_id, body) \
         SELECT {bytes}, 1, 'person.created', 'Person', uuid, 1, 0, 'test', 'test', 1, '', {empty} \
         FROM resource WHERE id > {before}; \
         INSERT INTO group_member (grp, member) SELECT {own}, id FROM resource WHERE id > {before}; \
         UPDATE resource SET members = {count} WHERE id = {own};",
        empty = match app.database.engine() {
            Engine::Sqlite => "x'7b7d'",
            Engine::Postgres => "'{}'",
        }
    ));
    recount(app);
    format!("/Groups/{id}")
}

/// Makes the counters right again after what was written past the service.
fn recount(app: &App) {
    app.database.connect().run(
        "DELETE FROM record_count; INSERT INTO record_count (tenant, kind, account, shard, n) \
         SELECT tenant, kind, account, 0, count(*) FROM resource GROUP BY tenant, kind, account",
    );
}

/// What the nameless are: only groups can be members without an account.
fn kind(app: &App, kind: u8) {
    let sql = format!("UPDATE resource SET kind = {kind} WHERE display IS NULL");
    app.database.connect().run(&sql);
    recount(app);
}

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

fn values(group: &Value) -> BTreeSet<&str> {
    let members = group["members"].as_array().into_iter().flatten();
    members
        .map(|member| member["value"].as_str().unwrap())
        .collect()
}

fn add(ids: &[String]) -> Value {
    let members: Vec<_> = ids.iter().map(|id| json!({ "value": id })).collect();
    json!([{"op": "add", "path": "members", "value": members}])
}

async fn a_large_group_is_read_whole(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 3_500).await;
    let answer = idp.get(&path).await;
    let found = answer.ok(200);
    assert_eq!(values(found).len(), 3_500);
    let first = &found["members"][0];
    let value = first["value"].as_str().unwrap();
    assert_eq!(
        *first,
        json!({"value": value, "$ref": format!("{}/Users/{value}", app.scim()), "type": "User"})
    );
    assert_eq!(found["displayName"], "Everybody");
    assert_eq!(found["meta"]["version"], answer.etag());
    // The same as from a group that is held: 1000 members are, 1001 are not.
    for count in [1_000, 1_001] {
        let path = group(app, &idp, &format!("g{count}"), count).await;
        assert_eq!(values(idp.get(&path).await.ok(200)).len(), count);
    }
}

async fn a_large_group_is_narrowed_like_a_small_one(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 1_500).await;
    let answer = idp.get(&format!("{path}?attributes=members.value")).await;
    let members = answer.ok(200)["members"].as_array().unwrap();
    assert_eq!(members.len(), 1_500);
    assert!(
        members
            .iter()
            .all(|member| member.as_object().unwrap().len() == 1)
    );
    for query in ["excludedAttributes=members", "attributes=displayName"] {
        let answer = idp.get(&format!("{path}?{query}")).await;
        assert!(answer.ok(200).get("members").is_none());
        assert_eq!(answer.body["displayName"], "Everybody");
    }
    // Nobody here has a name: then nothing of a member is left, and no array.
    let named = idp.get(&format!("{path}?attributes=members.display")).await;
    assert!(named.ok(200).get("members").is_none());
}

async fn a_version_that_is_known_is_not_read_again(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 1_500).await;
    let etag = idp.get(&path).await.etag().to_owned();
    let answer = idp
        .send(Method::GET, &path, &[("If-None-Match", &etag)], None)
        .await;
    answer.ok(304);
}

async fn a_list_with_large_groups_is_read_whole(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    idp.create(
        "/Groups",
        json!({"displayName": "a small one", "members": [{"value": ids[0]}]}),
    )
    .await;
    group(app, &idp, "a large one", 1_500).await;
    idp.create("/Groups", json!({"displayName": "an empty one"}))
        .await;
    group(app, &idp, "a larger one", 2_500).await;
    let counts = |groups: &[Value]| {
        let counts = groups.iter().map(|group| values(group).len());
        counts.collect::<Vec<_>>()
    };
    let answer = idp.list("/Groups", &[]).await;
    assert_eq!(counts(answer.resources()), [1, 1_500, 0, 2_500]);
    assert_eq!(answer.body["totalResults"], 4);
    assert_eq!(answer.body["itemsPerPage"], 4);
    let found = idp.find("/Groups", "displayName sw \"a large\"").await;
    assert_eq!(counts(&found), [1_500, 2_500]);
    let answer = idp
        .search("", json!({"filter": "displayName eq \"a larger one\""}))
        .await;
    assert_eq!(counts(answer.resources()), [2_500]);
    let answer = idp
        .list("/Groups", &[("excludedAttributes", "members")])
        .await;
    assert_eq!(counts(answer.resources()), [0, 0, 0, 0]);
    // Together more than should be held at once, each of them less.
    for number in 0..12 {
        group(app, &idp, &format!("g{number:02}"), 950).await;
    }
    let found = idp.find("/Groups", "displayName sw \"g\"").await;
    assert_eq!(counts(&found), [950; 12]);
}

/// RFC 7644 §3.5.2: 200 with the entire resource, or 204.
async fn a_patch_of_a_large_group_answers_without_a_body(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let path = group(app, &idp, "Everybody", 1_500).await;
    let answer = idp.patch(&path, add(&ids)).await;
    assert!(answer.ok(204).is_null());
    let etag = answer.etag().to_owned();
    let found = idp.get(&path).await;
    assert_eq!(found.etag(), etag);
    let all = values(found.ok(200));
    assert_eq!(all.len(), 1_502);
    assert!(ids.iter().all(|id| all.contains(id.as_str())));
    // What is so already makes no version.
    assert_eq!(idp.patch(&path, add(&ids)).await.etag(), etag);
    let stranger = "0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11";
    let answer = idp.patch(&path, add(&[stranger.to_owned()])).await;
    assert_eq!((answer.status, answer.etag()), (204, etag.as_str()));
    assert!(answer.ignored()[0].contains(stranger));
    let gone = json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", ids[0])}]);
    assert_ne!(idp.patch(&path, gone.clone()).await.etag(), etag);
    let etag = idp.patch(&path, gone).await.etag().to_owned();
    assert_eq!(idp.get(&path).await.etag(), etag);
    let renamed = json!([{"op": "replace", "path": "displayName", "value": "All"}]);
    idp.patch(&path, renamed).await.ok(204);
}

async fn a_patch_of_a_large_group_answers_what_it_asks_for(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 3).await;
    let path = group(app, &idp, "Everybody", 1_500).await;
    let mut asked = Vec::new();
    for (id, query) in ids.iter().zip([
        "excludedAttributes=members",
        "attributes=displayName",
        "attributes=members",
    ]) {
        let answer = idp
            .patch(&format!("{path}?{query}"), add(std::slice::from_ref(id)))
            .await;
        asked.push(values(answer.ok(200)).len());
    }
    assert_eq!(asked, [0, 0, 1_503]);
}

async fn a_large_group_is_replaced(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 3).await;
    let path = group(app, &idp, "Everybody", 2_500).await;
    kind(app, 2);
    let found = idp.get(&path).await;
    // Okta reads, and writes back what it has read.
    let again = idp.put(&path, found.ok(200).clone()).await;
    assert_eq!(
        again.ok(200)["meta"],
        found.body["meta"],
        "{}",
        again.body["meta"]
    );
    let few: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    let answer = idp
        .put(&path, json!({"displayName": "Few", "members": few}))
        .await;
    assert_eq!(
        values(answer.ok(200)),
        ids.iter().map(String::as_str).collect()
    );
}

async fn a_group_is_made_and_replaced_with_thousands_of_members(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 1).await;
    let number = 12_000;
    let other = group(app, &idp, "Others", number).await;
    kind(app, 2);
    let answer = idp.get(&other).await;
    let members = answer.ok(200)["members"].clone();
    let made = idp
        .create(
            "/Groups",
            json!({"displayName": "Copy", "members": members}),
        )
        .await;
    assert_eq!(values(&made).len(), number);
    // No event names more than ten thousand.
    assert_eq!(made["meta"]["version"], "W/\"2\"");
    let content = json!({"displayName": "Everybody", "members": members});
    let answer = idp.put(&path, content).await;
    assert_eq!(values(answer.ok(200)), values(&made));
    assert_eq!(answer.etag(), "W/\"3\"");
    kind(app, 1);
}

async fn a_large_group_is_emptied_and_deleted(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 12_500).await;
    let empty = json!([{"op": "remove", "path": "members"}]);
    let answer = idp.patch(&path, empty).await;
    assert!(answer.ok(200).get("members").is_none());
    assert_eq!(answer.etag(), "W/\"3\"");
    // No event names more than ten thousand.
    let longest = "SELECT cast(max(length(body)) AS bigint) AS n FROM event";
    assert!(app.database.connect().number(longest) < 10_000 * 40);
    let path = group(app, &idp, "Once more", 2_500).await;
    idp.delete(&path).await.ok(204);
    idp.get(&path).await.refused(404, "");
}

async fn members_leave_by_their_type(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 1_200).await;
    let inner = idp.create("/Groups", json!({"displayName": "Inner"})).await;
    let inner = inner["id"].as_str().unwrap().to_owned();
    idp.patch(&path, add(std::slice::from_ref(&inner)))
        .await
        .ok(204);
    let users = json!([{"op": "remove", "path": "members[type eq \"User\"]"}]);
    let answer = idp.patch(&path, users.clone()).await;
    assert_eq!(values(answer.ok(200)), BTreeSet::from([inner.as_str()]));
    let etag = answer.etag().to_owned();
    assert_eq!(idp.patch(&path, users).await.etag(), etag);
}

async fn many_operations_of_one_patch_are_one_change(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 4).await;
    let path = group(app, &idp, "Everybody", 1_200).await;
    let one = |op: &str, id: &str| json!({"op": op, "path": "members", "value": [{"value": id}]});
    let operations = json!([
        one("add", &ids[0]),
        one("add", &ids[1]),
        one("remove", &ids[0]),
        {"op": "remove", "path": "members"},
        one("add", &ids[2]),
        one("add", &ids[3]),
        {"op": "remove", "path": format!("members[value eq \"{}\" and type eq \"User\"]", ids[2])},
    ]);
    let answer = idp.patch(&path, operations).await;
    assert_eq!(values(answer.ok(200)), BTreeSet::from([ids[3].as_str()]));
    assert_eq!(answer.etag(), "W/\"2\"");
}

/// Asks for a long answer and reads no more than its first bytes.
fn stalled(app: &App, path: &str, token: &str) -> TcpStream {
    let address = app.origin().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let request =
        format!("GET /scim/v2{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"HTTP/1.1 200");
    stream
}

async fn readers_who_stop_reading_hold_nobody_up(app: &App) {
    let idp = app.client("idp").await;
    let path = group(app, &idp, "Everybody", 60_000).await;
    let token = app.token("idp").await;
    let mut readers: Vec<_> = (0..4).map(|_| stalled(app, &path, &token)).collect();
    for number in 0..20 {
        let made = idp
            .create("/Users", json!({"userName": format!("u{number}")}))
            .await;
        idp.get(&format!("/Users/{}", made["id"].as_str().unwrap()))
            .await
            .ok(200);
    }
    // As many as are read at once: the next has to come back.
    let answer = idp.get(&path).await;
    answer.refused(503, "");
    assert!(answer.header("retry-after").is_some());
    // Who goes away makes room.
    readers.pop();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = idp.get(&path).await;
        if answer.status == 200 {
            assert_eq!(values(&answer.body).len(), 60_000);
            break;
        }
        assert!(Instant::now() < deadline, "{}", answer.status);
    }
}

async fn a_million_members_in_one_body_are_413(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.create("/Groups", json!({"displayName": "g"})).await;
    let path = format!("/Groups/{}", made["id"].as_str().unwrap());
    let member = "{\"value\":\"0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11\"},";
    let body = format!(
        "{{\"schemas\":[\"{}\"],\"Operations\":[{{\"op\":\"add\",\"path\":\"members\",\"value\":[{}{{\"value\":\"x\"}}]}}]}}",
        crate::support::PATCH_OP,
        member.repeat(1_000_000)
    );
    let answer = idp
        .try_send(Method::PATCH, &path, &[], Some(body.into_bytes()))
        .await;
    // The server may close the connection before it has read everything.
    if let Some(answer) = answer {
        answer.refused(413, "");
    }
    assert_eq!(idp.get(&path).await.etag(), made["meta"]["version"]);
}

counted_on_both!(one_member_costs_the_same_in_any_group: cost_of_one_member);

/// What one member costs, in a group of ten and in one of thousands: the same statements, on rows that a key finds.
async fn cost_of_one_member(app: &App) {
    let idp = app.client("idp").await;
    let ids = users(&idp, 2).await;
    let mut costs = Vec::new();
    for count in [10, 5_000] {
        let path = group(app, &idp, &format!("g{count}"), count).await;
        // The least of several: each connection learns once, and a busy machine tries a commit again.
        let mut least = costs_in(app, &idp, &path, &ids).await;
        for _ in 0..5 {
            for (least, (_, sent)) in least.iter_mut().zip(costs_in(app, &idp, &path, &ids).await) {
                least.1 = least.1.min(sent);
            }
        }
        costs.push(least);
    }
    assert_eq!(costs[0], costs[1]);
    let most = costs[0].iter().map(|(_, sent)| *sent).max();
    assert!(most > Some(2) && most <= Some(20), "{costs:?}");
}

async fn costs_in(app: &App, idp: &Client, path: &str, ids: &[String]) -> Vec<(&'static str, u64)> {
    let id = path.trim_start_matches("/Groups/");
    let lean = format!("{path}?excludedAttributes=members");
    let remove =
        |id: &str| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
    let listed = json!([{"op": "remove", "path": "members", "value": [{"value": ids[0]}]}]);
    let membership = json!({"group": {"value": id}, "member": {"value": ids[0]}});
    let filter = |filter: String| [("filter".to_owned(), filter)];
    let mut costs = Vec::new();
    let mut before = statements::sent_to(&app.database);
    let mut cost = |what| {
        let now = statements::sent_to(&app.database);
        costs.push((what, now - before));
        before = now;
    };
    idp.patch(&lean, add(&ids[..1])).await.ok(200);
    cost("add");
    idp.patch(&lean, add(&ids[..1])).await.ok(200);
    cost("add again");
    idp.patch(&lean, remove(&ids[1])).await.ok(200);
    cost("remove a stranger");
    idp.patch(&lean, listed).await.ok(200);
    cost("remove");
    idp.post("/GroupMemberships", membership).await.ok(201);
    cost("make a membership");
    let path = format!("/GroupMemberships/{id}.{}", ids[0]);
    idp.get(&path).await.ok(200);
    cost("read a membership");
    for filter in [
        filter(format!("id eq \"{id}\" and members eq \"{}\"", ids[0])),
        filter(format!("members[value eq \"{}\"]", ids[0])),
    ] {
        let [(name, text)] = &filter;
        let query = [(name.as_str(), text.as_str()), ("attributes", "id")];
        let found = idp.list("/Groups", &query).await;
        assert_eq!(found.resources().len(), 1);
        cost("test");
    }
    idp.delete(&path).await.ok(204);
    cost("end a membership");
    idp.get(&lean).await.ok(200);
    cost("read without members");
    costs
}
