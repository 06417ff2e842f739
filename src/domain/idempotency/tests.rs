//! Keys, standings, and what an answer names.

use super::*;
use crate::domain::context::{Grant, Right};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_000_000 + second, 0).unwrap()
}

fn kept(state: State) -> Kept {
    Kept {
        fingerprint: vec![1],
        state,
        lease: at(60),
        expires: at(3600),
    }
}

#[test]
fn a_key_is_visible_ascii_of_at_most_255_and_its_quotation_marks_do_not_count() {
    for (text, key) in [
        ("8e03978e-40d5", Some("8e03978e-40d5")),
        ("\"8e03978e\"", Some("8e03978e")),
        ("\"", Some("\"")),
        ("a\"b", Some("a\"b")),
        ("", None),
        ("\"\"", None),
        ("two words", None),
        ("tab\t", None),
        ("müller", None),
    ] {
        assert_eq!(Key::parse(text).as_ref().map(Key::as_str), key, "{text}");
    }
    assert!(Key::parse(&"k".repeat(255)).is_some());
    assert!(Key::parse(&"k".repeat(256)).is_none());
}

#[test]
fn what_becomes_of_a_second_request() {
    let standing = |kept: &Kept, second| kept.standing(&[1], at(second));
    for state in [State::Claimed, State::Committed] {
        assert_eq!(standing(&kept(state), 0), Standing::Busy(5));
        assert_eq!(standing(&kept(state), 59), Standing::Busy(2));
        assert_eq!(standing(&kept(state), 60), Standing::Abandoned);
    }
    let answered = kept(State::Answered);
    assert_eq!(standing(&answered, 0), Standing::Answered);
    assert_eq!(answered.standing(&[2], at(0)), Standing::Different);
    assert_eq!(standing(&answered, 3600), Standing::Forgotten);
    let erased = Kept {
        fingerprint: Vec::new(),
        ..answered
    };
    assert_eq!(erased.standing(&[2], at(0)), Standing::Answered);
    for state in [State::Claimed, State::Committed, State::Answered] {
        assert_eq!(State::from_number(state.number()), Some(state));
    }
    assert_eq!(State::from_number(3), None);
}

fn answer(body: &str) -> Answer {
    Answer {
        status: 200,
        headers: vec![(
            "location".into(),
            "https://x/Users/0f1e2d3c-0000-4000-8000-000000000001".into(),
        )],
        body: Some(body.into()),
        sight: String::new(),
    }
}

#[test]
fn an_answer_names_every_id_in_its_body_and_headers() {
    let body = r#"{"id":"0f1e2d3c-0000-4000-8000-000000000002","a":"-x-","u":"urn:0f1e2d3c-0000-4000-8000-00000000000g é-",
        "m":"0f1e2d3c-0000-4000-8000-000000000003.0f1e2d3c-0000-4000-8000-000000000004"}"#;
    let names: Vec<String> = answer(body)
        .names()
        .iter()
        .map(ToString::to_string)
        .collect();
    let expected: Vec<String> = (1..=4)
        .map(|n| format!("0f1e2d3c-0000-4000-8000-00000000000{n}"))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn a_bulk_answer_without_resources_keeps_everything_else() {
    let body = r#"{"Operations":[{"status":"201","version":"v","response":{"id":"1"}},{"status":"409","response":{"detail":"d"}}]}"#;
    let bare = answer(body).without_resources();
    assert_eq!(
        bare.body.as_deref(),
        Some(
            r#"{"Operations":[{"status":"201","version":"v"},{"status":"409","response":{"detail":"d"}}]}"#
        )
    );
}

#[test]
fn who_is_not_restricted_is_shown_any_answer() {
    let grant = Grant {
        types: vec!["User".into()],
        rights: vec![Right::Write],
    };
    let writes_alone = Clearance::of_grants(std::slice::from_ref(&grant));
    let reads = Clearance::of_grants(&[Grant {
        rights: Right::ALL.to_vec(),
        ..grant
    }]);
    let kept = answer("{}");
    assert!(kept.may_be_shown(&reads, ["User"].into_iter()));
    // It reads nothing, so all depends on whether it may see what it did when it was answered.
    assert!(!kept.may_be_shown(&writes_alone, ["User"].into_iter()));
    let same = Answer {
        sight: writes_alone.fingerprint(),
        ..kept
    };
    assert!(same.may_be_shown(&writes_alone, ["User"].into_iter()));
}
