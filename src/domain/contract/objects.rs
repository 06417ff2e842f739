//! The six objects that hiring tools exchange, by the names of the portable hiring schema (B-027, B-036, B-094). Each is a
//! small table of names over a resource type; all else is taken over from the schema file under its own name, and a
//! reference `candidate` becomes `candidateId`.
//!
//! | object | resource type | required (B-057 to B-065) |
//! |---|---|---|
//! | Candidate | Person with the Candidate role | candidateId, primaryEmail, createdAt |
//! | Application | Application | applicationId, candidateId, jobId, status, createdAt |
//! | `VerificationEvent` | Verification | eventId, occurredAt, applicationId, tierRequired, tierSatisfied, decision, evidencePackRef |
//! | Interview | Interview | interviewId, applicationId |
//! | `AssessmentResult` | Assessment | eventId, occurredAt, applicationId, vendor, attemptId, result |
//! | Offer | Offer | offerId, applicationId, createdAt |

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Contract, Subject, heading, is_append_only};
use crate::scim::attribute_path::AttributePath;
use crate::scim::error::Kind::InvalidPath;
use crate::scim::json_schema::{Way, property};
use crate::scim::resource_type::{Location, Resolved, ResourceType};
use crate::scim::schema::{Attribute, Kind, Schema};

/// The role that makes a person a candidate.
pub(in crate::domain) const CANDIDATE: &str = "urn:muster:scim:schemas:extension:1.0:Candidate";

/// An object as a table of names.
struct Plan {
    name: &'static str,
    /// The resource type.
    of: &'static str,
    /// The extension whose attributes it has; without one the core schema.
    role: Option<&'static str>,
    /// Its own name of a value, and the value's path; `emails[primary]` is the value of the preferred element.
    names: &'static [(&'static str, &'static str)],
    required: &'static [&'static str],
}

const EXTERNAL: (&str, &str) = ("externalIds", "externalIdentifiers");

const PLANS: [Plan; 6] = [
    Plan {
        name: "Candidate",
        of: "Person",
        role: Some(CANDIDATE),
        names: &[
            ("candidateId", "id"),
            ("primaryEmail", "emails[primary]"),
            ("phone", "phoneNumbers[primary]"),
            ("name", "name"),
            ("displayName", "displayName"),
            ("updatedAt", "meta.lastModified"),
            EXTERNAL,
        ],
        required: &["candidateId", "primaryEmail", "createdAt"],
    },
    Plan {
        name: "Application",
        of: "Application",
        role: None,
        names: &[
            ("applicationId", "id"),
            ("createdAt", "meta.created"),
            ("updatedAt", "meta.lastModified"),
            EXTERNAL,
        ],
        required: &[
            "applicationId",
            "candidateId",
            "jobId",
            "status",
            "createdAt",
        ],
    },
    Plan {
        name: "VerificationEvent",
        of: "Verification",
        role: None,
        names: &[("eventId", "id"), ("recordedAt", "meta.created"), EXTERNAL],
        required: &[
            "eventId",
            "occurredAt",
            "applicationId",
            "tierRequired",
            "tierSatisfied",
            "decision",
            "evidencePackRef",
        ],
    },
    Plan {
        name: "Interview",
        of: "Interview",
        role: None,
        names: &[
            ("interviewId", "id"),
            ("createdAt", "meta.created"),
            ("updatedAt", "meta.lastModified"),
            EXTERNAL,
        ],
        required: &["interviewId", "applicationId"],
    },
    Plan {
        name: "AssessmentResult",
        of: "Assessment",
        role: None,
        names: &[("eventId", "id"), ("recordedAt", "meta.created"), EXTERNAL],
        required: &[
            "eventId",
            "occurredAt",
            "applicationId",
            "vendor",
            "attemptId",
            "result",
        ],
    },
    Plan {
        name: "Offer",
        of: "Offer",
        role: None,
        names: &[
            ("offerId", "id"),
            ("createdAt", "meta.created"),
            ("updatedAt", "meta.lastModified"),
            EXTERNAL,
        ],
        required: &["offerId", "applicationId", "createdAt"],
    },
];

/// How a property's value is found in a document.
pub(super) enum Source {
    /// It stands there.
    At(Location),
    /// The `value` of the preferred element, or of the first.
    Preferred(Location),
    /// The `value` of a reference, or those of several.
    Referred(Location),
}

/// A property of an object.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) source: Source,
    schema: Value,
}

/// The contracts of those objects whose resource types there are.
pub(super) fn contracts(types: &[Arc<ResourceType>]) -> Vec<Contract> {
    let contract = |plan: &Plan| {
        let ty = types.iter().find(|ty| ty.name == plan.of)?;
        let make = |id: &str| plan.schema(ty, id);
        Some(Contract::current(
            plan.name.to_owned(),
            Subject::Object,
            make,
        ))
    };
    PLANS.iter().filter_map(contract).collect()
}

