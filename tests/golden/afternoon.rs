//! An afternoon: three systems tell of overlapping people, one golden record each; every link is explained, some are taken
//! back, and no value is without its source.

use serde_json::{Value, json};

use crate::resolution::matching;
use crate::support::policy::apply;
use crate::support::{App, Client, PROVENANCE, on_both};
use crate::survivorship::at;

on_both!(three_systems_tell_of_one_population);

const PEOPLE: usize = 120;
const SPLIT: usize = 10;

const GIVEN: [&str; 12] = [
    "Amara", "Boris", "Chiara", "Dmitri", "Eleni", "Farid", "Greta", "Hiroshi", "Ingrid", "Jorge",
    "Katja", "Lorenzo",
];
const FAMILY: [&str; 10] = [
    "Abernathy",
    "Bergstrom",
    "Castellano",
    "Dubrovsky",
    "Eriksen",
    "Fontaine",
    "Gallagher",
    "Holzmann",
    "Ivanova",
    "Jankowski",
];

/// What a system knows of somebody: each has its own way to write it, and only a part.
fn told(system: &str, n: usize) -> Value {
    let (given, family) = (GIVEN[n % 12], FAMILY[n / 12]);
    let (day, month, year) = (1 + n % 28, 1 + n % 12, 1950 + n % 50);
    let mail = format!("{}{n:03}@example.org", family.to_lowercase());
    let number = format!("20794{n:05}");
    let mut body = json!({"externalId": format!("{system}-{n}"), "name": {"givenName": given, "familyName": family}});
    match system {
        "ats" => {
            body["emails"] = json!([{"value": mail, "type": "home"}]);
            body["phoneNumbers"] = json!([{"value": format!("+44 {number}"), "type": "mobile"}]);
            body["birthDate"] = json!(format!("{year}-{month:02}-{day:02}"));
        }
        "hris" => {
            body["legalName"] = json!(format!("{given} {family}"));
            body["birthDate"] = json!(format!("{year}-{month:02}-{day:02}"));
            body["phoneNumbers"] = json!([{"value": format!("0044{number}"), "type": "work"}]);
        }
        _ => {
            body["name"]["givenName"] = json!(given.to_uppercase());
            body["emails"] = json!([{"value": mail.to_uppercase(), "type": "other"}]);
        }
    }
    body
}

async fn people(client: &Client) -> u64 {
    let list = client.list("/Persons", &[("count", "0")]).await;
    list.ok(200)["totalResults"].as_u64().unwrap()
}

async fn three_systems_tell_of_one_population(app: &App) {
    apply(app, &matching());
    let (hris, ats, crm) = (
        app.client("hris").await,
        app.client("ats").await,
        app.client("crm").await,
    );
    let mut linked = Vec::new();
    for n in 0..PEOPLE {
        let known = ats.create("/Persons", told("ats", n)).await;
        if n % 2 == 0 {
            let same = hris.create("/Persons", told("hris", n)).await;
            assert_eq!(same["id"], known["id"], "{n}");
            linked.push((n, same));
        }
        if n % 3 == 0 {
            assert_eq!(
                crm.create("/Persons", told("crm", n)).await["id"],
                known["id"],
                "{n}"
            );
        }
    }
    assert_eq!(people(&hris).await, PEOPLE as u64);
    assert_eq!(hris.find("/Reviews", "status eq \"open\"").await.len(), 0);
    // Every link is explained: who was compared, in what, how sure, by which model; and the bits add up.
    let links = hris
        .list(
            "/AuditEvents",
            &[("filter", "type eq \"person.updated\""), ("count", "200")],
        )
        .await;
    assert_eq!(links.resources().len(), PEOPLE / 2 + PEOPLE / 3);
    for event in links.resources() {
        assert_eq!(event["reasonCode"], "match");
        let detail: Value = serde_json::from_str(event["detail"].as_str().unwrap()).unwrap();
        let best = &detail["resolution"]["candidates"][0];
        let bits: f64 = best["comparisons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["bits"].as_f64().unwrap())
            .sum();
        let score = bits + best["prior"].as_f64().unwrap();
        assert!(
            (score - best["score"].as_f64().unwrap()).abs() < 1e-6,
            "{best}"
        );
        assert!(best["probability"].as_f64().unwrap() > 0.9 && best["model"].is_string());
    }
    // Ten links are taken back.
    for (n, person) in linked.iter().take(SPLIT) {
        let order =
            json!({"system": "hris", "externalId": format!("hris-{n}"), "reason": "not the same"});
        let new = hris.order(&format!("{}/split", at(person)), order).await;
        assert_eq!(new.ok(201)["legalName"], told("hris", *n)["legalName"]);
        assert_eq!(hris.get(&at(person)).await.ok(200).get("legalName"), None);
    }
    assert_eq!(people(&hris).await, (PEOPLE + SPLIT) as u64);
    every_value_has_its_source(&hris).await;
}

async fn every_value_has_its_source(hris: &Client) {
    let query = [
        (
            "attributes",
            &*format!("name,legalName,birthDate,emails,phoneNumbers,{PROVENANCE}:attributes"),
        ),
        ("count", "200"),
    ];
    let all = hris.list("/Persons", &query).await;
    assert_eq!(all.resources().len(), PEOPLE + SPLIT);
    for person in all.resources() {
        let sources = person[PROVENANCE]["attributes"].as_array().unwrap();
        let has = |path: &str| {
            sources.iter().any(|one| {
                one["path"] == path && one["system"].is_string() && one["eventId"].is_string()
            })
        };
        for single in ["legalName", "birthDate"] {
            assert!(
                person.get(single).is_none() || has(single),
                "{single} of {person}"
            );
        }
        assert!(has("name.givenName") && has("name.familyName"), "{person}");
        for many in ["emails", "phoneNumbers"] {
            for element in person[many].as_array().into_iter().flatten() {
                let path = format!("{many}[value eq {}]", element["value"]);
                assert!(has(&path), "{path} of {person}");
            }
        }
    }
}
