//! The log as a list: a checked filter as SQL over the columns of its table. What stands in the bodies alone is for the caller
//! to sift, since bodies are encrypted.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;

use super::db::Dialect;
use super::filter::{id_test, instant_test, text_test};
use super::sql_nodes::Fragment;
use super::{Error, Tx, event};
use crate::domain::access::Untold;
use crate::domain::audit_event;
use crate::domain::context::Client;
use crate::id::{ResourceId, TenantId};
use crate::scim;
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;

/// What to list.
pub struct Query<'a> {
    /// The tenant.
    pub tenant: TenantId,
    /// The filter.
    pub condition: Option<&'a Condition>,
    /// Whether the newest come first.
    pub descending: bool,
    /// Who reads, and may not be told of all.
    pub reader: &'a Client,
}

/// The columns that are texts, by attribute.
const TEXTS: [(&str, &str); 6] = [
    ("type", "event.type"),
    ("resourceType", "event.resource_type"),
    ("client", "event.client"),
    ("actor", "event.client"),
    ("correlationId", "event.correlation"),
    ("purpose", "event.purpose"),
];

/// Splits a filter that must hold as a whole into what the columns say, and what only the bodies do.
#[must_use]
pub fn split(condition: Condition) -> (Option<Condition>, Option<Condition>) {
    let terms = match condition {
        Condition::All(terms) => terms,
        other => vec![other],
    };
    let (kept, sifted): (Vec<_>, Vec<_>) = terms.into_iter().partition(is_of_columns);
    let all = |terms: Vec<Condition>| (!terms.is_empty()).then_some(Condition::All(terms));
    (all(kept), all(sifted))
}

fn is_of_columns(condition: &Condition) -> bool {
    match condition {
        Condition::All(terms) | Condition::Any(terms) => terms.iter().all(is_of_columns),
        Condition::Not(inner) => is_of_columns(inner),
        Condition::Test { location, .. } => is_column(location),
        Condition::Element { .. } => false,
    }
}

/// Whether an attribute is a column of the log, or of what hangs on it.
fn is_column(location: &Location) -> bool {
    let name = &*location.attribute;
    audit_event::COLUMNS.contains(&name)
        || name == "meta" && matches!(location.sub.as_deref(), Some("created" | "lastModified"))
}

/// How many match.
pub fn total(tx: &mut Tx<'_>, query: &Query<'_>) -> Result<i64, Error> {
    let mut count = Fragment::<BigInt>::new();
    count.sql("SELECT count(*) FROM event WHERE ");
    query.write(&mut count, tx.dialect())?;
    count
        .whole::<BigInt>()
        .get_result(tx.db())
        .map_err(|error| tx.explain(error))
}

/// Some of them: the place in the log and the body, after a place or after so many.
pub fn list(
    tx: &mut Tx<'_>,
    query: &Query<'_>,
    after: Option<i64>,
    (offset, limit): (i64, i64),
) -> Result<Vec<(i64, Value)>, Error> {
    let mut out = Fragment::<BigInt>::new();
    out.sql("SELECT event.seq FROM event WHERE ");
    query.write(&mut out, tx.dialect())?;
    let (operator, order) = if query.descending {
        ("<", "DESC")
    } else {
        (">", "ASC")
    };
    if let Some(after) = after {
        out.sql(&format!(" AND event.seq {operator} "))
            .number(after);
    }
    out.sql(&format!(
        " ORDER BY event.seq {order} LIMIT {limit} OFFSET {offset}"
    ));
    let places: Vec<i64> = out
        .whole::<BigInt>()
        .load(tx.db())
        .map_err(|error| tx.explain(error))?;
    event::at(tx, &places)
}

