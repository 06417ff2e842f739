//! Changes of an employment that hold from a day on: effective-dated, as HR systems say, whether that day is to come or
//! past.
//!
//! What holds is a function of what is said and of the day, and what was said stays said: so it does not matter how often a change
//! is said, or whether the HR system goes on naming what it replaces. Of the changes whose day has come the last one that names an
//! attribute gives it, unless the attribute itself was said anew since: after that day, and after the change was.

use std::cmp::Reverse;

use chrono::{NaiveDate, NaiveTime};
use serde_json::Value;

use super::text;
use crate::domain::claim::{Claim, SourceRecord};
use crate::domain::fold::{Rules, keys};
use crate::domain::record::{Kind, Leaves};

/// Where the changes are.
pub const PATH: &str = "datedChanges";
/// The day of the next one.
pub const NEXT: &str = "nextChangeDate";
/// From which day on a change holds.
const DAY: &str = "effectiveDate";

/// What a change may say, each with the attribute that it is of.
pub const CHANGED: [(&str, &str); 6] = [
    ("jobTitle", "jobTitle"),
    ("department", "department"),
    ("location", "location"),
    ("positionId", "positionId"),
    ("managerId", "manager.value"),
    ("organizationId", "organization.value"),
];

/// A value that holds because its day has come.
#[derive(Clone, Debug, PartialEq)]
pub struct Holding {
    /// The attribute.
    pub path: &'static str,
    /// Its value.
    pub value: Value,
    /// Since when, in microseconds since 1970: since that day, or since it was said if that came later.
    pub since: i64,
    /// The event that said it.
    pub event: String,
}

/// A change whose day has come, as it was said.
#[derive(Clone, Debug, PartialEq)]
pub struct Due<'a> {
    /// The day.
    pub day: NaiveDate,
    /// Why, if that was said.
    pub reason: Option<&'a str>,
    /// The system that said it.
    pub system: &'a str,
    /// The event that did.
    pub event: &'a str,
}

/// What is wrong with a list of changes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Two of one day.
    #[error(
        "'datedChanges' has two changes with the effectiveDate '{0}': say what changes on one day in one of them"
    )]
    Twice(String),
    /// One that changes nothing.
    #[error("'datedChanges[effectiveDate eq \"{0}\"]' changes nothing: it takes {names}", names = names())]
    Empty(String),
    /// One that is said to come after the end.
    #[error(
        "'datedChanges[effectiveDate eq \"{day}\"].effectiveDate' is after 'endDate' ({end}): nothing changes then any more"
    )]
    AfterEnd {
        /// The day.
        day: String,
        /// The last day of work.
        end: NaiveDate,
    },
}

fn names() -> String {
    CHANGED.map(|(name, _)| name).join(", ")
}

/// A change that counts: who says it, how it ranks, for which day.
struct Said<'a> {
    system: &'a str,
    claim: &'a Claim,
    day: NaiveDate,
}

/// The changes that stand until a day, by whichever system.
fn said<'a>(
    rules: &Rules<'_>,
    sources: &'a [SourceRecord],
    until: NaiveDate,
) -> impl Iterator<Item = Said<'a>> {
    let law = rules.rulings.on(PATH);
    let stand = keys(law, PATH, sources.iter());
    let all = sources.iter().flat_map(|source| {
        let claims = source.claims.0.get(PATH).into_iter().flatten();
        claims.map(|(key, claim)| (source.system.as_str(), key, claim))
    });
    let counts = move |(system, key, claim): &(&str, &String, &Claim)| {
        stand.contains(key) && law.admits(system, claim)
    };
    let counted: Vec<_> = all.filter(counts).collect();
    counted.into_iter().filter_map(move |(system, _, claim)| {
        let day = claim.value.get(DAY)?.as_str()?.parse().ok()?;
        (day <= until).then_some(Said { system, claim, day })
    })
}

