//! What happened, told to people: events as lines of a timeline, and whether the checks came before the conversations (B-004,
//! B-042, B-043). All of it from what the reader may see.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// An event, as its reader may see it, as a line of a timeline.
#[must_use]
pub fn line(event: &Value) -> Value {
    let mut told = json!({
        "at": event["recordedAt"], "what": what(event), "type": event["type"], "actor": event["actor"],
        "tool": event["sourceSystem"], "resourceType": event["resourceType"], "resourceId": event["resourceId"],
        "correlationId": event["correlationId"], "eventId": event["id"],
    });
    for name in ["reasonCode", "changes", "suggested", "detail"] {
        if let Some(value) = event.get(name).filter(|value| *value != "null") {
            told[name] = value.clone();
        }
    }
    told
}

/// The changes that a reader looks for first.
const TELLING: [&str; 7] = [
    "status",
    "decision",
    "result",
    "satisfiedVerificationTier",
    "beforeVerification",
    "statusReason",
    "hiringRules.wave",
];

/// An event in a few words, such as `application updated: status sourced → interviewing`.
#[must_use]
pub fn what(event: &Value) -> String {
    let mut text = event["type"].as_str().unwrap_or_default().replace('.', " ");
    let changes = event["changes"].as_array().into_iter().flatten();
    let mut details: Vec<String> = Vec::new();
    for change in changes {
        let path = change["path"].as_str().unwrap_or_default();
        let name = path.rsplit(':').next().unwrap_or_default();
        if !TELLING.contains(&name) {
            continue;
        }
        let value = |side: &str| change[side].as_str().map(str::to_owned);
        details.push(match (value("previous"), value("new")) {
            (Some(before), Some(after)) => format!("{name} {before} → {after}"),
            (None, Some(after)) => format!("{name} {after}"),
            (Some(before), None) => format!("{name} {before} taken back"),
            (None, None) => name.to_owned(),
        });
    }
    if !details.is_empty() {
        text = format!("{text}: {}", details.join(", "));
    }
    if event["suggested"]
        .as_array()
        .is_some_and(|all| !all.is_empty())
    {
        text.push_str(", held back as a suggestion");
    }
    text
}

/// Whether the identity checks that a requisition requires were passed before the first interview began: `outcome` is
/// `verifiedFirst`, `interviewedFirst`, `notYet` while no interview has begun, `notRequired`, or `notShown` where the reader may not
/// see all that decides it (`is_shown`). A pass counts as it does everywhere: while it is valid, and until it is appealed.
/// `verifications` and `interviews` are resources as their reader may see them.
#[must_use]
pub fn order(
    (required, is_shown): (Option<i64>, bool),
    verifications: &[Value],
    interviews: &[Value],
) -> Value {
    let required = required.filter(|_| is_shown);
    let mut begun: Vec<(DateTime<Utc>, &Value)> = interviews
        .iter()
        .filter_map(|one| Some((began(one)?, one)))
        .collect();
    begun.sort_by_key(|(when, _)| *when);
    let interview = begun.first();
    let enough = |one: &&Value| one["tierSatisfied"].as_i64().unwrap_or(0) >= required.unwrap_or(0);
    let mut passes: Vec<(DateTime<Utc>, &Value)> = verifications
        .iter()
        .filter(|one| one["decision"] == "pass")
        .filter(enough)
        .filter_map(|one| Some((moment(&one["occurredAt"])?, one)))
        .collect();
    passes.sort_by_key(|(when, _)| *when);
    let counted = interview.and_then(|(when, _)| {
        let mut passes = passes.iter();
        passes.find(|(_, one)| counts(one, verifications, *when))
    });
    let outcome = match (required.filter(|tier| *tier > 0), interview) {
        _ if !is_shown => "notShown",
        (None, _) => "notRequired",
        (Some(_), None) => "notYet",
        (Some(_), Some(_)) if counted.is_some() => "verifiedFirst",
        (Some(_), Some(_)) => "interviewedFirst",
    };
    let pass = counted.or(passes.first());
    json!({
        "tierRequired": required,
        "outcome": outcome,
        "firstPass": pass.map(|(_, one)| json!({
            "verification": one["id"], "occurredAt": one["occurredAt"], "tierSatisfied": one["tierSatisfied"],
            "evidencePackRef": one["evidencePackRef"],
        })),
        "firstInterview": interview.map(|(_, one)| json!({ "interview": one["id"], "startedAt": one["startedAt"] })),
    })
}

