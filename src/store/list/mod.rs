//! Lists: which records match, how many they are, and a slice of them in an order. A slice begins where another ended (a
//! [`Position`]), so that it costs the same at any depth, or after so many, which costs as many.

mod order;
mod walk;

use std::cell::Cell;
use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde::{Deserialize, Serialize};

use super::filter::{Driver, Form, Scope};
use super::record::ResourceRow;
use super::rest;
use super::schema::resource;
use super::sql_nodes::Fragment;
use super::{Error, Tx, counter};
use crate::domain::record::Folded;
use crate::domain::view::View;
use crate::id::TenantId;
use crate::scim::filter::Condition;
use crate::scim::list::Sort;

use order::Order;

/// What to list.
pub struct Query<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The caller's source system, whose `externalId` is meant.
    pub system: &'a str,
    /// The view.
    pub view: &'a View,
    /// The start of every location.
    pub base_url: &'a str,
    /// Whether persons with an account are left out.
    pub without_accounts: bool,
    /// The filter.
    pub condition: Option<&'a Condition>,
    /// Whom another list has already: of those that match, they are left out.
    pub elsewhere: Option<(&'a View, &'a Condition)>,
    /// By what to sort; by creation without it.
    pub sort: Option<&'a Sort>,
    /// Whether `lastModified` is the stamp that ignores what is classified.
    pub open_stamp: bool,
}

impl<'a> Query<'a> {
    fn scope(&self, view: &'a View, form: Form) -> Scope<'a> {
        Scope {
            tenant: self.tenant,
            system: self.system,
            view,
            base_url: self.base_url,
            open_stamp: self.open_stamp,
            form,
            written: Cell::new(0),
            pinned: Cell::new(false),
        }
    }

    /// What holds of those that match and are not listed elsewhere.
    fn matches(
        &self,
        tx: &mut Tx<'_>,
        condition: &Condition,
        form: Form,
    ) -> Result<Fragment, Error> {
        let here = self.scope(self.view, form).compile(tx, condition)?;
        let Some((view, condition)) = self.elsewhere else {
            return Ok(here);
        };
        let there = self.scope(view, form).compile(tx, condition)?;
        let mut both = Fragment::new();
        both.sql("(").add(&here).sql(") AND NOT (");
        if view.accounts_only {
            both.sql("resource.account AND ");
        }
        both.sql("(").add(&there).sql("))");
        Ok(both)
    }
}

/// Where a record stands in an order: what comes after it is known by this alone, whatever has come and gone meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// What it is sorted by, at most [`KEY`] characters of it; nothing if it has no value, or if the order is that of creation.
    pub key: Option<String>,
    /// The database's own number for it: the order of creation.
    pub row: i64,
}

/// How many characters of a value an order looks at. Records that agree on so many are in the order of creation.
pub const KEY: usize = 512;

/// Where a slice begins.
#[derive(Clone, Debug)]
pub enum From {
    /// After the record that stood, or still stands, there; at the beginning without one.
    After(Option<Position>),
    /// After so many.
    Offset(i64),
}

/// Some of the records that match, in their order.
pub struct Slice {
    /// The records.
    pub records: Vec<Folded>,
    /// Where the last of them stands.
    pub last: Option<Position>,
    /// Whether more come after it.
    pub more: bool,
}

/// Of so many records that may match, all are looked at and sorted; of more, the order is walked until a page is full.
const FEW: i64 = 2000;
/// How many of a filter's tests are tried for how many records pass them.
const PROBES: usize = 4;

/// A query on its way to SQL.
pub struct List<'a> {
    query: &'a Query<'a>,
    order: Order,
    /// The filter, as a look at each record and as sets.
    each: Option<Fragment>,
    set: Option<Fragment>,
    /// Finds few records, among which all that match are.
    few: Option<Fragment>,
    /// What rows `d` of the index hold of many records, among which all that match are.
    equal: Option<Fragment>,
    total: Cell<Option<i64>>,
}

impl<'a> List<'a> {
    /// Finds out how the records are found best.
    pub fn open(tx: &mut Tx<'_>, query: &'a Query<'a>) -> Result<Self, Error> {
        let mut list = Self {
            query,
            order: Order::of(tx, query)?,
            each: None,
            set: None,
            few: None,
            equal: None,
            total: Cell::new(None),
        };
        if let Some(condition) = query.condition {
            list.each = Some(query.matches(tx, condition, Form::Each)?);
            list.set = Some(query.matches(tx, condition, Form::Set)?);
            let drivers = query.scope(query.view, Form::Each).drivers(tx, condition)?;
            list.few = fewest(tx, &drivers)?;
            list.equal = drivers.into_iter().find_map(|driver| driver.equal);
        }
        Ok(list)
    }

    /// How many match: by the counters without a filter, else by counting them.
    pub fn total(&self, tx: &mut Tx<'_>) -> Result<i64, Error> {
        if let Some(total) = self.total.get() {
            return Ok(total);
        }
        let query = self.query;
        let total = if query.condition.is_none() {
            let account = if query.view.accounts_only {
                Some(true)
            } else {
                query.without_accounts.then_some(false)
            };
            counter::total(tx, query.tenant, query.view.kind, account)?
        } else {
            let mut count = Fragment::<BigInt>::new();
            count.sql("SELECT count(*) FROM resource WHERE ");
            self.matching(&mut count, Account::Indexed, self.is_found_by_few());
            number(tx, count)?
        };
        self.total.set(Some(total));
        Ok(total)
    }

