//! How it was decided who a person is, as the log of that person tells it.

use serde_json::{Value, json};

/// Reasons of events by which a key alone has decided.
const BY_KEY: [&str; 2] = ["externalIdentifier", "verifiedEmail"];

/// The last decision about a person: one of `linked`, `review`, `new`, `merged` and `split`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// What was decided.
    pub decision: String,
    /// How sure that is, from 0 to 100, where it was weighed.
    pub score: Option<f64>,
    /// The person that it was matched with, or taken apart from.
    pub matched: Option<String>,
    /// The model, the key or the client that decided.
    pub decided_by: Option<String>,
    /// Whether it is a newcomer that was like somebody, but not alike enough to ask: for reconciliation.
    pub is_below: bool,
}

impl Resolved {
    /// The last decision that a person's events tell of, given oldest first; nothing if none does.
    #[must_use]
    pub fn last(events: &[Value]) -> Option<Self> {
        events.iter().rev().find_map(Self::of)
    }

    /// The decision that an event tells of.
    fn of(event: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let detail = &event["detail"];
        let weighed = &detail["resolution"];
        if let Some(decision) = text(&weighed["decision"]) {
            let best = &weighed["candidates"][0];
            let chance = best["probability"].as_f64();
            return Some(Self {
                score: chance.map(|chance| (chance * 10_000.0).round() / 100.0),
                matched: text(&best["id"]),
                decided_by: text(&best["model"]),
                is_below: decision == "new" && best.is_object(),
                decision,
            });
        }
        let by = |decision: &str, matched: Option<String>, by: Option<String>| Self {
            decision: decision.to_owned(),
            score: None,
            matched,
            decided_by: by,
            is_below: false,
        };
        let actor = text(&event["actor"]);
        if let Some(merged) = text(&detail["merged"]) {
            return Some(by("merged", Some(merged), actor));
        }
        if let Some(other) = text(&detail["split"]).or_else(|| text(&detail["splitFrom"])) {
            return Some(by("split", Some(other), actor));
        }
        let reason = text(&event["reasonCode"]).filter(|reason| BY_KEY.contains(&reason.as_str()));
        reason.map(|key| Self {
            score: Some(100.0),
            ..by("linked", text(&event["resourceId"]), Some(key))
        })
    }

    /// The value of `Provenance.resolution`. `is_asked`: whether a review about the person is open.
    #[must_use]
    pub fn told(&self, is_asked: bool) -> Value {
        let mut told = json!({ "decision": self.decision, "flagged": is_asked || self.is_below });
        if let Some(score) = self.score {
            told["score"] = json!(score);
        }
        for (name, value) in [
            ("matchedPerson", &self.matched),
            ("decidedBy", &self.decided_by),
        ] {
            if let Some(value) = value {
                told[name] = value.as_str().into();
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Resolved;

    #[test]
    fn the_last_decision_is_told() {
        let made = json!({"detail": {"resolution": {"decision": "new", "candidates": [
            {"id": "p2", "probability": 0.123_456, "model": "ours@1"}]}}});
        let alone = json!({"detail": {"resolution": {"decision": "new", "candidates": []}}});
        let merged = json!({"actor": "hris", "detail": {"merged": "p3"}});
        let plain = json!({"detail": null, "reasonCode": "promotion"});
        assert_eq!(Resolved::last(std::slice::from_ref(&plain)), None);
        let told = |events: &[_]| Resolved::last(events).unwrap().told(false);
        assert_eq!(
            told(&[made.clone(), plain.clone()]),
            json!({"decision": "new", "score": 12.35, "matchedPerson": "p2", "decidedBy": "ours@1", "flagged": true})
        );
        assert_eq!(told(&[alone]), json!({"decision": "new", "flagged": false}));
        assert_eq!(
            told(&[made, merged, plain]),
            json!({"decision": "merged", "matchedPerson": "p3", "decidedBy": "hris", "flagged": false})
        );
    }
}
