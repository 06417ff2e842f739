//! What a request claims: a client writes as its source system, and claims only what it means (design §3).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::catalog::Catalog;
use super::claim::{Claims, SINGLE, SourceRecord, Stamp};
use super::record::Leaves;
use super::view::{Spec, Specs, View, is_computed};
use crate::scim::Error;
use crate::scim::patch::Patched;
use crate::scim::resource_type::Location;
use crate::scim::schema::Mutability;

/// A system's claims on one attribute, about to change.
struct Desk<'a> {
    own: &'a mut Claims,
    others: &'a [SourceRecord],
    view: &'a View,
    path: &'a str,
    spec: &'a Spec,
    stamp: Stamp,
}

/// POST claims every value supplied.
pub fn post(view: &View, catalog: &Catalog, given: &Leaves, own: &mut Claims, stamp: Stamp) {
    let specs = catalog.specs(view.kind);
    for (path, value) in given {
        let Some(spec) = specs.get(path) else {
            continue;
        };
        let mut desk = Desk {
            own,
            others: &[],
            view,
            path,
            spec,
            stamp,
        };
        match value {
            Value::Array(elements) if spec.attribute.multi_valued => {
                for (key, element) in keyed(spec, elements) {
                    desk.claim(&key, element);
                }
            }
            single => desk.claim(SINGLE, single),
        }
    }
}

/// PUT claims what differs from the fold or from this source's own claim; an equal value that it never claimed is an
/// echo; absence withdraws its own claims only. Extensions that the body does not list stay untouched.
pub fn put(
    view: &View,
    catalog: &Catalog,
    given: &Leaves,
    listed: &BTreeSet<String>,
    folded: &Leaves,
    own: &mut Claims,
    stamp: Stamp,
) {
    let specs = catalog.specs(view.kind);
    // What this view only shows, such as /Persons the account's `active`, it cannot withdraw.
    let writable = |at: &Location| {
        view.attribute(at)
            .is_some_and(|attribute| attribute.mutability != Mutability::ReadOnly)
    };
    let paths: BTreeSet<&str> = view
        .units()
        .filter(|(at, _)| is_listed(at, listed) && writable(at))
        .map(|(_, path)| path)
        .collect();
    for path in paths {
        let Some(spec) = specs.get(path) else {
            continue;
        };
        let mut desk = Desk {
            own,
            others: &[],
            view,
            path,
            spec,
            stamp,
        };
        if spec.attribute.multi_valued {
            desk.put_elements(array(given.get(path)), array(folded.get(path)));
        } else {
            match given.get(path) {
                Some(value) => desk.put_one(SINGLE, value, folded.get(path)),
                None => desk.own.withdraw(path, SINGLE),
            }
        }
    }
}

fn is_listed(location: &Location, listed: &BTreeSet<String>) -> bool {
    location
        .extension
        .as_ref()
        .is_none_or(|urn| listed.contains(&**urn))
}

/// PATCH claims what its operations name, even when equal to the fold; what they remove is withdrawn, and denied
/// where another source claims it.
pub fn patch(
    view: &View,
    catalog: &Catalog,
    before: &Map<String, Value>,
    patched: &Patched,
    source: (&mut Claims, &[SourceRecord]),
    stamp: Stamp,
) -> Result<(), Error> {
    let (own, others) = source;
    let named = named(view, catalog.specs(view.kind), patched);
    let after = &patched.document;
    let mut settled: BTreeMap<&str, (&Location, Option<&Value>)> = BTreeMap::new();
    for (location, (path, spec, elements)) in &named {
        let value = super::document::value_at(after, location);
        if let Some((other, earlier)) = settled.insert(path, (location, value)) {
            if earlier == value {
                continue;
            }
            return Err(Error::invalid_value(format!(
                "'{other}' and '{location}' are two names of one value and differ: give it once"
            )));
        }
        let mut desk = Desk {
            own,
            others,
            view,
            path,
            spec,
            stamp,
        };
        if spec.attribute.multi_valued {
            desk.patch_elements(
                array(super::document::value_at(before, location)),
                array(value),
                elements,
            );
        } else if let Some(value) = value {
            desk.confirm(SINGLE, value);
        } else {
            desk.remove(SINGLE);
        }
    }
    Ok(())
}

/// Per location its path, what that means, and the elements named; `None` among them names all.
type Named<'a> = BTreeMap<Location, (&'a str, &'a Spec, Vec<Option<&'a Value>>)>;

/// The units that the operations named, with the elements they named or took out. An operation on a complex attribute as a
/// whole names all of its parts.
fn named<'a>(view: &'a View, specs: &'a Specs, patched: &'a Patched) -> Named<'a> {
    let mut named = Named::new();
    for touch in patched.touched.iter().chain(&patched.removed) {
        for (location, path) in view.units() {
            let same = location == &touch.location
                || (touch.location.sub.is_none() && location.whole() == touch.location)
                || (location.sub.is_none() && touch.location.whole() == *location);
            if let (true, Some(spec)) = (same, specs.get(path)) {
                let entry = named
                    .entry(location.clone())
                    .or_insert((path, spec, Vec::new()));
                entry.2.push(touch.element.as_ref());
            }
        }
    }
    named
}

fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Elements with their keys. Two elements with one key in one document (three phones of one number, as Entra sends)
/// are told apart by their order, so that none is lost.
fn keyed<'a>(spec: &Spec, elements: &'a [Value]) -> Vec<(String, &'a Value)> {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let key = |element: &'a Value| {
        let key = spec.element_key(element);
        let count = seen.entry(key.clone()).or_default();
        *count += 1;
        (
            if *count == 1 {
                key
            } else {
                format!("{key}\u{1e}{count}")
            },
            element,
        )
    };
    elements.iter().map(key).collect()
}

impl Desk<'_> {
    /// Claims a value. What this system said before of sub-attributes that this view does not show stays said.
    fn claim(&mut self, key: &str, value: &Value) {
        let mut value = self.stored(value);
        if let (Some(claim), Value::Object(new)) = (self.own.get(self.path, key), &mut value) {
            let hidden = claim
                .value
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| !self.shows(name));
            new.extend(hidden.map(|(name, value)| (name.clone(), value.clone())));
        }
        self.own.claim(self.path, key, value, self.stamp);
    }

    fn stored(&self, value: &Value) -> Value {
        match value {
            Value::Object(subs) => subs
                .iter()
                .filter(|(name, _)| {
                    self.spec
                        .attribute
                        .sub(name)
                        .is_some_and(|sub| !is_computed(sub))
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            other => other.clone(),
        }
    }

    fn shows(&self, sub: &str) -> bool {
        self.view.shown(self.path).iter().any(|at| {
            self.view
                .attribute(at)
                .is_some_and(|a| a.sub(sub).is_some())
        })
    }

    /// Whether two values look the same in this view.
    fn same(&self, a: &Value, b: &Value) -> bool {
        let visible = |value: &Value| match self.stored(value) {
            Value::Object(subs) => subs
                .into_iter()
                .filter(|(name, value)| self.shows(name) && !value.is_null())
                .collect(),
            other => other,
        };
        visible(a) == visible(b)
    }

    fn put_one(&mut self, key: &str, value: &Value, folded: Option<&Value>) {
        let survives = folded.is_some_and(|folded| self.same(folded, value));
        let differs = match self.own.get(self.path, key) {
            Some(claim) => !self.same(&claim.value, value) || !survives,
            None => !survives,
        };
        if differs {
            self.claim(key, value);
        }
    }

    fn put_elements(&mut self, given: &[Value], folded: &[Value]) {
        let folded: BTreeMap<_, _> = keyed(self.spec, folded).into_iter().collect();
        let given = keyed(self.spec, given);
        let kept: BTreeSet<&str> = given.iter().map(|(key, _)| key.as_str()).collect();
        let mine: Vec<String> = self
            .own
            .0
            .get(self.path)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .cloned()
            .collect();
        for key in mine.iter().filter(|key| !kept.contains(key.as_str())) {
            self.own.withdraw(self.path, key);
        }
        for (key, element) in &given {
            self.put_one(key, element, folded.get(key).copied());
        }
    }

    fn patch_elements(&mut self, before: &[Value], after: &[Value], named: &[Option<&Value>]) {
        let after = keyed(self.spec, after);
        let before = keyed(self.spec, before);
        for (key, element) in &after {
            let was_named = named
                .iter()
                .any(|named| named.is_none_or(|named| self.same(named, element)));
            if was_named {
                let old = before
                    .iter()
                    .find(|(kept, _)| kept == key)
                    .map(|(_, old)| *old);
                self.confirm(key, &self.denying(key, element, old));
            }
        }
        for (key, _) in &before {
            if !after.iter().any(|(kept, _)| kept == key) {
                self.remove(key);
            }
        }
    }

    /// The element with `null` for each sub-attribute that the operation took away and another source claims.
    fn denying(&self, key: &str, element: &Value, old: Option<&Value>) -> Value {
        let mut element = element.clone();
        let (Value::Object(new), Some(Value::Object(old))) = (&mut element, old) else {
            return element;
        };
        for name in old.keys().filter(|name| *name != "$ref") {
            let claimed = |source: &SourceRecord| {
                let claim = source.claims.get(self.path, key);
                claim
                    .and_then(|claim| claim.value.get(name))
                    .is_some_and(|value| !value.is_null())
            };
            if !new.contains_key(name) && self.others.iter().any(claimed) {
                new.insert(name.clone(), Value::Null);
            }
        }
        element
    }

    /// Claims what was named, unless that is what this source already says and nobody said otherwise since.
    fn confirm(&mut self, key: &str, value: &Value) {
        let own = self.own.get(self.path, key);
        let settled = own.is_some_and(|own| {
            let newer = self
                .others
                .iter()
                .filter_map(|source| source.claims.get(self.path, key));
            self.same(&own.value, value) && newer.into_iter().all(|other| other.rank() < own.rank())
        });
        if !settled {
            self.claim(key, value);
        }
    }

    /// Takes back this source's claim; where another source claims it too, says against it that there is none.
    fn remove(&mut self, key: &str) {
        let claimed = |source: &SourceRecord| {
            source
                .claims
                .get(self.path, key)
                .is_some_and(|claim| !claim.value.is_null())
        };
        if self.others.iter().any(claimed) {
            self.own.claim(self.path, key, Value::Null, self.stamp);
        } else {
            self.own.withdraw(self.path, key);
        }
    }
}

#[cfg(test)]
mod tests;
