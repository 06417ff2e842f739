//! The server serves the contracts to anybody, and keeps to them (A-119, B-036, B-089).

use serde_json::{Value, json};

use crate::support::{App, CANDIDATE, CONSENT, CUSTOMER, EMPLOYEE, ENTERPRISE, client, on_both};
use crate::validator::{Validator, published};

on_both!(
    every_contract_of_the_index_is_served_to_strangers,
    what_the_server_answers_is_valid
);

async fn every_contract_of_the_index_is_served_to_strangers(app: &App) {
    let http = client::http();
    let index = format!("{}/schemas", app.origin());
    let answer = http.get(&index).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let listed: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let listed = listed["contracts"].as_array().unwrap();
    for contract in listed {
        let location = contract["location"].as_str().unwrap();
        assert!(location.starts_with(&index), "{location}");
        let answer = http.get(location).send().await.unwrap();
        let schema: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(schema["$id"], contract["$id"]);
    }
    for subject in ["object", "resource", "event"] {
        assert!(
            listed.iter().any(|one| one["subject"] == subject),
            "{subject}"
        );
    }
    // One of each resource type that discovery names.
    let types = app.stranger().get("/ResourceTypes").await;
    for ty in types.resources() {
        let name = format!("{}Resource", ty["name"].as_str().unwrap());
        assert!(
            listed.iter().any(|one| one["name"] == name.as_str()),
            "{name}"
        );
    }
    for unknown in ["/Candidate/0.9", "/Nothing/1.0", "/candidate/1.0"] {
        let answer = http.get(format!("{index}{unknown}")).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{unknown}");
    }
    for path in ["", "/Candidate/1.0"] {
        let answer = http.post(format!("{index}{path}")).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &"GET".parse().unwrap())
        );
    }
}

async fn what_the_server_answers_is_valid(app: &App) {
    let admin = app.client("admin").await;
    let user = admin
        .create(
            "/Users",
            json!({
                "userName": "ines", "externalId": "u-1", "active": true,
                "name": {"givenName": "Ines", "familyName": "Okafor"},
                "emails": [{"value": "ines@north.example", "type": "work", "primary": true}],
                ENTERPRISE: {"employeeNumber": "417", "department": "Harbors"},
            }),
        )
        .await;
    let person = admin
        .create(
            "/Persons",
            json!({
                "displayName": "Tomas Lindqvist", "birthDate": "1990-02-01", "nationalities": ["SE"],
                "phoneNumbers": [{"value": "+46 8 123 456", "type": "mobile"}],
                "employmentHistory": [{"organization": "North", "title": "Pilot", "startDate": "2020-01-01"}],
                CANDIDATE: {"status": "active", "skills": ["Rust"], "noticePeriodDays": 30},
                EMPLOYEE: {"status": "Pending", "hireDate": "2031-04-01"},
                CUSTOMER: {"status": "lead"},
                CONSENT: {"consents": [{"purpose": "Hiring", "legalBasis": "consent", "status": "given"}]},
            }),
        )
        .await;
    let group = json!({"displayName": "Harbors", "members": [{"value": user["id"]}]});
    let group = admin.create("/Groups", group).await;
    let other = admin.create("/Users", json!({"userName": "olaf"})).await;
    let membership = json!({"group": {"value": group["id"]}, "member": {"value": other["id"]}});
    admin.create("/GroupMemberships", membership).await;
    let made = [("User", user), ("Person", person), ("Group", group)];
    for (name, made) in made {
        let validator = Validator::new(&published(app, &format!("{name}Resource")).await);
        validator.accept(&made);
        let mut spoiled = made.clone();
        spoiled["displayName"] = json!(7);
        assert!(validator.complaint(&spoiled).is_some(), "{name}: {spoiled}");
    }
    for (name, endpoint) in [
        ("User", "/Users"),
        ("Person", "/Persons?excludedAttributes=name"),
        ("Group", "/Groups"),
        ("GroupMembership", "/GroupMemberships"),
        ("AuditEvent", "/AuditEvents"),
    ] {
        let validator = Validator::new(&published(app, &format!("{name}Resource")).await);
        let answer = admin.get(endpoint).await;
        let listed = answer.resources();
        assert!(!listed.is_empty(), "{endpoint}");
        for resource in listed {
            validator.accept(resource);
        }
    }
}
