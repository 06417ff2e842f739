//! Types, attributes and filters against the catalog; rows that overlap.

use std::sync::Arc;

use super::{Policy, survivorship};
use crate::domain::audit_event;
use crate::domain::catalog::Catalog;
use crate::domain::contract;
use crate::domain::policy::finding::{Findings, Placed};
use crate::domain::policy::selector::{self, Selector};
use crate::domain::policy::{Grant, Masking, Treatment};
use crate::domain::record::Kind;
use crate::scim::attribute_path::AttributePath;
use crate::scim::filter::{Filter, parse};
use crate::scim::resource_type::{Among, ResourceType};
use crate::scim::schema::{self, Attribute, Format};

pub(super) fn run(policy: &Policy, catalog: &Catalog, findings: &mut Findings) {
    for grant in policy.roles.values().flat_map(|role| &role.value) {
        grant_row(grant, catalog, findings);
    }
    authority(policy, catalog, findings);
    let classified = masking(policy, catalog, findings);
    survivorship::run(policy, catalog, &classified, findings);
}

/// What a name means; if it means nothing that is told, if it is not served yet it is told so.
fn resolve(catalog: &Catalog, name: &Placed<String>, findings: &mut Findings) -> Option<Selector> {
    if name.value.is_empty() {
        return None;
    }
    match selector::resolve(catalog, &name.value) {
        Ok(found) => {
            if let Some(ty) = found.planned {
                findings.warn(name.at, not_served(ty));
            }
            Some(found)
        }
        Err(reason) => {
            findings.error(name.at, reason);
            None
        }
    }
}

fn not_served(ty: &str) -> String {
    format!("the resource type {ty} is not served yet, so this has no effect")
}

/// An attribute: a whole type is none.
pub(super) fn attribute(
    catalog: &Catalog,
    name: &Placed<String>,
    findings: &mut Findings,
) -> Option<Selector> {
    let found = resolve(catalog, name, findings)?;
    if found.attribute.is_none() && found.planned.is_none() {
        findings.error(
            name.at,
            format!("'{}' is no single attribute: name each", name.value),
        );
        return None;
    }
    Some(found)
}

/// Tells of some elements where only all of them can be meant.
pub(super) fn whole_only(
    what: &str,
    name: &Placed<String>,
    found: &Selector,
    findings: &mut Findings,
) {
    if found.part.is_some() {
        let named = &name.value;
        findings.error(
            name.at,
            format!("{what} whole attributes: leave out the brackets of '{named}'"),
        );
    }
}

fn grant_row(grant: &Grant, catalog: &Catalog, findings: &mut Findings) {
    let mut types: Vec<Arc<ResourceType>> = Vec::new();
    let mut planned = false;
    for name in grant.types.iter().filter(|name| !name.value.is_empty()) {
        if name.value == "*" {
            types.extend(catalog.resource_types().cloned());
        } else if let Some(ty) = selector::served(catalog, &name.value) {
            types.push(Arc::clone(ty));
        } else if let Some(ty) = selector::planned(&name.value) {
            planned = true;
            findings.warn(name.at, not_served(ty));
        } else {
            findings.error(name.at, selector::unknown_type(catalog, &name.value));
        }
    }
    for name in grant.attributes.iter().flatten() {
        let Some(found) = attribute(catalog, name, findings) else {
            continue;
        };
        whole_only("rights are on", name, &found, findings);
    }
    if let Some(filter) = &grant.filter {
        where_row(filter, &types, planned, findings);
    }
}

/// A filter that bounds a role: read, and checked against the types of its row.
fn where_row(
    text: &Placed<String>,
    types: &[Arc<ResourceType>],
    planned: bool,
    findings: &mut Findings,
) {
    let rows = ["groups", "members", "meta"];
    let filter = match parse(&text.value) {
        Ok(filter) => filter,
        Err(error) if text.value.is_empty() => return drop(error),
        Err(error) => return findings.error(text.at, format!("in the filter, {}", error.detail)),
    };
    if let Some(path) = filter
        .paths()
        .iter()
        .find(|path| rows.contains(&path.attribute.as_str()))
    {
        let reason =
            format!("in the filter, '{path}': a role is bounded by what the record itself says");
        return findings.error(text.at, reason);
    }
    let of_log = types.iter().find(|ty| ty.name == audit_event::NAME);
    let of_body = |path: &&AttributePath| {
        let found = of_log.and_then(|ty| ty.resolve(path));
        found.is_some_and(|found| !audit_event::COLUMNS.contains(&&*found.location.attribute))
    };
    if let Some(path) = filter.paths().iter().find(of_body) {
        let columns = audit_event::COLUMNS.join(", ");
        let reason = format!(
            "in the filter, '{path}': a role is bounded by what the log has as columns: {columns}"
        );
        return findings.error(text.at, reason);
    }
    for ty in types {
        let ty = Among { ty, all: types };
        if let Err(error) = filter.check_among(ty) {
            let place = misplaced(&filter, &text.value, types);
            findings.error(text.at, format!("in the filter, {place}{}", error.detail));
            return;
        }
    }
    if types.is_empty() && !planned {
        findings.warn(text.at, "the filter is of no resource type that is served");
    }
}

