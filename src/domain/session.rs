//! Somebody who is signed in, and for how long.

use chrono::{DateTime, TimeDelta, Utc};

/// After so long without a request a session is over.
pub const IDLE: TimeDelta = TimeDelta::minutes(30);
/// After so long it is over in any case.
pub const LONGEST: TimeDelta = TimeDelta::hours(12);
/// That a session is in use is written down this often.
const NOTED: TimeDelta = TimeDelta::minutes(1);

/// A person who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The issuer that says who it is.
    pub issuer: String,
    /// The issuer's name for the person (`sub`).
    pub subject: String,
    /// A name for people to read.
    pub name: String,
    /// The client with whose rights the person acts.
    pub client: String,
    /// When it began.
    pub opened: DateTime<Utc>,
    /// When it was last used.
    pub seen: DateTime<Utc>,
}

impl Session {
    /// Whether it is over at `now`.
    #[must_use]
    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        now - self.seen >= IDLE || now - self.opened >= LONGEST
    }

    /// Whether it is time to note that it is in use.
    #[must_use]
    pub fn is_to_be_noted(&self, now: DateTime<Utc>) -> bool {
        now - self.seen >= NOTED
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session {
            issuer: "https://login.example.com".into(),
            subject: "ada".into(),
            name: "Ada".into(),
            client: "admin".into(),
            opened: DateTime::UNIX_EPOCH,
            seen: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_after_half_a_day() {
        let mut session = session();
        let after = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        assert!(!session.is_over(after(29)) && session.is_over(after(30)));
        session.seen = after(719);
        assert!(!session.is_over(after(719)) && session.is_over(after(720)));
    }

    #[test]
    fn its_use_is_noted_once_a_minute() {
        let after = |seconds| DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds);
        assert!(!session().is_to_be_noted(after(59)) && session().is_to_be_noted(after(60)));
    }
}
