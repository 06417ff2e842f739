//! Every route, walked by everybody: by whom nobody knows, by a client of another tenant, and by each role. What each gets is
//! a checked-in list (`routes.expected`): a new route that answers strangers shows there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use muster::service::policy::Applied;
use reqwest::Method;
use serde_json::{Value, json};

use crate::other_kinds::{home, kept};
use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::{App, Engine, PATIENCE, SEARCH, client};
use crate::world::{self, Ask, World};

#[test]
fn every_route_refuses_strangers_on_sqlite() {
    world::run(Engine::Sqlite, every_route_refuses_strangers);
}

#[test]
fn every_route_refuses_strangers_on_postgres() {
    world::run(Engine::Postgres, every_route_refuses_strangers);
}

/// What `/openapi.json` does not list, or lists with more than an id to be filled in; a word in braces is an id of the world.
const OTHERS: [(&str, &[&str]); 38] = [
    ("/sign-in", &["GET"]),
    ("/sign-in/callback", &["GET"]),
    ("/sign-out", &["POST"]),
    ("/me", &["GET"]),
    ("/issuer/.well-known/openid-configuration", &["GET"]),
    ("/issuer/jwks", &["GET"]),
    ("/dev/.well-known/openid-configuration", &["GET"]),
    ("/dev/jwks", &["GET"]),
    ("/dev/token", &["POST"]),
    ("/dev/authorize", &["GET", "POST"]),
    ("/dev/rotate", &["POST"]),
    ("/healthz", &["GET"]),
    ("/readyz", &["GET"]),
    ("/openapi.json", &["GET"]),
    ("/schemas", &["GET"]),
    ("/schemas/Candidate/1.0", &["GET"]),
    ("/log/head", &["GET"]),
    ("/log/proof?event={event}", &["GET"]),
    ("/log/consistency?first=0", &["GET"]),
    ("/admin/kpis", &["GET"]),
    (
        "/admin/policy/explain?client=idp&resource={Persons}",
        &["GET"],
    ),
    ("/admin/policy/approvals", &["POST"]),
    ("/admin/break-glass/{glass}/approve", &["POST"]),
    ("/admin/imports", &["GET", "POST"]),
    ("/admin/imports/people", &["GET"]),
    ("/admin/integrations", &["GET"]),
    ("/admin/refused", &["GET"]),
    ("/admin/refused/{refused}/resolve", &["POST"]),
    ("/scim/v2/Persons/{Persons}/lineage", &["GET"]),
    ("/scim/v2/Persons/{Persons}/elevate", &["POST"]),
    ("/scim/v2/Organizations/{Organizations}/elevate", &["POST"]),
    ("/scim/v2/Organizations/{Organizations}/lineage", &["GET"]),
    ("/scim/v2/Persons/{Persons}/merge", &["POST"]),
    ("/scim/v2/Persons/{Persons}/split", &["POST"]),
    ("/scim/v2/Applications/{Applications}/timeline", &["GET"]),
    (
        "/scim/v2/Applications/{Applications}/evidence-pack",
        &["GET"],
    ),
    ("/scim/v2/Events", &["GET"]),
    ("/nothing", &["GET", "POST"]),
];

