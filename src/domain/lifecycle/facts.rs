//! What a person's employments make of the employee role, and of candidacy (A-022, C-04): derived, never claimed, so that nothing
//! is typed twice.

use serde_json::Value;

use super::employment::NO_SHOW;
use super::{Known, day};

/// The urn of the employee role.
pub const EMPLOYEE: &str = "urn:muster:scim:schemas:extension:1.0:Employee";
/// The urn of the candidate role.
pub const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate";

/// Attributes of an employment that are the person's, each with its place in the employee role.
const SHARED: [(&str, &str); 11] = [
    ("status", "status"),
    ("statusReason", "statusReason"),
    ("hireDate", "hireDate"),
    ("startDate", "startDate"),
    ("positionId", "positionId"),
    ("employeeNumber", "employeeNumber"),
    ("jobTitle", "jobTitle"),
    ("department", "department"),
    ("location", "location"),
    ("organization.value", "organization.value"),
    ("manager.value", "manager.value"),
];

/// What follows for the person, by canonical path; nothing follows from no employment.
#[must_use]
pub fn of_person(employments: &[Known]) -> Vec<(String, Value)> {
    let rank = |one: &&Known| {
        let standing = match one.text("status") {
            Some("Active") => 3,
            Some("Inactive") => 2,
            Some("Pending") => 1,
            _ => 0,
        };
        (standing, day(&one.leaves, "hireDate"), one.id.clone())
    };
    let Some(present) = employments.iter().max_by_key(rank) else {
        return Vec::new();
    };
    let role = |name: &str| format!("{EMPLOYEE}:{name}");
    let mut facts: Vec<(String, Value)> = Vec::new();
    for (from, to) in SHARED {
        if let Some(value) = present.leaves.get(from) {
            facts.push((role(to), value.clone()));
        }
    }
    let came = |one: &&Known| one.text("statusReason") != Some(NO_SHOW);
    let came: Vec<&Known> = employments.iter().filter(came).collect();
    let first = came
        .iter()
        .filter_map(|one| one.leaves.get("hireDate"))
        .min_by_key(|date| date.as_str());
    facts.extend(first.map(|date| (role("originalHireDate"), date.clone())));
    if !present.leaves.contains_key("statusReason")
        && let Some(reason) = reason(present, &came)
    {
        facts.push((role("statusReason"), reason.into()));
    }
    if present.text("status") == Some("Terminated")
        && let Some(end) = present.leaves.get("endDate")
    {
        facts.push((role("terminationDate"), end.clone()));
    }
    if !came.is_empty() {
        facts.push((format!("{CANDIDATE}:status"), "hired".into()));
    }
    facts
}

/// Why somebody works here, where the HR system does not say.
fn reason(present: &Known, came: &[&Known]) -> Option<&'static str> {
    match present.text("status") {
        Some("Pending") => Some("OfferAcceptance"),
        Some("Active") if came.len() > 1 => Some("Rehire"),
        Some("Active") => Some("NewHire"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Leaves;
    use serde_json::json;

    fn employment(id: &str, leaves: Value) -> Known {
        let leaves: Leaves = serde_json::from_value(leaves).unwrap();
        Known {
            id: id.into(),
            leaves,
        }
    }

    fn fact(facts: &[(String, Value)], name: &str) -> Value {
        let found = facts
            .iter()
            .find(|(path, _)| path.ends_with(&format!(":{name}")));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// a re-hire is the same person with a new employment, whose first hire date stays.
    #[test]
    fn a_rehire_keeps_the_first_hire_date() {
        let old = json!({"status": "Terminated", "statusReason": "Resignation", "hireDate": "2019-01-01", "endDate": "2024-01-01"});
        let new = json!({"status": "Active", "hireDate": "2026-02-01", "jobTitle": "Analyst"});
        let facts = of_person(&[employment("a", old.clone()), employment("b", new)]);
        assert_eq!(fact(&facts, "hireDate"), "2026-02-01");
        assert_eq!(fact(&facts, "originalHireDate"), "2019-01-01");
        assert_eq!(fact(&facts, "statusReason"), "Rehire");
        assert_eq!(fact(&facts, "terminationDate"), Value::Null);
        let facts = of_person(&[employment("a", old)]);
        assert_eq!(fact(&facts, "terminationDate"), "2024-01-01");
        assert_eq!(of_person(&[]), []);
    }

    #[test]
    fn who_never_came_was_not_hired() {
        let gone =
            json!({"status": "Terminated", "statusReason": "NoShow", "hireDate": "2026-02-01"});
        let facts = of_person(&[employment("a", gone)]);
        assert!(facts.iter().all(|(path, _)| !path.starts_with(CANDIDATE)));
        assert_eq!(fact(&facts, "originalHireDate"), Value::Null);
    }
}
