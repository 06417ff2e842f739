//! Whose claim survives: the policy's authority and survivorship as an order among claims, compiled once (design §3,
//!

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::catalog::Catalog;
use super::claim::Claim;
use super::policy::selector::{self, Selector, Target};
use super::policy::{Policy, Rule};
use super::record::Kind;

/// The rules of one policy, for all kinds of record. Without a policy there are none: the newest claim wins.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survivorship(BTreeMap<Kind, Rulings>);

/// The rules on the attributes of one kind of record, by canonical path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rulings {
    by_path: BTreeMap<String, Ruling>,
    /// The place of each system in the policy: the earlier one wins where nothing else decides.
    places: Arc<BTreeMap<String, usize>>,
}

/// The rule on one attribute.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ruling {
    /// The one system whose claims count; what all others say is a suggestion.
    master: Option<String>,
    /// Systems that were masters before: what they said counts where the master says nothing.
    former: Vec<String>,
    rule: Option<Rule>,
    /// For `sourcePriority`: the place of each system in the row's order. Where there were masters before: theirs, behind the
    /// master's.
    order: BTreeMap<String, usize>,
}

/// What a record is called is for whoever calls it so to say: no master takes away another system's names, or a change of
/// tools would lose them (B-001).
const IDENTIFIERS: &str = "externalIdentifiers";

impl Ruling {
    fn union() -> Self {
        Self {
            rule: Some(Rule::Union),
            ..Self::default()
        }
    }
}

/// The rule on one attribute, with what decides where it does not.
#[derive(Clone, Copy, Debug)]
pub struct Law<'a> {
    ruling: Option<&'a Ruling>,
    rulings: &'a Rulings,
}

/// What of a claim's rank no later claim of its source can change.
pub type Standing = (Option<i64>, Reverse<usize>);

/// How a claim ranks among those on the same value; the greatest wins: by elevation, the order of a `sourcePriority`, the
/// size that a rule may ask for, source time, the system's place in the policy, its name, and the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank<'a> {
    standing: Standing,
    size: usize,
    at: i64,
    place: Reverse<usize>,
    system: Reverse<&'a str>,
    event: &'a str,
}

impl Survivorship {
    /// The rules that a policy gives.
    #[must_use]
    pub fn of(policy: &Policy, catalog: &Catalog) -> Self {
        let systems = policy.systems.iter().enumerate();
        let places: BTreeMap<String, usize> = systems
            .map(|(place, system)| (system.name.value.clone(), place))
            .collect();
        let places = Arc::new(places);
        let rows = Rows::of(policy, catalog);
        let mut kinds: BTreeMap<Kind, Rulings> = BTreeMap::new();
        for view in catalog.views() {
            let rulings = kinds.entry(view.kind).or_insert_with(|| Rulings {
                by_path: BTreeMap::new(),
                places: places.clone(),
            });
            for (_, path) in view.units() {
                let target = Target {
                    kind: Some(view.kind),
                    path: path.to_owned(),
                };
                if view.kind.is_hiring() && path == IDENTIFIERS {
                    rulings.by_path.insert(path.to_owned(), Ruling::union());
                } else if let Some(ruling) = rows.on(&target) {
                    rulings.by_path.insert(path.to_owned(), ruling);
                }
            }
        }
        Self(kinds)
    }

    /// The rules on a kind of record.
    #[must_use]
    pub fn on(&self, kind: Kind) -> &Rulings {
        static NONE: std::sync::LazyLock<Rulings> = std::sync::LazyLock::new(Rulings::default);
        self.0.get(&kind).unwrap_or(&NONE)
    }
}

