//! Whether a document passes a [`Condition`]; the store's SQL means the same.

use serde_json::Value;

use super::{Condition, Test};
use crate::scim::Map;
use crate::scim::comparable::Comparison;
use crate::scim::document;
use crate::scim::resource_type::Location;

impl Condition {
    /// Whether a document passes.
    #[must_use]
    pub fn matches(&self, document: &Map) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.matches(document)),
            Self::Any(terms) => terms.iter().any(|term| term.matches(document)),
            Self::Not(inner) => !inner.matches(document),
            Self::Test {
                location,
                comparison,
                test,
            } => document::values(document, location).any(|value| test.passes(*comparison, value)),
            Self::Element {
                location,
                condition,
            } => document::elements(document, location)
                .iter()
                .any(|element| condition.matches_element(element)),
        }
    }

    /// Whether one element of a complex attribute passes; the locations are its sub-attributes.
    #[must_use]
    pub fn matches_element(&self, element: &Value) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.matches_element(element)),
            Self::Any(terms) => terms.iter().any(|term| term.matches_element(element)),
            Self::Not(inner) => !inner.matches_element(element),
            Self::Test {
                location,
                comparison,
                test,
            } => document::within(element, location)
                .iter()
                .any(|value| test.passes(*comparison, value)),
            Self::Element { condition, .. } => condition.matches_element(element),
        }
    }

    /// Every location that the condition looks at, in order, as often as it does.
    pub fn locations(&self) -> Vec<&Location> {
        match self {
            Self::All(terms) | Self::Any(terms) => terms.iter().flat_map(Self::locations).collect(),
            Self::Not(inner) => inner.locations(),
            Self::Test { location, .. } => vec![location],
            Self::Element { condition, .. } => condition.locations(),
        }
    }
}

impl Test {
    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, comparison: Comparison, value: &Value) -> bool {
        comparison.text(value).is_some_and(|text| match self {
            Self::Present => true,
            Self::Equal(needle) => text == *needle,
            Self::Contains(needle) => text.contains(needle),
            Self::StartsWith(needle) => text.starts_with(needle),
            Self::EndsWith(needle) => text.ends_with(needle),
            Self::Greater(needle) => text > *needle,
            Self::GreaterOrEqual(needle) => text >= *needle,
            Self::Less(needle) => text < *needle,
            Self::LessOrEqual(needle) => text <= *needle,
        })
    }
}
