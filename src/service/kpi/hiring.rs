//! From application to first day: how long it takes, and what nobody had to do for it.

use std::collections::HashMap;

use chrono::{NaiveTime, TimeDelta};

use super::{Scope, count, size};
use crate::domain::kpi::{Figure, Unit, share};
use crate::domain::record::Kind;
use crate::domain::review::SYSTEM;
use crate::id::ResourceId;
use crate::scim::comparable::{instant, integer_of, parse_date, parse_date_time};
use crate::service::Error;
use crate::store::{Tx, kpi};

/// What the server does by itself: a name, the types of the events, and whether they carry the server's own name rather than that
/// of whose write they follow from.
const AUTOMATED: [(&str, &[&str], bool); 6] = [
    (
        "onboardingRequests",
        &[
            "onboarding.it.requested",
            "onboarding.payroll.requested",
            "onboarding.benefits.requested",
        ],
        false,
    ),
    ("intentsToEmploy", &["CandidateToEmployee"], false),
    ("tiersCarriedOver", &["application.updated"], true),
    ("employmentsBegun", &["employment.active"], true),
    ("employmentsEnded", &["employment.terminated"], true),
    ("employeeRolesWritten", &["person.updated"], true),
];

/// How long it takes to hire somebody, and until they begin.
pub(super) fn times(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<Figure>, Error> {
    let hire = to_hire(tx, scope)?;
    let start = to_start(tx, scope)?;
    Ok(vec![
        Figure::new(
            "timeToHire",
            &["A-120"],
            "Offers accepted in the period, and the time from the application (appliedAt, or when it was recorded) to the acceptance.",
            Some(size(hire.len())),
        )
        .spread(hire, Unit::Days),
        Figure::new(
            "timeToStart",
            &["A-120"],
            "Employments that cite an accepted offer and whose start date lies in the period, no-shows apart, and the time from the \
             acceptance to the start of that day (UTC).",
            Some(size(start.len())),
        )
        .spread(start, Unit::Days),
        Figure::new(
            "timeToProductivity",
            &["A-120", "B-006"],
            "Not measurable here: no system of record tells this server when somebody has become productive.",
            None,
        ),
    ])
}

fn ids<'t>(texts: impl Iterator<Item = &'t String>) -> Vec<ResourceId> {
    texts.filter_map(|id| id.parse().ok()).collect()
}

fn micros(text: &str) -> Option<i64> {
    parse_date_time(text).map(|at| at.timestamp_micros())
}

