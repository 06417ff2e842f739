//! What is read of extracts that are written well and badly.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use super::csv::{Wrong, split};
use super::{Extract, Row, fingerprint};
use crate::domain::catalog::Catalog;
use crate::domain::mapping::{Mapping, load};

const COMMA: (char, char) = (',', '"');

fn mapping(format: &str) -> Mapping {
    let claims = match format {
        "scim" => "",
        _ => "externalId: id\nclaims:\n  - { from: name, to: displayName }\n",
    };
    let text = format!("system: hris\nformat: {format}\nresourceType: Person\n{claims}");
    load(text.as_bytes(), &Catalog::load().unwrap())
        .mapping
        .unwrap()
}

/// The rows of a text: their lines with the cells, or `!` and why there are none.
fn rows(format: &str, text: &[u8]) -> Vec<(u64, String)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("muster-extract-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, text).unwrap();
    let extract = Extract::open(&path, &mapping(format)).unwrap();
    let told = extract.map(|row| {
        let (line, row) = row.unwrap();
        let text = match row {
            Ok(Row::Cells(cells)) => cells.join("|"),
            Ok(Row::Object(object)) => object.to_string(),
            Err(fault) => format!("!{}", fault.reason),
        };
        (line, text)
    });
    let told = told.collect();
    assert_eq!(fingerprint(&path).unwrap().1, text.len() as u64);
    fs::remove_file(path).unwrap();
    told
}

#[test]
fn cells_are_split_as_rfc_4180_has_it() {
    let split = |row| split(row, COMMA);
    assert_eq!(split("a,b,").unwrap(), ["a", "b", ""]);
    assert_eq!(split("\"a,\"\"b\"\"\",c").unwrap(), ["a,\"b\"", "c"]);
    assert_eq!(split("5\" disk,b").unwrap(), ["5\" disk", "b"]);
    assert_eq!(split("a,\"b"), Err(Wrong::Open(2)));
    assert_eq!(split("\"a\"b,c"), Err(Wrong::After(1)));
}

#[test]
fn an_open_quotation_mark_costs_its_line_and_no_other() {
    let text =
        "\u{feff}id,name\r\n1,\"Ada\r\n2,Grace\r\n3,\"two\nlines\"\n\n4,a,b\n5,\"x\"y\n6,Ida\n";
    let told = rows("csv", text.as_bytes());
    let lines: Vec<u64> = told.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 7, 8, 9]);
    assert!(told[0].1.starts_with('!'), "{told:?}");
    assert_eq!(told[1].1, "2|Grace");
    assert_eq!(told[2].1, "3|two\nlines");
    assert!(told[3].1.contains("3 cells") && told[4].1.contains("doubled"));
    assert_eq!(told[5].1, "6|Ida");
}

#[test]
fn what_is_not_utf_8_is_rejected_by_its_line() {
    let told = rows("csv", b"id,name\n1,\xff\n2,Grace\n");
    assert!(told[0].0 == 2 && told[0].1.contains("UTF-8"), "{told:?}");
    assert_eq!(told[1], (3, "2|Grace".into()));
}

#[test]
fn an_empty_file_has_no_rows() {
    for format in ["csv", "jsonl"] {
        assert!(rows(format, b"").is_empty());
        assert!(rows(format, b"\n \n").is_empty());
    }
    assert!(rows("jsonl", b" [ ] ").is_empty());
}

#[test]
fn an_array_is_read_like_lines_of_json() {
    let lines = rows("jsonl", b"{\"id\":1}\n\nnull\n{\"id\":\"],{\\\"\"}\n");
    let array = rows("jsonl", b"\n[{\"id\":1},\nnull,{\"id\":\"],{\\\"\"}\n]");
    let told = |rows: &[(u64, String)]| rows.iter().map(|row| row.1.clone()).collect::<Vec<_>>();
    assert_eq!(told(&lines), told(&array));
    assert_eq!(array[0].0, 2);
    assert!(lines[1].0 == 3 && lines[1].1.starts_with('!'));
    let cut = rows("jsonl", b"[{\"id\":1},{\"id\":");
    assert!(cut.len() == 2 && cut[1].1.contains("cut off"), "{cut:?}");
}

#[test]
fn the_operations_of_a_bulk_request_are_rows_wherever_they_stand() {
    let rows = |text: &str| rows("scim", text.as_bytes());
    let request = "{\"schemas\": [\"urn:x\"], \"failOnErrors\": 1,\n\"note\": \"Operations\", \"x\": {\"Operations\": [1]},\n\
                   \"operations\": [{\"a\": 1},\n{\"b\": [2]}],\n\"more\": [3]}\n";
    let expected = [(3, "{\"a\":1}"), (3, "{\"b\":[2]}")];
    let told = rows(request);
    let texts: Vec<&str> = told.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, expected.map(|(_, text)| text), "{told:?}");
    assert_eq!(rows("[{\"a\": 1}]").len(), 1);
    assert_eq!(rows("{\"Operations\": []}"), []);
    assert_eq!(rows(""), []);
    for text in ["{\"Operations\": 5}", "{\"a\": 1}\n{\"a\": 2}\n"] {
        let told = rows(text);
        assert!(
            told.len() == 1 && told[0].1.contains("no 'Operations'"),
            "{told:?}"
        );
    }
    let cut = rows("{\"Operations\": [{\"a\": 1}, {\"b\"");
    assert!(cut.len() == 2 && cut[1].1.contains("cut off"), "{cut:?}");
}
