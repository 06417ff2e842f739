//! Filters (RFC 7644 §3.4.2.2), in two states: [`Filter`] as parsed, [`Condition`] as checked against a type.
//!
//! ```text
//! or      = and *( "or" and )
//! and     = term *( "and" term )
//! term    = [ "not" ] "(" or ")" / path "[" or "]" [ "." name test ] / path test
//! test    = "pr" / operator literal
//! literal = JSON string / JSON number / "true" / "false" / "null"
//! ```
//! Operators, `and`, `or`, `not` and attribute names are case-insensitive; `and` binds tighter than `or`.

mod check;
mod evaluate;
mod lexer;
mod parser;
mod paths;
mod print;
mod tolerance;

use serde_json::{Number, Value};

use super::attribute_path::AttributePath;
use super::comparable::Comparison;
use super::resource_type::Location;

pub(crate) use check::{boolean, type_name};
pub(crate) use parser::parse_value_path;
pub use parser::{parse, parse_as};
pub use tolerance::{condition, condition_among};

/// How long a filter's text may be, in bytes.
pub const MAX_BYTES: usize = 16 * 1024;
/// How deep groups, `not` and value filters may nest.
pub const MAX_DEPTH: usize = 32;
/// How many comparisons a filter may hold.
pub const MAX_COMPARISONS: usize = 256;

/// A filter as parsed: well-formed, but its names are not yet known to exist.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every one holds; at least two, none of them an `And`.
    And(Vec<Filter>),
    /// At least one holds; at least two, none of them an `Or`.
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// An attribute passes a test.
    Compare {
        /// The attribute.
        path: AttributePath,
        /// The test.
        predicate: Predicate,
    },
    /// Some element of a complex attribute passes: `emails[type eq "work"]`.
    ValuePath {
        /// The complex attribute.
        path: AttributePath,
        /// What the element must pass; its paths are sub-attributes.
        filter: Box<Filter>,
        /// What a sub-attribute of the same element must pass besides: `….value sw "a"`.
        then: Option<(String, Predicate)>,
    },
}

/// What is asked of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// It has a value (`pr`).
    Present,
    /// It compares with a literal.
    Compare(Operator, Literal),
}

/// The comparison operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `eq`
    Equal,
    /// `ne`
    NotEqual,
    /// `co`
    Contains,
    /// `sw`
    StartsWith,
    /// `ew`
    EndsWith,
    /// `gt`
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

impl Operator {
    const ALL: [Self; 9] = [
        Self::Equal,
        Self::NotEqual,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// The operator as written.
    #[must_use]
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }
}

/// A JSON scalar that an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A string.
    String(String),
    /// A number.
    Number(Number),
    /// true or false.
    Boolean(bool),
    /// null: no value.
    Null,
}

impl Literal {
    /// The literal as a JSON value.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Self::String(text) => Value::from(text.as_str()),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Boolean(truth) => Value::Bool(*truth),
            Self::Null => Value::Null,
        }
    }
}

/// A filter checked against a resource type: canonical locations, needles in comparable form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Every one holds.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold; so also where there is no value.
    Not(Box<Condition>),
    /// Some value at the location passes.
    Test {
        /// A leaf: never a complex attribute as a whole.
        location: Location,
        /// How the leaf's values compare.
        comparison: Comparison,
        /// What is asked.
        test: Test,
    },
    /// Some element of this complex attribute passes.
    Element {
        /// The complex attribute, without a sub-attribute.
        location: Location,
        /// What the element must pass; its locations carry the sub-attribute.
        condition: Box<Condition>,
    },
}

/// What is asked of a value's comparable text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Test {
    /// There is a value.
    Present,
    /// It is this.
    Equal(String),
    /// It has this in it.
    Contains(String),
    /// It begins so.
    StartsWith(String),
    /// It ends so.
    EndsWith(String),
    /// It comes after this.
    Greater(String),
    /// It is this or comes after it.
    GreaterOrEqual(String),
    /// It comes before this.
    Less(String),
    /// It is this or comes before it.
    LessOrEqual(String),
}

#[cfg(test)]
mod tests;
