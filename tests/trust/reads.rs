//! Whoever is shown what is classified is on the log, with the purpose, the attribute and the person, whichever way it is shown
//! and whoever is not is not.

use reqwest::Method;
use serde_json::{Value, json};

use crate::other_kinds::home;
use crate::rules::{POLICY, apply};
use crate::support::{App, Client, PATCH_OP, PERSON, SEARCH, USER, on_both};
use crate::world::World;

on_both!(
    whatever_shows_it_is_logged,
    what_is_made_is_shown_and_logged,
    what_does_not_show_it_is_not
);

/// `admin` sees birth dates, phone numbers and the terms of offers for its purposes, and is somebody itself.
fn policy() -> String {
    home(POLICY)
        .replacen(
            "roles: [all], purposes",
            "roles: [all], me: { claim: preferred_username, attribute: userName }, purposes",
            1,
        )
        .replace(
            "masking:\n",
            "masking:\n  - { attributes: [Offer.terms, Interview.scheduledAt, Employment.hireDate], openTo: [payroll], otherwise: omit }\n",
        )
}

/// A person of whom `admin` has said what is classified, and an application with an offer.
async fn scene(app: &App) -> (Client, World) {
    apply(app, &policy());
    let world = World::make(app, ("admin", "ats"), "seen").await;
    let admin = app.client_as("admin", "ada-seen").await;
    let phone = json!([{"op": "add", "path": "phoneNumbers", "value": [{"value": "+44 20 7946 0123", "type": "work"}]}]);
    let path = format!("/Users/{}", world.id("/Users"));
    admin.patch(&path, phone).await.ok(200);
    let terms = json!([{"op": "add", "path": "terms.title", "value": "Pilot"}]);
    let path = format!("/Offers/{}", world.id("/Offers"));
    admin.patch(&path, terms).await.ok(200);
    (admin, world)
}

/// How many reads of an attribute of somebody by `admin` the log tells, each with the purpose.
async fn told(auditor: &Client, (attribute, person): (&str, &str), purpose: &str) -> usize {
    let filter = format!(
        "type sw \"person.read\" and client eq \"admin\" and attributes eq \"{attribute}\" and personId eq \"{person}\""
    );
    let found = auditor.find("/AuditEvents", &filter).await;
    for event in &found {
        assert!(
            event["purpose"].as_str().unwrap().contains(purpose),
            "{event}"
        );
        assert!(event["subjects"].to_string().contains(person), "{event}");
        assert!(
            !event.to_string().contains("1985-12-10"),
            "no value: {event}"
        );
    }
    found.len()
}

/// What of whom each shows, and the request.
type Case = (&'static str, &'static str, Method, String, Option<Value>);

fn cases(world: &World) -> Vec<Case> {
    let (person, account) = (world.id("/Persons"), world.id("/Users"));
    let search = |id: &str| Some(json!({"schemas": [SEARCH], "filter": format!("id eq \"{id}\"")}));
    let patch = |path: &str, value: &str| {
        Some(
            json!({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]}),
        )
    };
    let user = json!({"schemas": [USER], "userName": "ada-seen", "displayName": "Ada K.",
        "phoneNumbers": [{"value": "+44 20 7946 0123", "type": "work"}]});
    let whole = json!({"schemas": [PERSON], "displayName": "Bo", "birthDate": "1985-12-10", "name": {"givenName": "Bo"}});
    let application = format!("/Applications/{}", world.id("/Applications"));
    let at = format!("/Persons/{person}");
    let (of_person, of_account, of_offer) = (
        ("birthDate", "/Persons"),
        ("phoneNumbers", "/Users"),
        ("terms.title", "/Persons"),
    );
    let case = |(attribute, of), method, path: String, body| (attribute, of, method, path, body);
    vec![
        case(of_account, Method::GET, "/Me".into(), None),
        case(
            of_account,
            Method::PATCH,
            "/Me".into(),
            patch("displayName", "Ada King"),
        ),
        case(of_account, Method::PUT, "/Me".into(), Some(user.clone())),
        case(
            of_account,
            Method::PUT,
            format!("/Users/{account}"),
            Some(user),
        ),
        case(of_account, Method::POST, "/.search".into(), search(account)),
        case(
            of_account,
            Method::POST,
            "/Users/.search".into(),
            search(account),
        ),
        case(of_person, Method::POST, "/.search".into(), search(person)),
        case(
            of_person,
            Method::POST,
            "/Persons/.search".into(),
            search(person),
        ),
        case(of_person, Method::GET, format!("{at}?format=hropen"), None),
        case(
            of_person,
            Method::GET,
            format!("{at}/lineage?path=birthDate"),
            None,
        ),
        case(of_person, Method::GET, "/Events?after=0".into(), None),
        case(
            of_person,
            Method::PATCH,
            at.clone(),
            patch("displayName", "Bob"),
        ),
        case(of_person, Method::PUT, at.clone(), Some(whole)),
        case(
            of_person,
            Method::POST,
            format!("{at}/elevate"),
            Some(json!({"path": "displayName", "system": "hris", "reason": "it is right"})),
        ),
        case(
            of_person,
            Method::POST,
            format!("{at}/merge"),
            Some(json!({"with": world.id("spare"), "reason": "they are one"})),
        ),
        case(
            of_person,
            Method::POST,
            format!("{at}/split"),
            Some(json!({"id": world.id("spare"), "reason": "they are two"})),
        ),
        case(
            of_offer,
            Method::GET,
            format!("{application}/timeline"),
            None,
        ),
        case(
            of_offer,
            Method::GET,
            format!("{application}/evidence-pack"),
            None,
        ),
        case(
            of_offer,
            Method::GET,
            format!("/Offers/{}", world.id("/Offers")),
            None,
        ),
        case(
            ("scheduledAt", "/Persons"),
            Method::GET,
            "/Interviews".into(),
            None,
        ),
        case(
            ("hireDate", "/Persons"),
            Method::GET,
            format!("/Employments/{}", world.id("/Employments")),
            None,
        ),
        case(
            ("scheduledAt", "/Persons"),
            Method::PATCH,
            format!("/Interviews/{}", world.id("/Interviews")),
            patch("status", "completed"),
        ),
    ]
}

