//! What the rows of a policy must not say of each other.
//!
//! | file | what it looks at |
//! |---|---|
//! | `names` | names that stand twice, or that nothing has |
//! | `attributes` | types, attributes and filters against the catalog; rows that overlap |
//! | `bounds` | what would let a client look past its bounds |
//! | `secrets` | what cannot be sealed where it stands |
//! | `survivorship` | rows that are never reached, rules that do not fit |
//! | `contract` | the contract's fixed lists, numbers in order |

mod attributes;
mod bounds;
mod contract;
mod names;
mod secrets;
mod survivorship;

use super::Policy;
use super::finding::{Findings, Placed, Position};
use crate::domain::catalog::Catalog;

/// Adds every mistake.
pub(super) fn run(policy: &Policy, catalog: &Catalog, findings: &mut Findings) {
    contract::run(policy, findings);
    names::run(policy, findings);
    attributes::run(policy, catalog, findings);
    secrets::run(policy, catalog, findings);
    bounds::run(policy, findings);
}

/// Tells each name that stood before.
fn once<'a>(what: &str, names: impl Iterator<Item = &'a Placed<String>>, findings: &mut Findings) {
    let mut seen: Vec<&Placed<String>> = Vec::new();
    for name in names.filter(|name| !name.value.is_empty()) {
        match seen.iter().find(|known| known.value == name.value) {
            Some(known) => findings.error(name.at, twice(what, &name.value, known.at)),
            None => seen.push(name),
        }
    }
}

fn twice(what: &str, name: &str, before: Position) -> String {
    format!("{what} '{name}' stands already in line {}", before.line)
}
