//! Filters and orders as a client may use them: what it may not read does not exist in them, and what it may read of some
//! resources, elements or consenting persons only, exists there only (design §6).

use std::collections::BTreeSet;

use super::clearance::{Mask, Rows, TypeClearance, Unit, place};
use crate::domain::context::Right;
use crate::domain::policy::Treatment;
use crate::domain::view::View;
use crate::scim::comparable::Comparison;
use crate::scim::filter::{Condition, Test};
use crate::scim::resource_type::Location;

/// Consents to so many purposes may decide on one attribute in a filter.
const MOST_CONSENTS: usize = 4;

/// An attribute that the client may not search by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsearchable(pub Location);

/// What a filter is rewritten with.
pub struct Lens<'a> {
    /// The client on the type.
    pub of: &'a TypeClearance,
    /// The type.
    pub view: &'a View,
    /// The condition that a person has consented to a purpose now.
    pub consent: &'a dyn Fn(&str) -> Condition,
}

impl TypeClearance {
    /// The condition of the resources that a right reaches; nothing if it reaches all.
    #[must_use]
    pub fn bound(&self, right: Right) -> Option<Condition> {
        self.over(self.rights[place(right)])
    }

    /// Whether an attribute may be searched by: it may be read and searched by every row by which anything may be searched.
    #[must_use]
    pub fn may_search_by(&self, path: &str) -> bool {
        let reach = self.rights[place(Right::Search)];
        let rights = self
            .units
            .get(path)
            .map_or(&self.rights, |unit| &unit.rights);
        let mut needed = [Right::Search, Right::Read].into_iter();
        reach != 0 && needed.all(|right| rights[place(right)] & reach == reach)
    }

    /// The purposes that open what stands at a location, with its canonical path.
    pub fn opened<'a>(
        &'a self,
        view: &'a View,
        location: &Location,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let whole = view.canonical(&location.whole());
        let path = whole.filter(|path| self.units.contains_key(*path));
        let path = path.or_else(|| view.canonical(location));
        let unit = path.and_then(|path| Some((path, self.units.get(path)?)));
        unit.into_iter().flat_map(|(path, unit)| {
            unit.opened
                .iter()
                .map(move |purpose| (path, purpose.as_str()))
        })
    }

    /// The condition that one of these rows holds; nothing if one always does.
    fn over(&self, rows: Rows) -> Option<Condition> {
        let bounded = self.bounds.iter().fold(0, |all, (row, _)| all | row);
        if rows & !bounded != 0 {
            return None;
        }
        let bounds = self.bounds.iter().filter(|(row, _)| rows & row != 0);
        Some(Condition::Any(
            bounds.map(|(_, bound)| bound.clone()).collect(),
        ))
    }
}