/// The object that a resource type is exchanged as: its name, the role that the resource must have, and its properties.
pub(super) fn exchanged(
    ty: &ResourceType,
) -> Option<(&'static str, Option<&'static str>, Vec<Field>)> {
    let plan = PLANS.iter().find(|plan| plan.of == ty.name)?;
    Some((plan.name, plan.role, plan.fields(ty)))
}

impl Plan {
    fn schema(&self, ty: &ResourceType, id: &str) -> Value {
        let mut schema = heading(id, self.name, &self.body(ty).description);
        let properties = self.fields(ty).into_iter();
        let properties: Map<String, Value> =
            properties.map(|field| (field.name, field.schema)).collect();
        schema["properties"] = properties.into();
        schema["required"] = json!(self.required);
        if is_append_only(self.of) {
            schema["additionalProperties"] = false.into();
        }
        schema
    }

    /// The schema whose attributes it has.
    fn body<'a>(&self, ty: &'a ResourceType) -> &'a Schema {
        let role = self.role.and_then(|urn| ty.resolve_extension(urn));
        role.unwrap_or(&ty.schema)
    }

    fn fields(&self, ty: &ResourceType) -> Vec<Field> {
        let named = self.names.iter().filter_map(|(name, path)| {
            let (path, preferred) = match path.strip_suffix("[primary]") {
                Some(path) => (path, true),
                None => (*path, false),
            };
            let found = ty.resolve(&AttributePath::parse(path, InvalidPath).ok()?)?;
            Some(field((*name).to_owned(), &found, preferred))
        });
        let own = self.body(ty).attributes.iter();
        let own = own.filter(|attribute| {
            let mut names = self.names.iter();
            self.role.is_some() || names.all(|(_, path)| *path != &*attribute.name)
        });
        let own = own.filter_map(|attribute| {
            let path = match self.role {
                Some(urn) => format!("{urn}:{}", attribute.name),
                None => attribute.name.to_string(),
            };
            let found = ty.resolve(&AttributePath::parse(&path, InvalidPath).ok()?)?;
            Some(self::own(&found))
        });
        named.chain(own).collect()
    }
}

/// A property under a name of its own.
fn field(name: String, found: &Resolved<'_>, preferred: bool) -> Field {
    let location = found.location.clone();
    let leaf = found.leaf();
    let shown = leaf.sub("value").filter(|_| preferred).unwrap_or(leaf);
    let mut schema = plain(property(shown, Way::Answered), shown);
    if &*location.attribute == "id" {
        schema["format"] = "uuid".into();
    }
    let source = if preferred {
        Source::Preferred(location)
    } else {
        Source::At(location)
    };
    Field {
        name,
        source,
        schema,
    }
}

/// A property under the attribute's name; a reference as the id that it holds.
fn own(found: &Resolved<'_>) -> Field {
    let attribute = found.attribute;
    let Some(value) = reference(attribute) else {
        return field(attribute.name.to_string(), found, false);
    };
    let mut schema = plain(property(value, Way::Answered), value);
    // The server has found what it refers to, or refused it.
    schema["format"] = "uuid".into();
    let name = if attribute.multi_valued {
        schema = json!({"type": "array", "items": schema});
        format!("{}Ids", attribute.name.trim_end_matches('s'))
    } else {
        format!("{}Id", attribute.name)
    };
    schema["description"] = attribute.description.as_str().into();
    Field {
        name,
        source: Source::Referred(found.location.clone()),
        schema,
    }
}

/// The `value` of an attribute that refers to another resource.
fn reference(attribute: &Attribute) -> Option<&Attribute> {
    let refers = attribute.kind == Kind::Complex && attribute.sub("$ref").is_some();
    attribute.sub("value").filter(|_| refers)
}

/// Without what only SCIM says of an attribute, and with what its elements must have.
fn plain(mut schema: Value, attribute: &Attribute) -> Value {
    let Some(object) = schema.as_object_mut() else {
        return schema;
    };
    object.retain(|key, _| !key.starts_with("x-scim-") && key != "readOnly");
    if attribute.kind == Kind::Integer {
        // The server's own bounds, beyond what many readers can hold.
        object.retain(|key, _| !["format", "minimum", "maximum"].contains(&key.as_str()));
    }
    let of_elements = object.get_mut("items");
    let properties = match of_elements {
        Some(items) => items,
        None => &mut schema,
    };
    for sub in &attribute.sub_attributes {
        if let Some(property) = properties["properties"].get_mut(&*sub.name) {
            *property = plain(property.take(), sub);
        }
    }
    let required = attribute.sub_attributes.iter().filter(|sub| sub.required);
    let required: Vec<&str> = required.map(|sub| &*sub.name).collect();
    if !required.is_empty() {
        properties["required"] = json!(required);
    }
    schema
}
