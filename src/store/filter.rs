//! A checked filter as SQL over the attribute index, the record's own columns and the rows of members. Its meaning is
//! [`Condition::matches`]'s; nothing is filtered in memory.

use serde_json::Value;

use super::db::Dialect;
use super::sql_nodes::Fragment;
use super::sql_types::{key, micros};
use super::{Error, Tx, attribute_path};
use crate::domain::catalog::{View, is_computed};
use crate::domain::index::{self, LONGEST};
use crate::domain::record::{Kind, external_id_path};
use crate::id::{ResourceId, TenantId};
use crate::scim;
use crate::scim::comparable::{Comparison, parse_date_time};
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;

/// For whom a filter is compiled, and over which view.
pub(super) struct Scope<'a> {
    pub(super) tenant: TenantId,
    pub(super) system: &'a str,
    pub(super) view: &'a View,
    pub(super) base_url: &'a str,
}

/// The record's id as clients write it.
fn id_text(dialect: Dialect) -> String {
    let hex = match dialect {
        Dialect::Sqlite => "lower(hex(resource.uuid))",
        Dialect::Postgres => "encode(resource.uuid, 'hex')",
    };
    let part = |from: u8, length: u8| format!("substr({hex}, {from}, {length})");
    format!(
        "({}||'-'||{}||'-'||{}||'-'||{}||'-'||{})",
        part(1, 8),
        part(9, 4),
        part(13, 4),
        part(17, 4),
        part(21, 12)
    )
}

impl Scope<'_> {
    /// The condition on `resource` that holds where `condition` does.
    pub(super) fn compile(
        &self,
        tx: &mut Tx<'_>,
        condition: &Condition,
    ) -> Result<Fragment, Error> {
        let mut out = Fragment::new();
        self.write(tx, &mut out, condition)?;
        Ok(out)
    }

    fn write(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        condition: &Condition,
    ) -> Result<(), Error> {
        match condition {
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
            } => self.test(tx, out, location, *comparison, test),
            Condition::Element {
                location,
                condition,
            } => self.element(tx, out, location, condition),
        }
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
        if let Some(path) = self.view.canonical(location) {
            return match (self.view.kind, &*location.attribute) {
                (Kind::Person, "groups") if location.extension.is_none() => {
                    out.sql("EXISTS (SELECT 1 FROM group_member m JOIN resource AS peer ON peer.id = m.grp WHERE m.member = resource.id AND ");
                    peer_test(out, location, test, false)?;
                    out.sql(")");
                    Ok(())
                }
                (Kind::Group, "members") => {
                    out.sql("EXISTS (SELECT 1 FROM group_member m JOIN resource AS peer ON peer.id = m.member WHERE m.grp = resource.id AND ");
                    peer_test(out, location, test, true)?;
                    out.sql(")");
                    Ok(())
                }
                _ if self.is_computed(location) => Err(unsupported(location)),
                _ => self.indexed(tx, out, path, test),
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
            ("meta", Some("lastModified")) => instant_test(out, "resource.modified", test),
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
                        .sql(&format!(" || {})", id_text(dialect)));
                });
                Ok(())
            }
            _ => Err(unsupported(location)),
        }
    }

    /// Whether the attribute is made for each answer, and so has no rows.
    fn is_computed(&self, location: &Location) -> bool {
        let whole = self.view.attribute(&location.whole());
        self.view.attribute(location).is_some_and(is_computed)
            || whole.is_some_and(|attribute| attribute.storage == scim::schema::Storage::None)
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
        out.sql(&format!(
            "resource.id IN (SELECT i.resource FROM attribute_index i WHERE i.path = {path}"
        ));
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
        let mut paths = Vec::new();
        for (location, path) in self.view.units() {
            if location.extension.as_ref().is_some_and(|urn| passes(urn)) {
                paths.extend(
                    attribute_path::find(tx, self.tenant, self.view.kind, path)?
                        .map(|id| id.to_string()),
                );
            }
        }
        if paths.is_empty() {
            out.sql("1 = 0");
            return Ok(());
        }
        out.sql("EXISTS (SELECT 1 FROM attribute_index i WHERE i.resource = resource.id AND i.path IN (");
        out.sql(&paths.join(", ")).sql("))");
        Ok(())
    }

    /// Some one element of a complex multi-valued attribute passes.
    fn element(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        location: &Location,
        condition: &Condition,
    ) -> Result<(), Error> {
        let Some(path) = self.view.canonical(location) else {
            return Err(unsupported(location));
        };
        let (rows, other) = match (self.view.kind, &*location.attribute) {
            (Kind::Person, "groups") if location.extension.is_none() => (("member", "grp"), false),
            (Kind::Group, "members") => (("grp", "member"), true),
            _ => return self.indexed_element(tx, out, path, condition),
        };
        let (own, peer) = rows;
        out.sql(&format!(
            "EXISTS (SELECT 1 FROM group_member m JOIN resource AS peer ON peer.id = m.{peer} WHERE m.{own} = resource.id AND ",
        ));
        inside(out, condition, &mut |out, location, test| {
            peer_test(out, location, test, other)
        })?;
        out.sql(")");
        Ok(())
    }

    fn indexed_element(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        path: &str,
        condition: &Condition,
    ) -> Result<(), Error> {
        let Some(whole) = attribute_path::find(tx, self.tenant, self.view.kind, path)? else {
            out.sql("1 = 0");
            return Ok(());
        };
        out.sql(&format!(
            "resource.id IN (SELECT e.resource FROM attribute_index e WHERE e.path = {whole} AND "
        ));
        let dialect = tx.dialect();
        let mut known = std::collections::HashMap::new();
        for location in condition.locations() {
            if let Some(path) = self.view.canonical(location) {
                let id = attribute_path::find(tx, self.tenant, self.view.kind, path)?;
                known.insert(location.clone(), id);
            }
        }
        inside(out, condition, &mut |out, location, test| {
            let Some(path) = known.get(location).copied().flatten() else {
                out.sql("1 = 0");
                return Ok(());
            };
            out.sql(&format!(
                "EXISTS (SELECT 1 FROM attribute_index i WHERE i.resource = e.resource AND i.path = {path} AND i.element = e.element"
            ));
            value_test(out, dialect, "i", test);
            out.sql(")");
            Ok(())
        })?;
        out.sql(")");
        Ok(())
    }
}