impl Lens<'_> {
    /// The filter as it is for the client, bounds and all; nothing if all are meant.
    pub fn filter(&self, filter: Option<&Condition>) -> Result<Option<Condition>, Unsearchable> {
        let seen = filter.map(|filter| self.seen(filter)).transpose()?;
        let bound = self.of.bound(Right::Search);
        Ok(match (bound, seen) {
            (Some(bound), Some(seen)) => Some(Condition::All(vec![bound, seen])),
            (bound, seen) => bound.or(seen),
        })
    }

    /// Whether the client may sort by an attribute: wholly or not at all, since an order tells of each.
    pub fn order(&self, location: &Location) -> Result<(), Unsearchable> {
        let refused = || Err(Unsearchable(location.clone()));
        if is_modified(location) && self.of.is_narrow() {
            return refused();
        }
        let Some((unit, sub)) = self.unit(location) else {
            return Ok(());
        };
        let open = self
            .bounds(unit, sub)
            .is_some_and(|bounds| bounds.is_empty());
        let hidden = unit
            .masks
            .iter()
            .any(|mask| sub.is_none_or(|sub| mask.is_on(sub)));
        if open && !hidden { Ok(()) } else { refused() }
    }

    /// What is restricted at a location, and the sub-attribute of elements that it means.
    fn unit<'l>(&self, location: &'l Location) -> Option<(&Unit, Option<&'l str>)> {
        if let Some(path) = self.view.canonical(&location.whole())
            && let Some(unit) = self.of.units.get(path)
        {
            return Some((unit, location.sub.as_deref()));
        }
        let path = self.view.canonical(location)?;
        if let Some(unit) = self.of.units.get(path) {
            return Some((unit, None));
        }
        // Who searches more than it reads.
        let [reads, searches, ..] = self.of.rights;
        (reads & searches != searches).then_some((&self.of.whole, location.sub.as_deref()))
    }

    /// The conditions under which a part may be searched, those aside that hold for every resource of the list; nothing if
    /// it never may.
    fn bounds(&self, unit: &Unit, sub: Option<&str>) -> Option<Vec<Condition>> {
        let rights = sub
            .and_then(|sub| unit.parts.get(sub))
            .unwrap_or(&unit.rights);
        let reach = self.of.rights[place(Right::Search)];
        let mut bounds = Vec::new();
        for right in [Right::Search, Right::Read] {
            let rows = rights[place(right)];
            if rows == 0 {
                return None;
            }
            if rows & reach != reach {
                bounds.extend(self.of.over(rows));
            }
        }
        Some(bounds)
    }

    fn seen(&self, condition: &Condition) -> Result<Condition, Unsearchable> {
        let every = |terms: &[Condition]| {
            let terms = terms.iter().map(|term| self.seen(term));
            terms.collect::<Result<Vec<_>, _>>()
        };
        match condition {
            Condition::All(terms) => Ok(Condition::All(every(terms)?)),
            Condition::Any(terms) => Ok(Condition::Any(every(terms)?)),
            // Where it is not seen it is as if it were not there.
            Condition::Not(inner) => Ok(Condition::Not(Box::new(self.seen(inner)?))),
            Condition::Test {
                location,
                comparison,
                test,
            } if &*location.attribute == "schemas" && location.extension.is_none() => {
                Ok(self.schemas(*comparison, test))
            }
            Condition::Test { location, .. } => {
                if is_modified(location) && self.of.is_narrow() || self.is_name(location) {
                    return Err(Unsearchable(location.clone()));
                }
                match self.unit(location) {
                    None => Ok(condition.clone()),
                    Some((unit, sub)) => self.within(unit, (location, sub), condition),
                }
            }
            Condition::Element {
                location,
                condition: inner,
            } => {
                if let Some(strange) = inner.locations().into_iter().find(|at| self.is_name(at)) {
                    return Err(Unsearchable(strange.clone()));
                }
                match self.view.attribute(location) {
                    Some(attribute) if attribute.multi_valued => match self.unit(location) {
                        None => Ok(condition.clone()),
                        Some((unit, _)) => self.within(unit, (location, None), inner),
                    },
                    _ => self.single(location, inner, condition),
                }
            }
        }
    }

    /// The names of members are those of persons.
    fn is_name(&self, location: &Location) -> bool {
        self.of.nameless
            && &*location.attribute == "members"
            && location.sub.as_deref() == Some("display")
    }

    /// A value path on a single-valued complex attribute: some part of it that is seen is there, and it passes.
    fn single(
        &self,
        location: &Location,
        inner: &Condition,
        whole: &Condition,
    ) -> Result<Condition, Unsearchable> {
        let parts: Vec<&Location> = self
            .view
            .units()
            .map(|(at, _)| at)
            .filter(|at| at.sub.is_some() && at.whole() == *location)
            .collect();
        if parts.iter().all(|part| self.unit(part).is_none()) {
            return Ok(whole.clone());
        }
        let there = parts
            .into_iter()
            .filter_map(|part| self.present(part))
            .collect();
        Ok(Condition::All(vec![
            Condition::Any(there),
            self.seen(inner)?,
        ]))
    }

    /// That there is a value, as far as it is seen; nothing if it never is.
    fn present(&self, location: &Location) -> Option<Condition> {
        let attribute = self.view.attribute(location)?;
        if !attribute.sub_attributes.is_empty() {
            let parts = attribute.sub_attributes.iter();
            let parts = parts.filter_map(|sub| self.present(&location.of(sub)));
            return Some(Condition::Any(parts.collect()));
        }
        let test = Condition::Test {
            location: location.clone(),
            comparison: Comparison::of(attribute),
            test: Test::Present,
        };
        self.seen(&test).ok()
    }

    /// A record is of an extension, to a client, where it sees one of its attributes.
    fn schemas(&self, comparison: Comparison, test: &Test) -> Condition {
        let passes = |urn: &str| test.passes(comparison, &urn.into());
        if passes(&self.view.resource_type.schema.id) {
            return Condition::All(Vec::new());
        }
        let meant = self.view.units().map(|(at, _)| at);
        let meant = meant.filter(|at| at.extension.as_deref().is_some_and(passes));
        Condition::Any(meant.filter_map(|at| self.present(at)).collect())
    }

    /// A test or a value filter on what is restricted.
    fn within(
        &self,
        unit: &Unit,
        (location, sub): (&Location, Option<&str>),
        condition: &Condition,
    ) -> Result<Condition, Unsearchable> {
        let refused = || Unsearchable(location.clone());
        let mut subs: BTreeSet<Option<&str>> = condition
            .locations()
            .into_iter()
            .map(|at| {
                at.sub
                    .as_deref()
                    .filter(|_| location.sub.is_none() || sub.is_some())
            })
            .collect();
        if subs.is_empty() {
            subs.insert(None);
        }
        let mut terms = Vec::new();
        for sub in &subs {
            terms.extend(self.bounds(unit, *sub).ok_or_else(refused)?);
        }
        let on_it = |mask: &&Mask| {
            is_whole(mask) || subs.iter().any(|sub| sub.is_none_or(|sub| mask.is_on(sub)))
        };
        let masks: Vec<&Mask> = unit.masks.iter().filter(on_it).collect();
        let is_list = self
            .view
            .attribute(&location.whole())
            .is_some_and(|whole| whole.multi_valued && !whole.sub_attributes.is_empty());
        let closed = |mask: &&Mask| mask.consent.is_none() && (mask.part.is_none() || !is_list);
        let purposes: BTreeSet<&str> = masks
            .iter()
            .filter_map(|mask| mask.consent.as_deref())
            .collect();
        if masks.iter().any(closed) || purposes.len() > MOST_CONSENTS {
            return Err(refused());
        }
        if masks.is_empty() {
            terms.push(whole(location, sub, condition.clone(), is_list));
            return Ok(Condition::All(terms));
        }
        let purposes: Vec<&str> = purposes.into_iter().collect();
        let cases = (0..1_u32 << purposes.len()).filter_map(|case| {
            let given = purposes.iter().enumerate();
            let given = given.filter(|(at, _)| case >> at & 1 == 1);
            let given: BTreeSet<&str> = given.map(|(_, purpose)| *purpose).collect();
            let seen = unmasked(condition, &without(&masks, &given))?;
            let consents = given.iter().map(|purpose| (self.consent)(purpose));
            let mut all: Vec<Condition> = consents.collect();
            all.push(whole(location, sub, seen, is_list));
            Some(Condition::All(all))
        });
        terms.push(Condition::Any(cases.collect()));
        Ok(Condition::All(terms))
    }
}

