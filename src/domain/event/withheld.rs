//! What is left of an event whose key has been destroyed.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::id::{EventId, ResourceId, TenantId};

/// What is left to tell of an event whose key has been destroyed: what the log keeps beside its body.
#[derive(Clone, Debug, PartialEq)]
pub struct Withheld<'a> {
    /// Its id.
    pub id: EventId,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its type.
    pub kind: &'a str,
    /// The resource type through which it was done.
    pub resource_type: &'a str,
    /// The record.
    pub resource: ResourceId,
    /// The person who has been erased.
    pub person: ResourceId,
    /// The version it made, if it made one.
    pub version: Option<i64>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// The client that did it.
    pub client: &'a str,
    /// Ties together what belongs to one flow.
    pub correlation: &'a str,
}

impl Withheld<'_> {
    /// The event as it is printed: `erased` says why there are no values.
    #[must_use]
    pub fn body(&self) -> Value {
        json!({
            "eventId": self.id.to_string(),
            "tenant": self.tenant.0,
            "type": self.kind,
            "resourceType": self.resource_type,
            "resourceId": self.resource.to_string(),
            "version": self.version,
            "personId": self.person.to_string(),
            "recordedAt": self.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "client": self.client,
            "correlationId": self.correlation,
            "erased": true,
        })
    }
}
