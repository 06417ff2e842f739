//! A person in the forms of hiring tools: the Candidate of the contracts, and HR-Open's names (B-036, B-057, B-058, B-085,
//! B-099). What is hidden is hidden in each.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::policy::apply;
use crate::support::{Answer, App, CANDIDATE, Client, EMPLOYEE, on_both};
use crate::validator::{Validator, published};

on_both!(
    a_candidate_is_rendered_by_hr_opens_names,
    a_worker_is_rendered_beside_the_candidate,
    what_is_hidden_is_in_no_form,
    a_form_is_asked_for_by_query_or_by_accept,
    a_candidate_keeps_its_contract
);

/// `hris` has the purposes; `crm` has none, and a phone number and a birth date are hidden from it.
const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR }
  - { name: crm, kind: crm, owner: Sales }
roles:
  all: [{ types: ["*"], rights: [read, search, write, delete] }]
clients:
  - { name: hris, issuer: "ISSUER", match: { claim: azp, equals: hris }, tenant: default, system: hris, roles: [all], purposes: [payroll, recruiting] }
  - { name: crm, issuer: "ISSUER", match: { claim: azp, equals: crm }, tenant: default, system: crm, roles: [all] }
masking:
  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }
  - { attributes: [phoneNumbers], openTo: [recruiting], otherwise: omit }
  - { attributes: ["emails[type eq \"home\"]"], openTo: [recruiting], otherwise: omit }
"#;

async fn tomas(client: &Client) -> String {
    let made = client
        .create(
            "/Persons",
            json!({
                "name": {"formatted": "Dr. Tomas Lindqvist", "givenName": "Tomas", "familyName": "Lindqvist", "honorificPrefix": "Dr."},
                "emails": [
                    {"value": "tomas@home.example", "type": "home", "primary": true},
                    {"value": "tomas@north.example", "type": "work"},
                ],
                "phoneNumbers": [{"value": "+46 8 123 456", "type": "mobile"}],
                "addresses": [{"locality": "Lund", "region": "Skåne", "country": "SE", "type": "home"}],
                "birthDate": "1990-02-01",
                "employmentHistory": [{"organization": "North", "title": "Pilot", "startDate": "2020-01-01", "endDate": "2024-06-30"}],
                CANDIDATE: {"status": "active", "sourceType": "referral", "skills": ["Rust", "Sailing"], "availableFrom": "2031-05-01"},
            }),
        )
        .await;
    format!("/Persons/{}", made["id"].as_str().unwrap())
}

async fn accepting(client: &Client, path: &str, accept: &str) -> Answer {
    client
        .send(Method::GET, path, &[("accept", accept)], None)
        .await
}

async fn a_candidate_is_rendered_by_hr_opens_names(app: &App) {
    let admin = app.client("admin").await;
    let path = tomas(&admin).await;
    let answer = admin.get(&format!("{path}?format=hropen")).await;
    let body = answer.ok(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/vnd.hropen+json")
    );
    assert!(body["note"].as_str().unwrap().contains("not claimed"));
    assert_eq!(body.get("worker"), None);
    let id = path.rsplit('/').next().unwrap();
    assert_eq!(
        body["candidate"],
        json!({
            "documentId": {"value": id, "schemeId": "Candidate", "schemeAgencyId": "Muster"},
            "person": {
                "id": {"value": id, "schemeId": "Person", "schemeAgencyId": "Muster"},
                "name": {"formattedName": "Dr. Tomas Lindqvist", "given": "Tomas", "family": "Lindqvist", "titleAffixes": ["Dr."]},
                "birthDate": "1990-02-01",
                "communication": {
                    "address": [{"useCode": "personal", "city": "Lund", "countrySubDivisions": [{"type": "region", "value": "Skåne"}], "countryCode": "SE"}],
                    "phone": [{"useCode": "mobile", "formattedNumber": "+46 8 123 456"}],
                    "email": [
                        {"useCode": "personal", "preference": 1, "address": "tomas@home.example"},
                        {"useCode": "business", "address": "tomas@north.example"},
                    ],
                },
            },
            "profiles": [{
                "candidateStatus": {"name": "active"},
                "candidateSources": [{"type": "referral"}],
                "personAvailability": {"availabilityDates": [{"start": "2031-05-01"}]},
                "qualifications": [{"competencyName": "Rust"}, {"competencyName": "Sailing"}],
                "employment": [{
                    "organization": {"name": "North"}, "start": "2020-01-01", "end": "2024-06-30",
                    "positionHistories": [{"title": "Pilot", "start": "2020-01-01", "end": "2024-06-30"}],
                }],
            }],
        })
    );
}

