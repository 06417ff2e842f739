//! Bounds of roles that something else of the same client's rights would let it look past.

use super::Policy;
use crate::domain::policy::finding::Findings;
use crate::domain::policy::{Client, Grant};

const PEOPLE: [&str; 2] = ["Person", "User"];
const GROUPS: [&str; 1] = ["Group"];
const MEMBERSHIP: &str = "GroupMembership";

pub(super) fn run(policy: &Policy, findings: &mut Findings) {
    for grant in policy.roles.values().flat_map(|role| &role.value) {
        let named = grant.types.iter().any(|name| name.value == MEMBERSHIP);
        if let (true, Some(filter)) = (named, &grant.filter) {
            let reason = "no filter bounds memberships: bound groups or people, and give the right on Group.members there";
            findings.error(filter.at, reason);
        }
    }
    for client in &policy.clients {
        let grants: Vec<&Grant> = client
            .roles
            .iter()
            .filter_map(|role| policy.roles.get(&role.value))
            .flat_map(|role| &role.value)
            .collect();
        look(client, &grants, findings);
    }
}

fn look(client: &Client, grants: &[&Grant], findings: &mut Findings) {
    let on = |grant: &Grant, ty: &str| {
        let mut names = grant.types.iter();
        names.any(|name| name.value == ty || name.value == "*")
    };
    let members = grants.iter().find(|grant| {
        let mut names = grant.attributes.iter().flatten();
        let all = grant.attributes.is_none();
        on(grant, MEMBERSHIP) && all
            || on(grant, "Group") && (all || names.any(|name| name.value.contains("members")))
    });
    let bound = |types: &[&str]| {
        let rows = grants
            .iter()
            .filter(|grant| types.iter().any(|ty| on(grant, ty)));
        let rows: Vec<_> = rows.map(|grant| grant.filter.as_ref()).collect();
        let bounded = rows.iter().all(Option::is_some);
        rows.into_iter().flatten().next().filter(|_| bounded)
    };
    let name = &client.name.value;
    if let (Some(filter), Some(_)) = (bound(&PEOPLE), members) {
        findings.error(
            client.at,
            format!(
                "'{name}' reaches some people only (line {}), and the members of groups would tell it of the others: withhold \
                 Group.members and {MEMBERSHIP}",
                filter.at.line
            ),
        );
    }
    let memberships = grants.iter().any(|grant| on(grant, MEMBERSHIP));
    if let (Some(filter), true) = (bound(&GROUPS), memberships) {
        findings.error(
            client.at,
            format!(
                "'{name}' reaches some groups only (line {}), and {MEMBERSHIP} would tell it of the others: withhold it",
                filter.at.line
            ),
        );
    }
}
