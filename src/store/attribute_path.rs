//! Interned attribute paths: a number stands for tenant, kind of record and name.

use diesel::prelude::*;

use super::db::on_both;
use super::schema::attribute_path;
use super::{Error, Tx};
use crate::domain::record::Kind;
use crate::id::TenantId;

/// The number of a path, or none if no record has ever had it.
pub(super) fn find(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    name: &str,
) -> Result<Option<i32>, Error> {
    let key = (tenant.0, kind.number(), name.to_owned());
    if let Some(id) = tx.known_path(&key) {
        return Ok(Some(id));
    }
    let found = attribute_path::table
        .filter(attribute_path::tenant.eq(key.0))
        .filter(attribute_path::kind.eq(key.1))
        .filter(attribute_path::name.eq(name))
        .select(attribute_path::id)
        .get_result::<i32>(tx.beside())
        .optional()
        .map_err(|error| tx.explain(error))?;
    if let Some(id) = found {
        tx.learn_path(key, id);
    }
    Ok(found)
}

/// The number of a path, given to it now if it has none.
pub(super) fn claim(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    name: &str,
) -> Result<i32, Error> {
    if let Some(id) = find(tx, tenant, kind, name)? {
        return Ok(id);
    }
    let values = (
        attribute_path::tenant.eq(tenant.0),
        attribute_path::kind.eq(kind.number()),
        attribute_path::name.eq(name),
    );
    // Of several that claim a new path at once, the first decides; the others wait for it and read its number.
    on_both!(tx.beside(), connection => diesel::insert_into(attribute_path::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    find(tx, tenant, kind, name)?
        .ok_or_else(|| Error::Fault(format!("the path {name} was not kept")))
}

/// The paths of a kind that begin so, of those that any record has ever had.
pub(super) fn beginning(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    start: &str,
) -> Result<Vec<String>, Error> {
    let all: Vec<String> = attribute_path::table
        .filter(attribute_path::tenant.eq(tenant.0))
        .filter(attribute_path::kind.eq(kind.number()))
        .select(attribute_path::name)
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(all
        .into_iter()
        .filter(|name| name.starts_with(start))
        .collect())
}
