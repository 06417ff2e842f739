//! Heads and proofs over HTTP: whoever has a head verifies with nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use ed25519_dalek::{Signature, VerifyingKey};
use muster::domain::log::Hash;
use muster::domain::log::proof::{includes, is_consistent};
use serde_json::{Value, json};

use crate::support::{App, client, on_both};
use crate::{signed, users};

on_both!(
    every_event_is_proven_to_be_in_the_log,
    who_may_not_read_the_log_gets_no_proof,
    what_cannot_be_proven_is_refused,
);

async fn get(app: &App, name: &str, path: &str) -> (u16, Value) {
    let mut request = client::http().get(format!("{}{path}", app.origin()));
    if !name.is_empty() {
        request = request.bearer_auth(app.token(name).await);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

fn hash(value: &Value) -> Hash {
    let bytes = STANDARD.decode(value.as_str().unwrap()).unwrap();
    bytes.try_into().unwrap()
}

fn hashes(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

/// The bytes that a head's signature is over, as the README's format has it: fields, each with its length before it.
fn signed_bytes(head: &Value) -> Vec<u8> {
    let at = DateTime::parse_from_rfc3339(head["timestamp"].as_str().unwrap()).unwrap();
    let tenant = i32::try_from(head["tenant"].as_i64().unwrap()).unwrap();
    let fields = [
        b"muster tree head 1".to_vec(),
        tenant.to_be_bytes().to_vec(),
        head["size"].as_u64().unwrap().to_be_bytes().to_vec(),
        hash(&head["rootHash"]).to_vec(),
        at.timestamp_micros().to_be_bytes().to_vec(),
    ];
    let long = |field: &Vec<u8>| (field.len() as u64).to_be_bytes().to_vec();
    fields
        .iter()
        .flat_map(|field| [long(field), field.clone()].concat())
        .collect()
}

/// Whether the key that is told with a head has signed it.
fn is_signed(head: &Value, key: &Value) -> bool {
    let decode = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(&decode(key).try_into().unwrap()).unwrap();
    let signature = Signature::from_bytes(&decode(&head["signature"]).try_into().unwrap());
    key.verify_strict(&signed_bytes(head), &signature).is_ok()
}

/// The newest head over HTTP, once it covers so much, with a signature that holds for it and for no other.
async fn head(app: &App) -> Value {
    let newest = signed(app).await;
    let (status, head) = get(app, "auditor", "/log/head").await;
    assert_eq!(status, 200, "{head}");
    assert_eq!(head["size"], newest.size);
    assert_eq!(hash(&head["rootHash"]), newest.root);
    let key = app.service().log_key();
    assert_eq!(head["publicKey"], key);
    let key = json!(key);
    assert!(is_signed(&head, &key), "{head}");
    for (name, value) in [
        ("size", json!(newest.size + 1)),
        ("tenant", json!(2)),
        ("timestamp", json!("2031-03-01T12:00:00.000001Z")),
        ("rootHash", json!(STANDARD.encode([7; 32]))),
    ] {
        let mut other = head.clone();
        other[name] = value;
        assert!(!is_signed(&other, &key), "{other}");
    }
    head
}

/// More than a tile of them.
async fn every_event_is_proven_to_be_in_the_log(app: &App) {
    let hris = app.client("hris").await;
    users(&hris, "early", 3).await;
    let mut heads = vec![head(app).await];
    let operations: Vec<Value> = (0..300)
        .map(|n| {
            let data = json!({
                "schemas": [crate::support::USER],
                "userName": format!("bulk-{n}"),
            });
            json!({"method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": data})
        })
        .collect();
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    let body = Some(bulk.to_string().into_bytes());
    hris.send(reqwest::Method::POST, "/Bulk", &[], body)
        .await
        .ok(200);
    heads.push(head(app).await);
    users(&hris, "late", 5).await;
    heads.push(head(app).await);
    let newest = heads.last().unwrap();
    let (size, root) = (newest["size"].as_u64().unwrap(), hash(&newest["rootHash"]));
    assert!(size > 300, "{newest}");
    let mut positions = Vec::new();
    let events = app.service().events(0, 1000).unwrap();
    for (_, event) in events.iter().step_by(7).chain(events.last()) {
        let id = event["eventId"].as_str().unwrap();
        let (status, proof) = get(app, "auditor", &format!("/log/proof?event={id}")).await;
        assert_eq!(status, 200, "{proof}");
        let position = proof["position"].as_u64().unwrap();
        let (leaf, path) = (hash(&proof["leafHash"]), hashes(&proof["inclusionPath"]));
        assert!(includes(&leaf, position, size, &path, &root), "{proof}");
        assert!(
            !includes(&leaf, position + 1, size, &path, &root),
            "{proof}"
        );
        positions.push(position);
    }
    positions.dedup();
    assert!(positions.len() > 40, "{positions:?}");
    for (old, new) in [(0, 1), (0, 2), (1, 2)] {
        consistent(app, &heads[old], &heads[new]).await;
    }
}

/// Of two heads, the later one is proven to be the earlier one grown, within a tile and across it.
async fn consistent(app: &App, old: &Value, new: &Value) {
    let of = |head: &Value| (head["size"].as_u64().unwrap(), hash(&head["rootHash"]));
    let ((first, early), (second, late)) = (of(old), of(new));
    let path = format!("/log/consistency?first={first}&second={second}");
    let (status, proof) = get(app, "auditor", &path).await;
    assert_eq!(status, 200, "{proof}");
    let path = hashes(&proof["consistencyPath"]);
    let new = (second, &late);
    assert!(is_consistent((first, &early), new, &path), "{proof}");
    assert!(!is_consistent((first, &late), new, &path), "{proof}");
    assert!(!is_consistent((first + 1, &early), new, &path), "{proof}");
}

async fn who_may_not_read_the_log_gets_no_proof(app: &App) {
    let hris = app.client("hris").await;
    users(&hris, "ann", 1).await;
    signed(app).await;
    let event = app.service().events(0, 1).unwrap()[0].1["eventId"].clone();
    let proof = format!("/log/proof?event={}", event.as_str().unwrap());
    for path in ["/log/head", proof.as_str(), "/log/consistency?first=1"] {
        assert_eq!(get(app, "auditor", path).await.0, 200, "{path}");
        assert_eq!(get(app, "", path).await.0, 401, "{path}");
        assert_eq!(get(app, "hris", path).await.0, 403, "{path}");
    }
}

async fn what_cannot_be_proven_is_refused(app: &App) {
    assert_eq!(get(app, "auditor", "/log/head").await.0, 404);
    users(&app.client("hris").await, "ann", 2).await;
    signed(app).await;
    let nobody = "00000000-0000-7000-8000-000000000000";
    for (path, status) in [
        (format!("/log/proof?event={nobody}"), 404),
        ("/log/proof?event=x".into(), 400),
        ("/log/proof".into(), 400),
        ("/log/consistency".into(), 400),
        ("/log/consistency?first=-1".into(), 400),
        ("/log/consistency?first=0".into(), 404),
        ("/log/consistency?first=3".into(), 404),
        ("/log/consistency?first=2&second=1".into(), 404),
        ("/log/consistency?first=1&second=99".into(), 404),
    ] {
        assert_eq!(get(app, "auditor", &path).await.0, status, "{path}");
    }
}
