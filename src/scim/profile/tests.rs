//! What each profile takes and refuses, in bodies, operations, filters and lists.
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) reads best as an argument"
)]

use serde_json::{Value, json};

use super::Profile::{Entra, Okta, Rfc, Strict};
use super::*;
use crate::scim::Map;
use crate::scim::error::{Error, Kind};
use crate::scim::patch::{PATCH_URN, Patched, parse};
use crate::scim::projection::unknown_names;
use crate::scim::receive::{Purpose, Received, receive};
use crate::scim::tests::{ENTERPRISE, USER, group, map, user};

const TOLERANT: [Profile; 3] = [Rfc, Entra, Okta];
const FORMER: &str = "urn:scim:schemas:extension:enterprise:2.0";

#[test]
fn a_profile_is_read_in_any_case() {
    for profile in Profile::ALL {
        assert_eq!(profile.to_string().to_uppercase().parse(), Ok(profile));
    }
    let error = "azure".parse::<Profile>().unwrap_err();
    assert!(error.to_string().contains("\"entra\""), "{error}");
    assert_eq!(Profile::default(), Rfc);
    assert!(Strict.conforms_to_interop() && !TOLERANT.iter().any(|it| it.conforms_to_interop()));
}

#[test]
fn each_profile_has_its_own_column() {
    let all = |habit: Habit| Profile::ALL.map(|profile| profile.allows(habit));
    assert_eq!(all(Habit::NoPath), [true, true, true, false]);
    assert_eq!(all(Habit::BareLiterals), [false, true, false, false]);
    assert_eq!(all(Habit::ReadOnlyPaths), [false, false, true, false]);
}

fn taken(profile: Profile, mut body: Value) -> Result<Received, Error> {
    if body.get("schemas").is_none() {
        body["schemas"] = json!([USER]);
    }
    body["userName"] = json!("ada");
    receive(&user(), map(body), Purpose::Create, profile)
}

fn patched(profile: Profile, before: Value, operation: Value) -> Result<Patched, Error> {
    let mut before = before;
    before["schemas"] = json!([USER]);
    before["userName"] = json!("ada");
    let body = map(json!({"schemas": [PATCH_URN], "Operations": [operation]}));
    parse(body, &user(), profile)?.apply(&user(), &map(before))
}

