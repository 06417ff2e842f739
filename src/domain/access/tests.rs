//! Access: who may do and see what, and what treatments leave.

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Access, Decision, Sight, treat};
use crate::domain::catalog::Catalog;
use crate::domain::context::Right;
use crate::domain::policy::selector::served;
use crate::domain::policy::{Policy, Treatment, load};
use crate::scim::stand_in::REDACTED;

static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::load().unwrap());

const POLICY: &str = r#"version: 1
systems:
  - { name: hr, kind: hris, owner: HR }
roles:
  hris: [{ types: [Person, User], rights: [read, search, write] }]
  sales: [{ types: [Person], rights: [read], where: 'active eq true' }]
  names: [{ types: [Person], rights: [read], attributes: [name.familyName, emails] }]
clients:
  - { name: hr, issuer: "https://a", match: { claim: azp, equals: hr }, tenant: t, system: hr, roles: [hris], purposes: [payroll] }
  - { name: crm, issuer: "https://a", match: { claim: azp, equals: crm }, tenant: t, system: hr, roles: [sales] }
  - { name: list, issuer: "https://a", match: { claim: azp, equals: list }, tenant: t, system: hr, roles: [names] }
masking:
  - { attributes: [birthDate, "urn:muster:scim:schemas:extension:1.0:Employee:jobTitle"], openTo: [payroll], otherwise: omit }
  - { attributes: ["emails[type eq \"home\"]"], openTo: [payroll], needsConsent: Hiring, otherwise: maskEmail }
  - { attributes: [phoneNumbers.value], openTo: [], otherwise: lastFour }
"#;

