//! Tests of the list module.

use serde_json::json;

use super::*;
use crate::scim::tests::{map, user};

fn query(text: &str) -> Result<ListRequest> {
    let pairs: Vec<(String, String)> = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    ListRequest::from_query(&user(), &pairs, Profile::Rfc)
}

#[test]
fn numbers_are_clamped_or_refused_by_name() {
    let request = query("startIndex=0&count=-5").unwrap();
    assert_eq!((request.start_index, request.count), (1, Some(0)));
    let request = query("startIndex=99999999999999999999999&other=1").unwrap();
    assert_eq!(
        (request.start_index, request.count),
        (i64::MAX as u64, None)
    );
    for text in [
        "count=ten",
        "count=1.5",
        "count=",
        "startIndex=0x1",
        "count=--1",
    ] {
        let error = query(text).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue);
        assert!(error.detail.contains(text.split('=').next().unwrap()));
    }
    assert!(
        query("count=1&count=2")
            .unwrap_err()
            .detail
            .contains("twice")
    );
}

#[test]
fn sorting_is_by_a_leaf() {
    let sort = query("sortBy=emails&sortOrder=descending")
        .unwrap()
        .sort
        .unwrap();
    assert_eq!(sort.location.to_string(), "emails.value");
    assert!(sort.descending && sort.multi_valued);
    let document = map(json!({"emails": [{"value": "b"}, {"value": "A", "primary": true}]}));
    assert_eq!(sort.key(&document).as_deref(), Some("a"));
    let sort = query("sortBy=name.familyName").unwrap().sort.unwrap();
    assert_eq!(sort.key(&map(json!({"userName": "ada"}))), None);
    for text in [
        "sortBy=nonsense",
        "sortBy=name",
        "sortBy=password",
        "sortBy=a b",
    ] {
        assert_eq!(
            query(text).unwrap_err().kind,
            ErrorKind::InvalidPath,
            "{text}"
        );
    }
    assert_eq!(
        query("sortBy=title&sortOrder=up").unwrap_err().kind,
        ErrorKind::InvalidValue
    );
}

#[test]
fn a_search_says_the_same_in_json() {
    let search = |body| ListRequest::from_search(&user(), map(body), Profile::Rfc);
    let found = search(json!({
        "schemas": [SEARCH_URN], "filter": "title pr", "attributes": ["userName", "title"], "startIndex": 2, "count": 3,
        "sortBy": "userName", "excludedAttributes": null,
    }))
    .unwrap();
    assert_eq!(
        found,
        query("filter=title pr&attributes=userName,title&startIndex=2&count=3&sortBy=userName")
            .unwrap()
    );
    assert_eq!(
        search(json!({"filter": "title pr"})).unwrap_err().kind,
        ErrorKind::InvalidSyntax
    );
    for body in [
        json!({"count": "3"}),
        json!({"count": 1.5}),
        json!({"filter": 5}),
        json!({"attributes": [1]}),
    ] {
        let mut body = body;
        body["schemas"] = json!([SEARCH_URN]);
        assert_eq!(search(body).unwrap_err().kind, ErrorKind::InvalidValue);
    }
}

#[test]
fn an_empty_list_still_has_its_array() {
    let none: &[Value] = &[];
    let list = serde_json::to_value(ListResponse::new(&Place::default(), none)).unwrap();
    assert_eq!(list["Resources"], json!([]));
    assert_eq!(list["itemsPerPage"], json!(0));
}
