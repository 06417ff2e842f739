//! Tenants are apart: what another tenant's client sends is answered as for an id that nobody has, at the same cost, and what
//! one tenant keeps is under keys of its own.

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::statements::sent_to;
use crate::support::{App, Client, PATCH_OP, USER, counted_on_both, on_both};

on_both!(
    whoever_is_of_another_tenant_is_nobody,
    uniqueness_and_requests_are_counted_apart,
    keys_are_apart,
);
counted_on_both!(a_stranger_costs_what_nobody_costs: costs_the_same);

const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

/// Ada and a group of hers in one tenant, and a client of the other that may do everything there.
async fn apart(app: &App) -> (Client, Client, [String; 2]) {
    apply(app, POLICY);
    let other = "version: 1\nsystems:\n  - { name: other, kind: idp, owner: IT }\nroles:\n  all: [{ types: [\"*\"], rights: [read, search, \
         write, delete] }]\nclients:\n  - { name: foreign, issuer: \"ISSUER\", match: { claim: azp, equals: conformance }, \
         tenant: other, system: other, roles: [all] }\n";
    try_apply_to(app, "other", other);
    let (hris, foreign) = (app.client("hris").await, app.client("conformance").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    let content = json!({"displayName": "all", "members": [{"value": id}]});
    let group = hris.create("/Groups", content).await;
    let group = group["id"].as_str().unwrap().to_owned();
    (hris, foreign, [id, group])
}

/// Requests that would change or show something, of a person and a group.
fn requests([id, group]: &[String; 2]) -> Vec<(&'static str, String, Option<Value>)> {
    let patch = |operation: Value| json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let title = patch(json!({"op": "replace", "path": "displayName", "value": "Eve"}));
    let member = patch(json!({"op": "add", "path": "members", "value": [{"value": id}]}));
    let membership = json!({"schemas": [crate::support::MEMBERSHIP], "group": {"value": group}, "member": {"value": id}});
    let crew = json!({"schemas": [crate::support::GROUP], "displayName": "crew", "members": [{"value": id}]});
    let user = json!({"schemas": [USER], "userName": "eve"});
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": title},
        {"method": "PUT", "path": format!("/Users/{id}"), "data": user},
        {"method": "PATCH", "path": format!("/Groups/{group}"), "data": member},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": crew},
        {"method": "DELETE", "path": format!("/Groups/{group}")},
    ]});
    let mut all = vec![
        ("POST", "/Bulk".to_owned(), Some(bulk)),
        ("POST", "/Groups".to_owned(), Some(crew.clone())),
        ("POST", "/GroupMemberships".to_owned(), Some(membership)),
        ("GET", format!("/GroupMemberships/{group}.{id}"), None),
        ("DELETE", format!("/GroupMemberships/{group}.{id}"), None),
        ("PATCH", format!("/Groups/{group}"), Some(member)),
        (
            "GET",
            format!("/Groups?filter=members.value%20eq%20%22{id}%22"),
            None,
        ),
        (
            "GET",
            format!("/AuditEvents?filter=personId%20eq%20%22{id}%22"),
            None,
        ),
        ("GET", format!("/Persons/{id}/lineage"), None),
        ("GET", format!("/Persons?filter=id%20eq%20%22{id}%22"), None),
        (
            "POST",
            format!("/Persons/{id}/elevate"),
            Some(json!({"path": "displayName", "system": "hris", "reason": "x"})),
        ),
        ("PUT", format!("/Groups/{group}"), Some(crew)),
        ("DELETE", format!("/Groups/{group}"), None),
    ];
    for endpoint in ["Users", "Persons"] {
        let at = format!("/{endpoint}/{id}");
        all.extend([
            ("GET", at.clone(), None),
            ("PATCH", at.clone(), Some(title.clone())),
            ("DELETE", at, None),
        ]);
    }
    all.push(("PUT", format!("/Users/{id}"), Some(user)));
    all
}

async fn ask(
    client: &Client,
    (method, path, body): &(&str, String, Option<Value>),
) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let body = body.as_ref().map(|body| body.to_string().into_bytes());
    let answer = client.send(method, path, &[], body).await;
    (answer.status, answer.body)
}

/// Removes what the request made: a group is made without a member that nobody knows.
async fn clean(foreign: &Client) {
    for group in foreign.get("/Groups").await.resources() {
        assert_eq!(group.get("members"), None, "{group}");
        let path = format!("/Groups/{}", group["id"].as_str().unwrap());
        assert_eq!(foreign.delete(&path).await.status, 204);
    }
}

