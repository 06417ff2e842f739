//! Where a value comes from: every claim on it, the rule that chose among them, and the events that brought them; as plain
//! JSON and as W3C PROV-JSON.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::claim::Elevation;
use crate::id::ResourceId;
use crate::scim::comparable::micros;

/// The lineage of some of a record's values.
#[derive(Clone, Debug)]
pub struct Lineage {
    /// The record.
    pub id: ResourceId,
    /// The resource type through which it is asked for.
    pub resource_type: String,
    /// The version of the policy that folds it; 0 without one.
    pub policy_version: u64,
    /// Each value.
    pub traced: Vec<Traced>,
}

/// One value.
#[derive(Clone, Debug)]
pub struct Traced {
    /// Where the resource type shows it.
    pub path: String,
    /// Its canonical path.
    pub canonical: String,
    /// What stands, as the reader sees it.
    pub value: Option<Value>,
    /// The rule that chose it; none where the newest claim wins.
    pub rule: Option<String>,
    /// Every claim on it.
    pub claims: Vec<Claimed>,
    /// The events that changed it.
    pub history: Vec<Value>,
}

/// What one system says.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// The system.
    pub system: String,
    /// The system's own id of the record.
    pub external_id: Option<String>,
    /// The element's key.
    pub key: String,
    /// The value, as the reader sees it.
    pub value: Option<Value>,
    /// Whether it says that there is none.
    pub denies: bool,
    /// The source's time, in microseconds since 1970.
    pub said_at: i64,
    /// The event that brought it.
    pub event: String,
    /// The decision by which it stands.
    pub elevated: Option<Elevation>,
    /// Whether it stands.
    pub stands: bool,
    /// Whether it is but a suggestion to the attribute's master.
    pub suggested: bool,
}

/// What is told of an event beside its values.
const TOLD: [&str; 8] = [
    "eventId",
    "type",
    "recordedAt",
    "actor",
    "client",
    "sourceSystem",
    "reasonCode",
    "correlationId",
];

impl Traced {
    /// The events that its claims and their elevations name.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().flat_map(|claim| {
            let decision = claim.elevated.as_ref().map(|by| by.event.as_str());
            std::iter::once(claim.event.as_str()).chain(decision)
        })
    }
}

impl Lineage {
    /// Adds what the log tells: `named` are the events that claims name, `log` all of the record's own. `seen` says what the
    /// reader sees of a value, `is_open` whether that is always the whole: who sees a part does not learn by the history whether
    /// the rest has changed, nor one that `guesses` whether anything else has.
    pub fn tell(
        &mut self,
        named: &HashMap<String, Value>,
        log: &[Value],
        seen: impl Fn(&str, &Value) -> Option<Value>,
        (is_open, guesses): (impl Fn(&str) -> bool, bool),
    ) {
        for traced in &mut self.traced {
            let is_open = is_open(&traced.canonical);
            let changes = |event: &Value| {
                let mut all = event["changes"].as_array().into_iter().flatten();
                all.find(|change| change["path"] == traced.canonical.as_str())
                    .cloned()
            };
            let of_it = log.iter().filter_map(|event| {
                let change = changes(event)?;
                let mut told = told(event);
                for name in ["previous", "new"] {
                    if let Some(value) = seen(&traced.canonical, &change[name]) {
                        told[name] = value;
                    }
                }
                let is_seen = is_open || told.get("previous") != told.get("new");
                is_seen.then_some(told)
            });
            // Then what claims came with that is not the record's own: it has been merged.
            let mut history: Vec<Value> = of_it.collect();
            for event in traced.events().filter_map(|id| named.get(id)) {
                if !history
                    .iter()
                    .any(|known| known["eventId"] == event["eventId"])
                {
                    let mut told = told(event);
                    if let Some(parts) = told.as_object_mut().filter(|_| guesses || !is_open) {
                        parts.remove("type");
                    }
                    history.push(told);
                }
            }
            history.sort_by(|a, b| a["recordedAt"].as_str().cmp(&b["recordedAt"].as_str()));
            traced.history = history;
        }
    }

    /// As plain JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let attributes: Vec<Value> = self.traced.iter().map(Traced::json).collect();
        without_nulls(json!({
            "schemas": ["urn:muster:scim:api:messages:1.0:Lineage"],
            "id": self.id.to_string(),
            "resourceType": self.resource_type,
            "policyVersion": self.policy_version,
            "attributes": attributes,
        }))
    }

    /// As PROV-JSON (W3C Member Submission of 2013-04-24): values and claims are entities, events activities, systems and
    /// clients agents; the fold is the activity that derives what stands from the claims.
    #[must_use]
    pub fn prov_json(&self) -> Value {
        let mut prov = Prov::default();
        let fold = format!("muster:fold/{}", self.policy_version);
        for (n, traced) in self.traced.iter().enumerate() {
            let value = format!("muster:value/{}/{}", self.id, n + 1);
            prov.entity(
                &value,
                json!({
                    "prov:label": traced.path,
                    "prov:type": "muster:GoldenValue",
                    "prov:value": text(traced.value.as_ref()),
                }),
            );
            prov.activity(
                &fold,
                json!({
                    "prov:type": "muster:Fold",
                    "muster:policyVersion": self.policy_version,
                }),
            );
            prov.link("wasGeneratedBy", [("entity", &value), ("activity", &fold)]);
            for (m, claim) in traced.claims.iter().enumerate() {
                let entity = format!("{value}/claim/{}", m + 1);
                prov.claim(&entity, claim);
                prov.link("used", [("activity", &fold), ("entity", &entity)]);
                if claim.stands {
                    let ends = [("generatedEntity", &value), ("usedEntity", &entity)];
                    prov.link("wasDerivedFrom", ends);
                }
            }
            for event in &traced.history {
                prov.event(event);
            }
        }
        without_nulls(prov.0.into())
    }
}

