//! Figures of how the house is run (A-120 to A-124, B-012, B-013, B-080): counts, shares and times, never a value of anybody's.
//! Times of fewer than [`FEWEST`] are withheld, since they would be those of one human being.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use crate::scim::comparable::{instant, parse_date, parse_date_time};

/// Over how many days figures are made unless somebody says otherwise.
pub const DAYS: i64 = 90;
/// Times of fewer than these are withheld.
pub const FEWEST: usize = 3;

/// Microseconds in a day, an hour and a minute.
const DAY: f64 = 86_400_000_000.0;
const HOUR: f64 = 3_600_000_000.0;
const MINUTE: f64 = 60_000_000.0;

/// From when, inclusive, until when, exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The first instant after it.
    pub to: DateTime<Utc>,
}

impl Period {
    /// Between two times, the last [`DAYS`] before `now` where they are not said; none if it ends before it begins.
    #[must_use]
    pub fn between(
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let to = to.unwrap_or(now);
        let from = match from {
            Some(from) => from,
            None => to.checked_sub_signed(TimeDelta::days(DAYS))?,
        };
        (from < to).then_some(Self { from, to })
    }
}

/// Reads a day (its first instant, UTC) or an instant.
#[must_use]
pub fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let day = || parse_date(text).map(|day| day.and_time(NaiveTime::MIN).and_utc());
    parse_date_time(text).or_else(day)
}

/// What a time is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Days.
    Days,
    /// Hours.
    Hours,
    /// Minutes.
    Minutes,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Hours => "hours",
            Self::Minutes => "minutes",
        }
    }

    fn micros(self) -> f64 {
        match self {
            Self::Days => DAY,
            Self::Hours => HOUR,
            Self::Minutes => MINUTE,
        }
    }
}

/// One figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name, such as `timeToHire`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub definition: &'static str,
    /// The requirements that ask for it.
    pub requirements: &'static [&'static str],
    /// Of how many it is; none where it cannot be measured.
    pub count: Option<u64>,
    /// What else there is to say, by name.
    pub details: Map<String, Value>,
}

impl Figure {
    /// A figure of so many.
    #[must_use]
    pub fn new(
        name: &'static str,
        requirements: &'static [&'static str],
        definition: &'static str,
        count: Option<u64>,
    ) -> Self {
        Self {
            name,
            definition,
            requirements,
            count,
            details: Map::new(),
        }
    }

    /// With one more detail.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// With how these times, in microseconds, are spread.
    #[must_use]
    pub fn spread(mut self, times: Vec<i64>, unit: Unit) -> Self {
        self.details.extend(spread(times, unit));
        self
    }

    /// As it is printed: `name`, `count`, its details, `definition` and `requirements`.
    #[must_use]
    pub fn told(&self) -> Value {
        let mut told = self.details.clone();
        told.insert("name".into(), self.name.into());
        told.insert("count".into(), json!(self.count));
        told.insert("definition".into(), self.definition.into());
        told.insert("requirements".into(), json!(self.requirements));
        told.into()
    }
}

/// All figures of a period as one document.
#[must_use]
pub fn told(period: Period, figures: &[Figure]) -> Value {
    let figures: Vec<Value> = figures.iter().map(Figure::told).collect();
    json!({ "from": instant(period.from), "to": instant(period.to), "figures": figures })
}

/// `unit`, `mean`, `median` and `p90` of times in microseconds; `withheld` in their place where there are too few.
#[must_use]
pub fn spread(mut times: Vec<i64>, unit: Unit) -> Map<String, Value> {
    let mut told = Map::new();
    if times.is_empty() {
        return told;
    }
    if times.len() < FEWEST {
        told.insert("withheld".into(), format!("fewer than {FEWEST}").into());
        return told;
    }
    times.sort_unstable();
    let scaled: Vec<f64> = times
        .iter()
        .map(|time| number(*time) / unit.micros())
        .collect();
    let half = scaled.len() / 2;
    let median = if scaled.len() % 2 == 1 {
        scaled[half]
    } else {
        f64::midpoint(scaled[half - 1], scaled[half])
    };
    // The nearest rank: the least of them that nine in ten do not exceed.
    let p90 = scaled[(scaled.len() * 9).div_ceil(10) - 1];
    let mean = scaled.iter().sum::<f64>() / size(scaled.len());
    told.insert("unit".into(), unit.word().into());
    told.insert("mean".into(), rounded(mean));
    told.insert("median".into(), rounded(median));
    told.insert("p90".into(), rounded(p90));
    told
}

/// The percentage that `part` is of `whole`, to a tenth; `null` of nothing.
#[must_use]
pub fn share(part: usize, whole: usize) -> Value {
    if whole == 0 {
        return Value::Null;
    }
    json!((size(part) / size(whole) * 1000.0).round() / 10.0)
}

/// How many fall in each month, as `2031-03`, given in microseconds since 1970.
#[must_use]
pub fn months(instants: &[i64]) -> BTreeMap<String, u64> {
    let mut months = BTreeMap::new();
    for at in instants
        .iter()
        .filter_map(|at| DateTime::from_timestamp_micros(*at))
    {
        *months.entry(at.format("%Y-%m").to_string()).or_default() += 1;
    }
    months
}

fn rounded(value: f64) -> Value {
    json!((value * 100.0).round() / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "shown to two digits")]
fn number(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_precision_loss, reason = "shown to two digits")]
fn size(value: usize) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_p90_are_those_of_the_textbook() {
        let minutes = |all: &[i64]| all.iter().map(|one| one * 60_000_000).collect();
        let told = spread(minutes(&[10, 2, 4, 6, 8, 1, 3, 5, 7, 9]), Unit::Minutes);
        assert_eq!(told["median"], 5.5);
        assert_eq!(told["p90"], 9.0);
        assert_eq!(told["mean"], 5.5);
        assert_eq!(
            spread(minutes(&[9, 1, 2]), Unit::Minutes)["median"],
            json!(2.0)
        );
        assert_eq!(
            spread(minutes(&[9, 1, 2]), Unit::Minutes)["p90"],
            json!(9.0)
        );
    }

    /// A time of one human being is not told.
    #[test]
    fn few_times_are_withheld() {
        let told = spread(vec![1, 2], Unit::Days);
        assert_eq!(told["withheld"], "fewer than 3");
        assert!(!told.contains_key("median") && !told.contains_key("mean"));
        assert!(spread(Vec::new(), Unit::Days).is_empty());
    }

    #[test]
    fn shares_and_months_are_counted() {
        assert_eq!(share(1, 3), json!(33.3));
        assert_eq!(share(0, 0), Value::Null);
        let day = 86_400_000_000;
        let told = months(&[0, 30 * day, 31 * day]);
        assert_eq!(
            told,
            BTreeMap::from([("1970-01".into(), 2), ("1970-02".into(), 1)])
        );
    }
}
