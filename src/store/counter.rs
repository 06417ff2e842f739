//! How many records there are, kept exact by the transactions that make and delete them: an unfiltered total costs the
//! same however many they are (design §5).

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, SmallInt};

use super::db::{Dialect, on_both};
use super::schema::record_count;
use super::{Error, Tx};
use crate::domain::record::Kind;
use crate::id::TenantId;

/// What is counted by itself: the records of a tenant and a kind, with and without an account.
pub(super) type Counted = (i32, i16, bool);

/// How many rows share a number on PostgreSQL. A transaction counts in that of its connection, so that parallel creates
/// seldom wait for each other.
const SHARDS: i16 = 16;

/// Notes that there are `by` more such records, once the transaction commits.
pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId, kind: Kind, account: bool, by: i64) {
    *tx.counted
        .entry((tenant.0, kind.number(), account))
        .or_default() += by;
}

/// Writes what was counted: the last thing before a commit.
pub(super) fn settle(tx: &mut Tx<'_>) -> Result<(), Error> {
    let shard = match tx.dialect() {
        Dialect::Sqlite => "0".to_owned(),
        Dialect::Postgres => format!("CAST(pg_backend_pid() % {SHARDS} AS SMALLINT)"),
    };
    let sql = |parameters: [&str; 4]| {
        let [tenant, kind, account, by] = parameters;
        format!(
            "INSERT INTO record_count (tenant, kind, account, shard, n) \
             VALUES ({tenant}, {kind}, {account}, {shard}, {by}) \
             ON CONFLICT (tenant, kind, account, shard) DO UPDATE SET n = record_count.n + excluded.n"
        )
    };
    let sql = match tx.dialect() {
        Dialect::Sqlite => sql(["?", "?", "?", "?"]),
        Dialect::Postgres => sql(["$1", "$2", "$3", "$4"]),
    };
    for ((tenant, kind, account), by) in std::mem::take(&mut tx.counted) {
        if by == 0 {
            continue;
        }
        let statement = || {
            diesel::sql_query(&sql)
                .bind::<Integer, _>(tenant)
                .bind::<SmallInt, _>(kind)
                .bind::<Bool, _>(account)
                .bind::<BigInt, _>(by)
        };
        on_both!(&mut *tx.db, connection => statement().execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// How many records of a kind a tenant has; only those with or without an account if that is said.
pub(super) fn total(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    account: Option<bool>,
) -> Result<i64, Error> {
    let accounts: &[bool] = match account {
        None => &[false, true],
        Some(true) => &[true],
        Some(false) => &[false],
    };
    let counts: Vec<i64> = record_count::table
        .filter(record_count::tenant.eq(tenant.0))
        .filter(record_count::kind.eq(kind.number()))
        .filter(record_count::account.eq_any(accounts.to_vec()))
        .select(record_count::n)
        .load(tx.db)
        .map_err(|error| tx.explain(error))?;
    Ok(counts.iter().sum())
}
