//! What happened, by any id: ours, or what another system calls it (B-043, B-098). Found by unique values and the attribute
//! index, so that it costs the same in any population.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Error, Muster};
use crate::domain::context::Context;
use crate::domain::index::{Unique, external_id_text, key, unique_text};
use crate::domain::lifecycle::text;
use crate::domain::record::{Folded, Kind};
use crate::domain::story;
use crate::id::{ResourceId, TenantId};
use crate::store::{self, Tx};

const EXTERNAL_IDENTIFIERS: &str = "externalIdentifiers";
/// So many events are told, and so many records of one name.
const MOST: i64 = 5000;

impl Muster {
    /// What happened to whatever `name` is a name of, for an operator; `several` where it names more than one record.
    pub fn trace_name(
        &self,
        tenant: TenantId,
        name: &str,
        now: DateTime<Utc>,
    ) -> Result<Value, Error> {
        let context = self.at_work(tenant, now);
        self.0.store.read_blocking(|tx| {
            let found = self.named_so(tx, tenant, name)?;
            match &found[..] {
                [] => Err(Error::NotFound(format!("nothing here is called '{name}'"))),
                [one] => self.told_of(tx, &context, one),
                several => Ok(json!({ "several": several.iter().map(|one| json!({
                    "resourceType": one.kind.type_name(), "id": one.id.to_string(),
                })).collect::<Vec<_>>() })),
            }
        })
    }

    /// The records of a name.
    fn named_so(
        &self,
        tx: &mut Tx<'_>,
        tenant: TenantId,
        name: &str,
    ) -> Result<Vec<Folded>, Error> {
        if let Ok(id) = name.parse::<ResourceId>() {
            let alias = store::alias::find(tx, tenant, id)?;
            let survivor = match alias {
                Some(alias) => store::record::identify(tx, alias.survivor)?,
                None => None,
            };
            let found = store::record::find(tx, tenant, survivor.unwrap_or(id))?;
            return Ok(found.into_iter().collect());
        }
        let mut rows = Vec::new();
        for kind in (1..).map_while(Kind::from_number) {
            rows.extend(self.called(tx, (tenant, kind), name)?);
        }
        rows.sort_unstable();
        rows.dedup();
        let mut found = Vec::new();
        for row in rows {
            found.extend(store::record::at(tx, row)?);
        }
        Ok(found)
    }

    /// The numbers of a kind's records that a name is of: whole, by its value alone, or by a system's `externalId`.
    fn called(
        &self,
        tx: &mut Tx<'_>,
        (tenant, kind): (TenantId, Kind),
        name: &str,
    ) -> Result<Vec<i64>, Error> {
        let mut parts = name.splitn(3, ':');
        let parts = (parts.next(), parts.next(), parts.next());
        let spec = self
            .0
            .renderer
            .catalog()
            .specs(kind)
            .get(EXTERNAL_IDENTIFIERS);
        if let ((Some(system), Some(field), Some(value)), Some(spec)) = (parts, spec) {
            let identifier = json!({ "system": system, "field": field, "value": value });
            let unique = Unique {
                path: EXTERNAL_IDENTIFIERS.to_owned(),
                value: key(&unique_text(spec, &identifier)),
            };
            let holders = store::unique::holders(tx, tenant, kind, &[&unique])?;
            return Ok(holders.into_iter().flatten().collect());
        }
        let value = external_id_text(&name.into()).map(|text| key(&text));
        let mut paths = store::story::external_id_paths(tx, tenant, kind)?;
        paths.push(format!("{EXTERNAL_IDENTIFIERS}.value"));
        let mut rows = Vec::new();
        for path in paths {
            let values: Vec<String> = value.iter().cloned().collect();
            let found = store::record::with_values(tx, (tenant, kind), &path, &values, MOST)?;
            rows.extend(found.into_iter().flatten());
        }
        Ok(rows)
    }

    fn told_of(&self, tx: &mut Tx<'_>, context: &Context, record: &Folded) -> Result<Value, Error> {
        let application = match record.kind {
            Kind::Application => Some(record.clone()),
            _ => application_of(tx, context, record)?,
        };
        let of = application.as_ref().unwrap_or(record);
        let lines = if of.kind == Kind::Application {
            let around = self.events_around(tx, context, of)?;
            self.delivered_lines(tx, context, &around)?
        } else {
            let places = store::story::of_record(tx, context.tenant(), of.id, MOST)?;
            let mut told = Vec::new();
            for (_, body) in store::event::at(tx, &places)? {
                let masked = self.0.renderer.tell_event(context, &body);
                told.push(story::line(&super::story::value(&masked)?));
            }
            told
        };
        Ok(story::without_nulls(json!({
            "resourceType": of.kind.type_name(),
            "id": of.id.to_string(),
            "events": lines,
        })))
    }
}

/// The application that a record hangs on.
fn application_of(
    tx: &mut Tx<'_>,
    context: &Context,
    record: &Folded,
) -> Result<Option<Folded>, Error> {
    let id = text(&record.leaves, "application.value").and_then(|id| id.parse().ok());
    match id {
        Some(id) => Ok(store::record::find(tx, context.tenant(), id)?),
        None => Ok(None),
    }
}
