//! What is refused for what it said waits for a human, and nothing of what it said is kept.

use muster::clock::Clock;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::stage::*;
use crate::support::client::http;
use crate::support::policy::apply;
use crate::support::statements::sent_to;
use crate::support::{App, Client, Engine, PATCH_OP, counted_on_both, on_both};

on_both!(
    b_038_a_refused_payload_waits_for_a_human_until_it_is_seen_to,
    b_038_a_vendor_that_repeats_itself_is_one_item,
    b_064_nothing_of_what_a_refused_payload_said_is_kept,
    b_038_who_was_refused_for_who_it_is_or_when_is_not_in_the_queue,
    b_038_operations_of_a_bulk_request_are_in_the_queue,
    b_078_what_was_seen_to_is_kept_as_long_as_the_policy_says,
    b_038_beyond_ten_thousand_the_rest_is_counted
);

counted_on_both!(a_refused_write_costs_little_more: refusal_costs);

async fn admin(app: &App, method: Method, client: &str, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/admin/refused{path}", app.origin());
    let request = http().request(method.clone(), url);
    let request = request.bearer_auth(app.token(client).await);
    let request = if method == Method::GET {
        request
    } else {
        request
            .header("Content-Type", "application/json")
            .body(body.to_string())
    };
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}

async fn queue(app: &App, query: &str) -> Vec<Value> {
    let (status, told) = admin(app, Method::GET, "hris", query, Value::Null).await;
    assert_eq!(status, 200, "{told}");
    let items = told["items"].as_array().unwrap().clone();
    assert_eq!(told["total"].as_u64(), u64::try_from(items.len()).ok());
    items
}

async fn of_type(client: &Client, kind: &str) -> Vec<Value> {
    client
        .find("/AuditEvents", &format!("type eq \"{kind}\""))
        .await
}

/// B-038, B-101: the answer says what is wrong, the item says who, where and why, and the candidate goes on meanwhile.
async fn b_038_a_refused_payload_waits_for_a_human_until_it_is_seen_to(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let body = verified(&application, 2, "GREEN");
    ats.post("/Verifications", body.clone())
        .await
        .refused(400, "invalidValue");
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("interviewing")))
        .await
        .ok(200);
    let items = queue(app, "").await;
    assert_eq!(items.len(), 1, "{items:?}");
    let item = &items[0];
    assert_eq!(
        (
            &item["client"],
            &item["system"],
            &item["route"],
            &item["resourceType"],
            &item["scimType"],
            &item["count"]
        ),
        (
            &json!("ats"),
            &json!("ats"),
            &json!("POST /scim/v2/Verifications"),
            &json!("Verification"),
            &json!("invalidValue"),
            &json!(1)
        )
    );
    assert!(
        item["detail"].as_str().unwrap().contains("manual_review"),
        "{item}"
    );
    assert!(item["correlationId"].is_string() && item["firstSeenAt"] == item["lastSeenAt"]);
    // The sender finds by the hash what it sent.
    let mut sent = body.clone();
    sent["schemas"] = json!(["urn:muster:scim:schemas:core:1.0:Verification"]);
    let hash = Sha256::digest(sent.to_string());

    assert_eq!(item["bodySha256"], json!(hex::encode(hash)));
    let events = of_type(&ats, "write.refused").await;
    assert_eq!(events.len(), 1);
    assert!(!events[0].to_string().contains("GREEN"), "{events:?}");
    // Who decides reviews sees to it, and says how.
    let id = item["id"].as_str().unwrap();
    let path = format!("/{id}/resolve");
    let note = json!({"note": "vendor mapped GREEN to pass"});
    let (status, _) = admin(app, Method::POST, "ats", &path, note.clone()).await;
    assert_eq!(status, 403);
    let (status, told) = admin(app, Method::POST, "hris", &path, json!({"note": " "})).await;
    assert_eq!(status, 400, "{told}");
    let (status, told) = admin(app, Method::POST, "hris", &path, note.clone()).await;
    assert_eq!(
        (status, &told["note"], &told["resolvedBy"]),
        (200, &note["note"], &json!("hris"))
    );
    let (status, _) = admin(app, Method::POST, "hris", &path, note).await;
    assert_eq!(status, 409);
    assert!(queue(app, "").await.is_empty());
    assert_eq!(queue(app, "?state=resolved").await.len(), 1);
    assert_eq!(of_type(&hris, "write.resolved").await.len(), 1);
    // It comes again: it waits again, and is counted on.
    ats.post("/Verifications", body)
        .await
        .refused(400, "invalidValue");
    let items = queue(app, "").await;
    assert_eq!(
        (items.len(), &items[0]["count"], &items[0]["id"]),
        (1, &json!(2), &json!(id))
    );
    assert_eq!(of_type(&ats, "write.refused").await.len(), 2);
}

