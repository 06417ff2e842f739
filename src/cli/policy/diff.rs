//! `muster policy diff [FILE]`: what a policy would change, line by line, and what comes of it for whom.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use similar::TextDiff;

use super::stored::{self, Tenancy};
use super::{Failure, bytes, print, sight};
use crate::domain::access::Access;
use crate::domain::catalog::Catalog;
use crate::domain::policy::{Policy, load};

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML) that is compared with the one in force; without it, `--to` is.
    file: Option<PathBuf>,
    /// Compare this version instead of the one in force.
    #[arg(long, value_name = "VERSION")]
    from: Option<i64>,
    /// With this version; the one in force if neither it nor a file is given.
    #[arg(long, value_name = "VERSION", conflicts_with = "file")]
    to: Option<i64>,
    #[command(flatten)]
    of: Tenancy,
}

/// Prints the difference.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let (number, before) = stored::text(&options.of, options.from)?;
    let (name, after) = if let Some(file) = &options.file {
        (file.display().to_string(), bytes(file)?)
    } else {
        let (number, text) = stored::text(&options.of, options.to)?;
        (format!("version {number}"), text)
    };
    let (old, new) = (
        String::from_utf8_lossy(&before),
        String::from_utf8_lossy(&after),
    );
    let diff = TextDiff::from_lines(&*old, &*new);
    let from = format!("version {number}");
    let mut text = diff.unified_diff().header(&from, &name).to_string();
    if text.is_empty() {
        return print("no difference\n").map(drop);
    }
    let understood = |bytes: &[u8], name: &str| {
        let policy = load(bytes, catalog).policy;
        policy.ok_or_else(|| Failure::run(format!("{name} has errors: see `muster policy check`")))
    };
    let (before, after) = (understood(&before, &from)?, understood(&after, &name)?);
    let (old, new) = (effects(&before, catalog), effects(&after, catalog));
    text.push_str("\nwhat comes of it:\n");
    let start = text.len();
    for (who, was) in &old {
        match new.get(who) {
            Some(is) if is != was => {
                let _ = writeln!(text, "  {who}: {was} -> {is}");
            }
            Some(_) => {}
            None => {
                let _ = writeln!(text, "  {who}: {was} -> nothing");
            }
        }
    }
    for (who, is) in new.iter().filter(|(who, _)| !old.contains_key(*who)) {
        let _ = writeln!(text, "  {who}: nothing -> {is}");
    }
    if text.len() == start {
        text.push_str("  no client may do or see anything else\n");
    }
    print(&text).map(drop)
}

/// What each client may do with and see of each attribute, in words without line numbers.
fn effects(policy: &Policy, catalog: &Catalog) -> BTreeMap<String, String> {
    let mut effects = BTreeMap::new();
    for client in &policy.clients {
        let name = &client.name.value;
        let Some(access) = Access::of(policy, catalog, name) else {
            continue;
        };
        let roles: Vec<&str> = client
            .roles
            .iter()
            .map(|role| role.value.as_str())
            .collect();
        let purposes: Vec<&str> = client
            .purposes
            .iter()
            .map(|purpose| purpose.value.as_str())
            .collect();
        let state = if client.disabled { "shut out, " } else { "" };
        effects.insert(
            format!("{name}, client"),
            format!(
                "{state}system {}, roles {}, purposes {}",
                client.system.value,
                roles.join(" "),
                purposes.join(" ")
            ),
        );
        for ty in catalog.resource_types() {
            for decision in access.decisions(ty) {
                let mut rights: Vec<String> = decision
                    .rights
                    .iter()
                    .map(|held| match &held.filter {
                        Some(filter) => format!("{} where {filter}", held.right.name()),
                        None => held.right.name().to_owned(),
                    })
                    .collect();
                rights.sort();
                rights.dedup();
                if rights.is_empty() {
                    continue;
                }
                let seen = sight(&decision.sight);
                let seen = seen.split(" (line").next().unwrap_or_default();
                effects.insert(
                    format!("{name}, {} {}", ty.name, decision.path),
                    format!("{seen}, {}", rights.join(" ")),
                );
            }
        }
    }
    effects
}
