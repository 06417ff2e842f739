//! Bulk requests (RFC 7644 §3.7): many operations in one body, which may refer to each other.
//!
//! | file | what it knows |
//! |---|---|
//! | `envelope` | the body: counted while it is read, its operations kept as text until their turn |
//! | `operation` | one operation: method, path, `bulkId`, `version` and what it refers to |
//! | `reference` | `bulkId:…` in data and paths (§3.7.2): found, resolved, cut out |
//! | `order` | which operation comes when, so that references resolve (§3.7.1) |
//!
//! Operations run in the order of the request, but for those that refer to a later one: these wait for it. Operations that
//! refer to each other in a circle are resolved, not refused: each is made without what cannot be known yet, and completed
//! once all of them are there.

mod envelope;
mod operation;
mod order;
mod reference;
#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::error::Error;
pub use envelope::{Bulk, parse};
pub use operation::{Method, Operation, Target};
pub use order::Unit;
pub use reference::{Cut, cut, resolve};

/// The URN of a bulk request.
pub const REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN of a bulk response.
pub const RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

/// Why a bulk body as a whole is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It holds more operations than allowed (§3.7.4): 413.
    #[error("a bulk request may hold {limit} operations; this one holds more")]
    TooManyOperations {
        /// How many are allowed.
        limit: usize,
    },
    /// It is malformed: 400.
    #[error(transparent)]
    Invalid(#[from] Error),
}

/// The body of an answer (§3.7.3), its operations in the order of the request.
#[must_use]
pub fn bulk_response(operations: &[Value]) -> Value {
    json!({ "schemas": [RESPONSE_URN], "Operations": operations })
}
