//! Which records a filter can be true of at most: the test that selects the fewest finds them, the others are tried on each.

use super::peer::{Side, named_peer};
use super::value::{id_test, instant_test, value_test};
use super::{Scope, is_computed};
use crate::domain::record::external_id_path;
use crate::scim;
use crate::scim::comparable::Comparison;
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;
use crate::store::sql_nodes::Fragment;
use crate::store::{Error, Tx, attribute_path};

/// The most branches of an `or` that are tried one after the other: SQLite bounds a compound query.
const BRANCHES: usize = 100;

/// The numbers of records among which all are that a filter is true of.
#[derive(Clone)]
pub(in crate::store) struct Driver {
    /// The query that gives them.
    pub(in crate::store) rows: Fragment,
    /// What `attribute_index d` must fulfil, where they are the records of one value: the index has those in their order.
    pub(in crate::store) equal: Option<Fragment>,
    rank: u8,
}

impl Scope<'_> {
    /// Every way to find the records that may pass, the most promising first; none if all have to be looked at.
    pub(in crate::store) fn drivers(
        &self,
        tx: &mut Tx<'_>,
        condition: &Condition,
    ) -> Result<Vec<Driver>, Error> {
        let mut found = Vec::new();
        self.collect(tx, condition, &mut found)?;
        found.sort_by_key(|driver| driver.rank);
        Ok(found)
    }

    fn collect(
        &self,
        tx: &mut Tx<'_>,
        condition: &Condition,
        found: &mut Vec<Driver>,
    ) -> Result<(), Error> {
        match condition {
            Condition::Element { location, .. } | Condition::Test { location, .. }
                if self.is_secret(tx, condition, location) =>
            {
                found.push(Driver {
                    rows: self.blind_rows(tx, condition)?,
                    equal: None,
                    rank: 0,
                });
            }
            Condition::All(terms) => {
                for term in terms {
                    self.collect(tx, term, found)?;
                }
            }
            Condition::Any(terms) => found.extend(self.any(tx, terms)?),
            Condition::Not(_) => {}
            Condition::Test {
                location,
                comparison,
                test,
            } => found.extend(match Side::of(self.view.kind, location) {
                Some(side) => self.of_peer(side, condition),
                None => self.of_test(tx, location, *comparison, test)?,
            }),
            Condition::Element {
                location,
                condition,
            } => {
                if let Some(side) = Side::of(self.view.kind, location) {
                    found.extend(self.of_peer(side, condition));
                    return Ok(());
                }
                let multi_valued = self
                    .view
                    .attribute(location)
                    .is_some_and(|found| found.multi_valued);
                if !multi_valued {
                    return self.collect(tx, condition, found);
                }
                if let Some((location, comparison, test)) = best(condition) {
                    found.extend(self.of_test(tx, location, comparison, test)?);
                }
            }
        }
        Ok(())
    }

    /// Who passes one of several passes the best test of one of them.
    fn any(&self, tx: &mut Tx<'_>, terms: &[Condition]) -> Result<Option<Driver>, Error> {
        if terms.is_empty() || terms.len() > BRANCHES {
            return Ok(None);
        }
        let (mut rows, mut worst) = (Fragment::new(), 0);
        for (n, term) in terms.iter().enumerate() {
            let Some(best) = self.drivers(tx, term)?.into_iter().next() else {
                return Ok(None);
            };
            rows.sql(if n == 0 { "" } else { " UNION ALL " })
                .sql("SELECT * FROM (")
                .add(&best.rows)
                .sql(") branch");
            worst = worst.max(best.rank);
        }
        Ok(Some(Driver {
            rows,
            equal: None,
            rank: worst + 1,
        }))
    }

    fn of_test(
        &self,
        tx: &mut Tx<'_>,
        location: &Location,
        comparison: Comparison,
        test: &Test,
    ) -> Result<Option<Driver>, Error> {
        if matches!(test, Test::Present | Test::Contains(_) | Test::EndsWith(_)) {
            return Ok(None);
        }
        let rank = rank(location, comparison, test);
        if let Some(path) = self.view.canonical(location) {
            let computed = self.view.attribute(location).is_some_and(is_computed);
            if computed || self.is_unkept(location) {
                return Ok(None);
            }
            return self.of_path(tx, path, test, rank);
        }
        let columns = format!(
            "SELECT d.id FROM resource d WHERE d.tenant = {} AND d.kind = {} AND ",
            self.tenant.0,
            self.view.kind.number()
        );
        let mut rows = Fragment::new();
        rows.sql(&columns);
        match (&*location.attribute, location.sub.as_deref()) {
            ("externalId", _) => {
                return self.of_path(tx, &external_id_path(self.system), test, rank);
            }
            ("id", _) if matches!(test, Test::Equal(_)) => {
                id_test(&mut rows, tx.dialect(), "d.uuid", test);
            }
            ("meta", Some("created")) => instant_test(&mut rows, "d.created", test)?,
            ("meta", Some("lastModified")) => {
                let column = if self.open_stamp {
                    "d.modified_open"
                } else {
                    "d.modified"
                };
                instant_test(&mut rows, column, test)?;
            }
            _ => return Ok(None),
        }
        Ok(Some(Driver {
            rows,
            equal: None,
            rank,
        }))
    }

    fn of_path(
        &self,
        tx: &mut Tx<'_>,
        path: &str,
        test: &Test,
        rank: u8,
    ) -> Result<Option<Driver>, Error> {
        let mut wanted = Fragment::new();
        match attribute_path::find(tx, self.tenant, self.view.kind, path)? {
            Some(path) => {
                wanted.sql(&format!("d.path = {path}"));
                value_test(&mut wanted, tx.dialect(), "d", test);
            }
            None => {
                wanted.sql("1 = 0");
            }
        }
        let mut rows = Fragment::new();
        rows.sql("SELECT d.resource FROM attribute_index d WHERE ")
            .add(&wanted);
        Ok(Some(Driver {
            rows,
            equal: matches!(test, Test::Equal(_)).then_some(wanted),
            rank,
        }))
    }

    /// The groups of one member, or all who are in one group.
    fn of_peer(&self, side: Side, condition: &Condition) -> Option<Driver> {
        // What names no id of ours matches nothing, which is found out as fast without this.
        let id = named_peer(condition)?;
        let mut rows = Fragment::new();
        match side {
            Side::Members => {
                rows.sql(
                    "SELECT d.grp FROM group_member d WHERE d.member IN (SELECT p.id FROM resource p WHERE ",
                );
                self.is_peer(&mut rows, "p", id);
                rows.sql(")");
            }
            Side::Groups => self.all_below(&mut rows, id),
        }
        Some(Driver {
            rows,
            equal: None,
            rank: 1,
        })
    }
}

