//! A hiring flow from requisition to employment: what the server answers is valid as SCIM, as one of the six objects, and in
//! the log (B-027, B-036, B-057 to B-065, B-089, A-113 to A-115).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::log::check_log;
use crate::support::{App, CANDIDATE, Client, on_both};
use crate::validator::{Validator, published};

on_both!(
    a_whole_hiring_flow_keeps_its_contracts,
    what_an_append_only_contract_refuses_the_server_refuses
);

/// Each resource type of the flow, and the object it is exchanged as.
const OBJECTS: [(&str, Option<&str>); 8] = [
    ("Person", Some("Candidate")),
    ("Requisition", None),
    ("Application", Some("Application")),
    ("Verification", Some("VerificationEvent")),
    ("Interview", Some("Interview")),
    ("Assessment", Some("AssessmentResult")),
    ("Offer", Some("Offer")),
    ("Employment", None),
];

/// A resource of a hiring type as a client sends it.
fn sent(ty: &str, mut content: Value) -> Value {
    content["schemas"] = json!([format!("urn:muster:scim:schemas:core:1.0:{ty}")]);
    content
}

/// Makes a resource; its path.
async fn make(client: &Client, ty: &str, content: Value) -> String {
    let made = client.order(&format!("/{ty}s"), sent(ty, content)).await;
    format!("/{ty}s/{}", made.ok(201)["id"].as_str().unwrap())
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn external(field: &str, value: &str) -> Value {
    json!([{"system": "greenhouse", "field": field, "value": value}])
}

/// The paths of one resource of each type, in the order of [`OBJECTS`].
async fn flow(client: &Client) -> Vec<String> {
    let person = client
        .create(
            "/Persons",
            json!({
                "name": {"givenName": "Ines", "familyName": "Okafor"},
                "emails": [{"value": "ines@home.example", "primary": true}],
                "phoneNumbers": [{"value": "+351 210 000 001", "type": "mobile"}],
                "externalIdentifiers": external("candidate_id", "C-1001"),
                CANDIDATE: {"status": "active", "sourceName": "referral"},
            }),
        )
        .await;
    let person = format!("/Persons/{}", person["id"].as_str().unwrap());
    let requisition = json!({"jobId": "REQ-10291", "title": "Pilot", "status": "Active", "requiredVerificationTier": 2});
    let requisition = make(client, "Requisition", requisition).await;
    let application = make(
        client,
        "Application",
        json!({
            "candidate": {"value": id(&person)}, "requisition": {"value": id(&requisition)}, "status": "sourced",
            "appliedAt": "2031-02-01T09:00:00Z", "source": "referral", "externalIdentifiers": external("application_id", "A-7"),
        }),
    )
    .await;
    let [verification, interview, assessment] = evidence(client, &application, &person).await;
    let on = json!({"value": id(&application)});
    let offer = json!({
        "application": on, "status": "sent", "terms": {"title": "Pilot", "startDate": "2031-04-01"},
        "complianceDocuments": [{"type": "nda", "ref": "https://docs.example/nda/7", "retentionUntil": "2041-01-01"}],
    });
    let offer = make(client, "Offer", offer).await;
    let accepted = json!([{"op": "replace", "path": "status", "value": "accepted"}]);
    client.patch(&offer, accepted).await.ok(200);
    let employment = json!({
        "person": {"value": id(&person)}, "offer": {"value": id(&offer)}, "hireDate": "2031-04-01", "jobTitle": "Pilot",
    });
    let employment = make(client, "Employment", employment).await;
    vec![
        person,
        requisition,
        application,
        verification,
        interview,
        assessment,
        offer,
        employment,
    ]
}

/// What is found out about an applicant.
async fn evidence(client: &Client, application: &str, interviewer: &str) -> [String; 3] {
    let on = json!({"value": id(application)});
    let verification = json!({
        "application": on, "occurredAt": "2031-02-02T09:00:00Z", "tierRequired": 2, "tierSatisfied": 2, "decision": "pass",
        "evidencePackRef": "https://evidence.example/packs/7", "reasonCodes": ["document_ok"], "vendor": "integritylens",
    });
    let verification = make(client, "Verification", verification).await;
    let interview = json!({
        "application": on, "scheduledAt": "2031-02-03T09:00:00Z", "status": "scheduled",
        "feedback": [{"interviewer": id(interviewer), "rating": 4, "recommendation": "yes"}],
    });
    let interview = make(client, "Interview", interview).await;
    let assessment = json!({
        "application": on, "occurredAt": "2031-02-04T09:00:00Z", "vendor": "vendor-x", "attemptId": "t-1", "result": "pass",
        "score": 87.5, "scoreMax": 100,
    });
    let assessment = make(client, "Assessment", assessment).await;
    [verification, interview, assessment]
}

async fn a_whole_hiring_flow_keeps_its_contracts(app: &App) {
    let admin = app.client("admin").await;
    let paths = flow(&admin).await;
    for ((ty, object), path) in OBJECTS.into_iter().zip(&paths) {
        let schema = published(app, &format!("{ty}Resource")).await;
        let answer = admin.get(path).await;
        Validator::new(&schema).accept(answer.ok(200));
        let asked = admin.get(&format!("{path}?format=contract")).await;
        let Some(object) = object else {
            asked.refused(406, "");
            continue;
        };
        let body = asked.ok(200);
        Validator::new(&published(app, object).await).accept(body);
        let own = body
            .as_object()
            .unwrap()
            .values()
            .any(|value| value == id(path));
        assert!(own, "{object} does not name itself: {body}");
    }
    let application = admin.get(&format!("{}?format=contract", paths[2])).await;
    let application = application.ok(200);
    assert_eq!(application["candidateId"], id(&paths[0]));
    assert_eq!(application["jobId"], "REQ-10291");
    assert_eq!(application["externalIds"][0]["value"], "A-7");
    let offer = admin.get(&format!("{}?format=contract", paths[6])).await;
    assert_eq!(offer.ok(200)["candidateId"], id(&paths[0]));

    let types = check_log(app, &admin).await;
    let wanted = [
        "application.created",
        "verification.passed",
        "CandidateToEmployee",
        "onboarding.it.requested",
        "employment.created",
    ];
    let wanted = BTreeSet::from(wanted.map(str::to_owned));
    assert!(wanted.is_subset(&types), "{types:?}");
}

/// B-064: by the published contract and by the server alike.
async fn what_an_append_only_contract_refuses_the_server_refuses(app: &App) {
    let admin = app.client("admin").await;
    let paths = flow(&admin).await;
    let schema = published(app, "VerificationResource").await;
    let input = Validator::of_part(&schema, "#/$defs/VerificationInput");
    let sound = sent(
        "Verification",
        json!({
            "application": {"value": id(&paths[2])}, "occurredAt": "2031-02-05T09:00:00Z", "tierRequired": 2,
            "tierSatisfied": 0, "decision": "fail", "evidencePackRef": "https://evidence.example/packs/8",
        }),
    );
    input.accept(&sound);
    admin.order("/Verifications", sound.clone()).await.ok(201);
    for (name, value) in [("faceTemplate", json!("b64")), ("decision", json!("maybe"))] {
        let mut more = sound.clone();
        more[name] = value;
        assert!(input.complaint(&more).is_some(), "{name}");
        let answer = admin.order("/Verifications", more).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.body);
    }
}
