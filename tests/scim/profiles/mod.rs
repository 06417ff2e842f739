//! The checklist of what real clients need, row by row, as each profile answers it: `rfc` (the client `idp`), `entra`,
//! `okta` and `strict`. Row 21, parallel changes of a group, is in `parallel`; row 25, rates, in `tests/http`.

mod names;
mod resources;
mod values;

use serde_json::{Value, json};

use crate::support::Client;

/// Clients, each of another profile.
const RFC: &str = "idp";
const EVERY: [&str; 4] = [RFC, "entra", "okta", "strict"];
const TOLERANT: [&str; 3] = [RFC, "entra", "okta"];

/// A user of a client's own.
async fn user(client: &Client, name: &str) -> (Value, String) {
    let content = json!({
        "userName": format!("{name}.tester"), "active": true, "displayName": "Tess Ter",
        "name": {"givenName": "Tess", "familyName": "Ter"},
    });
    let made = client.create("/Users", content).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    (made, path)
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap()
}

/// What is there after a PATCH that must succeed, with or without a body.
async fn patched(client: &Client, path: &str, operations: Value) -> Value {
    let answer = client.patch(path, operations.clone()).await;
    assert!(
        matches!(answer.status, 200 | 204),
        "{operations}: {}",
        answer.body
    );
    client.get(path).await.ok(200).clone()
}

/// A group with three members, whose ids are the first part.
async fn group(client: &Client, name: &str) -> ([String; 3], String) {
    let mut ids = Vec::new();
    for number in 0..3 {
        let content = json!({"userName": format!("{name}.member{number}")});
        ids.push(id(&client.create("/Users", content).await).to_owned());
    }
    let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let content = json!({"displayName": format!("{name}'s group"), "members": members});
    let made = client.create("/Groups", content).await;
    (ids.try_into().unwrap(), format!("/Groups/{}", id(&made)))
}

fn members(group: &Value) -> Vec<&str> {
    let members = group["members"].as_array().into_iter().flatten();
    let mut ids: Vec<&str> = members
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids
}
