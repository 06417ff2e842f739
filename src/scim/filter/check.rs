//! From [`Filter`] to [`Condition`]: names resolved, types compared, needles made comparable.

use serde_json::Value;

use super::{Condition, Filter, Literal, Operator, Predicate, Test};
use crate::scim::attribute_path::AttributePath;
use crate::scim::comparable::{Comparison, comparable};
use crate::scim::error::{Error, Kind as ErrorKind, Result};
use crate::scim::resource_type::{Among, Resolved, ResourceType, unknown_sub};
use crate::scim::schema::{Attribute, Kind, Storage};

impl Filter {
    /// Checks the filter against a resource type.
    pub fn check(&self, ty: &ResourceType) -> Result<Condition> {
        self.check_among(ty.into())
    }

    /// Checks the filter against one of the types that it is for. What another alone knows has no value in this one.
    pub fn check_among(&self, among: Among<'_>) -> Result<Condition> {
        let kind = ErrorKind::InvalidFilter;
        match self {
            Self::And(terms) => every(terms, |term| term.check_among(among)).map(all),
            Self::Or(terms) => every(terms, |term| term.check_among(among)).map(any),
            Self::Not(inner) => inner.check_among(among).map(not),
            Self::Compare { path, predicate } => match among.find(path, kind)? {
                Some(found) => compare(&found, predicate, Of::Resource, kind),
                None => Ok(valueless(predicate)),
            },
            Self::ValuePath { path, filter, then } => {
                let Some(found) = among.find(path, kind)? else {
                    return Ok(NEVER);
                };
                let elsewhere = |sub: &str| {
                    let sub = Some(sub.to_owned());
                    let path = path.clone();
                    among.is_known(&AttributePath { sub, ..path })
                };
                let mut condition = filter.check_part(&found, kind, &elsewhere)?;
                if let Some((sub, predicate)) = then {
                    let test = match find_sub(&found, sub, kind) {
                        Err(_) if elsewhere(sub) => valueless(predicate),
                        sub => compare(&sub?, predicate, Of::Element, kind)?,
                    };
                    condition = match condition {
                        Condition::All(mut terms) => {
                            terms.push(test);
                            all(terms)
                        }
                        other => all(vec![other, test]),
                    };
                }
                element(&found, condition)
            }
        }
    }

    /// Checks a value filter, whose paths are sub-attributes of `whole`: what one element must pass.
    ///
    /// The elements of a simple multi-valued attribute are called `value` (RFC 7643 §2.4).
    pub fn check_element(&self, whole: &Resolved<'_>, kind: ErrorKind) -> Result<Condition> {
        self.check_part(whole, kind, &|_| false)
    }

    /// The same where another type may know a sub-attribute of this name.
    fn check_part(
        &self,
        whole: &Resolved<'_>,
        kind: ErrorKind,
        elsewhere: &dyn Fn(&str) -> bool,
    ) -> Result<Condition> {
        let check = |term: &Self| term.check_part(whole, kind, elsewhere);
        match self {
            Self::And(terms) => every(terms, check).map(all),
            Self::Or(terms) => every(terms, check).map(any),
            Self::Not(inner) => check(inner).map(not),
            Self::Compare { path, predicate } => {
                let is_name = path.schema.is_none() && path.sub.is_none();
                match element_path(whole, path, kind) {
                    Err(_) if is_name && elsewhere(&path.attribute) => Ok(valueless(predicate)),
                    found => compare(&found?, predicate, Of::Element, kind),
                }
            }
            Self::ValuePath { path, .. } => Err(Error::new(
                kind,
                format!(
                    "the value filter of '{}' cannot hold '{path}[…]'",
                    whole.location
                ),
            )),
        }
    }
}

/// The element condition; of a simple attribute each value is its own element, so its tests stand alone.
fn element(found: &Resolved<'_>, condition: Condition) -> Result<Condition> {
    if condition.is_never() {
        return Ok(NEVER);
    }
    if found.attribute.kind == Kind::Complex {
        return Ok(Condition::Element {
            location: found.location.whole(),
            condition: Box::new(condition),
        });
    }
    match condition {
        test @ Condition::Test { .. } => Ok(test),
        Condition::Any(terms) => {
            let terms = terms.into_iter().map(|term| element(found, term));
            terms.collect::<Result<_>>().map(Condition::Any)
        }
        _ => Err(Error::invalid_filter(format!(
            "the values of '{}' are simple: compare 'value' once, or several times joined by 'or'",
            found.location
        ))),
    }
}

