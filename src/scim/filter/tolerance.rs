//! A filter as a client of some profile writes it: what is taken beyond the grammar, and what is refused within it.

use super::lexer::number;
use super::parser::parse_as;
use super::{Condition, Filter, Literal, Predicate};
use crate::scim::error::{Error, Kind as ErrorKind, Result};
use crate::scim::profile::{Habit, Profile};
use crate::scim::resource_type::{Among, Resolved, ResourceType};
use crate::scim::schema::Kind;

/// Reads a filter and checks it against a resource type.
pub fn condition(text: &str, ty: &ResourceType, profile: Profile) -> Result<Condition> {
    condition_among(text, ty.into(), profile)
}

/// The same against one of the types that it is for.
pub fn condition_among(text: &str, among: Among<'_>, profile: Profile) -> Result<Condition> {
    let mut filter = parse_as(text, profile)?;
    if profile.allows(Habit::BareLiterals) {
        filter.read_numbers(among.ty);
    }
    if !profile.allows(Habit::OtherUrns) {
        filter.refuse_other_urns(among)?;
    }
    if !profile.allows(Habit::BooleanStrings) {
        filter.refuse_boolean_strings_in(among)?;
    }
    filter.check_among(among)
}

impl Filter {
    /// A bare literal is a text until its attribute is known to be a number.
    fn read_numbers(&mut self, ty: &ResourceType) {
        match self {
            Self::And(terms) | Self::Or(terms) => {
                for term in terms {
                    term.read_numbers(ty);
                }
            }
            Self::Not(inner) => inner.read_numbers(ty),
            Self::ValuePath { .. } => {}
            Self::Compare { path, predicate } => {
                if let (Some(found), Predicate::Compare(_, literal)) = (ty.resolve(path), predicate)
                    && matches!(found.leaf().kind, Kind::Integer | Kind::Decimal)
                    && let Literal::String(text) = literal
                    && let Some(read) = number(text)
                {
                    *literal = Literal::Number(read);
                }
            }
        }
    }

    /// Refuses schemas that are named otherwise than by their own URN.
    fn refuse_other_urns(&self, among: Among<'_>) -> Result<()> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms
                .iter()
                .try_for_each(|term| term.refuse_other_urns(among)),
            Self::Not(inner) => inner.refuse_other_urns(among),
            Self::Compare { path, .. } | Self::ValuePath { path, .. } => {
                if among.is_known_exactly(path) {
                    return Ok(());
                }
                Err(Error::invalid_filter(among.ty.unknown(path)))
            }
        }
    }

    fn refuse_boolean_strings_in(&self, among: Among<'_>) -> Result<()> {
        let kind = ErrorKind::InvalidFilter;
        match self {
            Self::And(terms) | Self::Or(terms) => terms
                .iter()
                .try_for_each(|term| term.refuse_boolean_strings_in(among)),
            Self::Not(inner) => inner.refuse_boolean_strings_in(among),
            Self::Compare { path, predicate } => match among.find(path, kind)? {
                Some(found) => refuse_boolean_string(&found, predicate, kind),
                None => Ok(()),
            },
            Self::ValuePath { path, filter, then } => {
                let Some(whole) = among.find(path, kind)? else {
                    return Ok(());
                };
                filter.refuse_boolean_strings(&whole, kind)?;
                match then {
                    Some((sub, predicate)) => match whole.sub(sub) {
                        Some(sub) => refuse_boolean_string(&sub, predicate, kind),
                        None => Ok(()),
                    },
                    None => Ok(()),
                }
            }
        }
    }

    /// Refuses `primary eq "True"` in a value filter; names that do not exist are another check's.
    pub(crate) fn refuse_boolean_strings(
        &self,
        whole: &Resolved<'_>,
        kind: ErrorKind,
    ) -> Result<()> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms
                .iter()
                .try_for_each(|term| term.refuse_boolean_strings(whole, kind)),
            Self::Not(inner) => inner.refuse_boolean_strings(whole, kind),
            Self::Compare { path, predicate } => match whole.sub(&path.attribute) {
                Some(sub) => refuse_boolean_string(&sub, predicate, kind),
                None => Ok(()),
            },
            Self::ValuePath { .. } => Ok(()),
        }
    }
}

fn refuse_boolean_string(
    found: &Resolved<'_>,
    predicate: &Predicate,
    kind: ErrorKind,
) -> Result<()> {
    match predicate {
        Predicate::Compare(_, Literal::String(text)) if found.leaf().kind == Kind::Boolean => {
            Err(Error::new(
                kind,
                format!(
                    "'{}' is a boolean: write true or false without quotes, not \"{text}\"",
                    found.location
                ),
            ))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
