//! Tests of the comparable module.
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) reads best as an argument"
)]

use chrono::DateTime;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn text(kind: Kind, value: Value) -> Option<String> {
    let case_exact = false;
    Comparison { kind, case_exact }.text(&value)
}

#[test]
fn strings_fold_unless_case_counts() {
    assert_eq!(
        text(Kind::String, json!("Ada")),
        text(Kind::String, json!("aDA"))
    );
    assert_eq!(
        text(Kind::String, json!("STRASSE")),
        text(Kind::String, json!("Straße"))
    );
    assert_eq!(
        text(Kind::String, json!("\u{c5}")),
        text(Kind::String, json!("a\u{30a}"))
    );
    let exact = Comparison {
        kind: Kind::String,
        case_exact: true,
    };
    assert_ne!(exact.text(&json!("Ada")), exact.text(&json!("ada")));
    assert_eq!(exact.text(&json!("\u{c5}")), exact.text(&json!("A\u{30a}")));
}

#[test]
fn instants_are_utc_of_fixed_width() {
    let cases = [
        ("2026-11-22T14:59:13Z", "2026-11-22T14:59:13.000000Z"),
        (
            "2026-11-22T14:59:13.1234569+02:00",
            "2026-11-22T12:59:13.123456Z",
        ),
        ("2026-11-22T23:59:13-00:30", "2026-11-23T00:29:13.000000Z"),
        ("2026-11-22T14:59:13", "2026-11-22T14:59:13.000000Z"),
        ("2026-12-31T24:00:00Z", "2027-01-01T00:00:00.000000Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
    ];
    for (written, wanted) in cases {
        assert_eq!(
            text(Kind::DateTime, json!(written)).as_deref(),
            Some(wanted),
            "{written}"
        );
    }
}

#[test]
fn what_is_no_instant_is_refused() {
    for written in [
        "",
        "2026-11-22",
        "2026-11-22 14:59:13Z",
        "2026-02-30T00:00:00Z",
        "2026-11-22T14:59Z",
        "2026-11-22T25:00:00Z",
        "2026-11-22T14:59:60Z",
        "2026-11-22T14:59:13.Z",
        "2026-11-22T14:59:13+15:00",
        "2026-11-22T14:59:13+0200",
        "2026-11-22T14:59:13.1234567890Z",
        "0000-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "+026-11-22T14:59:13Z",
        "2026-11-22T14:59:13Zé",
        "é2026-11-22T14:59:13é",
    ] {
        assert_eq!(parse_date_time(written), None, "{written}");
    }
}

#[test]
fn a_value_of_another_type_has_no_text() {
    assert_eq!(text(Kind::Integer, json!(1.5)), None);
    assert_eq!(text(Kind::Boolean, json!("true")), None);
    assert_eq!(text(Kind::Complex, json!({})), None);
}

proptest! {
    #[test]
    fn integers_keep_their_order(a: i64, b: i64) {
        prop_assert_eq!(integer(a).cmp(&integer(b)), a.cmp(&b));
    }

    #[test]
    fn decimals_keep_their_order(a in proptest::num::f64::NORMAL | proptest::num::f64::ZERO, b in proptest::num::f64::ANY) {
        prop_assume!(b.is_finite());
        let wanted = a.partial_cmp(&b).unwrap();
        prop_assert_eq!(decimal(a).cmp(&decimal(b)), wanted);
    }

    #[test]
    fn instants_keep_their_order(a in -62_000_000_000i64..253_000_000_000, b in -62_000_000_000i64..253_000_000_000) {
        let of = |seconds| instant(DateTime::from_timestamp(seconds, 0).unwrap());
        prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
    }

    #[test]
    fn folding_twice_is_folding_once(text in "\\PC{0,12}") {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }

    #[test]
    fn no_text_makes_the_instant_reader_fail(text in "[0-9T:Z+.é-]{0,30}") {
        let _ = parse_date_time(&text);
    }
}