/// B-038: however often and with whatever value, one way of being wrong is one item with a count, and one event.
async fn b_038_a_vendor_that_repeats_itself_is_one_item(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    for n in 0..120 {
        let body = verified(&application, 2, &format!("VERDICT-{n}"));
        ats.post("/Verifications", body)
            .await
            .refused(400, "invalidValue");
    }
    let items = queue(app, "").await;
    assert_eq!(
        (items.len(), &items[0]["count"]),
        (1, &json!(120)),
        "{items:?}"
    );
    assert_eq!(of_type(&ats, "write.refused").await.len(), 1);
    // The integration's line shows that something waits.
    let url = format!("{}/admin/integrations", app.origin());
    let told = http()
        .get(url)
        .bearer_auth(app.token("ats").await)
        .send()
        .await
        .unwrap();
    let told: Value = serde_json::from_str(&told.text().await.unwrap()).unwrap();
    let all = told["integrations"].as_array().unwrap();
    let ats = all.iter().find(|one| one["client"] == "ats").unwrap();
    assert_eq!(ats["refused"], 1, "{told}");
}

/// B-064, B-063: of a template that a vendor sent by mistake neither the queue nor the log has anything but the attribute's name.
async fn b_064_nothing_of_what_a_refused_payload_said_is_kept(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let mut body = verified(&application, 2, "pass");
    body["faceTemplate"] = "QkFTRTY0LUZBQ0U=".into();
    ats.post("/Verifications", body)
        .await
        .refused(400, "invalidValue");
    let path = at("/Persons", &person);
    ats.patch(
        &path,
        replace(
            "emails[value eq \"secret@home.example\"].typ",
            json!("QkFTRTY0"),
        ),
    )
    .await
    .refused(400, "invalidPath");
    ats.patch(
        &path,
        replace("dataProtection.retentionDays", json!("QkFTRTY0")),
    )
    .await
    .refused(400, "invalidValue");
    let items = queue(app, "").await;
    assert_eq!(items.len(), 3, "{items:?}");
    let taken = json!({"userName": "ines.private", "displayName": "Ines"});
    ats.create("/Users", taken.clone()).await;
    ats.post("/Users", taken).await.refused(409, "uniqueness");
    let items = json!([
        queue(app, "").await,
        of_type(&ats, "request.refused.409").await
    ]);
    let log = of_type(&ats, "request.refused.400").await;
    assert_eq!(log.len(), 1, "of what is only added to: {log:?}");
    let all = json!([items, log]).to_string();
    assert!(all.contains("faceTemplate"), "{all}");
    assert!(
        !["QkFTRTY0", "secret@home", "ines.private"]
            .iter()
            .any(|said| all.contains(said)),
        "{all}"
    );
}

/// B-038: 403, 404 and 412 are of who asks and of what is there; a read is no payload.
async fn b_038_who_was_refused_for_who_it_is_or_when_is_not_in_the_queue(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    ats.post("/Reviews", json!({})).await.refused(403, "");
    ats.patch(
        "/Persons/00000000-0000-4000-8000-00000000dead",
        replace("displayName", json!("x")),
    )
    .await
    .refused(404, "");
    ats.get("/Persons?filter=nonsense")
        .await
        .refused(400, "invalidFilter");
    let body = json!({"schemas": [PATCH_OP], "Operations": replace("source", json!("x"))});
    let headers = [
        ("If-Match", "W/\"0\""),
        ("Content-Type", "application/scim+json"),
    ];
    let body = Some(serde_json::to_vec(&body).unwrap());
    ats.send(Method::PATCH, &path, &headers, body)
        .await
        .refused(412, "");
    assert!(queue(app, "").await.is_empty());
    // A conflict is one.
    let second = ats
        .create(
            "/Requisitions",
            json!({"jobId": "J-2", "title": "Tug mate"}),
        )
        .await;
    ats.patch(
        &at("/Requisitions", &second),
        replace("jobId", json!("REQ-10291")),
    )
    .await
    .refused(409, "uniqueness");
    let items = queue(app, "").await;
    assert_eq!((items.len(), &items[0]["status"]), (1, &json!(409)));
    assert!(!items[0].to_string().contains("REQ-10291"), "{items:?}");
}

/// B-038: what fails within a bulk answer of 200 is a refused payload too.
async fn b_038_operations_of_a_bulk_request_are_in_the_queue(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let operation = |id: &str, decision: &str| {
        let mut data = verified(&application, 2, decision);
        data["schemas"] = json!(["urn:muster:scim:schemas:core:1.0:Verification"]);
        json!({"method": "POST", "path": "/Verifications", "bulkId": id, "data": data})
    };
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [operation("a", "GREEN"), operation("b", "AMBER"), operation("c", "pass")],
    });
    ats.post("/Bulk", body).await.ok(200);
    let items = queue(app, "").await;
    assert_eq!(
        (
            items.len(),
            &items[0]["count"],
            &items[0]["route"],
            &items[0]["resourceType"]
        ),
        (
            1,
            &json!(2),
            &json!("POST /scim/v2/Bulk/Verifications"),
            &json!("Verification")
        ),
        "{items:?}"
    );
    assert!(!json!(items).to_string().contains("AMBER"));
}

