//! Twelve people to search among. They are created in order of their names; an hour passes after the first six.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{App, CANDIDATE, CONSENT, ENTERPRISE};

/// A nickname longer than the index keeps as it is; those of two people differ in the last character only.
pub(crate) fn long(last: char) -> String {
    format!("{}{last}", "lang".repeat(100))
}

/// Everybody, by whom `idp` knows them.
fn everybody() -> [Value; 12] {
    [
        json!({
            "userName": "ada", "title": "Engineer", "userType": "Employee", "externalId": "X-1", "active": true,
            "name": {"familyName": "Byron", "givenName": "Ada"}, "timezone": "UTC",
            "emails": [
                {"value": "ada@home.example", "type": "home"},
                {"value": "ada@north.example", "type": "work", "primary": true},
            ],
        }),
        json!({"userName": "bo", "title": "engineer", "active": false, "externalId": "x-1", "name": {"familyName": "Zorn"}}),
        json!({
            "userName": "cyd", "title": "100% sure",
            "emails": [{"value": "cyd@south.example", "type": "work"}],
        }),
        json!({"userName": "dag", "title": "100_sure", ENTERPRISE: {"department": "Field work", "employeeNumber": "7"}}),
        json!({"userName": "eli", "title": "100\\sure", ENTERPRISE: {"department": "field WORK", "employeeNumber": "12"}}),
        json!({
            "userName": "fay", "timezone": "utc",
            "emails": [
                {"value": "fay@south.example", "type": "work"},
                {"value": "fay@north.example", "type": "home"},
            ],
        }),
        json!({"userName": "gil", "displayName": "Straße", CANDIDATE: {"noticePeriodDays": 5, "skills": ["Rust", "SQL"]}}),
        json!({"userName": "hana", "displayName": "STRASSE", CANDIDATE: {"noticePeriodDays": 30, "skills": ["sql"]}}),
        json!({"userName": "ines", "displayName": "Inês", CANDIDATE: {"noticePeriodDays": 100}}),
        json!({"userName": "ivo", "displayName": "INE\u{302}S", CANDIDATE: {"noticePeriodDays": -3}}),
        json!({
            "userName": "jan", "nickName": long('a'),
            CONSENT: {"consents": [{
                "purpose": "hiring", "legalBasis": "consent", "status": "given", "givenAt": "2030-06-01T10:00:00+02:00",
            }]},
        }),
        json!({
            "userName": "kim", "nickName": long('b'),
            CONSENT: {"consents": [{
                "purpose": "hiring", "legalBasis": "consent", "status": "given", "givenAt": "2030-06-01T09:00:00Z",
            }]},
        }),
    ]
}

/// All user names, in order of creation.
pub(crate) const NAMES: [&str; 12] = [
    "ada", "bo", "cyd", "dag", "eli", "fay", "gil", "hana", "ines", "ivo", "jan", "kim",
];

/// Creates everybody; their resources in order of creation.
pub(crate) async fn arrive(app: &App) -> Vec<Value> {
    let idp = app.client("idp").await;
    let mut made = Vec::new();
    for (number, person) in everybody().into_iter().enumerate() {
        if number == 6 {
            app.clock.advance(TimeDelta::hours(1));
        }
        made.push(idp.create("/Users", person).await);
    }
    made
}

/// The user names of resources, in their order.
pub(crate) fn names(resources: &[Value]) -> Vec<&str> {
    resources
        .iter()
        .map(|found| found["userName"].as_str().expect("a user has a name"))
        .collect()
}