fn after(profile: Profile, before: Value, operation: Value) -> Map {
    patched(profile, before, operation).unwrap().document
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn strict_bodies_are_refused_for_what_others_may_write() {
    let cases = [
        (json!({"shoeSize": 7}), Kind::InvalidSyntax, "'shoeSize'"),
        (json!({"name": {"pet": 7}}), Kind::InvalidSyntax, "'pet'"),
        (
            json!({"emails": [{"value": "a", "pet": 7}]}),
            Kind::InvalidSyntax,
            "'pet'",
        ),
        (
            json!({"name.givenName": "Ada"}),
            Kind::InvalidSyntax,
            "where it belongs",
        ),
        (
            json!({USER: {"title": "x"}}),
            Kind::InvalidSyntax,
            "where it belongs",
        ),
        (
            json!({format!("{ENTERPRISE}:department"): "x"}),
            Kind::InvalidSyntax,
            "where it belongs",
        ),
        (
            json!({ENTERPRISE: {"team": "x"}}),
            Kind::InvalidSyntax,
            "'team'",
        ),
        (
            json!({ENTERPRISE: {"manager.value": "x"}}),
            Kind::InvalidSyntax,
            "manager.value",
        ),
        (
            json!({FORMER: {"department": "x"}}),
            Kind::InvalidSyntax,
            FORMER,
        ),
        (
            json!({"schemas": [USER, FORMER]}),
            Kind::InvalidSyntax,
            FORMER,
        ),
        (
            json!({"schemas": [USER, "urn:x"]}),
            Kind::InvalidSyntax,
            "'urn:x'",
        ),
        (
            json!({"schemas": ["urn:scim:schemas:core:2.0"]}),
            Kind::InvalidSyntax,
            "core:2.0",
        ),
        (json!({"active": "true"}), Kind::InvalidValue, "'active'"),
        (
            json!({"emails": {"value": "a"}}),
            Kind::InvalidValue,
            "give an array",
        ),
        (
            json!({"phoneNumbers": ["1"]}),
            Kind::InvalidValue,
            "'phoneNumbers'",
        ),
        (json!({"title": ["x"]}), Kind::InvalidValue, "an array of 1"),
        (
            json!({ENTERPRISE: {"manager": "m"}}),
            Kind::InvalidValue,
            "manager",
        ),
        (
            json!({"profileUrl": "no url"}),
            Kind::InvalidValue,
            "absolute URI",
        ),
        (
            json!({"profileUrl": "page"}),
            Kind::InvalidValue,
            "absolute URI",
        ),
    ];
    for (body, kind, detail) in cases {
        let error = taken(Strict, body.clone()).unwrap_err();
        assert_eq!(error.kind, kind, "{body}: {error}");
        assert!(error.detail.contains(detail), "{body}: {error}");
        for profile in TOLERANT {
            taken(profile, body.clone()).unwrap();
        }
    }
}

#[test]
fn strict_bodies_may_be_everything_that_the_rfc_allows() {
    let body = json!({
        "schemas": [USER.to_uppercase(), ENTERPRISE], "ACTIVE": true, "title": null, "emails": [], "id": "x", "password": "s",
        "name": {"givenName": "Ada"}, "profileUrl": "https://example.com/ada", "roles": null, "nationalities": ["GB"],
        ENTERPRISE: {"manager": {"value": "m"}, "department": "Engines"},
    });
    let found = taken(Strict, body).unwrap();
    assert_eq!(found.ignored, ["password"]);
    assert_eq!(found.document[ENTERPRISE]["manager"], json!({"value": "m"}));
    let empty = taken(Strict, json!({"profileUrl": "", "title": []})).unwrap();
    assert!(!empty.document.contains_key("title"));
}

#[test]
fn former_urns_are_understood_by_all_but_the_strict() {
    for profile in TOLERANT {
        let body = json!({
            "schemas": ["URN:scim:schemas:core:1.0", FORMER],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0User": {"department": "Engines"},
        });
        let found = taken(profile, body).unwrap();
        assert_eq!(found.document[ENTERPRISE]["department"], "Engines");
        assert!(found.ignored.is_empty() && found.extensions.contains(ENTERPRISE));
        let operation = json!({"op": "add", "path": FORMER, "value": {"department": "Wells"}});
        assert_eq!(
            after(profile, json!({}), operation)[ENTERPRISE]["department"],
            "Wells"
        );
    }
    for other in [
        "urn:scim:schemas:core:2.0:Group",
        "urn:scim:schemas:core:3.0",
        "urn:scim:schemas:core:3.0:User",
    ] {
        assert!(taken(Rfc, json!({"schemas": [other]})).is_err(), "{other}");
    }
    assert!(taken(Rfc, json!({"schemas": ["urn:scim:schemas:core:2.0:user"]})).is_ok());
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn strict_operations_are_refused_for_what_others_may_send() {
    let dotted = format!("{ENTERPRISE}.department");
    let cases = [
        (
            json!({"op": "add", "value": {"title": "x"}}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": "title", "value": "x", "name": "y"}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": "name", "value": {"pet": "x"}}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"work\"]", "value": {"pet": "x"}}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": ENTERPRISE, "value": {"team": "x"}}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": ENTERPRISE, "value": {"manager.value": "x"}}),
            Kind::InvalidSyntax,
        ),
        (
            json!({"op": "add", "path": dotted, "value": "x"}),
            Kind::InvalidPath,
        ),
        (
            json!({"op": "add", "path": format!("{FORMER}:department"), "value": "x"}),
            Kind::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "emails[primary eq \"True\"].value", "value": "x"}),
            Kind::InvalidPath,
        ),
        (
            json!({"op": "add", "path": "active", "value": "True"}),
            Kind::InvalidValue,
        ),
        (
            json!({"op": "add", "path": format!("{ENTERPRISE}:manager"), "value": "m"}),
            Kind::InvalidValue,
        ),
        (
            json!({"op": "add", "path": format!("{ENTERPRISE}:manager"), "value": [{"value": "m"}]}),
            Kind::InvalidValue,
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"work\"].value", "value": ["x"]}),
            Kind::InvalidValue,
        ),
        (
            json!({"op": "add", "path": "emails[type eq \"work\"]", "value": "x"}),
            Kind::InvalidValue,
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x"}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": null}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "replace", "path": format!("{ENTERPRISE}:manager[value eq \"m\"]"), "value": {"value": "n"}}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "remove", "path": "emails[type eq \"work\"]"}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "remove", "path": "emails[type eq \"work\"].display"}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "remove", "path": "roles", "value": [{"value": "x"}]}),
            Kind::NoTarget,
        ),
        (
            json!({"op": "remove", "path": format!("{ENTERPRISE}:manager[value eq \"m\"]")}),
            Kind::NoTarget,
        ),
    ];
    for (operation, kind) in cases {
        let error = patched(Strict, json!({}), operation.clone()).unwrap_err();
        assert_eq!(error.kind, kind, "{operation}: {error}");
        for profile in TOLERANT {
            patched(profile, json!({}), operation.clone()).unwrap();
        }
    }
}

