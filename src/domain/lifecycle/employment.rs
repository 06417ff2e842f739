//! An employment, as the HR system has it. Days do their part: an employment that is Pending begins
//! on its start date, and one with an end date ends after it, whoever wrote last and whenever.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::states::{self, States};
use super::{Accepted, Effect, Refused, Turn, dated, day};
use crate::domain::record::Leaves;

/// Where an employment stands. What has ended may turn out not to have; a re-hire is an employment of its own.
pub static STATES: States = States::new(&[
    ("Pending", &["Active", "Inactive", "Terminated"]),
    ("Active", &["Pending", "Inactive", "Terminated"]),
    ("Inactive", &["Active", "Terminated"]),
    ("Terminated", &["Pending", "Active", "Inactive"]),
]);

/// Who is told of somebody new, by the type of the event.
const ONBOARDING: [&str; 3] = [
    "onboarding.it.requested",
    "onboarding.payroll.requested",
    "onboarding.benefits.requested",
];

/// What of the employment they are told.
const TOLD: [&str; 4] = ["status", "statusReason", "startDate", "endDate"];

/// The person never came.
pub const NO_SHOW: &str = "NoShow";

/// The status that holds on `today` of an employment that is said to be `status`: before its start date it is Pending, until its
/// end date it goes on, and after that it is Terminated.
#[must_use]
pub fn effective(
    status: &str,
    leaves: &Leaves,
    was: Option<&str>,
    today: NaiveDate,
) -> &'static str {
    let start = day(leaves, "startDate").or_else(|| day(leaves, "hireDate"));
    let end = day(leaves, "endDate");
    let begun = start.is_none_or(|start| start <= today);
    let ended = end.is_some_and(|end| end < today);
    let no_show = super::text(leaves, "statusReason") == Some(NO_SHOW);
    match status {
        "Pending" | "Active" | "Inactive" if ended => "Terminated",
        "Pending" if begun => "Active",
        "Active" if !begun => "Pending",
        // It is to end, and has not yet.
        "Terminated" if !no_show && end.is_some_and(|end| end >= today) => match was {
            Some("Inactive") => "Inactive",
            _ if begun => "Active",
            _ => "Pending",
        },
        "Pending" => "Pending",
        "Active" => "Active",
        "Inactive" => "Inactive",
        _ => "Terminated",
    }
}

/// What follows from a write.
pub fn accept(turn: &Turn<'_>) -> Result<Accepted, Refused> {
    for (earlier, later) in [("hireDate", "endDate"), ("startDate", "endDate")] {
        if let (Some(first), Some(last)) = (day(turn.after, earlier), day(turn.after, later))
            && last < first
            && turn.text("statusReason") != Some(NO_SHOW)
        {
            return Err(Refused::Dates { later, earlier });
        }
    }
    let said = turn.text("status").unwrap_or("Pending");
    let status = effective(said, turn.after, turn.was("status"), turn.today());
    let moved = states::step(&STATES, turn.was("status"), Some(status))?;
    let mut accepted = Accepted {
        history: moved.as_ref().map(|at| turn.chapter(at.status())),
        overtaken: (turn.text("status") != Some(status))
            .then(|| (turn.text("status").map(str::to_owned), status)),
        effects: vec![Effect::Employ],
        ..Accepted::default()
    };
    if turn.text("startDate").is_none()
        && let Some(hired) = turn.after.get("hireDate")
    {
        accepted.defaults.push(("startDate", hired.clone()));
    }
    let next = dated::next(turn.after, turn.today()).map(|day| day.to_string());
    if next.as_deref() != turn.was(dated::NEXT) {
        let next = next.map_or(Value::Null, Value::from);
        accepted.facts.push((dated::NEXT, next));
    }
    if turn.before.is_none() && status != "Terminated" {
        let told =
            |what: &&'static str| Effect::Announce(what, json!({ "employmentId": turn.id }), &TOLD);
        accepted.effects.extend(ONBOARDING.iter().map(told));
    } else if let Some(at) = moved {
        let what = match at.status() {
            "Active" => "employment.active",
            "Inactive" => "employment.inactive",
            "Pending" => "employment.pending",
            _ => "employment.terminated",
        };
        let told = json!({ "employmentId": turn.id });
        accepted.effects.push(Effect::Announce(what, told, &TOLD));
    }
    if turn.terms.opens_account
        && status == "Active"
        && matches!(turn.was("status"), None | Some("Pending"))
    {
        accepted.effects.push(Effect::Enable);
    }
    Ok(accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// future-dated and back-dated changes.
    #[test]
    fn days_decide_between_what_is_said_and_what_holds() {
        let today: NaiveDate = "2026-06-15".parse().unwrap();
        let holds = |status: &str, start: &str, end: &str, was: Option<&str>| {
            let mut leaves = Leaves::from([("startDate".to_owned(), start.into())]);
            if !end.is_empty() {
                leaves.insert("endDate".into(), end.into());
            }
            effective(status, &leaves, was, today)
        };
        assert_eq!(holds("Pending", "2026-06-16", "", None), "Pending");
        assert_eq!(holds("Pending", "2026-06-15", "", None), "Active");
        assert_eq!(holds("Active", "2026-07-01", "", None), "Pending");
        assert_eq!(
            holds("Active", "2020-01-01", "2026-06-15", Some("Active")),
            "Active"
        );
        assert_eq!(
            holds("Active", "2020-01-01", "2026-06-14", Some("Active")),
            "Terminated"
        );
        assert_eq!(
            holds("Terminated", "2020-01-01", "2026-06-30", Some("Active")),
            "Active"
        );
        assert_eq!(
            holds("Terminated", "2020-01-01", "2026-06-30", Some("Inactive")),
            "Inactive"
        );
        assert_eq!(
            holds("Terminated", "2020-01-01", "", Some("Active")),
            "Terminated"
        );
        assert_eq!(
            holds("Inactive", "2020-01-01", "", Some("Active")),
            "Inactive"
        );
    }
}