/// The routes of the OpenAPI document that are not among the others, with their methods.
async fn routes(app: &App) -> BTreeMap<String, Vec<String>> {
    let url = format!("{}/openapi.json", app.origin());
    let document = client::http().get(url).send().await.unwrap();
    let document: Value = serde_json::from_str(&document.text().await.unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().clone();
    let known = ["get", "post", "put", "patch", "delete"];
    paths
        .into_iter()
        .filter(|(path, _)| !OTHERS.iter().any(|(other, _)| is_at(other, path)))
        .map(|(path, item)| {
            let methods = known.iter().filter(|method| item.get(**method).is_some());
            (path, methods.map(|method| method.to_uppercase()).collect())
        })
        .collect()
}

/// Whether an address is one of a path of the document.
fn is_at(address: &str, path: &str) -> bool {
    let address = address.split('?').next().unwrap_or_default();
    let address = address.trim_start_matches("/scim/v2");
    let fits = |(part, known): (&str, &str)| part == known || known.starts_with('{');
    address.split('/').count() == path.split('/').count()
        && address.split('/').zip(path.split('/')).all(fits)
}

/// The policy, with who reads the log and who decides reviews.
fn policy() -> String {
    let roles = "\n  audit: [{ types: [AuditEvent], rights: [read, search] }]\n  review: [{ types: [Review, Person], rights: [read, search] }, { types: [Review], rights: [write] }]\nclients:\n";
    let client = |name: &str, role: &str| {
        format!(
            "  - {{ name: {name}, issuer: \"ISSUER\", match: {{ claim: azp, equals: {name} }}, tenant: default, system: ats, roles: [{role}] }}\n"
        )
    };
    let roles = roles.to_owned() + &client("auditor", "audit") + &client("okta", "review");
    POLICY.replace("\nclients:\n", &roles)
}

async fn another_tenant(app: &App) {
    let text = "version: 1\nsystems:\n  - { name: other, kind: idp, owner: IT }\nroles:\n  all: [{ types: [\"*\"], rights: [read, search, \
         write, delete] }]\nclients:\n  - { name: foreign, issuer: \"ISSUER\", match: { claim: azp, equals: conformance }, \
         tenant: other, system: other, roles: [all] }\n";
    let applied = try_apply_to(app, "other", text);
    assert!(
        matches!(applied, Applied::Done { version: 1, .. }),
        "{applied:?}"
    );
    // Both tenants' logs have signed heads.
    while app.service().log_heads().unwrap().len() < 2 {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

/// One request of the walk: the line that it belongs to, and what is sent.
struct Step {
    line: String,
    ask: Ask,
}

/// All routes with the ids and valid bodies of a world, and what removes anything last.
fn steps(known: &BTreeMap<String, Vec<String>>, world: &World) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |line: &str, path: String, method: &str, body: Option<Value>| {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let (line, header) = (line.to_owned(), None);
        let ask = Ask {
            method,
            path,
            body,
            header,
        };
        steps.push(Step { line, ask });
    };
    for (path, methods) in known {
        let endpoint = path.trim_end_matches("/.search").trim_end_matches("/{id}");
        for method in methods {
            let at = if path.ends_with("{id}") {
                path.replace("{id}", &world.at(endpoint))
            } else {
                path.clone()
            };
            let body = match method.as_str() {
                _ if path.ends_with("/.search") => Some(json!({"schemas": [SEARCH]})),
                _ if path == "/Bulk" => Some(world.bulk()),
                "POST" | "PUT" if path == "/Me" => Some(world.body("/Users")),
                "PATCH" => Some(World::patch(endpoint)),
                "POST" | "PUT" => Some(world.body(endpoint)),
                _ => None,
            };
            step(path, format!("/scim/v2{at}"), method, body);
        }
    }
    for (path, methods) in OTHERS {
        for method in methods {
            let body = (*method == "POST").then(|| world.order(path));
            step(path, world.with_ids(path), method, body);
        }
    }
    steps.sort_by_key(|step| step.ask.method == Method::DELETE);
    steps
}

/// What the bearer of a token gets on every route, a line each, in the order of the routes.
async fn walk(app: &App, token: Option<&str>, steps: &[Step]) -> String {
    let mut lines: Vec<(&str, String)> = Vec::new();
    for step in steps {
        let (status, _, _) = world::send(app, token, &step.ask).await;
        let told = format!(" {} {status}", step.ask.method);
        match lines.iter_mut().find(|(line, _)| *line == step.line) {
            Some((_, known)) => *known += &told,
            None => lines.push((&step.line, told)),
        }
    }
    let lines = lines
        .iter()
        .map(|(line, told)| format!("  {line}:{told}\n"));
    lines.collect()
}

/// Waits until the world's event is under a signed head.
async fn sealed(app: &App, world: &World) {
    let (since, token) = (Instant::now(), app.token("strict").await);
    let path = world.with_ids("/log/proof?event={event}");
    let ask = Ask {
        method: Method::GET,
        path,
        body: None,
        header: None,
    };
    while world::send(app, Some(&token), &ask).await.0 != 200 {
        assert!(since.elapsed() < PATIENCE, "{ask:?}");
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The routes that the source names, as they stand there.
fn in_source(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            in_source(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let text: String = text.split_whitespace().collect();
        for mark in ["resource(\"/", "route(\"/"] {
            let parts = text.split(mark).skip(1);
            found.extend(parts.filter_map(|part| Some(format!("/{}", part.split_once('"')?.0))));
        }
    }
}

/// Nothing is mounted that is not walked.
#[test]
fn every_route_of_the_source_is_walked() {
    let walked = include_str!("routes.expected");
    let walked: Vec<&str> = walked
        .lines()
        .filter_map(|line| line.trim().split([':', '?']).next())
        .filter(|path| path.starts_with('/'))
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for folder in ["http", "issuer"] {
        in_source(&root.join(folder), &mut found);
    }
    assert!(found.len() > 40, "{found:?}");
    let fits = |(known, named): (&str, &str)| known == named || named.starts_with('{');
    for route in &found {
        // A scope may stand before it.
        let is_walked = walked.iter().any(|path| {
            let ends = path.rsplit('/').zip(route[1..].rsplit('/'));
            path.matches('/').count() >= route.matches('/').count() && ends.into_iter().all(fits)
        });
        assert!(is_walked, "{route} is not in routes.expected");
    }
}

async fn every_route_refuses_strangers(app: &App) {
    apply(app, &home(&policy()));
    another_tenant(app).await;
    let known = routes(app).await;
    assert!(known.len() > 20, "{known:?}");
    let mut told = String::new();
    for name in [
        "stranger", "foreign", "hris", "idp", "crm", "verifier", "auditor", "okta",
    ] {
        // Each finds a world of its own, for who may do so takes it apart.
        let world = World::make(app, ("admin", "ats"), name).await;
        let token = match name {
            "stranger" => None,
            "foreign" => Some(app.token("conformance").await),
            name => Some(app.token(name).await),
        };
        sealed(app, &world).await;
        let before = kept(app, &world).await;
        let _ = writeln!(told, "{name}");
        told += &walk(app, token.as_deref(), &steps(&known, &world)).await;
        let after = kept(app, &world).await;
        let is_apart = ["stranger", "foreign"].contains(&name);
        assert!(!is_apart || before == after, "{name} changed something");
    }
    compare(&told);
    // What the other tenant's client has made there is all it finds.
    let foreign = app.client("conformance").await;
    for (path, own) in [("/Users", 1), ("/Persons", 2), ("/Groups", 1)] {
        let told = foreign.get(path).await;
        assert_eq!(told.ok(200)["totalResults"], own, "{path}: {}", told.text);
    }
    // What one tenant holds alone another may hold too.
    foreign
        .create("/Users", json!({"userName": "ada-hris"}))
        .await;
}

fn compare(told: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trust/routes.expected");
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let found = Path::new(env!("CARGO_TARGET_TMPDIR")).join("routes.found");
    fs::write(&found, told).unwrap();
    let differs = told
        .lines()
        .zip(expected.lines())
        .find(|(told, expected)| told != expected);
    assert!(
        told == expected,
        "{} differs from {}, first in {differs:?}",
        found.display(),
        path.display()
    );
}
