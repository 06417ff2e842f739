//! Tests of the filter module.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::scim::error::Kind;
use crate::scim::profile::Profile;
use crate::scim::resource_type::{Among, ResourceType};
use crate::scim::tests::{ENTERPRISE, group, map, user};

fn refused(text: &str) -> String {
    let error = parse(text)
        .and_then(|filter| filter.check(&user()))
        .unwrap_err();
    assert_eq!(error.kind, Kind::InvalidFilter, "{text}");
    error.detail
}

fn matches(text: &str, document: &Value) -> bool {
    let condition = parse(text).unwrap().check(&user()).unwrap();
    condition.matches(&map(document.clone()))
}

fn ada() -> Value {
    json!({
        "id": "Id-1", "userName": "Ada@corp.example", "active": true, "level": 7, "score": 1.5,
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "joined": "2026-05-01T10:00:00+02:00",
        "name": {"familyName": "Byron"},
        "nationalities": ["GB", "SE"],
        "emails": [{"value": "ada@corp.example", "type": "work", "primary": true}, {"value": "ada@home.example", "type": "home"}],
        "meta": {"lastModified": "2026-06-01T00:00:00Z"},
        ENTERPRISE: {"department": "Engines", "manager": {"value": "m1"}},
    })
}

#[test]
fn the_operators_mean_what_the_rfc_says() {
    let cases = [
        ("userName eq \"ada@CORP.example\"", true),
        ("USERNAME Eq \"ada@corp.example\"", true),
        ("id eq \"id-1\"", false),
        ("id eq \"Id-1\"", true),
        ("userName ne \"x\"", true),
        ("title ne \"x\"", true),
        (
            "userName sw \"ADA\" and userName ew \"example\" and userName co \"@corp\"",
            true,
        ),
        ("title pr", false),
        ("name pr and emails pr and not (addresses pr)", true),
        ("title eq null", true),
        ("name ne null", true),
        ("active eq true and active eq \"True\"", true),
        ("level gt 6 and level le 7 and not (level lt 7)", true),
        ("score ge 1.5 and score lt 2", true),
        ("joined eq \"2026-05-01T08:00:00Z\"", true),
        ("meta.lastModified gt \"2026-05-31T23:59:59.999Z\"", true),
        (
            "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"",
            true,
        ),
        ("nationalities eq \"se\"", true),
        ("nationalities[value eq \"SE\"]", true),
        ("emails eq \"ada@home.example\"", true),
        ("emails.type eq \"home\"", true),
        ("userName gt \"a\" and userName lt \"b\"", true),
    ];
    for (text, wanted) in cases {
        assert_eq!(matches(text, &ada()), wanted, "{text}");
    }
}

#[test]
fn a_value_filter_looks_at_one_element_at_a_time() {
    assert!(matches(
        "emails[type eq \"work\" and value co \"corp\"]",
        &ada()
    ));
    assert!(!matches(
        "emails[type eq \"home\" and value co \"corp\"]",
        &ada()
    ));
    assert!(matches(
        "emails.type eq \"home\" and emails.value co \"corp\"",
        &ada()
    ));
    assert!(matches("emails[type eq \"work\"].value sw \"ada\"", &ada()));
    assert!(!matches(
        "emails[type eq \"home\"].value co \"corp\"",
        &ada()
    ));
    assert!(matches("emails[not (type eq \"work\")]", &ada()));
    assert!(matches("emails[type ne \"work\"]", &ada()));
    assert!(matches("name[familyName eq \"byron\"]", &ada()));
}

/// RFC 7643 §2.4.
#[test]
fn a_primary_that_is_not_given_is_false() {
    let without = json!({"userName": "bo"});
    let alone = json!({"emails": [{"value": "a", "primary": true}]});
    for (text, of_ada, of_nobody, of_one) in [
        (
            "emails[type eq \"home\" and primary eq false]",
            true,
            false,
            false,
        ),
        (
            "emails[type eq \"work\" and primary eq false]",
            false,
            false,
            false,
        ),
        ("emails[primary ne false]", true, false, true),
        ("emails[primary ne true]", true, false, false),
        ("emails[type pr].primary eq \"False\"", true, false, false),
        ("emails.primary eq false", true, false, false),
        ("emails.primary ne false", false, true, true),
        ("emails.primary eq true", true, false, true),
        ("emails.primary ne true", false, true, false),
        ("emails.primary pr", true, false, true),
        ("emails[not (primary pr)]", true, false, false),
        ("active eq false", false, false, false),
    ] {
        assert_eq!(matches(text, &ada()), of_ada, "{text}");
        assert_eq!(matches(text, &without), of_nobody, "{text}");
        assert_eq!(matches(text, &alone), of_one, "{text}");
    }
}

