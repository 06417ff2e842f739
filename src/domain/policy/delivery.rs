//! What the contract says of events on their way: delivery and rollout (B-066 to B-076).

use sha2::{Digest, Sha256};

use super::contract_words::{AuthMethod, Backoff, SwitchAction};
use super::finding::{Findings, Placed, Position};
use super::hiring::Hiring;
use super::read::{Fields, Read};
use super::yaml::Node;

/// How events leave.
#[derive(Clone, Debug, Default)]
pub struct Webhooks {
    /// Where the row begins.
    pub at: Position,
    /// Their delivery.
    pub delivery: Delivery,
}

impl Read for Webhooks {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["delivery"], findings);
        Self {
            at: row.at(),
            delivery: row.need("delivery"),
        }
    }
}

/// The terms of delivery.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Where the row begins.
    pub at: Position,
    /// How a delivery is authenticated.
    pub auth: Auth,
    /// How a repetition is known.
    pub idempotency: Idempotency,
    /// How a flow is followed.
    pub correlation: Correlation,
    /// What happens to a failure.
    pub retries: Retries,
}

impl Read for Delivery {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["auth", "idempotency", "correlation", "retries"],
            findings,
        );
        Self {
            at: row.at(),
            auth: row.need("auth"),
            idempotency: row.need("idempotency"),
            correlation: row.need("correlation"),
            retries: row.need("retries"),
        }
    }
}

/// How a delivery is authenticated.
#[derive(Clone, Debug, Default)]
pub struct Auth {
    /// Where the row begins.
    pub at: Position,
    /// The method (B-066).
    pub method: AuthMethod,
    /// For the reader.
    pub note: Option<String>,
}

impl Read for Auth {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["method", "note"], findings);
        Self {
            at: row.at(),
            method: row.need("method"),
            note: row.get("note"),
        }
    }
}

/// How a repetition is known (B-067, B-068).
#[derive(Clone, Debug, Default)]
pub struct Idempotency {
    /// Where the row begins.
    pub at: Position,
    /// The header with the key.
    pub header: String,
    /// For how many days a key is remembered; default 30.
    pub window_days: u32,
    /// For the reader.
    pub rule: Option<String>,
}

impl Read for Idempotency {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["header", "windowDays", "rule"], findings);
        Self {
            at: row.at(),
            header: row.need("header"),
            window_days: row.number_or("windowDays", 1..=365, 30),
            rule: row.get("rule"),
        }
    }
}

/// How a flow is followed (B-069, B-070).
#[derive(Clone, Debug, Default)]
pub struct Correlation {
    /// Where the row begins.
    pub at: Position,
    /// The header with the id.
    pub header: String,
    /// For the reader.
    pub rule: Option<String>,
}

impl Read for Correlation {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["header", "rule"], findings);
        Self {
            at: row.at(),
            header: row.need("header"),
            rule: row.get("rule"),
        }
    }
}

/// What happens to a failed delivery.
#[derive(Clone, Debug, Default)]
pub struct Retries {
    /// Where the row begins.
    pub at: Position,
    /// All attempts, the first among them (B-071).
    pub max_attempts: u32,
    /// How the waits grow (B-072).
    pub backoff: Backoff,
    /// Whether what is given up on is kept (B-073).
    pub dead_letter_queue: bool,
}

impl Read for Retries {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(
            node,
            &["maxAttempts", "backoff", "deadLetterQueue"],
            findings,
        );
        Self {
            at: row.at(),
            max_attempts: row.number("maxAttempts", 1..=100),
            backoff: row.need("backoff"),
            dead_letter_queue: row.need("deadLetterQueue"),
        }
    }
}

/// How changes are let out.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// Where the row begins.
    pub at: Position,
    /// First to a few.
    pub canary: Option<Canary>,
    /// What can be stopped at once.
    pub kill_switches: Vec<KillSwitch>,
}

impl Read for Rollout {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["canary", "killSwitches"], findings);
        Self {
            at: row.at(),
            canary: row.get("canary"),
            kill_switches: row.get("killSwitches"),
        }
    }
}

/// To which requisitions a change goes first (B-074).
#[derive(Clone, Debug, Default)]
pub struct Canary {
    /// Where the row begins.
    pub at: Position,
    /// Whether it does.
    pub enabled: bool,
    /// Which.
    pub scope: CanaryScope,
    /// The rules that hold there first, in the place of the row `hiring`.
    pub hiring: Option<Placed<Hiring>>,
}

impl Read for Canary {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["enabled", "scope", "hiring"], findings);
        Self {
            at: row.at(),
            enabled: row.need("enabled"),
            scope: row.need("scope"),
            hiring: row.get("hiring"),
        }
    }
}

/// The requisitions of a canary.
#[derive(Clone, Debug, Default)]
pub struct CanaryScope {
    /// Where the row begins.
    pub at: Position,
    /// By the business's own id.
    pub job_ids: Vec<Placed<String>>,
    /// How many of all, in percent, by a hash of each one's id.
    pub share: u32,
}

impl Read for CanaryScope {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["jobIds", "share"], findings);
        Self {
            at: row.at(),
            job_ids: row.get("jobIds"),
            share: row.number_or("share", 1..=100, 0),
        }
    }
}

impl CanaryScope {
    /// Whether a requisition of that job id and id is one of them. It stays one whatever others come and go.
    #[must_use]
    pub fn reaches(&self, job: Option<&str>, id: &str) -> bool {
        let hash = Sha256::digest(id);
        let place = u32::from(u16::from_be_bytes([hash[0], hash[1]]));
        let is_drawn = place * 100 < self.share * (u32::from(u16::MAX) + 1);
        is_drawn || job.is_some_and(|job| self.job_ids.iter().any(|known| known.value == job))
    }
}

/// What stops one integration (B-075, B-076).
#[derive(Clone, Debug, Default)]
pub struct KillSwitch {
    /// Where the row begins.
    pub at: Position,
    /// Its name.
    pub name: Placed<String>,
    /// What it does.
    pub action: SwitchAction,
}

impl Read for KillSwitch {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &["name", "action"], findings);
        Self {
            at: row.at(),
            name: row.need("name"),
            action: row.need("action"),
        }
    }
}
