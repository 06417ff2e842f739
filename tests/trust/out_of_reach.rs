//! What `where:` keeps out of a role's reach is answered as what does not exist, whatever is asked of it and by whichever way, and
//! nothing of it changes.

use std::fs;
use std::process::Command;

use reqwest::Method;
use serde_json::{Value, json};

use crate::other_kinds::{home, kept, plain};
use crate::references;
use crate::rules::{POLICY, apply};
use crate::support::{App, Client, Engine, PATCH_OP, USER};
use crate::world::{self, Ask, World};

#[test]
fn what_is_out_of_reach_does_not_exist_on_sqlite() {
    world::run(Engine::Sqlite, what_is_out_of_reach_does_not_exist);
}

#[test]
fn what_is_out_of_reach_does_not_exist_on_postgres() {
    world::run(Engine::Postgres, what_is_out_of_reach_does_not_exist);
}

/// What `crm` reaches of each type: what is called its own.
const BOUNDS: [(&str, &str); 12] = [
    ("User, Person", "displayName sw \"Mine\""),
    ("Organization", "name sw \"Mine\""),
    ("Requisition", "title sw \"Mine\""),
    ("Application", "source eq \"mine\""),
    ("Verification", "vendor eq \"mine\""),
    ("Assessment", "vendor eq \"mine\""),
    ("Interview", "status eq \"cancelled\""),
    ("Offer", "status eq \"declined\""),
    ("Opportunity", "name sw \"Mine\""),
    ("Employment", "jobTitle sw \"Mine\""),
    ("Review", "status eq \"expired\""),
    ("AuditEvent", "client eq \"crm\""),
];

fn policy() -> String {
    let rights = "rights: [read, search, write, delete]";
    let row = |(types, bound): &(&str, &str)| {
        format!("{{ types: [{types}], {rights}, where: '{bound}' }}")
    };
    let rows: Vec<String> = BOUNDS.iter().map(row).collect();
    let role = format!("  mine: [{}]\nclients:\n", rows.join(", "));
    let me = "system: hris, roles: [mine], me: { claim: preferred_username, attribute: userName }";
    let policy = home(POLICY).replacen("clients:\n", &role, 1);
    policy.replace("system: crm, roles: [sales]", me)
}

/// Whether a request makes something that nobody else may have: what such a conflict tells is another matter.
fn is_of_what_is_unique(ask: &Ask) -> bool {
    let unique = [
        "/Users",
        "/Persons",
        "/Groups",
        "/Organizations",
        "/Requisitions",
        "/Assessments",
    ];
    ask.method == Method::POST && unique.iter().any(|end| ask.path.ends_with(end))
}

async fn what_is_out_of_reach_does_not_exist(app: &App) {
    apply(app, &policy());
    let (home, nobody) = (
        World::make(app, ("admin", "ats"), "qhomeq").await,
        World::nobody(),
    );
    let crm = app.client("crm").await;
    let mine = json!({"displayName": "Mine", "userName": "mine"});
    let mine = crm.create("/Users", mine).await;
    let token = app.token("crm").await;
    let before = kept(app, &home).await;
    let mut refused = 0;
    for (real, none) in home.requests().iter().zip(nobody.requests()) {
        if is_of_what_is_unique(real) {
            continue;
        }
        let told = world::send(app, Some(&token), real).await;
        let wanted = world::send(app, Some(&token), &none).await;
        refused += usize::from(told.0 >= 400);
        let (told, wanted) = (plain(told, &home), plain(wanted, &nobody));
        let told = (told.0, told.1, told.2.replace("qhomeq", "nobody"));
        assert_eq!(told, wanted, "{real:?}");
    }
    assert!(refused > 100, "{refused}");
    an_account_out_of_reach_is_nobodys(app).await;
    no_list_or_extract_has_it(app, &crm, &home).await;
    assert_eq!(before, kept(app, &home).await);
    // Its own record may be changed in what follows, and those out of its reach not.
    references::lead_nowhere(app, &token, &mine, (&home, &nobody)).await;
    let (after, _) = kept(app, &home).await;
    let one_by_one = |all: Vec<String>| all.into_iter().skip(1).step_by(2).collect::<Vec<_>>();
    assert_eq!(one_by_one(before.0), one_by_one(after));
    its_own_it_reaches(&crm, &mine).await;
}

