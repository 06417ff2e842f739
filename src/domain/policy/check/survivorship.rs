//! Rows of survivorship against the catalog and each other.

use super::Policy;
use super::attributes::{attribute, whole_only};
use crate::domain::catalog::Catalog;
use crate::domain::policy::Rule;
use crate::domain::policy::finding::{Findings, Placed};
use crate::domain::policy::selector::Selector;

/// Rows of survivorship: what an earlier row has decided is never reached (A-055: what is sensitive never goes by age).
pub(super) fn run(
    policy: &Policy,
    catalog: &Catalog,
    classified: &[Selector],
    findings: &mut Findings,
) {
    let mut before: Vec<(&Placed<String>, Selector)> = Vec::new();
    for row in &policy.survivorship {
        for name in &row.attributes {
            let Some(found) = attribute(catalog, name, findings) else {
                continue;
            };
            whole_only("survivorship is of", name, &found, findings);
            let reached = |target| !before.iter().any(|(_, known)| known.holds(target));
            if !found.targets.is_empty() && !found.targets.iter().any(reached) {
                let by = before
                    .iter()
                    .find(|(_, known)| found.common(known).is_some());
                let line = by.map_or(0, |(other, _)| other.at.line);
                findings.error(
                    name.at,
                    format!(
                        "this is never reached: line {line} decides on '{}' already",
                        name.value
                    ),
                );
            }
            let many = found
                .attribute
                .as_ref()
                .is_some_and(|known| known.multi_valued);
            if row.rule.value == Rule::Union && found.attribute.is_some() && !many {
                findings.error(
                    name.at,
                    format!(
                        "'{}' has one value, so it cannot be a union: choose another rule",
                        name.value
                    ),
                );
            }
            let sensitive = classified
                .iter()
                .any(|known| known.common(&found).is_some());
            if row.rule.value == Rule::MostRecent && sensitive {
                findings.error(
                    name.at,
                    format!(
                        "'{}' is classified, so the newest claim must not win: use sourcePriority",
                        name.value
                    ),
                );
            }
            before.push((name, found));
        }
    }
}
