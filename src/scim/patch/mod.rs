//! PATCH (RFC 7644 §3.5.2), tolerant of the forms that Entra ID, Okta and others send.
//!
//! | step | file |
//! |---|---|
//! | body to operations, each path checked against the type | `parse` |
//! | what concerns rows (group members) taken out | `rows` |
//! | operations applied in order, all or none | `apply` |
//! | which elements an operation means | `selection` |
//! | one multi-valued attribute's elements: create, merge, remove | `elements` |
//! | which of the elements that are there a listed one means | `listed` |
//! | whence each element of a list comes, and those that have become one | `origin` |
//!
//! Where the RFC says noTarget for a value filter that selects nothing, a filter made only of `eq` creates the
//! element instead: Entra ID fills users so. Which of these forms a client may use, its [`Profile`] says.

mod apply;
mod elements;
mod listed;
mod origin;
mod parse;
mod rows;
mod selection;

use std::fmt;

use serde_json::Value;

use super::Map;
use super::attribute_path::AttributePath;
use super::error::Result;
use super::filter::{Condition, Filter, parse_value_path};
use super::profile::Profile;
use super::resource_type::Location;

pub use origin::{Lists, Origin};
pub use parse::{MAX_OPERATIONS, parse};

/// The URN of a PATCH body.
pub const PATCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH body whose paths are known to exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// The operations, in order.
    pub operations: Vec<Operation>,
    /// How the client that sent it speaks.
    pub profile: Profile,
    /// Members of the body and of its operations that a PATCH does not have.
    pub ignored: Vec<String>,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// Where; without a path the value is an object of attributes.
    pub path: Option<PatchPath>,
    /// With what; a null that the client wrote stays a null.
    pub value: Option<Value>,
    /// Which operation of the body it is, counted from 1.
    pub position: usize,
}

/// The operations of RFC 7644 §3.5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Adds values; on a single-valued attribute, replaces.
    Add,
    /// Replaces what is there.
    Replace,
    /// Removes what is there.
    Remove,
}

/// The path of an operation: `path`, `path[filter]` or `path[filter].sub`.
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute, or an extension's URN read as one.
    pub path: AttributePath,
    /// Which elements.
    pub filter: Option<Filter>,
    /// Which sub-attribute of these elements.
    pub sub: Option<String>,
}

impl PatchPath {
    /// Reads a path, as a client of this profile writes it.
    pub fn parse(text: &str, profile: Profile) -> Result<Self> {
        let (path, filter, sub) = parse_value_path(text, profile)?;
        Ok(Self { path, filter, sub })
    }
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path)?;
        if let Some(filter) = &self.filter {
            write!(f, "[{filter}]")?;
        }
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

/// What a PATCH made of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The document after all operations.
    pub document: Map,
    /// Every leaf that the operations named and that stands: what the client claims, even if nothing changed.
    pub touched: Vec<Touched>,
    /// The elements that operations took out one by one, as they stood before.
    pub removed: Vec<Touched>,
    /// The lists that operations went through.
    pub lists: Lists,
    /// The unknown attributes and those that are not stored.
    pub ignored: Vec<String>,
}

/// A leaf that an operation named.
#[derive(Debug, Clone, PartialEq)]
pub struct Touched {
    /// The leaf; a multi-valued attribute has no sub-attribute here.
    pub location: Location,
    /// The element of a multi-valued attribute as it stands after the PATCH; nothing for single values,
    /// and where the whole attribute was replaced or removed.
    pub element: Option<Value>,
}

/// A change of an attribute that is kept as rows.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// The attribute, without a sub-attribute.
    pub location: Location,
    /// What changes.
    pub change: Change,
}

/// How rows change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// These elements join.
    Add(Vec<Value>),
    /// These elements are all there is.
    Replace(Vec<Value>),
    /// These go.
    Remove(Rows),
}

/// Which rows go.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// All of them.
    All,
    /// Those of these `value`s.
    Values(Vec<String>),
    /// Those that pass; the condition is one on an element.
    Matching(Condition),
}

#[cfg(test)]
mod tests;
