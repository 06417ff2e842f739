//! What cannot be sealed where it stands: it is looked up by its value inside, or it is of nobody who has a data key.

use super::attributes::{attribute, whole_only};
use super::{Policy, twice};
use crate::domain::catalog::Catalog;
use crate::domain::policy::finding::{Findings, Placed};
use crate::domain::policy::selector::{Selector, Target, resolve};
use crate::domain::record::Kind;
use crate::scim::filter::parse;

/// Values by which the server itself finds records, each with what it finds by it.
const SOUGHT: [(&str, &str); 6] = [
    ("userName", "accounts are found by it"),
    (
        "displayName",
        "it is what others are shown where they refer to the person",
    ),
    ("active", "accounts are counted by it"),
    ("emails", "newcomers are found by them"),
    ("externalIdentifiers", "newcomers are found by them"),
    ("consents", "who sees a value of a person depends on them"),
];

pub(super) fn run(policy: &Policy, catalog: &Catalog, findings: &mut Findings) {
    let mut before: Vec<&Placed<String>> = Vec::new();
    for name in &policy.secret {
        let Some(found) = attribute(catalog, name, findings) else {
            continue;
        };
        whole_only("secret are", name, &found, findings);
        if let Some(other) = before.iter().find(|other| other.value == name.value) {
            findings.error(name.at, twice("the secret", &name.value, other.at));
        }
        before.push(name);
        if let Some(reason) = unfit(catalog, name, &found) {
            findings.error(name.at, reason);
        } else if let Some(row) = bounding(policy, catalog, &found) {
            let reason = format!(
                "'{}' cannot be secret: the filter of a role in line {} is on it",
                name.value, row.at.line
            );
            findings.error(name.at, reason);
        }
    }
}

/// Why an attribute cannot be secret.
fn unfit(catalog: &Catalog, name: &Placed<String>, found: &Selector) -> Option<String> {
    let named = &name.value;
    let specs = catalog.specs(Kind::Person);
    let refers = |path: &str| {
        let views = catalog.views().iter();
        let mut views = views.filter(|view| view.kind == Kind::Person);
        views.any(|view| view.references().iter().any(|to| to.path == path))
    };
    let of_persons = |target: &&Target| target.kind == Some(Kind::Person);
    let targets: Vec<&Target> = found.targets.iter().filter(of_persons).collect();
    if targets.is_empty() {
        return Some(format!(
            "'{named}' cannot be secret: only what is said of persons is, since each has a data key"
        ));
    }
    for target in targets {
        let meant = specs.iter().filter(|(path, _)| {
            let kind = target.kind;
            target.holds(&Target {
                kind,
                path: (*path).clone(),
            })
        });
        let meant: Vec<_> = meant.collect();
        if meant.is_empty() {
            let whole = target.path.rsplit_once('.').map_or("", |(whole, _)| whole);
            return Some(if specs.contains_key(whole) {
                format!("'{named}' is a part of each of several: name all of '{whole}'")
            } else {
                format!("'{named}' is not said of a person but follows from other things")
            });
        }
        for (path, spec) in meant {
            if spec.attribute.secret {
                return Some(format!("'{named}' is secret always"));
            }
            let sought = SOUGHT.iter().find(|(known, _)| known == path);
            let sought = sought.map(|(_, why)| *why);
            let refers = refers(path).then_some("it refers to another record");
            let unique = spec.is_unique().then_some("only one may have its value");
            if let Some(why) = sought.or(unique).or(refers) {
                return Some(format!("'{named}' cannot be secret: {why}"));
            }
        }
    }
    None
}

/// The filter of a role that is on an attribute.
fn bounding<'p>(
    policy: &'p Policy,
    catalog: &Catalog,
    found: &Selector,
) -> Option<&'p Placed<String>> {
    let grants = policy.roles.values().flat_map(|role| &role.value);
    let mut filters = grants.filter_map(|grant| grant.filter.as_ref());
    filters.find(|filter| {
        let paths = parse(&filter.value).map(|filter| filter.paths());
        paths.unwrap_or_default().iter().any(|path| {
            let named = resolve(catalog, &path.to_string());
            named.is_ok_and(|named| named.common(found).is_some())
        })
    })
}
