//! What a policy changes of who is master of hiring records (B-001): they hold what only the master said, and must not lose it in
//! mid-funnel because another tool takes over.

use super::{Authority, Finding, Policy, Severity, selector};
use crate::domain::catalog::Catalog;
use crate::domain::record::Kind;

/// The rows of `after` that name another master of hiring records than `before` and do not say what becomes of the former one's word.
#[must_use]
pub fn dropped(before: &Policy, after: &Policy, catalog: &Catalog) -> Vec<Finding> {
    let of_hiring = |name: &str| {
        let known = selector::resolve(catalog, name);
        let targets = known.map(|known| known.targets).unwrap_or_default();
        targets
            .iter()
            .any(|target| target.kind.is_some_and(Kind::is_hiring))
    };
    let taken_over = |row: &Authority| {
        let covers = |other: &&Authority| {
            let mut names = row.covers.iter().filter(|name| of_hiring(&name.value));
            names.any(|name| other.covers.iter().any(|known| known.value == name.value))
        };
        let former = before.authority.iter().find(covers)?;
        let silent = row.formerly.is_none() && former.master.value != row.master.value;
        silent.then(|| former.master.value.clone())
    };
    let rows = after.authority.iter();
    rows.filter_map(|row| {
        let (former, master) = (taken_over(row)?, &row.master.value);
        Some(Finding {
            at: row.master.at,
            severity: Severity::Error,
            reason: format!(
                "'{former}' was the master of '{}', and records under way hold what it alone said: write formerly: [{former}], and it \
                 stands until '{master}' says otherwise; or formerly: [] if all of it shall count no more",
                row.domain.value
            ),
        })
    })
    .collect()
}
