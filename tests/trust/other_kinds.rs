//! Of a record of any kind another tenant's client is told what it is told of an id that nobody has, whatever it asks, and
//! nothing of it changes (design §6).

use std::process::Command;

use serde_json::{Value, json};

use crate::references;
use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::{App, Engine};
use crate::world::{self, Ask, Told, World};

#[test]
fn a_record_of_any_kind_is_nobodys_to_another_tenant_on_sqlite() {
    world::run(Engine::Sqlite, a_record_of_any_kind_is_nobodys);
}

#[test]
fn a_record_of_any_kind_is_nobodys_to_another_tenant_on_postgres() {
    world::run(Engine::Postgres, a_record_of_any_kind_is_nobodys);
}

/// Who makes one of each kind, and who reads all that they leave; and how the tenant is ruled otherwise.
pub(crate) fn home(policy: &str) -> String {
    let rows = "authority:\n  - { domain: time, master: hris, covers: [Person.timezone], others: suggest }\nroles:\n  \
        all: [{ types: [\"*\"], rights: [read, search, write, delete] }]\n  reader: [{ types: [\"*\"], rights: [read, search] }]\n";
    let client = |name: &str, role: &str| {
        format!(
            "  - {{ name: {name}, issuer: \"ISSUER\", match: {{ claim: azp, equals: {name} }}, tenant: default, system: hris, \
             roles: [{role}], purposes: [payroll, employment] }}\n"
        )
    };
    let clients = format!(
        "clients:\n{}{}",
        client("admin", "all"),
        client("strict", "reader")
    );
    policy
        .replacen("roles:\n", rows, 1)
        .replacen("clients:\n", &clients, 1)
}

/// A tenant whose client may do everything there, and speaks for its Security.
const OTHER: &str = r#"version: 1
systems:
  - { name: hris, kind: idp, owner: IT }
roles:
  all: [{ types: ["*"], rights: [read, search, write, delete] }]
clients:
  - { name: foreign, issuer: "ISSUER", match: { claim: azp, equals: conformance }, tenant: other, system: hris, roles: [all], me: { claim: preferred_username, attribute: userName } }
approval: { security: [foreign] }
"#;

/// All that the home tenant has: each record as its maker sees it, and how many events it has but of reading and refusing.
pub(crate) async fn kept(app: &App, world: &World) -> (Vec<String>, i64) {
    let admin = app.client("admin").await;
    let mut all = Vec::new();
    for name in world::ENDPOINTS.into_iter().chain(["/Reviews"]) {
        all.push(admin.get(&format!("{name}?count=100")).await.text);
        let one = format!("{name}/{}", world.at(name));
        all.push(admin.get(&one).await.text);
    }
    let events = "SELECT count(*) AS n FROM event WHERE tenant = 1 AND type NOT LIKE '%.read' AND type NOT LIKE '%.refused%'";
    (all, app.database.connect().number(events))
}

/// An answer without ids, and without what is new in each: the id and the times of what was made.
pub(crate) fn plain(
    (status, headers, body): Told,
    world: &World,
) -> (u16, Vec<(String, String)>, String) {
    let made: Value = serde_json::from_str(&body).unwrap_or_default();
    let new = (status == 201).then(|| made["id"].as_str().unwrap().to_owned());
    let mut body = world.without_ids(&body);
    if new.is_some() {
        let mut made: Value = serde_json::from_str(&body).unwrap();
        made["meta"] = json!({"resourceType": made["meta"]["resourceType"]});
        body = without_now(&made.to_string());
    }
    let is_of_all = |name: &str| status != 201 || name != "etag";
    let known = headers.into_iter().filter(|(name, _)| is_of_all(name));
    let plain = |text: &str| {
        let text = world.without_ids(text);
        new.as_ref()
            .map_or_else(|| text.clone(), |id| text.replace(id, "NEW"))
    };
    let headers = known.map(|(name, value)| (name, plain(&value))).collect();
    (status, headers, plain(&body))
}

/// A text without the instants of the test's own hour.
pub(crate) fn without_now(text: &str) -> String {
    let mut parts = text.split("2031-03-01T12:");
    let first = parts.next().unwrap_or_default().to_owned();
    let ends = parts.map(|part| part.split_once('Z').map_or(part, |(_, rest)| rest));
    ends.fold(first, |text, part| text + "NOW" + part)
}

/// What was made is removed, so that whoever asks next is answered as if it were the first.
pub(crate) async fn unmake(app: &App, token: &str, asked: &Ask, told: &Told) {
    if told.0 == 201 {
        let made: Value = serde_json::from_str(&told.2).unwrap();
        let mut gone = asked.clone();
        gone.method = reqwest::Method::DELETE;
        gone.path = format!("{}/{}", asked.path, made["id"].as_str().unwrap());
        gone.body = None;
        assert_eq!(world::send(app, Some(token), &gone).await.0, 204);
    }
}

