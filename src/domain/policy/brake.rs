//! What the policy says of runs of leavers.

use super::finding::{Findings, Position};
use super::read::{Fields, Read};
use super::yaml::Node;

/// How many leavers a client may make in a window before a human is asked. Without this key nothing is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaverBrake {
    /// Where the row begins.
    pub at: Position,
    /// How long the window is, in minutes: 60.
    pub window: u32,
    /// The most accounts that are deactivated in a window: 50.
    pub deactivations: u32,
    /// The most users and persons that are deleted in a window: 20.
    pub deletions: u32,
    /// The most members that are taken out of groups in a window: 500.
    pub removals: u32,
    /// The same for all three, in percent of the records that there are: 10.
    pub share: u32,
    /// For how many days what went through can be restored: 30.
    pub restore_days: u32,
}

const KEYS: [&str; 6] = [
    "window",
    "deactivations",
    "deletions",
    "removals",
    "share",
    "restoreDays",
];

impl Read for LeaverBrake {
    fn read(node: &Node, findings: &mut Findings) -> Self {
        let mut row = Fields::of(node, &KEYS, findings);
        Self {
            at: row.at(),
            window: row.number_or("window", 5..=1440, 60),
            deactivations: row.number_or("deactivations", 1..=1_000_000, 50),
            deletions: row.number_or("deletions", 1..=1_000_000, 20),
            removals: row.number_or("removals", 1..=1_000_000, 500),
            share: row.number_or("share", 1..=100, 10),
            restore_days: row.number_or("restoreDays", 1..=365, 30),
        }
    }
}
