//! Where a record comes from, for who asks: the systems that speak of it, and whose word stands in each attribute
//!

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::hiring::asks_citations;
use super::sight::clearance;
use super::{Asked, Error, Muster};
use crate::domain::access::Seen;
use crate::domain::claim::{SINGLE, SourceRecord};
use crate::domain::context::{Context, Right};
use crate::domain::fold::{Origin, Rules};
use crate::domain::masked::provenance;
use crate::domain::record::{Folded, Kind};
use crate::domain::resolved::Resolved;
use crate::domain::review::Asks;
use crate::domain::view::View;
use crate::scim::comparable::{instant, micros};
use crate::scim::resource_type::Location;
use crate::store::{self, Tx};

/// The attributes of `Provenance` that a request must name: none is computed unless it does.
const ASKED: [&str; 4] = ["sources", "attributes", "mergedFrom", "resolution"];

/// What a record shows because it was asked for.
pub(super) type Shown = Vec<(Location, Value)>;

/// Which of what must be named is named.
fn named(view: &View, asked: &Asked) -> [bool; 4] {
    // What is returned on request only is not returned by default.
    let is_folded = matches!(view.kind, Kind::Person | Kind::Organization);
    if !is_folded || asked.projection.is_default() {
        return [false; 4];
    }
    ASKED.map(|name| {
        let at = provenance(name);
        asked.projection.includes(&view.resource_type, &at)
    })
}

/// Whether the answer shows what only a request that names it gets: whence the record comes, or what names it.
pub(super) fn asks_for_more(view: &View, asked: &Asked) -> bool {
    named(view, asked).contains(&true) || asks_citations(view, asked)
}

impl Muster {
    /// What a fold of records of a kind depends on, for the caller's tenant.
    pub(super) fn rules<'a>(&'a self, context: &'a Context, kind: Kind) -> Rules<'a> {
        let clearance = &context.client.clearance;
        Rules {
            specs: self.0.renderer.catalog().specs(kind),
            classified: clearance.classified(),
            rulings: clearance.survivorship().on(kind),
        }
    }

    /// Whence each of the records comes, as far as it was asked for and the caller may know it, by the record's number.
    pub(super) fn provenance(
        &self,
        tx: &mut Tx<'_>,
        (context, view): (&Context, &View),
        records: &[Folded],
        asked: &Asked,
    ) -> Result<BTreeMap<i64, Shown>, Error> {
        let [by_source, by_attribute, merged, resolved] = named(view, asked);
        if !(by_source || by_attribute || merged || resolved) {
            return Ok(BTreeMap::new());
        }
        let rows: Vec<i64> = records.iter().map(|record| record.row).collect();
        let sources = store::source::of_records(tx, &rows)?;
        let rules = self.rules(context, view.kind);
        let mut origins: BTreeMap<i64, Vec<Origin<'_>>> = BTreeMap::new();
        if by_attribute {
            let known = sources.iter();
            origins = known
                .map(|(row, sources)| (*row, rules.origins(sources)))
                .collect();
        }
        let events = origins.values().flatten();
        let events: Vec<&str> = events
            .flat_map(|origin| [Some(origin.claim.event.as_str()), origin.decision()])
            .flatten()
            .collect();
        let events = store::event::told(tx, context.tenant(), &events)?;
        let key = self.veil_key(context, view);
        let mut shown = BTreeMap::new();
        for record in records {
            let mut told = Shown::new();
            if let Some(sources) = sources.get(&record.row).filter(|_| by_source) {
                told.push((provenance(ASKED[0]), sources.iter().map(source).collect()));
            }
            if let Some(origins) = origins.get(&record.row) {
                let seen = self.before(context, view, &record.leaves, &key);
                let origins = origins
                    .iter()
                    .filter_map(|origin| attribute(view, &seen, origin, &events));
                told.push((provenance(ASKED[1]), origins.collect()));
            }
            if merged {
                let aliases = store::alias::of(tx, record.row)?.into_iter();
                let ids: Vec<Value> = aliases.map(|alias| alias.id.to_string().into()).collect();
                if !ids.is_empty() {
                    told.push((provenance(ASKED[2]), ids.into()));
                }
            }
            if resolved && let Some(value) = self.resolution(tx, (context, view), record)? {
                told.push((provenance(ASKED[3]), value));
            }
            shown.insert(record.row, told);
        }
        Ok(shown)
    }

    /// `Provenance.resolution`: how it was decided who a person is, as its log tells. Somebody whom the caller may not know of
    /// is not named.
    fn resolution(
        &self,
        tx: &mut Tx<'_>,
        (context, view): (&Context, &View),
        record: &Folded,
    ) -> Result<Option<Value>, Error> {
        if record.kind != Kind::Person {
            return Ok(None);
        }
        let events = store::event::of_record(tx, record.tenant, record.id)?;
        let Some(mut resolved) = Resolved::last(&events) else {
            return Ok(None);
        };
        if let Some(id) = resolved.matched.as_deref().and_then(|id| id.parse().ok()) {
            let other = store::record::find(tx, record.tenant, id)?;
            // One that is merged or gone has no values any more that a bounded role could be given it for.
            let known = match other {
                Some(other) => self.reaches(context, view, &other.leaves, Right::Read),
                None => !clearance(context, view).is_bounded(),
            };
            resolved.matched = resolved.matched.filter(|_| known);
        }
        let asked = Self::is_asked_about(tx, record, Asks::Match)?;
        Ok(Some(resolved.told(asked)))
    }
}

/// One of `Provenance.sources`.
fn source(source: &SourceRecord) -> Value {
    let mut said = Map::new();
    said.insert("system".into(), source.system.as_str().into());
    if let Some(external_id) = &source.external_id {
        said.insert("sourceId".into(), external_id.as_str().into());
        said.insert("externalId".into(), external_id.as_str().into());
    }
    said.insert("firstSeenAt".into(), instant(source.first_seen).into());
    said.insert("lastSyncedAt".into(), instant(source.last_synced).into());
    Value::Object(said)
}

/// One of `Provenance.attributes`; nothing of what the caller does not see.
fn attribute(
    view: &View,
    seen: &Seen<'_>,
    origin: &Origin<'_>,
    events: &HashMap<String, Value>,
) -> Option<Value> {
    let value = &origin.claim.value;
    let at = &view.shown(origin.path).first()?.location;
    let is_told = origin.key == SINGLE || seen.traces(origin.path);
    if !is_told || !seen.knows(origin.path) || seen.hides(origin.path, value) {
        return None;
    }
    let mut path = at.to_string();
    if origin.key != SINGLE
        && !seen.alters(origin.path, &json!([value]))
        && let Some(value) = value.get("value").filter(|value| value.is_string())
    {
        path = format!("{path}[value eq {value}]");
    }
    // Who elevated it has the last word on it.
    let event = origin.decision().unwrap_or(&origin.claim.event);
    let mut told = json!({
        "path": path,
        "system": origin.system,
        "at": micros(origin.claim.at),
        "eventId": event,
    });
    let event = events.get(event);
    for (name, of) in [("actor", "actor"), ("reasonCode", "reasonCode")] {
        if let Some(known) = event
            .and_then(|event| event.get(of))
            .filter(|known| known.is_string())
        {
            told[name] = known.clone();
        }
    }
    Some(told)
}
