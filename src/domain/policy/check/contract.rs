//! The contract's fixed lists, and numbers that must be in order.

use super::{Policy, once};
use crate::domain::lifecycle::application;
use crate::domain::policy::contract::Object;
use crate::domain::policy::delivery::Canary;
use crate::domain::policy::finding::{Findings, Placed};
use crate::domain::policy::hiring::AccountOnStart;
use crate::domain::policy::read::unknown;

/// The objects of the contract; the model's own names too (B-027).
const OBJECTS: [&str; 8] = [
    "Candidate",
    "Application",
    "VerificationEvent",
    "AssessmentResult",
    "Verification",
    "Assessment",
    "Interview",
    "Offer",
];
/// B-062.
const DECISIONS: [&str; 3] = ["pass", "fail", "manual_review"];

pub(super) fn run(policy: &Policy, findings: &mut Findings) {
    let objects = policy.schema.iter().flat_map(|schema| &schema.objects);
    for (name, object) in objects {
        if !OBJECTS.contains(&name.as_str()) {
            findings.error(
                object.at,
                unknown("object of the contract", name, OBJECTS.into_iter()),
            );
        }
        fields(&object.value, findings);
        if name == "Application" {
            let statuses: Vec<&str> = application::STATES.statuses().collect();
            exactly(
                "statuses of an Application",
                &object.value.status_enum,
                &statuses,
                findings,
            );
        }
        exactly(
            "decisions",
            &object.value.decision_enum,
            &DECISIONS,
            findings,
        );
    }
    if let Some(rollout) = &policy.rollout {
        let names = rollout.kill_switches.iter().map(|switch| &switch.name);
        once("the kill switch", names, findings);
        if let Some(canary) = &rollout.canary {
            check_canary(canary, findings);
        }
    }
    if let Some(log) = policy.observability.as_ref().map(|found| &found.event_log) {
        once("the field", log.fields.iter(), findings);
    }
    matching(policy, findings);
    retention(policy, findings);
}

fn check_canary(canary: &Canary, findings: &mut Findings) {
    once("the requisition", canary.scope.job_ids.iter(), findings);
    if canary.enabled && canary.scope.job_ids.is_empty() && canary.scope.share == 0 {
        findings.error(
            canary.scope.at,
            "the canary reaches no requisition: name some in 'jobIds', or say with 'share' how many of all, in percent",
        );
    }
    if let Some(rules) = &canary.hiring
        && rules.value.account_on_start != AccountOnStart::Leave
    {
        findings.error(
            rules.at,
            "'accountOnStart' is about employments, which hang on no requisition: say it in 'hiring' alone",
        );
    }
}

fn fields(object: &Object, findings: &mut Findings) {
    once("the field", object.required.iter(), findings);
    let restricted = object.pii.iter().flat_map(|pii| &pii.restricted);
    once("the field", restricted, findings);
}

/// Other tools read these words too: neither one more nor one fewer.
fn exactly(what: &str, found: &[Placed<String>], known: &[&str], findings: &mut Findings) {
    let Some(first) = found.first() else {
        return;
    };
    for word in found.iter().filter(|word| !word.value.is_empty()) {
        if !known.contains(&word.value.as_str()) {
            findings.error(
                word.at,
                unknown(
                    &format!("word among the {what}"),
                    &word.value,
                    known.iter().copied(),
                ),
            );
        }
    }
    once("the word", found.iter(), findings);
    for word in known {
        if !found.iter().any(|found| found.value == *word) {
            findings.error(first.at, format!("'{word}' is missing among the {what}"));
        }
    }
}

fn matching(policy: &Policy, findings: &mut Findings) {
    let Some(matching) = &policy.matching else {
        return;
    };
    let (merge, review) = (matching.merge_above, matching.review_from);
    if review > merge {
        let reason = format!(
            "reviewFrom is {review}, mergeAbove only {merge}: nobody would ever be reviewed"
        );
        findings.error(matching.at, reason);
    }
}

fn retention(policy: &Policy, findings: &mut Findings) {
    let rows = &policy.retention;
    for (at, row) in rows.iter().enumerate() {
        let same = |other: &&_| same_case(row, other);
        if let Some(other) = rows[..at].iter().find(same) {
            let (place, when) = (&row.jurisdiction.value, &row.when.value);
            let line = other.at.line;
            findings.error(
                row.at,
                format!("line {line} says already how long {when} is kept in {place}"),
            );
        }
    }
}

fn same_case(
    one: &crate::domain::policy::Retention,
    other: &crate::domain::policy::Retention,
) -> bool {
    one.jurisdiction.value == other.jurisdiction.value && one.when.value == other.when.value
}
