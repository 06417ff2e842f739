//! Tests of the `resource_type` module.

use serde_json::json;

use super::*;
use crate::scim::tests::{ENTERPRISE, USER, group, user};

fn found(path: &str) -> Option<String> {
    let path = AttributePath::parse(path, Kind::InvalidPath).unwrap();
    user()
        .resolve(&path)
        .map(|resolved| resolved.location.to_string())
}

fn refusal(path: &str) -> String {
    let path = AttributePath::parse(path, Kind::InvalidPath).unwrap();
    let error = user().find(&path, Kind::InvalidPath).unwrap_err();
    assert_eq!(error.kind, Kind::InvalidPath);
    error.detail
}

#[test]
fn a_path_is_found_by_every_spelling_and_named_by_one() {
    let department = format!("{ENTERPRISE}:department");
    let cases = [
        ("USERNAME", Some("userName")),
        ("Name.FAMILYNAME", Some("name.familyName")),
        ("meta.lastModified", Some("meta.lastModified")),
        ("externalid", Some("externalId")),
        (&format!("{USER}:emails.value"), Some("emails.value")),
        (&department.to_uppercase(), Some(&*department)),
        (&format!("{ENTERPRISE}.department"), Some(&*department)),
        ("department", None),
        ("userName.value", None),
        ("urn:x:y:userName", None),
        (&format!("{ENTERPRISE}:userName"), None),
    ];
    for (path, wanted) in cases {
        assert_eq!(found(path).as_deref(), wanted, "{path}");
    }
}

#[test]
fn what_is_not_there_is_refused_with_what_might_be_meant() {
    let cases = [
        (
            "usrName",
            "there is no attribute 'usrName' in User; did you mean 'userName'?",
        ),
        (
            "name.familyNam",
            "there is no sub-attribute 'familyNam' in 'name'; did you mean 'familyName'?",
        ),
        (
            "Department",
            "did you mean 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department'?",
        ),
        (
            &format!("{ENTERPRISE}:departmnt"),
            "did you mean 'department'?",
        ),
        (
            &format!("{USER}:usrName"),
            "there is no attribute 'usrName' in User",
        ),
        (
            "urn:ietf:params:scim:schemas:core:2.0:Usr:userName",
            "did you mean 'urn:ietf:params:scim:schemas:core:2.0:User'?",
        ),
        (
            "urn:example:other:userName",
            "User has no schema 'urn:example:other'",
        ),
    ];
    for (path, wanted) in cases {
        let detail = refusal(path);
        assert!(detail.contains(wanted), "{path}: {detail}");
    }
}

#[test]
fn leaves_are_each_attribute_then_its_parts() {
    let ty = user();
    let leaves: Vec<String> = ty.leaves().map(|leaf| leaf.location.to_string()).collect();
    let at = |name: &str| leaves.iter().position(|leaf| leaf == name).unwrap();
    assert_eq!(at("schemas"), 0);
    assert_eq!(at("name.formatted"), at("name") + 1);
    assert!(at(&format!("{ENTERPRISE}:manager.value")) > at("status"));
    let whole: Vec<String> = group()
        .attributes()
        .map(|one| one.location.to_string())
        .collect();
    assert_eq!(
        whole,
        [
            "schemas",
            "id",
            "externalId",
            "meta",
            "displayName",
            "members"
        ]
    );
}

#[test]
fn a_resolved_location_leads_to_its_whole_and_its_parts() {
    let ty = user();
    let path = AttributePath::parse("name.familyName", Kind::InvalidPath).unwrap();
    let family = ty.resolve(&path).unwrap();
    assert_eq!(&*family.leaf().name, "familyName");
    assert_eq!(&*family.whole().leaf().name, "name");
    assert_eq!(family.whole().location.to_string(), "name");
    assert_eq!(
        family.sub("GivenName").unwrap().location.to_string(),
        "name.givenName"
    );
    assert!(family.sub("nickName").is_none());
    assert_eq!(family.subs().count(), 3);
}

#[test]
fn a_type_describes_itself() {
    let described = user().to_json("https://x.example/v2/");
    assert_eq!(
        described,
        json!({
            "schemas": [RESOURCE_TYPE_URN], "id": "User", "name": "User", "endpoint": "/Users",
            "description": "People with an account.", "schema": USER,
            "meta": {"resourceType": "ResourceType", "location": "https://x.example/v2/ResourceTypes/User"},
            "schemaExtensions": [{"schema": ENTERPRISE, "required": false}],
        })
    );
    assert_eq!(group().to_json("").get("schemaExtensions"), None);
}
