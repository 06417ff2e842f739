//! Tests of the bulk module.

use std::collections::BTreeSet;

use serde_json::json;

use super::reference::collect;
use super::*;
use crate::scim::Map;

fn object(value: Value) -> Map {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn post(name: &str, data: &Value) -> Value {
    json!({"method": "POST", "path": "/Groups", "bulkId": name, "data": data})
}

fn body(operations: &Value) -> String {
    json!({"schemas": [REQUEST_URN], "Operations": operations}).to_string()
}

/// A group that refers to these names.
fn group(name: &str, refers: &[&str]) -> Value {
    let members: Vec<_> = refers
        .iter()
        .map(|name| json!({"value": format!("bulkId:{name}")}))
        .collect();
    post(name, &json!({"displayName": name, "members": members}))
}

/// The units, `*` marking circles.
fn units(operations: &Value) -> Vec<String> {
    let text = body(operations);
    let bulk = parse(text.as_bytes(), 100).unwrap();
    let name = |index: &usize| bulk.operations[*index].bulk_id.clone().unwrap();
    let shown = |unit: &Unit| {
        let names: Vec<_> = unit.operations.iter().map(name).collect();
        names.join("") + if unit.circular { "*" } else { "" }
    };
    bulk.units.iter().map(shown).collect()
}

/// The faults of the operations, empty for none.
fn faults(operations: &Value) -> Vec<String> {
    let text = body(operations);
    let bulk = parse(text.as_bytes(), 100).unwrap();
    let faults = bulk.operations.iter();
    faults
        .map(|operation| {
            operation
                .fault
                .as_ref()
                .map_or_else(String::new, ToString::to_string)
        })
        .collect()
}

fn refused(text: &str) -> String {
    parse(text.as_bytes(), 3).unwrap_err().to_string()
}

#[test]
fn operations_that_refer_to_none_keep_their_order() {
    assert_eq!(
        units(&json!([
            group("a", &[]),
            group("b", &[]),
            group("c", &["a"])
        ])),
        ["a", "b", "c"]
    );
}

#[test]
fn an_operation_waits_for_the_last_that_it_refers_to_and_no_longer() {
    assert_eq!(
        units(&json!([
            group("a", &["c", "b"]),
            group("b", &[]),
            group("c", &["d"]),
            group("d", &[]),
            group("e", &[]),
        ])),
        ["b", "d", "c", "a", "e"]
    );
}

#[test]
fn circles_are_units_and_what_only_leads_to_one_is_not_in_it() {
    assert_eq!(
        units(&json!([
            group("x", &["a"]),
            group("a", &["b"]),
            group("b", &["c", "y"]),
            group("c", &["a"]),
            group("y", &[]),
            group("s", &["s"]),
        ])),
        ["y", "abc*", "x", "s*"]
    );
}

#[test]
fn a_chain_as_long_as_a_request_is_ordered() {
    let names: Vec<String> = (0..100).map(|number| format!("n{number}")).collect();
    let chain: Vec<Value> = (0..100)
        .map(|at| match names.get(at + 1) {
            Some(next) => group(&names[at], &[next]),
            None => group(&names[at], &[]),
        })
        .collect();
    let mut backwards = names;
    backwards.reverse();
    assert_eq!(units(&json!(chain)), backwards);
}

#[test]
fn references_are_found_in_values_refs_and_quoted_in_paths() {
    let data = object(json!({
        "displayName": "bulkId:text",
        "urn:x:User": {"manager": {"value": "bulkId:chief", "$ref": "../Users/bulkId:chief"}},
        "note": "see bulkId:none",
        "schemas": ["PatchOp"],
        "Operations": [
            {"op": "remove", "path": "members[value eq \"bulkId:gone\" or value eq \"bulkId:left\"]"},
            {"op": "add", "path": "bulkId:no", "value": [{"value": "bulkId:new"}]},
        ],
    }));
    let mut names = BTreeSet::new();
    collect(true, data.clone(), &mut names);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(names, ["chief", "gone", "left", "new", "text"]);

    let mut resolved = data;
    resolve(true, &mut resolved, &|name| {
        (name != "left").then(|| format!("<{name}>"))
    });
    assert_eq!(resolved["displayName"], "<text>");
    assert_eq!(
        resolved["urn:x:User"]["manager"]["$ref"],
        "../Users/<chief>"
    );
    assert_eq!(resolved["note"], "see bulkId:none");
    assert_eq!(
        resolved["Operations"][0]["path"],
        "members[value eq \"<gone>\" or value eq \"bulkId:left\"]"
    );
    assert_eq!(resolved["Operations"][1]["path"], "bulkId:no");
    assert_eq!(resolved["Operations"][1]["value"][0]["value"], "<new>");
}

#[test]
fn what_waits_is_cut_out_as_elements_or_whole_attributes() {
    let mut data = object(json!({
        "displayName": "bulkId:later",
        "title": "bulkId:now",
        "members": [{"value": "bulkId:later"}, {"value": "bulkId:now"}, {"value": "1"}],
        "urn:x:User": {"manager": {"value": "bulkId:later"}, "department": "d"},
        "urn:y:User": {"manager": "bulkId:later"},
    }));
    let cuts = cut(&mut data, &|name| name == "now");
    let cuts: Vec<_> = cuts
        .into_iter()
        .map(|cut| (cut.path, cut.value.to_string()))
        .collect();
    let whole = |path: &str, value: Value| (path.to_owned(), value.to_string());
    assert_eq!(
        cuts,
        [
            whole("displayName", json!("bulkId:later")),
            whole("members", json!([{"value": "bulkId:later"}])),
            whole("urn:x:User:manager", json!({"value": "bulkId:later"})),
            whole("urn:y:User:manager", json!("bulkId:later")),
        ]
    );
    assert_eq!(
        Value::Object(data),
        json!({
            "title": "bulkId:now",
            "members": [{"value": "bulkId:now"}, {"value": "1"}],
            "urn:x:User": {"department": "d"},
        })
    );
}

#[test]
fn faults_of_an_operation_are_its_own() {
    let data = json!({"displayName": "g"});
    let found = faults(&json!([
        group("fine", &[]),
        group("lost", &["nobody"]),
        post("twin", &data),
        post("twin", &data),
        {"method": "POST", "path": "/Groups", "data": data},
        {"method": "GET", "path": "/Groups/1"},
        {"method": "PUT", "path": "/Groups", "data": data},
        {"method": "POST", "path": "/Groups/1", "bulkId": "p", "data": data},
        {"method": "POST", "path": "/Groups", "bulkId": "q", "version": "W/\"1\"", "data": data},
        {"method": "POST", "path": "/Groups", "bulkId": "r"},
        {"method": "PATCH", "path": "/Groups/1", "data": []},
        {"method": "DELETE", "path": "/Groups/1", "data": data},
        {"method": "DELETE", "path": "https://x.example/Groups/1"},
        {"method": "DELETE", "path": "/Groups/1?attributes=id"},
        {"method": "DELETE"},
        {"method": "DELETE", "path": "/Groups/1", "data": null, "version": null},
        {"method": "DELETE", "path": "/Groups/bulkId:nobody"},
    ]));
    let wanted = [
        "",
        "'bulkId:nobody' refers to nothing",
        "'twin' is given to more than one",
        "'twin' is given to more than one",
        "a POST needs a 'bulkId'",
        "not 'GET'",
        "names one resource: /Groups/{id}",
        "the endpoint of a resource type: /Groups",
        "a POST has no 'version'",
        "a POST needs 'data'",
        "'data' must be an object, not an array",
        "a DELETE has no 'data'",
        "must be relative",
        "must be relative",
        "'path' is missing",
        "",
        "'bulkId:nobody' refers to nothing",
    ];
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert!(found.contains(wanted), "{found} / {wanted}");
        assert_eq!(found.is_empty(), wanted.is_empty(), "{found}");
    }
}

