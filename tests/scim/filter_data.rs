//! The filters of `conformance/filters`, by GET and by POST .search, over a database with people in it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::people;
use crate::support::{App, on_both};

on_both!(
    valid_filters_are_answered,
    invalid_filters_are_refused_with_the_place
);

fn filters(file: &str) -> Vec<String> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("conformance/filters/{file}.json"));
    let cases: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    cases
        .as_array()
        .unwrap()
        .iter()
        .map(|case| case["filter"].as_str().unwrap().to_owned())
        .collect()
}

/// RFC 7644 §3.4.2.2.
async fn valid_filters_are_answered(app: &App) {
    people::arrive(app).await;
    let idp = app.client("idp").await;
    for filter in filters("valid") {
        let listed = idp.list("/Users", &[("filter", &filter)]).await;
        assert_eq!(listed.status, 200, "{filter}: {}", listed.body);
        let searched = idp.search("/Users", json!({"filter": filter})).await;
        assert_eq!(listed.body, searched.body, "{filter}");
    }
}

async fn invalid_filters_are_refused_with_the_place(app: &App) {
    let idp = app.client("idp").await;
    for filter in filters("invalid") {
        for answer in [
            idp.list("/Users", &[("filter", &filter)]).await,
            idp.search("/Users", json!({"filter": filter})).await,
        ] {
            assert_eq!(answer.status, 400, "{filter}: {}", answer.body);
            let detail = answer.refused(400, "invalidFilter");
            let names_a_place = detail.contains("character ") || detail.contains('\'');
            assert!(names_a_place, "{filter}: {detail}");
        }
    }
}
