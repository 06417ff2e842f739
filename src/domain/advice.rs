//! Which rules the past decisions of humans recommend: where a system's suggestions are nearly always taken, it had better be
//! master; where nearly never, the rule stands.

use std::collections::BTreeMap;

use super::catalog::Catalog;
use super::policy::selector::{self, Selector, Target};
use super::policy::{Authority, Placed, Policy};
use super::survivorship::Survivorship;

/// So many of a hundred decisions must agree for a rule to be recommended.
const AGREE: u64 = 80;

/// How a human settled what a system suggested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// A review was approved.
    Approved,
    /// A review was rejected.
    Rejected,
    /// It was elevated without a review.
    Elevated,
}

/// How often each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reviews that were approved.
    pub approved: u64,
    /// Reviews that were rejected.
    pub rejected: u64,
    /// Elevations without a review.
    pub elevated: u64,
}

impl Tally {
    /// How often it was taken.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.approved + self.elevated
    }

    /// How often it was decided.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.taken() + self.rejected
    }
}

/// What humans decided, by attribute and by the system that made the suggestion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence(BTreeMap<(Target, String), Tally>);

impl Evidence {
    /// Counts one decision.
    pub fn add(&mut self, target: Target, system: &str, settled: Settled) {
        let tally = self.0.entry((target, system.to_owned())).or_default();
        match settled {
            Settled::Approved => tally.approved += 1,
            Settled::Rejected => tally.rejected += 1,
            Settled::Elevated => tally.elevated += 1,
        }
    }
}

/// What is recommended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The system should be master of the attribute.
    Master,
    /// The rule is right as it is.
    Stands,
    /// Humans decide now so, now so: they had better go on.
    Mixed,
    /// Too little has been decided.
    Few,
    /// The system's word is no suggestion any more.
    Settled,
}

/// What is recommended of one attribute and one system, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// The attribute.
    pub target: Target,
    /// The same as a policy names it.
    pub name: String,
    /// The system whose suggestions they were.
    pub system: String,
    /// The master.
    pub master: Option<String>,
    /// What was decided.
    pub tally: Tally,
    /// What that recommends.
    pub verdict: Verdict,
}

/// A row of `authority` to paste.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line of the row whose place it takes; a further row otherwise.
    pub instead_of: Option<usize>,
    /// The row; nothing where the row in force is to go.
    pub text: Option<String>,
}

/// All advice.
#[derive(Clone, Debug, Default)]
pub struct Advised {
    /// By attribute and system.
    pub advice: Vec<Advice>,
    /// The rows to paste.
    pub rows: Vec<Row>,
    /// The policy with those rows, if there are any.
    pub policy: Option<Policy>,
}

/// What the evidence recommends to change of `policy`, where at least `least` decisions were made.
#[must_use]
pub fn advise(evidence: &Evidence, policy: &Policy, catalog: &Catalog, least: u64) -> Advised {
    let survivorship = Survivorship::of(policy, catalog);
    let mut advice: Vec<Advice> = Vec::new();
    for ((target, system), tally) in &evidence.0 {
        let rulings = target.kind.map(|kind| survivorship.on(kind));
        let master = rulings.and_then(|rulings| rulings.foreign_master(&target.path, system));
        let share = tally.taken() * 100;
        let verdict = match master {
            None => Verdict::Settled,
            Some(_) if tally.all() < least => Verdict::Few,
            Some(_) if share >= AGREE * tally.all() => Verdict::Master,
            Some(_) if share <= (100 - AGREE) * tally.all() => Verdict::Stands,
            Some(_) => Verdict::Mixed,
        };
        advice.push(Advice {
            target: target.clone(),
            name: name_of(catalog, target),
            system: system.clone(),
            master: master.map(str::to_owned),
            tally: *tally,
            verdict,
        });
    }
    one_master(&mut advice);
    let (rows, policy) = rows(&advice, policy, catalog);
    Advised {
        advice,
        rows,
        policy,
    }
}

/// Of several systems that might be master of one attribute none is recommended: humans go on deciding.
fn one_master(advice: &mut [Advice]) {
    let mut of: BTreeMap<Target, usize> = BTreeMap::new();
    for one in advice.iter().filter(|one| one.verdict == Verdict::Master) {
        *of.entry(one.target.clone()).or_default() += 1;
    }
    for one in advice.iter_mut() {
        if one.verdict == Verdict::Master && of.get(&one.target).is_some_and(|count| *count > 1) {
            one.verdict = Verdict::Mixed;
        }
    }
}