fn every(terms: &[Filter], check: impl Fn(&Filter) -> Result<Condition>) -> Result<Vec<Condition>> {
    terms.iter().map(check).collect()
}

/// What nothing passes.
const NEVER: Condition = Condition::Any(Vec::new());

/// Of several of which each must hold, one that never does decides.
fn all(terms: Vec<Condition>) -> Condition {
    if terms.contains(&NEVER) {
        return NEVER;
    }
    Condition::All(terms)
}

/// Of several of which one must hold, those that never do can be left out.
fn any(mut terms: Vec<Condition>) -> Condition {
    terms.retain(|term| *term != NEVER);
    match terms.len() {
        1 => terms.remove(0),
        _ => Condition::Any(terms),
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

/// What a test comes to where there is never a value.
fn valueless(predicate: &Predicate) -> Condition {
    match predicate {
        Predicate::Compare(Operator::Equal, Literal::Null) => not(NEVER),
        Predicate::Compare(Operator::NotEqual, literal) if *literal != Literal::Null => not(NEVER),
        _ => NEVER,
    }
}

impl Condition {
    /// Whether it is plain that nothing passes.
    #[must_use]
    pub fn is_never(&self) -> bool {
        *self == NEVER
    }
}

fn find_sub<'a>(whole: &Resolved<'a>, name: &str, kind: ErrorKind) -> Result<Resolved<'a>> {
    whole
        .sub(name)
        .ok_or_else(|| Error::new(kind, unknown_sub(whole, name)))
}

fn element_path<'a>(
    whole: &Resolved<'a>,
    path: &AttributePath,
    kind: ErrorKind,
) -> Result<Resolved<'a>> {
    if path.schema.is_some() || path.sub.is_some() {
        return Err(Error::new(
            kind,
            format!(
                "'{path}' cannot stand in the value filter of '{}': name a sub-attribute alone",
                whole.location
            ),
        ));
    }
    let is_simple_list = whole.attribute.multi_valued && whole.attribute.kind != Kind::Complex;
    if is_simple_list && path.attribute.eq_ignore_ascii_case("value") {
        return Ok(whole.whole());
    }
    find_sub(whole, &path.attribute, kind)
}

/// Of what a test is: of some value in the resource, or of the one element that a value filter looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Resource,
    Element,
}

fn compare(
    found: &Resolved<'_>,
    predicate: &Predicate,
    of: Of,
    kind: ErrorKind,
) -> Result<Condition> {
    let leaf = found.leaf();
    if found.attribute.secret {
        // Found by a blind index: whoever may search may ask for what he knows already, and for nothing else.
        if !matches!(predicate, Predicate::Compare(Operator::Equal, literal) if *literal != Literal::Null)
        {
            return Err(Error::new(
                kind,
                format!(
                    "'{}' is secret: it can be compared by 'eq' alone",
                    found.location
                ),
            ));
        }
    } else {
        refuse_hidden(found, kind)?;
    }
    match predicate {
        Predicate::Present | Predicate::Compare(Operator::NotEqual, Literal::Null) => {
            Ok(present(found))
        }
        Predicate::Compare(Operator::Equal, Literal::Null) => Ok(not(present(found))),
        Predicate::Compare(operator, literal) if leaf.kind == Kind::Complex => {
            // RFC 7643 §2.4: a complex attribute stands for its value.
            let value = found.sub("value").ok_or_else(|| {
                Error::new(
                    kind,
                    format!(
                        "'{}' is complex: compare one of its sub-attributes",
                        found.location
                    ),
                )
            })?;
            if !found.attribute.secret {
                refuse_hidden(&value, kind)?;
            }
            test(&value, (*operator, literal), of, kind)
        }
        Predicate::Compare(operator, literal) => test(found, (*operator, literal), of, kind),
    }
}

/// What is never returned cannot be searched: totals would tell it.
fn refuse_hidden(found: &Resolved<'_>, kind: ErrorKind) -> Result<()> {
    if found.attribute.is_searchable() && found.leaf().is_searchable() {
        return Ok(());
    }
    Err(Error::new(
        kind,
        format!(
            "'{}' is never returned, so it cannot be searched",
            found.location
        ),
    ))
}

