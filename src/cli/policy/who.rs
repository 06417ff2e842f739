//! `muster policy who FILE --attribute birthDate`: the reverse view, for an access review.

use std::path::PathBuf;

use clap::Args;

use super::stored::Tenancy;
use super::{Failure, by, chosen, print, sight};
use crate::domain::access::{Access, Decision, Sight};
use crate::domain::catalog::Catalog;
use crate::domain::context::Right;
use crate::domain::policy::Policy;
use crate::domain::policy::selector::{Selector, resolve, target};

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML); the one in force if left out.
    file: Option<PathBuf>,
    /// The attribute: `birthDate`, `Person.legalName`, `emails[type eq "home"]`.
    #[arg(long, value_name = "PATH")]
    attribute: String,
    #[command(flatten)]
    of: Tenancy,
}

/// Prints who may see the attribute.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let policy = chosen(options.file.as_deref(), &options.of, catalog)?;
    let wanted = resolve(catalog, &options.attribute).map_err(Failure::usage)?;
    if wanted.attribute.is_none() {
        return Err(Failure::usage(format!(
            "'{}' is no single attribute",
            options.attribute
        )));
    }
    print(&told(&policy, catalog, &wanted, &options.attribute)).map(drop)
}

fn told(policy: &Policy, catalog: &Catalog, wanted: &Selector, name: &str) -> String {
    let mut text = format!("{name}:\n");
    let marked = policy.secret.iter().find(|marked| {
        let known = resolve(catalog, &marked.value);
        known.is_ok_and(|known| known.common(wanted).is_some())
    });
    if let Some(marked) = marked {
        let line = marked.at.line;
        text += "  sealed where it stands, and found by a whole value alone";
        text = format!("{text} (line {line})\n");
    }
    let mut strangers = Vec::new();
    for client in &policy.clients {
        let client = &client.name.value;
        let Some(access) = Access::of(policy, catalog, client) else {
            continue;
        };
        let before = text.len();
        for ty in catalog.resource_types() {
            let places = ty.leaves().filter(|found| {
                wanted
                    .targets
                    .contains(&target(catalog, ty, &found.location))
            });
            for place in places {
                let decided = access.decision(ty, &place, wanted.part.as_deref());
                let parts = match wanted.part {
                    None if place.sub.is_none() => access.parts(ty, &place),
                    _ => Vec::new(),
                };
                for decided in std::iter::once(decided).chain(parts) {
                    if decided.sight != Sight::Unreadable {
                        text.push_str(&line(client, &ty.name, &decided));
                    }
                }
            }
        }
        if text.len() == before {
            strangers.push(client.as_str());
        }
    }
    if !strangers.is_empty() {
        text.push_str("  not at all: ");
        text.push_str(&strangers.join(", "));
        text.push('\n');
    }
    text
}

fn line(client: &str, ty: &str, decided: &Decision) -> String {
    let reads = decided
        .rights
        .iter()
        .filter(|held| held.right == Right::Read);
    let rows: Vec<String> = reads.map(by).collect();
    format!(
        "  {client}: {ty} {}: {}; read by {}\n",
        decided.path,
        sight(&decided.sight),
        rows.join("; ")
    )
}
