//! What is answered to a request that was answered before, and to one that only looks like it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use actix_web::rt::{spawn, time};
use chrono::TimeDelta;
use muster::clock::Clock;
use reqwest::Method;
use serde_json::json;

use super::{ada, assert_replayed, id, persons};
use crate::support::{App, Client, client, on_both};

on_both!(
    a_repeated_post_is_answered_to_the_byte_and_makes_nothing,
    every_kind_of_write_is_carried_out_once,
    another_request_under_the_same_key_is_422,
    a_key_is_the_clients_own,
    a_key_at_me_is_the_accounts_own,
    what_is_no_key_is_400_and_a_quoted_one_is_the_same,
    a_request_that_failed_has_its_key_back,
    of_many_at_once_one_is_carried_out,
    who_hangs_up_finds_the_answer_later,
    a_key_is_forgotten_after_thirty_days,
    a_search_has_no_key,
    every_event_carries_key_and_correlation_id,
);

/// B-046, B-067, B-068.
async fn a_repeated_post_is_answered_to_the_byte_and_makes_nothing(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed("b3c1f7a2-0001");
    let mut content = ada();
    content["nickNam"] = json!("misspelt");
    let first = once
        .post("/Persons?attributes=displayName,nothing", content.clone())
        .await;
    assert_eq!(first.ok(201)["displayName"], "Ada King");
    assert_eq!(first.ignored(), ["nickNam", "nothing"]);
    let path = format!("/Persons/{}", id(&first.body));
    // Whatever has become of it since: the answer is the one of then.
    let change = json!([{"op": "replace", "path": "displayName", "value": "Ada Byron"}]);
    hris.patch(&path, change).await.ok(200);
    let again = once
        .post("/Persons?attributes=displayName,nothing", content)
        .await;
    assert_replayed(&first, &again);
    assert_eq!(persons(&hris).await, 1);
    assert_eq!(app.events_of(&id(&first.body)).len(), 2);
    assert_eq!(hris.get(&path).await.body["displayName"], "Ada Byron");
}

#[expect(clippy::too_many_lines, reason = "a row for each kind")]
async fn every_kind_of_write_is_carried_out_once(app: &App) {
    let admin = app.client("admin").await;
    let (one, other) = (
        admin
            .create("/Users", json!({"userName": "ada", "displayName": "Ada"}))
            .await,
        admin
            .create("/Persons", json!({"displayName": "Ada K."}))
            .await,
    );
    let (one, other) = (id(&one), id(&other));
    let group = admin
        .create("/Groups", json!({"displayName": "Crew"}))
        .await;
    let (user, group) = (format!("/Users/{one}"), id(&group));
    let patch = json!({"schemas": [crate::support::PATCH_OP],
        "Operations": [{"op": "add", "path": "nickName", "value": "Countess"}]});
    let put = json!({"schemas": [crate::support::USER], "userName": "ada", "title": "Countess"});
    let merge = json!({"with": other, "reason": "one person"});
    let member = crate::support::body(
        "/GroupMemberships",
        json!({"group": {"value": group}, "member": {"value": one}}),
    );
    let membership = format!("/GroupMemberships/{group}.{one}");
    let minimal: &[(&str, &str)] = &[("prefer", "return=minimal")];
    let writes = [
        (
            Method::PATCH,
            user.clone(),
            &[][..],
            Some(patch.clone()),
            200,
        ),
        (Method::PATCH, user.clone(), minimal, Some(patch), 204),
        (Method::PUT, user.clone(), &[], Some(put), 200),
        (
            Method::POST,
            format!("/Persons/{one}/merge"),
            &[],
            Some(merge),
            200,
        ),
        (
            Method::POST,
            "/GroupMemberships".to_owned(),
            &[],
            Some(member),
            201,
        ),
        (Method::DELETE, membership, &[], None, 204),
        (Method::DELETE, user, &[], None, 204),
    ];
    for (n, (method, path, headers, content, status)) in writes.into_iter().enumerate() {
        let once = admin.keyed(&format!("write-{n}"));
        let bytes = content.map(|content| content.to_string().into_bytes());
        let before = app.event_count();
        let first = once
            .send(method.clone(), &path, headers, bytes.clone())
            .await;
        assert_eq!(first.status, status, "{method} {path}: {}", first.body);
        let after = app.event_count();
        let again = once.send(method.clone(), &path, headers, bytes).await;
        assert_replayed(&first, &again);
        assert_eq!(app.event_count(), after, "{method} {path}");
        assert!(after > before || n == 1, "{method} {path} did something");
    }
}

async fn another_request_under_the_same_key_is_422(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    let made = once.post("/Persons", ada()).await;
    made.ok(201);
    let path = format!("/Persons/{}", id(&made.body));
    let mut other = ada();
    other["title"] = json!("Countess");
    for answer in [
        once.post("/Persons", other).await,
        once.post("/Persons?attributes=id", ada()).await,
        once.post("/Users", json!({"userName": "ada"})).await,
        once.put(&path, ada()).await,
        once.delete(&path).await,
    ] {
        let detail = answer.refused(422, "");
        assert!(
            detail.starts_with("the Idempotency-Key is that of"),
            "{detail}"
        );
    }
    assert_eq!(persons(&hris).await, 1);
    assert_eq!(app.event_count(), 1);
}

