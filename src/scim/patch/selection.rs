//! Which elements of an attribute an operation means, and what a new one starts from.

use serde_json::Value;

use super::apply::{is_read_only, no_target};
use crate::scim::error::{Kind as ErrorKind, Result};
use crate::scim::filter::{Condition, Filter, Literal, Operator, Predicate};
use crate::scim::resource_type::{Location, Resolved};

/// Which elements an operation means.
pub(super) enum Selection<'a> {
    /// All, for want of a filter.
    All,
    /// Those that pass a filter.
    Passing {
        condition: Condition,
        /// What an element needs to pass, if the filter is made of `eq` alone.
        wanted: Option<Vec<(Resolved<'a>, Value)>>,
    },
}

impl<'a> Selection<'a> {
    pub(super) fn new(filter: &Filter, whole: &Resolved<'a>) -> Result<Self> {
        Ok(Self::Passing {
            condition: filter.check_element(whole, ErrorKind::InvalidPath)?,
            wanted: wanted(filter, whole),
        })
    }

    pub(super) fn selects(&self, element: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Passing { condition, .. } => condition.matches_element(element),
        }
    }

    /// What a new element starts from.
    pub(super) fn wanted(&self, location: &Location) -> Result<Vec<(Resolved<'a>, Value)>> {
        match self {
            Self::All => Ok(Vec::new()),
            Self::Passing { wanted, .. } => wanted.clone().ok_or_else(|| no_target(location)),
        }
    }
}

fn wanted<'a>(filter: &Filter, whole: &Resolved<'a>) -> Option<Vec<(Resolved<'a>, Value)>> {
    let terms = match filter {
        Filter::And(terms) => terms.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut found: Vec<(Resolved<'a>, Value)> = Vec::new();
    for term in terms {
        let Filter::Compare {
            path,
            predicate: Predicate::Compare(Operator::Equal, literal),
        } = term
        else {
            return None;
        };
        let sub = whole
            .sub(&path.attribute)
            .filter(|sub| !is_read_only(sub))?;
        let twice = found
            .iter()
            .any(|(known, _)| known.location == sub.location);
        if twice || *literal == Literal::Null {
            return None;
        }
        found.push((sub, literal.to_value()));
    }
    Some(found)
}
