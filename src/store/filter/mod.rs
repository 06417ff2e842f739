//! A checked filter as SQL over the attribute index, the record's own columns and the rows of members. Its meaning is
//! [`Condition::matches`]'s; nothing is filtered in memory.

mod driver;
mod element;
mod peer;
mod value;

use std::cell::Cell;

use serde_json::Value;

use super::db::Dialect;
use super::sql_nodes::Fragment;
use super::{Error, Tx, attribute_path, blind, rest};
use crate::domain::catalog::endpoint;
use crate::domain::record::external_id_path;
use crate::domain::sealed::{self, Blind};
use crate::domain::secrets::{self, Secrets};
use crate::domain::view::{View, is_computed};
use crate::id::TenantId;
use crate::scim;
use crate::scim::comparable::Comparison;
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;
use crate::scim::schema::Uniqueness;

pub(super) use driver::Driver;
use peer::Side;
pub(super) use value::successor;
pub(super) use value::{id_test, instant_test, text_test};
use value::{id_text, is_id, value_test};

/// For whom a filter is compiled, and over which view.
pub(super) struct Scope<'a> {
    pub(super) tenant: TenantId,
    pub(super) system: &'a str,
    pub(super) view: &'a View,
    pub(super) base_url: &'a str,
    /// Whether `lastModified` is the stamp that ignores what is classified.
    pub(super) open_stamp: bool,
    /// How tests of the index are written.
    pub(super) form: Form,
    /// How many tests have been written.
    pub(super) written: Cell<usize>,
    /// Whether the filter names one record, so that every other test is of that one.
    pub(super) pinned: Cell<bool>,
}

/// How a test of the attribute index is written. They mean the same and cost differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As the set of all that pass: made once, whatever its size.
    Set,
    /// As a look at each record: nothing is read of the others.
    Each,
}

impl Form {
    /// The beginning of a test on rows of the index that are called `row`.
    fn rows(self, row: &str) -> String {
        match self {
            Self::Set => {
                format!("resource.id IN (SELECT {row}.resource FROM attribute_index {row} WHERE ")
            }
            Self::Each => format!(
                "EXISTS (SELECT 1 FROM attribute_index {row} WHERE {row}.resource = resource.id AND "
            ),
        }
    }
}

/// How many tests PostgreSQL may turn into joins. It plans each `IN` and `EXISTS` that must hold as a join of its own, and
/// the time that takes grows with a power of their number: eighty took five seconds. The rest it evaluates as they stand.
const JOINS: usize = 8;

