//! What figures are made of, counted by index: events by type and time, records by when they were made or by a time that they
//! tell. What it costs goes with the period, and not with the population.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::db::on_both;
use super::schema::{attribute_index, event, resource};
use super::sql_nodes::Fragment;
use super::sql_types::{key as bytes, micros, uuid};
use super::values::BATCH;
use super::{Error, Tx, attribute_path, counter};
use crate::domain::kpi::Period;
use crate::domain::record::Kind;
use crate::id::{EventId, ResourceId, TenantId};
use crate::scim::comparable::instant;

/// A record: its number, its id, and when it was made in microseconds since 1970.
pub type Row = (i64, ResourceId, i64);

/// Open reviews of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The kind, in lower case.
    pub kind: String,
    /// How many.
    pub count: i64,
    /// How many of them were to be decided by now.
    pub overdue: i64,
}

/// How many events of each type; of one client, if that is said.
pub fn counts(
    tx: &mut Tx<'_>,
    (tenant, period): (TenantId, Period),
    types: &[&str],
    client: Option<&str>,
) -> Result<BTreeMap<String, i64>, Error> {
    let mut query = Fragment::<(Text, BigInt)>::new();
    query.sql("SELECT type, count(*) FROM event WHERE ");
    of_types(&mut query, (tenant, period), types);
    if let Some(client) = client {
        query.sql(" AND client = ").text(client);
    }
    query.sql(" GROUP BY type");
    let query = query.whole::<(Text, BigInt)>();
    let rows: Vec<(String, i64)> = on_both!(tx.db(), connection => query.load(connection))
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().collect())
}

