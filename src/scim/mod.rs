//! SCIM 2.0 (RFC 7643 and RFC 7644) as a pure library: no I/O, no clock, nothing of ours.
//!
//! | file | what it knows |
//! |---|---|
//! | [`error`] | the error keywords of RFC 7644 §3.12, and details that say what would be right |
//! | [`json`] | JSON as a strict reader takes it: no duplicate member, no bad UTF-8, bounded depth |
//! | [`schema`] | schemas, attributes and their characteristics (RFC 7643 §2 and §7), the common attributes (§3.1) |
//! | [`resource_type`] | a core schema with its extensions, and how a name becomes a [`resource_type::Location`] |
//! | [`stand_in`] | what a client may be shown in place of a value, and send back |
//! | [`attribute_path`] | `urn:…:User:name.familyName` as a value |
//! | [`comparable`] | one text per value whose byte order is the attribute's order |
//! | [`filter`] | filters: text, tree, checked condition, evaluation (RFC 7644 §3.4.2.2) |
//! | [`profile`] | which of the forms that real clients send are taken, by client |
//! | [`receive`] | from a client's body to a valid document |
//! | [`mutability`] | what an update may not change (RFC 7643 §2.2) |
//! | [`patch`] | PATCH (RFC 7644 §3.5.2), with the forms that real clients send |
//! | [`projection`] | `attributes`, `excludedAttributes` and `returned` (RFC 7644 §3.9) |
//! | [`list`] | list requests, searches and list responses (RFC 7644 §3.4.2 and §3.4.3) |
//! | [`bulk`] | bulk requests: many operations that refer to each other (RFC 7644 §3.7) |
//! | [`discovery`] | `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4) |
//! | [`json_schema`] | a resource type as JSON Schema 2020-12 |
//! | [`openapi`] | the same as an OpenAPI 3.1 document |
//!
//! A document is a [`Map`] with canonical attribute names, without nulls, empty arrays or empty objects;
//! an extension's attributes stand in an object under the extension's URN (RFC 7643 §3.3).

pub mod attribute_path;
pub mod bulk;
pub mod comparable;
pub mod discovery;
pub mod document;
pub mod error;
pub mod filter;
pub mod json;
pub mod json_schema;
pub mod list;
pub mod mutability;
pub mod openapi;
pub mod patch;
pub mod profile;
pub mod projection;
pub mod receive;
pub mod resource_type;
pub mod schema;
pub mod stand_in;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};

/// A JSON object: a resource, a request body or a complex value.
pub type Map = serde_json::Map<String, serde_json::Value>;
