//! Every route, walked by everybody: by whom nobody knows, by a client of another tenant, and by each role. What each gets is
//! a checked-in list (`routes.expected`): a new route that answers strangers shows there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use muster::service::policy::Applied;
use reqwest::Method;
use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::{App, CUSTOMER, SEARCH, client, on_both};

on_both!(every_route_refuses_strangers);

/// What `/openapi.json` does not list, or lists with more than an id to be filled in.
const OTHERS: [(&str, &[&str]); 33] = [
    ("/sign-in", &["GET"]),
    ("/sign-in/callback", &["GET"]),
    ("/sign-out", &["POST"]),
    ("/me", &["GET"]),
    ("/issuer/jwks", &["GET"]),
    ("/dev/jwks", &["GET"]),
    ("/dev/token", &["POST"]),
    ("/dev/authorize", &["GET", "POST"]),
    ("/healthz", &["GET"]),
    ("/readyz", &["GET"]),
    ("/openapi.json", &["GET"]),
    ("/schemas", &["GET"]),
    ("/schemas/Candidate/1.0", &["GET"]),
    ("/log/head", &["GET"]),
    (
        "/log/proof?event=00000000-0000-7000-8000-00000000dead",
        &["GET"],
    ),
    ("/log/consistency?first=0", &["GET"]),
    ("/admin/kpis", &["GET"]),
    ("/admin/policy/explain", &["GET"]),
    ("/admin/policy/approvals", &["POST"]),
    (
        "/admin/break-glass/00000000-0000-4000-8000-00000000dead/approve",
        &["POST"],
    ),
    ("/admin/imports", &["GET", "POST"]),
    ("/admin/imports/people", &["GET"]),
    ("/admin/integrations", &["GET"]),
    ("/admin/refused", &["GET"]),
    (
        "/admin/refused/00000000-0000-4000-8000-00000000dead/resolve",
        &["POST"],
    ),
    (
        "/scim/v2/Persons/00000000-0000-4000-8000-00000000dead/lineage",
        &["GET"],
    ),
    (
        "/scim/v2/Persons/00000000-0000-4000-8000-00000000dead/elevate",
        &["POST"],
    ),
    (
        "/scim/v2/Persons/00000000-0000-4000-8000-00000000dead/merge",
        &["POST"],
    ),
    (
        "/scim/v2/Persons/00000000-0000-4000-8000-00000000dead/split",
        &["POST"],
    ),
    (
        "/scim/v2/Applications/00000000-0000-4000-8000-00000000dead/timeline",
        &["GET"],
    ),
    (
        "/scim/v2/Applications/00000000-0000-4000-8000-00000000dead/evidence-pack",
        &["GET"],
    ),
    ("/scim/v2/Events", &["GET"]),
    ("/nothing", &["GET", "POST"]),
];
/// An id that nobody has.
const NOBODY: &str = "00000000-0000-4000-8000-00000000dead";

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

/// What the bearer of a token gets on a route, method by method.
async fn walk(token: Option<&str>, url: &str, methods: &[String]) -> String {
    let mut line = String::new();
    for method in methods {
        let url = if method == "DELETE" {
            url.replace("{id}", NOBODY)
        } else {
            url.to_owned()
        };
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = client::http().request(verb, &url);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if method != "GET" && method != "DELETE" {
            // A search of everything; for all else a body that says nothing.
            let body = if url.ends_with("/.search") {
                json!({"schemas": [SEARCH]})
            } else {
                json!({})
            };
            request = request
                .header("content-type", "application/scim+json")
                .body(body.to_string());
        }
        let status = request.send().await.unwrap().status().as_u16();
        let _ = write!(line, " {method} {status}");
    }
    line
}

async fn every_route_refuses_strangers(app: &App) {
    apply(app, &policy());
    another_tenant(app).await;
    let hris = app.client("hris").await;
    let person = ada(&hris).await;
    let id = person["id"].as_str().unwrap().to_owned();
    let customer = json!({"displayName": "Bo", CUSTOMER: {"status": "lead"}});
    hris.create("/Persons", customer).await;
    let group = hris
        .create(
            "/Groups",
            json!({"displayName": "all", "members": [{"value": id}]}),
        )
        .await;
    let group = group["id"].as_str().unwrap().to_owned();
    let event = app.service().events(0, 1).unwrap()[0].1["eventId"].clone();
    let real = |path: &str| match path.trim_end_matches("/{id}") {
        "/Groups" => group.clone(),
        "/GroupMemberships" => format!("{group}.{id}"),
        "/ResourceTypes" => "User".into(),
        "/Schemas" => "urn:ietf:params:scim:schemas:core:2.0:User".into(),
        "/AuditEvents" => event.as_str().unwrap().to_owned(),
        _ => id.clone(),
    };
    let known = routes(app).await;
    assert!(known.len() > 20, "{known:?}");
    let mut told = String::new();
    for name in [
        "stranger", "foreign", "hris", "idp", "crm", "verifier", "auditor", "okta",
    ] {
        let token = match name {
            "stranger" => None,
            "foreign" => Some(app.token("conformance").await),
            name => Some(app.token(name).await),
        };
        let _ = writeln!(told, "{name}");
        for (path, methods) in &known {
            let (delete, others): (Vec<String>, Vec<String>) = methods
                .iter()
                .cloned()
                .partition(|method| method == "DELETE");
            let url = format!("{}{path}", app.scim());
            let at = url.replace("{id}", &real(path));
            let mut line = walk(token.as_deref(), &at, &others).await;
            line += &walk(token.as_deref(), &url, &delete).await;
            let _ = writeln!(told, "  {path}:{line}");
        }
        for (path, methods) in OTHERS {
            let methods: Vec<String> = methods.iter().map(ToString::to_string).collect();
            let line = walk(
                token.as_deref(),
                &format!("{}{path}", app.origin()),
                &methods,
            )
            .await;
            let _ = writeln!(told, "  {path}:{line}");
        }
    }
    compare(&told);
    // The other tenant's client, who may do everything there, finds nobody here.
    let foreign = app.client("conformance").await;
    for path in ["/Users", "/Persons", "/Groups", "/GroupMemberships"] {
        assert_eq!(foreign.get(path).await.ok(200)["totalResults"], 0, "{path}");
    }
    let log = foreign.find("/AuditEvents", "type sw \"person\"").await;
    assert_eq!(log, Vec::<Value>::new());
    // What one tenant holds alone another may hold too.
    foreign.create("/Users", json!({"userName": "ada"})).await;
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