/// An answer without what is new in each: the id and the times of what was made.
fn plain(mut answer: Value, [id, group]: &[String; 2]) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(parts) if parts.get("status") == Some(&json!("201")) => {
                parts.remove("location");
            }
            Value::Object(parts) => {
                let is_made = parts.get("displayName") == Some(&json!("crew"));
                for name in ["id", "meta"].iter().filter(|_| is_made) {
                    parts.remove(*name);
                }
                parts.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut answer);
    answer
        .to_string()
        .replace(id, "PERSON")
        .replace(group, "GROUP")
}

async fn whoever_is_of_another_tenant_is_nobody(app: &App) {
    let (hris, foreign, known) = apart(app).await;
    let nobody = [NOBODY.to_owned(), NOBODY.replace("dead", "deaf")];
    let [person, group] = [
        format!("/Persons/{}", known[0]),
        format!("/Groups/{}", known[1]),
    ];
    let before = (hris.get(&person).await.body, hris.get(&group).await.body);
    for (real, none) in requests(&known).iter().zip(requests(&nobody)) {
        let (status, told) = ask(&foreign, real).await;
        clean(&foreign).await;
        let (wanted, nothing) = ask(&foreign, &none).await;
        clean(&foreign).await;
        let answers = [
            (status, plain(told, &known)),
            (wanted, plain(nothing, &nobody)),
        ];
        assert_eq!(answers[0], answers[1], "{real:?}");
        let made = ["/Bulk", "/Groups"].contains(&real.1.as_str());
        assert!(
            real.0 == "GET" || made || status >= 400,
            "{status} {real:?}"
        );
    }
    let after = (hris.get(&person).await.body, hris.get(&group).await.body);
    assert_eq!(before, after);
    for endpoint in ["/Users", "/Persons", "/Groups"] {
        assert_eq!(
            foreign.get(endpoint).await.ok(200)["totalResults"],
            0,
            "{endpoint}"
        );
    }
}

async fn uniqueness_and_requests_are_counted_apart(app: &App) {
    let (hris, foreign, _) = apart(app).await;
    let content = json!({"schemas": [USER], "userName": "bo", "externalId": "7", "emails": [{"value": "ada@corp.example", "type": "work"}]});
    let key = [("idempotency-key", "one")];
    let body = || Some(content.to_string().into_bytes());
    let mut made = Vec::new();
    for client in [&hris, &foreign] {
        for _ in 0..2 {
            let answer = client
                .send(reqwest::Method::POST, "/Users", &key, body())
                .await;
            made.push(answer.ok(201)["id"].clone());
        }
    }
    assert_eq!(made[0], made[1]);
    assert_eq!(made[2], made[3]);
    assert_ne!(
        made[0], made[2],
        "neither the key nor the address is the other tenant's"
    );
    assert_eq!(foreign.get("/Persons").await.ok(200)["totalResults"], 1);
    // Its log begins with its own first event.
    let log = foreign.get("/AuditEvents").await;
    let about: Vec<&Value> = log
        .resources()
        .iter()
        .map(|event| &event["resourceId"])
        .collect();
    assert!(
        about.contains(&&made[2]) && !about.contains(&&made[0]),
        "{about:?}"
    );
}

async fn keys_are_apart(app: &App) {
    let (hris, foreign, _) = apart(app).await;
    let content = json!({"displayName": "Eve", "legalIdentifiers": [{"type": "passport", "country": "PT", "value": "PZ-93271"}]});
    for client in [&hris, &foreign] {
        client.create("/Persons", content.clone()).await;
    }
    let mut connection = app.database.connect();
    let mut count = |sql: &str| connection.number(sql);
    assert_eq!(
        count("SELECT count(DISTINCT wrapped) AS n FROM tenant_key"),
        2
    );
    // The same value of the same attribute, and nothing to tell that it is the same.
    let of = "FROM blind_index b JOIN resource r ON r.id = b.resource";
    let all = count(&format!("SELECT count(*) AS n {of}"));
    assert!(all >= 2 && all % 2 == 0, "{all}");
    assert_eq!(
        count(&format!("SELECT count(DISTINCT b.value) AS n {of}")),
        all
    );
    assert_eq!(
        count(&format!("SELECT count(DISTINCT r.tenant) AS n {of}")),
        2
    );
}

/// What time it takes tells nothing either: to the database the two are one.
async fn costs_the_same(app: &App) {
    let (_, foreign, known) = apart(app).await;
    let nobody = [NOBODY.to_owned(), NOBODY.replace("dead", "deaf")];
    for (real, none) in requests(&known).iter().zip(requests(&nobody)) {
        let mut least = [u64::MAX; 2];
        // What the server does meanwhile costs too, a connection that is opened or what it notes each second: they take turns.
        for _ in 0..8 {
            for (request, least) in [real, &none].into_iter().zip(&mut least) {
                let before = sent_to(&app.database);
                ask(&foreign, request).await;
                *least = (*least).min(sent_to(&app.database) - before);
                clean(&foreign).await;
            }
        }
        assert_eq!(least[0], least[1], "{real:?}");
    }
}
