//! An event of the log as a resource: what its reader may see of it.

use serde_json::{Map, Value, json};

use super::access::{Seen, TypeClearance, Untold};
use super::context::{Context, Right};
use super::masked::{Masked, Renderer, Resource};
use super::record::Kind;
use super::view::Specs;
use super::withdrawn;
use crate::scim::filter::Condition;
use crate::scim::resource_type::Location;

/// The name of the resource type.
pub const NAME: &str = "AuditEvent";

/// What is taken over as it is.
const PLAIN: [&str; 14] = [
    "type",
    "resourceType",
    "resourceId",
    "personId",
    "applicationId",
    "causationId",
    "version",
    "client",
    "actor",
    "actorType",
    "sourceSystem",
    "purpose",
    "correlationId",
    "reasonCode",
];

impl Renderer {
    /// The event of this body (see [`super::event::Event::body`]) as `context`'s client may see it: values only as it might
    /// see them on any person, so nothing that depends on which person it is.
    #[must_use]
    pub fn mask_event(&self, context: &Context, body: &Value) -> Masked<Resource> {
        self.masked_event(context, body, false)
    }

    /// The same for who may read the record that it is of, whether it may read the log or not.
    #[must_use]
    pub fn tell_event(&self, context: &Context, body: &Value) -> Masked<Resource> {
        self.masked_event(context, body, true)
    }

    /// Whether an event is of nothing but values of which the reader may not know that they are there, as `shows` has it of
    /// each canonical path, or of which nothing that it sees has changed: to whoever hears of records, and may not read the log,
    /// nothing has happened.
    #[must_use]
    pub fn hides_event(
        &self,
        context: &Context,
        body: &Value,
        shows: impl Fn(&str) -> bool,
    ) -> bool {
        if !is_quiet(body) {
            return false;
        }
        let (key, nobody) = (self.key_of(context), Map::new());
        let of = kind_of(body);
        let clearance = context.client.clearance.on(of.type_name());
        let seen = clearance.before(&nobody, |_| false, &key);
        let untold = context.client.clearance.untold();
        let mut changes = changes(body).peekable();
        let is_seen = |(name, change): (&str, &Value)| {
            let path = change["path"].as_str().unwrap_or_default();
            let mut untold = untold.iter().filter(|_| name != CHANGES);
            shows(path)
                && is_told(clearance, name)
                && !untold.any(|untold| untold.hides(of, path))
                && !(seen.knows(path) && looks_same(&seen, self.catalog().specs(of), change))
        };
        changes.peek().is_some() && !changes.any(is_seen)
    }

    /// What the reader is told has changed, or is withheld or suggested, as `name` says.
    fn told(
        &self,
        seen: &Seen<'_>,
        (of, name): (Kind, &str),
        body: &Value,
        (untold, open): (Option<&Untold>, bool),
    ) -> Vec<Value> {
        let specs = self.catalog().specs(of);
        // Whether anything is held back tells of what stands.
        let tells = name != CHANGES || !open && is_quiet(body);
        let is_told = |change: &&Value| {
            let path = change["path"].as_str().unwrap_or_default();
            let same = (open || untold.is_some()) && looks_same(seen, specs, change);
            !(same || tells && untold.is_some_and(|untold| untold.hides(of, path)))
        };
        let changes = body[name].as_array().into_iter().flatten();
        let told = changes.filter(is_told).filter_map(|change| {
            let path = change["path"].as_str()?;
            shown(seen, specs, path, change)
        });
        let mut told: Vec<Value> = told.collect();
        if untold.is_some() {
            // Elements stand in the order of their keys, which are not shown.
            told.sort_by_cached_key(Value::to_string);
            told.dedup();
        }
        told
    }

