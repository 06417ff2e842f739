//! Models of matching that were trained for a tenant. A version is never changed: to train again is a new one.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;

use super::schema::matching_model;
use super::sql_types::{instant, micros};
use super::{Error, Tx, event};
use crate::domain::event::Event;
use crate::domain::matching::Reference;
use crate::id::TenantId;

/// A version of a model, without its weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: String,
    /// Its number, from 1.
    pub version: i64,
    /// When it was stored.
    pub created: DateTime<Utc>,
    /// By whom.
    pub actor: String,
}

/// The number of the newest version of that name; 0 if there is none.
pub fn newest(tx: &mut Tx<'_>, tenant: TenantId, name: &str) -> Result<i64, Error> {
    let number: Option<i64> = matching_model::table
        .filter(matching_model::tenant.eq(tenant.0))
        .filter(matching_model::name.eq(name))
        .select(max(matching_model::version))
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(number.unwrap_or(0))
}

/// Keeps a version, with the event that explains it. Who stores the same number at the same time loses.
pub fn insert(tx: &mut Tx<'_>, new: &Stored, body: &str, event: Event) -> Result<(), Error> {
    let values = (
        matching_model::tenant.eq(event.tenant.0),
        matching_model::name.eq(&new.name),
        matching_model::version.eq(new.version),
        matching_model::created.eq(micros(new.created)),
        matching_model::actor.eq(&new.actor),
        matching_model::body.eq(body),
    );
    diesel::insert_into(matching_model::table)
        .values(values)
        .execute(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::insert(tx, event, None)
}

/// The weights of the model that was meant at that time: of a name without a version the newest that there was.
pub fn find(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    meant: &Reference,
    at: DateTime<Utc>,
) -> Result<Option<String>, Error> {
    let mut target = matching_model::table
        .filter(matching_model::tenant.eq(tenant.0))
        .filter(matching_model::name.eq(&meant.name))
        .filter(matching_model::created.le(micros(at)))
        .order(matching_model::version.desc())
        .limit(1)
        .select(matching_model::body)
        .into_boxed();
    if let Some(version) = meant.version {
        target = target.filter(matching_model::version.eq(version));
    }
    target
        .get_result(tx.db())
        .optional()
        .map_err(|error| tx.explain(error))
}

/// All versions of all models of a tenant, by name, the newest first.
pub fn list(tx: &mut Tx<'_>, tenant: TenantId) -> Result<Vec<Stored>, Error> {
    let rows: Vec<(String, i64, i64, String)> = matching_model::table
        .filter(matching_model::tenant.eq(tenant.0))
        .order((matching_model::name, matching_model::version.desc()))
        .select((
            matching_model::name,
            matching_model::version,
            matching_model::created,
            matching_model::actor,
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let rows = rows.into_iter();
    Ok(rows
        .map(|(name, version, created, actor)| Stored {
            name,
            version,
            created: instant(created),
            actor,
        })
        .collect())
}
