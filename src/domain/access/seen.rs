//! What one client sees of one record.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::clearance::{KEPT, Mask, Rows, TypeClearance, Unit, place};
use super::treatment::{self, treat};
use crate::domain::context::Right;
use crate::domain::policy::Treatment;
use crate::domain::record::Leaves;
use crate::scim::filter::Condition;

/// A client before one record.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    pub(super) of: &'a TypeClearance,
    /// The rows that hold of this record.
    held: Rows,
    /// To what the person has consented, of what matters here.
    consents: BTreeSet<&'a str>,
    /// The secret under which this client's names for values are made.
    key: &'a [u8],
}

/// What is seen of an element, or of several that look the same.
pub(super) struct Shown<'v> {
    /// What is seen.
    pub(super) seen: Value,
    /// The elements of which that is seen.
    pub(super) of: Vec<&'v Value>,
    /// Whether that is not how they are.
    pub(super) is_altered: bool,
}

impl TypeClearance {
    /// The client before the record that `document` shows whole, with its `schemas`. `consented` says whether the person has
    /// consented to a purpose.
    #[must_use]
    pub fn before<'a>(
        &'a self,
        document: &Map<String, Value>,
        consented: impl Fn(&str) -> bool,
        key: &'a [u8],
    ) -> Seen<'a> {
        let needed = self.units.values().flat_map(|unit| &unit.masks);
        let needed: BTreeSet<&str> = needed.filter_map(|mask| mask.consent.as_deref()).collect();
        Seen {
            of: self,
            held: self.held(|condition| condition.matches(document)),
            consents: needed
                .into_iter()
                .filter(|purpose| consented(purpose))
                .collect(),
            key,
        }
    }

    /// The rows that hold where `passes` says which of their filters do.
    fn held(&self, passes: impl Fn(&Condition) -> bool) -> Rows {
        let failed = self
            .bounds
            .iter()
            .filter(|(_, condition)| !passes(condition));
        failed.fold(Rows::MAX, |held, (row, _)| held & !row)
    }

    /// Whether what is needed of a record to see it is its consents.
    #[must_use]
    pub fn heeds_consent(&self) -> bool {
        let mut masks = self.units.values().flat_map(|unit| &unit.masks);
        masks.any(|mask| mask.consent.is_some())
    }
}

