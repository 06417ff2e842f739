//! The leaver brake: a run of deactivations, deletions or removals from groups beyond what the policy allows is stopped until
//! a human has said that it is meant (model.md, the lifecycle, 6).
//!
//! Each client's acts of a kind are counted by themselves, in buckets of a sixtieth of the window (no less than a minute). A
//! bucket counts until the whole of it is older than the window. What a human has let through is not counted.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::policy::LeaverBrake;
use super::record::Leaves;
use super::review;
use crate::scim::comparable::instant;

/// The `kind` of the reviews.
pub const KIND: &str = "leaverBrake";
/// A share of fewer than so many stops nothing: of a handful of people every change is a large share.
const LEAST: u64 = 10;
/// Buckets in a window, where it has as many minutes.
const BUCKETS: u32 = 60;
/// The least and the most seconds after which what was stopped is asked for again: Okta tries ten times, so that a human has
/// two and a half hours by default, and Entra lets the whole job wait, which should not be long.
const RETRY: (u32, u32) = (60, 900);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// An account that was active is so no more.
    Deactivation,
    /// A User or a Person is deleted.
    Deletion,
    /// A member is taken out of a group.
    Removal,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deactivation, Self::Deletion, Self::Removal];

    /// Its word in policies, reviews and the database.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deactivation => "deactivations",
            Self::Deletion => "deletions",
            Self::Removal => "removals",
        }
    }

    /// What that word stands for.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }
}

impl LeaverBrake {
    /// How many acts there may be in a window where there are `population` records: the number or the share, whichever is
    /// lower, but never fewer than ten by the share.
    #[must_use]
    pub fn most(&self, act: Act, population: u64) -> u64 {
        let number = match act {
            Act::Deactivation => self.deactivations,
            Act::Deletion => self.deletions,
            Act::Removal => self.removals,
        };
        let share = population.saturating_mul(self.share.into()) / 100;
        u64::from(number).min(share.max(LEAST))
    }

    /// How long the window is.
    #[must_use]
    pub fn window(&self) -> TimeDelta {
        TimeDelta::minutes(self.window.into())
    }

    /// The seconds of a bucket.
    fn bucket(&self) -> i64 {
        i64::from((self.window / BUCKETS).max(1)) * 60
    }

    /// After how many seconds what was stopped is asked for again.
    #[must_use]
    pub fn retry_after(&self) -> u64 {
        let quarter = self.window.saturating_mul(60) / 4;
        quarter.clamp(RETRY.0, RETRY.1).into()
    }
}

/// What has been said of more acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Nothing: they are counted.
    #[default]
    Counting,
    /// A human is asked.
    Asked {
        /// The open review.
        review: String,
    },
    /// They go on.
    Allowed {
        /// The review that says so.
        review: String,
        /// Until when, in seconds since 1970.
        until: i64,
        /// How many more, if that was said.
        left: Option<u64>,
    },
    /// They do not.
    Refused {
        /// The review that says so.
        review: String,
        /// Until when, in seconds since 1970.
        until: i64,
    },
}

/// What one client has done lately of one kind of act.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// When a bucket begins, in seconds since 1970, and how many acts fell into it.
    buckets: Vec<(i64, u64)>,
    /// What has been said of more.
    #[serde(default)]
    pub standing: Standing,
}

/// Acts that are stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What.
    pub act: Act,
    /// How many went through in the window.
    pub counted: u64,
    /// How many there may be.
    pub most: u64,
    /// The minutes of the window.
    pub window: u32,
    /// After how many seconds to ask again.
    pub retry_after: u64,
    /// The review that asks a human, once it is open, or that refused them.
    pub review: Option<String>,
    /// Until when they are refused; nothing while a human is asked.
    pub until: Option<DateTime<Utc>>,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            act,
            counted,
            most,
            window,
            ..
        } = self;
        let review = self.review.as_deref().unwrap_or_default();
        write!(
            f,
            "stopped by the leaver brake: {counted} {} of this client went through in {window} minutes, and {most} is the most \
             that may without a human; nothing was changed. ",
            act.word()
        )?;
        match self.until {
            None => write!(
                f,
                "Review {review} asks whether more are meant: approve it to let them go on, or reject it; the same request may \
                 be sent again then"
            ),
            Some(until) => write!(
                f,
                "Review {review} was not approved: no more are taken before {}",
                instant(until)
            ),
        }
    }
}