async fn whatever_shows_it_is_logged(app: &App) {
    let (admin, world) = scene(app).await;
    let auditor = app.client("strict").await;
    let mut unlogged = Vec::new();
    for (attribute, of, method, path, body) in cases(&world) {
        let known = (attribute, world.id(of));
        let purpose = if attribute == "phoneNumbers" {
            "employment"
        } else {
            "payroll"
        };
        let before = told(&auditor, known, purpose).await;
        let body = body.map(|body| body.to_string().into_bytes());
        let answer = admin.send(method.clone(), &path, &[], body).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text);
        let after = told(&auditor, known, purpose).await;
        if after == before {
            unlogged.push(format!("{attribute} by {method} {path}: {}", answer.text));
        }
    }
    assert!(unlogged.is_empty(), "{unlogged:#?}");
}

/// Whoever makes somebody is shown what it has made.
async fn what_is_made_is_shown_and_logged(app: &App) {
    let (admin, _) = scene(app).await;
    let auditor = app.client("strict").await;
    let made = json!({"displayName": "Eve", "birthDate": "1985-12-10"});
    let made = admin.create("/Persons", made).await;
    let known = ("birthDate", made["id"].as_str().unwrap());
    assert_eq!(told(&auditor, known, "payroll").await, 1);
    let eve = app.client_as("admin", "eve").await;
    let phones = json!([{"value": "+44 20 7946 0199", "type": "work"}]);
    let account = json!({"schemas": [USER], "userName": "eve", "phoneNumbers": phones});
    let body = Some(account.to_string().into_bytes());
    let me = eve.send(Method::POST, "/Me", &[], body).await;
    let known = ("phoneNumbers", me.ok(201)["id"].as_str().unwrap());
    assert_eq!(told(&auditor, known, "employment").await, 1);
}

async fn what_does_not_show_it_is_not(app: &App) {
    let (admin, world) = scene(app).await;
    let auditor = app.client("strict").await;
    let known = ("birthDate", world.id("/Persons"));
    let before = told(&auditor, known, "payroll").await;
    let at = format!("/Persons/{}", world.id("/Persons"));
    let name = json!([{"op": "replace", "path": "displayName", "value": "Bob"}]);
    let minimal = [("prefer", "return=minimal")];
    admin.patch_if(&at, &minimal, name.clone()).await;
    admin
        .patch(&format!("{at}?attributes=displayName"), name)
        .await
        .ok(200);
    admin
        .get(&format!("{at}/lineage?path=displayName"))
        .await
        .ok(200);
    let search = json!({"filter": format!("id eq \"{}\"", known.1), "attributes": ["displayName"]});
    admin.search("", search).await.ok(200);
    assert_eq!(told(&auditor, known, "payroll").await, before);
}
