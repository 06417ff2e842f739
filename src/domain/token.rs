//! Tokens of the server's own issuer: when their end is warned of.

use chrono::{DateTime, TimeDelta, Utc};

/// How many days before its end a token is warned of, the shortest first.
const WARNINGS: [i32; 3] = [1, 7, 30];

/// What [`due`] takes of a token that nobody has been warned of.
const UNWARNED: i32 = i32::MAX;

/// The warning that counts as given when a token for so many days is issued: its issuer knows that it ends that soon.
#[must_use]
pub fn given_at_issue(days: u16) -> i32 {
    let mut warnings = WARNINGS.into_iter();
    warnings
        .find(|warning| *warning >= i32::from(days))
        .unwrap_or(UNWARNED)
}

/// The warning that is due at `now`, in days before the end, when the last one was `warned`. A warning that came too late is
/// left out for the one after it.
#[must_use]
pub fn due(expires: DateTime<Utc>, now: DateTime<Utc>, warned: i32) -> Option<i32> {
    let left = expires - now;
    if left <= TimeDelta::zero() {
        return None;
    }
    let mut warnings = WARNINGS.into_iter();
    let reached = warnings.find(|days| left <= TimeDelta::days(i64::from(*days)));
    reached.filter(|days| *days < warned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_warned_of_three_times_and_each_time_once() {
        let end = DateTime::UNIX_EPOCH + TimeDelta::days(90);
        let mut warned = given_at_issue(90);
        let mut told = Vec::new();
        for hour in 0..=(91 * 24) {
            let now = DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
            if let Some(days) = due(end, now, warned) {
                warned = days;
                told.push((90 * 24 - hour, days));
            }
        }
        assert_eq!(told, [(720, 30), (168, 7), (24, 1)]);
    }

    #[test]
    fn who_issues_a_token_for_a_week_is_warned_on_its_last_day_alone() {
        let end = DateTime::UNIX_EPOCH + TimeDelta::days(7);
        assert_eq!(due(end, DateTime::UNIX_EPOCH, given_at_issue(7)), None);
        let last = end - TimeDelta::hours(20);
        assert_eq!(due(end, last, given_at_issue(7)), Some(1));
        assert_eq!(due(end, last, 1), None);
        assert_eq!(due(end, end, 7), None);
        // A server that was down for a month warns once.
        assert_eq!(due(end, last, given_at_issue(365)), Some(1));
    }
}
