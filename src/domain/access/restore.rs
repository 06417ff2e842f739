//! A client's own rendering of a record coming back in: what it was shown in part stands for the whole of it (design §6).

use serde_json::{Map, Value};

use super::clearance::Unit;
use super::seen::{Seen, Shown};
use super::treatment;
use crate::domain::policy::Treatment;
use crate::scim::patch::Origin;
use crate::scim::schema::Attribute;

/// Elements that were shown, on their way to those that come back.
struct Restoring<'s> {
    shown: &'s [Shown<'s>],
    /// Which of them nothing stands for yet.
    is_left: Vec<bool>,
}

/// A way to find what an element of that origin stands for.
type Way = fn(&mut Restoring<'_>, &Value, Origin) -> Option<Vec<Value>>;

impl Seen<'_> {
    /// What a client means that gives a single value: its own rendering of what is known stands for what is known. The error says
    /// why it can mean nothing.
    pub fn restore(
        &self,
        path: &str,
        given: Value,
        known: Option<&Value>,
    ) -> Result<Value, String> {
        let Some(unit) = self.in_part(path) else {
            return Ok(given);
        };
        let known = known.and_then(|known| Some((known, self.element(unit, known)?)));
        let restored = match (known, given) {
            (Some((known, seen)), given) if seen == given => return Ok(known.clone()),
            (Some((known, seen)), Value::Object(parts))
                if parts.get("value") == seen.get("value") =>
            {
                filled(parts, known, &seen)
            }
            (_, given) => given,
        };
        self.check_masked(unit, path, &restored)?;
        Ok(restored)
    }

    /// The same for a list, of which each element has an origin: for each that is given those that it stands for. Where its
    /// rendering does not say which, its place does, its `value`, or what else tells elements of the attribute apart.
    pub fn restore_elements(
        &self,
        (path, attribute): (&str, &Attribute),
        given: &[Value],
        origins: &[Origin],
        known: &[Value],
    ) -> Result<Vec<Vec<Value>>, String> {
        let Some(unit) = self.in_part(path) else {
            return Ok(given.iter().map(|element| vec![element.clone()]).collect());
        };
        let shown = self.shown(path, unit, known);
        let mut restoring = Restoring {
            is_left: vec![true; shown.len()],
            shown: &shown,
        };
        let mut meant: Vec<Option<Vec<Value>>> = vec![None; given.len()];
        let ways: [Way; 3] = [
            |restoring, element, origin| restoring.by_place(element, origin),
            |restoring, element, _| restoring.by_look(element),
            |restoring, element, _| restoring.by_value(element),
        ];
        for way in ways {
            let unknown = given.iter().zip(origins).zip(&mut meant);
            for ((element, origin), meant) in unknown.filter(|(_, meant)| meant.is_none()) {
                *meant = way(&mut restoring, element, *origin);
            }
        }
        let open = |at: &usize| meant[*at].is_none() && origins[*at] == Origin::Listed;
        let open: Vec<usize> = (0..given.len()).filter(open).collect();
        for (at, element) in restoring
            .by_name(attribute, given, &open)
            .map_err(|name| ambiguous(path, &name))?
        {
            meant[at] = Some(vec![element]);
        }
        let restored = given.iter().zip(meant);
        let restored = restored.map(|(given, meant)| meant.unwrap_or_else(|| vec![given.clone()]));
        let restored: Vec<Vec<Value>> = restored.collect();
        let known = |element: &&Value| !known.contains(element);
        for element in restored.iter().flatten().filter(known) {
            self.check_masked(unit, path, element)?;
        }
        Ok(restored)
    }

    /// Refuses what looks like a value that was hidden and is none that is known.
    fn check_masked(&self, unit: &Unit, path: &str, given: &Value) -> Result<(), String> {
        let is_masked = |name: Option<&str>, value: &Value| {
            let masks = unit.masks.iter().filter(|mask| self.active(mask));
            let mut masks = masks.filter(|mask| mask.treatment != Treatment::Omit);
            masks.any(|mask| {
                name.is_none_or(|name| mask.is_on(name))
                    && treatment::is_masked(mask.treatment, value)
            })
        };
        let masked = match given {
            Value::Object(parts) => parts
                .iter()
                .any(|(name, value)| is_masked(Some(name), value)),
            single => is_masked(None, single),
        };
        if masked {
            return Err(format!(
                "'{path}' is shown to you masked, and this is not what is shown: send that back unchanged, leave it out, \
                 or give the whole value"
            ));
        }
        Ok(())
    }
}

