//! `muster policy explain FILE --client C [--type T]`.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{Failure, by, print, sight, sound};
use crate::domain::access::{Access, Decision, Held};
use crate::domain::catalog::Catalog;
use crate::domain::policy::Policy;
use crate::domain::policy::selector::{served, unknown_type};
use crate::scim::resource_type::ResourceType;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML).
    file: PathBuf,
    /// The client.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// Only this resource type.
    #[arg(long = "type", value_name = "NAME")]
    ty: Option<String>,
}

/// Prints what the client may do and see.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    let policy = sound(&options.file, catalog)?;
    let types: Vec<&Arc<ResourceType>> = match &options.ty {
        None => catalog.resource_types().collect(),
        Some(name) => match served(catalog, name) {
            Some(ty) => vec![ty],
            None => return Err(Failure::usage(unknown_type(catalog, name))),
        },
    };
    let text = explained(&policy, catalog, &options.client, &types)?;
    print(&text).map(drop)
}

fn explained(
    policy: &Policy,
    catalog: &Catalog,
    client: &str,
    types: &[&Arc<ResourceType>],
) -> Result<String, Failure> {
    let access = Access::of(policy, catalog, client).ok_or_else(|| {
        let names: Vec<&str> = policy
            .clients
            .iter()
            .map(|row| row.name.value.as_str())
            .collect();
        Failure::usage(format!(
            "there is no client '{client}'; there are: {}",
            names.join(", ")
        ))
    })?;
    let row = access.client;
    let names = |list: &[crate::domain::policy::Placed<String>]| {
        let names: Vec<&str> = list.iter().map(|name| name.value.as_str()).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    };
    let mut text = format!(
        "{client} (line {}): system {}, tenant {}, profile {}, roles {}, purposes {}\n",
        row.at.line,
        row.system.value,
        row.tenant,
        row.profile.name(),
        names(&row.roles),
        names(&row.purposes),
    );
    for ty in types {
        let rights = access.rights(&ty.name);
        if rights.is_empty() {
            let _ = writeln!(text, "\n{}: nothing", ty.name);
            continue;
        }
        let _ = writeln!(text, "\n{}: {}", ty.name, given(&rights));
        text.push_str(&table(&access.decisions(ty)));
    }
    Ok(text)
}

/// `read, search (role hris, line 61)`, once for each row.
fn given(rights: &[Held]) -> String {
    let mut rows: Vec<(&Held, Vec<&str>)> = Vec::new();
    for held in rights {
        let word = held.right.name();
        match rows.iter_mut().find(|(row, _)| row.row == held.row) {
            Some((_, words)) => words.push(word),
            None => rows.push((held, vec![word])),
        }
    }
    let row = |(held, words): &(&Held, Vec<&str>)| format!("{} ({})", words.join(", "), by(held));
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

/// One line for each attribute: its path, its rights, what is seen.
fn table(decisions: &[Decision]) -> String {
    let rows = decisions.iter().map(|decision| {
        let rights = if decision.rights.is_empty() {
            "nothing".to_owned()
        } else {
            given(&decision.rights)
        };
        (decision.path.as_str(), sight(&decision.sight), rights)
    });
    let rows: Vec<_> = rows.collect();
    let widest = |of: fn(&(&str, String, String)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (path, seen) = (widest(|row| row.0.len()), widest(|row| row.1.len()));
    let mut text = String::new();
    for row in &rows {
        let _ = writeln!(text, "  {:path$}  {:seen$}  {}", row.0, row.1, row.2);
    }
    text
}
