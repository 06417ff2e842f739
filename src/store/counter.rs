//! How many records there are, kept exact by the transactions that make and delete them: an unfiltered total costs the
//! same however many they are (design §5).

use std::hash::{DefaultHasher, Hash, Hasher};

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Integer, SmallInt};

use super::db::{Dialect, on_both};
use super::schema::record_count;
use super::{Error, Tx};
use crate::domain::record::Kind;
use crate::id::TenantId;

/// What is counted by itself: the records of a tenant and a kind, with and without an account.
pub(super) type Counted = (i32, i16, bool);

/// How many rows share a number on PostgreSQL. A transaction counts in that of its thread, which has a connection of its
/// own, so that parallel creates seldom wait for each other.
const SHARDS: u64 = 16;

fn shard(dialect: Dialect) -> i16 {
    if dialect == Dialect::Sqlite {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    std::thread::current().id().hash(&mut hasher);
    i16::try_from(hasher.finish() % SHARDS).unwrap_or(0)
}

/// Notes that there are `by` more such records, once the transaction commits.
pub(super) fn count(tx: &mut Tx<'_>, tenant: TenantId, kind: Kind, account: bool, by: i64) {
    *tx.counted
        .entry((tenant.0, kind.number(), account))
        .or_default() += by;
}

/// Writes what was counted: the last thing before a commit.
pub(super) fn settle(tx: &mut Tx<'_>) -> Result<(), Error> {
    let shard = shard(tx.dialect());
    for ((tenant, kind, account), by) in std::mem::take(&mut tx.counted) {
        if by == 0 {
            continue;
        }
        let more = More {
            tenant,
            kind,
            account,
            shard,
            by,
        };
        on_both!(tx.db(), connection => more.execute(connection))
            .map_err(|error| tx.explain(error))?;
    }
    Ok(())
}

/// Counts so many more, in a row that is made if there is none. (Written out: diesel's own upsert is prepared anew each
/// time.)
struct More {
    tenant: i32,
    kind: i16,
    account: bool,
    shard: i16,
    by: i64,
}

impl<DB> QueryFragment<DB> for More
where
    DB: Backend
        + HasSqlType<Integer>
        + HasSqlType<SmallInt>
        + HasSqlType<Bool>
        + HasSqlType<BigInt>,
    i32: ToSql<Integer, DB>,
    i16: ToSql<SmallInt, DB>,
    bool: ToSql<Bool, DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("INSERT INTO record_count (tenant, kind, account, shard, n) VALUES (");
        out.push_bind_param::<Integer, _>(&self.tenant)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&self.kind)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&self.account)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&self.shard)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.by)?;
        out.push_sql(
            ") ON CONFLICT (tenant, kind, account, shard) DO UPDATE SET n = record_count.n + excluded.n",
        );
        Ok(())
    }
}

impl QueryId for More {
    type QueryId = Self;
}
impl<C> RunQueryDsl<C> for More {}

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
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(counts.iter().sum())
}
