//! The components of a resource type: as it is answered, as it is sent, and a list of them.

use super::reference;
use crate::scim::Map;
use crate::scim::json_schema::{Way, define};
use crate::scim::resource_type::ResourceType;

/// The component that describes what is answered.
pub(super) fn answered(name: &str) -> String {
    Way::Answered.name(name)
}

/// The component that describes what is sent.
pub(super) fn sent(name: &str) -> String {
    Way::Sent.name(name)
}

/// The component of a list of them.
pub(super) fn list(name: &str) -> String {
    format!("{}List", answered(name))
}

/// Adds the components of a type and of its extensions.
pub(super) fn add(ty: &ResourceType, schemas: &mut Map) {
    define(ty, "#/components/schemas/", schemas);
    let page = super::messages::list(&reference("schemas", &answered(&ty.name)));
    schemas.insert(list(&ty.name), page);
}