    /// Whether the records that may match are few and at hand, so that a page of them tells more cheaply than a count
    /// whether these are all.
    #[must_use]
    pub fn has_few(&self) -> bool {
        self.few.is_some()
    }

    /// At most `limit` of them.
    pub fn slice(&self, tx: &mut Tx<'_>, from: &From, limit: i64) -> Result<Slice, Error> {
        // One more than asked for tells whether more come.
        let mut places = self.places(tx, from, limit.saturating_add(1))?;
        let size = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = places.len() > size;
        places.truncate(size);
        Ok(Slice {
            records: fetch(tx, &places)?,
            last: places.pop(),
            more,
        })
    }

    /// Whether there are any after a place; no document is read.
    pub fn has_more(&self, tx: &mut Tx<'_>, from: &From) -> Result<bool, Error> {
        Ok(!self.places(tx, from, 1)?.is_empty())
    }

    /// Whether a walk would pass over many that do not match, so that all that do are sorted instead.
    fn is_small(&self) -> bool {
        self.few.is_some()
            || (self.set.is_some() && self.total.get().is_some_and(|total| total <= FEW))
    }

    fn is_found_by_few(&self) -> Filter {
        if self.few.is_some() {
            Filter::Each
        } else {
            Filter::Set
        }
    }

    /// The filter's form for a page.
    fn filter(&self) -> Filter {
        if self.few.is_none() && self.is_small() {
            Filter::Set
        } else {
            Filter::Each
        }
    }

    /// Writes what `resource` must fulfil: tenant, kind, account, filter.
    fn matching<T>(&self, out: &mut Fragment<T>, account: Account, filter: Filter) {
        let query = self.query;
        // Found by their numbers, whatever else an index could promise: SQLite would rather walk one by kind and account.
        let (tenant, account) = match &self.few {
            Some(_) => ("+resource.tenant", Account::NoKind),
            None => ("resource.tenant", account),
        };
        let kind = match account {
            Account::NoKind => "+resource.kind",
            _ => "resource.kind",
        };
        out.sql(&format!(
            "{tenant} = {} AND {kind} = {}",
            query.tenant.0,
            query.view.kind.number()
        ));
        // As the partial indexes say it, so that they are found, or else in words that they do not know.
        let truth = if account == Account::Indexed {
            ""
        } else {
            " IS TRUE"
        };
        if query.view.accounts_only {
            out.sql(" AND resource.account").sql(truth);
        }
        if query.without_accounts {
            out.sql(if account == Account::Indexed {
                " AND NOT resource.account"
            } else {
                " AND resource.account IS FALSE"
            });
        }
        if let Some(few) = &self.few {
            out.sql(" AND resource.id IN (").add(few).sql(")");
        }
        let filter = match filter {
            Filter::Each => &self.each,
            Filter::Set => &self.set,
        };
        if let Some(filter) = filter {
            out.sql(" AND (").add(filter).sql(")");
        }
    }
}

/// How a filter is written.
#[derive(Clone, Copy)]
enum Filter {
    Each,
    Set,
}

/// Which indexes of `resource` a statement shall use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Account {
    /// Those by kind and account.
    Indexed,
    /// Those by time, or the key.
    Free,
    /// The one by id.
    NoKind,
}

/// The driver that finds the fewest records, if they are few.
fn fewest(tx: &mut Tx<'_>, drivers: &[Driver]) -> Result<Option<Fragment>, Error> {
    let mut best: Option<(i64, &Driver)> = None;
    for driver in drivers.iter().take(PROBES) {
        let mut count = Fragment::<BigInt>::new();
        count
            .sql("SELECT count(*) FROM (SELECT 1 FROM (")
            .add(&driver.rows)
            .sql(&format!(") found LIMIT {}) probe", FEW + 1));
        let found = number(tx, count)?;
        if best.is_none_or(|(least, _)| found < least) {
            best = Some((found, driver));
        }
        if found <= 1 {
            break;
        }
    }
    Ok(best
        .filter(|(found, _)| *found <= FEW)
        .map(|(_, driver)| driver.rows.clone()))
}

fn number(tx: &mut Tx<'_>, count: Fragment<BigInt>) -> Result<i64, Error> {
    count
        .whole::<BigInt>()
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}

/// The records at these places, in their order.
fn fetch(tx: &mut Tx<'_>, places: &[Position]) -> Result<Vec<Folded>, Error> {
    let rows: Vec<i64> = places.iter().map(|place| place.row).collect();
    let mut found = HashMap::with_capacity(rows.len());
    for rows in rows.chunks(super::values::BATCH) {
        let records: Vec<ResourceRow> = resource::table
            .filter(resource::id.eq_any(rows.to_vec()))
            .load(tx.db())
            .map_err(|error| tx.explain(error))?;
        let records = rest::folded_all(tx, records)?;
        found.extend(records.into_iter().map(|record| (record.row, record)));
    }
    Ok(rows.iter().filter_map(|row| found.remove(row)).collect())
}