/// When each event of these types was, in microseconds since 1970.
pub fn instants(
    tx: &mut Tx<'_>,
    of: (TenantId, Period),
    types: &[&str],
) -> Result<Vec<i64>, Error> {
    let mut query = Fragment::<BigInt>::new();
    query.sql("SELECT recorded FROM event WHERE ");
    of_types(&mut query, of, types);
    query
        .whole::<BigInt>()
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

fn of_types<ST>(query: &mut Fragment<ST>, (tenant, period): (TenantId, Period), types: &[&str]) {
    query.sql(&format!("tenant = {} AND type IN (", tenant.0));
    for (n, word) in types.iter().enumerate() {
        query.sql(if n > 0 { ", " } else { "" }).text(*word);
    }
    query.sql(") AND recorded >= ").number(micros(period.from));
    query.sql(" AND recorded < ").number(micros(period.to));
}

/// How many events of a type there are that belong to an application, and of how many applications.
pub fn repeats(tx: &mut Tx<'_>, of: (TenantId, Period), word: &str) -> Result<(i64, i64), Error> {
    let mut query = Fragment::<(BigInt, BigInt)>::new();
    query.sql("SELECT count(application), count(DISTINCT application) FROM event WHERE ");
    of_types(&mut query, of, &[word]);
    let query = query.whole::<(BigInt, BigInt)>();
    on_both!(tx.db(), connection => query.get_result(connection)).map_err(|error| tx.explain(error))
}

/// For each verification: when it was recorded, and when its application's status or satisfied tier next changed, if it has.
pub fn answered(tx: &mut Tx<'_>, of: (TenantId, Period)) -> Result<Vec<(i64, Option<i64>)>, Error> {
    let mut query = Fragment::<(BigInt, Nullable<BigInt>)>::new();
    // In the order of insertion what comes next is what is recorded next, and the walk ends at the first.
    query.sql(
        "SELECT v.recorded, (SELECT a.recorded FROM event a WHERE a.tenant = v.tenant AND a.application = v.application \
         AND a.seq > v.seq AND a.type = 'application.updated' AND (a.attributes LIKE '% status %' \
         OR a.attributes LIKE '% satisfiedVerificationTier %') ORDER BY a.seq LIMIT 1) \
         FROM (SELECT * FROM event WHERE application IS NOT NULL AND ",
    );
    of_types(&mut query, of, &["verification.created"]);
    query.sql(") v");
    let query = query.whole::<(BigInt, Nullable<BigInt>)>();
    on_both!(tx.db(), connection => query.load(connection)).map_err(|error| tx.explain(error))
}

/// How many source records of systems other than `own` first spoke of a person who was known before.
pub fn joined(
    tx: &mut Tx<'_>,
    (tenant, period): (TenantId, Period),
    own: &str,
) -> Result<i64, Error> {
    let mut query = Fragment::<BigInt>::new();
    query.sql("SELECT count(*) FROM source_record s JOIN resource h ON h.id = s.resource WHERE ");
    query
        .sql("s.first_seen >= ")
        .number(micros(period.from))
        .sql(" AND s.first_seen < ")
        .number(micros(period.to))
        .sql(" AND s.system <> ")
        .text(own)
        // Of somebody who has been merged into another the first event tells since when they were known.
        .sql(&format!(
            " AND h.tenant = {} AND h.kind = {} AND s.first_seen > coalesce(\
             (SELECT r.created FROM resource r WHERE r.id = s.origin), \
             (SELECT e.recorded FROM alias a JOIN event e ON e.tenant = a.tenant AND e.resource = a.uuid AND e.version = 1 \
              WHERE a.survivor = s.resource AND a.origin = s.origin LIMIT 1))",
            tenant.0,
            Kind::Person.number()
        ));
    query
        .whole::<BigInt>()
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The records of a kind that were made in the period.
pub fn made(
    tx: &mut Tx<'_>,
    (tenant, period): (TenantId, Period),
    kind: Kind,
) -> Result<Vec<Row>, Error> {
    let rows: Vec<(i64, Vec<u8>, i64)> = resource::table
        .filter(resource::tenant.eq(tenant.0))
        .filter(resource::kind.eq(kind.number()))
        .filter(resource::created.ge(micros(period.from)))
        .filter(resource::created.lt(micros(period.to)))
        .select((resource::id, resource::uuid, resource::created))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    Ok(rows.into_iter().map(row).collect())
}

/// The records of these ids, by id.
pub fn named(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[ResourceId],
) -> Result<HashMap<ResourceId, Row>, Error> {
    let mut found = HashMap::new();
    for ids in ids.chunks(BATCH) {
        let ids: Vec<Vec<u8>> = ids.iter().map(|id| bytes(id.0)).collect();
        let rows: Vec<(i64, Vec<u8>, i64)> = resource::table
            .filter(resource::tenant.eq(tenant.0))
            .filter(resource::uuid.eq_any(ids))
            .select((resource::id, resource::uuid, resource::created))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(rows.into_iter().map(row).map(|row| (row.1, row)));
    }
    Ok(found)
}

fn row((number, id, created): (i64, Vec<u8>, i64)) -> Row {
    (number, ResourceId(uuid(&id)), created)
}

/// When each of these records was made, in microseconds since 1970, by number.
pub fn created(tx: &mut Tx<'_>, rows: &[i64]) -> Result<HashMap<i64, i64>, Error> {
    let mut found = HashMap::new();
    for rows in rows.chunks(BATCH) {
        let some: Vec<(i64, i64)> = resource::table
            .filter(resource::id.eq_any(rows.to_vec()))
            .select((resource::id, resource::created))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(some);
    }
    Ok(found)
}

/// The records of a kind whose value at a path, as comparable text, is from `low` on and below `high`: number and value.
pub fn between(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
    (low, high): (&str, &str),
) -> Result<Vec<(i64, String)>, Error> {
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(Vec::new());
    };
    attribute_index::table
        .filter(attribute_index::path.eq(path))
        .filter(attribute_index::value.ge(low))
        .filter(attribute_index::value.lt(high))
        .select((attribute_index::resource, attribute_index::value))
        .load(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The values of these records at a single-valued path, as comparable texts, by the record's number.
pub fn values(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
    rows: &[i64],
) -> Result<HashMap<i64, String>, Error> {
    let mut found = HashMap::new();
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(found);
    };
    for rows in rows.chunks(BATCH) {
        let some: Vec<(i64, String)> = attribute_index::table
            .filter(attribute_index::resource.eq_any(rows.to_vec()))
            .filter(attribute_index::path.eq(path))
            .select((attribute_index::resource, attribute_index::value))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(some);
    }
    Ok(found)
}

/// Which of these values some record of a kind has at a path.
pub fn held(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    path: &str,
    values: &[String],
) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::new();
    let Some(path) = attribute_path::find(tx, tenant, kind, path)? else {
        return Ok(found);
    };
    for values in values.chunks(BATCH) {
        let some: Vec<String> = attribute_index::table
            .filter(attribute_index::path.eq(path))
            .filter(attribute_index::value.eq_any(values.to_vec()))
            .select(attribute_index::value)
            .distinct()
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(some);
    }
    Ok(found)
}

/// The open reviews, by kind.
pub fn open_reviews(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<Open>, Error> {
    let mut path = |name| attribute_path::find(tx, tenant, Kind::Review, name);
    let (Some(status), Some(kind), Some(due)) = (path("status")?, path("kind")?, path("dueAt")?)
    else {
        return Ok(Vec::new());
    };
    let mut query = Fragment::<(Text, BigInt, BigInt)>::new();
    query
        .sql("SELECT k.value, count(*), count(CASE WHEN d.value < ")
        .text(instant(now))
        .sql(&format!(
            " THEN 1 END) FROM attribute_index s \
             JOIN attribute_index k ON k.resource = s.resource AND k.path = {kind} \
             JOIN attribute_index d ON d.resource = s.resource AND d.path = {due} \
             WHERE s.path = {status} AND s.value = 'open' GROUP BY k.value"
        ));
    let query = query.whole::<(Text, BigInt, BigInt)>();
    let rows: Vec<(String, i64, i64)> = on_both!(tx.db(), connection => query.load(connection))
        .map_err(|error| tx.explain(error))?;
    let open = |(kind, count, overdue)| Open {
        kind,
        count,
        overdue,
    };
    Ok(rows.into_iter().map(open).collect())
}

/// The numbers of at most `most` records of a kind, spread evenly over all that were ever made, and how many there are.
pub fn sample(
    tx: &mut Tx<'_>,
    (tenant, kind): (TenantId, Kind),
    most: i64,
) -> Result<(Vec<i64>, i64), Error> {
    let total = counter::total(tx, tenant, kind, None)?;
    let of_it = || {
        resource::table
            .filter(resource::tenant.eq(tenant.0))
            .filter(resource::kind.eq(kind.number()))
            .select(resource::id)
    };
    if total <= most {
        let all = of_it().order(resource::id).load(tx.db());
        return Ok((all.map_err(|error| tx.explain(error))?, total));
    }
    let mut end = |is_last: bool| {
        let found = if is_last {
            of_it().order(resource::id.desc()).first::<i64>(tx.db())
        } else {
            of_it().order(resource::id).first::<i64>(tx.db())
        };
        found.optional().map_err(|error| tx.explain(error))
    };
    let (Some(first), Some(last)) = (end(false)?, end(true)?) else {
        return Ok((Vec::new(), total));
    };
    let mut rows = Vec::new();
    for n in 0..most {
        let from = first + (last - first) / most * n;
        let next = of_it().filter(resource::id.ge(from)).order(resource::id);
        let next = next.first::<i64>(tx.db()).optional();
        rows.extend(next.map_err(|error| tx.explain(error))?);
    }
    rows.dedup();
    Ok((rows, total))
}

/// Which of these events are in the tenant's log.
pub fn logged(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    ids: &[EventId],
) -> Result<BTreeSet<EventId>, Error> {
    let mut found = BTreeSet::new();
    for ids in ids.chunks(BATCH) {
        let ids: Vec<Vec<u8>> = ids.iter().map(|id| bytes(id.0)).collect();
        let some: Vec<Vec<u8>> = event::table
            .filter(event::tenant.eq(tenant.0))
            .filter(event::id.eq_any(ids))
            .select(event::id)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(some.iter().map(|id| EventId(uuid(id))));
    }
    Ok(found)
}