type Leaf<'a> = &'a mut dyn FnMut(&mut Fragment, &Location, &Test) -> Result<(), Error>;

/// A condition on one element, its leaves written by `leaf`.
fn inside(out: &mut Fragment, condition: &Condition, leaf: Leaf<'_>) -> Result<(), Error> {
    match condition {
        Condition::All(terms) | Condition::Any(terms) => {
            let (operator, none) = if matches!(condition, Condition::All(_)) {
                (" AND ", "1 = 1")
            } else {
                (" OR ", "1 = 0")
            };
            out.sql("(");
            for (n, term) in terms.iter().enumerate() {
                if n > 0 {
                    out.sql(operator);
                }
                inside(out, term, leaf)?;
            }
            out.sql(if terms.is_empty() { none } else { "" }).sql(")");
        }
        Condition::Not(inner) => {
            out.sql("NOT (");
            inside(out, inner, leaf)?;
            out.sql(")");
        }
        Condition::Test { location, test, .. } => leaf(out, location, test)?,
        Condition::Element { location, .. } => return Err(unsupported(location)),
    }
    Ok(())
}

fn truth(holds: bool) -> &'static str {
    if holds { "1 = 1" } else { "1 = 0" }
}

fn unsupported(location: &Location) -> Error {
    Error::Filter(scim::Error::invalid_filter(format!(
        "'{location}' cannot be filtered by: it is computed for each reader"
    )))
}

/// A member or a group, by its id or by whether it is a User or a Group.
fn peer_test(
    out: &mut Fragment,
    location: &Location,
    test: &Test,
    member: bool,
) -> Result<(), Error> {
    match location.sub.as_deref() {
        None | Some("value") => {
            id_test(out, Dialect::Sqlite, "peer.uuid", test);
            Ok(())
        }
        Some("type") if member => {
            for (n, (kind, name)) in [(Kind::Person, "user"), (Kind::Group, "group")]
                .into_iter()
                .enumerate()
            {
                let fold = Comparison {
                    kind: scim::schema::Kind::String,
                    case_exact: false,
                };
                let holds = truth(test.passes(fold, &Value::from(name)));
                out.sql(if n == 0 { "(" } else { " OR " });
                out.sql(&format!("(peer.kind = {} AND {holds})", kind.number()));
            }
            out.sql(")");
            Ok(())
        }
        _ => Err(unsupported(location)),
    }
}

/// An id is one of ours or matches nothing; other operators compare it as text.
fn id_test(out: &mut Fragment, dialect: Dialect, column: &str, test: &Test) {
    match test {
        Test::Present => {
            out.sql("1 = 1");
        }
        Test::Equal(needle) => match needle.parse::<ResourceId>() {
            Ok(id) => {
                out.sql(&format!("{column} = ")).bytes(key(id.0));
            }
            Err(_) => {
                out.sql("1 = 0");
            }
        },
        test => {
            let expression = id_text(dialect).replace("resource.uuid", column);
            text_test(out, dialect, test, |out| {
                out.sql(&expression);
            });
        }
    }
}