/// `/Me` by a token of somebody whose account is out of reach, and by one of nobody.
async fn an_account_out_of_reach_is_nobodys(app: &App) {
    let change = json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": "displayName", "value": "Mine"}]});
    for (method, body) in [
        (Method::GET, None),
        (Method::PATCH, Some(change)),
        (
            Method::PUT,
            Some(json!({"schemas": [USER], "userName": "NAME", "displayName": "Mine"})),
        ),
        (Method::DELETE, None),
    ] {
        let mut told = Vec::new();
        for name in ["ada-qhomeq", "ada-nobody"] {
            let client = app.client_as("crm", name).await;
            let body = body
                .as_ref()
                .map(|body| body.to_string().replace("NAME", name).into_bytes());
            let answer = client.send(method.clone(), "/Me", &[], body).await;
            told.push((answer.status, answer.text.replace(name, "NAME")));
        }
        assert_eq!(told[0], told[1], "{method}");
        assert_eq!(told[0].0, 404, "{method}: {told:?}");
    }
}

/// All of each type, and what leaves in another system's layout.
async fn no_list_or_extract_has_it(app: &App, crm: &Client, home: &World) {
    for endpoint in world::ENDPOINTS.into_iter().chain(["/Reviews"]) {
        let told = crm.get(endpoint).await;
        if endpoint.starts_with("/Group") {
            // Who reaches some people only may have no groups at all.
            told.refused(403, "");
            continue;
        }
        let own = usize::from(["/Users", "/Persons"].contains(&endpoint));
        assert_eq!(
            told.ok(200)["totalResults"],
            own,
            "{endpoint}: {}",
            told.text
        );
    }
    let log = crm.get("/AuditEvents?count=500").await;
    assert!(
        log.resources().iter().all(|event| event["client"] == "crm"),
        "{}",
        log.text
    );
    let feed = crm.get("/Events?after=0&count=1000").await;
    assert!(
        feed.status == 200 && feed.text.contains("person.created"),
        "{}",
        feed.text
    );
    for name in world::ENDPOINTS {
        let id = home.id(name);
        assert!(!feed.text.contains(id), "{name} in {}", feed.text);
        assert!(!log.text.contains(id), "{name} in {}", log.text);
    }
    cursors_are_of_whom_they_were_given_to(app, crm).await;
    let map = app.database.folder().join("crm.yaml");
    let text = "system: hris\nformat: csv\nresourceType: Person\nexternalId: id\nclaims:\n  - { from: name, to: displayName }\n";
    fs::write(&map, text).unwrap();
    let export = |filter: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_muster"))
            .args([
                "export",
                "--system",
                "hris",
                "--client",
                "crm",
                "--map",
                map.to_str().unwrap(),
                "--filter",
                filter,
            ])
            .env("MUSTER_DATABASE_URL", app.database.url())
            .env("MUSTER_DATA_DIR", app.database.folder())
            .output()
            .unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    };
    let all = export("displayName pr");
    assert!(all.contains("Mine") && !all.contains("qhomeq"), "{all}");
    let by_id = |world: &World| {
        let told = export(&format!("id eq \"{}\"", world.id("/Persons")));
        world.without_ids(&told)
    };
    assert_eq!(by_id(home), by_id(&World::nobody()));
}

/// The same requests lead somewhere where something is within reach.
async fn its_own_it_reaches(crm: &Client, mine: &Value) {
    let at = format!("/Persons/{}", mine["id"].as_str().unwrap());
    crm.get(&format!("{at}/lineage?path=displayName"))
        .await
        .ok(200);
    let change = json!([{"op": "replace", "path": "displayName", "value": "Mine too"}]);
    crm.patch(&at, change).await.ok(200);
    let at = format!("/Users/{}", mine["id"].as_str().unwrap());
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": at}]});
    let done = crm.order("/Bulk", bulk).await;
    assert_eq!(
        done.ok(200)["Operations"][0]["status"],
        "204",
        "{}",
        done.text
    );
}

/// Another client's cursor, or its place in the feed, shows nobody more than its own rights do.
async fn cursors_are_of_whom_they_were_given_to(app: &App, crm: &Client) {
    let admin = app.client("admin").await;
    let page = admin
        .get("/Persons?cursor&count=1&sortBy=displayName")
        .await;
    let cursor = page.ok(200)["nextCursor"].as_str().unwrap();
    let path = format!("/Persons?count=1&sortBy=displayName&cursor={cursor}");
    let told = crm.get(&path).await;
    assert_eq!(told.status, 400, "{}", told.text);
    let page = app.client("idp").await.get("/Events?count=1").await;
    let next = page.ok(200)["next"].as_str().unwrap().to_owned();
    let told = crm.get(&format!("/Events?after={next}")).await;
    assert_eq!(told.status, 400, "{}", told.text);
}