/// The rows that make each recommended system master, and the policy with them.
fn rows(advice: &[Advice], policy: &Policy, catalog: &Catalog) -> (Vec<Row>, Option<Policy>) {
    let moved: Vec<&Advice> = advice
        .iter()
        .filter(|one| one.verdict == Verdict::Master)
        .collect();
    if moved.is_empty() {
        return (Vec::new(), None);
    }
    let targets: Vec<&Target> = moved.iter().map(|one| &one.target).collect();
    let (mut rows, mut authority) = (Vec::new(), Vec::new());
    for row in &policy.authority {
        let covers = row
            .covers
            .iter()
            .flat_map(|cover| without(catalog, cover, &targets));
        let covers: Vec<Placed<String>> = covers.collect();
        let row = if covers == row.covers {
            row.clone()
        } else {
            let rest = Authority {
                covers,
                ..row.clone()
            };
            rows.push(Row {
                instead_of: Some(row.at.line),
                text: (!rest.covers.is_empty()).then(|| yaml(&rest)),
            });
            rest
        };
        if !row.covers.is_empty() {
            authority.push(row);
        }
    }
    let mut by_system: BTreeMap<&str, Vec<Placed<String>>> = BTreeMap::new();
    for one in &moved {
        by_system
            .entry(&one.system)
            .or_default()
            .push(placed(&one.name));
    }
    for (system, covers) in by_system {
        let row = Authority {
            domain: placed(&format!("advised-{system}")),
            master: placed(system),
            covers,
            ..Authority::default()
        };
        rows.push(Row {
            instead_of: None,
            text: Some(yaml(&row)),
        });
        authority.push(row);
    }
    let policy = Policy {
        authority,
        ..policy.clone()
    };
    (rows, Some(policy))
}

/// What a name covers, written out, but for some attributes; as it is where it covers none of them.
fn without(catalog: &Catalog, cover: &Placed<String>, but: &[&Target]) -> Vec<Placed<String>> {
    let known = selector::resolve(catalog, &cover.value).unwrap_or_else(|_| Selector::default());
    if !but.iter().any(|target| known.holds(target)) {
        return vec![cover.clone()];
    }
    let mut rest: Vec<Target> = Vec::new();
    for view in catalog.views() {
        for (_, path) in view.units() {
            let target = Target {
                kind: Some(view.kind),
                path: path.to_owned(),
            };
            if known.holds(&target) && !but.contains(&&target) && !rest.contains(&target) {
                rest.push(target);
            }
        }
    }
    let names = rest.iter().map(|target| placed(&name_of(catalog, target)));
    names.collect()
}

/// How a policy names an attribute: `Person.legalName`, `Person:Employee.jobTitle`.
fn name_of(catalog: &Catalog, target: &Target) -> String {
    let mut views: Vec<_> = catalog
        .views()
        .iter()
        .filter(|view| Some(view.kind) == target.kind)
        .collect();
    views.sort_by_key(|view| view.accounts_only);
    let shown = views.iter().find_map(|view| {
        let at = &view.shown(&target.path).first()?.location;
        Some((&view.resource_type.name, at))
    });
    let Some((name, at)) = shown else {
        return target.path.clone();
    };
    let text = at.to_string();
    match &at.extension {
        None => format!("{name}.{text}"),
        Some(urn) => {
            let short = urn.rsplit(':').next().unwrap_or_default();
            let rest = text.strip_prefix(&**urn).unwrap_or(&text);
            format!("{name}:{short}.{}", rest.trim_start_matches(':'))
        }
    }
}

fn placed(text: &str) -> Placed<String> {
    Placed {
        value: text.to_owned(),
        ..Placed::default()
    }
}

/// A row as it stands in a file.
fn yaml(row: &Authority) -> String {
    let covers = row.covers.iter().map(|cover| format!("{:?}", cover.value));
    format!(
        "- {{ domain: {:?}, master: {:?}, covers: [{}], others: {} }}",
        row.domain.value,
        row.master.value,
        covers.collect::<Vec<_>>().join(", "),
        row.others.word()
    )
}

#[cfg(test)]
mod tests;
