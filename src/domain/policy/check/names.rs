//! Names that stand twice, and names that nothing has.

use std::collections::BTreeSet;

use super::{Policy, once, twice};
use crate::domain::policy::finding::{Findings, Placed};
use crate::domain::policy::read::unknown;
use crate::domain::policy::{Rule, SystemKind};
use crate::domain::review::SYSTEM;
use crate::scim::error::did_you_mean;

pub(super) fn run(policy: &Policy, findings: &mut Findings) {
    once(
        "the system",
        policy.systems.iter().map(|row| &row.name),
        findings,
    );
    for row in policy.systems.iter().filter(|row| row.name.value == SYSTEM) {
        let reason = format!("'{SYSTEM}' is this server itself: give the system another name");
        findings.error(row.name.at, reason);
    }
    once(
        "the client",
        policy.clients.iter().map(|row| &row.name),
        findings,
    );
    once(
        "the domain",
        policy.authority.iter().map(|row| &row.domain),
        findings,
    );
    clients(policy, findings);
    approval(policy, findings);
    roles(policy, findings);
    purposes(policy, findings);
    for row in &policy.authority {
        system(policy, &row.master, findings);
        let formerly = row.formerly.as_deref().unwrap_or_default();
        once(
            "the former master",
            [&row.master].into_iter().chain(formerly),
            findings,
        );
        for name in formerly {
            system(policy, name, findings);
        }
    }
    orders(policy, findings);
    allowed(policy, findings);
}

/// Who speaks for Security must be there: else nothing that Security owns could ever be changed again.
fn approval(policy: &Policy, findings: &mut Findings) {
    let Some(row) = &policy.approval else { return };
    once("the client", row.security.iter(), findings);
    let known = || policy.clients.iter().map(|row| row.name.value.as_str());
    for name in row.security.iter().filter(|name| !name.value.is_empty()) {
        if !known().any(|known| known == name.value) {
            findings.error(name.at, unknown("client", &name.value, known()));
        }
    }
}

/// A system that is named must be there.
fn system(policy: &Policy, name: &Placed<String>, findings: &mut Findings) {
    let mut known = policy.systems.iter().map(|row| row.name.value.as_str());
    if !name.value.is_empty() && !known.any(|known| known == name.value) {
        let known = policy.systems.iter().map(|row| row.name.value.as_str());
        findings.error(name.at, unknown("system", &name.value, known));
    }
}

fn clients(policy: &Policy, findings: &mut Findings) {
    for (at, client) in policy.clients.iter().enumerate() {
        system(policy, &client.system, findings);
        once("the role", client.roles.iter(), findings);
        once("the purpose", client.purposes.iter(), findings);
        for role in client.roles.iter().filter(|role| !role.value.is_empty()) {
            if !policy.roles.contains_key(&role.value) {
                let known = policy.roles.keys().map(String::as_str);
                findings.error(role.at, unknown("role", &role.value, known));
            }
        }
        let same = |other: &&super::super::Client| {
            other.issuer.value == client.issuer.value
                && (&other.matches.claim, &other.matches.equals)
                    == (&client.matches.claim, &client.matches.equals)
        };
        if let Some(other) = policy.clients[..at].iter().find(same) {
            let (name, line) = (&other.name.value, other.at.line);
            findings.error(client.at, format!("its tokens are those of the client '{name}' in line {line}: match another claim"));
        }
    }
}

fn roles(policy: &Policy, findings: &mut Findings) {
    let held: BTreeSet<&str> = policy
        .clients
        .iter()
        .flat_map(|client| &client.roles)
        .map(|role| role.value.as_str())
        .collect();
    for (name, grants) in &policy.roles {
        if !held.contains(name.as_str()) {
            findings.warn(grants.at, format!("no client has the role '{name}'"));
        }
        for grant in &grants.value {
            once("the type", grant.types.iter(), findings);
            once("the attribute", grant.attributes.iter().flatten(), findings);
        }
    }
}

fn purposes(policy: &Policy, findings: &mut Findings) {
    let held: BTreeSet<&str> = policy
        .clients
        .iter()
        .flat_map(|client| &client.purposes)
        .map(|purpose| purpose.value.as_str())
        .collect();
    for row in &policy.masking {
        once("the purpose", row.open_to.iter(), findings);
        for purpose in &row.open_to {
            if !held.contains(purpose.value.as_str()) {
                let hint = did_you_mean(&purpose.value, held.iter().copied());
                findings.warn(
                    purpose.at,
                    format!("no client has the purpose '{}'{hint}", purpose.value),
                );
            }
        }
    }
}

/// The order of a survivorship rule: kinds of systems and names of systems.
fn orders(policy: &Policy, findings: &mut Findings) {
    let kinds = SystemKind::ALL.iter().map(|kind| kind.word());
    let systems = policy.systems.iter().map(|row| row.name.value.as_str());
    let known: Vec<&str> = kinds.chain(systems).collect();
    for row in &policy.survivorship {
        let by_order = row.rule.value == Rule::SourcePriority;
        if by_order && row.order.is_empty() {
            findings.error(
                row.rule.at,
                "sourcePriority needs an order: list kinds or names of systems",
            );
        } else if let (false, Some(first)) = (by_order, row.order.first()) {
            let rule = row.rule.value.word();
            findings.error(
                first.at,
                format!("{rule} has no order: leave it out, or use sourcePriority"),
            );
        }
        once("in the order,", row.order.iter(), findings);
        for name in row.order.iter().filter(|name| !name.value.is_empty()) {
            if !known.contains(&name.value.as_str()) {
                findings.error(
                    name.at,
                    unknown(
                        "kind of system or system",
                        &name.value,
                        known.iter().copied(),
                    ),
                );
            }
        }
    }
}

/// The allow-lists: each system and field once.
fn allowed(policy: &Policy, findings: &mut Findings) {
    let contract = policy.external_ids.iter().flat_map(|ids| &ids.allow_list);
    let mut seen: Vec<(&str, &Placed<String>)> = Vec::new();
    for row in contract.chain(&policy.external_ids_also) {
        let system = row.system.value.as_str();
        let mut known = policy.systems.iter();
        if !policy.systems.is_empty() && !known.any(|known| known.name.value == system) {
            findings.warn(
                row.system.at,
                format!("'{system}' is on the allow-list, but not among the systems"),
            );
        }
        for field in row.fields.iter().filter(|field| !field.value.is_empty()) {
            let same = |(other, name): &&(&str, &Placed<String>)| {
                *other == system && name.value == field.value
            };
            match seen.iter().find(same) {
                Some((_, before)) => {
                    let reason = twice(&format!("the field of {system}"), &field.value, before.at);
                    findings.error(field.at, reason);
                }
                None => seen.push((system, field)),
            }
        }
    }
}
