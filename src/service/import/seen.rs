//! Who was spoken of earlier in the same file: which of two rows is meant, only a time of the source can tell.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::{Line, Reject};
use crate::domain::mapping::Fault;

/// What begins the sentence about a row that stands twice is a number; what ends it is this.
const DOUBLE: &str = "which of the two holds, only a time in the row could tell";

impl Reject {
    /// Whether an earlier row of the file speaks of the same.
    #[must_use]
    pub fn is_double(&self) -> bool {
        self.fault.reason.ends_with(DOUBLE)
    }
}

/// The ids of a file so far, as hashes with the line of each: 16 bytes a row.
#[derive(Default)]
pub struct Seen {
    hasher: RandomState,
    lines: HashMap<u64, u64>,
}

impl Seen {
    /// Whether the file speaks of an id.
    #[must_use]
    pub fn has(&self, external_id: &str) -> bool {
        self.lines.contains_key(&self.hasher.hash_one(external_id))
    }

    /// The row, rejected if an earlier one speaks of the same and neither says when.
    #[must_use]
    pub fn check(&mut self, mut line: Line) -> Line {
        let Ok(said) = &line.said else { return line };
        let hash = self.hasher.hash_one(&said.external_id);
        match self.lines.get(&hash) {
            Some(first) if *first != line.number && said.at.is_none() => {
                line.said = Err(vec![Fault {
                    column: String::new(),
                    attribute: "externalId".into(),
                    reason: format!(
                        "line {first} speaks of '{}' already: {DOUBLE}",
                        said.external_id
                    ),
                }]);
            }
            _ => {
                self.lines.insert(hash, line.number);
            }
        }
        line
    }
}
