//! How far a connected system is behind (B-047): what it was last heard of, and what it has not read of the feed.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use crate::domain::policy;
use crate::scim::comparable::instant;

/// So long a client that does not move is not written of again: a poll that finds nothing new is no reason to write.
const STILL: TimeDelta = TimeDelta::minutes(1);
/// So long one that moves is not.
const MOVING: TimeDelta = TimeDelta::seconds(1);

/// What was last heard of a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signs {
    /// The position of the feed that it asked after, and when.
    pub asked: Option<(i64, DateTime<Utc>)>,
    /// The furthest position that it asked after, and when it first did.
    pub furthest: Option<(i64, DateTime<Utc>)>,
    /// When it wrote.
    pub wrote: Option<DateTime<Utc>>,
}

impl Signs {
    /// Notes that it asked after a position: what is before it, it has got.
    pub fn ask(&mut self, position: i64, at: DateTime<Utc>) {
        self.asked = Some((position, at));
        if self.furthest.is_none_or(|(known, _)| known < position) {
            self.furthest = self.asked;
        }
    }

    /// Whether these are to be kept, where `kept` are what was kept before.
    #[must_use]
    pub fn are_worth_more_than(&self, kept: &Self) -> bool {
        let is_old = |now: DateTime<Utc>, then: Option<DateTime<Utc>>, term| {
            then.is_none_or(|then| now - then >= term || now < then)
        };
        let has_asked = self.asked.is_some_and(|(position, at)| {
            let is_still = kept.asked.is_some_and(|(known, _)| known == position);
            let term = if is_still { STILL } else { MOVING };
            is_old(at, kept.asked.map(|(_, then)| then), term)
        });
        has_asked || self.wrote.is_some_and(|at| is_old(at, kept.wrote, MOVING))
    }
}

/// What a client has not read, as far as it was looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// How many events.
    pub count: i64,
    /// Whether there may be more: it was not looked further.
    pub is_least: bool,
    /// The position of the newest.
    pub newest: Option<i64>,
    /// When the oldest was recorded.
    pub since: Option<DateTime<Utc>>,
}

/// A connected system, as whoever sees to it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// The client.
    pub client: String,
    /// The system that it speaks for; nothing of a client that the policy does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Who owns that system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What its security rests on, as far as the policy says (B-088).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub posture: Option<Posture>,
    /// Whether the policy has stopped it.
    pub stopped: bool,
    /// The position of the feed that it last asked after; nothing of one that never read it, as for the next five.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_asked_at: Option<String>,
    /// The position of the newest event that it may see and has not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest_position: Option<i64>,
    /// How many events that it may see it has not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unread: Option<i64>,
    /// Whether there may be more.
    pub unread_is_least: bool,
    /// How old the oldest of them is, in seconds; 0 without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<i64>,
    /// When it last wrote something that was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_wrote_at: Option<String>,
    /// How many ways in which its writes were refused wait for a human (B-038).
    pub refused: i64,
}

/// What the security of a system rests on (B-088): what its vendor has shown, and when somebody last looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Posture {
    /// Until which day there is a contract.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract_until: Option<String>,
    /// Whether that day has passed.
    pub contract_has_ended: bool,
    /// Whether it is SOC 2 certified.
    pub soc2: bool,
    /// Whether it is ISO 27001 certified.
    pub iso27001: bool,
    /// The day on which that was last looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<String>,
}

impl Posture {
    /// What a policy says of it, seen on a day.
    #[must_use]
    pub fn of(row: &policy::Posture, today: NaiveDate) -> Self {
        let until = row.contract_until.as_ref().map(|day| day.0.clone());
        let last = until.as_ref().and_then(|day| day.parse::<NaiveDate>().ok());
        Self {
            contract_has_ended: last.is_some_and(|last| last < today),
            contract_until: until,
            soc2: row.soc2,
            iso27001: row.iso27001,
            reviewed_at: row.reviewed_at.as_ref().map(|day| day.0.clone()),
        }
    }
}

impl Integration {
    /// The same with what the policy says of its system, seen on a day.
    #[must_use]
    pub fn of(mut self, system: Option<&policy::System>, today: NaiveDate) -> Self {
        self.owner = system.map(|row| row.owner.clone());
        let posture = system.and_then(|row| row.posture.as_ref());
        self.posture = posture.map(|row| Posture::of(row, today));
        self
    }

    /// A client of which these are the signs at `now`.
    #[must_use]
    pub fn new(
        (client, system): (&str, Option<&str>),
        stopped: bool,
        signs: &Signs,
        (unread, refused): (Unread, i64),
        now: DateTime<Utc>,
    ) -> Self {
        let reads = signs.asked.is_some();
        let lag = unread.since.map_or(0, |since| (now - since).num_seconds());
        Self {
            client: client.to_owned(),
            system: system.map(str::to_owned),
            owner: None,
            posture: None,
            stopped,
            position: signs.asked.map(|(position, _)| position),
            last_asked_at: signs.asked.map(|(_, at)| instant(at)),
            newest_position: unread.newest.filter(|_| reads),
            unread: reads.then_some(unread.count),
            unread_is_least: unread.is_least,
            lag_seconds: reads.then_some(lag.max(0)),
            last_wrote_at: signs.wrote.map(instant),
            refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_is_written_of_each_second_and_who_waits_each_minute() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let asked = |position, seconds| Signs {
            asked: Some((position, at(seconds))),
            ..Signs::default()
        };
        let kept = asked(7, 100);
        assert!(asked(7, 100).are_worth_more_than(&Signs::default()));
        for (signs, due) in [
            (asked(8, 100), false),
            (asked(8, 101), true),
            (asked(7, 101), false),
            (asked(7, 160), true),
            (
                Signs {
                    wrote: Some(at(100)),
                    ..kept
                },
                true,
            ),
        ] {
            assert_eq!(signs.are_worth_more_than(&kept), due, "{signs:?}");
        }
    }
    /// B-079: what a client had once it has had, wherever it begins again.
    #[test]
    fn who_begins_again_has_come_as_far_as_before() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let mut signs = Signs::default();
        for (position, seconds) in [(7, 1), (7, 2), (0, 3), (9, 4)] {
            signs.ask(position, at(seconds));
            let furthest = if position == 9 {
                (9, at(4))
            } else {
                (7, at(1))
            };
            assert_eq!(signs.furthest, Some(furthest));
            assert_eq!(signs.asked, Some((position, at(seconds))));
        }
    }
}
