//! Filters as each profile writes them.

use serde_json::json;

use super::*;
use crate::scim::profile::Profile::{Entra, Okta, Rfc, Strict};
use crate::scim::tests::{ENTERPRISE, map, user};

const FORMER: &str = "urn:scim:schemas:extension:enterprise:2.0";

#[test]
fn a_literal_without_quotes_holds_no_control_character() {
    let refused = condition("userName eq j\0young", &user(), Entra).unwrap_err();
    assert!(refused.detail.contains("control character"), "{refused}");
}

#[test]
fn literals_without_quotes_are_entras() {
    let person = map(
        json!({"userName": "jyoung", "active": true, "level": 7, "score": 1.5, "title": "12", "emails": [{"value": "a", "primary": true}]}),
    );
    for filter in [
        "userName eq jyoung",
        "userName sw J and title eq 12",
        "level eq 7",
        "not (level gt 8)",
        "score lt 2",
        "active eq True",
        "emails[primary eq true]",
        "emails.value eq a or level eq 9",
        "level ge 7 and userName pr",
        "displayName eq null",
    ] {
        let taken = condition(filter, &user(), Entra).unwrap();
        assert!(taken.matches(&person), "{filter}");
    }
    for profile in [Rfc, Okta, Strict] {
        assert_eq!(
            condition("userName eq jyoung", &user(), profile)
                .unwrap_err()
                .kind,
            ErrorKind::InvalidFilter
        );
        assert_eq!(
            condition("title eq 12", &user(), profile).unwrap_err().kind,
            ErrorKind::InvalidFilter
        );
        assert!(condition("level eq 7 and active eq true", &user(), profile).is_ok());
    }
    assert_eq!(
        condition("level eq seven", &user(), Entra)
            .unwrap_err()
            .kind,
        ErrorKind::InvalidFilter
    );
}

#[test]
fn strict_filters_have_no_boolean_strings_and_no_other_urns() {
    let dotted = format!("{ENTERPRISE}.department eq \"x\"");
    let former = format!("title pr and not ({FORMER}:department pr)");
    for filter in [
        "active eq \"True\"",
        "title pr and active eq \"true\"",
        "not (active eq \"false\")",
        "emails[primary eq \"true\"]",
        "emails[not (value pr) or primary eq \"x\"]",
        "emails[value pr].primary eq \"true\"",
        "emails.primary ne \"true\"",
        &dotted,
        &former,
    ] {
        let error = condition(filter, &user(), Strict).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidFilter, "{filter}");
        let booleans_fit = !filter.contains("\"x\"") || filter == dotted;
        assert_eq!(
            condition(filter, &user(), Rfc).is_ok(),
            booleans_fit,
            "{filter}"
        );
    }
    for filter in [
        "active eq true",
        "emails[primary eq true and value eq \"true\"].value eq \"x\"",
        "title eq \"true\"",
    ] {
        condition(filter, &user(), Strict).unwrap();
    }
    assert!(condition("emails[value pr].pet eq \"true\"", &user(), Strict).is_err());
}
