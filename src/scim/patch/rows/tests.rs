//! Tests of the rows module: what a PATCH says of members, and what it must not be taken to say.
#![expect(
    clippy::needless_pass_by_value,
    reason = "json!(…) reads best as an argument"
)]

use serde_json::{Value, json};

use super::*;
use crate::scim::patch::{PATCH_URN, parse};
use crate::scim::tests::{group, map};

fn rows(operations: Value) -> Result<(Patch, Vec<Change>)> {
    let ty = group();
    let patch = parse(
        map(json!({"schemas": [PATCH_URN], "Operations": operations})),
        &ty,
        Profile::Rfc,
    )?;
    let (patch, changes) = patch.split_rows(&ty)?;
    assert!(
        changes
            .iter()
            .all(|change| change.location.to_string() == "members")
    );
    Ok((
        patch,
        changes.into_iter().map(|change| change.change).collect(),
    ))
}

#[test]
fn members_leave_a_patch_as_row_changes() {
    let values = |values: &[&str]| {
        Change::Remove(Rows::Values(
            values.iter().map(ToString::to_string).collect(),
        ))
    };
    let cases = [
        (
            json!({"op": "Add", "path": "members", "value": [{"$ref": null, "value": "a", "display": "A"}]}),
            Change::Add(vec![json!({"value": "a"})]),
        ),
        (
            json!({"op": "add", "value": {"members": [{"value": "a"}]}}),
            Change::Add(vec![json!({"value": "a"})]),
        ),
        (
            json!({"op": "replace", "path": "members", "value": []}),
            Change::Replace(vec![]),
        ),
        (
            json!({"op": "replace", "path": "members", "value": {"value": "a"}}),
            Change::Replace(vec![json!({"value": "a"})]),
        ),
        (
            json!({"op": "remove", "path": "members"}),
            Change::Remove(Rows::All),
        ),
        (
            json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": "A1"}]}),
            values(&["A1"]),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"A1\"]"}),
            values(&["A1"]),
        ),
        (
            json!({"op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]"}),
            values(&["a", "b"]),
        ),
        (
            json!({"op": "add", "path": "members[value eq \"a\"]", "value": {"type": "User"}}),
            Change::Add(vec![json!({"value": "a", "type": "User"})]),
        ),
    ];
    for (operation, wanted) in cases {
        let (patch, changes) = rows(json!([operation])).unwrap();
        assert!(patch.operations.is_empty());
        assert_eq!(changes, [wanted], "{operation}");
    }
    let (_, changes) =
        rows(json!([{"op": "remove", "path": "members[type eq \"Group\"]"}])).unwrap();
    assert!(matches!(
        changes.as_slice(),
        [Change::Remove(Rows::Matching(_))]
    ));
}

#[test]
fn a_careless_patch_empties_no_group() {
    let (patch, changes) =
        rows(json!([{"op": "replace", "value": {"id": "x", "displayName": "B", "members": null}}]))
            .unwrap();
    assert!(changes.is_empty());
    let found = patch
        .apply(&group(), &map(json!({"displayName": "A"})))
        .unwrap();
    assert_eq!(found.document["displayName"], json!("B"));
    let (_, changes) = rows(json!([{"op": "remove", "path": "members", "value": []}])).unwrap();
    assert!(changes.is_empty());
    for operation in [
        json!({"op": "remove", "path": "members", "value": null}),
        json!({"op": "replace", "path": "members", "value": null}),
        json!({"op": "add", "path": "members", "value": [{"display": "x"}]}),
        json!({"op": "remove", "path": "members", "value": [{"value": ""}]}),
    ] {
        assert_eq!(
            rows(json!([operation])).unwrap_err().kind,
            Kind::InvalidValue,
            "{operation}"
        );
    }
    let error =
        rows(json!([{"op": "replace", "path": "members.value", "value": "x"}])).unwrap_err();
    assert_eq!(error.kind, Kind::Mutability);
}