impl Seen<'_> {
    /// Whether the record is within the reach of a right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.of.rights[place(right)] & self.held != 0
    }

    /// Whether a right is on a value, or on a sub-attribute of its elements.
    #[must_use]
    pub fn may_on(&self, right: Right, path: &str, sub: Option<&str>) -> bool {
        let rights = match self.of.units.get(path) {
            None => &self.of.rights,
            Some(unit) => {
                let part = sub.and_then(|sub| unit.parts.get(sub));
                part.unwrap_or(&unit.rights)
            }
        };
        rights[place(right)] & self.held != 0
    }

    /// What is seen of a value.
    #[must_use]
    pub fn value(&self, path: &str, value: &Value) -> Option<Value> {
        let Some(unit) = self.of.units.get(path) else {
            return self.may(Right::Read).then(|| value.clone());
        };
        match value {
            Value::Array(elements) => {
                let shown = self.shown(path, unit, elements).into_iter();
                let shown: Vec<Value> = shown.map(|shown| shown.seen).collect();
                (!shown.is_empty()).then_some(Value::Array(shown))
            }
            single => self.element(unit, single),
        }
    }

    /// What is seen of the elements of a list, in the order in which they are shown.
    pub(super) fn shown<'v>(
        &self,
        path: &str,
        unit: &Unit,
        elements: &'v [Value],
    ) -> Vec<Shown<'v>> {
        let shown = elements.iter().filter_map(|element| {
            let seen = self.element(unit, element)?;
            Some(Shown {
                is_altered: seen != *element,
                seen,
                of: vec![element],
            })
        });
        let mut shown: Vec<Shown<'v>> = shown.collect();
        if !self.traces(path) {
            // How many look the same, in which order, and which of them are as they look, would tell whether one was guessed.
            shown.sort_by_cached_key(|one| one.seen.to_string());
            shown.dedup_by(|one, last| {
                let same = one.seen == last.seen;
                if same {
                    last.of.append(&mut one.of);
                    last.is_altered |= one.is_altered;
                }
                same
            });
        }
        shown
    }

    /// Whether a row hides the value wholly, or might, were the person another.
    pub(in crate::domain) fn is_omitted(&self, path: &str) -> bool {
        let masks = self.of.units.get(path).map(|unit| unit.masks.iter());
        let mut masks = masks.into_iter().flatten();
        masks.any(|mask| {
            mask.part.is_none()
                && mask.sub.is_none()
                && mask.treatment == Treatment::Omit
                && self.active(mask)
        })
    }

    /// Whether nothing of a value is hidden or altered, whatever it is.
    #[must_use]
    pub fn is_open(&self, path: &str) -> bool {
        let masks = self.of.units.get(path).map(|unit| unit.masks.iter());
        !masks.into_iter().flatten().any(|mask| self.active(mask))
    }

    /// Whether the client may be told who says which element of a list: not where it may write what it sees in part, because
    /// there a right guess stands in the place of what it hits.
    #[must_use]
    pub fn traces(&self, path: &str) -> bool {
        self.in_part(path).is_none() || !self.may_on(Right::Write, path, None)
    }

    /// A value of which the client may see a part, of each element or of some.
    pub(super) fn in_part(&self, path: &str) -> Option<&Unit> {
        let unit = self.of.units.get(path)?;
        let mut masks = unit.masks.iter().filter(|mask| self.active(mask));
        let masked = masks.any(|mask| mask.sub.is_some() || mask.treatment != Treatment::Omit);
        (masked || !unit.parts.is_empty()).then_some(unit)
    }

    /// The purposes that open a value to the client.
    pub(in crate::domain) fn purposes(&self, path: &str) -> &[String] {
        self.of.units.get(path).map_or(&[], |unit| &unit.opened)
    }

    /// Whether nothing is seen of a value, or of an element.
    #[must_use]
    pub fn hides(&self, path: &str, element: &Value) -> bool {
        match self.of.units.get(path) {
            None => !self.may(Right::Read),
            Some(unit) => self.element(unit, element).is_none(),
        }
    }

    /// Whether an element is seen otherwise than as it is, of a list that the client may write: its own word on one like it must
    /// not take that one's place.
    #[must_use]
    pub fn veils(&self, path: &str, element: &Value) -> bool {
        let unit = self.of.units.get(path).filter(|_| !self.traces(path));
        unit.is_some_and(|unit| self.element(unit, element).as_ref() != Some(element))
    }

    /// Whether a value is seen otherwise than as it is, or not at all.
    #[must_use]
    pub fn alters(&self, path: &str, value: &Value) -> bool {
        self.value(path, value).as_ref() != Some(value)
    }

    /// The values that are seen, and of each what is seen.
    #[must_use]
    pub fn leaves(&self, leaves: Leaves) -> Leaves {
        let seen = leaves.into_iter().filter_map(|(path, value)| {
            if self.of.units.contains_key(&path) {
                let value = self.value(&path, &value)?;
                return Some((path, value));
            }
            (path.starts_with("externalId@") || self.may(Right::Read)).then_some((path, value))
        });
        seen.collect()
    }

    /// The purposes for which something of this was opened, with its path: reading it is logged.
    #[must_use]
    pub fn disclosed<'s>(&'s self, leaves: &'s Leaves) -> Vec<(&'s str, &'s str)> {
        let opened = leaves.keys().filter_map(|path| {
            let unit = self.of.units.get(path)?;
            Some((path.as_str(), unit.opened.iter()))
        });
        opened
            .flat_map(|(path, purposes)| purposes.map(move |purpose| (path, purpose.as_str())))
            .collect()
    }

    pub(super) fn active(&self, mask: &Mask) -> bool {
        let consented = |purpose: &String| self.consents.contains(purpose.as_str());
        !mask.consent.as_ref().is_some_and(consented)
    }

    pub(super) fn element(&self, unit: &Unit, element: &Value) -> Option<Value> {
        let readable = unit.rights[0] & self.held != 0;
        let meets = |mask: &&Mask| {
            let part = mask.part.as_ref();
            self.active(mask) && part.is_none_or(|part| part.matches_element(element))
        };
        let masks: Vec<&Mask> = unit.masks.iter().filter(meets).collect();
        let Value::Object(parts) = element else {
            if !readable {
                return None;
            }
            let worst = worst(masks.into_iter());
            return worst.map_or_else(
                || Some(element.clone()),
                |mask| treat(mask.treatment, element, self.key),
            );
        };
        if masks
            .iter()
            .any(|mask| mask.sub.is_none() && mask.treatment == Treatment::Omit)
        {
            return None;
        }
        let part = |(name, value): (&String, &Value)| {
            let rights = unit.parts.get(name);
            let readable = rights.map_or(readable, |rights| rights[0] & self.held != 0);
            let on_it = masks.iter().copied().filter(|mask| mask.is_on(name));
            let seen = match worst(on_it) {
                Some(mask) => treat(mask.treatment, value, self.key),
                None => Some(value.clone()),
            };
            seen.filter(|_| readable).map(|value| (name.clone(), value))
        };
        let seen: Map<String, Value> = parts.iter().filter_map(part).collect();
        let lost = parts.contains_key("value") && !seen.contains_key("value");
        let whole = masks.iter().any(|mask| mask.sub.is_none());
        let left = !(seen.is_empty() || lost && whole);
        left.then_some(Value::Object(seen))
    }
}

/// The mask that hides the most.
fn worst<'m>(masks: impl Iterator<Item = &'m Mask>) -> Option<&'m Mask> {
    masks.max_by_key(|mask| treatment::severity(mask.treatment))
}

impl Mask {
    /// Whether it is on a part of an element.
    pub(super) fn is_on(&self, name: &str) -> bool {
        match &self.sub {
            Some(sub) => sub == name,
            None => self.treatment == Treatment::Omit || !KEPT.contains(&name),
        }
    }
}
