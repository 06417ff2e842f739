//! A candidate and a worker by the names of HR-Open Standards 4.5: `CandidateType` and `WorkerType` around one `person`
//! (B-036, B-085, B-099). The names are aligned with the standard where it has them; no compliance is claimed, and the
//! rendering says so itself.
//!
//! | ours | HR-Open |
//! |---|---|
//! | `name.givenName`, `familyName`, `formatted` | `person.name.given`, `family`, `formattedName` |
//! | `emails`, `phoneNumbers`, `addresses` | `person.communication.email[].address`, `phone[].formattedNumber`, `address[]` |
//! | `externalIdentifiers` | `alternateIds[]` (value, schemeId, schemeAgencyId) |
//! | `employmentHistory` | `profiles[].employment[]` with `positionHistories` |
//! | Candidate | `candidate.profiles[0]` |
//! | Employee | `worker.employment`, `worker.deployments[0]` |

use serde_json::{Map, Value, json};

use super::contract::CANDIDATE;
use super::masked::{Masked, Resource};
use super::rendering::Rendering;

/// The role that makes a person a worker.
const EMPLOYEE: &str = "urn:muster:scim:schemas:extension:1.0:Employee";
const NOTE: &str =
    "Names are aligned with HR-Open Standards 4.5; compliance with the standard is not claimed.";

/// The person as `candidate`, as `worker` or as both, by the roles that the reader sees; nothing without such a role.
#[must_use]
pub fn render(resource: &Masked<Resource>) -> Option<Masked<Rendering>> {
    let person = &resource.seen().document;
    let role = |urn: &str| person.get(urn).and_then(Value::as_object);
    let mut whole = Map::new();
    if let Some(role) = role(CANDIDATE) {
        whole.insert("candidate".into(), candidate(person, role));
    }
    if let Some(role) = role(EMPLOYEE) {
        whole.insert("worker".into(), worker(person, role));
    }
    if whole.is_empty() {
        return None;
    }
    whole.insert("note".into(), NOTE.into());
    Some(Rendering::sealed(whole))
}

/// An object of what there is: nulls, empty lists and empty objects are left out.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let there = |value: &Value| match value {
        Value::Null => false,
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        _ => true,
    };
    let members = members.into_iter().filter(|(_, value)| there(value));
    members
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A list of the one value, if there is one.
fn listed(value: Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Object(all) if all.is_empty() => Value::Null,
        value => json!([value]),
    }
}

fn get(of: &Map<String, Value>, name: &str) -> Value {
    of.get(name).cloned().unwrap_or_default()
}

/// What becomes of each element of a multi-valued attribute.
fn each(of: &Map<String, Value>, name: &str, render: impl Fn(&Value) -> Value) -> Value {
    let elements = of.get(name).and_then(Value::as_array).into_iter().flatten();
    elements.map(render).collect()
}

fn candidate(person: &Map<String, Value>, role: &Map<String, Value>) -> Value {
    object([
        ("documentId", identifier(&person["id"], "Candidate")),
        ("alternateIds", alternate_ids(person)),
        ("person", self::person(person)),
        ("profiles", listed(profile(person, role))),
    ])
}

/// `CandidateProfileType`.
fn profile(person: &Map<String, Value>, role: &Map<String, Value>) -> Value {
    let source = object([
        ("type", get(role, "sourceType")),
        ("name", get(role, "sourceName")),
    ]);
    let available = object([("start", get(role, "availableFrom"))]);
    let place = |place: &Value| json!({"referenceLocation": {"formattedAddress": place}});
    let preference = object([("locations", each(role, "desiredLocations", place))]);
    let skill = |skill: &Value| json!({"competencyName": skill});
    object([
        ("candidateStatus", object([("name", get(role, "status"))])),
        ("candidateSources", listed(source)),
        (
            "personAvailability",
            object([
                ("availabilityDates", listed(available)),
                ("noticePeriodDays", get(role, "noticePeriodDays")),
            ]),
        ),
        ("positionPreferences", listed(preference)),
        ("qualifications", each(role, "skills", skill)),
        ("employment", each(person, "employmentHistory", employer)),
    ])
}

/// `EmployerHistoryType`: one position at one employer.
fn employer(past: &Value) -> Value {
    let position = object([
        ("title", past["title"].clone()),
        ("start", past["startDate"].clone()),
        ("end", past["endDate"].clone()),
        ("location", past["location"].clone()),
    ]);
    object([
        (
            "organization",
            object([("name", past["organization"].clone())]),
        ),
        ("start", past["startDate"].clone()),
        ("end", past["endDate"].clone()),
        ("positionHistories", listed(position)),
    ])
}

