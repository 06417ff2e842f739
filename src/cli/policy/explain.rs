//! `muster policy explain FILE --client C [--type T]`.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::stored::Tenancy;
use super::{Failure, by, chosen, print, sight};
use crate::clock::{Clock, SystemClock};
use crate::domain::access::{Access, Decision, Held};
use crate::domain::catalog::Catalog;
use crate::domain::policy::Policy;
use crate::domain::policy::selector::{served, unknown_type};
use crate::scim::resource_type::ResourceType;

/// What can be asked of it.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The policy (YAML); the one in force if left out.
    file: Option<PathBuf>,
    /// The client.
    #[arg(long, value_name = "NAME")]
    client: String,
    /// Only this resource type.
    #[arg(long = "type", value_name = "NAME")]
    ty: Option<String>,
    /// What it would do and see of this record, by the policy in force.
    #[arg(long, value_name = "ID", conflicts_with = "file")]
    resource: Option<String>,
    #[command(flatten)]
    of: Tenancy,
}

/// Prints what the client may do and see.
pub(super) fn run(options: &Options, catalog: &Catalog) -> Result<(), Failure> {
    if let Some(id) = &options.resource {
        return of_record(options, id);
    }
    let policy = chosen(options.file.as_deref(), &options.of, catalog)?;
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

/// What the client would do and see of one record, which the policy's filters and the person's consents decide too.
fn of_record(options: &Options, id: &str) -> Result<(), Failure> {
    let service = options.of.place.open()?;
    let explained = service.explain(&options.of.tenant, &options.client, id, SystemClock.now());
    let mut text = String::new();
    for view in explained? {
        if options.ty.as_ref().is_some_and(|ty| *ty != view.ty) {
            continue;
        }
        let rights: Vec<&str> = view.rights.iter().map(|right| right.name()).collect();
        let reach = if rights.is_empty() {
            "out of reach".to_owned()
        } else {
            rights.join(", ")
        };
        let _ = writeln!(text, "{} {id}: {reach}", view.ty);
        let widest = view
            .attributes
            .iter()
            .map(|row| row.path.len())
            .max()
            .unwrap_or(0);
        for row in &view.attributes {
            let holding = row.rights.iter().filter(|right| right.holds == Some(true));
            let holding: Vec<Held> = holding.map(|right| right.held.clone()).collect();
            let _ = writeln!(
                text,
                "  {:widest$}  {:8}  {}; {}",
                row.path,
                row.shown.unwrap_or_default(),
                sight(&row.sight),
                rights_of(&holding)
            );
        }
    }
    if text.is_empty() {
        text = format!("{id} is of no type that was asked for\n");
    }
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

fn rights_of(rights: &[Held]) -> String {
    if rights.is_empty() {
        "nothing".to_owned()
    } else {
        given(rights)
    }
}

/// One line for each attribute: its path, its rights, what is seen.
fn table(decisions: &[Decision]) -> String {
    let rows = decisions.iter().map(|decision| {
        let rights = rights_of(&decision.rights);
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
