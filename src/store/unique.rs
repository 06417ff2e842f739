//! Values that one record of a tenant holds alone, and the records that have such a value beside its holder, of whom their writer
//! may not know (design §6).

use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text};

use super::db::{Db, on_both};
use super::schema::{unique_beside, unique_value};
use super::{Error, Tx, attribute_path};
use crate::domain::index::Unique;
use crate::domain::record::Kind;
use crate::id::TenantId;

/// The numbers of the records that hold these values, in their order; nothing where nobody does.
pub fn holders(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    values: &[&Unique],
) -> Result<Vec<Option<i64>>, Error> {
    let mut paths = Vec::with_capacity(values.len());
    for unique in values {
        paths.push(attribute_path::find(tx, tenant, kind, &unique.path)?);
    }
    let mut found = vec![None; values.len()];
    let mut asked = paths.iter().zip(values);
    let is_free = |(path, unique): (&Option<i32>, &&Unique)| {
        path.is_none_or(|path| tx.gathered.is_unheld(path, &unique.value))
    };
    if asked.all(is_free) {
        return Ok(found);
    }
    let given = || {
        paths
            .iter()
            .zip(values)
            .map(|(path, unique)| (*path, &*unique.value))
    };
    let loaded = match tx.looking() {
        // Each by a statement that stays prepared, ...
        Db::Sqlite(connection) => given()
            .zip(&mut found)
            .try_for_each(|((path, value), found)| {
                let Some(path) = path else { return Ok(()) };
                let target = unique_value::table.find((tenant.0, path, value));
                let holder = target.select(unique_value::resource).get_result(connection);
                *found = holder.optional()?;
                Ok(())
            }),
        // ... or all in one round trip.
        Db::Postgres(connection) => Holders {
            tenant: tenant.0,
            paths: &paths,
            values: given().map(|(_, value)| value).collect(),
        }
        .load::<(i64, i64)>(connection)
        .map(|rows| {
            for (place, row) in rows {
                let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
                if let Some(found) = found.get_mut(place) {
                    *found = Some(row);
                }
            }
        }),
    };
    loaded.map_err(|error| tx.explain(error))?;
    Ok(found)
}

/// The numbers of the records that have one of these values beside its holder.
pub fn beside(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    values: &[&Unique],
) -> Result<Vec<i64>, Error> {
    let mut found = Vec::new();
    for unique in values {
        let Some(path) = attribute_path::find(tx, tenant, kind, &unique.path)? else {
            continue;
        };
        let rows: Vec<i64> = unique_beside::table
            .filter(unique_beside::tenant.eq(tenant.0))
            .filter(unique_beside::path.eq(path))
            .filter(unique_beside::value.eq(&unique.value))
            .select(unique_beside::resource)
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Whoever has stood longest beside a holder that is no more holds the value now; how many.
pub fn promote(tx: &mut Tx<'_>, tenant: TenantId) -> Result<usize, Error> {
    let waiting: Vec<(i32, String, i64)> = unique_beside::table
        .filter(unique_beside::tenant.eq(tenant.0))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            unique_value::table
                .filter(unique_value::tenant.eq(unique_beside::tenant))
                .filter(unique_value::path.eq(unique_beside::path))
                .filter(unique_value::value.eq(unique_beside::value)),
        )))
        .order(unique_beside::resource)
        .select((
            unique_beside::path,
            unique_beside::value,
            unique_beside::resource,
        ))
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let mut promoted = 0;
    for (path, value, resource) in waiting {
        let values = (
            unique_value::tenant.eq(tenant.0),
            unique_value::path.eq(path),
            unique_value::value.eq(&value),
            unique_value::resource.eq(resource),
        );
        let made = on_both!(tx.db(), connection => diesel::insert_into(unique_value::table)
            .values(values)
            .on_conflict_do_nothing()
            .execute(connection))
        .map_err(|error| tx.explain(error))?;
        if made == 1 {
            let target = unique_beside::table.find((tenant.0, path, &value, resource));
            diesel::delete(target)
                .execute(tx.db())
                .map_err(|error| tx.explain(error))?;
            promoted += 1;
        }
    }
    Ok(promoted)
}

/// The first of these values that a record other than `but` holds, and its number.
pub fn taken<'u>(
    tx: &mut Tx<'_>,
    tenant: TenantId,
    kind: Kind,
    values: &[&'u Unique],
    but: Option<i64>,
) -> Result<Option<(&'u Unique, i64)>, Error> {
    let holders = holders(tx, tenant, kind, values)?;
    let mut held = values
        .iter()
        .zip(holders)
        .filter_map(|(unique, holder)| Some((*unique, holder?)));
    Ok(held.find(|(_, holder)| Some(*holder) != but))
}

/// The place, from 1, and the holder of each of these values that is held.
struct Holders<'a> {
    tenant: i32,
    paths: &'a [Option<i32>],
    /// The value for each of `paths`.
    values: Vec<&'a str>,
}

impl QueryFragment<Pg> for Holders<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT given.place, held.resource FROM unnest(");
        out.push_bind_param::<Array<Nullable<Integer>>, _>(self.paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.values)?;
        out.push_sql(
            ") WITH ORDINALITY AS given (path, value, place) CROSS JOIN LATERAL \
             (SELECT u.resource FROM unique_value u WHERE u.path = given.path AND u.value = given.value AND u.tenant = ",
        );
        out.push_bind_param::<Integer, _>(&self.tenant)?;
        // The limit keeps it a look at the key for each: a plan made while the table was small would read all of it.
        out.push_sql(" LIMIT 1) held");
        Ok(())
    }
}

impl Query for Holders<'_> {
    type SqlType = (BigInt, BigInt);
}
impl QueryId for Holders<'_> {
    type QueryId = Holders<'static>;
}
impl RunQueryDsl<PgConnection> for Holders<'_> {}
