//! A value path: one element of a multi-valued attribute passes.

use std::collections::HashMap;

use super::driver::driving;
use super::value::value_test;
use super::{Scope, unsupported};
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;
use crate::store::sql_nodes::Fragment;
use crate::store::{Error, Tx, attribute_path};

impl Scope<'_> {
    /// Some one element of a multi-valued attribute passes.
    pub(super) fn indexed_element(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        (location, path): (&Location, &str),
        condition: &Condition,
    ) -> Result<(), Error> {
        let dialect = tx.dialect();
        let mut known = HashMap::new();
        for location in condition.locations() {
            if let Some(path) = self.view.canonical(location) {
                let id = attribute_path::find(tx, self.tenant, self.view.kind, path)?;
                known.insert(location.clone(), id);
            }
        }
        // The element is found by its most telling value, or, where nothing must be there, by the row of its existence.
        let driver = driving(condition);
        let found = match driver {
            Some((location, _)) => known.get(location).copied().flatten(),
            None => attribute_path::find(tx, self.tenant, self.view.kind, path)?,
        };
        let Some(found) = found else {
            out.sql("1 = 0");
            return Ok(());
        };
        out.sql(&self.form.rows("e"))
            .sql(&format!("e.path = {found}"));
        match driver {
            Some((_, test)) => value_test(out, dialect, "e", test),
            None => self.is_shown(tx, out, location)?,
        }
        out.sql(" AND ");
        inside(out, condition, &mut |out, location, test| {
            if driver.is_some_and(|(at, driving)| at == location && std::ptr::eq(driving, test)) {
                out.sql("1 = 1");
                return Ok(());
            }
            let Some(path) = known.get(location).copied().flatten() else {
                out.sql("1 = 0");
                return Ok(());
            };
            let close = self.open(dialect, out);
            out.sql(&format!(
                "EXISTS (SELECT 1 FROM attribute_index i WHERE i.resource = e.resource AND i.path = {path} AND i.element = e.element"
            ));
            value_test(out, dialect, "i", test);
            out.sql(")").sql(close);
            Ok(())
        })?;
        out.sql(")");
        Ok(())
    }

    /// `AND …`: the view shows some part of the element. Another view of the record may know parts that this one does not,
    /// and an element of nothing else is none here.
    fn is_shown(
        &self,
        tx: &mut Tx<'_>,
        out: &mut Fragment,
        location: &Location,
    ) -> Result<(), Error> {
        let mut paths = Vec::new();
        let attribute = self.view.attribute(location);
        for sub in attribute
            .into_iter()
            .flat_map(|whole| &whole.sub_attributes)
        {
            let part = Location {
                sub: Some(sub.name.clone()),
                ..location.clone()
            };
            if let Some(path) = self.view.canonical(&part) {
                paths.extend(
                    attribute_path::find(tx, self.tenant, self.view.kind, path)?
                        .map(|id| id.to_string()),
                );
            }
        }
        if paths.is_empty() {
            // Simple values have no parts.
            let simple = attribute.is_none_or(|whole| whole.sub_attributes.is_empty());
            out.sql(if simple { "" } else { " AND 1 = 0" });
            return Ok(());
        }
        out.sql(
            " AND EXISTS (SELECT 1 FROM attribute_index p WHERE p.resource = e.resource AND p.element = e.element AND p.path IN (",
        );
        out.sql(&paths.join(", ")).sql("))");
        Ok(())
    }
}

type Leaf<'a> = &'a mut dyn FnMut(&mut Fragment, &Location, &Test) -> Result<(), Error>;

/// A condition on one element, its leaves written by `leaf`.
pub(super) fn inside(
    out: &mut Fragment,
    condition: &Condition,
    leaf: Leaf<'_>,
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
