//! What the targets share: the User of RFC 7643 with the enterprise extension, and the Group.

use std::sync::{Arc, LazyLock};

use muster::scim::Map;
use muster::scim::profile::Profile;
use muster::scim::receive::{self, Purpose};
use muster::scim::resource_type::{Extension, ResourceType};
use muster::scim::schema::Schema;

fn schema(text: &str) -> Arc<Schema> {
    Arc::new(Schema::parse(text).expect("the schema file is read by the crate's tests too"))
}

fn resource_type(name: &str, core: &str, extensions: &[&str]) -> ResourceType {
    ResourceType {
        id: name.to_owned(),
        name: name.to_owned(),
        endpoint: format!("/{name}s"),
        description: String::new(),
        schema: schema(core),
        extensions: extensions
            .iter()
            .map(|text| Extension { schema: schema(text), required: false })
            .collect(),
    }
}

/// A User with the enterprise extension.
pub static USER: LazyLock<ResourceType> = LazyLock::new(|| {
    let core = include_str!("../../src/scim/schemas/user.json");
    let enterprise = include_str!("../../src/scim/schemas/enterprise_user.json");
    resource_type("User", core, &[enterprise])
});

/// A Group, whose members are rows.
pub static GROUP: LazyLock<ResourceType> = LazyLock::new(|| {
    resource_type("Group", include_str!("../../src/scim/schemas/group.json"), &[])
});

/// Checks that a document the core made is one that it takes, as it is: a client that reads and writes back (Okta)
/// changes nothing.
pub fn assert_settled(ty: &ResourceType, document: &Map) {
    let again = receive::receive(ty, document.clone(), Purpose::Replace, Profile::Rfc)
        .unwrap_or_else(|error| panic!("{error}: {document:?}"));
    assert_eq!(again.document, *document, "written back, it became another");
    assert!(again.ignored.is_empty(), "{:?} of {document:?}", again.ignored);
}