async fn a_key_is_the_clients_own(app: &App) {
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let content = json!({"displayName": "Ada King"});
    let first = hris.keyed("same").post("/Persons", content.clone()).await;
    let second = ats.keyed("same").post("/Persons", content).await;
    first.ok(201);
    second.ok(201);
    assert!(!second.is_replayed());
    assert_ne!(first.body["id"], second.body["id"]);
}

/// Many persons share a client, and `/Me` is somebody else for each of them.
async fn a_key_at_me_is_the_accounts_own(app: &App) {
    let idp = app.client("idp").await;
    let operations = json!([{"op": "add", "path": "title", "value": "Pilot"}]);
    for name in ["ines", "bo"] {
        idp.create("/Users", json!({"userName": name})).await;
        let me = app.client_as("idp", name).await.keyed("same");
        let first = me.patch("/Me", operations.clone()).await;
        assert_eq!(first.ok(200)["userName"], name);
        assert_replayed(&first, &me.patch("/Me", operations.clone()).await);
    }
}

async fn what_is_no_key_is_400_and_a_quoted_one_is_the_same(app: &App) {
    let hris = app.client("hris").await;
    let long = "k".repeat(256);
    for wrong in ["", "two words", &long] {
        let answer = hris.keyed(wrong).post("/Persons", ada()).await;
        assert!(
            answer
                .refused(400, "invalidValue")
                .contains("Idempotency-Key")
        );
    }
    let twice = hris.keyed("a").keyed("b").post("/Persons", ada()).await;
    twice.refused(400, "invalidValue");
    // A stranger learns nothing of keys.
    app.stranger()
        .keyed("")
        .post("/Persons", ada())
        .await
        .refused(401, "");
    let first = hris.keyed(&long[1..]).post("/Persons", ada()).await;
    let quoted = format!("\"{}\"", &long[1..]);
    assert_replayed(&first, &hris.keyed(&quoted).post("/Persons", ada()).await);
    assert_eq!(persons(&hris).await, 1);
}

async fn a_request_that_failed_has_its_key_back(app: &App) {
    let hris = app.client("hris").await;
    let once = hris.keyed("k");
    for _ in 0..2 {
        let wrong = once.post("/Persons", json!({"displayName": 1})).await;
        wrong.refused(400, "invalidValue");
        assert!(!wrong.is_replayed());
    }
    once.post("/Users", json!({"userName": "ada"}))
        .await
        .ok(201);
    let other = hris.keyed("l");
    let taken = other.post("/Users", json!({"userName": "ada"})).await;
    taken.refused(409, "uniqueness");
    let rows = "SELECT count(*) AS n FROM idempotency";
    assert_eq!(app.database.connect().number(rows), 1);
    let path = hris.find("/Users", "userName eq \"ada\"").await;
    let path = format!("/Users/{}", id(&path[0]));
    hris.delete(&path).await.ok(204);
    other
        .post("/Users", json!({"userName": "ada"}))
        .await
        .ok(201);
}

async fn of_many_at_once_one_is_carried_out(app: &App) {
    let hris = app.client("hris").await;
    let posts: Vec<_> = (0..24)
        .map(|_| {
            let once = hris.keyed("at-once");
            spawn(async move { once.post("/Persons", ada()).await })
        })
        .collect();
    let (mut first, mut replayed) = (0, 0);
    let mut ids = Vec::new();
    for post in posts {
        let answer = post.await.unwrap();
        if answer.status == 201 {
            ids.push(id(&answer.body));
            *(if answer.is_replayed() {
                &mut replayed
            } else {
                &mut first
            }) += 1;
        } else {
            let detail = answer.refused(409, "");
            assert!(detail.contains("still being carried out"), "{detail}");
            let seconds: i64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=5).contains(&seconds));
        }
    }
    ids.dedup();
    assert_eq!((first, ids.len()), (1, 1), "{replayed} replayed");
    assert_eq!(persons(&hris).await, 1);
}

/// A caller whose patience is over repeats its request: it was carried out meanwhile.
async fn who_hangs_up_finds_the_answer_later(app: &App) {
    let hris = app.client("hris").await;
    let token = app.token("hris").await;
    let content = crate::support::body("/Persons", ada()).to_string();
    for n in 0..8 {
        let key = format!("hung-up-{n}");
        let head = format!(
            "POST /scim/v2/Persons HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n\
             Content-Type: application/scim+json\r\nContent-Length: {}\r\n\r\n",
            content.len()
        );
        let address = app.origin().replace("http://", "");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all((head + &content).as_bytes()).unwrap();
        let sql = "SELECT count(*) AS n FROM idempotency";
        let arrived = patiently(async || app.database.connect().number(sql) > n).await;
        assert!(arrived, "the server has begun");
        drop(stream);
        let mut answer = None;
        let answered = patiently(async || {
            let again = hris
                .keyed(&key)
                .send(Method::POST, "/Persons", &[], Some(content.clone().into()))
                .await;
            let done = again.status != 409;
            answer = Some(again);
            done
        });
        assert!(answered.await, "it was brought to its end");
        let answer = answer.unwrap();
        answer.ok(201);
        assert!(answer.is_replayed());
    }
    assert_eq!(persons(&hris).await, 8);
}