/// What holds on `today` beside what is said of the attributes themselves; nothing comes after the last day of work.
#[must_use]
pub fn holding(
    rules: &Rules<'_>,
    sources: &[SourceRecord],
    (today, end): (NaiveDate, Option<NaiveDate>),
) -> Vec<Holding> {
    let until = end.map_or(today, |end| end.min(today));
    let said: Vec<Said<'_>> = said(rules, sources, until).collect();
    let mut holding = Vec::new();
    for (name, path) in CHANGED {
        // Who may not say it of the attribute may not say it of a day either.
        let law = rules.rulings.on(path);
        let names = said.iter().filter_map(|said| {
            let value = said
                .claim
                .value
                .get(name)
                .filter(|value| !value.is_null())?;
            law.admits(said.system, said.claim).then_some((said, value))
        });
        let last = names.max_by_key(|(said, _)| {
            let standing = law.standing(said.system, said.claim);
            (standing, said.day, said.claim.at, Reverse(said.system))
        });
        let Some((last, value)) = last else { continue };
        let begins = last.day.and_time(NaiveTime::MIN).and_utc();
        let since = begins.timestamp_micros().max(last.claim.at);
        let stands = rules.winner(path, sources);
        let is_over = stands.is_some_and(|(system, claim)| {
            let anew = (law.standing(system, claim), claim.at);
            claim.value == *value || anew > (law.standing(last.system, last.claim), since)
        });
        if !is_over {
            holding.push(Holding {
                path,
                value: value.clone(),
                since,
                event: last.claim.event.clone(),
            });
        }
    }
    holding
}

/// The changes whose day has come since `from`, in their order.
#[must_use]
pub fn due<'a>(
    rules: &Rules<'_>,
    sources: &'a [SourceRecord],
    (from, today): (NaiveDate, NaiveDate),
) -> Vec<Due<'a>> {
    let come = said(rules, sources, today).filter(|said| said.day >= from);
    let mut due: Vec<Due<'a>> = come
        .map(|said| Due {
            day: said.day,
            reason: said.claim.value.get("reasonCode").and_then(Value::as_str),
            system: said.system,
            event: &said.claim.event,
        })
        .collect();
    due.sort_by_key(|due| (due.day, due.system));
    due
}

/// The day of the next change, of those that stand.
#[must_use]
pub fn next(leaves: &Leaves, today: NaiveDate) -> Option<NaiveDate> {
    let days = elements(leaves).filter_map(|change| day(change)?.parse().ok());
    days.filter(|day| *day > today).min()
}

/// Whether the changes that stand may stand. One that was said before is left alone when the end comes earlier: it never comes.
pub fn check(before: Option<&Leaves>, after: &Leaves) -> Result<(), Wrong> {
    let mut days = Vec::new();
    for change in elements(after) {
        let day = day(change).unwrap_or_default();
        if days.contains(&day) {
            return Err(Wrong::Twice(day.to_owned()));
        }
        days.push(day);
        let names = |name: &str| change.get(name).is_some_and(|value| !value.is_null());
        if !CHANGED.iter().any(|(name, _)| names(name)) {
            return Err(Wrong::Empty(day.to_owned()));
        }
        let known = before.is_some_and(|before| elements(before).any(|known| known == change));
        if let (Some(end), Ok(date)) = (super::day(after, "endDate"), day.parse::<NaiveDate>())
            && end < date
            && !known
        {
            let day = day.to_owned();
            return Err(Wrong::AfterEnd { day, end });
        }
    }
    Ok(())
}

fn elements(leaves: &Leaves) -> impl Iterator<Item = &Value> {
    let list = leaves.get(PATH).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn day(change: &Value) -> Option<&str> {
    change.get(DAY).and_then(Value::as_str)
}

/// Whether the day of the next change is `today` or past.
#[must_use]
pub fn is_due(leaves: &Leaves, today: NaiveDate) -> bool {
    text(leaves, NEXT).is_some_and(|next| next <= today.to_string().as_str())
}

/// Where else the value at a path is shown, or what tells of it: what hides the one hides the other.
pub fn shown_in(kind: Option<Kind>, path: &str) -> impl Iterator<Item = String> {
    let is_it = kind == Some(Kind::Employment);
    let holds = |of: &str| {
        let rest = of.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let named = CHANGED.iter().filter(move |(_, of)| is_it && holds(of));
    let named: Vec<String> = named.map(|(name, _)| format!("{PATH}.{name}")).collect();
    let tells = is_it && holds("datedChanges.effectiveDate");
    named.into_iter().chain(tells.then(|| NEXT.to_owned()))
}

#[cfg(test)]
mod tests;
