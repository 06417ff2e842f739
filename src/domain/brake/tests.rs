//! What is counted, what stops, and what a human's word changes.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

const BRAKE: LeaverBrake = LeaverBrake {
    at: crate::domain::policy::Position { line: 1, column: 1 },
    window: 60,
    deactivations: 50,
    deletions: 20,
    removals: 500,
    share: 10,
    restore_days: 30,
};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_930_132_800, 0).unwrap()
}

fn one(tally: &mut Tally, now: DateTime<Utc>) -> Result<(), Stop> {
    tally.take((Act::Deletion, 1), &BRAKE, 3, now)
}

fn ask(tally: &mut Tally) {
    tally.standing = Standing::Asked {
        review: "r1".into(),
    };
}

#[test]
fn the_lower_of_number_and_share_counts_but_never_fewer_than_ten_by_the_share() {
    assert_eq!(BRAKE.most(Act::Deactivation, 1_000_000), 50);
    assert_eq!(BRAKE.most(Act::Deactivation, 300), 30);
    assert_eq!(BRAKE.most(Act::Deactivation, 20), 10);
    assert_eq!(BRAKE.most(Act::Removal, 2_000), 200);
    let strict = LeaverBrake {
        deletions: 5,
        ..BRAKE
    };
    assert_eq!(strict.most(Act::Deletion, 20), 5);
}

#[test]
fn what_is_beyond_the_most_is_stopped_whole_until_the_window_has_moved_on() {
    let mut tally = Tally::default();
    for _ in 0..3 {
        one(&mut tally, noon()).unwrap();
    }
    let before = tally.clone();
    let stop = one(&mut tally, noon() + TimeDelta::minutes(59)).unwrap_err();
    assert_eq!((stop.counted, stop.most, stop.review), (3, 3, None));
    assert_eq!(tally, before);
    one(&mut tally, noon() + TimeDelta::minutes(61)).unwrap();
    let four = (Act::Deletion, 4);
    let later = noon() + TimeDelta::days(1);
    assert!(tally.take(four, &BRAKE, 3, later).is_err());
}

#[test]
fn while_a_human_is_asked_nothing_more_goes_through_however_late_it_is() {
    let mut tally = Tally::default();
    ask(&mut tally);
    let stop = one(&mut tally, noon() + TimeDelta::days(3)).unwrap_err();
    assert_eq!(stop.review.as_deref(), Some("r1"));
    assert!(stop.to_string().contains("Review r1 asks"), "{stop}");
}

#[test]
fn approved_means_all_for_a_window_or_so_many_and_what_was_allowed_is_not_counted() {
    let mut tally = Tally::default();
    ask(&mut tally);
    tally.decide("another", true, None, (&BRAKE, noon()));
    assert!(one(&mut tally, noon()).is_err());
    tally.decide("r1", true, None, (&BRAKE, noon()));
    for _ in 0..100 {
        one(&mut tally, noon() + TimeDelta::minutes(59)).unwrap();
    }
    let after = noon() + TimeDelta::minutes(61);
    for _ in 0..3 {
        one(&mut tally, after).unwrap();
    }
    assert!(one(&mut tally, after).is_err());

    ask(&mut tally);
    tally.decide("r1", true, Some(2), (&BRAKE, after));
    one(&mut tally, after).unwrap();
    one(&mut tally, after).unwrap();
    assert_eq!(one(&mut tally, after).unwrap_err().review, None);
}

#[test]
fn rejected_means_nothing_for_a_window() {
    let mut tally = Tally::default();
    ask(&mut tally);
    tally.decide("r1", false, None, (&BRAKE, noon()));
    let stop = one(&mut tally, noon() + TimeDelta::minutes(59)).unwrap_err();
    assert!(stop.to_string().contains("was not approved"), "{stop}");
    one(&mut tally, noon() + TimeDelta::minutes(61)).unwrap();
}

#[test]
fn a_day_has_no_more_buckets_than_an_hour() {
    let day = LeaverBrake {
        window: 1440,
        ..BRAKE
    };
    let mut tally = Tally::default();
    for minute in 0..2880 {
        let now = noon() + TimeDelta::minutes(minute);
        tally.take((Act::Removal, 1), &day, u64::MAX, now).unwrap();
    }
    assert!(tally.buckets.len() <= 62, "{}", tally.buckets.len());
    let text = serde_json::to_string(&tally).unwrap();
    assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
}

#[test]
fn another_window_counts_what_was_counted_before() {
    let day = LeaverBrake {
        window: 1440,
        ..BRAKE
    };
    let mut tally = Tally::default();
    one(&mut tally, noon()).unwrap();
    assert_eq!(tally.counted(&day, noon() + TimeDelta::hours(23)), 1);
    assert_eq!(tally.counted(&day, noon() + TimeDelta::hours(25)), 0);
}

#[test]
fn a_question_says_what_it_asks_about() {
    let stop = one(
        &mut Tally {
            buckets: vec![(noon().timestamp(), 3)],
            ..Tally::default()
        },
        noon(),
    );
    let leaves = question(&stop.unwrap_err(), ("okta", "idp"), noon());
    let (client, act, since) = asked(&leaves).unwrap();
    assert_eq!((client.as_str(), act), ("okta", Act::Deletion));
    assert_eq!(since, noon() - TimeDelta::hours(1));
    assert_eq!(leaves["counted"], 3);
}