/// RFC 7644 §3.4.2.1: in a query over several types.
#[test]
fn what_another_type_alone_knows_has_no_value() {
    let all = [Arc::new(user()), Arc::new(group())];
    let read = |text: &str, ty: &ResourceType| {
        condition_among(text, Among { ty, all: &all }, Profile::Strict)
    };
    let team = map(json!({"displayName": "Team", "members": [{"value": "m1", "type": "User"}]}));
    for (text, wanted) in [
        ("userName pr", false),
        ("not (userName pr)", true),
        ("userName pr or displayName pr", true),
        ("userName pr and displayName pr", false),
        ("userName eq null and userName ne \"a\"", true),
        ("userName ne null or active eq true or level lt 3", false),
        ("emails[type eq \"work\"]", false),
        ("not (emails[type eq \"work\"].value co \"a\")", true),
        ("emails.primary eq false", false),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:displayName pr",
            false,
        ),
    ] {
        let condition = read(text, &all[1]).unwrap();
        assert_eq!(condition.matches(&team), wanted, "{text}");
    }
    assert!(
        read("userName pr and members pr", &all[1])
            .unwrap()
            .is_never()
    );
    for ty in [&all[0], &all[1]] {
        for text in ["userNme pr", "displayName pr or nobody eq 1", "userName eq"] {
            assert_eq!(
                read(text, ty).unwrap_err().kind,
                Kind::InvalidFilter,
                "{text}"
            );
        }
    }
    read("password pr", &all[0]).unwrap_err();
    read("active eq 5", &all[0]).unwrap_err();
}

#[test]
fn extensions_are_named_by_their_urn() {
    assert!(matches(
        &format!("{ENTERPRISE}:department eq \"engines\""),
        &ada()
    ));
    assert!(matches(
        &format!("{}:MANAGER eq \"m1\"", ENTERPRISE.to_uppercase()),
        &ada()
    ));
    assert!(matches(
        &format!("{ENTERPRISE}.manager.value eq \"m1\""),
        &ada()
    ));
    assert!(matches(&format!("{ENTERPRISE}.manager eq \"m1\""), &ada()));
    assert!(matches(
        &format!("{}:userName pr", crate::scim::tests::USER),
        &ada()
    ));
}

#[test]
fn conditions_name_canonical_leaves() {
    let condition = parse("EMAILS[Type eq \"Work\"].VALUE pr")
        .unwrap()
        .check(&user())
        .unwrap();
    let Condition::Element {
        location,
        condition,
    } = condition
    else {
        panic!("an element was asked for")
    };
    assert_eq!(location.to_string(), "emails");
    let names: Vec<String> = condition
        .locations()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["emails.type", "emails.value"]);
    let condition = parse("members pr").unwrap().check(&group()).unwrap();
    assert_eq!(condition.locations()[0].to_string(), "members.value");
}

#[test]
fn refusals_say_what_would_be_right() {
    let cases = [
        ("userNme eq \"x\"", "did you mean 'userName'?"),
        ("department eq \"x\"", "did you mean 'urn:ietf"),
        ("emails.valu pr", "did you mean 'value'?"),
        ("userName eq ada", "in quotes, \"ada\""),
        ("externalId eq jyoung", "in quotes"),
        ("meta.created gt 2015-05-13T04:42:34Z", "in quotes"),
        ("userName eq", "expected a value"),
        ("userName eqq \"x\"", "did you mean 'eq'?"),
        ("userName", "expected an operator"),
        ("", "at character 1"),
        ("(userName pr", "')'"),
        ("userName pr)", "the end"),
        ("userName pr and", "expected an attribute"),
        ("not userName pr", "'(' after 'not'"),
        ("emails[type eq \"work\"", "']'"),
        ("emails[emails[type pr]]", "another one"),
        ("emails.type[value pr]", "sub-attribute"),
        ("userName eq \"x", "at character 13"),
        ("userName eq \"\\q\"", "escapes"),
        ("userName eq 5", "is a string"),
        ("level eq \"5\"", "whole number"),
        ("level co 5", "does not fit"),
        ("joined sw \"2026\"", "does not fit"),
        ("joined gt \"yesterday\"", "dateTime"),
        ("active gt true", "does not fit"),
        ("active eq \"maybe\"", "boolean"),
        ("x509Certificates.value ge \"AAAA\"", "does not fit"),
        ("name eq \"x\"", "complex"),
        ("password pr", "never returned"),
        ("userName gt null", "null"),
        ("emails[name.familyName pr]", "alone"),
    ];
    for (text, wanted) in cases {
        let detail = refused(text);
        assert!(detail.contains(wanted), "{text}: {detail}");
    }
}

