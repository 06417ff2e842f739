//! What creates that share a transaction share besides, on PostgreSQL: what each of them would ask is asked for all of them
//! at once, and what they write waits until it is written in one statement.
//!
//! Nobody sees the difference: [`Tx::db`] writes what waits before anything else is read or written, and forgets what was
//! asked ahead.

use std::collections::{HashMap, HashSet, VecDeque};

use diesel::PgConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Text};

use super::db::Db;
use super::newcomer::Newcomer;
use super::{Error, Tx, attribute_path};
use crate::domain::index::Unique;
use crate::domain::record::Kind;
use crate::id::TenantId;

/// What a create is going to ask: whether anybody has these values. Nothing is lost where it asks for others.
#[derive(Debug)]
pub struct Ahead {
    /// Of which tenant.
    pub tenant: TenantId,
    /// Of which kind of record.
    pub kind: Kind,
    /// As unique values.
    pub uniques: Vec<Unique>,
    /// As values of the index, by their path.
    pub values: Vec<(&'static str, String)>,
}

/// Values that nobody has, by their path.
#[derive(Default)]
struct Free(HashMap<i32, HashSet<String>>);

impl Free {
    fn has(&self, path: i32, value: &str) -> bool {
        self.0
            .get(&path)
            .is_some_and(|values| values.contains(value))
    }

    fn take(&mut self, path: i32, value: &str) {
        if let Some(values) = self.0.get_mut(&path) {
            values.remove(value);
        }
    }
}

/// What is known ahead, and what waits.
#[derive(Default)]
pub(super) struct Gathered {
    /// Numbers for new records.
    rows: VecDeque<i64>,
    /// Unique values that nobody holds, and values that no row of the index has.
    unheld: Free,
    unindexed: Free,
    /// Records that are made and not yet written.
    pub(super) waiting: Vec<Newcomer>,
}

impl Gathered {
    /// The number of the next new record, if any was taken ahead.
    pub(super) fn next_row(&mut self) -> Option<i64> {
        self.rows.pop_front()
    }

    /// Has a record wait.
    pub(super) fn wait(&mut self, newcomer: Newcomer) {
        for (path, value) in &newcomer.fresh.uniques {
            self.unheld.take(*path, value);
        }
        for (path, row) in newcomer.fresh.row_paths.iter().zip(&newcomer.fresh.rows) {
            self.unindexed.take(*path, &row.value);
        }
        self.waiting.push(newcomer);
    }

    /// Whether it is known that nobody holds this unique value.
    pub(super) fn is_unheld(&self, path: i32, value: &str) -> bool {
        self.unheld.has(path, value)
    }

    /// Whether it is known that no row of the index has this value.
    pub(super) fn is_unindexed(&self, path: i32, value: &str) -> bool {
        self.unindexed.has(path, value)
    }

    /// Something else has been done: who has which value is to be asked again.
    pub(super) fn forget(&mut self) {
        self.unheld.0.clear();
        self.unindexed.0.clear();
    }
}

/// Asks for all of these creates at once, and takes a number for each.
pub(super) fn ask(tx: &mut Tx<'_>, aheads: &[&Ahead]) -> Result<(), Error> {
    let mut asked = Asked {
        records: i64::try_from(aheads.len()).unwrap_or(0),
        ..Asked::default()
    };
    for ahead in aheads {
        for Unique { path, value } in &ahead.uniques {
            if let Some(path) = attribute_path::find(tx, ahead.tenant, ahead.kind, path)? {
                asked.tenants.push(ahead.tenant.0);
                asked.unique_paths.push(path);
                asked.uniques.push(value);
            }
        }
        for (path, value) in &ahead.values {
            if let Some(path) = attribute_path::find(tx, ahead.tenant, ahead.kind, path)? {
                asked.value_paths.push(path);
                asked.values.push(value);
            }
        }
    }
    let Db::Postgres(connection) = tx.beside() else {
        return Ok(());
    };
    let answers: Result<Vec<(i64, i64)>, _> = Question(&asked).load(connection);
    let answers = answers.map_err(|error| tx.explain(error))?;
    asked.learn(&answers, &mut tx.gathered);
    Ok(())
}

/// What is asked for several creates.
#[derive(Default)]
struct Asked<'a> {
    records: i64,
    tenants: Vec<i32>,
    unique_paths: Vec<i32>,
    uniques: Vec<&'a str>,
    value_paths: Vec<i32>,
    values: Vec<&'a str>,
}

impl Asked<'_> {
    fn learn(&self, answers: &[(i64, i64)], gathered: &mut Gathered) {
        let mut held = HashSet::new();
        for (place, number) in answers {
            if *place == 0 {
                gathered.rows.push_back(*number);
            } else {
                held.insert(*place);
            }
        }
        let uniques = self.unique_paths.iter().zip(&self.uniques);
        for ((path, value), place) in uniques.zip(1_i64..) {
            if !held.contains(&place) {
                let free = gathered.unheld.0.entry(*path).or_default();
                free.insert((*value).to_owned());
            }
        }
        let values = self.value_paths.iter().zip(&self.values);
        for ((path, value), place) in values.zip(1_i64..) {
            if !held.contains(&-place) {
                let free = gathered.unindexed.0.entry(*path).or_default();
                free.insert((*value).to_owned());
            }
        }
    }
}

/// Numbers for so many records, each at place 0; and the places, from 1, of those of the unique values that are held, and,
/// below 0, of those of the values that are in the index.
struct Question<'a>(&'a Asked<'a>);

impl QueryFragment<Pg> for Question<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT 0::bigint, nextval('resource_id_seq') FROM generate_series(1, ");
        out.push_bind_param::<BigInt, _>(&self.0.records)?;
        out.push_sql(") UNION ALL SELECT given.place, held.resource FROM unnest(");
        out.push_bind_param::<Array<Integer>, _>(&self.0.tenants)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.0.unique_paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.0.uniques)?;
        // The limits keep it a look at the key for each: a plan made while a table was small would read all of it.
        out.push_sql(
            ") WITH ORDINALITY AS given (tenant, path, value, place) CROSS JOIN LATERAL (SELECT u.resource \
             FROM unique_value u WHERE u.tenant = given.tenant AND u.path = given.path AND u.value = given.value LIMIT 1) held \
             UNION ALL SELECT -given.place, found.resource FROM unnest(",
        );
        out.push_bind_param::<Array<Integer>, _>(&self.0.value_paths)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(&self.0.values)?;
        out.push_sql(
            ") WITH ORDINALITY AS given (path, value, place) CROSS JOIN LATERAL (SELECT i.resource \
             FROM attribute_index i WHERE i.path = given.path AND i.value = given.value LIMIT 1) found",
        );
        Ok(())
    }
}

impl Query for Question<'_> {
    type SqlType = (BigInt, BigInt);
}
// The text never varies: a connection finds its prepared statement by the type.
impl QueryId for Question<'_> {
    type QueryId = Question<'static>;
}
impl RunQueryDsl<PgConnection> for Question<'_> {}