fn to_hire(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<i64>, Error> {
    let period = (instant(scope.period.from), instant(scope.period.to));
    let of = |kind| (scope.tenant, kind);
    let offer = of(Kind::Offer);
    let range = (&*period.0, &*period.1);
    let accepted = kpi::between(tx, offer, "acceptanceTimestamp", range)?;
    let offers: Vec<i64> = accepted.iter().map(|(row, _)| *row).collect();
    let applications = kpi::values(tx, offer, "application.value", &offers)?;
    let known = kpi::named(tx, scope.tenant, &ids(applications.values()))?;
    let rows: Vec<i64> = known.values().map(|row| row.0).collect();
    let applied = kpi::values(tx, of(Kind::Application), "appliedAt", &rows)?;
    let mut times = Vec::new();
    for (offer, at) in &accepted {
        let id = applications.get(offer).and_then(|id| id.parse().ok());
        let Some((row, _, created)) = id.and_then(|id: ResourceId| known.get(&id)) else {
            continue;
        };
        let from = applied.get(row).and_then(|at| micros(at));
        times.extend(micros(at).map(|at| at - from.unwrap_or(*created)));
    }
    Ok(times)
}

fn to_start(tx: &mut Tx<'_>, scope: Scope) -> Result<Vec<i64>, Error> {
    let employment = (scope.tenant, Kind::Employment);
    let day = |at: chrono::DateTime<chrono::Utc>| at.date_naive().to_string();
    // The last instant of the period may be within a day that has begun in it.
    let last = day(scope.period.to - TimeDelta::microseconds(1) + TimeDelta::days(1));
    let range = (&*day(scope.period.from), &*last);
    let begun = kpi::between(tx, employment, "startDate", range)?;
    let rows: Vec<i64> = begun.iter().map(|(row, _)| *row).collect();
    let offers = kpi::values(tx, employment, "offer.value", &rows)?;
    let reasons = kpi::values(tx, employment, "statusReason", &rows)?;
    let known = kpi::named(tx, scope.tenant, &ids(offers.values()))?;
    let of_offers: Vec<i64> = known.values().map(|row| row.0).collect();
    let offer = (scope.tenant, Kind::Offer);
    let accepted = kpi::values(tx, offer, "acceptanceTimestamp", &of_offers)?;
    let came = |row: &i64| reasons.get(row).is_none_or(|reason| reason != "noshow");
    let mut times = Vec::new();
    for (row, start) in begun.iter().filter(|(row, _)| came(row)) {
        let offer = offers.get(row).and_then(|id| id.parse().ok());
        let offer = offer.and_then(|id: ResourceId| known.get(&id));
        let accepted = offer.and_then(|offer| micros(accepted.get(&offer.0)?));
        let start = parse_date(start).map(|day| day.and_time(NaiveTime::MIN).and_utc());
        if let (Some(accepted), Some(start)) = (accepted, start) {
            times.push(start.timestamp_micros() - accepted);
        }
    }
    Ok(times)
}

/// Verifications: asked for again, not asked for again, and on their way to the application.
pub(super) fn verifications(
    tx: &mut Tx<'_>,
    scope: Scope,
    target: Option<f64>,
) -> Result<Vec<Figure>, Error> {
    let avoided = avoided(tx, scope)?;
    let (verified, of_verified) = kpi::repeats(tx, scope.of(), "verification.created")?;
    let (assessed, of_assessed) = kpi::repeats(tx, scope.of(), "assessment.created")?;
    let repeats = |all: i64, first: i64| count(all - first);
    let answered = kpi::answered(tx, scope.of())?;
    let times: Vec<i64> = answered
        .iter()
        .filter_map(|(at, next)| next.map(|next| next - at))
        .collect();
    let mut update = Figure::new(
        "verificationToAtsUpdate",
        &["B-080"],
        "Verifications recorded in the period, and the time until the status or the satisfied tier of their application next \
         changed; the target is the policy's verification_to_ats_update_minutes.",
        Some(size(answered.len())),
    )
    .with("unanswered", size(answered.len() - times.len()));
    if let Some(target) = target {
        #[expect(clippy::cast_precision_loss, reason = "minutes need no more")]
        let within = |time: &&i64| **time as f64 <= target * 60_000_000.0;
        let within = times.iter().filter(within).count();
        update = update
            .with("targetMinutes", target)
            .with("withinTargetPercent", share(within, answered.len()));
    }
    Ok(vec![
        Figure::new(
            "repeatedVerificationsAvoided",
            &["B-012", "B-005"],
            "Applications made in the period that have the tier their requisition requires without a verification of their own.",
            Some(size(avoided)),
        ),
        Figure::new(
            "repeatedSteps",
            &["B-012"],
            "Verifications and assessments recorded in the period beyond the first of each application in it.",
            Some(repeats(verified, of_verified) + repeats(assessed, of_assessed)),
        )
        .with("verifications", repeats(verified, of_verified))
        .with("assessments", repeats(assessed, of_assessed)),
        update.spread(times, Unit::Minutes),
    ])
}

fn avoided(tx: &mut Tx<'_>, scope: Scope) -> Result<usize, Error> {
    let application = (scope.tenant, Kind::Application);
    let made = kpi::made(tx, scope.of(), Kind::Application)?;
    let rows: Vec<i64> = made.iter().map(|row| row.0).collect();
    let tiers = tiers(kpi::values(
        tx,
        application,
        "satisfiedVerificationTier",
        &rows,
    )?);
    let satisfied: Vec<_> = made
        .iter()
        .filter(|row| tiers.contains_key(&row.0))
        .collect();
    let rows: Vec<i64> = satisfied.iter().map(|row| row.0).collect();
    let jobs = kpi::values(tx, application, "requisition.value", &rows)?;
    let known = kpi::named(tx, scope.tenant, &ids(jobs.values()))?;
    let of_jobs: Vec<i64> = known.values().map(|row| row.0).collect();
    let requisition = (scope.tenant, Kind::Requisition);
    let path = "requiredVerificationTier";
    let required = self::tiers(kpi::values(tx, requisition, path, &of_jobs)?);
    let names: Vec<String> = satisfied.iter().map(|row| row.1.to_string()).collect();
    let verification = (scope.tenant, Kind::Verification);
    let own = kpi::held(tx, verification, "application.value", &names)?;
    let is_avoided = |(row, id, _): &&&kpi::Row| {
        let job = jobs.get(row).and_then(|id| id.parse::<ResourceId>().ok());
        let job = job.and_then(|id| known.get(&id));
        let required = job.and_then(|job| required.get(&job.0)).copied();
        let required = required.filter(|tier| *tier > 0);
        required.is_some_and(|required| tiers[row] >= required) && !own.contains(&id.to_string())
    };
    Ok(satisfied.iter().filter(|row| is_avoided(row)).count())
}

/// The numbers of comparable texts.
fn tiers(texts: HashMap<i64, String>) -> HashMap<i64, i64> {
    let number = |(row, text): (i64, String)| Some((row, integer_of(&text)?));
    texts.into_iter().filter_map(number).collect()
}

/// What nobody had to do.
pub(super) fn automated(tx: &mut Tx<'_>, scope: Scope) -> Result<Figure, Error> {
    let mut figure = Figure::new(
        "stepsAutomated",
        &["A-124"],
        "Steps that the server took by itself in the period: onboarding requests, intents to employ, tiers carried to applications, \
         employments begun or ended by their day, employee roles written. What a step would have cost is the reader's to say.",
        None,
    );
    let mut total = 0;
    for (name, types, is_own) in AUTOMATED {
        let client = is_own.then_some(SYSTEM);
        let counts = kpi::counts(tx, scope.of(), types, client)?;
        let sum = count(counts.values().sum());
        total += sum;
        figure = figure.with(name, sum);
    }
    figure.count = Some(total);
    Ok(figure)
}