    fn masked_event(&self, context: &Context, body: &Value, open: bool) -> Masked<Resource> {
        let key = self.key_of(context);
        let nobody = Map::new();
        let of = kind_of(body);
        let clearance = context.client.clearance.on(of.type_name());
        let seen = clearance.before(&nobody, |_| false, &key);
        let mut document = plain(body);
        let untold = context.client.clearance.untold();
        // Each change makes a version, and some of them are hidden.
        if untold.is_some() || open && !clearance.is_plain() {
            document.remove("version");
        }
        let (mut attributes, mut disclosed) = (Vec::new(), Vec::new());
        let told = [CHANGES, WITHHELD, "suggested"].into_iter();
        for name in told.filter(|name| is_told(clearance, name)) {
            let shown = self.told(&seen, (of, name), body, (untold, open));
            for change in &shown {
                let path = change["path"].as_str().unwrap_or_default();
                attributes.push(Value::from(path));
                let purposes = seen.purposes(path).iter();
                disclosed
                    .extend(purposes.map(|purpose| (at(name), path.to_owned(), purpose.clone())));
            }
            if !shown.is_empty() {
                document.insert(name.into(), shown.into());
            }
        }
        let read = body["attributes"].as_array().into_iter().flatten();
        attributes.extend(
            read.filter(|path| path.as_str().is_some_and(|path| seen.knows(path)))
                .cloned(),
        );
        attributes.dedup();
        if !attributes.is_empty() {
            document.insert("attributes".into(), attributes.into());
        }
        if let Some(subjects) = body.get("subjects").filter(|value| !is_empty(value)) {
            document.insert("subjects".into(), subjects.clone());
        }
        let detail = detail(&seen, context.client.clearance.on("Person"), body);
        document.extend(detail.map(|detail| ("detail".to_owned(), detail.to_string().into())));
        let id = body["eventId"].as_str().unwrap_or_default().to_owned();
        let created = document["recordedAt"].clone();
        let bounded = context.client.clearance.on(NAME).is_bounded();
        let judged = if bounded {
            judged_by(&document, body)
        } else {
            Map::new()
        };
        let shown = (document, open, &judged);
        let mut masked = self.mask_judged(context, self.catalog().audit_event(), &id, shown);
        let person = body["personId"].as_str();
        masked.note(created, person.and_then(|id| id.parse().ok()), disclosed);
        masked
    }
}

impl Masked<Resource> {
    /// Whether an event, as far as it is shown, passes a filter. Its person is each of whom it tells.
    #[must_use]
    pub fn tells(&self, condition: &Condition) -> bool {
        let mut document = self.seen().document.clone();
        let person = document.get("personId").cloned();
        let subjects = document.get("subjects").and_then(Value::as_array).cloned();
        let persons = person.into_iter().chain(subjects.into_iter().flatten());
        document.insert("personId".into(), persons.collect());
        condition.matches(&document)
    }
}

/// What of an event is taken over as it is.
fn plain(body: &Value) -> Map<String, Value> {
    let there = PLAIN.iter().filter_map(|name| {
        let value = body.get(*name).filter(|value| !is_empty(value))?;
        Some(((*name).to_owned(), value.clone()))
    });
    let mut document: Map<String, Value> = there.collect();
    document.insert("recordedAt".into(), body["recordedAt"].clone());
    document
}

/// What a bounded role is asked of: the event with all attributes that it names, whether the reader may know of them or not.
fn judged_by(document: &Map<String, Value>, body: &Value) -> Map<String, Value> {
    let mut judged = document.clone();
    let changed = changes(body).map(|(_, change)| change["path"].clone());
    let read = body["attributes"].as_array().into_iter().flatten().cloned();
    judged.insert("id".into(), body["eventId"].clone());
    judged.insert("attributes".into(), changed.chain(read).collect());
    judged
}

/// What of a candidate tells of all that was compared.
const SUMS: [&str; 4] = ["score", "probability", "among", "guard"];

