//! Tests of the lexer.

use serde_json::json;

use super::*;
use crate::scim::filter::parse;

fn cut(text: &str) -> Vec<(usize, What)> {
    let tokens = tokens(text, Kind::InvalidFilter).unwrap();
    tokens
        .into_iter()
        .map(|token| (token.at, token.what))
        .collect()
}

fn word(text: &str) -> What {
    What::Word(text.to_owned())
}

#[test]
fn tokens_know_where_they_begin_counted_in_characters() {
    let text = "title  eq \"é\\\"x\" or(a[b pr].c ew \"\")";
    let wanted = vec![
        (1, word("title")),
        (8, word("eq")),
        (11, What::Text("é\"x".to_owned())),
        (18, word("or")),
        (20, What::Open),
        (21, word("a")),
        (22, What::OpenBracket),
        (23, word("b")),
        (25, word("pr")),
        (27, What::CloseBracket),
        (28, word(".c")),
        (31, word("ew")),
        (34, What::Text(String::new())),
        (36, What::Close),
        (37, What::End),
    ];
    assert_eq!(cut(text), wanted);
    assert_eq!(cut(" \t"), [(3, What::End)]);
}

#[test]
fn an_error_names_what_was_found() {
    let cases = [
        ("userName eq (", "'('"),
        ("userName )", "')'"),
        ("userName [", "expected an attribute"),
        ("userName eq ]", "']'"),
        ("\"x\" eq 1", "the string \"x\""),
        ("userName", "the end"),
        ("userName pr title", "'title'"),
        ("not userName pr", "'userName'"),
        ("userName eq [", "'['"),
    ];
    for (text, wanted) in cases {
        let detail = parse(text).unwrap_err().detail;
        assert!(detail.contains(wanted), "{text}: {detail}");
    }
}

#[test]
fn strings_are_json_strings_without_the_null_character() {
    assert_eq!(cut(r#""\u00e9\n""#)[0].1, What::Text("é\n".to_owned()));
    for (text, wanted) in [
        ("\"abc", "no closing quote"),
        ("\"a\\\"", "no closing quote"),
        ("\"\\x\"", "check its escapes"),
        ("\"\\u0000\"", "U+0000"),
    ] {
        let error = tokens(text, Kind::InvalidPath).unwrap_err();
        assert_eq!(error.kind, Kind::InvalidPath);
        assert!(error.detail.contains(wanted), "{text}: {}", error.detail);
    }
}

/// RFC 8259 §6.
#[test]
fn numbers_are_json_numbers() {
    for (text, wanted) in [
        ("0", json!(0)),
        ("-7", json!(-7)),
        ("10", json!(10)),
        ("0.5", json!(0.5)),
        ("-0.25e2", json!(-25.0)),
        ("1e2", json!(100.0)),
        ("1E+2", json!(100.0)),
        ("1e-2", json!(0.01)),
        ("18446744073709551615", json!(u64::MAX)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("36893488147419103232", json!(36_893_488_147_419_103_232.0)),
    ] {
        assert_eq!(
            number(text).map(serde_json::Value::Number),
            Some(wanted),
            "{text}"
        );
    }
    for text in [
        "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "e1", "1.5.5", "0x10", "1e5e5",
        "1e999", "NaN", "infinity", "1_0",
    ] {
        assert_eq!(number(text), None, "{text}");
    }
}