fn policy() -> Policy {
    let loaded = load(POLICY.as_bytes(), &CATALOG);
    loaded
        .policy
        .unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

fn decision(client: &str, ty: &str, path: &str) -> Decision {
    let policy = policy();
    let access = Access::of(&policy, &CATALOG, client).unwrap();
    let decisions = access.decisions(served(&CATALOG, ty).unwrap());
    let found = decisions.into_iter().find(|decision| decision.path == path);
    found.unwrap_or_else(|| panic!("nothing is decided on {path}"))
}

#[test]
fn a_purpose_opens_what_is_classified_and_the_row_is_named() {
    let Sight::Shown {
        purpose,
        consent,
        row,
    } = decision("hr", "Person", "birthDate").sight
    else {
        panic!("the purpose is there");
    };
    assert_eq!(
        (purpose.as_str(), consent, row.at.line),
        ("payroll", None, 13)
    );
    let Sight::Hidden { treatment, row } = decision("crm", "Person", "birthDate").sight else {
        panic!("without the purpose it is hidden");
    };
    assert_eq!((treatment, row.at.line), (Treatment::Omit, 13));
}

#[test]
fn what_is_classified_is_so_under_each_of_its_names() {
    assert!(matches!(
        decision("hr", "User", "title").sight,
        Sight::Shown { .. }
    ));
    let hidden = load(
        POLICY
            .replace("openTo: [payroll]", "openTo: [nobody]")
            .as_bytes(),
        &CATALOG,
    );
    let policy = hidden.policy.unwrap();
    let access = Access::of(&policy, &CATALOG, "hr").unwrap();
    let decisions = access.decisions(served(&CATALOG, "User").unwrap());
    let title = decisions
        .iter()
        .find(|decision| decision.path == "title")
        .unwrap();
    assert!(matches!(title.sight, Sight::Hidden { .. }), "{title:?}");
}

#[test]
fn some_elements_and_parts_have_lines_of_their_own() {
    assert_eq!(decision("crm", "Person", "emails").sight, Sight::Open);
    let home = decision("hr", "Person", "emails[type eq \"home\"]");
    let Sight::Shown {
        consent: Some((needed, treatment)),
        ..
    } = home.sight
    else {
        panic!("{home:?}");
    };
    assert_eq!(
        (needed.as_str(), treatment),
        ("Hiring", Treatment::MaskEmail)
    );
    let number = decision("crm", "Person", "phoneNumbers.value");
    assert!(matches!(
        number.sight,
        Sight::Hidden {
            treatment: Treatment::LastFour,
            ..
        }
    ));
}

#[test]
fn a_filter_written_otherwise_hides_as_much_unless_it_is_plainly_of_others() {
    let policy = policy();
    let access = Access::of(&policy, &CATALOG, "crm").unwrap();
    let person = served(&CATALOG, "Person").unwrap();
    let emails = person
        .attributes()
        .find(|found| &*found.location.attribute == "emails")
        .unwrap();
    let sight = |part| access.decision(person, &emails, Some(part)).sight;
    for part in [
        "[type eq \"HOME\"]",
        "[ type  eq \"home\" ]",
        "[value co \"@\"]",
        "[not (type eq \"work\")]",
    ] {
        assert!(matches!(sight(part), Sight::Hidden { .. }), "{part}");
    }
    assert_eq!(sight("[type eq \"work\"]"), Sight::Open);
    assert_eq!(access.parts(person, &emails).len(), 1);
}

#[test]
fn rights_are_those_of_the_roles_that_the_schema_lets_anybody_use() {
    let rights = |decision: Decision| {
        decision
            .rights
            .iter()
            .map(|held| held.right)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rights(decision("hr", "Person", "active")),
        [Right::Read, Right::Search]
    );
    let secret = decision("hr", "Person", "legalIdentifiers");
    assert_eq!(secret.sight, Sight::NeverReturned);
    assert_eq!(rights(secret), [Right::Read, Right::Search, Right::Write]);
    let name = decision("crm", "Person", "name");
    assert_eq!(name.rights[0].filter.as_deref(), Some("active eq true"));
    assert_eq!(
        (name.rights[0].row.name.as_str(), name.rights[0].row.at.line),
        ("role sales", 6)
    );
}

#[test]
fn rights_on_a_part_are_none_on_the_whole() {
    assert_eq!(decision("list", "Person", "name").sight, Sight::Unreadable);
    assert_eq!(
        decision("list", "Person", "name.familyName").sight,
        Sight::Open
    );
    assert_eq!(decision("list", "Person", "emails").sight, Sight::Open);
    let policy = policy();
    let access = Access::of(&policy, &CATALOG, "list").unwrap();
    assert!(access.rights("Group").is_empty());
    assert!(Access::of(&policy, &CATALOG, "nobody").is_none());
}

#[test]
fn each_treatment_leaves_its_part() {
    let left = |treatment, text: &str| treat(treatment, &json!(text), b"key");
    assert_eq!(left(Treatment::Omit, "x"), None);
    assert_eq!(left(Treatment::Redact, "x"), Some(json!(REDACTED)));
    assert_eq!(
        left(Treatment::LastFour, "+49 30 1234-567"),
        Some(json!("••••4567"))
    );
    assert_eq!(left(Treatment::LastFour, "12345678"), None);
    assert_eq!(
        left(Treatment::MaskEmail, "ada@example.com"),
        Some(json!("a•••@example.com"))
    );
    assert_eq!(
        left(Treatment::MaskEmail, "a@example.com"),
        Some(json!("•••@example.com"))
    );
    assert_eq!(left(Treatment::MaskEmail, "ada"), None);
    assert_eq!(left(Treatment::Year, "1815-12-10"), Some(json!("1815")));
    assert_eq!(left(Treatment::Year, "10.12.1815"), None);
    let phone = json!([{"value": "+49 30 1234567", "type": "home"}]);
    let masked = treat(Treatment::LastFour, &phone, b"");
    assert_eq!(masked, Some(json!([{"value": "••••4567"}])));
}

#[test]
fn a_hash_is_the_same_for_one_client_and_another_for_the_next() {
    let value = json!("ada");
    let hash = |key: &[u8]| treat(Treatment::Hash, &value, key);
    assert_eq!(hash(b"one"), hash(b"one"));
    assert_ne!(hash(b"one"), hash(b"two"));
    assert_ne!(hash(b"one"), treat(Treatment::Hash, &json!("adb"), b"one"));
    assert_eq!(
        hash(b"one").and_then(|hash| hash.as_str().map(str::len)),
        Some(43)
    );
}

/// Any JSON value of a few levels.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::from),
        "[a-z]{1,8}@[a-z]{1,8}\\.com".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|parts| Value::Object(parts.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_differs_only_in_the_hidden_part_looks_alike(
        hidden in "[0-9]{5,12}", other in "[0-9]{5,12}", shown in "[0-9]{4}",
    ) {
        let left = |treatment, text: String| treat(treatment, &Value::from(text), b"key");
        prop_assert_eq!(
            left(Treatment::LastFour, format!("{hidden}{shown}")),
            left(Treatment::LastFour, format!("{other}{shown}"))
        );
        prop_assert_eq!(
            left(Treatment::MaskEmail, format!("a{hidden}@example.com")),
            left(Treatment::MaskEmail, format!("a{other}@example.com"))
        );
        prop_assert_eq!(
            left(Treatment::Year, format!("{shown}-{}-{}", &hidden[..2], &hidden[2..4])),
            left(Treatment::Year, format!("{shown}-{}-{}", &other[..2], &other[2..4]))
        );
        prop_assert_eq!(left(Treatment::Redact, hidden.clone()), left(Treatment::Redact, other));
        let hash = left(Treatment::Hash, hidden.clone()).unwrap_or_default().to_string();
        prop_assert!(!hash.contains(&hidden));
    }

    #[test]
    fn treated_twice_is_treated_once(value in value()) {
        for treatment in [Treatment::Redact, Treatment::LastFour, Treatment::MaskEmail, Treatment::Year] {
            let once = treat(treatment, &value, b"");
            let twice = once.as_ref().and_then(|once| treat(treatment, once, b""));
            prop_assert_eq!(&twice, &once, "{}", treatment.word());
        }
    }

    #[test]
    fn whatever_is_not_a_text_is_not_left(number in any::<i64>(), truth in any::<bool>()) {
        for treatment in [Treatment::Omit, Treatment::LastFour, Treatment::MaskEmail, Treatment::Year] {
            prop_assert_eq!(treat(treatment, &json!([number, truth, null]), b""), None);
        }
    }
}
