//! The six objects as the portable hiring schema wants them: what each requires, and the values that each allows (B-036,
//! B-057, B-059 to B-062, B-064, B-065, B-094, B-099).

use muster::domain::contract::Contract;
use serde_json::{Value, json};

use crate::published::contracts;
use crate::validator::Validator;

fn object(name: &str) -> Value {
    let found = contracts().into_iter().find(|one| one.name == name);
    let Contract { schema, .. } = found.unwrap_or_else(|| panic!("there is no contract {name}"));
    schema
}

/// A value that is valid by its schema.
fn sample(name: &str) -> Value {
    let id = |n: u8| format!("0191b2c4-7f00-7000-8000-0000000000{n:02}");
    let at = "2031-03-01T12:00:00Z";
    match name {
        "Candidate" => {
            json!({"candidateId": id(1), "primaryEmail": "ines@north.example", "createdAt": at})
        }
        "Application" => {
            json!({"applicationId": id(2), "candidateId": id(1), "jobId": "REQ-10291", "status": "sourced", "createdAt": at})
        }
        "VerificationEvent" => json!({
            "eventId": id(3), "occurredAt": at, "applicationId": id(2), "tierRequired": 2, "tierSatisfied": 2,
            "decision": "pass", "evidencePackRef": "https://evidence.example/packs/7",
        }),
        "Interview" => json!({"interviewId": id(4), "applicationId": id(2)}),
        "AssessmentResult" => json!({
            "eventId": id(5), "occurredAt": at, "applicationId": id(2), "vendor": "vendor-x", "attemptId": "a-1", "result": "pass",
        }),
        "Offer" => json!({"offerId": id(6), "applicationId": id(2), "createdAt": at}),
        other => panic!("{other}"),
    }
}

const OBJECTS: [&str; 6] = [
    "Candidate",
    "Application",
    "VerificationEvent",
    "Interview",
    "AssessmentResult",
    "Offer",
];

/// B-057, B-059, B-061, B-065: without any one of them the object is refused.
#[test]
fn each_object_requires_what_its_contract_says() {
    for name in OBJECTS {
        let schema = object(name);
        let validator = Validator::new(&schema);
        let whole = sample(name);
        validator.accept(&whole);
        let required: Vec<&String> = whole.as_object().unwrap().keys().collect();
        assert_eq!(schema["required"], json!(required), "{name}");
        for attribute in required {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(attribute);
            assert!(validator.complaint(&less).is_some(), "{name}: {attribute}");
        }
    }
}

/// B-060 and B-062: exactly these values.
#[test]
fn statuses_and_decisions_are_closed() {
    let status = [
        "sourced",
        "verified",
        "interviewing",
        "assessing",
        "offered",
        "rejected",
        "withdrawn",
    ];
    assert_eq!(
        object("Application")["properties"]["status"]["enum"],
        json!(status)
    );
    let decision = ["pass", "fail", "manual_review"];
    assert_eq!(
        object("VerificationEvent")["properties"]["decision"]["enum"],
        json!(decision)
    );
    for (name, attribute) in [("Application", "status"), ("VerificationEvent", "decision")] {
        let mut other = sample(name);
        other[attribute] = json!("hired");
        assert!(
            Validator::new(&object(name)).complaint(&other).is_some(),
            "{name}"
        );
    }
}

/// B-064: what is append-only takes nothing that its schema does not name, by either name of it; the rest may grow.
#[test]
fn what_is_only_appended_is_closed() {
    for (name, resource) in [
        ("VerificationEvent", "Verification"),
        ("AssessmentResult", "Assessment"),
    ] {
        let mut more = sample(name);
        more["faceTemplate"] = json!("b64");
        assert!(
            Validator::new(&object(name)).complaint(&more).is_some(),
            "{name}"
        );
        let schema = object(&format!("{resource}Resource"));
        assert_eq!(
            schema["$defs"][format!("{resource}Input")]["additionalProperties"],
            false
        );
    }
    for name in ["Candidate", "Application", "Interview", "Offer"] {
        let mut more = sample(name);
        more["later"] = json!(true);
        Validator::new(&object(name)).accept(&more);
    }
}

/// B-028: the ids that join systems are UUIDs of our own; a vendor's id is an attribute.
#[test]
fn ids_are_uuids_and_vendors_ids_are_attributes() {
    for name in OBJECTS {
        let validator = Validator::new(&object(name));
        let whole = sample(name);
        for (attribute, _) in whole.as_object().unwrap() {
            if attribute.ends_with("Id") && !["jobId", "attemptId"].contains(&attribute.as_str()) {
                let mut keyed = whole.clone();
                keyed[attribute] = json!("C-1001");
                assert!(validator.complaint(&keyed).is_some(), "{name}: {attribute}");
            }
        }
        let mut more = whole;
        more["externalIds"] =
            json!([{"system": "greenhouse", "field": "application_id", "value": "4711"}]);
        validator.accept(&more);
        let external = more["externalIds"][0].as_object_mut().unwrap();
        external.remove("system");
        let complaint = validator.complaint(&more);
        assert!(complaint.is_some(), "{name}: an id of no vendor");
    }
}