impl Query<'_> {
    fn write<T>(&self, out: &mut Fragment<T>, dialect: Dialect) -> Result<(), Error> {
        out.sql(&format!("event.tenant = {}", self.tenant.0));
        if let Some(condition) = self.condition {
            let mut filter = Fragment::new();
            self.condition(&mut filter, dialect, condition)?;
            out.sql(" AND ").add(&filter);
        }
        if let Some(untold) = self.reader.clearance.untold() {
            keep_untold(out, untold, &self.reader.name);
        }
        Ok(())
    }

    fn condition(
        &self,
        out: &mut Fragment,
        dialect: Dialect,
        condition: &Condition,
    ) -> Result<(), Error> {
        match condition {
            Condition::All(terms) | Condition::Any(terms) => {
                let (operator, none) = if matches!(condition, Condition::All(_)) {
                    (" AND ", "1 = 1")
                } else {
                    (" OR ", "1 = 0")
                };
                out.sql("(");
                for (n, term) in terms.iter().enumerate() {
                    out.sql(if n > 0 { operator } else { "" });
                    self.condition(out, dialect, term)?;
                }
                out.sql(if terms.is_empty() { none } else { "" }).sql(")");
                Ok(())
            }
            Condition::Not(inner) => {
                out.sql("NOT (");
                self.condition(out, dialect, inner)?;
                out.sql(")");
                Ok(())
            }
            Condition::Test { location, test, .. } => {
                // A column without a value passes no test, and so the opposite of each.
                out.sql("((");
                self.test(out, dialect, location, test)?;
                out.sql(") IS TRUE)");
                Ok(())
            }
            Condition::Element { location, .. } => Err(unkept(location)),
        }
    }

    fn test(
        &self,
        out: &mut Fragment,
        dialect: Dialect,
        location: &Location,
        test: &Test,
    ) -> Result<(), Error> {
        let name = &*location.attribute;
        let present = *test == Test::Present;
        if let Some((_, column)) = TEXTS.iter().find(|(attribute, _)| *attribute == name) {
            if present {
                out.sql(&format!("coalesce({column}, '') <> ''"));
                return Ok(());
            }
            let ordered = if dialect == Dialect::Postgres {
                format!("({column} COLLATE \"C\")")
            } else {
                (*column).to_owned()
            };
            text_test(out, dialect, test, |out| {
                out.sql(&ordered);
            });
            return Ok(());
        }
        match (name, location.sub.as_deref()) {
            ("id", _) => id_test(out, dialect, "event.id", test),
            ("resourceId", _) => id_test(out, dialect, "event.resource", test),
            ("personId", _) => self.person(out, dialect, test),
            ("applicationId", _) if present => {
                out.sql("event.application IS NOT NULL");
            }
            ("applicationId", _) => id_test(out, dialect, "event.application", test),
            ("recordedAt", _) | ("meta", Some("created" | "lastModified")) => {
                instant_test(out, "event.recorded", test)?;
            }
            ("version", _) => version(out, test)?,
            ("attributes", _) => attributes(out, dialect, test)?,
            _ => return Err(unkept(location)),
        }
        Ok(())
    }

    /// The person is the event's record, or one of those that were read.
    fn person(&self, out: &mut Fragment, dialect: Dialect, test: &Test) {
        let tenant = self.tenant.0;
        if let Test::Equal(needle) = test
            && needle.parse::<ResourceId>().is_ok()
        {
            out.sql(&format!(
                "event.seq IN (SELECT p.seq FROM event p WHERE p.tenant = {tenant} AND p.type LIKE 'person.%' AND "
            ));
            id_test(out, dialect, "p.resource", test);
            out.sql(&format!(
                " UNION ALL SELECT p.seq FROM event p WHERE p.tenant = {tenant} AND "
            ));
            id_test(out, dialect, "p.person", test);
            out.sql(&format!(
                " UNION ALL SELECT p.seq FROM event_subject s JOIN event p ON p.id = s.event WHERE s.tenant = {tenant} AND "
            ));
            id_test(out, dialect, "s.subject", test);
            out.sql(")");
            return;
        }
        if *test == Test::Present {
            out.sql("(event.type LIKE 'person.%' OR event.person IS NOT NULL)");
            return;
        }
        out.sql("((event.type LIKE 'person.%' AND ");
        id_test(out, dialect, "event.resource", test);
        out.sql(") OR ");
        id_test(out, dialect, "event.person", test);
        out.sql(")");
    }
}

/// Leaves out what the reader is not told: where nothing is left of an event's attributes but what it does not see, what others
/// have read, and reviews.
fn keep_untold<T>(out: &mut Fragment<T>, untold: &Untold, reader: &str) {
    for of in &untold.kinds {
        out.sql(" AND NOT (event.type IN (");
        for (n, kind) in of.types.iter().enumerate() {
            out.sql(if n > 0 { ", " } else { "" }).text(kind);
        }
        out.sql(") AND trim(");
        for _ in &of.paths {
            out.sql("replace(");
        }
        out.sql("coalesce(event.attributes, '')");
        for path in &of.paths {
            out.sql(", ").text(format!(" {path} ")).sql(", ' ')");
        }
        out.sql(") = '')");
    }
    out.sql(" AND (event.type NOT LIKE '%.read' OR event.client = ")
        .text(reader)
        .sql(")");
    if untold.reviews {
        out.sql(" AND event.resource_type <> 'Review'");
    }
}

fn version(out: &mut Fragment, test: &Test) -> Result<(), Error> {
    let (operator, needle) = match test {
        Test::Present => {
            out.sql("event.version IS NOT NULL");
            return Ok(());
        }
        Test::Equal(needle) => ("=", needle),
        Test::Greater(needle) => (">", needle),
        Test::GreaterOrEqual(needle) => (">=", needle),
        Test::Less(needle) => ("<", needle),
        Test::LessOrEqual(needle) => ("<=", needle),
        _ => return Err(fault("'version' is a number: compare it as one")),
    };
    let number = scim::comparable::integer_of(needle);
    let number = number.ok_or_else(|| fault("'version' is a whole number"))?;
    out.sql(&format!("event.version {operator} "))
        .number(number);
    Ok(())
}

/// The names stand between spaces.
fn attributes(out: &mut Fragment, dialect: Dialect, test: &Test) -> Result<(), Error> {
    let wanted = match test {
        Test::Present => {
            out.sql("event.attributes IS NOT NULL");
            return Ok(());
        }
        Test::Equal(name) => format!(" {name} "),
        Test::StartsWith(start) => format!(" {start}"),
        Test::EndsWith(end) => format!("{end} "),
        Test::Contains(part) => part.clone(),
        _ => {
            return Err(fault(
                "the names of 'attributes' have no order: use eq, sw, ew or co",
            ));
        }
    };
    text_test(out, dialect, &Test::Contains(wanted), |out| {
        out.sql("event.attributes");
    });
    Ok(())
}

fn fault(detail: &str) -> Error {
    Error::Filter(scim::Error::invalid_filter(detail))
}

fn unkept(location: &Location) -> Error {
    let columns = audit_event::COLUMNS.join(", ");
    fault(&format!(
        "no column of the log is '{location}': ask by {columns}"
    ))
}
