//! Who holds a value that another has beside them, of whom its writer may not know (design §6), until a human is asked.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::db::on_both;
use super::schema::withheld;
use super::sql_types::{key, micros, uuid};
use super::{Error, Tx};
use crate::id::{ResourceId, TenantId};

/// Of one record and another, and whose word it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Which has the value beside its holder.
    pub subject: ResourceId,
    /// Which holds it.
    pub holder: ResourceId,
    /// The system that said it.
    pub system: String,
}

/// Notes it, if it is not noted.
pub fn insert(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    new: &Withheld,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let values = (
        withheld::tenant.eq(tenant.0),
        withheld::subject.eq(key(new.subject.0)),
        withheld::holder.eq(key(new.holder.0)),
        withheld::system.eq(&new.system),
        withheld::noted.eq(micros(now)),
    );
    on_both!(tx.db(), connection => diesel::insert_into(withheld::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(connection))
    .map(drop)
    .map_err(|error| tx.explain(error))
}

/// At most `limit` that were noted before.
pub fn list(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<Vec<Withheld>, Error> {
    let rows: Vec<(Vec<u8>, Vec<u8>, String)> = withheld::table
        .filter(withheld::tenant.eq(tenant.0))
        .filter(withheld::noted.lt(micros(before)))
        .select((withheld::subject, withheld::holder, withheld::system))
        .limit(limit)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let read = |(subject, holder, system): (Vec<u8>, Vec<u8>, String)| Withheld {
        subject: ResourceId(uuid(&subject)),
        holder: ResourceId(uuid(&holder)),
        system,
    };
    Ok(rows.into_iter().map(read).collect())
}

/// Forgets it.
pub fn delete(tx: &mut Tx<'_>, tenant: TenantId, known: &Withheld) -> Result<(), Error> {
    let (subject, holder) = (key(known.subject.0), key(known.holder.0));
    diesel::delete(withheld::table.find((tenant.0, subject, holder, &known.system)))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}
