//! Every step from every status to every other (A-110 to A-115): those that `transitions.json` has are done, all others are refused,
//! with what would be possible, and change nothing. That table is written by hand, from the contract and the README: it is not
//! what the server goes by.

use muster::clock::Clock;
use serde_json::{Map, Value, json};

use crate::stage::*;
use crate::support::{App, Client, on_both};

on_both!(
    a_110_an_application_goes_only_where_it_may,
    a_113_an_offer_goes_only_where_it_may,
    a_036_a_requisition_goes_where_its_owner_says,
    a_114_an_employment_goes_where_the_dates_allow
);

type Table = Map<String, Value>;

/// A part of the table.
fn table(part: &str) -> Table {
    let all: Value = serde_json::from_str(include_str!("transitions.json")).unwrap();
    all.pointer(part).unwrap().as_object().unwrap().clone()
}

/// The statuses of a type are exactly those of the table, as clients discover them.
async fn covers(client: &Client, name: &str, table: &Table) {
    let path = format!("/Schemas/urn:muster:scim:schemas:core:1.0:{name}");
    let schema = client.get(&path).await.ok(200)["attributes"].clone();
    let mut attributes = schema.as_array().unwrap().iter();
    let status = attributes.find(|one| one["name"] == "status").unwrap();
    let mut known: Vec<&str> = status["canonicalValues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    known.sort_unstable();
    let mut written: Vec<&str> = table.keys().map(String::as_str).collect();
    written.sort_unstable();
    assert_eq!(known, written, "{name}");
}

/// What a refused step leaves as it was: the record with its version, and what the log has of it.
async fn left(app: &App, client: &Client, path: &str) -> (Value, usize) {
    let known = client.get(path).await.ok(200).clone();
    let events = app.events_of(id(&known));
    (known, events.len())
}

/// One step that is not allowed, by PATCH and by PUT.
async fn refuses(app: &App, client: &Client, path: &str, (from, to): (&str, &str), may: &[&str]) {
    let before = left(app, client, path).await;
    let mut whole = before.0.clone();
    whole["status"] = to.into();
    let patched = client.patch(path, replace("status", to.into())).await;
    let put = client.put(path, whole).await;
    for refused in [patched, put] {
        let why = refused.refused(409, "");
        let step = format!("'status' is '{from}', which does not become '{to}'");
        assert!(why.contains(&step), "{why}");
        let possible = match may {
            [] => "it is final".to_owned(),
            some => format!("possible is {}", some.join(", ")),
        };
        assert!(why.ends_with(&possible), "{why}");
    }
    assert_eq!(left(app, client, path).await, before, "{from} → {to}");
}

/// One step that is allowed, or that leads nowhere: what it is then, and how many chapters its history has more.
async fn steps(client: &Client, path: &str, (from, to, then): (&str, &str, &str)) {
    let before = client.get(path).await.ok(200).clone();
    assert_eq!(before["status"], from);
    let after = client.patch(path, replace("status", to.into())).await;
    let after = after.ok(200);
    assert_eq!(after["status"], then, "{from} → {to}");
    let chapters = |one: &Value| one["statusHistory"].as_array().map(Vec::len);
    if let (Some(before), Some(after)) = (chapters(&before), chapters(after)) {
        assert_eq!(after, before + usize::from(from != then), "{from} → {to}");
    }
}

/// Every pair, each with a record of its own that `make` makes at a status.
async fn every_pair(
    (app, client): (&App, &Client),
    (name, endpoint): (&str, &str),
    make: impl AsyncFn(&str, usize) -> Value,
) {
    let table = table(&format!("/transitions/{name}"));
    covers(client, name, &table).await;
    let mut number = 0;
    for (from, may) in &table {
        let may: Vec<&str> = may
            .as_array()
            .unwrap()
            .iter()
            .map(|to| to.as_str().unwrap())
            .collect();
        for to in table.keys() {
            number += 1;
            let path = at(endpoint, &make(from, number).await);
            if from == to || may.contains(&to.as_str()) {
                steps(client, &path, (from, to, to)).await;
            } else {
                refuses(app, client, &path, (from, to), &may).await;
            }
        }
        number += 1;
        let path = at(endpoint, &make(from, number).await);
        let before = left(app, client, &path).await;
        let unknown = client.patch(&path, replace("status", json!("hired"))).await;
        assert!(unknown.refused(400, "invalidValue").contains(from.as_str()));
        assert_eq!(left(app, client, &path).await, before);
    }
}

/// B-060, B-014: and `hired` is no status.
async fn a_110_an_application_goes_only_where_it_may(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person) = (requisition(&ats, 0).await, candidate(&ats, "ines").await);
    let make = async |status: &str, number: usize| {
        let mut body = applying(&person, &job, &format!("ga-{number}"));
        body["status"] = status.into();
        ats.create("/Applications", body).await
    };
    every_pair((app, &ats), ("Application", "/Applications"), make).await;
}

/// A-041: accepted is final.
async fn a_113_an_offer_goes_only_where_it_may(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person) = (requisition(&ats, 0).await, candidate(&ats, "ines").await);
    // An application has one accepted offer: each has its own.
    let make = async |status: &str, number: usize| {
        let body = applying(&person, &job, &format!("ga-{number}"));
        let application = ats.create("/Applications", body).await;
        let body = json!({"application": to(&application), "status": status});
        ats.create("/Offers", body).await
    };
    every_pair((app, &ats), ("Offer", "/Offers"), make).await;
}

async fn a_036_a_requisition_goes_where_its_owner_says(app: &App) {
    let (ats, _) = set(app, "").await;
    let make = async |status: &str, number: usize| {
        let body =
            json!({"jobId": format!("REQ-{number}"), "title": "Harbor pilot", "status": status});
        ats.create("/Requisitions", body).await
    };
    every_pair((app, &ats), ("Requisition", "/Requisitions"), make).await;
}

/// A-039: of an employment the days have the last word, so the table says what becomes of each word before the first day and after it.
async fn a_114_an_employment_goes_where_the_dates_allow(app: &App) {
    let (_, hris) = set(app, "").await;
    let person = candidate(&hris, "ines").await;
    let today = app.clock.now().date_naive();
    for (when, days) in [("begun", -30), ("notBegun", 30)] {
        let table = table(&format!("/employment/{when}"));
        let first = (today + chrono::TimeDelta::days(days)).to_string();
        for (from, steps_to) in &table {
            for (to, then) in steps_to.as_object().unwrap() {
                let body =
                    json!({"person": crate::stage::to(&person), "hireDate": first, "status": from});
                let path = at("/Employments", &hris.create("/Employments", body).await);
                if let Some(then) = then.as_str() {
                    steps(&hris, &path, (from, to, then)).await;
                    continue;
                }
                // Before the first day it would be Pending again, whatever is said.
                let before = left(app, &hris, &path).await;
                let refused = hris
                    .patch(&path, replace("status", to.as_str().into()))
                    .await;
                let why = refused.refused(409, "");
                let step = format!("'status' is '{from}', which does not become 'Pending'");
                assert!(why.contains(&step), "{why}");
                assert!(why.ends_with("possible is Active, Terminated"), "{why}");
                assert_eq!(left(app, &hris, &path).await, before, "{from} → {to}");
            }
        }
    }
    let path = "/Schemas/urn:muster:scim:schemas:core:1.0:Employment";
    let schema = hris.get(path).await.ok(200).to_string();
    assert!(schema.contains(r#"["Pending","Active","Inactive","Terminated"]"#));
}