async fn a_worker_is_rendered_beside_the_candidate(app: &App) {
    let admin = app.client("admin").await;
    let path = tomas(&admin).await;
    let role = json!([{"op": "add", "path": EMPLOYEE, "value": {
        "status": "Pending", "statusReason": "NewHire", "employeeNumber": "417", "hireDate": "2031-04-01",
        "startDate": "2031-05-01", "jobTitle": "Pilot", "department": "Harbors", "positionId": "P-9",
    }}]);
    admin.patch(&path, role).await.ok(200);
    let answer = admin.get(&format!("{path}?format=hropen")).await;
    let body = answer.ok(200);
    assert_eq!(body["worker"]["person"], body["candidate"]["person"]);
    assert_eq!(
        body["worker"]["employment"],
        json!({"employeeId": "417", "status": "Pending", "statusReason": "NewHire", "hireDate": "2031-04-01", "start": "2031-05-01"})
    );
    assert_eq!(
        body["worker"]["deployments"],
        json!([{"positionId": "P-9", "positionTitle": "Pilot", "department": {"name": "Harbors"}}])
    );
}

async fn what_is_hidden_is_in_no_form(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let path = tomas(&hris).await;
    let hidden = ["1990-02-01", "123 456", "tomas@home.example"];
    for (format, seen) in [("hropen", &hidden[..]), ("contract", &hidden[1..])] {
        let asked = format!("{path}?format={format}");
        let whole = hris.get(&asked).await.ok(200).to_string();
        let masked = crm.get(&asked).await.ok(200).to_string();
        assert!(masked.contains("tomas@north.example"), "{masked}");
        for value in seen {
            assert!(whole.contains(value), "{format}: {value} is not in {whole}");
        }
        for value in hidden {
            assert!(!masked.contains(value), "{format}: {value} is in {masked}");
        }
        // What is open and shown was read, in whatever form.
        let read = hris
            .find(
                "/AuditEvents",
                "type eq \"person.read\" and client eq \"hris\"",
            )
            .await;
        assert!(!read.is_empty());
    }
}

async fn a_form_is_asked_for_by_query_or_by_accept(app: &App) {
    let admin = app.client("admin").await;
    let path = tomas(&admin).await;
    let by_query = admin.get(&format!("{path}?format=hropen")).await;
    let by_accept = accepting(&admin, &path, "application/vnd.hropen+json").await;
    assert_eq!(by_accept.ok(200), by_query.ok(200));
    assert_eq!(by_accept.header("vary"), Some("Accept"));
    let plain = accepting(&admin, &path, "application/scim+json, */*;q=0.1").await;
    assert_eq!(
        plain.ok(200),
        admin.get(&format!("{path}?format=scim")).await.ok(200)
    );
    let narrow = admin
        .get(&format!(
            "{path}?format=hropen&attributes={CANDIDATE}:status"
        ))
        .await;
    let narrow = narrow.ok(200);
    assert_eq!(
        narrow["candidate"]["profiles"],
        json!([{"candidateStatus": {"name": "active"}}])
    );
    assert_eq!(narrow["candidate"]["person"].get("name"), None);

    let unknown = admin.get(&format!("{path}?format=hr-open")).await;
    assert!(unknown.refused(400, "invalidValue").contains("hropen"));
    let nobody = admin
        .create("/Persons", json!({"displayName": "Nobody"}))
        .await;
    for format in ["hropen", "contract"] {
        let asked = format!(
            "/Persons/{}?format={format}",
            nobody["id"].as_str().unwrap()
        );
        admin.get(&asked).await.refused(406, "");
    }
    let group = admin
        .create("/Groups", json!({"displayName": "Harbors"}))
        .await;
    let asked = format!("/Groups/{}?format=hropen", group["id"].as_str().unwrap());
    admin.get(&asked).await.refused(406, "");
}

async fn a_candidate_keeps_its_contract(app: &App) {
    let admin = app.client("admin").await;
    let path = tomas(&admin).await;
    let answer = admin.get(&format!("{path}?format=contract")).await;
    let body = answer.ok(200);
    let described = format!(
        "<{}/schemas/Candidate/1.0>; rel=\"describedby\"",
        app.origin()
    );
    assert_eq!(answer.header("link"), Some(&*described));
    let validator = Validator::new(&published(app, "Candidate").await);
    validator.accept(body);
    assert_eq!(body["primaryEmail"], "tomas@home.example");
    assert_eq!(body["phone"], "+46 8 123 456");
    for required in ["candidateId", "primaryEmail", "createdAt"] {
        let mut less: Value = body.clone();
        less.as_object_mut().unwrap().remove(required);
        assert!(validator.complaint(&less).is_some(), "{required}");
    }
    let mut keyed = body.clone();
    keyed["candidateId"] = json!("C-1001");
    assert!(
        validator.complaint(&keyed).is_some(),
        "a vendor's id is no key"
    );
}
