//! A person by what names one alone, with the groups of which the person is a member: what a GET and a filter such as
//! `userName eq "…"` need, in one statement.

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Bool, HasSqlType, Integer, Nullable, SmallInt, Text};

use super::belonging::Belonging;
use super::db::on_both;
use super::rest;
use super::sql_types::{key, uuid};
use super::{Error, Tx, attribute_path};
use crate::domain::name::Name;
use crate::domain::record::{Folded, Kind};
use crate::id::{ResourceId, TenantId};

/// What was found.
pub struct Found {
    /// The record.
    pub folded: Folded,
    /// The groups of which it is a member; none if one of them is in another group, so that more have to be found.
    pub groups: Option<Vec<Belonging>>,
}

/// The person of that name.
pub fn seek(tx: &mut Tx<'_>, tenant: TenantId, name: &Name) -> Result<Option<Found>, Error> {
    let rows: Result<Vec<Row>, _> = match name {
        Name::Id(id) => {
            let by = ById {
                tenant: tenant.0,
                uuid: key(id.0),
            };
            on_both!(tx.db(), connection => by.load(connection))
        }
        Name::Value { path, value } => {
            let Some(path) = attribute_path::find(tx, tenant, Kind::Person, path)? else {
                return Ok(None);
            };
            let by = ByValue {
                tenant: tenant.0,
                path,
                value,
            };
            on_both!(tx.db(), connection => by.load(connection))
        }
    };
    let (mut record, mut groups, mut nested) = (None, Vec::new(), false);
    for row in rows.map_err(|error| tx.explain(error))? {
        let (id, uuid_bytes, display, is_nested, rest) = row;
        let (kind, version, created, modified, document, open) = rest;
        if let (
            Some(kind),
            Some(version),
            Some(created),
            Some(modified),
            Some(document),
            Some(open),
        ) = (kind, version, created, modified, document, open)
        {
            let row = (
                id, tenant.0, uuid_bytes, kind, false, version, created, modified, document,
                display, 0, open,
            );
            record = rest::folded(tx, row)?;
            continue;
        }
        nested |= is_nested;
        groups.push(Belonging {
            group: id,
            id: ResourceId(uuid(&uuid_bytes)),
            display,
            direct: true,
        });
    }
    groups.sort_by_key(|group| group.group);
    Ok(record.map(|folded| Found {
        folded,
        groups: (!nested).then_some(groups),
    }))
}

/// Kind, version, created, modified, document and the second stamp: of the record alone.
type Rest = (
    Option<i16>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<i64>,
);
type Row = (i64, Vec<u8>, Option<String>, bool, Rest);
type RowType = (
    BigInt,
    Binary,
    Nullable<Text>,
    Bool,
    (
        Nullable<SmallInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<Text>,
        Nullable<BigInt>,
    ),
);

/// The record first, then a row for each of its groups, which repeats nothing of the record.
const RECORD: &str = "SELECT r.id, r.uuid, r.display, FALSE, r.kind, r.version, r.created, r.modified, r.document, r.modified_open \
     FROM resource r WHERE ";
const GROUPS: &str = " UNION ALL SELECT g.id, g.uuid, g.display, \
     EXISTS (SELECT 1 FROM group_member o WHERE o.member = g.id), NULL, NULL, NULL, NULL, NULL, NULL \
     FROM resource r JOIN group_member m ON m.member = r.id JOIN resource g ON g.id = m.grp WHERE ";

/// By its id.
struct ById {
    tenant: i32,
    uuid: Vec<u8>,
}

/// By a unique value.
struct ByValue<'v> {
    tenant: i32,
    path: i32,
    value: &'v str,
}

impl<DB> QueryFragment<DB> for ById
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<Binary>,
    i32: ToSql<Integer, DB>,
    Vec<u8>: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for part in [RECORD, GROUPS] {
            out.push_sql(part);
            out.push_sql("r.tenant = ");
            out.push_bind_param::<Integer, _>(&self.tenant)?;
            out.push_sql(" AND r.uuid = ");
            out.push_bind_param::<Binary, _>(&self.uuid)?;
        }
        Ok(())
    }
}

impl<DB> QueryFragment<DB> for ByValue<'_>
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<Text>,
    i32: ToSql<Integer, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        for part in [RECORD, GROUPS] {
            out.push_sql(part);
            out.push_sql("r.id = (SELECT u.resource FROM unique_value u WHERE u.tenant = ");
            out.push_bind_param::<Integer, _>(&self.tenant)?;
            out.push_sql(" AND u.path = ");
            out.push_bind_param::<Integer, _>(&self.path)?;
            out.push_sql(" AND u.value = ");
            out.push_bind_param::<Text, _>(self.value)?;
            out.push_sql(")");
        }
        Ok(())
    }
}

impl Query for ById {
    type SqlType = RowType;
}
impl Query for ByValue<'_> {
    type SqlType = RowType;
}
// Their text never varies: a connection finds its prepared statement by the type.
impl QueryId for ById {
    type QueryId = Self;
}
impl QueryId for ByValue<'_> {
    type QueryId = ByValue<'static>;
}
impl<C> RunQueryDsl<C> for ById {}
impl<C> RunQueryDsl<C> for ByValue<'_> {}
