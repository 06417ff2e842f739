//! The policy: the contract between the systems that share people, and the rules that this server enforces, as data.
//!
//! | file | what it does |
//! |---|---|
//! | `yaml` | a file as a tree whose every node knows its place |
//! | `read` `finding` | from the tree to typed rows, and every mistake on the way |
//! | `contract` `delivery` `observability` `rows` `brake` `callers` (and their words) | what a policy says |
//! | `approval` | what takes the approval of Security |
//! | `handover` | what another master must not take away |
//! | `selector` | what the attributes and types that it names are here |
//! | `check` | what its rows must not say of each other |

mod approval;
mod brake;
mod callers;
mod check;
pub mod contract;
pub mod contract_words;
pub mod delivery;
pub(super) mod finding;
mod handover;
mod hiring;
pub mod observability;
pub(super) mod read;
mod rows;
pub mod selector;
mod words;
pub(super) mod yaml;

use std::collections::BTreeMap;

pub use approval::{Approval, Reserved, reserved};
pub use brake::LeaverBrake;
pub use callers::{Client, Grant, Match, Me, MeAttribute};
pub use finding::{Finding, Placed, Position, Severity};
pub use handover::dropped;
pub use hiring::Hiring;
pub use rows::{Authority, Masking, Matching, Posture, Retention, Survivorship, System};
pub use words::{Basis, Day, Others, Rule, SystemKind, Then, Treatment};
pub use yaml::{MAX_BYTES, MAX_DEPTH, MAX_NODES};

use super::catalog::Catalog;
use finding::Findings;
use read::{Fields, Read};
use yaml::Node;

/// A whole policy, as it stands in its file.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The version of the format: 1 (B-049).
    pub version: u32,
    /// Who answers for what.
    pub owner: Option<contract::Owner>,
    /// The ids that join systems.
    pub canonical_ids: Option<contract::CanonicalIds>,
    /// Which ids of other systems are taken.
    pub external_ids: Option<contract::ExternalIds>,
    /// What is approved beyond that list.
    pub external_ids_also: Vec<contract::Allowed>,
    /// The contract's objects.
    pub schema: Option<contract::Schema>,
    /// How events leave.
    pub webhooks: Option<delivery::Webhooks>,
    /// How changes are let out.
    pub rollout: Option<delivery::Rollout>,
    /// What is measured and kept.
    pub observability: Option<observability::Observability>,
    /// The systems.
    pub systems: Vec<System>,
    /// Which system is master of what.
    pub authority: Vec<Authority>,
    /// How claims come to one value; the first row that names an attribute decides.
    pub survivorship: Vec<Survivorship>,
    /// How hiring goes.
    pub hiring: Option<Hiring>,
    /// When two are one person.
    pub matching: Option<Matching>,
    /// The roles, by name; each where its name stands.
    pub roles: BTreeMap<String, Placed<Vec<Grant>>>,
    /// The clients.
    pub clients: Vec<Client>,
    /// The classified attributes.
    pub masking: Vec<Masking>,
    /// The attributes of persons that are sealed where they stand.
    pub secret: Vec<Placed<String>>,
    /// How long something is kept.
    pub retention: Vec<Retention>,
    /// How many leavers a client may make before a human is asked.
    pub leaver_brake: Option<LeaverBrake>,
    /// Whose approval a change of the policy takes.
    pub approval: Option<Approval>,
}

const KEYS: [&str; 21] = [
    "version",
    "owner",
    "canonicalIds",
    "externalIds",
    "externalIdsAlso",
    "schema",
    "webhooks",
    "rolloutControls",
    "observability",
    "systems",
    "authority",
    "survivorship",
    "hiring",
    "matching",
    "roles",
    "clients",
    "masking",
    "secret",
    "retention",
    "leaverBrake",
    "approval",
];

impl Policy {
    /// How a repetition is known, where the policy says it (B-067, B-068).
    #[must_use]
    pub fn idempotency(&self) -> Option<&delivery::Idempotency> {
        let webhooks = self.webhooks.as_ref();
        webhooks.map(|webhooks| &webhooks.delivery.idempotency)
    }

    /// The header by which a flow is followed, where the policy names one (B-069).
    #[must_use]
    pub fn correlation_header(&self) -> Option<&str> {
        let webhooks = self.webhooks.as_ref();
        webhooks.map(|webhooks| webhooks.delivery.correlation.header.as_str())
    }
}

impl Read for Policy {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut file = Fields::of(node, &KEYS, findings);
        Self {
            version: version(&mut file),
            owner: file.get("owner"),
            canonical_ids: file.get("canonicalIds"),
            external_ids: file.get("externalIds"),
            external_ids_also: file.get("externalIdsAlso"),
            schema: file.get("schema"),
            webhooks: file.get("webhooks"),
            rollout: file.get("rolloutControls"),
            observability: file.get("observability"),
            systems: file.get("systems"),
            authority: file.get("authority"),
            survivorship: file.get("survivorship"),
            hiring: file.get("hiring"),
            matching: file.get("matching"),
            roles: file.get("roles"),
            clients: file.get("clients"),
            masking: file.get("masking"),
            secret: file.get("secret"),
            retention: file.get("retention"),
            leaver_brake: file.get("leaverBrake"),
            approval: file.get("approval"),
        }
    }
}

fn version(file: &mut Fields<'_, '_>) -> u32 {
    let Placed { at, value } = file.need("version");
    if value != 1 && at != Position::default() {
        let reason = format!("version is {value}, but this server reads version 1");
        file.findings.error(at, reason);
    }
    value
}

const POLICY: yaml::Wording = yaml::Wording {
    file: "policy",
    least: "version: 1",
};

/// What came of reading a file.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The policy, if there is no error.
    pub policy: Option<Policy>,
    /// Every mistake, in the order of the file.
    pub findings: Vec<Finding>,
}

/// Reads the bytes of a file and checks all that it says, against the resource types of `catalog`.
#[must_use]
pub fn load(bytes: &[u8], catalog: &Catalog) -> Loaded {
    let mut findings = Findings::default();
    let policy =
        yaml::read(bytes, POLICY, &mut findings).map(|root| Policy::read(&root, &mut findings));
    if let Some(policy) = &policy {
        check::run(policy, catalog, &mut findings);
    }
    let findings = findings.sorted();
    let sound = findings
        .iter()
        .all(|found| found.severity != Severity::Error);
    let policy = policy.filter(|_| sound);
    Loaded { policy, findings }
}

#[cfg(test)]
mod tests;
