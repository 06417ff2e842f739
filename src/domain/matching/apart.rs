//! Two of whom a human has said that they are two, and what was known of them then: unless more has become known since, that
//! binds.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::block::keys;
use super::profile::Profile;

/// What a human has said of a newcomer and a candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// Nothing.
    #[default]
    Nothing,
    /// That they are two.
    Apart,
    /// That they are two; and something has become known since.
    ApartBefore,
}

/// What can change such a decision, of either side, as blind names of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Of the one who may come again.
    pub own: BTreeSet<i64>,
    /// Of the other.
    pub other: BTreeSet<i64>,
}

impl Evidence {
    /// What it comes to now that this is known: only what was not known of that side is new.
    #[must_use]
    pub fn said(&self, now: &Self) -> Said {
        if now.own.is_subset(&self.own) && now.other.is_subset(&self.other) {
            Said::Apart
        } else {
            Said::ApartBefore
        }
    }
}

/// What of somebody can change such a decision: legal identifiers, days of birth, and e-mail addresses that a trusted system
/// vouches for.
#[must_use]
pub fn facts(profile: &Profile, vouched: &[String]) -> Vec<String> {
    let of = |what: &'static str, all: &[String]| {
        let told: Vec<String> = all.iter().map(|one| format!("{what}:{one}")).collect();
        told
    };
    let mut facts = of("legal", &profile.legal);
    facts.extend(of("birth", &profile.births));
    facts.extend(of("email", vouched));
    facts
}

/// By what a source record is known again when its person is gone: the system's own id, or, where it gave none, all that it
/// says of who they are.
#[must_use]
pub fn source_name(system: &str, external_id: Option<&str>, said: &Profile) -> String {
    match external_id {
        Some(id) => format!("id\n{system}\n{id}"),
        None => format!("said\n{system}\n{}", keys(said).join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Evidence, Said};

    #[test]
    fn only_what_was_not_known_of_that_side_is_new() {
        let of = |own: &[i64], other: &[i64]| Evidence {
            own: own.iter().copied().collect(),
            other: other.iter().copied().collect(),
        };
        let then = of(&[1, 2], &[3]);
        assert_eq!(then.said(&of(&[1], &[3])), Said::Apart);
        assert_eq!(then.said(&of(&[], &[])), Said::Apart);
        assert_eq!(then.said(&of(&[1, 3], &[3])), Said::ApartBefore);
        assert_eq!(then.said(&of(&[1], &[2])), Said::ApartBefore);
    }
}
