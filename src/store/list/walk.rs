//! Walking an order from a position. Records that have a value are walked in the order of the attribute index
//! `(path, value, resource)`, so that a page reads about as many rows as it shows; those without one come after them, or
//! before them downward, in the order of creation.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::order::{Column, Order, Value};
use super::{Account, Filter, From, List, Position};
use crate::domain::index::LONGEST;
use crate::store::filter::successor;
use crate::store::sql_nodes::Fragment;
use crate::store::{Error, Tx};

/// The rows of a walk: a record's number and what it is sorted by.
type Row = (BigInt, Nullable<Text>);

/// From this length in bytes on a value's place in the index need not be its place in the order: the index has a long
/// value by a prefix and a hash, and the prefix may be cut three bytes early, between characters.
const LONG: usize = LONGEST - 3;
/// So many characters of a value are in the index whatever its length: four bytes each, at most.
const ZONE: usize = LONG / 4;

/// Where a walk over values goes on.
enum Bound {
    /// From the beginning, or after a position.
    After(Option<Position>),
    /// In the order of whole values, among those that begin so.
    Within(String, Option<Position>),
    /// After all that begin so.
    Past(String),
}

impl List<'_> {
    /// The places of at most `limit` records.
    pub(super) fn places(
        &self,
        tx: &mut Tx<'_>,
        from: &From,
        limit: i64,
    ) -> Result<Vec<Position>, Error> {
        match (&self.order, from) {
            (Order::Creation, From::After(after)) => match &self.equal {
                Some(equal) if !self.is_small() => {
                    self.of_one_value(tx, equal, after.as_ref(), limit)
                }
                _ => self.created(tx, after.as_ref(), (limit, 0)),
            },
            (Order::Creation, From::Offset(offset)) => self.created(tx, None, (limit, *offset)),
            (Order::Column { column, descending }, From::After(after)) => {
                self.by_column(tx, (*column, *descending), after.as_ref(), (limit, 0))
            }
            (Order::Column { column, descending }, From::Offset(offset)) => {
                self.by_column(tx, (*column, *descending), None, (limit, *offset))
            }
            (Order::Value(value), From::After(after)) => {
                self.segments(tx, value, after.as_ref(), limit)
            }
            (Order::Value(value), From::Offset(offset)) => self.leap(tx, value, *offset, limit),
        }
    }

    /// In the order of creation.
    fn created(
        &self,
        tx: &mut Tx<'_>,
        after: Option<&Position>,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Position>, Error> {
        let mut out = Fragment::<Row>::new();
        out.sql("SELECT resource.id, CAST(NULL AS TEXT) FROM resource WHERE ");
        self.matching(&mut out, Account::Indexed, self.filter_from(offset));
        if let Some(after) = after {
            out.sql(" AND resource.id > ").number(after.row);
        }
        out.sql(" ORDER BY resource.id").sql(&page(limit, offset));
        load(tx, out)
    }

    /// In the order of creation, among the many that have one value: the index has those in this order.
    fn of_one_value(
        &self,
        tx: &mut Tx<'_>,
        equal: &Fragment,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Position>, Error> {
        let mut places: Vec<Position> = Vec::new();
        let mut last = after.map_or(0, |after| after.row);
        loop {
            let room = limit - length(&places);
            let mut out = Fragment::<Row>::new();
            out.sql(
                "SELECT d.resource, CAST(NULL AS TEXT) FROM attribute_index d CROSS JOIN resource \
                 WHERE resource.id = d.resource AND ",
            )
            .add(equal)
            .sql(" AND d.resource > ")
            .number(last)
            .sql(" AND ");
            self.matching(&mut out, Account::Free, Filter::Each);
            out.sql(" ORDER BY d.resource").sql(&page(room, 0));
            let found = load(tx, out)?;
            let count = length(&found);
            // Several elements of one record may have the value.
            for place in found {
                if place.row > last {
                    last = place.row;
                    places.push(place);
                }
            }
            if count < room || length(&places) >= limit {
                return Ok(places);
            }
        }
    }

    fn by_column(
        &self,
        tx: &mut Tx<'_>,
        (column, descending): (Column, bool),
        after: Option<&Position>,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Position>, Error> {
        let name = column.name();
        let mut out = Fragment::<Row>::new();
        out.sql(&format!(
            "SELECT resource.id, {} FROM resource WHERE ",
            column.text(tx.dialect())
        ));
        let account = match column {
            Column::Id => Account::NoKind,
            _ => Account::Free,
        };
        self.matching(&mut out, account, self.filter_from(offset));
        let bind = |out: &mut Fragment<Row>, key: &str| column.bind(out, key);
        go_on(&mut out, (name, "resource.id"), descending, after, bind);
        out.sql(&page(limit, offset));
        load(tx, out)
    }

    /// With a value first and without one last, or the other way round.
    fn segments(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Position>, Error> {
        let in_values = after.is_some_and(|after| after.key.is_some());
        let in_missing = after.is_some_and(|after| after.key.is_none());
        let mut places = Vec::new();
        if value.descending {
            if !in_values {
                places = self.missing(tx, value, after, (limit, 0))?;
            }
            let room = limit - length(&places);
            if room > 0 {
                places.extend(self.valued(tx, value, after.filter(|_| in_values), room)?);
            }
        } else {
            if !in_missing {
                places = self.valued(tx, value, after, limit)?;
            }
            let room = limit - length(&places);
            if room > 0 {
                places.extend(self.missing(tx, value, after.filter(|_| in_missing), (room, 0))?);
            }
        }
        Ok(places)
    }

    /// Those without a value, in the order of creation.
    fn missing(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        after: Option<&Position>,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Position>, Error> {
        if !value.optional {
            return Ok(Vec::new());
        }
        let (direction, beyond) = direction(value.descending);
        let mut out = Fragment::<Row>::new();
        out.sql("SELECT resource.id, CAST(NULL AS TEXT) FROM resource WHERE ");
        self.matching(&mut out, Account::Indexed, self.filter_from(offset));
        value.missing(&mut out);
        if let Some(after) = after {
            out.sql(&format!(" AND resource.id {beyond} "))
                .number(after.row);
        }
        out.sql(&format!(" ORDER BY resource.id {direction}"))
            .sql(&page(limit, offset));
        load(tx, out)
    }

    /// Those with a value.
    fn valued(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        after: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<Position>, Error> {
        if self.is_small() {
            let all = Bound::Within(String::new(), after.cloned());
            return self.by_value(tx, value, &all, (limit, 0));
        }
        let mut places: Vec<Position> = Vec::new();
        let mut bound = match after {
            Some(position) if is_long(position) => Bound::Within(zone(position), after.cloned()),
            after => Bound::After(after.cloned()),
        };
        loop {
            let room = limit - length(&places);
            let mut found = self.by_value(tx, value, &bound, (room, 0))?;
            let is_whole = matches!(bound, Bound::Within(..));
            let long = found.iter().position(is_long).filter(|_| !is_whole);
            let is_full = length(&found) == room;
            let next = long.and_then(|at| found.get(at)).map(zone);
            found.truncate(long.unwrap_or(found.len()));
            places.extend(found);
            bound = match (next, bound) {
                (Some(zone), _) => {
                    let last = places.last().or(after).cloned();
                    Bound::Within(zone, last)
                }
                (None, Bound::Within(zone, _)) if !is_full => Bound::Past(zone),
                _ => return Ok(places),
            };
        }
    }

    /// One stretch of those with a value: in the order of the index, or, among those that begin alike, of whole values.
    fn by_value(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        bound: &Bound,
        (limit, offset): (i64, i64),
    ) -> Result<Vec<Position>, Error> {
        let text = Value::text();
        // In SQLite a cross join is a loop in the order written.
        let tables = if self.is_small() {
            "resource CROSS JOIN attribute_index s"
        } else {
            "attribute_index s CROSS JOIN resource"
        };
        let mut out = Fragment::<Row>::new();
        out.sql(&format!(
            "SELECT s.resource, {text} FROM {tables} WHERE resource.id = s.resource AND s.path = {} AND ",
            value.path
        ));
        self.matching(&mut out, Account::Free, self.filter_from(offset));
        value.first(&mut out);
        let (column, position) = match bound {
            Bound::After(after) => ("s.value", after.as_ref()),
            Bound::Within(zone, after) => {
                begins(&mut out, zone);
                (text.as_str(), after.as_ref())
            }
            Bound::Past(zone) => {
                if !past(&mut out, zone, value.descending) {
                    return Ok(Vec::new());
                }
                ("s.value", None)
            }
        };
        let bind = |out: &mut Fragment<Row>, key: &str| {
            out.text(key);
        };
        let order = (column, "s.resource");
        go_on(&mut out, order, value.descending, position, bind);
        out.sql(&page(limit, offset));
        load(tx, out)
    }

    /// A page that no walk has led to.
    fn leap(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        offset: i64,
        limit: i64,
    ) -> Result<Vec<Position>, Error> {
        let first = |tx: &mut Tx<'_>, page| {
            if value.descending {
                self.missing(tx, value, None, page)
            } else {
                self.leap_values(tx, value, page)
            }
        };
        let mut places = first(tx, (limit, offset))?;
        let room = limit - length(&places);
        if room == 0 {
            return Ok(places);
        }
        let rest = if places.is_empty() {
            let missing = self.count_missing(tx, value)?;
            let before = if value.descending {
                missing
            } else {
                self.total(tx)? - missing
            };
            (offset - before).max(0)
        } else {
            0
        };
        places.extend(if value.descending {
            self.leap_values(tx, value, (room, rest))?
        } else {
            self.missing(tx, value, None, (room, rest))?
        });
        Ok(places)
    }

    /// A value that is not long stands in the index where it stands in the order.
    fn leap_values(
        &self,
        tx: &mut Tx<'_>,
        value: &Value,
        page: (i64, i64),
    ) -> Result<Vec<Position>, Error> {
        let whole = Bound::Within(String::new(), None);
        if self.is_small() {
            return self.by_value(tx, value, &whole, page);
        }
        let places = self.by_value(tx, value, &Bound::After(None), page)?;
        if places.iter().any(is_long) {
            return self.by_value(tx, value, &whole, page);
        }
        Ok(places)
    }

    fn count_missing(&self, tx: &mut Tx<'_>, value: &Value) -> Result<i64, Error> {
        if !value.optional {
            return Ok(0);
        }
        let mut out = Fragment::<BigInt>::new();
        out.sql("SELECT count(*) FROM resource WHERE ");
        self.matching(&mut out, Account::Indexed, self.filter_from(1));
        value.missing(&mut out);
        super::number(tx, out)
    }

    /// The filter's form: what is left out by number is found as fast as it can be counted.
    fn filter_from(&self, offset: i64) -> Filter {
        if offset > 0 {
            self.is_found_by_few()
        } else {
            self.filter()
        }
    }
}

/// `ORDER BY`'s word, and the comparison with what comes after.
fn direction(descending: bool) -> (&'static str, &'static str) {
    if descending {
        ("DESC", "<")
    } else {
        ("ASC", ">")
    }
}

/// What follows a position in the order of a column and, among equals, of the record's number; and that order.
fn go_on(
    out: &mut Fragment<Row>,
    (column, row): (&str, &str),
    descending: bool,
    after: Option<&Position>,
    bind: impl FnOnce(&mut Fragment<Row>, &str),
) {
    let (direction, beyond) = direction(descending);
    if let Some(position) = after {
        out.sql(&format!(" AND ({column}, {row}) {beyond} ("));
        bind(out, position.key.as_deref().unwrap_or_default());
        out.sql(", ").number(position.row).sql(")");
    }
    out.sql(&format!(
        " ORDER BY {column} {direction}, {row} {direction}"
    ));
}

fn page(limit: i64, offset: i64) -> String {
    if offset == 0 {
        format!(" LIMIT {limit}")
    } else {
        format!(" LIMIT {limit} OFFSET {offset}")
    }
}

fn length(places: &[Position]) -> i64 {
    i64::try_from(places.len()).unwrap_or(i64::MAX)
}

fn is_long(place: &Position) -> bool {
    place.key.as_ref().is_some_and(|key| key.len() >= LONG)
}

/// How all values begin that may stand in the index elsewhere than in the order, seen from this one.
fn zone(place: &Position) -> String {
    place
        .key
        .iter()
        .flat_map(|key| key.chars())
        .take(ZONE)
        .collect()
}

/// `AND …`: the value begins so.
fn begins<T>(out: &mut Fragment<T>, zone: &str) {
    if zone.is_empty() {
        return;
    }
    out.sql(" AND s.value >= ").text(zone);
    if let Some(next) = successor(zone) {
        out.sql(" AND s.value < ").text(next);
    }
}

/// `AND …`: the value comes after all that begin so; false if none can.
fn past<T>(out: &mut Fragment<T>, zone: &str, descending: bool) -> bool {
    if descending {
        out.sql(" AND s.value < ").text(zone);
        return true;
    }
    let Some(next) = successor(zone) else {
        return false;
    };
    out.sql(" AND s.value >= ").text(next);
    true
}

fn load(tx: &mut Tx<'_>, statement: Fragment<Row>) -> Result<Vec<Position>, Error> {
    let rows: Vec<(i64, Option<String>)> = statement
        .whole::<Row>()
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    let place = |(row, key)| Position { key, row };
    Ok(rows.into_iter().map(place).collect())
}
