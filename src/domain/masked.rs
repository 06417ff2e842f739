//! The only form of a resource that a door can serialize: what its reader may see of it.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::id::ResourceId;

/// A resource as one reader sees it: the type's view of the record, with `meta` and `schemas`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// The document, with canonical attribute names.
    pub document: Map<String, Value>,
    /// The entity tag of the whole view, `W/"…"` (RFC 7644 §3.14), whatever part of it is returned.
    pub version: String,
    /// Where it is found.
    pub location: String,
}

/// Wraps what has been through the policy. Only [`crate::domain`] can make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    /// Seals what the policy has let through.
    pub(in crate::domain) fn seal(seen: T) -> Self {
        Self(seen)
    }

    /// What the reader may see.
    pub fn as_ref(&self) -> &T {
        &self.0
    }
}

impl Serialize for Masked<Resource> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.document.serialize(serializer)
    }
}
