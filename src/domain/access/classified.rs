//! What the policy classifies, whoever reads: so that a change of it alone does not show in the second stamp, and nothing
//! that is hidden from somebody takes the `primary` mark from what is not.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::catalog::Catalog;
use crate::domain::policy::{Policy, selector};
use crate::domain::record::Leaves;
use crate::domain::view::View;
use crate::scim::attribute_path::AttributePath;
use crate::scim::filter::Condition;

use super::compile::element;

/// Rows of masking by canonical path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classified(BTreeMap<String, Vec<Row>>);

/// Which elements, if not all, and which part of them, if not the whole.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    part: Option<Condition>,
    sub: Option<String>,
}

impl Classified {
    /// What a policy classifies.
    #[must_use]
    pub fn of(policy: &Policy, catalog: &Catalog) -> Self {
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for name in policy.masking.iter().flat_map(|row| &row.attributes) {
            let Ok(known) = selector::classified(catalog, &name.value) else {
                continue;
            };
            for target in &known.targets {
                for view in catalog.views() {
                    if target.kind == Some(view.kind)
                        && let Some((path, row)) = place(view, &target.path, known.part.as_deref())
                    {
                        let rows = rows.entry(path).or_default();
                        if !rows.contains(&row) {
                            rows.push(row);
                        }
                    }
                }
            }
        }
        Self(rows)
    }

    /// Whether an element is classified.
    #[must_use]
    pub fn holds(&self, path: &str, element: &Value) -> bool {
        let mut rows = self.0.get(path).into_iter().flatten();
        rows.any(|row| row.sub.is_none() && row.meets(element))
    }

    /// Whether two states of a record differ in anything that is not classified.
    #[must_use]
    pub fn differ(&self, before: &Leaves, after: &Leaves) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let mut paths = before.keys().chain(after.keys());
        paths.any(|path| {
            let (old, new) = (before.get(path), after.get(path));
            old != new && self.open(path, old) != self.open(path, new)
        })
    }

    /// What is left of a value without what is classified.
    fn open(&self, path: &str, value: Option<&Value>) -> Option<Value> {
        let value = value?;
        let Some(rows) = self.0.get(path) else {
            return Some(value.clone());
        };
        let open = |element: &Value| {
            let meets = || rows.iter().filter(|row| row.meets(element));
            if meets().any(|row| row.sub.is_none()) {
                return None;
            }
            let mut element = element.clone();
            if let Value::Object(parts) = &mut element {
                let hidden: Vec<&str> = meets().filter_map(|row| row.sub.as_deref()).collect();
                parts.retain(|name, _| !hidden.contains(&name.as_str()));
            }
            Some(element)
        };
        match value {
            Value::Array(elements) => {
                let mut open: Vec<Value> = elements.iter().filter_map(open).collect();
                if rows.iter().any(|row| row.sub.is_some()) {
                    // How many are alike but for what is classified depends on that.
                    open.sort_by_cached_key(Value::to_string);
                    open.dedup();
                }
                (!open.is_empty()).then_some(Value::Array(open))
            }
            single => open(single),
        }
    }
}

impl Row {
    fn meets(&self, element: &Value) -> bool {
        let part = self.part.as_ref();
        part.is_none_or(|part| part.matches_element(element))
    }
}

/// Where a view keeps the value at a canonical path, and the row on it.
fn place(view: &View, path: &str, part: Option<&str>) -> Option<(String, Row)> {
    let at = view
        .units()
        .find(|(_, known)| *known == path || is_part(path, known));
    let (location, unit) = at?;
    let sub = path
        .strip_prefix(unit)
        .and_then(|rest| rest.strip_prefix('.'));
    let found = view.resource_type.resolve(&AttributePath {
        schema: location.extension.as_deref().map(str::to_owned),
        attribute: location.attribute.to_string(),
        sub: None,
    })?;
    let row = Row {
        part: part.and_then(|part| element(&found, part)),
        sub: sub.map(str::to_owned),
    };
    Some((unit.to_owned(), row))
}

fn is_part(path: &str, unit: &str) -> bool {
    let rest = path.strip_prefix(unit);
    rest.is_some_and(|rest| rest.starts_with('.'))
}
