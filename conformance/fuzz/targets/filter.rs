//! Filters (RFC 7644 §3.4.2.2): what is printed parses to the same; a filter and its negation never agree.
#![no_main]

use libfuzzer_sys::fuzz_target;
use muster::scim::Map;
use muster::scim::error::Kind;
use muster::scim::filter::{Filter, condition, parse};
use muster::scim::profile::Profile;
use muster_fuzz::USER;
use std::sync::LazyLock;

static ADA: LazyLock<Map> = LazyLock::new(|| {
    let text = r#"{"userName": "Ada", "active": true, "name": {"familyName": "Byron"}, "emails": [
        {"value": "ada@corp.example", "type": "work", "primary": true}, {"value": "\u00c5@home.example"}],
        "meta": {"created": "2026-05-01T10:00:00.5+02:00"}}"#;
    serde_json::from_str(text).expect("it is an object")
});

fuzz_target!(|text: &str| {
    for profile in Profile::ALL {
        if let Err(error) = condition(text, &USER, profile) {
            assert_eq!(error.kind, Kind::InvalidFilter, "{text} of {profile}");
        }
    }
    let Ok(filter) = parse(text) else { return };
    let printed = filter.to_string();
    assert_eq!(parse(&printed).as_ref(), Ok(&filter), "{text} was printed as {printed}");
    match filter.check(&USER) {
        Ok(condition) => {
            let not = Filter::Not(Box::new(filter)).check(&USER).expect("as good as the filter");
            assert_ne!(condition.matches(&ADA), not.matches(&ADA), "{text}");
        }
        Err(error) => assert_eq!(error.kind, Kind::InvalidFilter, "{text}"),
    }
});
