//! From a policy's rows to the [`TypeClearance`] of one client.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::clearance::{MOST_ROWS, Mask, Rights, Rows, TypeClearance, Unit, join, place};
use super::treatment;
use crate::domain::catalog::Catalog;
use crate::domain::policy::selector::{self, Selector, Target};
use crate::domain::policy::{Client, Grant, Masking, Policy, Treatment};
use crate::scim::error::Kind as Fault;
use crate::scim::filter::{Condition, condition_among, parse_value_path};
use crate::scim::profile::Profile;
use crate::scim::resource_type::{Among, Location, Resolved, ResourceType};
use crate::scim::schema::{Kind, common};
use crate::scim::stand_in::StandIn;

/// A row of the client's roles: its rights, the attributes that it is on.
struct Row {
    rights: Rights,
    attributes: Option<Vec<Selector>>,
}

/// What is compiled of what.
pub(super) struct Compiler<'p> {
    policy: &'p Policy,
    client: &'p Client,
    catalog: &'p Catalog,
    ty: &'p Arc<ResourceType>,
    rows: Vec<Row>,
    bounds: Vec<(Rows, Condition)>,
    /// What is confidential before the client, of this type.
    pub(super) hidden: Option<&'p BTreeSet<Location>>,
}

fn grants<'p>(policy: &'p Policy, client: &'p Client) -> impl Iterator<Item = &'p Grant> {
    let roles = client.roles.iter();
    let known = roles.filter_map(|role| policy.roles.get(&role.value));
    known.flat_map(|grants| &grants.value)
}

fn rights(grant: &Grant, bit: Rows) -> Rights {
    let mut rights = Rights::default();
    for right in &grant.rights {
        rights[place(right.value)] |= bit;
    }
    rights
}

/// The rights on types that are not served yet, and on `*`.
pub(super) fn planned(policy: &Policy, client: &Client) -> Vec<(String, Rights)> {
    let mut found: Vec<(String, Rights)> = Vec::new();
    let whole = |grant: &&Grant| grant.attributes.is_none() && grant.filter.is_none();
    for grant in grants(policy, client).filter(whole) {
        for ty in &grant.types {
            if ty.value != "*" && selector::planned(&ty.value).is_none() {
                continue;
            }
            match found.iter_mut().find(|(name, _)| *name == ty.value) {
                Some((_, known)) => join(known, rights(grant, 1)),
                None => found.push((ty.value.clone(), rights(grant, 1))),
            }
        }
    }
    found
}

impl<'p> Compiler<'p> {
    pub(super) fn new(
        policy: &'p Policy,
        client: &'p Client,
        catalog: &'p Catalog,
        ty: &'p Arc<ResourceType>,
    ) -> Self {
        let mut compiler = Self {
            policy,
            client,
            catalog,
            ty,
            rows: Vec::new(),
            bounds: Vec::new(),
            hidden: None,
        };
        let on_it = |grant: &&Grant| {
            let mut names = grant.types.iter();
            names.any(|name| name.value == ty.name || name.value == "*")
        };
        for grant in grants(policy, client).filter(on_it).take(MOST_ROWS) {
            compiler.add(grant);
        }
        compiler
    }

    /// A row whose filter does not fit the type gives nothing on it.
    fn add(&mut self, grant: &Grant) {
        let bit = 1 << self.rows.len();
        if let Some(filter) = &grant.filter {
            let named = |ty: &&Arc<ResourceType>| {
                let mut names = grant.types.iter();
                names.any(|name| name.value == ty.name || name.value == "*")
            };
            let all: Vec<_> = self
                .catalog
                .resource_types()
                .filter(named)
                .cloned()
                .collect();
            let among = Among {
                ty: self.ty,
                all: &all,
            };
            match condition_among(&filter.value, among, Profile::Strict) {
                Ok(condition) => self.bounds.push((bit, condition)),
                Err(_) => return,
            }
        }
        let attributes = grant.attributes.as_ref().map(|names| {
            let known = names.iter();
            known
                .filter_map(|name| selector::resolve(self.catalog, &name.value).ok())
                .collect()
        });
        self.rows.push(Row {
            rights: rights(grant, bit),
            attributes,
        });
    }