/// B-038: the queue is bounded; what somebody has seen to makes room, and what finds none is counted.
async fn b_038_beyond_ten_thousand_the_rest_is_counted(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let tenant = app
        .database
        .connect()
        .number("SELECT cast(id AS bigint) AS n FROM tenant WHERE name = 'default'");
    let key = match app.database.engine() {
        Engine::Sqlite => "cast(printf('%016d', n) AS BLOB)",
        Engine::Postgres => "cast(lpad(cast(n AS text), 16, '0') AS bytea)",
    };
    app.database.connect().run(&format!(
        "WITH RECURSIVE one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < 10000) \
         INSERT INTO refused_write (id, tenant, digest, client, system, route, resource_type, status, detail, correlation, first_seen, last_seen, count) \
         SELECT {key}, {tenant}, {key}, 'ats', 'ats', 'POST /x', '', 400, 'x', 'x', n, n, 1 FROM one"
    ));
    let wrong = async || {
        let body = verified(&application, 2, "GREEN");
        ats.post("/Verifications", body)
            .await
            .refused(400, "invalidValue");
    };
    let newest = async || {
        let (_, told) = admin(app, Method::GET, "hris", "?count=1", Value::Null).await;
        (told["total"].clone(), told["items"][0].clone())
    };
    wrong().await;
    let (total, item) = newest().await;
    assert_eq!(
        (&total, &item["client"], &item["count"]),
        (&json!(10_001), &json!(""), &json!(1)),
        "{item}"
    );
    wrong().await;
    assert_eq!(newest().await.1["count"], 2);
    // One is seen to: there is room.
    let (_, told) = admin(
        app,
        Method::GET,
        "hris",
        "?count=1&startIndex=2",
        Value::Null,
    )
    .await;
    let id = told["items"][0]["id"].as_str().unwrap();
    let (status, told) = admin(
        app,
        Method::POST,
        "hris",
        &format!("/{id}/resolve"),
        json!({"note": "done"}),
    )
    .await;
    assert_eq!(status, 200, "{told}");
    // And so it is for what is beyond, which is one of them.
    let (_, item) = newest().await;
    let beyond = item["id"].as_str().unwrap();
    admin(
        app,
        Method::POST,
        "hris",
        &format!("/{beyond}/resolve"),
        json!({"note": "done"}),
    )
    .await;
    wrong().await;
    wrong().await;
    let (_, item) = newest().await;
    assert_eq!(
        (&item["client"], &item["count"]),
        (&json!("ats"), &json!(2)),
        "{item}"
    );
}

/// B-078, C-08: what is settled goes with the log of deliveries; what waits stays.
async fn b_078_what_was_seen_to_is_kept_as_long_as_the_policy_says(app: &App) {
    let log = "observability:\n  eventLog: { required: true, retentionDays: 90, fields: [eventId] }\nroles:\n";
    apply(app, &policy("").replace("roles:\n", log));
    let ats = app.client("ats").await;
    let (_, _, application) = applied(&ats).await;
    ats.get("/Events?after=0").await.ok(200);
    for (name, value) in [("decision", json!("GREEN")), ("tierRequired", json!("two"))] {
        let mut body = verified(&application, 2, "pass");
        body[name] = value;
        ats.post("/Verifications", body)
            .await
            .refused(400, "invalidValue");
    }
    let id = queue(app, "").await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/{id}/resolve");
    let (status, _) = admin(app, Method::POST, "hris", &path, json!({"note": "done"})).await;
    assert_eq!(status, 200);
    let tenant = app.service().find_tenant("default").unwrap().unwrap();
    let url = format!("{}/admin/integrations", app.origin());
    let asked = http().get(url).bearer_auth(app.token("ats").await);
    asked.send().await.unwrap();
    for (days, forgotten) in [(89, 0), (91, 2)] {
        let now = app.clock.now() + chrono::TimeDelta::days(days);
        let service = app.service().clone();
        let forget = move || service.forget_deliveries(tenant, now);
        let gone = std::thread::spawn(forget).join().unwrap().unwrap();
        assert_eq!(gone, forgotten, "after {days} days");
    }
    assert!(queue(app, "?state=resolved").await.is_empty());
    assert_eq!(queue(app, "").await.len(), 1);
}

/// What a refusal asks of the database beside what it asked before there was a queue: nothing on its own way if it is repeated.
async fn refusal_costs(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    let wrong = async |name: &str| {
        let before = sent_to(&app.database);
        ats.patch(&path, replace(name, json!("x")))
            .await
            .refused(400, "invalidPath");
        sent_to(&app.database) - before
    };
    // Where a write is tried again it costs more: the least is what it takes.
    let (mut first, mut again) = (u64::MAX, u64::MAX);
    for n in 0..8 {
        first = first.min(wrong(&format!("unknown{n}")).await);
        again = again.min(wrong(&format!("unknown{n}")).await);
    }
    // Looked for open, looked for settled, all counted, the row, its event: README tells them.
    assert_eq!(first, again + 5);
}
