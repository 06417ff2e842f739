//! What a request claims: a client writes as its source system, and claims only what it means (design §3).

mod days;
mod keys;
mod looks;
mod named;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::iter::once;

use serde_json::{Map, Value};

use super::claim::{Claim, SINGLE, SourceRecord, Stamp};
use super::fold;
use super::lifecycle::dated;
use super::record::Leaves;
use super::survivorship::{Law, Rulings};
use super::view::{Spec, Specs, View};
use crate::scim::Error;
use crate::scim::patch::Patched;
use crate::scim::resource_type::Location;
use crate::scim::schema::Mutability;

use keys::{Keyed, keyed};
use named::named;
pub use named::wanted;

/// Whether the caller sees nothing of an element at a canonical path, does not see all of a single value, or may not write
/// it: then what it leaves out it does not take back, and what it gives is claimed whether it stands already or not.
pub type Hides<'a> = &'a dyn Fn(&str, &Value) -> bool;

/// Whether the caller sees an element at a canonical path otherwise than it is, and gives another that it does not have from there.
pub type Veils<'a> = &'a dyn Fn(&str, &Value, &Value) -> bool;

/// Whether the caller may see a part of the elements at a canonical path: then an element that it took away and gives again is
/// another, since whether it is the same may hang on what it does not see.
pub type InPart<'a> = &'a dyn Fn(&str) -> bool;

/// What a write rests on.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The view through which it is made.
    pub view: &'a View,
    /// What the canonical paths mean.
    pub specs: &'a Specs,
    /// Whose claims survive.
    pub rulings: &'a Rulings,
    /// What the caller does not see.
    pub hides: Hides<'a>,
    /// Which elements it sees otherwise than they are, and has not given so: what it gives is one of them only if it is the same
    /// in all.
    pub veils: Veils<'a>,
    /// Of which lists it sees elements in part.
    pub in_part: InPart<'a>,
    /// When it is made, and by what.
    pub stamp: Stamp,
}

/// A system's own record and those of all others.
pub type Sources<'a> = (&'a mut SourceRecord, &'a [SourceRecord]);

/// A system's claims on one attribute, about to change.
struct Desk<'a> {
    own: &'a mut SourceRecord,
    others: &'a [SourceRecord],
    terms: &'a Terms<'a>,
    law: Law<'a>,
    path: &'a str,
    spec: &'a Spec,
    next: u32,
}

impl<'a> Terms<'a> {
    /// The same for a caller that sees some elements otherwise than they are.
    #[must_use]
    pub fn veiling(self, veils: Veils<'a>, in_part: InPart<'a>) -> Self {
        Self {
            veils,
            in_part,
            ..self
        }
    }

