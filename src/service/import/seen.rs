//! Who was spoken of earlier in the same file: which of two rows is meant, only a time of the source can tell.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::Line;
use crate::domain::mapping::Fault;

/// The ids of a file so far, as hashes with the line of each: 16 bytes a row.
#[derive(Default)]
pub struct Seen {
    hasher: RandomState,
    lines: HashMap<u64, u64>,
}

impl Seen {
    /// The row, rejected if an earlier one speaks of the same and neither says when.
    #[must_use]
    pub fn check(&mut self, mut line: Line) -> Line {
        let Ok(said) = &line.said else { return line };
        if said.at.is_some() {
            return line;
        }
        let hash = self.hasher.hash_one(&said.external_id);
        match self.lines.get(&hash) {
            Some(first) if *first != line.number => {
                line.said = Err(vec![Fault {
                    column: String::new(),
                    attribute: "externalId".into(),
                    reason: format!(
                        "line {first} speaks of '{}' already: which of the two holds, only a time in the row could tell",
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
