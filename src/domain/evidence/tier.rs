//! The best tier of verification that a person has passed and that still counts, on whichever application (B-005, B-031).

use std::collections::BTreeSet;

use crate::domain::lifecycle::{Known, moment, number};
use chrono::{DateTime, Utc};

/// A tier that is passed, and until when that counts, as its verification says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed<'a> {
    /// The tier.
    pub tier: i64,
    /// An instant; none for good.
    pub until: Option<&'a str>,
}

/// The best that counts at `at`: of passes that nobody has appealed since, and whose time is not over; of equals the one that
/// counts longest.
#[must_use]
pub fn best(verifications: &[Known], at: DateTime<Utc>) -> Option<Passed<'_>> {
    let happened = |one: &&Known| moment(&one.leaves, "occurredAt").is_none_or(|when| when <= at);
    let known: Vec<&Known> = verifications.iter().filter(happened).collect();
    let appealed: BTreeSet<&str> = known
        .iter()
        .filter_map(|one| one.text("appealOf.value"))
        .collect();
    let until = |one: &Known| moment(&one.leaves, "validUntil");
    let counts = |one: &&&Known| {
        one.text("decision") == Some("pass")
            && !appealed.contains(one.id.as_str())
            && until(one).is_none_or(|until| until > at)
    };
    let passed = known.iter().filter(counts);
    let passed = passed.filter_map(|one| Some((number(&one.leaves, "tierSatisfied")?, *one)));
    let (tier, one) = passed.max_by_key(|(tier, one)| {
        let until = until(one);
        (*tier, until.is_none(), until)
    })?;
    let until = one.text("validUntil");
    Some(Passed { tier, until })
}

/// The tier of the best.
#[must_use]
pub fn satisfied(verifications: &[Known], at: DateTime<Utc>) -> Option<i64> {
    best(verifications, at).map(|passed| passed.tier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn said(id: &str, decision: &str, tier: i64, more: &Value) -> Known {
        let mut leaves = json!({"decision": decision, "tierSatisfied": tier, "occurredAt": "2026-01-01T00:00:00Z"});
        for (name, value) in more.as_object().unwrap() {
            leaves[name] = value.clone();
        }
        Known {
            id: id.into(),
            leaves: serde_json::from_value(leaves).unwrap(),
        }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_best_pass_counts_while_it_is_valid_and_not_appealed() {
        let now = at("2026-06-01T00:00:00Z");
        let passes = [
            said("a", "pass", 1, &json!({})),
            said(
                "b",
                "pass",
                3,
                &json!({"validUntil": "2026-05-01T00:00:00Z"}),
            ),
            said("c", "fail", 4, &json!({})),
            said("d", "pass", 2, &json!({})),
        ];
        assert_eq!(satisfied(&passes, now), Some(2));
        let best = best(&passes, at("2026-04-01T00:00:00Z")).unwrap();
        assert_eq!((best.tier, best.until), (3, Some("2026-05-01T00:00:00Z")));
        assert_eq!(satisfied(&passes, at("2025-12-31T00:00:00Z")), None);
        let appeal = said("e", "fail", 0, &json!({"appealOf.value": "d"}));
        let heard = [passes.to_vec(), vec![appeal]].concat();
        assert_eq!(satisfied(&heard, now), Some(1));
    }
}
