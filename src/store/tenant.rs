//! Tenants by name.

use diesel::prelude::*;

use super::db::on_both;
use super::schema::tenant;
use super::{Error, Tx, key};
use crate::id::TenantId;

/// The number of the tenant named `name`, made if it is new, and with it the tenant's key.
pub fn claim(tx: &mut Tx<'_>, name: &str) -> Result<TenantId, Error> {
    on_both!(tx.db(), connection => diesel::insert_into(tenant::table)
        .values(tenant::name.eq(name))
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    let id = tenant::table
        .filter(tenant::name.eq(name))
        .select(tenant::id)
        .first(tx.db());
    let id = id.map(TenantId).map_err(|error| tx.explain(error))?;
    key::claim(tx, id)?;
    Ok(id)
}

/// The number of the tenant of that name, if there is one.
pub fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<TenantId>, Error> {
    let id = tenant::table
        .filter(tenant::name.eq(name))
        .select(tenant::id)
        .first(tx.db());
    let id = id.optional().map_err(|error| tx.explain(error))?;
    Ok(id.map(TenantId))
}

/// How many tenants there are.
pub fn count(tx: &mut Tx<'_>) -> Result<i64, Error> {
    tenant::table
        .count()
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}