impl Scope<'_> {
    /// The condition on `resource` that holds where `condition` does.
    pub(super) fn compile(
        &self,
        tx: &mut Tx<'_>,
        condition: &Condition,
    ) -> Result<Fragment, Error> {
        let mut out = Fragment::new();
        self.pinned.set(self.is_pinned(condition));
        self.write(tx, &mut out, condition)?;
        Ok(out)
    }

    fn is_pinned(&self, condition: &Condition) -> bool {
        match condition {
            Condition::All(terms) => terms.iter().any(|term| self.is_pinned(term)),
            Condition::Test {
                location,
                test: Test::Equal(_),
                ..
            } => {
                let attribute = self.view.attribute(location);
                matches!(&*location.attribute, "id" | "externalId")
                    || attribute.is_some_and(|found| found.uniqueness != Uniqueness::None)
            }
            _ => false,
        }
    }

    fn write(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        condition: &Condition,
    ) -> Result<(), Error> {
        match condition {
            Condition::Element { location, .. } | Condition::Test { location, .. }
                if self.is_secret(tx, condition, location) =>
            {
                self.blind(tx, out, condition)
            }
            Condition::All(terms) => self.join(tx, out, terms, " AND ", "1 = 1"),
            Condition::Any(terms) => self.join(tx, out, terms, " OR ", "1 = 0"),
            Condition::Not(inner) => {
                out.sql("NOT (");
                self.write(tx, out, inner)?;
                out.sql(")");
                Ok(())
            }
            Condition::Test {
                location,
                comparison,
                test,
            } => {
                let close = self.open(tx.dialect(), out);
                self.test(tx, out, location, *comparison, test)?;
                out.sql(close);
                Ok(())
            }
            Condition::Element {
                location,
                condition,
            } => {
                let close = self.open(tx.dialect(), out);
                self.element(tx, out, location, condition)?;
                out.sql(close);
                Ok(())
            }
        }
    }

    /// Begins a test, which ends with what this gives.
    fn open(&self, dialect: Dialect, out: &mut Fragment) -> &'static str {
        let before = self.written.replace(self.written.get() + 1);
        if dialect == Dialect::Sqlite || before < JOINS {
            return "";
        }
        out.sql("(");
        ") IS TRUE"
    }

    fn join(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        terms: &[Condition],
        operator: &str,
        none: &str,
    ) -> Result<(), Error> {
        let (first, rest) = match terms.len() {
            0 => {
                out.sql(none);
                return Ok(());
            }
            1 => return self.write(tx, out, &terms[0]),
            // A balanced tree: SQLite bounds the depth of an expression.
            length => terms.split_at(length / 2),
        };
        out.sql("(");
        self.join(tx, out, first, operator, none)?;
        out.sql(operator);
        self.join(tx, out, rest, operator, none)?;
        out.sql(")");
        Ok(())
    }

    fn test(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        location: &Location,
        comparison: Comparison,
        test: &Test,
    ) -> Result<(), Error> {
        if let Some(side) = Side::of(self.view.kind, location) {
            let condition = Condition::Test {
                location: location.clone(),
                comparison,
                test: test.clone(),
            };
            return self.some_peer(tx, out, side, &condition);
        }
        if let Some(path) = self.view.canonical(location) {
            return if self.is_unkept(location) {
                Err(unsupported(location))
            } else if self.view.attribute(location).is_some_and(is_computed) {
                self.reference(tx, out, location, test)
            } else {
                self.indexed(tx, out, path, test)
            };
        }
        match (&*location.attribute, location.sub.as_deref()) {
            ("schemas", _) => self.schemas(tx, out, comparison, test),
            ("externalId", _) => self.indexed(tx, out, &external_id_path(self.system), test),
            ("id", _) => {
                id_test(out, tx.dialect(), "resource.uuid", test);
                Ok(())
            }
            ("meta", Some("created")) => instant_test(out, "resource.created", test),
            ("meta", Some("lastModified")) => {
                let column = if self.open_stamp {
                    "resource.modified_open"
                } else {
                    "resource.modified"
                };
                instant_test(out, column, test)
            }
            ("meta", Some("resourceType")) => {
                let name = Value::from(self.view.resource_type.name.as_str());
                out.sql(truth(test.passes(comparison, &name)));
                Ok(())
            }
            ("meta", Some("location")) => {
                let start = format!("{}{}/", self.base_url, self.view.resource_type.endpoint);
                let dialect = tx.dialect();
                text_test(out, dialect, test, |out| {
                    out.sql("(")
                        .text(start.clone())
                        .sql(&format!(" || {})", id_text(dialect, "resource.uuid")));
                });
                Ok(())
            }
            ("meta", Some("version")) if *test == Test::Present => {
                out.sql("1 = 1");
                Ok(())
            }
            _ => Err(unsupported(location)),
        }
    }

    /// Whether the attribute is made for each answer from what is kept elsewhere.
    fn is_unkept(&self, location: &Location) -> bool {
        let whole = self.view.attribute(&location.whole());
        whole.is_some_and(|attribute| attribute.storage == scim::schema::Storage::None)
    }

    /// The `$ref` of a single reference: where a `value` is an id of ours, the URI that follows from it.
    fn reference(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        location: &Location,
        test: &Test,
    ) -> Result<(), Error> {
        let value = Location {
            sub: Some("value".into()),
            ..location.clone()
        };
        let attribute = self.view.attribute(location);
        let endpoint = attribute
            .and_then(|sub| sub.reference_types.iter().find_map(|name| endpoint(name)))
            .ok_or_else(|| unsupported(location))?;
        let path = self.view.canonical(&value);
        let Some(path) = path
            .map(|path| attribute_path::find(tx, self.tenant, self.view.kind, path))
            .transpose()?
            .flatten()
        else {
            out.sql("1 = 0");
            return Ok(());
        };
        let start = format!("{}{endpoint}/", self.base_url);
        let dialect = tx.dialect();
        out.sql(&self.form.rows("i")).sql(&format!(
            "i.path = {path} AND {} AND ",
            is_id(dialect, "i.value")
        ));
        text_test(out, dialect, test, |out| {
            out.sql("(").text(start.clone()).sql(" || i.value)");
        });
        out.sql(")");
        Ok(())
    }

    /// Some value at a path of the index passes.
    fn indexed(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        path: &str,
        test: &Test,
    ) -> Result<(), Error> {
        let Some(path) = attribute_path::find(tx, self.tenant, self.view.kind, path)? else {
            out.sql("1 = 0");
            return Ok(());
        };
        out.sql(&self.form.rows("i"))
            .sql(&format!("i.path = {path}"));
        value_test(out, tx.dialect(), "i", test);
        out.sql(")");
        Ok(())
    }

    /// A record is of the view's own schema always, and of an extension where it has one of its attributes.
    fn schemas(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        comparison: Comparison,
        test: &Test,
    ) -> Result<(), Error> {
        let passes = |urn: &str| test.passes(comparison, &Value::from(urn));
        if passes(&self.view.resource_type.schema.id) {
            out.sql("1 = 1");
            return Ok(());
        }
        self.some_path(tx, out, |at| {
            at.extension.as_ref().is_some_and(|urn| passes(urn))
        })
    }

    /// There is a value at one of the view's locations that are `meant`.
    fn some_path(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        meant: impl Fn(&Location) -> bool,
    ) -> Result<(), Error> {
        let mut paths = Vec::new();
        for (_, path) in self.view.units().filter(|(location, _)| meant(location)) {
            paths.extend(
                attribute_path::find(tx, self.tenant, self.view.kind, path)?
                    .map(|id| id.to_string()),
            );
        }
        if paths.is_empty() {
            out.sql("1 = 0");
            return Ok(());
        }
        out.sql("EXISTS (SELECT 1 FROM attribute_index i WHERE i.resource = resource.id AND i.path IN (");
        out.sql(&paths.join(", ")).sql("))");
        Ok(())
    }

    /// Whether it is a test of what is secret. That there is something may be asked of what the policy marks.
    fn is_secret(&self, tx: &Tx<'_>, condition: &Condition, location: &Location) -> bool {
        let whole = self.view.attribute(&location.whole());
        let asks_more = || {
            !matches!(
                condition,
                Condition::Test {
                    test: Test::Present,
                    ..
                }
            )
        };
        whole.is_some_and(|attribute| attribute.secret)
            || asks_more() && self.marked(tx, location).is_some()
    }

    /// The canonical path of what the policy marks as secret at a location.
    fn marked(&self, tx: &Tx<'_>, location: &Location) -> Option<&str> {
        let of = (self.tenant, self.view.kind);
        let secrets = rest::secrets(tx, of, &Secrets::default());
        let paths = [location.whole(), location.clone()];
        let mut paths = paths.iter().filter_map(|at| self.view.canonical(at));
        paths.find(|path| secrets.holds(path))
    }

    /// The records of one secret value.
    fn blind(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        condition: &Condition,
    ) -> Result<(), Error> {
        out.sql("resource.id IN (");
        out.add(&self.blind_rows(tx, condition)?).sql(")");
        Ok(())
    }

    /// The query for their numbers.
    fn blind_rows(&self, tx: &mut Tx<'_>, condition: &Condition) -> Result<Fragment, Error> {
        let asked = self.asked(tx, condition).map_err(Error::Filter)?;
        let value = blind::value(tx, self.tenant, &asked)?;
        let path = attribute_path::find(tx, self.tenant, self.view.kind, &asked.path)?;
        let mut rows = Fragment::new();
        // Paths are numbered from 1.
        rows.sql("SELECT b.resource FROM blind_index b WHERE b.path = ")
            .sql(&path.unwrap_or(0).to_string())
            .sql(" AND b.value = ")
            .bytes(value);
        Ok(rows)
    }

    /// The one value that is asked for.
    fn asked(&self, tx: &Tx<'_>, condition: &Condition) -> scim::error::Result<Blind> {
        let (Condition::Element { location, .. } | Condition::Test { location, .. }) = condition
        else {
            return sealed::asked(self.view, condition);
        };
        let Some(path) = self.marked(tx, location) else {
            return sealed::asked(self.view, condition);
        };
        let whole = self.view.attribute(&location.whole());
        let is_list =
            whole.is_some_and(|whole| whole.multi_valued && !whole.sub_attributes.is_empty());
        secrets::asked(path, is_list, condition).ok_or_else(|| {
            let value = if is_list { ".value" } else { "" };
            scim::Error::invalid_filter(format!(
                "'{location}' is secret: it is found by a whole value alone, as in {path}{value} eq \"…\""
            ))
        })
    }

    /// Some one element of a complex attribute passes.
    fn element(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        location: &Location,
        condition: &Condition,
    ) -> Result<(), Error> {
        if let Some(side) = Side::of(self.view.kind, location) {
            return self.some_peer(tx, out, side, condition);
        }
        if self.is_unkept(location) {
            return Err(unsupported(location));
        }
        let multi_valued = self
            .view
            .attribute(location)
            .map(|found| found.multi_valued);
        match (self.view.canonical(location), multi_valued) {
            (Some(path), Some(true)) => self.indexed_element(tx, out, (location, path), condition),
            (Some(_), _) => {
                // The one value is its own element, if there is any part of it.
                out.sql("(");
                self.some_path(tx, out, |at| at.whole() == *location)?;
                out.sql(" AND ");
                self.write(tx, out, condition)?;
                out.sql(")");
                Ok(())
            }
            // Every resource has its `meta`.
            (None, _) => self.write(tx, out, condition),
        }
    }
}

fn truth(holds: bool) -> &'static str {
    if holds { "1 = 1" } else { "1 = 0" }
}

fn unsupported(location: &Location) -> Error {
    Error::Filter(scim::Error::invalid_filter(format!(
        "'{location}' cannot be filtered by: it is computed for each reader"
    )))
}
