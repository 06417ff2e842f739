//! The first part of a policy: the contract between the systems that share people (B-048 to B-080).

use std::collections::BTreeMap;

use super::contract_words::{BiometricStorage, IdFormat, IdSource, Immutability, Persisted};
use super::finding::{Findings, Placed, Position};
use super::read::{Fields, Read};
use super::yaml::Node;

/// Who answers for what (B-050).
#[derive(Clone, Debug, Default)]
pub struct Owner {
    /// Where the row begins.
    pub at: Position,
    /// Of the hiring schema and its stages.
    pub business: String,
    /// Of thresholds and retention.
    pub security: String,
    /// Of the integrations.
    pub engineering: String,
}

impl Read for Owner {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["business", "security", "engineering"], findings);
        Self {
            at: row.at(),
            business: row.need("business"),
            security: row.need("security"),
            engineering: row.need("engineering"),
        }
    }
}

/// The ids that join systems (B-051, B-052).
#[derive(Clone, Debug, Default)]
pub struct CanonicalIds {
    /// Where the row begins.
    pub at: Position,
    /// Of a candidate.
    pub candidate: CanonicalId,
    /// Of an application.
    pub application: CanonicalId,
}

impl Read for CanonicalIds {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["candidateId", "applicationId"], findings);
        Self {
            at: row.at(),
            candidate: row.need("candidateId"),
            application: row.need("applicationId"),
        }
    }
}

/// How one canonical id is made.
#[derive(Clone, Debug, Default)]
pub struct CanonicalId {
    /// Where the row begins.
    pub at: Position,
    /// Its form.
    pub format: IdFormat,
    /// Where it comes from.
    pub source: IdSource,
    /// Whether it may change.
    pub immutability: Immutability,
}

impl Read for CanonicalId {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["format", "source", "immutability"], findings);
        Self {
            at: row.at(),
            format: row.need("format"),
            source: row.need("source"),
            immutability: row.need("immutability"),
        }
    }
}

/// Which ids of other systems are taken (B-056).
#[derive(Clone, Debug, Default)]
pub struct ExternalIds {
    /// Where the row begins.
    pub at: Position,
    /// The contract's list.
    pub allow_list: Vec<Allowed>,
}

impl Read for ExternalIds {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["allowList"], findings);
        Self {
            at: row.at(),
            allow_list: row.need("allowList"),
        }
    }
}

/// The id fields of one system.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Where the row begins.
    pub at: Position,
    /// The system.
    pub system: Placed<String>,
    /// The names of its fields.
    pub fields: Vec<Placed<String>>,
    /// Who approved what goes beyond the contract's list.
    pub approved_by: Option<String>,
}

impl Read for Allowed {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["system", "fields", "approvedBy"], findings);
        Self {
            at: row.at(),
            system: row.need("system"),
            fields: row.need("fields"),
            approved_by: row.get("approvedBy"),
        }
    }
}

/// The contract's objects.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Where the row begins.
    pub at: Position,
    /// By name.
    pub objects: BTreeMap<String, Placed<Object>>,
}

impl Read for Schema {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["objects"], findings);
        Self {
            at: row.at(),
            objects: row.need("objects"),
        }
    }
}

/// What the contract says of one object.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// Where the row begins.
    pub at: Position,
    /// The fields that it must have.
    pub required: Vec<Placed<String>>,
    /// Its statuses.
    pub status_enum: Vec<Placed<String>>,
    /// Its decisions.
    pub decision_enum: Vec<Placed<String>>,
    /// Its personal data.
    pub pii: Option<Pii>,
    /// What may be kept of biometrics.
    pub biometrics: Option<Biometrics>,
}

impl Read for Object {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &[
                "required",
                "statusEnum",
                "decisionEnum",
                "pii",
                "biometrics",
            ],
            findings,
        );
        Self {
            at: row.at(),
            required: row.get("required"),
            status_enum: row.get("statusEnum"),
            decision_enum: row.get("decisionEnum"),
            pii: row.get("pii"),
            biometrics: row.get("biometrics"),
        }
    }
}

/// Which fields are personal (B-058).
#[derive(Clone, Debug, Default)]
pub struct Pii {
    /// Where the row begins.
    pub at: Position,
    /// Their names.
    pub restricted: Vec<Placed<String>>,
}

impl Read for Pii {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["restrictedFields"], findings);
        Self {
            at: row.at(),
            restricted: row.need("restrictedFields"),
        }
    }
}

/// What may be kept of biometrics.
#[derive(Clone, Debug, Default)]
pub struct Biometrics {
    /// Where the row begins.
    pub at: Position,
    /// How much (B-063).
    pub storage: BiometricStorage,
    /// The only fields (B-064).
    pub persist_only: Vec<Placed<Persisted>>,
}

impl Read for Biometrics {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["storage", "persistOnly"], findings);
        Self {
            at: row.at(),
            storage: row.need("storage"),
            persist_only: row.need("persistOnly"),
        }
    }
}