/// The rows of a policy with what their names mean.
struct Rows<'p> {
    policy: &'p Policy,
    authority: Vec<(Vec<Selector>, &'p super::policy::Authority)>,
    survivorship: Vec<(Vec<Selector>, &'p super::policy::Survivorship)>,
}

impl<'p> Rows<'p> {
    fn of(policy: &'p Policy, catalog: &Catalog) -> Self {
        let known = |names: &[super::policy::Placed<String>]| -> Vec<Selector> {
            let known = names.iter();
            known
                .filter_map(|name| selector::resolve(catalog, &name.value).ok())
                .collect()
        };
        Self {
            policy,
            authority: policy
                .authority
                .iter()
                .map(|row| (known(&row.covers), row))
                .collect(),
            survivorship: policy
                .survivorship
                .iter()
                .map(|row| (known(&row.attributes), row))
                .collect(),
        }
    }

    fn on(&self, target: &Target) -> Option<Ruling> {
        let covers = |known: &[Selector]| known.iter().any(|known| known.holds(target));
        let master = self.authority.iter().find(|(known, _)| covers(known));
        let master = master.map(|(_, row)| *row);
        let former = master
            .and_then(|row| row.formerly.as_deref())
            .unwrap_or_default();
        let former: Vec<String> = former.iter().map(|name| name.value.clone()).collect();
        let row = self.survivorship.iter().find(|(known, _)| covers(known));
        let row = row.map(|(_, row)| *row);
        let ruling = Ruling {
            master: master.map(|row| row.master.value.clone()),
            rule: row.map(|row| row.rule.value),
            order: match master {
                Some(row) if !former.is_empty() => succession(&row.master.value, &former),
                _ => row.map(|row| self.order(row)).unwrap_or_default(),
            },
            former,
        };
        (ruling.master.is_some() || ruling.rule.is_some()).then_some(ruling)
    }

    /// The place of each system in a row's order, which names systems or kinds of them.
    fn order(&self, row: &super::policy::Survivorship) -> BTreeMap<String, usize> {
        let place = |system: &super::policy::System| {
            let named = |name: &str| name == system.name.value || name == system.kind.word();
            row.order.iter().position(|entry| named(&entry.value))
        };
        let systems = self.policy.systems.iter();
        systems
            .filter_map(|system| Some((system.name.value.clone(), place(system)?)))
            .collect()
    }
}

/// The master first, then those who were it before.
fn succession(master: &str, former: &[String]) -> BTreeMap<String, usize> {
    let former = former.iter().map(String::as_str);
    let all = std::iter::once(master).chain(former).enumerate();
    all.map(|(place, name)| (name.to_owned(), place)).collect()
}

impl Rulings {
    /// Whether the newest claim always wins.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_path.is_empty()
    }

    /// The rule on the attribute at `path`.
    #[must_use]
    pub fn on(&self, path: &str) -> Law<'_> {
        Law {
            ruling: self.by_path.get(path),
            rulings: self,
        }
    }

    /// The master of the attribute at `path`, if it is another system than `system`.
    #[must_use]
    pub fn foreign_master(&self, path: &str, system: &str) -> Option<&str> {
        let master = self.by_path.get(path)?.master.as_deref()?;
        (master != system).then_some(master)
    }
}

impl<'a> Law<'a> {
    /// Whether a claim counts at all: where there is a master, another's is a suggestion until it is elevated; but for those who
    /// were masters before, who are heard where the master says nothing.
    #[must_use]
    pub fn admits(&self, system: &str, claim: &Claim) -> bool {
        let Some(ruling) = self.ruling else {
            return true;
        };
        let master = ruling.master.as_deref();
        claim.elevated.is_some()
            || master.is_none_or(|master| master == system)
            || ruling.former.iter().any(|former| former == system)
    }

    /// Whether elements are joined, so that what one source denies another may still say.
    #[must_use]
    pub fn is_union(&self) -> bool {
        self.rule() == Some(Rule::Union)
    }

    fn rule(&self) -> Option<Rule> {
        self.ruling.and_then(|ruling| ruling.rule)
    }

    /// What time cannot change of a claim's rank.
    #[must_use]
    pub fn standing(&self, system: &str, claim: &Claim) -> Standing {
        let elevated = claim.elevated.as_ref().map(|by| by.at);
        (elevated, Reverse(self.order(system)))
    }

    /// The place of a system in the order of a `sourcePriority`; behind all others if it has none.
    #[must_use]
    pub fn order(&self, system: &str) -> usize {
        let order = self.ruling.and_then(|ruling| ruling.order.get(system));
        order.copied().unwrap_or(usize::MAX)
    }

    /// The rank of a claim of `system`.
    #[must_use]
    pub fn rank<'c>(&self, system: &'c str, claim: &'c Claim) -> Rank<'c> {
        let sized = matches!(self.rule(), Some(Rule::Longest | Rule::MostComplete));
        let place = self.rulings.places.get(system);
        Rank {
            standing: self.standing(system, claim),
            size: if sized { size(&claim.value) } else { 0 },
            at: claim.at,
            place: Reverse(place.copied().unwrap_or(usize::MAX)),
            system: Reverse(system),
            event: &claim.event,
        }
    }

    /// The rule as a policy writes it, for who asks why a value stands.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let ruling = self.ruling?;
        Some(match (&ruling.master, ruling.rule) {
            (Some(master), _) => format!("master {master}"),
            (None, Some(rule)) => rule.word().to_owned(),
            (None, None) => return None,
        })
    }

    /// The master, if there is one.
    #[must_use]
    pub fn master(&self) -> Option<&'a str> {
        self.ruling?.master.as_deref()
    }
}

/// How long a text is in characters, how many parts an element has.
fn size(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::String(text) => text.chars().count(),
        Value::Object(parts) => parts.values().filter(|part| !part.is_null()).count(),
        Value::Array(items) => items.len(),
        _ => 1,
    }
}
