//! Tests of cursors.

use super::*;
use crate::domain::access::Clearance;
use crate::domain::context::{Grant, Right};
use crate::id::{IdSource, SeededIds, TenantId};
use crate::scim::error::Kind;
use crate::scim::profile::Profile;

fn client(name: &str, tenant: i32) -> Client {
    Client {
        name: name.into(),
        tenant: TenantId(tenant),
        system: "hris".into(),
        clearance: Clearance::of_grants(&[Grant {
            types: vec!["User".into()],
            rights: vec![Right::Search],
        }]),
        purposes: Vec::new(),
        profile: Profile::Rfc,
        patch_answer: None,
    }
}

fn cursor() -> Cursor {
    Cursor {
        walk: [7; 32],
        count: 10,
        policy: 3,
        expires: 1000,
        part: 1,
        key: Some("ä".repeat(512)),
        row: i64::MAX,
    }
}

fn sealed(ids: &SeededIds) -> String {
    cursor()
        .seal(b"key", &client("idp", 1), &ids.secret())
        .unwrap()
}

#[test]
fn a_cursor_opens_for_whom_it_was_sealed_and_for_nobody_else() {
    let text = sealed(&SeededIds::new(1));
    let mine = client("idp", 1);
    assert_eq!(Cursor::open(&text, b"key", &mine).unwrap(), cursor());
    for (key, other) in [
        (&b"key"[..], client("idp", 2)),
        (b"key", client("hris", 1)),
        (b"other", client("idp", 1)),
    ] {
        let error = Cursor::open(&text, key, &other).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidCursor);
    }
}

#[test]
fn every_changed_character_is_noticed() {
    let text = sealed(&SeededIds::new(2));
    for at in 0..text.len() {
        let other = if &text[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
        let error = Cursor::open(&changed, b"key", &client("idp", 1)).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidCursor, "at {at}");
    }
    for garbage in ["x", "====", "ä", &text[..20], &text.repeat(40)] {
        assert!(Cursor::open(garbage, b"key", &client("idp", 1)).is_err());
    }
}

#[test]
fn a_cursor_is_made_of_unreserved_characters_and_says_nothing() {
    let ids = SeededIds::new(3);
    let (one, two) = (sealed(&ids), sealed(&ids));
    assert!(
        one.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
    );
    // The same place twice, and not even that shows.
    assert_ne!(one[22..], two[22..]);
}

#[test]
fn what_must_stay_the_same_is_checked_each_with_its_own_error() {
    let check = |walk, count, policy, now| {
        let checked = cursor().check(&walk, count, policy, now);
        checked.map_err(|error| error.kind)
    };
    assert_eq!(check([7; 32], Some(10), 3, 1000), Ok(()));
    assert_eq!(check([7; 32], None, 3, 0), Ok(()));
    assert_eq!(check([8; 32], None, 3, 0), Err(Kind::InvalidCursor));
    assert_eq!(check([7; 32], Some(11), 3, 0), Err(Kind::InvalidCount));
    assert_eq!(check([7; 32], Some(10), 3, 1001), Err(Kind::ExpiredCursor));
    assert_eq!(check([7; 32], Some(10), 4, 0), Err(Kind::ExpiredCursor));
}

#[test]
fn other_rights_another_system_or_a_new_policy_are_another_number() {
    let before = client("idp", 1);
    let (mut rights, mut system) = (before.clone(), before.clone());
    rights.clearance = Clearance::of_grants(&[Grant {
        types: vec!["User".into()],
        rights: vec![Right::Search, Right::Read],
    }]);
    system.system = "crm".into();
    let number = policy(&before);
    assert_eq!(number, policy(&client("idp", 1)));
    assert_ne!(number, policy(&rights));
    assert_ne!(number, policy(&system));
}
