//! Who is asking, for which tenant, when and under which correlation id: the value that travels first.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::access::{Clearance, Governing};
use super::idempotency::Attempt;
use super::review::SYSTEM;
use crate::id::TenantId;
use crate::scim::profile::{Habit, Profile};

/// What a caller may do with a resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Fetch one by its id, and see it in answers.
    Read,
    /// List, filter and sort.
    Search,
    /// Create and change.
    Write,
    /// Delete.
    Delete,
}

impl Right {
    /// All rights.
    pub const ALL: [Self; 4] = [Self::Read, Self::Search, Self::Write, Self::Delete];

    /// Its word in configuration, policies and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Search => "search",
            Self::Write => "write",
            Self::Delete => "delete",
        }
    }
}

/// Rights on some resource types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Names of resource types (`User`); `*` stands for all.
    pub types: Vec<String>,
    /// What is allowed on them.
    pub rights: Vec<Right>,
}

/// A client as the policy, or else the configuration, has it: a verified token maps to one of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// Its name there and on events.
    pub name: String,
    /// The tenant it belongs to, by number.
    pub tenant: TenantId,
    /// The source system whose view of people it writes.
    pub system: String,
    /// What it may do and see.
    pub clearance: Clearance,
    /// For what it may see what is classified.
    pub purposes: Vec<String>,
    /// How it speaks SCIM.
    pub profile: Profile,
    /// What a PATCH of its own is answered by; as its profile says if nothing is said here.
    pub patch_answer: Option<PatchAnswer>,
}

/// What a successful PATCH is answered by, where the request does not say (RFC 7644 §3.5.2 allows both).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchAnswer {
    /// 200 with the resource.
    Resource,
    /// 204.
    Nothing,
}

impl Client {
    /// What a PATCH of the resource type named `resource_type` is answered by, unless the request names attributes or its
    /// preference: a group of a million members is not sent back to a client that never looks at it.
    #[must_use]
    pub fn patch_answer(&self, resource_type: &str) -> PatchAnswer {
        self.patch_answer.unwrap_or({
            if resource_type == "Group" && self.profile.allows(Habit::SilentGroups) {
                PatchAnswer::Nothing
            } else {
                PatchAnswer::Resource
            }
        })
    }

    /// Whether this client holds `right` on the resource type named `resource_type`.
    #[must_use]
    pub fn may(&self, right: Right, resource_type: &str) -> bool {
        self.clearance.may(right, resource_type)
    }
}

/// The word for who acts.
pub(in crate::domain) fn actor_type(by_human: bool) -> &'static str {
    if by_human { "human" } else { "system" }
}

/// The first argument of every operation.
#[derive(Clone, Debug)]
pub struct Context {
    /// The caller.
    pub client: Arc<Client>,
    /// Ties together what belongs to one flow (`X-Correlation-Id`, B-069).
    pub correlation: String,
    /// How the caller reaches SCIM here (`https://people.example.com/scim/v2`): the start of every location.
    pub base_url: Arc<str>,
    /// When the request came in.
    pub now: DateTime<Utc>,
    /// When the source system says that it knew what it now says, if it does: never later than `now`. An older word never
    /// wins over a newer one.
    pub said_at: Option<DateTime<Utc>>,
    /// Whether a human acts through the client: its token is of somebody's account, or somebody has signed in (B-025).
    pub by_human: bool,
    /// Which attempt at a request with a key it is, if it has one (`Idempotency-Key`, B-067).
    pub attempt: Option<Arc<Attempt>>,
}

impl Context {
    /// The server itself, at work on a tenant's records.
    #[must_use]
    pub fn of_server(tenant: TenantId, now: DateTime<Utc>, governing: &Governing) -> Self {
        let client = Client {
            name: SYSTEM.to_owned(),
            tenant,
            system: SYSTEM.to_owned(),
            clearance: Clearance::of_operator(governing),
            purposes: Vec::new(),
            profile: Profile::Rfc,
            patch_answer: None,
        };
        Self::of_client(Arc::new(client), SYSTEM, now)
    }

    /// A client in whose name the server itself does something.
    #[must_use]
    pub fn of_client(client: Arc<Client>, correlation: &str, now: DateTime<Utc>) -> Self {
        Self {
            client,
            correlation: correlation.to_owned(),
            base_url: "".into(),
            now,
            said_at: None,
            by_human: false,
            attempt: None,
        }
    }

    /// The request's key, if it has one.
    #[must_use]
    pub fn idempotency_key(&self) -> Option<String> {
        let attempt = self.attempt.as_ref();
        attempt.map(|attempt| attempt.key.to_string())
    }

    /// The caller's tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.client.tenant
    }

    /// The caller's source system.
    #[must_use]
    pub fn system(&self) -> &str {
        &self.client.system
    }
}