fn instant_test(out: &mut Fragment, column: &str, test: &Test) -> Result<(), Error> {
    let (operator, needle) = match test {
        Test::Present => {
            out.sql("1 = 1");
            return Ok(());
        }
        Test::Equal(needle) => ("=", needle),
        Test::Greater(needle) => (">", needle),
        Test::GreaterOrEqual(needle) => (">=", needle),
        Test::Less(needle) => ("<", needle),
        Test::LessOrEqual(needle) => ("<=", needle),
        Test::Contains(needle) | Test::StartsWith(needle) | Test::EndsWith(needle) => {
            return Err(Error::Filter(scim::Error::invalid_filter(format!(
                "'{needle}' is part of no instant"
            ))));
        }
    };
    let at = parse_date_time(needle).map(micros);
    out.sql(&format!("{column} {operator} "))
        .number(at.unwrap_or(i64::MAX));
    Ok(())
}

/// A test of a text that an expression gives.
fn text_test(
    out: &mut Fragment,
    dialect: Dialect,
    test: &Test,
    expression: impl Fn(&mut Fragment),
) {
    let (before, operator, needle) = match test {
        Test::Present => {
            out.sql("1 = 1");
            return;
        }
        Test::Contains(needle) => {
            out.sql(if dialect == Dialect::Sqlite {
                "instr("
            } else {
                "strpos("
            });
            expression(out);
            out.sql(", ").text(needle).sql(") > 0");
            return;
        }
        Test::StartsWith(needle) => (
            format!("substr(%, 1, {})", needle.chars().count()),
            "=",
            needle,
        ),
        Test::EndsWith(needle) => (ending(dialect, needle), "=", needle),
        Test::Equal(needle) => ("%".into(), "=", needle),
        Test::Greater(needle) => ("%".into(), ">", needle),
        Test::GreaterOrEqual(needle) => ("%".into(), ">=", needle),
        Test::Less(needle) => ("%".into(), "<", needle),
        Test::LessOrEqual(needle) => ("%".into(), "<=", needle),
    };
    let (head, tail) = before.split_once('%').unwrap_or((&before, ""));
    out.sql(head);
    expression(out);
    out.sql(tail).sql(&format!(" {operator} ")).text(needle);
}

/// The last characters of `%`, as many as the needle has.
fn ending(dialect: Dialect, needle: &str) -> String {
    let length = needle.chars().count();
    match dialect {
        // substr(x, 0) would be all of x.
        Dialect::Sqlite if length == 0 => "substr(%, 1, 0)".into(),
        Dialect::Sqlite => format!("substr(%, -{length})"),
        Dialect::Postgres => format!("right(%, {length})"),
    }
}

/// `AND …`: the row's value passes. What can be decided on the indexed value alone bounds the range; a text longer than
/// the index keeps is compared whole.
fn value_test(out: &mut Fragment, dialect: Dialect, row: &str, test: &Test) {
    let value = format!("{row}.value");
    let whole = format!("coalesce({row}.whole, {row}.value)");
    let bound = |out: &mut Fragment, operator: &str, needle: &str| {
        out.sql(&format!(" AND {value} {operator} "))
            .text(index::prefix(needle));
    };
    match test {
        Test::Present => {}
        Test::Equal(needle) => {
            out.sql(&format!(" AND {value} = "))
                .text(index::key(needle));
        }
        Test::StartsWith(needle) => {
            let start = index::prefix(needle);
            bound(out, ">=", needle);
            if let Some(next) = successor(start) {
                out.sql(&format!(" AND {value} < ")).text(next);
            }
            if needle.len() > LONGEST {
                out.sql(" AND ");
                text_test(out, dialect, test, |out| {
                    out.sql(&whole);
                });
            }
        }
        Test::Contains(_) | Test::EndsWith(_) => {
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
        Test::Greater(needle) | Test::GreaterOrEqual(needle) => {
            bound(out, ">=", needle);
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
        Test::Less(needle) | Test::LessOrEqual(needle) => {
            if needle.len() <= LONGEST {
                bound(out, "<=", needle);
            }
            out.sql(" AND ");
            text_test(out, dialect, test, |out| {
                out.sql(&whole);
            });
        }
    }
}

/// The first text after all that begin with `start`.
fn successor(start: &str) -> Option<String> {
    let mut head: Vec<char> = start.chars().collect();
    while let Some(last) = head.pop() {
        // The code points between U+D7FF and U+E000 are no characters.
        let next = if last == '\u{d7ff}' {
            Some('\u{e000}')
        } else {
            char::from_u32(u32::from(last) + 1)
        };
        if let Some(next) = next {
            head.push(next);
            return Some(head.into_iter().collect());
        }
    }
    None
}
