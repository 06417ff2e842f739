//! How many leavers each client has made lately: a row for each client and kind of act, held by whoever counts in it, so that
//! the count is exact however many write at once.

use diesel::prelude::*;

use super::db::{Db, on_both};
use super::schema::brake;
use super::{Error, Tx, counter};
use crate::domain::brake::{Act, Tally};
use crate::domain::record::Kind;
use crate::id::TenantId;

/// Whose acts are counted, and which.
pub type Counted<'a> = (TenantId, &'a str, Act);

/// What a client has done lately, held until the transaction ends. On SQLite there is one writer anyway.
pub fn claim(tx: &mut Tx<'_>, of: Counted<'_>) -> Result<Tally, Error> {
    if let Some(known) = find(tx, of)? {
        return Ok(known);
    }
    let (tenant, client, act) = of;
    let fresh = Tally::default();
    let values = (
        brake::tenant.eq(tenant.0),
        brake::client.eq(client),
        brake::act.eq(act.word()),
        brake::state.eq(serde_json::to_string(&fresh)?),
    );
    on_both!(tx.db(), connection => diesel::insert_into(brake::table)
        .values(values)
        .on_conflict_do_nothing()
        .execute(connection))
    .map_err(|error| tx.explain(error))?;
    // Somebody may have been faster, and counted already.
    Ok(find(tx, of)?.unwrap_or(fresh))
}

fn find(tx: &mut Tx<'_>, (tenant, client, act): Counted<'_>) -> Result<Option<Tally>, Error> {
    let target = brake::table
        .find((tenant.0, client, act.word()))
        .select(brake::state);
    let state: Result<String, _> = match tx.db() {
        Db::Sqlite(connection) => target.get_result(connection),
        Db::Postgres(connection) => target.for_no_key_update().get_result(connection),
    };
    let state = state.optional().map_err(|error| tx.explain(error))?;
    let tally = state.map(|state| serde_json::from_str(&state)).transpose();
    Ok(tally?)
}

/// Keeps what a client has done, as it was claimed and counted on.
pub fn update(
    tx: &mut Tx<'_>,
    (tenant, client, act): Counted<'_>,
    tally: &Tally,
) -> Result<(), Error> {
    let target = brake::table.find((tenant.0, client, act.word()));
    diesel::update(target)
        .set(brake::state.eq(serde_json::to_string(tally)?))
        .execute(tx.db())
        .map(drop)
        .map_err(|error| tx.explain(error))
}

/// How many persons a tenant has, all of them or those with an account.
pub fn population(tx: &mut Tx<'_>, tenant: TenantId, accounts: bool) -> Result<u64, Error> {
    let accounts = accounts.then_some(true);
    let settled = counter::total(tx, tenant, Kind::Person, accounts)?;
    let here: i64 = [false, true]
        .into_iter()
        .filter(|account| accounts.is_none_or(|wanted| wanted == *account))
        .filter_map(|account| tx.counted.get(&(tenant.0, Kind::Person.number(), account)))
        .sum();
    Ok(u64::try_from(settled + here).unwrap_or(0))
}
