//! `Idempotency-Key` (A-069, B-046, B-067, B-068; draft-ietf-httpapi-idempotency-key-header-06): a request that is repeated is
//! carried out once.

mod abandoned;
mod bulk;
mod replay;

use serde_json::{Value, json};

use crate::support::{Answer, Client};

/// How many persons there are.
async fn persons(client: &Client) -> i64 {
    let all = client.get("/Persons?count=0").await;
    all.ok(200)["totalResults"].as_i64().unwrap()
}

fn id(made: &Value) -> String {
    made["id"].as_str().unwrap().to_owned()
}

fn ada() -> Value {
    json!({"displayName": "Ada King", "emails": [{"value": "ada@corp.example", "type": "work"}]})
}

/// What an answer says but for the id of its own flow, and whether it is one to an earlier request.
fn said(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let told = ["x-correlation-id", "date", "idempotency-replayed"];
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !told.contains(&name.as_str()));
    let mut headers: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.text.clone())
}

/// The second answer is the first, to the byte.
#[track_caller]
fn assert_replayed(first: &Answer, second: &Answer) {
    assert!(!first.is_replayed() && second.is_replayed());
    assert_eq!(said(first), said(second));
}
