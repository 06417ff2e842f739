//! What decisions recommend, and that the rows to paste are a policy that does it.

use super::{Evidence, Settled, Verdict, advise};
use crate::domain::catalog::Catalog;
use crate::domain::policy::selector::Target;
use crate::domain::policy::{Policy, load};
use crate::domain::record::Kind;
use crate::domain::survivorship::Survivorship;

const POLICY: &str = r#"version: 1
systems:
  - { name: hris, kind: hris, owner: HR }
  - { name: ats, kind: ats, owner: Recruiting }
authority:
  - { domain: employment, master: hris, covers: ["Person:Employee", Person.legalName], others: suggest }
"#;

fn target(path: &str) -> Target {
    Target {
        kind: Some(Kind::Person),
        path: path.to_owned(),
    }
}

fn policy(text: &str, catalog: &Catalog) -> Policy {
    let loaded = load(text.as_bytes(), catalog);
    assert!(loaded.policy.is_some(), "{text}: {:?}", loaded.findings);
    loaded.policy.unwrap()
}

#[test]
fn what_is_nearly_always_taken_makes_a_master_and_the_rest_stays() {
    let catalog = Catalog::load().unwrap();
    let before = policy(POLICY, &catalog);
    let rules = Survivorship::of(&before, &catalog);
    let rules = rules.on(Kind::Person);
    let title = catalog
        .views()
        .iter()
        .flat_map(|view| view.units())
        .find(|(at, _)| at.to_string().ends_with("Employee:jobTitle"))
        .map(|(_, path)| path.to_owned())
        .unwrap();
    let mut evidence = Evidence::default();
    for (path, taken, rejected) in [
        (title.as_str(), 5, 1),
        ("legalName", 1, 9),
        ("preferredName", 9, 0),
    ] {
        for _ in 0..taken {
            evidence.add(target(path), "ats", Settled::Approved);
        }
        for _ in 0..rejected {
            evidence.add(target(path), "ats", Settled::Rejected);
        }
    }
    let advised = advise(&evidence, &before, &catalog, 5);
    let verdict = |path: &str| {
        let found = advised.advice.iter().find(|one| one.target.path == path);
        found.unwrap().verdict
    };
    assert_eq!(verdict(&title), Verdict::Master);
    assert_eq!(verdict("legalName"), Verdict::Stands);
    assert_eq!(
        verdict("preferredName"),
        Verdict::Settled,
        "nobody is its master"
    );
    // The rows, pasted as they are told, are a policy, and all else is as before.
    let line = advised.rows[0].instead_of.unwrap();
    let mut lines: Vec<String> = POLICY.lines().map(str::to_owned).collect();
    lines[line - 1] = format!("  {}", advised.rows[0].text.as_ref().unwrap());
    lines.push(format!("  {}", advised.rows[1].text.as_ref().unwrap()));
    let after = policy(&lines.join("\n"), &catalog);
    let rules_after = Survivorship::of(&after, &catalog);
    let rules_after = rules_after.on(Kind::Person);
    assert_eq!(rules_after.foreign_master(&title, "nobody"), Some("ats"));
    for (_, path) in catalog
        .views()
        .iter()
        .filter(|view| view.kind == Kind::Person)
        .flat_map(|view| view.units())
    {
        if path != title {
            let of = |rules: &crate::domain::survivorship::Rulings| {
                rules.foreign_master(path, "nobody").map(str::to_owned)
            };
            assert_eq!(of(rules_after), of(rules), "{path}");
        }
    }
    assert!(advise(&evidence, &before, &catalog, 50).rows.is_empty());
}

#[test]
fn where_two_systems_are_as_right_humans_go_on() {
    let catalog = Catalog::load().unwrap();
    let before = policy(POLICY, &catalog);
    let mut evidence = Evidence::default();
    for _ in 0..6 {
        evidence.add(target("legalName"), "ats", Settled::Elevated);
        evidence.add(target("legalName"), "crm", Settled::Approved);
    }
    let advised = advise(&evidence, &before, &catalog, 5);
    assert!(
        advised
            .advice
            .iter()
            .all(|one| one.verdict == Verdict::Mixed)
    );
    assert!(advised.rows.is_empty() && advised.policy.is_none());
}
