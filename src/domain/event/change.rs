//! What changed between two folds.

use serde::Serialize;
use serde_json::Value;

use crate::domain::record::Leaves;

/// One attribute before and after; `null` where it had or has no value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The canonical path.
    pub path: String,
    /// The value before.
    pub previous: Value,
    /// The value after.
    pub new: Value,
}

/// What differs between two folds, in the order of the paths.
#[must_use]
pub fn changes(before: &Leaves, after: &Leaves) -> Vec<Change> {
    let mut changes: Vec<Change> = before
        .iter()
        .filter(|(path, value)| after.get(*path) != Some(value))
        .map(|(path, value)| Change {
            path: path.clone(),
            previous: value.clone(),
            new: after.get(path).cloned().unwrap_or(Value::Null),
        })
        .collect();
    let fresh = after.iter().filter(|(path, _)| !before.contains_key(*path));
    changes.extend(fresh.map(|(path, value)| Change {
        path: path.clone(),
        previous: Value::Null,
        new: value.clone(),
    }));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}