#[test]
fn size_depth_and_number_are_bounded() {
    for depth in [33, 10_000] {
        let text = format!("{}userName pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&text).is_err());
        let text = "not (".repeat(depth.min(3_000));
        assert!(parse(&text).is_err());
    }
    let text = format!("{}userName pr{}", "(".repeat(32), ")".repeat(32));
    assert!(parse(&text).is_ok());
    let many = |count: usize| vec!["title pr"; count].join(" or ");
    assert!(parse(&many(MAX_COMPARISONS)).is_ok());
    assert!(parse(&many(MAX_COMPARISONS + 1)).is_err());
    let long = format!("title eq \"{}\"", "x".repeat(MAX_BYTES));
    assert!(refused(&long).contains("bytes"));
}

#[test]
fn and_binds_tighter_than_or() {
    let filter = parse("title pr or active pr and level pr").unwrap();
    assert_eq!(filter.to_string(), "title pr or (active pr and level pr)");
    let filter = parse("(title pr and (active pr and level pr))").unwrap();
    assert_eq!(filter.to_string(), "title pr and active pr and level pr");
}

fn path() -> impl Strategy<Value = AttributePath> {
    let name = "[a-z$][A-Za-z0-9_$-]{0,6}";
    (
        proptest::option::of("urn:[a-z]{1,4}:2\\.0:[A-Z][a-z]{1,4}"),
        name,
        proptest::option::of(name),
    )
        .prop_filter_map("a keyword is no attribute", |(schema, attribute, sub)| {
            let path = AttributePath {
                schema,
                attribute,
                sub,
            };
            (path.attribute != "not").then_some(path)
        })
}

fn predicate() -> impl Strategy<Value = Predicate> {
    let literal = prop_oneof![
        "\\PC{0,8}".prop_map(Literal::String),
        any::<i64>().prop_map(|number| Literal::Number(number.into())),
        any::<u64>().prop_map(|number| Literal::Number(number.into())),
        proptest::num::f64::NORMAL
            .prop_map(|number| Literal::Number(Number::from_f64(number).unwrap())),
        any::<bool>().prop_map(Literal::Boolean),
        Just(Literal::Null),
    ];
    prop_oneof![
        Just(Predicate::Present),
        (proptest::sample::select(Operator::ALL.to_vec()), literal)
            .prop_map(|(operator, literal)| Predicate::Compare(operator, literal)),
    ]
}

fn tree(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        let flat = |terms: Vec<Filter>, of: fn(Vec<Filter>) -> Filter| {
            let kind = std::mem::discriminant(&of(Vec::new()));
            of(terms
                .into_iter()
                .flat_map(|term| match term {
                    Filter::And(inner) | Filter::Or(inner)
                        if std::mem::discriminant(&of(Vec::new())) == kind =>
                    {
                        inner
                    }
                    other => vec![other],
                })
                .collect())
        };
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(move |terms| flat(terms, Filter::And)),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(move |terms| flat(terms, Filter::Or)),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
    .boxed()
}

fn filter() -> impl Strategy<Value = Filter> {
    let compare = || {
        (path(), predicate())
            .prop_map(|(path, predicate)| Filter::Compare { path, predicate })
            .boxed()
    };
    let then = proptest::option::of(("[a-z$][a-z]{0,4}", predicate()));
    let value_path =
        (path(), tree(compare()), then).prop_map(|(path, filter, then)| Filter::ValuePath {
            path: AttributePath { sub: None, ..path },
            filter: Box::new(filter),
            then,
        });
    tree(prop_oneof![compare(), value_path].boxed())
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_filter(filter in filter()) {
        let text = filter.to_string();
        prop_assert_eq!(parse(&text).unwrap(), filter, "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_fail_badly(text in "(\\PC|[()\\[\\]\" .a-z]){0,40}") {
        let _ = parse(&text);
        let _ = parse_value_path(&text, Profile::Rfc);
    }
}