fn moment(value: &Value) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc3339(value.as_str()?).ok()?;
    Some(at.with_timezone(&Utc))
}

/// When an interview began. One that is over and does not say it began when it was meant to, or else once it was known: never later
/// than it did.
fn began(interview: &Value) -> Option<DateTime<Utc>> {
    let meant =
        || moment(&interview["scheduledAt"]).or_else(|| moment(&interview["meta"]["created"]));
    let is_over = interview["status"] == "completed";
    moment(&interview["startedAt"]).or_else(|| meant().filter(|_| is_over))
}

/// Whether a pass counted at a moment: it had happened, was still valid, and nobody had appealed it.
fn counts(pass: &Value, verifications: &[Value], at: DateTime<Utc>) -> bool {
    let happened = |one: &Value| moment(&one["occurredAt"]).is_some_and(|when| when <= at);
    let appeals = |one: &Value| one["appealOf"]["value"] == pass["id"] && happened(one);
    happened(pass)
        && moment(&pass["validUntil"]).is_none_or(|until| until > at)
        && !verifications.iter().any(appeals)
}

/// A value without what is `null` in it: what is not there is not named.
#[must_use]
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
            fields
                .map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_checks_and_conversations_is_told_from_both() {
        let pass = json!({"id": "v", "decision": "pass", "tierSatisfied": 2, "occurredAt": "2026-01-02T00:00:00Z"});
        let low = json!({"id": "w", "decision": "pass", "tierSatisfied": 1, "occurredAt": "2026-01-01T00:00:00Z"});
        let early = json!({"id": "i", "startedAt": "2026-01-01T12:00:00Z"});
        let late = json!({"id": "j", "startedAt": "2026-01-03T00:00:00Z"});
        let told = |verifications: &[Value], interviews: &[Value]| {
            order((Some(2), true), verifications, interviews)["outcome"].clone()
        };
        let both = [low.clone(), pass.clone()];
        assert_eq!(told(&both, std::slice::from_ref(&late)), "verifiedFirst");
        assert_eq!(told(&both, &[late.clone(), early]), "interviewedFirst");
        assert_eq!(
            told(&[low], std::slice::from_ref(&late)),
            "interviewedFirst"
        );
        assert_eq!(told(std::slice::from_ref(&pass), &[]), "notYet");
        let done = json!({"id": "k", "status": "completed", "scheduledAt": "2026-01-01T09:00:00Z"});
        assert_eq!(
            told(std::slice::from_ref(&pass), &[done]),
            "interviewedFirst"
        );
        let appeal = json!({"id": "x", "decision": "fail", "occurredAt": "2026-01-02T12:00:00Z", "appealOf": {"value": "v"}});
        let appealed = [pass.clone(), appeal];
        assert_eq!(
            told(&appealed, std::slice::from_ref(&late)),
            "interviewedFirst"
        );
        let mut expired = pass.clone();
        expired["validUntil"] = json!("2026-01-02T12:00:00Z");
        assert_eq!(
            told(&[expired], std::slice::from_ref(&late)),
            "interviewedFirst"
        );
        let passes = [pass];
        let outcome =
            |required| order(required, &passes, std::slice::from_ref(&late))["outcome"].clone();
        assert_eq!(outcome((None, true)), "notRequired");
        assert_eq!(outcome((None, false)), "notShown");
    }

    #[test]
    fn an_event_is_told_in_a_few_words() {
        let event = json!({"type": "application.updated", "changes": [
            {"path": "status", "previous": "sourced", "new": "interviewing"}, {"path": "source", "new": "fair"},
        ]});
        assert_eq!(
            what(&event),
            "application updated: status sourced → interviewing"
        );
    }
}