fn present(found: &Resolved<'_>) -> Condition {
    let of_leaf = |leaf: &Resolved<'_>| Condition::Test {
        location: leaf.location.clone(),
        comparison: Comparison::of(leaf.leaf()),
        test: Test::Present,
    };
    if found.leaf().kind != Kind::Complex {
        return of_leaf(found);
    }
    if let (Storage::Rows, Some(value)) = (found.attribute.storage, found.sub("value")) {
        return of_leaf(&value);
    }
    // RFC 7644 §3.4.2.2: a complex attribute is present if any of its sub-attributes is.
    let subs = found.subs().filter(|sub| sub.leaf().is_searchable());
    Condition::Any(subs.map(|sub| of_leaf(&sub)).collect())
}

fn test(
    found: &Resolved<'_>,
    (operator, literal): (Operator, &Literal),
    of: Of,
    kind: ErrorKind,
) -> Result<Condition> {
    let attribute = found.leaf();
    let fits = match operator {
        Operator::Equal | Operator::NotEqual => true,
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            matches!(
                attribute.kind,
                Kind::String | Kind::Reference | Kind::Binary
            )
        }
        _ => !matches!(attribute.kind, Kind::Boolean | Kind::Binary),
    };
    if !fits || *literal == Literal::Null {
        let wanted = if fits {
            "'eq' or 'ne' with null"
        } else {
            "another operator"
        };
        return Err(Error::new(
            kind,
            format!(
                "'{}' does not fit '{}', which is {}: use {wanted}",
                operator.keyword(),
                found.location,
                type_name(attribute.kind)
            ),
        ));
    }
    let needle = needle(attribute, literal).ok_or_else(|| {
        let (location, wanted) = (&found.location, type_name(attribute.kind));
        Error::new(kind, format!("'{location}' is {wanted}; {literal} is not"))
    })?;
    let passes = |test| Condition::Test {
        location: found.location.clone(),
        comparison: Comparison::of(attribute),
        test,
    };
    let equals = |needle: String| {
        if !is_primary(found) || needle != FALSE {
            return passes(Test::Equal(needle));
        }
        let other = not(passes(Test::Equal(TRUE.to_owned())));
        match of {
            Of::Element => other,
            Of::Resource => Condition::Element {
                location: found.location.whole(),
                condition: Box::new(other),
            },
        }
    };
    Ok(match operator {
        Operator::Equal => equals(needle),
        Operator::NotEqual => not(equals(needle)),
        Operator::Contains => passes(Test::Contains(needle)),
        Operator::StartsWith => passes(Test::StartsWith(needle)),
        Operator::EndsWith => passes(Test::EndsWith(needle)),
        Operator::Greater => passes(Test::Greater(needle)),
        Operator::GreaterOrEqual => passes(Test::GreaterOrEqual(needle)),
        Operator::Less => passes(Test::Less(needle)),
        Operator::LessOrEqual => passes(Test::LessOrEqual(needle)),
    })
}

/// The comparable forms of the booleans.
const TRUE: &str = "true";
const FALSE: &str = "false";

/// Whether this says which element is the primary one. RFC 7643 §2.4: an element that does not say it is not, so that
/// `eq false` asks for an element of which it is not true.
fn is_primary(found: &Resolved<'_>) -> bool {
    let is_boolean = found.leaf().kind == Kind::Boolean;
    is_boolean && found.attribute.multi_valued && found.location.sub.as_deref() == Some("primary")
}

/// The comparable form of a literal, or nothing if it is not of the attribute's type.
fn needle(attribute: &Attribute, literal: &Literal) -> Option<String> {
    let value = match (attribute.kind, literal) {
        // Entra ID writes booleans as strings.
        (Kind::Boolean, Literal::String(text)) => Value::Bool(boolean(text)?),
        _ => literal.to_value(),
    };
    comparable(attribute, &value)
}

/// `true` or `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// The type in words, for an error's detail.
pub(crate) fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Boolean => "a boolean (true or false)",
        Kind::Decimal => "a number",
        Kind::Integer => "a whole number",
        Kind::DateTime => "a dateTime such as \"2026-11-22T14:59:13Z\"",
        Kind::Reference => "a reference (a string)",
        Kind::Binary => "binary (a base64 string)",
        Kind::Complex => "complex (an object)",
    }
}
