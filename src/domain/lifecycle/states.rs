//! Statuses and their transitions as data. A [`Standing`] is consumed by the step that leads on, so nothing stands in two places.

use super::Refused;

/// The statuses of one kind of record, and from which each leads where.
#[derive(Debug)]
pub struct States {
    /// Each status with those that it may become. One that becomes nothing is final.
    moves: &'static [(&'static str, &'static [&'static str])],
}

/// Where a record stands.
#[derive(Debug)]
pub struct Standing {
    states: &'static States,
    status: &'static str,
}

impl States {
    /// The statuses and their transitions.
    #[must_use]
    pub const fn new(moves: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { moves }
    }

    /// The statuses, in the order in which they are usual.
    pub fn statuses(&self) -> impl Iterator<Item = &'static str> {
        self.moves.iter().map(|(status, _)| *status)
    }

    /// A record that stands at a status; nothing for a word that is none.
    #[must_use]
    pub fn at(&'static self, status: &str) -> Option<Standing> {
        let status = self.statuses().find(|known| *known == status)?;
        Some(Standing {
            states: self,
            status,
        })
    }

    fn from(&self, status: &str) -> &'static [&'static str] {
        let found = self.moves.iter().find(|(from, _)| *from == status);
        found.map_or(&[], |(_, to)| *to)
    }
}

impl Standing {
    /// The status.
    #[must_use]
    pub fn status(&self) -> &'static str {
        self.status
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.states.from(self.status).is_empty()
    }

    /// The step to another status.
    pub fn to(self, status: &str) -> Result<Self, Refused> {
        let possible = self.states.from(self.status);
        match possible.iter().find(|known| **known == status) {
            Some(status) => Ok(Self { status, ..self }),
            None => Err(Refused::Transition {
                from: self.status,
                to: status.to_owned(),
                possible: if possible.is_empty() {
                    "it is final".to_owned()
                } else {
                    format!("possible is {}", possible.join(", "))
                },
            }),
        }
    }
}

/// Whether a status changes, or is the first: the step from `before` to `after` where it is allowed.
pub fn step(
    states: &'static States,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<Option<Standing>, Refused> {
    let Some(after) = after else {
        return Ok(None);
    };
    match before.and_then(|before| states.at(before)) {
        None => Ok(states.at(after)),
        Some(standing) if standing.status() == after => Ok(None),
        Some(standing) => standing.to(after).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{application, employment, offer};

    /// B-060, B-014: the enumeration exactly, and no way out of what is final.
    #[test]
    fn statuses_are_the_contracts_and_lead_only_to_each_other() {
        let of_application: Vec<_> = application::STATES.statuses().collect();
        assert_eq!(
            of_application,
            [
                "sourced",
                "verified",
                "interviewing",
                "assessing",
                "offered",
                "rejected",
                "withdrawn"
            ]
        );
        for states in [&application::STATES, &offer::STATES, &employment::STATES] {
            for (from, to) in states.moves {
                assert!(
                    to.iter().all(|to| states.at(to).is_some() && to != from),
                    "{from}"
                );
            }
        }
        let accepted = offer::STATES.at("accepted").unwrap();
        assert!(accepted.is_final());
        let refused = accepted.to("declined").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "'status' is 'accepted', which does not become 'declined': it is final"
        );
    }
}
