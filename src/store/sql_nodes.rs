//! SQL that is put together at run time (a filter, a sort order), as a node of diesel's query tree.

use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate,
};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{Array, BigInt, Binary, Bool, HasSqlType, Integer, Text};
use diesel::{PgConnection, QueryResult, RunQueryDsl};

/// A piece of a statement: SQL of ours, or a value that is bound.
#[derive(Clone, Debug)]
enum Piece {
    Sql(String),
    Text(String),
    Number(i64),
    Bytes(Vec<u8>),
}

/// A run-time expression of SQL type `ST`. What comes from outside is only ever bound.
#[derive(Clone, Debug)]
pub(super) struct Fragment<ST = Bool> {
    pieces: Vec<Piece>,
    marker: std::marker::PhantomData<ST>,
}

impl<ST> Fragment<ST> {
    pub(super) fn new() -> Self {
        Self {
            pieces: Vec::new(),
            marker: std::marker::PhantomData,
        }
    }

    pub(super) fn sql(&mut self, sql: &str) -> &mut Self {
        if let Some(Piece::Sql(text)) = self.pieces.last_mut() {
            text.push_str(sql);
        } else {
            self.pieces.push(Piece::Sql(sql.to_owned()));
        }
        self
    }

    pub(super) fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.pieces.push(Piece::Text(value.into()));
        self
    }

    pub(super) fn number(&mut self, value: i64) -> &mut Self {
        self.pieces.push(Piece::Number(value));
        self
    }

    pub(super) fn bytes(&mut self, value: Vec<u8>) -> &mut Self {
        self.pieces.push(Piece::Bytes(value));
        self
    }

    /// Adds what `other` says.
    pub(super) fn add<T>(&mut self, other: &Fragment<T>) -> &mut Self {
        for piece in &other.pieces {
            if let Piece::Sql(sql) = piece {
                self.sql(sql);
            } else {
                self.pieces.push(piece.clone());
            }
        }
        self
    }

    /// The same pieces, as SQL of another type.
    pub(super) fn whole<T>(self) -> Rows<T> {
        Rows(Fragment {
            pieces: self.pieces,
            marker: std::marker::PhantomData,
        })
    }
}

/// A whole query that was put together at run time, whose rows are of SQL type `ST`.
#[derive(Clone, Debug)]
pub(super) struct Rows<ST>(Fragment<ST>);

impl<ST> Query for Rows<ST> {
    type SqlType = ST;
}
impl<ST, C> RunQueryDsl<C> for Rows<ST> {}
impl<ST> QueryId for Rows<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, DB> QueryFragment<DB> for Rows<ST>
where
    DB: Backend,
    Fragment<ST>: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(out)
    }
}

impl<ST: diesel::sql_types::SqlType + diesel::expression::TypedExpressionType> Expression
    for Fragment<ST>
{
    type SqlType = ST;
}
impl<ST, QS> AppearsOnTable<QS> for Fragment<ST> where Self: Expression {}
impl<ST, QS> SelectableExpression<QS> for Fragment<ST> where Self: Expression {}
impl<ST, G> ValidGrouping<G> for Fragment<ST> {
    type IsAggregate = is_aggregate::Never;
}
impl<ST> QueryId for Fragment<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST, DB> QueryFragment<DB> for Fragment<ST>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Binary>,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    Vec<u8>: ToSql<Binary, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        // Every caller's filter has a text of its own: caching them would grow without bound.
        out.unsafe_to_cache_prepared();
        for piece in &self.pieces {
            match piece {
                Piece::Sql(sql) => out.push_sql(sql),
                Piece::Text(value) => out.push_bind_param::<Text, _>(value)?,
                Piece::Number(value) => out.push_bind_param::<BigInt, _>(value)?,
                Piece::Bytes(value) => out.push_bind_param::<Binary, _>(value)?,
            }
        }
        Ok(())
    }
}

/// A statement without values or results, such as `BEGIN`: prepared once for each connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement(pub(super) &'static str);

impl QueryId for Statement {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<DB: Backend> QueryFragment<DB> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.0);
        Ok(())
    }
}

impl<C> RunQueryDsl<C> for Statement {}

/// The numbers of the records that have a value under a path, at most so many. The limit is the code's own, not a
/// caller's: written out, it lets the statement stay prepared, while SQLite prepares one with a bound LIMIT again each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sharing<'v> {
    pub(super) path: i32,
    pub(super) value: &'v str,
    pub(super) most: i64,
}

impl Query for Sharing<'_> {
    type SqlType = BigInt;
}
impl QueryId for Sharing<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl<C> RunQueryDsl<C> for Sharing<'_> {}

impl<DB> QueryFragment<DB> for Sharing<'_>
where
    DB: Backend + HasSqlType<Integer> + HasSqlType<Text>,
    i32: ToSql<Integer, DB>,
    str: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("SELECT DISTINCT resource FROM attribute_index WHERE path = ");
        out.push_bind_param::<Integer, _>(&self.path)?;
        out.push_sql(" AND value = ");
        out.push_bind_param::<Text, _>(self.value)?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.most.to_string());
        Ok(())
    }
}

/// The same for many values at once, each with its place from 1, on PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct SharingAny<'v> {
    pub(super) path: i32,
    pub(super) values: &'v [String],
    pub(super) most: i64,
}

impl Query for SharingAny<'_> {
    type SqlType = (BigInt, BigInt);
}
impl QueryId for SharingAny<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl RunQueryDsl<PgConnection> for SharingAny<'_> {}

impl QueryFragment<Pg> for SharingAny<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT given.place, found.resource FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(self.values)?;
        out.push_sql(
            ") WITH ORDINALITY AS given (value, place) CROSS JOIN LATERAL \
             (SELECT DISTINCT i.resource FROM attribute_index i WHERE i.value = given.value AND i.path = ",
        );
        out.push_bind_param::<Integer, _>(&self.path)?;
        out.push_sql(" LIMIT ");
        out.push_sql(&self.most.to_string());
        out.push_sql(") found");
        Ok(())
    }
}