#[test]
fn strict_operations_may_be_everything_that_the_draft_allows() {
    let known = json!({
        "emails": [{"value": "a", "type": "work"}], "name": {"givenName": "Ada", "familyName": "Byron"},
        ENTERPRISE: {"manager": {"value": "m"}},
    });
    for operation in [
        json!({"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "b"}),
        json!({"op": "add", "path": "emails[type eq \"home\"].value", "value": "b"}),
        json!({"op": "add", "path": "emails", "value": {"value": "b"}}),
        json!({"op": "remove", "path": "emails[type eq \"work\"]"}),
        json!({"op": "remove", "path": "emails", "value": [{"value": "A"}]}),
        json!({"op": "remove", "path": "title"}),
        json!({"op": "remove", "path": "nationalities"}),
        json!({"op": "replace", "path": format!("{ENTERPRISE}:manager[value eq \"m\"]"), "value": {"value": "n"}}),
        json!({"op": "add", "path": ENTERPRISE, "value": {"department": "x"}}),
        json!({"op": "add", "path": "emails[primary eq true].value", "value": "b"}),
    ] {
        patched(Strict, known.clone(), operation).unwrap();
    }
}

#[test]
fn a_replace_of_a_complex_value_is_whole_for_the_strict() {
    let before = json!({"name": {"givenName": "Ada", "familyName": "Byron"}});
    let replace = json!({"op": "replace", "path": "name", "value": {"GIVENNAME": "Eve"}});
    let add = json!({"op": "add", "path": "name", "value": {"givenName": "Eve"}});
    let whole = json!({"givenName": "Eve"});
    let merged = json!({"givenName": "Eve", "familyName": "Byron"});
    assert_eq!(
        after(Strict, before.clone(), replace.clone())["name"],
        whole
    );
    assert_eq!(after(Strict, before.clone(), add)["name"], merged);
    for profile in TOLERANT {
        assert_eq!(
            after(profile, before.clone(), replace.clone())["name"],
            merged
        );
    }
}

#[test]
fn a_read_only_attribute_may_be_named_by_what_it_is() {
    let replace = |id: &str| json!({"op": "replace", "path": "id", "value": id});
    for profile in Profile::ALL {
        let before = json!({"id": "i1"});
        assert!(
            patched(profile, before.clone(), replace("i1"))
                .unwrap()
                .ignored
                .is_empty()
        );
        let other = patched(profile, before.clone(), replace("i2"));
        let removed = patched(profile, before, json!({"op": "remove", "path": "id"}));
        for outcome in [other, removed] {
            match outcome {
                Ok(patched) => {
                    assert_eq!(profile, Okta);
                    assert_eq!(patched.ignored, ["id"]);
                    assert_eq!(patched.document["id"], "i1");
                }
                Err(error) => assert_eq!((profile == Okta, error.kind), (false, Kind::Mutability)),
            }
        }
    }
}

#[test]
fn known_elements_are_known_in_any_case() {
    let before =
        json!({"emails": [{"value": "ada@x.example", "type": "work"}], "nationalities": ["GB"]});
    for value in [
        json!([{"value": "ADA@X.example", "type": "Work"}]),
        json!([{"value": "Ada@x.example"}]),
    ] {
        let operation = json!({"op": "add", "path": "emails", "value": value});
        assert_eq!(
            after(Rfc, before.clone(), operation)["emails"],
            before["emails"]
        );
    }
    let add = |value: Value| json!({"op": "add", "path": "emails", "value": value});
    for value in [
        json!([{"value": "b@x.example"}]),
        json!([{"value": "ada@x.example", "type": "home"}]),
    ] {
        assert_eq!(
            after(Rfc, before.clone(), add(value))["emails"]
                .as_array()
                .unwrap()
                .len(),
            2
        );
    }
    let operation = json!({"op": "add", "path": "nationalities", "value": "gb"});
    assert_eq!(
        after(Rfc, before.clone(), operation)["nationalities"],
        json!(["GB"])
    );
}

#[test]
fn members_of_a_patch_that_it_does_not_have_are_named() {
    let body = json!({"schemas": [PATCH_URN], "id": "g", "Operations": [
        {"op": "add", "path": "title", "value": "x"}, {"op": "add", "path": "title", "value": "y", "name": "n"},
    ]});
    let patch = parse(map(body.clone()), &user(), Rfc).unwrap();
    assert_eq!(patch.ignored, ["id", "Operations[2].name"]);
    assert_eq!(
        parse(map(body), &user(), Strict).unwrap_err().kind,
        Kind::InvalidSyntax
    );
}

#[test]
fn members_are_listed_as_each_profile_may() {
    let add = |value: Value| {
        let operation = json!({"op": "add", "path": "members", "value": value});
        map(json!({"schemas": [PATCH_URN], "Operations": [operation]}))
    };
    for profile in Profile::ALL {
        let rows = |value| parse(add(value), &group(), profile)?.split_rows(&group());
        assert_eq!(rows(json!({"value": "u1"})).unwrap().1.len(), 1);
        assert_eq!(rows(json!(["u1"])).is_ok(), profile != Strict);
        assert_eq!(rows(json!("u1")).is_ok(), profile != Strict);
    }
}

#[test]
fn an_encoded_element_is_a_text_for_entra_alone() {
    let role = "{\"id\":\"r\"}";
    let operation = json!({"op": "add", "path": "roles", "value": [role]});
    assert_eq!(
        after(Entra, json!({}), operation.clone())["roles"],
        json!([{"value": role}])
    );
    for profile in [Rfc, Okta, Strict] {
        assert_eq!(
            patched(profile, json!({}), operation.clone())
                .unwrap_err()
                .kind,
            Kind::InvalidValue
        );
    }
}

#[test]
fn unknown_names_of_a_list_are_told() {
    let list = format!("userName, shoeSize,,{ENTERPRISE},{USER},name.pet,emails.value");
    for profile in TOLERANT {
        assert_eq!(
            unknown_names(&user(), &list, profile).unwrap(),
            ["shoeSize", "name.pet"]
        );
    }
    let error = unknown_names(&user(), "userNme", Strict).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidPath);
    assert!(error.detail.contains("'userName'"), "{error}");
    assert!(
        unknown_names(&user(), "userName", Strict)
            .unwrap()
            .is_empty()
    );
}