    pub(super) fn compile(self) -> TypeClearance {
        let mut whole = Rights::default();
        for row in &self.rows {
            join(&mut whole, row.rights);
        }
        let mut compiled = TypeClearance {
            rights: whole,
            whole: Unit::of(whole),
            ..TypeClearance::default()
        };
        let (mut masked, mut stand_ins) = (Vec::new(), BTreeMap::new());
        let own = |found: &Resolved<'_>| {
            let mut known = common().iter();
            found.location.extension.is_some()
                || known.all(|known| known.name != found.location.attribute)
        };
        for attribute in self.ty.attributes().filter(own) {
            let is_grouped =
                attribute.attribute.kind == Kind::Complex && !attribute.attribute.multi_valued;
            let units: Vec<Resolved<'_>> = if is_grouped {
                attribute.subs().collect()
            } else {
                vec![attribute]
            };
            for found in units {
                let unit = self.unit(&found, &mut masked);
                stand_in(&unit, &found, &mut stand_ins);
                compiled.narrow |= unit.rights[0] != whole[0]
                    || unit
                        .parts
                        .values()
                        .any(|part| part[0] != unit.rights[0] && part[0] != whole[0]);
                if unit != Unit::of(whole) {
                    let target = selector::target(self.catalog, self.ty, &found.location);
                    compiled.units.insert(target.path, unit);
                }
            }
        }
        compiled.known = self.hidden.map(|hidden| Arc::new(self.ty.without(hidden)));
        if !stand_ins.is_empty() {
            let shown = compiled.known(self.ty).shown_as(&stand_ins);
            compiled.known = Some(Arc::new(shown));
        }
        compiled.bounds = self.bounds;
        compiled.masked = (!masked.is_empty()).then_some(Value::Array(masked));
        compiled
    }

    fn rights_on(&self, target: &Target) -> Rights {
        let mut rights = Rights::default();
        for row in &self.rows {
            let mut named = row.attributes.iter().flatten();
            if row.attributes.is_none() || named.any(|known| known.holds(target)) {
                join(&mut rights, row.rights);
            }
        }
        rights
    }

    fn unit(&self, found: &Resolved<'_>, masked: &mut Vec<Value>) -> Unit {
        let target = selector::target(self.catalog, self.ty, &found.location);
        let mut unit = Unit::of(self.rights_on(&target));
        let subs: Vec<Resolved<'_>> = if found.sub.is_none() {
            found.subs().collect()
        } else {
            Vec::new()
        };
        for sub in &subs {
            let rights = self.rights_on(&selector::target(self.catalog, self.ty, &sub.location));
            if let (true, Some(name)) = (rights != unit.rights, &sub.location.sub) {
                unit.parts.insert(name.to_string(), rights);
            }
        }
        for row in &self.policy.masking {
            for name in &row.attributes {
                if let Ok(known) = selector::classified(self.catalog, &name.value) {
                    self.classify(&mut unit, row, &known, (found, &subs), masked);
                }
            }
        }
        unit
    }

    /// Adds what a row of masking makes of a unit.
    fn classify(
        &self,
        unit: &mut Unit,
        row: &Masking,
        known: &Selector,
        (found, subs): (&Resolved<'_>, &[Resolved<'_>]),
        masked: &mut Vec<Value>,
    ) {
        let of = |found: &Resolved<'_>| selector::target(self.catalog, self.ty, &found.location);
        let whole = of(found);
        let mut places = Vec::new();
        if known.targets.iter().any(|target| target.holds(&whole)) {
            places.push((found, None));
        } else {
            let named = |sub: &&Resolved<'_>| known.targets.contains(&of(sub));
            places.extend(subs.iter().filter(named).map(|sub| (sub, Some(sub))));
        }
        for (place, sub) in places {
            let mut purposes = self.client.purposes.iter();
            let opens =
                purposes.find(|mine| row.open_to.iter().any(|open| open.value == mine.value));
            if let Some(purpose) = opens {
                unit.opened.push(purpose.value.clone());
            }
            let consent = opens.and(row.needs_consent.clone());
            if opens.is_some() && consent.is_none() {
                continue;
            }
            let part = known.part.as_deref();
            if !self
                .hidden
                .is_some_and(|hidden| hidden.contains(&place.location))
            {
                masked.push(json!({
                    "path": format!("{}{}", place.location, part.unwrap_or_default()),
                    "method": row.otherwise.word(),
                    "reason": if consent.is_some() { "consent" } else { "purpose" },
                }));
            }
            // An element without what it must have is none.
            let sub = sub.filter(|sub| !(row.otherwise == Treatment::Omit && sub.leaf().required));
            unit.masks.push(Mask {
                part: part.and_then(|part| element(found, part)),
                sub: sub
                    .and_then(|sub| sub.location.sub.as_deref())
                    .map(str::to_owned),
                treatment: row.otherwise,
                consent,
            });
        }
    }
}

/// Notes what may stand for a value, where not any text is one anyway.
fn stand_in(unit: &Unit, found: &Resolved<'_>, stand_ins: &mut BTreeMap<Location, Vec<StandIn>>) {
    let parts: Vec<Resolved<'_>> = match found.sub {
        None => found.subs().collect(),
        Some(_) => Vec::new(),
    };
    let is_on = |mask: &Mask, place: &Resolved<'_>| {
        let name = place.location.sub.as_deref();
        parts.is_empty() || name.is_some_and(|name| mask.is_on(name))
    };
    for mask in &unit.masks {
        let places = if parts.is_empty() {
            std::slice::from_ref(found)
        } else {
            &parts
        };
        let formed = places.iter().filter(|place| !place.leaf().is_plain_text());
        for place in formed.filter(|place| is_on(mask, place)) {
            if let Some(known) = treatment::stand_in(mask.treatment) {
                let at = stand_ins.entry(place.location.clone()).or_default();
                at.push(known);
            }
        }
    }
}

impl Unit {
    pub(super) fn of(rights: Rights) -> Self {
        Self {
            rights,
            ..Self::default()
        }
    }
}

/// What an element must pass; `text` begins with the brackets that follow the attribute.
pub(super) fn element(whole: &Resolved<'_>, text: &str) -> Option<Condition> {
    let end = text.rfind(']').map_or(text.len(), |end| end + 1);
    let path = format!("x{}", &text[..end]);
    let (_, filter, _) = parse_value_path(&path, Profile::Strict).ok()?;
    let whole = whole.whole();
    filter?.check_element(&whole, Fault::InvalidFilter).ok()
}