impl Tally {
    /// Counts `acts` more of a client at `now`, or stops them: all or none.
    ///
    /// # Errors
    /// What was counted, and which review is about it; without one, a human is yet to be asked.
    pub fn take(
        &mut self,
        (act, acts): (Act, u64),
        brake: &LeaverBrake,
        most: u64,
        now: DateTime<Utc>,
    ) -> Result<(), Stop> {
        let counted = self.counted(brake, now);
        let stop = |review: Option<&String>, until: Option<i64>| {
            Err(Stop {
                act,
                counted,
                most,
                window: brake.window,
                retry_after: brake.retry_after(),
                review: review.cloned(),
                until: until.and_then(|at| DateTime::from_timestamp(at, 0)),
            })
        };
        match &mut self.standing {
            Standing::Asked { review } => return stop(Some(review), None),
            Standing::Refused { review, until } if *until > now.timestamp() => {
                return stop(Some(review), Some(*until));
            }
            Standing::Allowed { until, left, .. } if *until > now.timestamp() => match left {
                None => return Ok(()),
                Some(left) if *left >= acts => {
                    *left -= acts;
                    return Ok(());
                }
                Some(_) => {}
            },
            _ => self.standing = Standing::Counting,
        }
        if counted.saturating_add(acts) > most {
            return stop(None, None);
        }
        let width = brake.bucket();
        let bucket = now.timestamp().div_euclid(width) * width;
        match self.buckets.iter_mut().find(|(at, _)| *at == bucket) {
            Some((_, count)) => *count += acts,
            None => self.buckets.push((bucket, acts)),
        }
        Ok(())
    }

    /// How many acts the window before `now` has; what is older is forgotten.
    pub fn counted(&mut self, brake: &LeaverBrake, now: DateTime<Utc>) -> u64 {
        let from = (now - brake.window()).timestamp();
        self.buckets.retain(|(at, _)| at + brake.bucket() > from);
        self.buckets.iter().map(|(_, count)| count).sum()
    }

    /// Carries out what has been decided by the review that asks about it; nothing if another one does. Refused acts stay
    /// refused, and allowed ones go on, until a window from `now` has passed.
    pub fn decide(
        &mut self,
        review: &str,
        allowed: bool,
        left: Option<u64>,
        (brake, now): (&LeaverBrake, DateTime<Utc>),
    ) {
        if !matches!(&self.standing, Standing::Asked { review: asked } if asked == review) {
            return;
        }
        let (review, until) = (review.to_owned(), (now + brake.window()).timestamp());
        self.standing = if allowed {
            Standing::Allowed {
                review,
                until,
                left,
            }
        } else {
            Standing::Refused { review, until }
        };
    }
}

/// The values of the review that asks about stopped acts of a client, opened at `now`.
#[must_use]
pub fn question(stop: &Stop, (client, system): (&str, &str), now: DateTime<Utc>) -> Leaves {
    let mut leaves = review::opened(KIND, system, now);
    let from = now - TimeDelta::minutes(stop.window.into());
    leaves.extend([
        ("client".into(), Value::from(client)),
        ("act".into(), stop.act.word().into()),
        ("counted".into(), stop.counted.into()),
        ("limit".into(), stop.most.into()),
        ("since".into(), instant(from).into()),
    ]);
    leaves
}

/// What a review of this kind is about: the client, the act, and since when it is counted.
#[must_use]
pub fn asked(review: &Leaves) -> Option<(String, Act, DateTime<Utc>)> {
    let text = |path: &str| review.get(path).and_then(Value::as_str);
    if text("kind") != Some(KIND) {
        return None;
    }
    let since = text("since")?.parse().ok()?;
    Some((
        text("client")?.to_owned(),
        Act::of_word(text("act")?)?,
        since,
    ))
}

#[cfg(test)]
mod tests;