/// A condition on the elements of a list as one on the record.
fn whole(location: &Location, sub: Option<&str>, condition: Condition, is_list: bool) -> Condition {
    if !is_list || (sub.is_some() && matches!(condition, Condition::Test { .. })) {
        return condition;
    }
    Condition::Element {
        location: location.whole(),
        condition: Box::new(condition),
    }
}

/// The masks that are left where there is consent to these purposes.
fn without<'m>(masks: &[&'m Mask], given: &BTreeSet<&str>) -> Vec<&'m Mask> {
    let stays = |mask: &&Mask| {
        let needed = mask.consent.as_deref();
        needed.is_none_or(|needed| !given.contains(needed))
    };
    masks.iter().copied().filter(stays).collect()
}

fn is_modified(location: &Location) -> bool {
    &*location.attribute == "meta" && location.sub.as_deref() == Some("lastModified")
}

/// Whether a mask leaves nothing of an element.
fn is_whole(mask: &Mask) -> bool {
    mask.sub.is_none() && mask.treatment == Treatment::Omit
}

/// What is asked of an element, of what these masks leave of it; nothing if they leave nothing of any.
fn unmasked(condition: &Condition, masks: &[&Mask]) -> Option<Condition> {
    let mut terms = Vec::new();
    for mask in masks.iter().filter(|mask| is_whole(mask)) {
        terms.push(Condition::Not(Box::new(mask.part.clone()?)));
    }
    let rewritten = each(condition, masks);
    if terms.is_empty() {
        return Some(rewritten);
    }
    terms.insert(0, rewritten);
    Some(Condition::All(terms))
}

fn each(condition: &Condition, masks: &[&Mask]) -> Condition {
    let every = |terms: &[Condition]| terms.iter().map(|term| each(term, masks)).collect();
    match condition {
        Condition::All(terms) => Condition::All(every(terms)),
        Condition::Any(terms) => Condition::Any(every(terms)),
        Condition::Not(inner) => Condition::Not(Box::new(each(inner, masks))),
        Condition::Element { .. } => condition.clone(),
        Condition::Test { location, .. } => {
            let on_it = |mask: &&&Mask| {
                let sub = location.sub.as_deref();
                !is_whole(mask) && sub.is_none_or(|sub| mask.is_on(sub))
            };
            let hidden: Vec<&&Mask> = masks.iter().filter(on_it).collect();
            if hidden.is_empty() {
                return condition.clone();
            }
            let mut terms = vec![condition.clone()];
            for mask in hidden {
                match &mask.part {
                    Some(part) => terms.push(Condition::Not(Box::new(part.clone()))),
                    None => return Condition::Any(Vec::new()),
                }
            }
            Condition::All(terms)
        }
    }
}
