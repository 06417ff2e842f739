//! The second part of a policy: systems, authority, survivorship, matching, masking and retention.

use super::finding::{Findings, Placed, Position};
use super::read::{Fields, Read};
use super::words::{Basis, Day, Others, Rule, SystemKind, Then, Treatment};
use super::yaml::Node;
use crate::domain::matching::Reference;

/// A system that writes or reads, its owner and its security posture (B-088, B-104).
#[derive(Clone, Debug, Default)]
pub struct System {
    /// Where the row begins.
    pub at: Position,
    /// Its name.
    pub name: Placed<String>,
    /// What it is.
    pub kind: SystemKind,
    /// Who answers for it.
    pub owner: String,
    /// Whether the addresses it sends count as verified (C-01).
    pub verifies_email: bool,
    /// What its security rests on.
    pub posture: Option<Posture>,
}

impl Read for System {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["name", "kind", "owner", "verifiesEmail", "posture"],
            findings,
        );
        Self {
            at: row.at(),
            name: row.need("name"),
            kind: row.need("kind"),
            owner: row.need("owner"),
            verifies_email: row.get("verifiesEmail"),
            posture: row.get("posture"),
        }
    }
}

/// What a system's security rests on.
#[derive(Clone, Debug, Default)]
pub struct Posture {
    /// Where the row begins.
    pub at: Position,
    /// Until when there is a contract.
    pub contract_until: Option<Day>,
    /// Whether it is SOC 2 certified.
    pub soc2: bool,
    /// Whether it is ISO 27001 certified.
    pub iso27001: bool,
    /// When that was last looked at.
    pub reviewed_at: Option<Day>,
}

impl Read for Posture {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["contractUntil", "soc2", "iso27001", "reviewedAt"],
            findings,
        );
        Self {
            at: row.at(),
            contract_until: row.get("contractUntil"),
            soc2: row.get("soc2"),
            iso27001: row.get("iso27001"),
            reviewed_at: row.get("reviewedAt"),
        }
    }
}

/// Which system is master of what.
#[derive(Clone, Debug, Default)]
pub struct Authority {
    /// Where the row begins.
    pub at: Position,
    /// The name of the domain.
    pub domain: Placed<String>,
    /// The system whose word counts.
    pub master: Placed<String>,
    /// Types, extensions and attributes: `Employment`, `Person:Employee`, `Person.legalName`.
    pub covers: Vec<Placed<String>>,
    /// What the word of the others is.
    pub others: Others,
    /// Systems that were masters before, the last one first: what they said stands where the master says nothing (B-001).
    pub formerly: Option<Vec<Placed<String>>>,
}

impl Read for Authority {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["domain", "master", "covers", "others", "formerly"],
            findings,
        );
        Self {
            at: row.at(),
            domain: row.need("domain"),
            master: row.need("master"),
            covers: row.need("covers"),
            others: row.need("others"),
            formerly: row.get("formerly"),
        }
    }
}

/// How claims on attributes come to one value.
#[derive(Clone, Debug, Default)]
pub struct Survivorship {
    /// Where the row begins.
    pub at: Position,
    /// Paths of attributes.
    pub attributes: Vec<Placed<String>>,
    /// The rule.
    pub rule: Placed<Rule>,
    /// For `sourcePriority`: kinds or names of systems, the first one wins.
    pub order: Vec<Placed<String>>,
}

impl Read for Survivorship {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["attributes", "rule", "order"], findings);
        Self {
            at: row.at(),
            attributes: row.need("attributes"),
            rule: row.need("rule"),
            order: row.get("order"),
        }
    }
}

/// When two are one person (C-12): points from 0 to 100.
#[derive(Clone, Debug, Default)]
pub struct Matching {
    /// Where the row begins.
    pub at: Position,
    /// More points than these merge.
    pub merge_above: u32,
    /// From these points on a human looks.
    pub review_from: u32,
    /// Which weights: `builtin`, or a model that was trained and stored, `NAME` or `NAME@VERSION`.
    pub model: Placed<Reference>,
}

impl Read for Matching {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["mergeAbove", "reviewFrom", "model"], findings);
        Self {
            at: row.at(),
            merge_above: row.number("mergeAbove", 0..=100),
            review_from: row.number("reviewFrom", 0..=100),
            model: row.need("model"),
        }
    }
}

impl Read for Reference {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let text = String::read(node, findings);
        if text.is_empty() {
            return Self::default();
        }
        text.parse().unwrap_or_else(|reason: String| {
            findings.error(node.at, reason);
            Self::default()
        })
    }
}

/// Classified attributes: hidden from everyone but those who have the purpose.
#[derive(Clone, Debug, Default)]
pub struct Masking {
    /// Where the row begins.
    pub at: Position,
    /// Paths, also of some elements: `emails[type eq "home"]`.
    pub attributes: Vec<Placed<String>>,
    /// The purposes.
    pub open_to: Vec<Placed<String>>,
    /// The purpose that the person must have consented to besides.
    pub needs_consent: Option<String>,
    /// What everyone else gets.
    pub otherwise: Treatment,
    /// Whether nobody else may know that there are such attributes.
    pub confidential: bool,
}

impl Read for Masking {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &[
                "attributes",
                "openTo",
                "needsConsent",
                "otherwise",
                "confidential",
            ],
            findings,
        );
        Self {
            at: row.at(),
            attributes: row.need("attributes"),
            open_to: row.need("openTo"),
            needs_consent: row.get("needsConsent"),
            otherwise: row.need("otherwise"),
            confidential: row.get("confidential"),
        }
    }
}

/// How long something is kept.
#[derive(Clone, Debug, Default)]
pub struct Retention {
    /// Where the row begins.
    pub at: Position,
    /// A country or its part, as ISO 3166 has it.
    pub jurisdiction: Placed<String>,
    /// The event from which the days are counted.
    pub when: Placed<String>,
    /// The days.
    pub keep_days: u32,
    /// What happens after them.
    pub then: Then,
    /// Why it may be kept so long.
    pub basis: Basis,
}

impl Read for Retention {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["jurisdiction", "when", "keepDays", "then", "basis"],
            findings,
        );
        Self {
            at: row.at(),
            jurisdiction: row.need("jurisdiction"),
            when: row.need("when"),
            keep_days: row.number("keepDays", 0..=36_500),
            then: row.need("then"),
            basis: row.need("basis"),
        }
    }
}
