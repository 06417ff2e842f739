//! The published contracts: JSON Schema 2020-12 of the six objects of a hiring flow, of every resource type and of every
//! type of event, made from the schema files (requirements A-119, B-036, B-089).
//!
//! | file | what it makes |
//! |---|---|
//! | `objects` | Candidate, Application, `VerificationEvent`, Interview, `AssessmentResult` and Offer, by the names that hiring tools exchange |
//! | `render` | one of these from a masked resource |
//! | `events` | each type of event of the log |
//! | `frame` | the members that any event may have |
//! | `compatible` | what of a newer schema breaks who relies on an older one |
//! | `past` | the versions that have been superseded, served as they were |
//!
//! A resource type as SCIM shows it is `NAMEResource` ([`crate::scim::json_schema`]). Each contract has a version of its
//! own. A change that breaks nobody keeps it; one that does makes a new version, and the older one goes on being served.
//! The published text of each is `conformance/contracts/NAME-VERSION.json`, and a test holds it against what is made here.

pub mod compatible;
mod events;
mod frame;
mod objects;
mod past;
mod render;

use std::sync::Arc;

use serde_json::{Value, json};

use super::record::Kind;
use crate::scim::json_schema::{self, DIALECT};
use crate::scim::resource_type::ResourceType;

pub use events::types as event_types;
pub(in crate::domain) use objects::CANDIDATE;
pub(in crate::domain) use render::published;
pub use render::{exchanged_as, object};

/// What a contract is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An object that hiring tools exchange.
    Object,
    /// A resource type as SCIM shows it.
    Resource,
    /// A type of event of the log.
    Event,
}

impl Subject {
    /// The word for it in the index.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Object => "object",
            Self::Resource => "resource",
            Self::Event => "event",
        }
    }
}

/// One version of one published schema.
#[derive(Clone, Debug, PartialEq)]
pub struct Contract {
    /// The name: `Application`, `ApplicationResource` or `application.created`.
    pub name: String,
    /// The version, `MAJOR.MINOR`.
    pub version: String,
    /// What it is of.
    pub subject: Subject,
    /// The JSON Schema, with its `$id`.
    pub schema: Value,
}

impl Contract {
    /// The current version: what `make` makes of its `$id`.
    fn current(name: String, subject: Subject, make: impl FnOnce(&str) -> Value) -> Self {
        let version = past::current(&name);
        let schema = make(&urn(&name, &version));
        Self {
            name,
            version,
            subject,
            schema,
        }
    }

    /// Its line of the index; `root` is the server's address without a slash at its end.
    #[must_use]
    pub fn to_json(&self, root: &str) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "subject": self.subject.word(),
            "$id": self.schema["$id"],
            "description": self.schema["description"],
            "location": format!("{root}/schemas/{}/{}", self.name, self.version),
        })
    }
}

/// The `$id`: a name that is the same wherever the schema is read.
fn urn(name: &str, version: &str) -> String {
    format!("urn:muster:contract:{name}:{version}")
}

/// All contracts, superseded versions included: objects, then resource types, then events.
#[must_use]
pub fn all(types: &[Arc<ResourceType>]) -> Vec<Contract> {
    let mut contracts = objects::contracts(types);
    contracts.extend(types.iter().map(|ty| resource(ty)));
    contracts.extend(events::contracts());
    contracts.extend(past::contracts());
    contracts
}

fn resource(ty: &ResourceType) -> Contract {
    let make = |id: &str| json_schema::document(ty, id, is_append_only(&ty.name));
    Contract::current(format!("{}Resource", ty.name), Subject::Resource, make)
}

/// Whether resources of a type are created and read, never changed: what they do not have is refused (B-029, B-064).
fn is_append_only(resource_type: &str) -> bool {
    Kind::of_type(resource_type).is_some_and(Kind::is_append_only)
}

/// The beginning of a schema: what it is and what it describes.
fn heading(id: &str, title: &str, description: &str) -> Value {
    json!({"$schema": DIALECT, "$id": id, "title": title, "description": description, "type": "object"})
}