#[test]
fn a_name_that_only_a_put_carries_makes_nothing() {
    let put =
        json!({"method": "PUT", "path": "/Groups/1", "bulkId": "p", "data": {"displayName": "p"}});
    let found = faults(&json!([put, group("g", &["p"])]));
    assert_eq!(found[0], "");
    assert!(found[1].contains("no POST of this request"), "{}", found[1]);
}

#[test]
fn a_body_that_is_no_bulk_request_is_refused_as_a_whole() {
    let one = group("a", &[]);
    for (text, why) in [
        ("[]".to_owned(), "expected a JSON object"),
        ("{".to_owned(), "EOF"),
        (body(&json!([one])) + "x", "trailing"),
        (
            json!({"Operations": [one]}).to_string(),
            "needs \"schemas\"",
        ),
        (
            json!({"schemas": [REQUEST_URN]}).to_string(),
            "'Operations'",
        ),
        (body(&json!([])), "at least one"),
        (body(&json!({})), "an array of operations"),
        (body(&json!([1])), "Operations[0]"),
        (
            body(&json!([one, {"path": "/Users"}])),
            "Operations[1]: 'method' is missing",
        ),
        (body(&json!([{"method": 1}])), "'method' must be a string"),
        (
            body(&json!([{"method": "x".repeat(2000)}])),
            "longer than 1024",
        ),
        (
            format!(
                r#"{{"schemas":["{REQUEST_URN}"],"Operations":[{{"method":"POST","Method":"PUT"}}]}}"#
            ),
            "appears twice",
        ),
        (
            format!(r#"{{"schemas":["{REQUEST_URN}"],"operations":[],"Operations":[{one}]}}"#),
            "appears twice",
        ),
    ] {
        let detail = refused(&text);
        assert!(detail.contains(why), "{text}: {detail}");
    }
    for odd in [json!(0), json!(-1), json!(1.5), json!("1"), json!(true)] {
        let text = json!({"schemas": [REQUEST_URN], "failOnErrors": odd, "Operations": [one]});
        assert!(refused(&text.to_string()).contains("failOnErrors"), "{odd}");
    }
}

#[test]
fn operations_are_counted_while_they_are_read() {
    let many = format!(
        r#"{{"schemas":["{REQUEST_URN}"],"Operations":[{}{{}}]}}"#,
        "{},".repeat(1_000_000)
    );
    assert_eq!(
        parse(many.as_bytes(), 3).unwrap_err(),
        Refusal::TooManyOperations { limit: 3 }
    );
    let just = body(&json!([group("a", &[]), group("b", &[]), group("c", &[])]));
    let bulk = parse(just.as_bytes(), 3).unwrap();
    assert_eq!((bulk.operations.len(), bulk.fail_on_errors), (3, None));
}

#[test]
fn unknown_members_are_named_and_counted() {
    let mut odd = group("a", &[]);
    odd["mood"] = json!("good");
    let text = json!({"schemas": [REQUEST_URN], "failOnErrors": 2, "when": 1, "Operations": [odd]})
        .to_string();
    let bulk = parse(text.as_bytes(), 3).unwrap();
    assert_eq!(bulk.ignored, ["when", "Operations[0].mood"]);
    assert_eq!(bulk.fail_on_errors, Some(2));
    for number in 0..100 {
        odd[format!("m{number}")] = json!(1);
    }
    assert!(refused(&body(&json!([odd]))).contains("too many"));
}

#[test]
fn one_operation_has_no_more_data_than_one_request() {
    let text = "x".repeat(1024 * 1024);
    let found = faults(&json!([
        post("a", &json!({"displayName": text})),
        group("b", &["a"])
    ]));
    assert!(found[0].contains("1048576 bytes"), "{}", found[0]);
    assert_eq!(found[1], "");
}
