//! What a record of one's own is made to refer to, or is said to be one with: what is of another tenant or out of reach is
//! answered as what nobody has, by its id and by its names.

use reqwest::Method;
use serde_json::{Value, json};

use crate::other_kinds::{plain, unmake, without_now};
use crate::support::{App, CUSTOMER, ENTERPRISE, IDENTITY, PATCH_OP, body};
use crate::world::{self, Ask, World};

fn ask(method: Method, mut path: String, body: Value) -> Ask {
    let (body, header) = (Some(body), None);
    path.insert_str(0, "/scim/v2");
    Ask {
        method,
        path,
        body,
        header,
    }
}

/// Requests about `mine` that name records of a world.
fn requests(world: &World, tag: &str, mine: &str) -> Vec<Ask> {
    let person = world.id("/Persons");
    let name = format!("hris:externalId:c-{tag}");
    let to = |kind: &str| json!({"value": world.id(kind)});
    let patch = |path: String, value: &str| json!({"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": path, "value": value}]});
    let called = |text: &str| {
        let mut parts = text.splitn(3, ':');
        json!([{"system": parts.next(), "field": parts.next(), "value": parts.next()}])
    };
    let post = |endpoint: &str, content: Value| {
        ask(Method::POST, endpoint.into(), body(endpoint, content))
    };
    let one = |with: &str| json!({"with": with, "reason": "they are one"});
    vec![
        ask(Method::POST, format!("/Persons/{mine}/merge"), one(person)),
        ask(Method::POST, format!("/Persons/{mine}/merge"), one(&name)),
        ask(
            Method::POST,
            format!("/Persons/{mine}/merge"),
            one(world.id("alias")),
        ),
        ask(Method::POST, format!("/Persons/{person}/merge"), one(mine)),
        ask(Method::POST, format!("/Persons/{name}/merge"), one(mine)),
        ask(
            Method::POST,
            format!("/Persons/{mine}/split"),
            json!({"id": world.id("alias"), "reason": "they are two"}),
        ),
        ask(
            Method::POST,
            format!("/Persons/{mine}/split"),
            json!({"system": "hris", "externalId": format!("c-{tag}"), "reason": "they are two"}),
        ),
        ask(
            Method::PATCH,
            format!("/Users/{mine}"),
            patch(format!("{ENTERPRISE}:manager.value"), person),
        ),
        ask(
            Method::PATCH,
            format!("/Persons/{mine}"),
            patch(
                format!("{CUSTOMER}:account.value"),
                world.id("/Organizations"),
            ),
        ),
        post(
            "/Users",
            json!({"displayName": "Mine too", "userName": "mine.too", IDENTITY: {"externalIdentifiers": called(&name)}}),
        ),
        post(
            "/Organizations",
            json!({"name": "Mine", "parent": to("/Organizations")}),
        ),
        post(
            "/Opportunities",
            json!({"name": "Mine", "organization": to("/Organizations"), "contacts": [to("/Persons")]}),
        ),
        post(
            "/Employments",
            json!({"jobTitle": "Mine", "person": to("/Persons"), "hireDate": "2030-01-01"}),
        ),
        post(
            "/Employments",
            json!({"jobTitle": "Mine", "person": {"value": mine}, "organization": to("/Organizations"), "hireDate": "2030-01-01"}),
        ),
        post(
            "/Employments",
            json!({"jobTitle": "Mine", "person": {"value": mine}, "offer": to("/Offers"), "hireDate": "2030-01-01"}),
        ),
        post(
            "/Applications",
            json!({"source": "mine", "candidate": {"value": mine}, "requisition": to("/Requisitions"), "status": "sourced"}),
        ),
        post(
            "/Verifications",
            json!({"vendor": "mine", "application": to("/Applications"), "occurredAt": "2031-02-20T09:00:00Z",
            "tierRequired": 1, "tierSatisfied": 1, "decision": "pass", "evidencePackRef": "https://evidence.example/7",
            "reasonCodes": ["document.match"], "appealOf": to("/Verifications")}),
        ),
    ]
}

/// Asks all of it, of what is there and of what nobody has.
pub(crate) async fn lead_nowhere(
    app: &App,
    token: &str,
    mine: &Value,
    (home, nobody): (&World, &World),
) {
    let mine = mine["id"].as_str().unwrap();
    let pairs = requests(home, "qhomeq", mine).into_iter();
    for (real, none) in pairs.zip(requests(nobody, "nobody", mine)) {
        let mut told = Vec::new();
        for (ask, world) in [(&real, home), (&none, nobody)] {
            let answer = world::send(app, Some(token), ask).await;
            unmake(app, token, ask, &answer).await;
            let (status, headers, text) = plain(answer, world);
            let mut shown: Value = serde_json::from_str(&text).unwrap_or_default();
            if let Some(meta) = shown.get_mut("meta").and_then(Value::as_object_mut) {
                // A hash of what is shown, the ids among it.
                meta.remove("version");
            }
            // What an earlier request has made it refer to stands there too.
            let text = home.without_ids(&nobody.without_ids(&shown.to_string()));
            let headers: Vec<_> = headers
                .into_iter()
                .filter(|(name, _)| name != "etag")
                .collect();
            told.push((
                status,
                headers,
                without_now(&text).replace("qhomeq", "nobody"),
            ));
        }
        assert_eq!(told[0], told[1], "{real:?}");
    }
}
