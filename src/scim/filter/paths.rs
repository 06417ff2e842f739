//! What a filter names.

use super::Filter;
use crate::scim::attribute_path::AttributePath;

impl Filter {
    /// Every attribute that the filter names, in order, as often as it does; of a value path its sub-attributes.
    #[must_use]
    pub fn paths(&self) -> Vec<AttributePath> {
        match self {
            Self::And(terms) | Self::Or(terms) => terms.iter().flat_map(Self::paths).collect(),
            Self::Not(inner) => inner.paths(),
            Self::Compare { path, .. } => vec![path.clone()],
            Self::ValuePath { path, filter, then } => {
                let inner = filter.paths().into_iter().map(|inner| inner.attribute);
                let then = then.iter().map(|(name, _)| name.clone());
                let sub = |name| AttributePath {
                    sub: Some(name),
                    ..path.clone()
                };
                inner.chain(then).map(sub).collect()
            }
        }
    }
}