impl Restoring<'_> {
    /// One that stands where it was shown, whatever has been changed of it.
    fn by_place(&mut self, given: &Value, origin: Origin) -> Option<Vec<Value>> {
        let Origin::Stood(place) = origin else {
            return None;
        };
        *self.is_left.get_mut(place)? = false;
        let shown = &self.shown[place];
        match given {
            Value::Object(_) => Some(self.filled(&[place], given)),
            _ if shown.seen == *given => Some(shown.of.iter().copied().cloned().collect()),
            _ => None,
        }
    }

    /// One that is given as it was shown stands for all that look like it, however often it is given.
    fn by_look(&mut self, given: &Value) -> Option<Vec<Value>> {
        let alike: Vec<usize> = (0..self.shown.len())
            .filter(|at| self.shown[*at].seen == *given)
            .collect();
        let left = || alike.iter().copied().filter(|at| self.is_left[*at]);
        if !alike.iter().any(|at| self.shown[*at].is_altered) {
            let first = left().next();
            if let Some(first) = first {
                self.is_left[first] = false;
            }
            return (!alike.is_empty()).then(|| vec![given.clone()]);
        }
        let left: Vec<usize> = left().collect();
        Some(self.take(&left, given))
    }

    /// One whose `value` is as it was shown is that one, unless several were shown so.
    fn by_value(&mut self, given: &Value) -> Option<Vec<Value>> {
        let value = given.get("value")?;
        let is_one = |at: &usize| {
            let shown = &self.shown[*at];
            let hidden = shown
                .of
                .iter()
                .any(|known| known.get("value") != Some(value));
            shown.is_altered
                && shown.seen.get("value") == Some(value)
                && (hidden || self.is_left[*at])
        };
        let found: Vec<usize> = (0..self.shown.len()).filter(is_one).collect();
        let first = &self.shown[*found.first()?].seen;
        if found.iter().any(|at| self.shown[*at].seen != *first) {
            return None;
        }
        Some(self.take(&found, given))
    }

    /// Of the elements at the places in `open`, those that are told from all others by what tells elements of the attribute apart,
    /// with their places. The error is what tells none from another.
    fn by_name(
        &mut self,
        attribute: &Attribute,
        given: &[Value],
        open: &[usize],
    ) -> Result<Vec<(usize, Value)>, String> {
        let mut found = Vec::new();
        for at in open {
            let Some(name) = name(attribute, &given[*at]) else {
                continue;
            };
            let is_namesake = |one: &Value| self::name(attribute, one).as_ref() == Some(&name);
            let left = (0..self.shown.len()).filter(|at| self.is_left[*at]);
            let left: Vec<usize> = left
                .filter(|at| is_namesake(&self.shown[*at].seen))
                .collect();
            let others = open.iter().filter(|at| is_namesake(&given[**at])).count();
            match (&left[..], others) {
                ([], _) => {}
                ([_], 1) if !name.is_empty() => {
                    let meant = self.filled(&left, &given[*at]);
                    found.extend(meant.into_iter().map(|one| (*at, one)));
                }
                _ => return Err(name),
            }
        }
        Ok(found)
    }

    fn take(&mut self, places: &[usize], given: &Value) -> Vec<Value> {
        for place in places {
            self.is_left[*place] = false;
        }
        self.filled(places, given)
    }

    /// What is given with what its reader did not see of those at these places.
    fn filled(&self, places: &[usize], given: &Value) -> Vec<Value> {
        let shown = places.iter().map(|place| &self.shown[*place]);
        let each = shown.flat_map(|shown| shown.of.iter().map(|known| (*known, &shown.seen)));
        let each = each.map(|(known, seen)| match given {
            given if given == seen => known.clone(),
            Value::Object(parts) => filled(parts.clone(), known, seen),
            single => single.clone(),
        });
        each.collect()
    }
}

/// What tells an element from the others, if not its `value`: the parts of its key, or its `type`; nothing tells those apart that have
/// the empty name.
fn name(attribute: &Attribute, element: &Value) -> Option<String> {
    let parts = element.as_object()?;
    let key = &attribute.element_key;
    let text = |name: &str| Some(format!("{name} {}", parts.get(name)?));
    if !key.is_empty() && !key.iter().any(|name| &**name == "value") {
        let texts: Vec<String> = key.iter().filter_map(|name| text(name)).collect();
        return Some(texts.join(", "));
    }
    let is_valued = parts.contains_key("value");
    (!is_valued).then(|| text("type").unwrap_or_default())
}

fn ambiguous(path: &str, name: &str) -> String {
    let of = if name.is_empty() {
        String::new()
    } else {
        format!(" with {name}")
    };
    format!(
        "'{path}' is not shown to you whole, and which of its elements{of} is meant cannot be told, so that what you do \
         not see of it would be lost: change it by PATCH, or give those that stay as they are shown"
    )
}

/// An element with the parts that its reader did not see, and those that it saw masked and gave so.
fn filled(mut parts: Map<String, Value>, known: &Value, seen: &Value) -> Value {
    for (name, value) in known.as_object().into_iter().flatten() {
        let shown = seen.get(name);
        if shown == Some(value) {
            continue;
        }
        if shown.is_none() && !parts.contains_key(name)
            || shown.is_some() && parts.get(name) == shown
        {
            parts.insert(name.clone(), value.clone());
        }
    }
    Value::Object(parts)
}