    fn desk<'d>(
        &'d self,
        path: &'d str,
        spec: &'d Spec,
        (own, others): (&'d mut SourceRecord, &'d [SourceRecord]),
    ) -> Desk<'d> {
        Desk {
            next: own.claims.next_place(path),
            own,
            others,
            terms: self,
            law: self.rulings.on(path),
            path,
            spec,
        }
    }

    /// POST and import claim every value supplied; `folded` is what is known, if the person is.
    pub fn post(&self, given: &Leaves, folded: &Leaves, (own, others): Sources<'_>) {
        for (path, value) in given {
            let Some(spec) = self.specs.get(path) else {
                continue;
            };
            let mut desk = self.desk(path, spec, (own, others));
            match value {
                Value::Array(elements) if spec.attribute.multi_valued => {
                    let (mut known, hidden) = desk.known(array(folded.get(path)));
                    known.retain(|(_, element)| (self.veils)(path, element, &Value::Null));
                    for (key, element) in desk.keyed((&known, &hidden), elements) {
                        desk.confirm(&key, element);
                    }
                }
                single => desk.confirm(SINGLE, single),
            }
        }
    }

    /// What an extract says that there is none of: taken back, and denied where another source claims it.
    pub fn clear(&self, paths: &[String], (own, others): Sources<'_>) {
        for path in paths {
            let Some(spec) = self.specs.get(path) else {
                continue;
            };
            let keys = if spec.attribute.multi_valued {
                let sources = once(&*own).chain(others);
                fold::keys(self.rulings.on(path), path, sources)
            } else {
                vec![SINGLE.to_owned()]
            };
            let mut desk = self.desk(path, spec, (own, others));
            for key in keys {
                desk.remove(&key);
            }
        }
    }

    /// PUT claims what differs from the fold or from this source's own claim; an equal value that it never claimed is an
    /// echo; absence withdraws its own claims only, and is what its own denials say. Extensions that the body does not list
    /// stay untouched.
    pub fn put(
        &self,
        given: &Leaves,
        listed: &BTreeSet<String>,
        folded: &Leaves,
        (own, others): Sources<'_>,
    ) {
        // What this view only shows, such as /Persons the account's `active`, it cannot withdraw.
        let writable = |at: &Location| {
            let attribute = self.view.attribute(at);
            attribute.is_some_and(|attribute| attribute.mutability != Mutability::ReadOnly)
        };
        let units = self.view.units();
        let paths: BTreeSet<&str> = units
            .filter(|(at, _)| is_listed(at, listed) && writable(at))
            .map(|(_, path)| path)
            .collect();
        for path in paths {
            let Some(spec) = self.specs.get(path) else {
                continue;
            };
            // What is never shown to a client, its PUT cannot be expected to repeat.
            if spec.attribute.mutability == Mutability::WriteOnly && !given.contains_key(path) {
                continue;
            }
            let mut desk = self.desk(path, spec, (own, others));
            if spec.attribute.multi_valued {
                desk.put_elements(array(given.get(path)), array(folded.get(path)));
            } else {
                match given.get(path) {
                    // Whether it is an echo of what the caller does not see must not matter.
                    Some(value) => {
                        let folded = folded
                            .get(path)
                            .filter(|folded| !(self.hides)(path, folded));
                        desk.put_one(SINGLE, value, folded);
                    }
                    None => desk.fall_silent(SINGLE),
                }
            }
        }
    }

    /// PATCH claims what its operations name, even when equal to the fold; what they remove is withdrawn, and denied where
    /// another source claims it.
    pub fn patch(
        &self,
        before: &Map<String, Value>,
        patched: &Patched,
        (own, others): Sources<'_>,
    ) -> Result<(), Error> {
        let named = named(self.view, self.specs, patched);
        let says_days = named.values().any(|(path, ..)| *path == dated::PATH);
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
            let mut desk = self.desk(path, spec, (own, others));
            if spec.attribute.multi_valued {
                desk.patch_elements(
                    array(super::document::value_at(before, location)),
                    array(value),
                    elements,
                );
            } else if let Some(value) = value {
                if desk.is_dated() && !says_days {
                    desk.claim(SINGLE, value);
                } else {
                    desk.confirm(SINGLE, value);
                }
            } else {
                desk.remove(SINGLE);
            }
        }
        Ok(())
    }
}

fn is_listed(location: &Location, listed: &BTreeSet<String>) -> bool {
    location
        .extension
        .as_ref()
        .is_none_or(|urn| listed.contains(&**urn))
}