impl Traced {
    fn json(&self) -> Value {
        let claims: Vec<Value> = self
            .claims
            .iter()
            .map(|claim| claim.json(&self.history))
            .collect();
        json!({
            "path": self.path,
            "value": self.value,
            "rule": self.rule.as_deref().unwrap_or("newest claim"),
            "claims": claims,
            "history": self.history,
        })
    }
}

impl Claimed {
    fn json(&self, history: &[Value]) -> Value {
        let mut told = json!({
            "system": self.system,
            "externalId": self.external_id,
            "saidAt": micros(self.said_at),
            "stands": self.stands,
            "suggested": self.suggested && !self.stands,
            "eventId": self.event,
        });
        if self.denies {
            told["denies"] = true.into();
        } else if let Some(value) = &self.value {
            told["value"] = value.clone();
        }
        let event = history
            .iter()
            .find(|known| known["eventId"] == self.event.as_str());
        for name in ["actor", "reasonCode"] {
            if let Some(known) = event.and_then(|event| event.get(name)) {
                told[name] = known.clone();
            }
        }
        if let Some(by) = &self.elevated {
            let event = history
                .iter()
                .find(|known| known["eventId"] == by.event.as_str());
            let of = |name: &str| event.and_then(|event| event.get(name)).cloned();
            told["elevated"] = json!({
                "at": micros(by.at), "eventId": by.event, "actor": of("actor"), "reasonCode": of("reasonCode"),
            });
        }
        told
    }
}

fn told(event: &Value) -> Value {
    let known = TOLD.iter().filter_map(|name| {
        let value = event.get(*name).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    Value::Object(known.collect())
}

/// The same without what has no value (RFC 7643 §2.5).
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(parts) => {
            let parts = parts.into_iter().filter(|(_, value)| !value.is_null());
            parts
                .map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        single => single,
    }
}

fn text(value: Option<&Value>) -> Value {
    match value {
        None => Value::Null,
        Some(Value::String(text)) => text.as_str().into(),
        Some(other) => other.to_string().into(),
    }
}

/// A PROV-JSON document in the making.
struct Prov(Map<String, Value>);

impl Default for Prov {
    fn default() -> Self {
        let mut document = Map::new();
        document.insert(
            "prefix".into(),
            json!({ "prov": "http://www.w3.org/ns/prov#", "muster": "urn:muster:prov:" }),
        );
        Self(document)
    }
}

impl Prov {
    fn put(&mut self, kind: &str, id: &str, value: Value) {
        let all = self.0.entry(kind).or_insert_with(|| json!({}));
        all[id] = value;
    }

    fn entity(&mut self, id: &str, value: Value) {
        self.put("entity", id, value);
    }

    fn activity(&mut self, id: &str, value: Value) {
        self.put("activity", id, value);
    }

    /// A relation between two things, known by its number.
    fn link(&mut self, kind: &str, ends: [(&str, &String); 2]) {
        let all = self.0.get(kind).and_then(Value::as_object);
        let ends = ends.map(|(name, id)| (format!("prov:{name}"), Value::from(id.as_str())));
        let relation = Value::Object(ends.into_iter().collect());
        if all.is_some_and(|all| all.values().any(|known| *known == relation)) {
            return;
        }
        let id = format!("_:{kind}{}", all.map_or(0, Map::len) + 1);
        self.put(kind, &id, relation);
    }

    fn claim(&mut self, entity: &str, claim: &Claimed) {
        self.entity(
            entity,
            json!({
                "prov:type": "muster:Claim",
                "prov:value": text(claim.value.as_ref()),
                "muster:saidAt": micros(claim.said_at),
                "muster:stands": claim.stands,
            }),
        );
        let system = format!("muster:system/{}", claim.system);
        self.put(
            "agent",
            &system,
            json!({ "prov:type": "prov:SoftwareAgent" }),
        );
        let event = format!("muster:event/{}", claim.event);
        let entity = entity.to_owned();
        self.link("wasAttributedTo", [("entity", &entity), ("agent", &system)]);
        self.link(
            "wasGeneratedBy",
            [("entity", &entity), ("activity", &event)],
        );
    }

    fn event(&mut self, event: &Value) {
        let id = format!(
            "muster:event/{}",
            event["eventId"].as_str().unwrap_or_default()
        );
        self.activity(
            &id,
            json!({
                "prov:type": event["type"],
                "prov:endTime": event["recordedAt"],
                "muster:reasonCode": event["reasonCode"],
                "muster:correlationId": event["correlationId"],
            }),
        );
        if let Some(actor) = event["actor"].as_str().filter(|actor| !actor.is_empty()) {
            let agent = format!("muster:client/{actor}");
            self.put(
                "agent",
                &agent,
                json!({ "prov:type": "prov:SoftwareAgent" }),
            );
            self.link("wasAssociatedWith", [("activity", &id), ("agent", &agent)]);
        }
    }
}