async fn a_record_of_any_kind_is_nobodys(app: &App) {
    apply(app, &home(POLICY));
    try_apply_to(app, "other", OTHER);
    let (home, nobody) = (
        World::make(app, ("admin", "ats"), "qhomeq").await,
        World::nobody(),
    );
    let token = app.token("conformance").await;
    let before = kept(app, &home).await;
    let mut refused = 0;
    for (real, none) in home.requests().iter().zip(nobody.requests()) {
        let told = world::send(app, Some(&token), real).await;
        unmake(app, &token, real, &told).await;
        let wanted = world::send(app, Some(&token), &none).await;
        unmake(app, &token, &none, &wanted).await;
        refused += usize::from(told.0 >= 400);
        let (told, wanted) = (plain(told, &home), plain(wanted, &nobody));
        // The names in a body end with the world's.
        let told = (told.0, told.1, told.2.replace("qhomeq", "nobody"));
        assert_eq!(told, wanted, "{real:?}");
    }
    assert!(refused > 100, "{refused}");
    let foreign = app.client("conformance").await;
    let own = json!({"displayName": "Mine", "userName": "mine"});
    let own = foreign.create("/Users", own).await;
    references::lead_nowhere(app, &token, &own, (&home, &nobody)).await;
    names_and_cursors_of_another_tenant_lead_nowhere(app, &token).await;
    commands_for_another_tenant_find_nobody(app, &home, &nobody);
    assert_eq!(before, kept(app, &home).await);
}

/// What stands for a place or a name in the home tenant: a cursor, a place in its feed, an import, an account, a client, a key.
async fn names_and_cursors_of_another_tenant_lead_nowhere(app: &App, token: &str) {
    let (admin, idp) = (app.client("admin").await, app.client("idp").await);
    let page = admin.get("/Persons?cursor&count=1").await;
    let cursor = page.ok(200)["nextCursor"].as_str().unwrap().to_owned();
    let heard = idp.get("/Events?count=1").await;
    let next = heard.ok(200)["next"].as_str().unwrap().to_owned();
    let spoilt = |text: &str| {
        let last = if text.ends_with('A') { "B" } else { "A" };
        format!("{}{last}", &text[..text.len() - 1])
    };
    let get = |path: String| Ask {
        method: reqwest::Method::GET,
        path,
        body: None,
        header: None,
    };
    for (path, real, none) in [
        (
            "/scim/v2/Persons?count=1&cursor=NAME",
            cursor.as_str(),
            spoilt(&cursor),
        ),
        ("/scim/v2/Events?after=NAME", &next, spoilt(&next)),
        ("/admin/imports/NAME", "people", "nobody".into()),
        (
            "/scim/v2/Users?filter=userName%20eq%20%22NAME%22",
            "ada-qhomeq",
            "ada-nobody".into(),
        ),
        (
            "/admin/policy/explain?client=NAME&resource=7",
            "idp",
            "nobody".into(),
        ),
        (
            "/scim/v2/Persons?filter=externalId%20eq%20%22NAME%22",
            "c-qhomeq",
            "c-nobody".into(),
        ),
    ] {
        let ask = async |name: &str| {
            let told = world::send(app, Some(token), &get(path.replace("NAME", name))).await;
            (told.0, told.1, told.2.replace(name, "NAME"))
        };
        assert_eq!(ask(real).await, ask(&none).await, "{path}");
    }
    let (real, none) = (
        app.client_as("conformance", "ada-qhomeq").await,
        app.client_as("conformance", "ada-nobody").await,
    );
    let (real, none) = (real.get("/Me").await, none.get("/Me").await);
    assert_eq!(
        real.refused(404, "").replace("ada-qhomeq", "ada-nobody"),
        none.refused(404, "")
    );
}

fn muster(app: &App, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(arguments)
        .args(["--tenant", "other"])
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Whoever operates one tenant names ids of the other.
fn commands_for_another_tenant_find_nobody(app: &App, home: &World, nobody: &World) {
    let tell = |world: &World, arguments: &[&str]| {
        let named: Vec<&str> = arguments
            .iter()
            .map(|word| {
                if *word == "ID" {
                    world.id("/Persons")
                } else {
                    word
                }
            })
            .collect();
        let (code, text) = muster(app, &named);
        (code, world.without_ids(&text))
    };
    for arguments in [
        &["person", "export", "ID"][..],
        &["erase", "ID", "--reason", "asked", "--online"],
        &[
            "policy",
            "explain",
            "--client",
            "foreign",
            "--resource",
            "ID",
        ],
        &["trace", "ID"],
    ] {
        let told = tell(home, arguments);
        assert_eq!(told, tell(nobody, arguments));
        assert_ne!(told.0, Some(0), "{told:?}");
    }
}