/// What else there is to say, but for what is kept to bring a record back; of the attributes that two people were compared in only
/// those that the reader may know of. A sum would tell of the others, and a candidate of whom a bounded role does not reach:
/// what is left out follows from the policy, never from what there is.
fn detail(seen: &Seen<'_>, person: &TypeClearance, body: &Value) -> Option<Value> {
    let mut detail = body.get("detail")?.clone();
    if let Some(parts) = detail.as_object_mut() {
        parts.remove(withdrawn::NAME);
    }
    let candidates = detail.pointer_mut("/resolution/candidates");
    for candidate in candidates
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(parts) = candidate.as_object_mut().filter(|_| !person.is_plain()) {
            parts.retain(|name, _| !SUMS.contains(&name.as_str()));
            if person.is_bounded() {
                parts.remove("id");
            }
        }
        if let Some(compared) = candidate["comparisons"].as_array_mut() {
            compared.retain(|one| one["path"].as_str().is_some_and(|path| seen.knows(path)));
        }
    }
    let is_empty = detail.as_object().is_some_and(Map::is_empty);
    (!is_empty).then_some(detail)
}

fn at(attribute: &str) -> Location {
    Location {
        extension: None,
        attribute: attribute.into(),
        sub: None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// A change, of whose values so much is left as the reader might see, and of secret ones none; nothing if it may not know of
/// it.
fn shown(seen: &Seen<'_>, specs: &Specs, path: &str, change: &Value) -> Option<Value> {
    if !seen.knows(path) {
        return None;
    }
    let mut told = json!({ "path": path });
    if specs.get(path).is_some_and(|spec| spec.attribute.secret) {
        return Some(told);
    }
    for name in ["previous", "new"] {
        let value = change.get(name).filter(|value| !value.is_null());
        if let Some(value) = value.and_then(|value| seen.value(path, value)) {
            told[name] = match value {
                Value::String(text) => text.into(),
                other => other.to_string().into(),
            };
        }
    }
    Some(told)
}

/// The kind of the record that an event is of.
fn kind_of(body: &Value) -> Kind {
    let of = body["type"].as_str().and_then(Kind::of_event);
    let of = of.or_else(|| body["resourceType"].as_str().and_then(Kind::of_type));
    of.unwrap_or(Kind::Person)
}

/// Whether an event tells of values alone.
fn is_quiet(body: &Value) -> bool {
    let kind = body["type"].as_str().unwrap_or_default();
    QUIET.iter().any(|end| kind.ends_with(end))
}

/// What the log has as columns: the rest stands in bodies, which are encrypted.
pub const COLUMNS: [&str; 13] = [
    "id",
    "type",
    "resourceType",
    "resourceId",
    "personId",
    "applicationId",
    "recordedAt",
    "client",
    "actor",
    "purpose",
    "correlationId",
    "version",
    "attributes",
];

/// What has changed, beside what is withheld and suggested.
const CHANGES: &str = "changes";
/// What another record holds.
const WITHHELD: &str = "withheld";

/// Whether a reader may be told what an event calls so: that another holds a value tells of records that a role may not reach.
fn is_told(clearance: &TypeClearance, name: &str) -> bool {
    name != WITHHELD || !clearance.is_bounded()
}

/// All that an event tells of values, and as what.
fn changes(body: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let names = [CHANGES, WITHHELD, "suggested"].into_iter();
    names.flat_map(|name| {
        let all = body[name].as_array().into_iter().flatten();
        all.map(move |change| (name, change))
    })
}

/// Whether what its reader sees of a value was the same before the change; of a secret one it sees that it has changed.
fn looks_same(seen: &Seen<'_>, specs: &Specs, change: &Value) -> bool {
    let path = change["path"].as_str().unwrap_or_default();
    if specs.get(path).is_some_and(|spec| spec.attribute.secret) {
        return false;
    }
    let shown = |name: &str| {
        let value = change.get(name).filter(|value| !value.is_null());
        value.and_then(|value| seen.value(path, value))
    };
    shown("previous") == shown("new")
}

/// The ends of types of events that tell of values alone.
pub(super) const QUIET: [&str; 5] = [
    ".updated",
    ".confirmed",
    ".conflicted",
    ".elevated",
    ".refolded",
];

impl Seen<'_> {
    /// Whether the reader may know that there is a value at a path.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        // Each system's own name for a record is told by whence the record comes.
        if path.starts_with("externalId@") || path == "version" || path == "members" {
            return self.may(Right::Read);
        }
        self.may_on(Right::Read, path, None) && !self.is_omitted(path)
    }
}