/// How few a test is likely to let through, 0 for the fewest: equal to a value before the beginning of one, anything
/// before `type` and booleans, which half of all share.
fn rank(location: &Location, comparison: Comparison, test: &Test) -> u8 {
    let shared =
        comparison.kind == scim::schema::Kind::Boolean || location.sub.as_deref() == Some("type");
    match test {
        _ if shared => 3,
        Test::Equal(_) => 0,
        Test::StartsWith(_) => 1,
        _ => 2,
    }
}

/// Of the tests that an element must pass, the one that the fewest elements are likely to: equal to a value before the
/// beginning of one, anything before `type` and booleans, which half of all elements share.
pub(super) fn driving(condition: &Condition) -> Option<(&Location, &Test)> {
    best(condition).map(|(location, _, test)| (location, test))
}

fn best(condition: &Condition) -> Option<(&Location, Comparison, &Test)> {
    let terms = match condition {
        Condition::All(terms) => terms.as_slice(),
        single => std::slice::from_ref(single),
    };
    let tests = terms.iter().filter_map(|term| match term {
        Condition::Test {
            location,
            comparison,
            test,
        } => Some((location, *comparison, test)),
        _ => None,
    });
    tests.min_by_key(|(location, comparison, test)| rank(location, *comparison, test))
}