/// Where in the filter the first path stands that no type knows.
fn misplaced(filter: &Filter, text: &str, types: &[Arc<ResourceType>]) -> String {
    let paths = filter.paths();
    let strange = paths
        .iter()
        .find(|path| types.iter().all(|ty| ty.resolve(path).is_none()));
    let at = strange.and_then(|path| {
        let whole = text.find(&path.to_string());
        whole.or_else(|| text.find(path.sub.as_deref().unwrap_or(&path.attribute)))
    });
    at.map_or_else(String::new, |at| {
        format!("at character {}: ", text[..at].chars().count() + 1)
    })
}

/// Two masters of one attribute.
fn authority(policy: &Policy, catalog: &Catalog, findings: &mut Findings) {
    let mut before: Vec<(&Placed<String>, &str, Selector)> = Vec::new();
    for row in &policy.authority {
        for cover in &row.covers {
            let Some(found) = resolve(catalog, cover, findings) else {
                continue;
            };
            whole_only("a master has", cover, &found, findings);
            for (other, master, theirs) in &before {
                let same = cover.value == other.value;
                let common = found.common(theirs).map(|target| target.path.as_str());
                if let Some(common) = common.or(same.then_some(cover.value.as_str())) {
                    let line = other.at.line;
                    let reason = format!(
                        "two rows are on '{common}': '{}' (master {}) and '{}' (master {master}) in line {line}",
                        cover.value, row.master.value, other.value
                    );
                    findings.error(cover.at, reason);
                }
            }
            before.push((cover, &row.master.value, found));
        }
    }
}

/// Rows of masking that both match; answers what is classified.
fn masking(policy: &Policy, catalog: &Catalog, findings: &mut Findings) -> Vec<Selector> {
    let mut before: Vec<(&Placed<String>, Selector)> = Vec::new();
    for row in &policy.masking {
        for name in &row.attributes {
            let Some(found) = attribute(catalog, name, findings) else {
                continue;
            };
            if found
                .targets
                .iter()
                .any(|target| target.kind.is_none_or(|kind| kind == Kind::Group))
            {
                let reason = "attributes of groups and memberships cannot be classified: how often they change shows in a \
                     group's version; give or withhold the right to read them";
                findings.error(name.at, reason);
            }
            if found.targets.iter().any(|target| target.path == "userName") {
                let reason =
                    "userName cannot be classified: without it there is no account to be seen";
                findings.error(name.at, reason);
            }
            if row.otherwise == Treatment::Year
                && found
                    .attribute
                    .as_ref()
                    .is_some_and(|known| !is_date(known))
            {
                findings.error(
                    name.at,
                    format!(
                        "'{}' is no date, so no year is left of it: choose another treatment",
                        name.value
                    ),
                );
            }
            if row.confidential {
                confidential(row, (name, &found), catalog, findings);
            }
            for (other, theirs) in &before {
                classified_twice((name, &found), (other, theirs), findings);
            }
            before.push((name, found));
        }
    }
    before.into_iter().map(|(_, found)| found).collect()
}

/// What cannot be confidential: what is not hidden wholly, what a client must give, and what is published as exchanged.
fn confidential(
    row: &Masking,
    (name, found): (&Placed<String>, &Selector),
    catalog: &Catalog,
    findings: &mut Findings,
) {
    let named = &name.value;
    let mut refuse =
        |why: &str| findings.error(name.at, format!("'{named}' cannot be confidential: {why}"));
    if row.otherwise != Treatment::Omit {
        refuse("who may not know of it is shown nothing of it, so write otherwise: omit");
    }
    if found.part.is_some() {
        refuse("whole attributes are; leave out the brackets");
    }
    if found.attribute.as_ref().is_some_and(|known| known.required) {
        refuse("no resource is without it");
    }
    for ty in catalog.resource_types() {
        let Some((contract, published)) = contract::published(ty) else {
            continue;
        };
        let mut published = published.iter().map(|at| selector::target(catalog, ty, at));
        if published.any(|at| found.targets.iter().any(|target| target.meets(&at))) {
            refuse(&format!(
                "the contract {contract} that is published at /schemas has it"
            ));
        }
    }
}

fn is_date(attribute: &Attribute) -> bool {
    attribute.kind == schema::Kind::DateTime || attribute.format == Some(Format::Date)
}

/// Two selectors that mean a common value: an error, unless they are value filters, which may be meant to overlap.
fn classified_twice(
    (name, found): (&Placed<String>, &Selector),
    (other, theirs): (&Placed<String>, &Selector),
    findings: &mut Findings,
) {
    let unserved_twice = found.planned.is_some() && name.value == other.value;
    if found.common(theirs).is_none() && !unserved_twice {
        return;
    }
    let (this, that, line) = (&name.value, &other.value, other.at.line);
    if matches!((&found.part, &theirs.part), (Some(a), Some(b)) if a != b) {
        if !selector::apart(this, that) {
            let reason = format!(
                "an element may match both '{this}' and '{that}' in line {line}: then both must be open"
            );
            findings.warn(name.at, reason);
        }
        return;
    }
    let reason =
        format!("'{this}' is classified already, as '{that}' in line {line}: one row must decide");
    findings.error(name.at, reason);
}
