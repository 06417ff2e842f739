//! Who holds the values of a join key: counted where they stand, so that however many there are, none but counts and the names of
//! systems and fields come back; addresses come page by page, for what they look like.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::db::on_both;
use super::schema::{attribute_index, blind_index};
use super::sql_nodes::Fragment;
use super::{Error, Tx, attribute_path};
use crate::domain::matching::inventory::Counts;
use crate::domain::record::Kind;
use crate::id::TenantId;

type Shares = (Text, Text, BigInt, BigInt, BigInt, BigInt);

/// The counts of the values that stand together at `paths`, in one element of a record. The first `labels` of the paths, at most
/// two, part them into keys of their own, by whose texts they are named (without one, the name is empty).
/// `records` counts a record once for each different value that it holds: see [`holders`].
pub fn shares(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    paths: &[&str],
    labels: usize,
) -> Result<Vec<([String; 2], Counts)>, Error> {
    let mut numbers = Vec::with_capacity(paths.len());
    for path in paths {
        match attribute_path::find(tx, tenant, kind, path)? {
            Some(number) => numbers.push(number),
            None => return Ok(Vec::new()),
        }
    }
    let mut query = Fragment::<Shares>::new();
    query.sql(
        "SELECT one, other, CAST(sum(n) AS BIGINT), count(*), count(CASE WHEN n > 1 THEN 1 END), max(n) FROM (SELECT ",
    );
    for (place, name) in ["one", "other"].iter().enumerate() {
        let label = if place < labels {
            format!("a{place}.value AS {name}, ")
        } else {
            format!("'' AS {name}, ")
        };
        query.sql(&label);
    }
    query.sql("count(DISTINCT a0.resource) AS n FROM attribute_index a0");
    for (place, number) in numbers.iter().enumerate().skip(1) {
        query.sql(&format!(
            " JOIN attribute_index a{place} ON a{place}.resource = a0.resource AND a{place}.element = a0.element \
             AND a{place}.path = {number}"
        ));
    }
    query.sql(&format!(" WHERE a0.path = {}", numbers[0]));
    // Of what the policy marks as secret the index has no values.
    for place in 0..numbers.len() {
        query.sql(&format!(" AND a{place}.value <> ''"));
    }
    query.sql(" GROUP BY ");
    for place in 0..numbers.len() {
        let comma = if place == 0 { "" } else { ", " };
        query.sql(&format!("{comma}a{place}.value"));
    }
    query.sql(") held GROUP BY one, other");
    let query = query.whole::<Shares>();
    let rows: Vec<(String, String, i64, i64, i64, i64)> =
        on_both!(tx.db(), connection => query.load(connection))
            .map_err(|error| tx.explain(error))?;
    let row = |(one, other, records, values, shared, largest)| {
        ([one, other], counts([records, values, shared, largest]))
    };
    Ok(rows.into_iter().map(row).collect())
}

fn counts([records, values, shared, largest]: [i64; 4]) -> Counts {
    let size = |count| usize::try_from(count).unwrap_or(0);
    Counts {
        records: size(records),
        values: size(values),
        shared: size(shared),
        largest: size(largest),
    }
}

/// How many records hold anything at a path.
pub fn holders(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
) -> Result<usize, Error> {
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(0);
    };
    let count: i64 = attribute_index::table
        .filter(attribute_index::path.eq(path))
        .select(diesel::dsl::count(attribute_index::resource).aggregate_distinct())
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(counts([count, 0, 0, 0]).records)
}

/// The counts of what stands in the blind index for the secrets at a path. A secret stands there once for each way to ask for it.
pub fn blind(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
) -> Result<Counts, Error> {
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(Counts::default());
    };
    let records: i64 = blind_index::table
        .filter(blind_index::path.eq(path))
        .select(diesel::dsl::count(blind_index::resource).aggregate_distinct())
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))?;
    let mut query = Fragment::<(BigInt, BigInt, BigInt)>::new();
    query.sql(&format!(
        "SELECT count(*), count(CASE WHEN n > 1 THEN 1 END), coalesce(max(n), 0) FROM \
         (SELECT count(*) AS n FROM blind_index WHERE path = {path} GROUP BY value) held"
    ));
    let query = query.whole::<(BigInt, BigInt, BigInt)>();
    let (values, shared, largest): (i64, i64, i64) =
        on_both!(tx.db(), connection => query.get_result(connection))
            .map_err(|error| tx.explain(error))?;
    Ok(counts([records, values, shared, largest]))
}

/// The different values at a path that come after one, at most `limit`, in their order.
pub fn values_after(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
    (after, limit): (&str, i64),
) -> Result<Vec<String>, Error> {
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(Vec::new());
    };
    attribute_index::table
        .filter(attribute_index::path.eq(path))
        .filter(attribute_index::value.gt(after))
        .select(attribute_index::value)
        .distinct()
        .order(attribute_index::value)
        .limit(limit)
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}