fn array(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

impl Desk<'_> {
    /// Claims a value. What this system said before of sub-attributes that this view does not show stays said, and so does
    /// what it denied.
    fn claim(&mut self, key: &str, value: &Value) {
        let mut value = self.stored(value);
        if let (Some(claim), Value::Object(new)) = (self.own.claims.get(self.path, key), &mut value)
        {
            for (name, said) in claim.value.as_object().into_iter().flatten() {
                if (said.is_null() || !self.shows(name)) && !new.contains_key(name) {
                    new.insert(name.clone(), said.clone());
                }
            }
        }
        self.say(key, value);
    }

    fn say(&mut self, key: &str, value: Value) {
        let stamp = self.terms.stamp;
        self.own
            .claims
            .claim(self.path, key, value, stamp, &mut self.next);
    }

    fn take_back(&mut self, key: &str) {
        self.own.claims.retract(self.path, key, self.terms.stamp);
    }

    /// Whether another's claim wins over an own one, whenever that is made: then saying it once more adds nothing.
    fn is_overruled(&self, key: &str, own: &Claim) -> bool {
        let (law, system) = (self.law, self.own.system.as_str());
        let stands = |source: &SourceRecord| {
            let claim = source.claims.get(self.path, key);
            claim.is_some_and(|claim| {
                let other = source.system.as_str();
                law.admits(other, claim) && law.standing(other, claim) > law.standing(system, own)
            })
        };
        !law.admits(system, own) || self.others.iter().any(stands)
    }

    fn put_one(&mut self, key: &str, value: &Value, folded: Option<&Value>) {
        let survives = folded.is_some_and(|folded| self.covers(folded, value));
        let differs = match self.own.claims.get(self.path, key) {
            Some(claim) => {
                let settled = survives || self.is_overruled(key, claim);
                !self.same(&claim.value, value) || !settled
            }
            None => !survives,
        };
        if differs {
            self.claim(key, value);
        }
    }

    /// Takes back what this system claims; that there is nothing it may well go on saying.
    fn fall_silent(&mut self, key: &str) {
        let claim = self.own.claims.get(self.path, key);
        if claim.is_some_and(|claim| {
            !claim.value.is_null() && !(self.terms.hides)(self.path, &claim.value)
        }) {
            self.take_back(key);
        }
    }

    /// The elements that all sources together make and the caller sees, with their keys; and the keys of those that it does
    /// not see.
    fn known<'a>(&self, folded: &'a [Value]) -> (Vec<Keyed<'a>>, Vec<String>) {
        let sources = once(&*self.own).chain(self.others);
        let keys = fold::keys(self.law, self.path, sources);
        let (hidden, seen): (Vec<Keyed<'a>>, Vec<_>) = keys
            .into_iter()
            .zip(folded)
            .partition(|(_, element)| (self.terms.hides)(self.path, element));
        (seen, hidden.into_iter().map(|(key, _)| key).collect())
    }

    fn keyed<'e>(&self, known: (&[Keyed<'_>], &[String]), elements: &'e [Value]) -> Vec<Keyed<'e>> {
        let veiled = |known: &Value, given: &Value| (self.terms.veils)(self.path, known, given);
        let (known, hidden) = known;
        let mut closed = hidden.to_vec();
        if (self.terms.in_part)(self.path) {
            let own = self.own.claims.0.get(self.path).into_iter().flatten();
            let denied = own.filter(|(_, claim)| claim.value.is_null());
            closed.extend(denied.map(|(key, _)| key.clone()));
        }
        keyed(
            self.spec,
            (known, &closed),
            elements,
            |element| self.look(element),
            veiled,
        )
    }

    fn put_elements(&mut self, given: &[Value], folded: &[Value]) {
        let (known, hidden) = self.known(folded);
        let given = self.keyed((&known, &hidden), given);
        let known: HashMap<String, &Value> = known.into_iter().collect();
        let kept: HashSet<&str> = given
            .iter()
            .map(|(key, _)| key.as_str())
            .chain(hidden.iter().map(String::as_str))
            .collect();
        let mine = self.own.claims.0.get(self.path);
        let mine: Vec<String> = mine.into_iter().flat_map(BTreeMap::keys).cloned().collect();
        for key in mine.iter().filter(|key| !kept.contains(key.as_str())) {
            self.fall_silent(key);
        }
        for (key, element) in &given {
            // Whether it is an echo of what the caller sees in part must not matter.
            let known = known.get(key).copied();
            let known = known.filter(|known| !(self.terms.veils)(self.path, known, element));
            self.put_one(key, element, known);
        }
    }

    fn patch_elements(&mut self, before: &[Value], after: &[Value], named: &[Option<&Value>]) {
        let (before, hidden) = self.known(before);
        let after = self.keyed((&before, &hidden), after);
        let old: HashMap<&str, &Value> = before
            .iter()
            .map(|(key, element)| (key.as_str(), *element))
            .collect();
        let names_all = named.iter().any(Option::is_none);
        let named: HashSet<String> = named
            .iter()
            .flatten()
            .map(|named| self.look(named))
            .collect();
        for (key, element) in &after {
            if names_all || named.contains(&self.look(element)) {
                let old = old.get(key.as_str()).copied();
                self.confirm(key, &self.denying(key, element, old));
            }
        }
        let stands: HashSet<&str> = after.iter().map(|(key, _)| key.as_str()).collect();
        for (key, _) in before
            .iter()
            .filter(|(key, _)| !stands.contains(key.as_str()))
        {
            self.remove(key);
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
        let own = self.own.claims.get(self.path, key);
        let hidden = (self.terms.hides)(self.path, value);
        let settled = own.filter(|_| !hidden).is_some_and(|own| {
            let rank = self.law.rank(&self.own.system, own);
            let wins = |other: &SourceRecord| {
                let claim = other.claims.get(self.path, key);
                claim.is_none_or(|claim| self.law.rank(&other.system, claim) < rank)
            };
            // A time that the source tells is part of what it says.
            let told = self.terms.stamp;
            let known_since = own.at >= told.at.timestamp_micros();
            self.same(&own.value, value)
                && (known_since || !told.told)
                && (self.is_overruled(key, own) || self.others.iter().all(wins))
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
        let hidden = key == SINGLE && (self.terms.hides)(self.path, &Value::Null);
        let own = self.own.claims.get(self.path, key);
        if own.is_some_and(|own| own.value.is_null() && self.is_overruled(key, own)) {
            return;
        }
        // A time that the source tells must not be forgotten with the value.
        if hidden
            || self.terms.stamp.told
            || self.is_named_by_a_day()
            || self.others.iter().any(claimed)
        {
            self.say(key, Value::Null);
        } else {
            self.take_back(key);
        }
    }
}

#[cfg(test)]
mod tests;
