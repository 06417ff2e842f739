//! Of whom a system is held to speak, page by page.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::schema::{resource, source_record};
use super::sql_types::uuid;
use super::{Error, Tx};
use crate::domain::record::Kind;
use crate::id::{ResourceId, TenantId};

/// How many stand on a page.
const PAGE: i64 = 1000;

/// A person of whom a system speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The number of its source record.
    pub row: i64,
    /// The system's own id, if it gave one.
    pub external_id: Option<String>,
    /// The person.
    pub person: ResourceId,
    /// Whether no other system speaks of them.
    pub is_alone: bool,
}

/// The persons of whom `system` speaks, by the number of its source record, those after `after`; none at the end.
pub fn list(
    tx: &mut Tx<'_>,
    (tenant, system): (TenantId, &str),
    after: i64,
) -> Result<Vec<Held>, Error> {
    let rows: Vec<(i64, Option<String>, i64, Vec<u8>)> = source_record::table
        .inner_join(resource::table.on(resource::id.eq(source_record::resource)))
        .filter(source_record::id.gt(after))
        .filter(source_record::system.eq(system))
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::kind.eq(Kind::Person.number()))
        .order(source_record::id)
        .limit(PAGE)
        .select((
            source_record::id,
            source_record::external_id,
            source_record::resource,
            resource::uuid,
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let numbers: Vec<i64> = rows.iter().map(|(_, _, record, _)| *record).collect();
    let shared: Vec<i64> = source_record::table
        .filter(source_record::resource.eq_any(numbers))
        .filter(source_record::system.ne(system))
        .select(source_record::resource)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let shared: BTreeSet<i64> = shared.into_iter().collect();
    let held = |(row, external_id, record, id): (i64, _, i64, Vec<u8>)| Held {
        row,
        external_id,
        person: ResourceId(uuid(&id)),
        is_alone: !shared.contains(&record),
    };
    Ok(rows.into_iter().map(held).collect())
}
