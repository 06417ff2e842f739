//! What the contract says of logs and targets (B-077 to B-080).

use std::collections::BTreeMap;

use super::finding::{Findings, Placed, Position};
use super::read::{Fields, Read};
use super::yaml::Node;

/// What is measured and kept.
#[derive(Clone, Debug, Default)]
pub struct Observability {
    /// Where the row begins.
    pub at: Position,
    /// The log of deliveries.
    pub event_log: EventLog,
    /// Targets by name.
    pub slos: BTreeMap<String, Placed<Slo>>,
}

impl Read for Observability {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["eventLog", "slos"], findings);
        Self {
            at: row.at(),
            event_log: row.need("eventLog"),
            slos: row.get("slos"),
        }
    }
}

/// The log of deliveries (B-077 to B-079).
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    /// Where the row begins.
    pub at: Position,
    /// Whether there must be one.
    pub required: bool,
    /// For how many days it is kept.
    pub retention_days: u32,
    /// The fields of an entry.
    pub fields: Vec<Placed<String>>,
}

impl Read for EventLog {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["required", "retentionDays", "fields"], findings);
        Self {
            at: row.at(),
            required: row.need("required"),
            retention_days: row.number("retentionDays", 1..=36_500),
            fields: row.get("fields"),
        }
    }
}

/// A target: a number or a text (B-080).
#[derive(Clone, Debug, Default)]
pub struct Slo {
    /// Where the row begins.
    pub at: Position,
    /// The target.
    pub target: String,
    /// For the reader.
    pub note: Option<String>,
}

impl Read for Slo {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["target", "note"], findings);
        Self {
            at: row.at(),
            target: row.need("target"),
            note: row.get("note"),
        }
    }
}