fn worker(person: &Map<String, Value>, role: &Map<String, Value>) -> Value {
    let employment = object([
        ("employeeId", get(role, "employeeNumber")),
        ("workerType", get(role, "workerType")),
        ("status", get(role, "status")),
        ("statusReason", get(role, "statusReason")),
        ("hireDate", get(role, "hireDate")),
        ("originalHireDate", get(role, "originalHireDate")),
        ("start", get(role, "startDate")),
        ("terminationDate", get(role, "terminationDate")),
        ("organization", referred(&get(role, "organization"))),
    ]);
    let deployment = object([
        ("positionId", get(role, "positionId")),
        ("positionTitle", get(role, "jobTitle")),
        ("department", object([("name", get(role, "department"))])),
        ("costCenter", get(role, "costCenter")),
        ("workLocation", object([("name", get(role, "location"))])),
        ("manager", referred(&get(role, "manager"))),
    ]);
    object([
        ("id", identifier(&person["id"], "Worker")),
        ("alternateIds", alternate_ids(person)),
        ("person", self::person(person)),
        ("employment", employment),
        ("deployments", listed(deployment)),
    ])
}

/// Somebody or something else, by id and name.
fn referred(reference: &Value) -> Value {
    let id = match &reference["value"] {
        Value::Null => Value::Null,
        id => json!({"value": id}),
    };
    object([("id", id), ("name", reference["display"].clone())])
}

/// `IdentifierType`.
fn identifier(value: &Value, scheme: &str) -> Value {
    json!({"value": value, "schemeId": scheme, "schemeAgencyId": "Muster"})
}

fn alternate_ids(person: &Map<String, Value>) -> Value {
    each(person, "externalIdentifiers", |known| {
        object([
            ("value", known["value"].clone()),
            ("schemeId", known["field"].clone()),
            ("schemeAgencyId", known["system"].clone()),
        ])
    })
}

/// `PersonBaseType`.
fn person(person: &Map<String, Value>) -> Value {
    object([
        ("id", identifier(&person["id"], "Person")),
        ("name", name(person)),
        ("birthDate", get(person, "birthDate")),
        ("nationality", get(person, "nationalities")),
        ("primaryLanguage", get(person, "preferredLanguage")),
        (
            "communication",
            object([
                ("address", each(person, "addresses", address)),
                ("phone", each(person, "phoneNumbers", phone)),
                ("email", each(person, "emails", email)),
            ]),
        ),
    ])
}

/// `PersonNameType`.
fn name(person: &Map<String, Value>) -> Value {
    let parts = get(person, "name");
    let formatted = match &parts["formatted"] {
        Value::Null => get(person, "displayName"),
        formatted => formatted.clone(),
    };
    object([
        ("formattedName", formatted),
        ("legalName", get(person, "legalName")),
        ("given", parts["givenName"].clone()),
        ("preferred", get(person, "preferredName")),
        ("middle", parts["middleName"].clone()),
        ("family", parts["familyName"].clone()),
        ("titleAffixes", listed(parts["honorificPrefix"].clone())),
        (
            "qualificationAffixes",
            listed(parts["honorificSuffix"].clone()),
        ),
    ])
}

fn email(email: &Value) -> Value {
    object([
        ("useCode", use_code(email)),
        ("preference", preference(email)),
        ("address", email["value"].clone()),
    ])
}

fn phone(phone: &Value) -> Value {
    object([
        ("useCode", use_code(phone)),
        ("preference", preference(phone)),
        ("formattedNumber", phone["value"].clone()),
    ])
}

fn address(address: &Value) -> Value {
    let division = match &address["region"] {
        Value::Null => Value::Null,
        region => json!([{"type": "region", "value": region}]),
    };
    object([
        ("useCode", use_code(address)),
        ("preference", preference(address)),
        ("formattedAddress", address["formatted"].clone()),
        ("line", address["streetAddress"].clone()),
        ("city", address["locality"].clone()),
        ("countrySubDivisions", division),
        ("postalCode", address["postalCode"].clone()),
        ("countryCode", address["country"].clone()),
    ])
}

/// What a means of communication is used for.
fn use_code(element: &Value) -> Value {
    match element["type"].as_str() {
        Some("work") => "business".into(),
        Some("home") => "personal".into(),
        _ => element["type"].clone(),
    }
}

/// 1 is the preferred one.
fn preference(element: &Value) -> Value {
    if element["primary"] == true {
        1.into()
    } else {
        Value::Null
    }
}
