//! Duplicates, corrections by hand, questions for a human, and whether an auditor finds each value's source.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Scope, count, size};
use crate::domain::access::Governing;
use crate::domain::fold::{Origin, Rules, is_derived};
use crate::domain::kpi::{Figure, Unit, months, share, spread};
use crate::domain::record::{Kind, Record};
use crate::domain::review::SYSTEM;
use crate::id::EventId;
use crate::scim::comparable::{instant, parse_date_time};
use crate::service::{Error, Muster};
use crate::store::{self, Tx, kpi};

/// The kinds of review, as they are shown.
const KINDS: [&str; 5] = [
    "match",
    "conflict",
    "verification",
    "quarantine",
    "leaverBrake",
];
/// At most so many records of each kind.
const SAMPLE: i64 = 100;

/// A review that has been decided.
struct Decided {
    /// Its kind, in lower case.
    kind: String,
    by: String,
    approved: bool,
    /// When, and how long that took, in microseconds.
    at: i64,
    took: i64,
}

/// Duplicates found and avoided.
pub(super) fn duplicates(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Figure>, Error> {
    let review = (scope.tenant, Kind::Review);
    let opened: Vec<i64> = kpi::made(tx, scope.of(), Kind::Review)?
        .into_iter()
        .map(|row| row.0)
        .collect();
    let kinds = kpi::values(tx, review, "kind", &opened)?;
    let matches: Vec<i64> = opened
        .into_iter()
        .filter(|row| kinds.get(row).is_some_and(|kind| kind == "match"))
        .collect();
    let status = kpi::values(tx, review, "status", &matches)?;
    let stands = |word: &str| size(status.values().filter(|status| *status == word).count());
    let merged = kpi::instants(tx, scope.of(), &["person.merged"])?;
    let joined = kpi::joined(tx, scope.of(), SYSTEM)?;
    let types = [
        "requisition.confirmed",
        "application.confirmed",
        "interview.confirmed",
        "offer.confirmed",
        "opportunity.confirmed",
        "employment.confirmed",
    ];
    let confirmed = kpi::counts(tx, scope.of(), &types, None)?;
    let confirmed = count(confirmed.values().sum());
    Ok(vec![
        Figure::new(
            "duplicatesFound",
            &["A-121"],
            "Match reviews opened in the period, by where they stand now, and merges of persons in it.",
            Some(size(matches.len())),
        )
        .with("open", stands("open"))
        .with("approved", stands("approved"))
        .with("rejected", stands("rejected"))
        .with("expired", stands("expired"))
        .with("merges", size(merged.len())),
        Figure::new(
            "duplicatesAvoided",
            &["A-121"],
            "Times in the period that a further system's record was put with a person known already (by key, by score or by id), and \
             writes of hiring records that found on record, by natural key or id, what they say; what the same system sends twice word \
             for word leaves no event and is not counted.",
            Some(count(joined) + confirmed),
        )
        .with("recordsJoined", count(joined))
        .with("writesConfirming", confirmed),
        Figure::new(
            "reconciliationHours",
            &["A-121"],
            "Not measurable here: the server sees how long a question stood open (timeToResolve), not how long somebody worked on it.",
            None,
        ),
    ])
}

/// Corrections by hand, and how long questions stand open.
pub(super) fn reviews(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Figure>, Error> {
    let decided = decided(tx, scope)?;
    let open = kpi::open_reviews(tx, scope.tenant, scope.now)?;
    let (by_human, expired): (Vec<Decided>, Vec<Decided>) =
        decided.into_iter().partition(|one| one.by != SYSTEM);
    Ok(vec![
        corrections(tx, scope, &by_human)?,
        resolution(&by_human, &expired, &open),
        load(&by_human),
    ])
}

fn decided(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Decided>, Error> {
    let review = (scope.tenant, Kind::Review);
    let period = (instant(scope.period.from), instant(scope.period.to));
    let found = kpi::between(tx, review, "decidedAt", (&period.0, &period.1))?;
    let rows: Vec<i64> = found.iter().map(|(row, _)| *row).collect();
    let mut kinds = kpi::values(tx, review, "kind", &rows)?;
    let mut deciders = kpi::values(tx, review, "decidedBy", &rows)?;
    let status = kpi::values(tx, review, "status", &rows)?;
    let created = kpi::created(tx, &rows)?;
    let one = |(row, at): (i64, String)| {
        let at = parse_date_time(&at)?.timestamp_micros();
        Some(Decided {
            kind: kinds.remove(&row)?,
            by: deciders.remove(&row)?,
            approved: status.get(&row)? == "approved",
            at,
            took: at - created.get(&row)?,
        })
    };
    Ok(found.into_iter().filter_map(one).collect())
}

/// By month. An approved match merges, and an approved conflict elevates: each is one correction.
fn corrections(tx: &mut Tx<'_>, scope: Scope, decided: &[Decided]) -> Result<Figure, Error> {
    let orders = |tx: &mut Tx<'_>, types: &[&str]| -> Result<_, Error> {
        Ok(months(&kpi::instants(tx, scope.of(), types)?))
    };
    // A split that undoes a merge is told of both persons, at one instant.
    let mut splits = kpi::instants(tx, scope.of(), &["person.split"])?;
    splits.sort_unstable();
    splits.dedup();
    let splits = months(&splits);
    let of_reviews = |kept: &dyn Fn(&Decided) -> bool| {
        let kept = decided.iter().filter(|one| kept(one)).map(|one| one.at);
        months(&kept.collect::<Vec<_>>())
    };
    let merges = orders(tx, &["person.merged"])?;
    let elevations = orders(tx, &["person.elevated", "organization.elevated"])?;
    let reviews = of_reviews(&|_| true);
    let carried = of_reviews(&|one| one.approved && ["match", "conflict"].contains(&&*one.kind));
    let names: BTreeSet<&String> = [&merges, &splits, &elevations, &reviews]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    let (mut rows, mut total) = (Map::new(), 0);
    for name in names {
        let of = |months: &BTreeMap<String, u64>| months.get(name).copied().unwrap_or(0);
        let all = of(&merges) + of(&splits) + of(&elevations) + of(&reviews);
        let all = all.saturating_sub(of(&carried));
        total += all;
        let row = json!({
            "total": all, "merges": of(&merges), "splits": of(&splits), "elevations": of(&elevations), "reviewsDecided": of(&reviews),
        });
        rows.insert(name.clone(), row);
    }
    Ok(Figure::new(
        "manualCorrections",
        &["A-122"],
        "Merges, splits and elevations in the period and reviews decided in it by others than the server, by month (UTC); what an \
         approved review does counts once.",
        Some(total),
    )
    .with("months", Value::Object(rows)))
}

fn resolution(decided: &[Decided], expired: &[Decided], open: &[kpi::Open]) -> Figure {
    let mut kinds = Map::new();
    for shown in KINDS {
        let kind = shown.to_lowercase();
        let times: Vec<i64> = decided
            .iter()
            .filter(|one| one.kind == kind)
            .map(|one| one.took)
            .collect();
        let waiting = open.iter().find(|open| open.kind == kind);
        let (waits, overdue) = waiting.map_or((0, 0), |open| (open.count, open.overdue));
        if times.is_empty() && waits == 0 {
            continue;
        }
        let mut row = Map::from_iter([
            ("decided".into(), size(times.len()).into()),
            ("open".into(), count(waits).into()),
            ("overdue".into(), count(overdue).into()),
        ]);
        row.extend(spread(times, Unit::Hours));
        kinds.insert(shown.into(), row.into());
    }
    let sum = |of: fn(&kpi::Open) -> i64| count(open.iter().map(of).sum());
    let times = decided.iter().map(|one| one.took).collect();
    Figure::new(
        "timeToResolve",
        &["A-122", "B-018"],
        "Reviews decided in the period by others than the server, and the time from opening to decision, by kind; open and overdue \
         are those of now, expired those that nobody decided in time.",
        Some(size(decided.len())),
    )
    .spread(times, Unit::Hours)
    .with("open", sum(|open| open.count))
    .with("overdue", sum(|open| open.overdue))
    .with("expired", size(expired.len()))
    .with("kinds", Value::Object(kinds))
}

fn load(decided: &[Decided]) -> Figure {
    let mut loads: BTreeMap<&str, u64> = BTreeMap::new();
    for one in decided {
        *loads.entry(&one.by).or_default() += 1;
    }
    let mut loads: Vec<u64> = loads.into_values().collect();
    loads.sort_unstable();
    let mut figure = Figure::new(
        "reviewLoad",
        &["B-013"],
        "Those who decided reviews in the period, and how many each decided: the median and the most of one; nobody is named.",
        Some(size(loads.len())),
    );
    if let Some(most) = loads.last() {
        figure = figure
            .with("medianEach", loads[(loads.len() - 1) / 2])
            .with("mostOfOne", *most);
    }
    figure
}

impl Muster {
    /// The share of records of which each value has a source.
    pub(super) fn readiness(&self, tx: &mut Tx<'_>, scope: Scope) -> Result<Figure, Error> {
        let policies = self.policies();
        let nothing = Governing::default();
        let governing = policies
            .get(&scope.tenant.0)
            .map_or(&nothing, |governed| &governed.governing);
        let (mut examined, mut full, mut population) = (0, 0, 0);
        for kind in Kind::claimed() {
            let (rows, total) = kpi::sample(tx, (scope.tenant, kind), SAMPLE)?;
            population += total;
            let rules = Rules {
                specs: self.0.renderer.catalog().specs(kind),
                classified: &governing.classified,
                rulings: governing.survivorship.on(kind),
            };
            let records = store::matching::look(tx, &rows)?;
            examined += records.len();
            full += traced(tx, scope, &rules, &records)?;
        }
        Ok(Figure::new(
            "auditReadiness",
            &["A-123", "A-010"],
            "Records as they stand of which every value has a claim with its system, its time and its event, and that event is in the \
             log (what follows from claims follows from theirs); of each type at most 100 are examined, spread evenly over all.",
            Some(size(examined)),
        )
        .with("full", size(full))
        .with("percent", share(full, examined))
        .with("population", count(population))
        .with("isSample", count(population) > size(examined)))
    }
}

/// Of how many of these records each value has a source that is in the log.
fn traced(
    tx: &mut Tx<'_>,
    scope: Scope,
    rules: &Rules<'_>,
    records: &[Record],
) -> Result<usize, Error> {
    let origins: Vec<_> = records
        .iter()
        .map(|record| rules.origins(&record.sources))
        .collect();
    let named = origins.iter().flatten();
    let mut events: Vec<EventId> = named
        .filter_map(|one| one.claim.event.parse().ok())
        .collect();
    events.sort_unstable();
    events.dedup();
    let logged = kpi::logged(tx, scope.tenant, &events)?;
    let is_logged = |event: &str| event.parse().is_ok_and(|event| logged.contains(&event));
    let is_full = |(record, origins): &(&Record, &Vec<_>)| {
        let origins: &Vec<Origin<'_>> = origins;
        let sourced: BTreeSet<&str> = origins.iter().map(|origin| origin.path).collect();
        let leaves = &record.folded.leaves;
        // The names that systems have for it are not claims, but stand in its source records themselves.
        let mut shown = leaves.keys().filter(|path| rules.specs.contains_key(*path));
        shown.all(|path| sourced.contains(&**path) || is_derived(path, leaves, &record.sources))
            && origins
                .iter()
                .all(|origin| !origin.system.is_empty() && is_logged(&origin.claim.event))
    };
    Ok(records.iter().zip(&origins).filter(is_full).count())
}