/// Whether something comes to hold within ten seconds.
async fn patiently(mut holds: impl AsyncFnMut() -> bool) -> bool {
    for _ in 0..500 {
        if holds().await {
            return true;
        }
        time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// A client with a new token: the last one is too old.
async fn anew(app: &App, name: &str) -> Client {
    let http = client::http();
    let token = client::token(&http, &app.origin(), name).await;
    Client::new(http, app.scim(), Some(token))
}

/// B-068.
async fn a_key_is_forgotten_after_thirty_days(app: &App) {
    let hris = app.client("hris").await;
    for key in ["one", "two"] {
        hris.keyed(key).post("/Persons", ada()).await.ok(201);
    }
    app.clock
        .advance(TimeDelta::days(30) - TimeDelta::minutes(1));
    let hris = anew(app, "hris").await;
    assert!(
        hris.keyed("one")
            .post("/Persons", ada())
            .await
            .is_replayed()
    );
    app.clock.advance(TimeDelta::minutes(1));
    let made = hris.keyed("one").post("/Persons", ada()).await;
    made.ok(201);
    assert!(!made.is_replayed());
    assert_eq!(persons(&hris).await, 3);
    // What nobody asks for again is swept away.
    let (service, now) = (app.service().clone(), app.clock.now());
    let forget = move || service.forget_keys(now).unwrap();
    std::thread::spawn(forget).join().unwrap();
    let mut connection = app.database.connect();
    assert_eq!(
        connection.number("SELECT count(*) AS n FROM idempotency"),
        1
    );
    let orphans = "SELECT count(*) AS n FROM idempotency_name n WHERE NOT EXISTS (SELECT 1 FROM idempotency i WHERE i.id = n.request)";
    assert_eq!(connection.number(orphans), 0);
    assert!(connection.number("SELECT count(*) AS n FROM idempotency_name") > 0);
}

async fn a_search_has_no_key(app: &App) {
    let hris = app.client("hris").await.keyed("k");
    assert_eq!(
        hris.search("/Persons", json!({})).await.ok(200)["totalResults"],
        0
    );
    let without = app.client("hris").await;
    without.create("/Persons", ada()).await;
    assert_eq!(
        hris.search("/Persons", json!({})).await.ok(200)["totalResults"],
        1
    );
    assert_eq!(hris.get("/Persons").await.ok(200)["totalResults"], 1);
    let rows = "SELECT count(*) AS n FROM idempotency";
    assert_eq!(app.database.connect().number(rows), 0);
}

/// A-072, B-069, B-070: what is created when absent is echoed, and in every event; so is a key.
async fn every_event_carries_key_and_correlation_id(app: &App) {
    let admin = app.client("admin").await;
    let flow: &[(&str, &str)] = &[("x-correlation-id", "flow-7")];
    let content = crate::support::body("/Users", json!({"userName": "ada"})).to_string();
    let made = admin
        .keyed("k-1")
        .send(Method::POST, "/Users", flow, Some(content.into()))
        .await;
    assert_eq!(made.header("x-correlation-id"), Some("flow-7"));
    let person = id(&made.body);
    let path = format!("/Persons/{person}");
    let change = json!([{"op": "replace", "path": "displayName", "value": "Ada Byron"}]);
    let changed = admin.keyed("k-2").patch(&path, change).await;
    let group = admin
        .create(
            "/Groups",
            json!({"displayName": "Crew", "members": [{"value": person}]}),
        )
        .await;
    let events = app.events_of(&person);
    let told = |event: &serde_json::Value| {
        (
            event["correlationId"].clone(),
            event["idempotencyKey"].clone(),
        )
    };
    assert_eq!(told(&events[0]), (json!("flow-7"), json!("k-1")));
    let own = changed.header("x-correlation-id").unwrap();
    assert_eq!(told(&events[1]), (json!(own), json!("k-2")));
    let erase: &[(&str, &str)] = &[("muster-erase", "asked"), ("x-correlation-id", "flow-9")];
    admin
        .keyed("k-3")
        .send(Method::DELETE, &path, erase, None)
        .await
        .ok(204);
    let last = app.events_of(&person).pop().unwrap();
    assert_eq!(
        (last["type"].clone(), told(&last)),
        (json!("person.erased"), (json!("flow-9"), json!("k-3")))
    );
    let group = app.events_of(&id(&group));
    assert_eq!(group[0]["idempotencyKey"], serde_json::Value::Null);
    assert_eq!(told(&group[1]), (json!("flow-9"), json!("k-3")));
    assert!(
        admin
            .keyed("k-3")
            .send(Method::DELETE, &path, erase, None)
            .await
            .is_replayed()
    );
}
