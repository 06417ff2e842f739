//! Operations on a multi-valued attribute: elements selected, created, merged and removed one by one.

use std::collections::HashMap;

use serde_json::Value;

use super::apply::{
    Work, check_removal, forget_what_followed, is_read_only, nothing_to_remove, nothing_to_replace,
    value_first, write_part,
};
use super::listed::{add_all, remove_listed};
use super::selection::Selection;
use super::{Op, Origin, Touched};
use crate::scim::Map;
use crate::scim::document;
use crate::scim::error::{Error, Result};
use crate::scim::json::name_of;
use crate::scim::mutability::check_change;
use crate::scim::profile::Habit;
use crate::scim::receive::{MAX_ELEMENTS, Receiver};
use crate::scim::resource_type::{Location, Resolved, unknown_sub};
use crate::scim::schema::{Attribute, Kind};

/// How many elements all operations together may go through: a thousand operations on ten thousand elements would keep a
/// server busy for many seconds.
const MAX_EFFORT: usize = 200_000;

/// An element on its way through an operation.
pub(super) struct Slot {
    /// As it stood before the operation; nothing if it is new.
    pub(super) before: Option<Value>,
    /// As it stands; nothing if it is removed.
    pub(super) now: Option<Value>,
    /// Whether the operation named it.
    pub(super) named: bool,
    /// Whence it comes.
    origin: Origin,
}

impl Slot {
    pub(super) fn new_element(now: Value) -> Self {
        Self {
            before: None,
            now: Some(now),
            named: true,
            origin: Origin::Added,
        }
    }
}

impl<'a> Work<'a> {
    /// An operation on a multi-valued attribute.
    pub(super) fn elements(
        &mut self,
        op: Op,
        target: &Resolved<'a>,
        selection: &Selection<'a>,
        value: Option<Value>,
    ) -> Result<()> {
        let whole = target.whole();
        let elements = document::elements(&self.document, &whole.location);
        let origins = self.lists.origins(&whole.location, elements.len());
        let slots = elements.iter().zip(origins);
        let mut slots: Vec<Slot> = slots
            .map(|(element, origin)| Slot {
                before: Some(element.clone()),
                now: Some(element.clone()),
                named: false,
                origin,
            })
            .collect();
        self.effort += slots.len();
        if self.effort > MAX_EFFORT {
            return Err(Error::invalid_value(format!(
                "the operations go through more than {MAX_EFFORT} elements in all: send them in several requests"
            )));
        }
        let receiver = &mut self.receiver;
        match (op, target.sub, selection) {
            (Op::Remove, None, Selection::All) => match value {
                None => return self.unset(&whole),
                Some(value) => remove_listed(receiver, &whole, &mut slots, value)?,
            },
            (Op::Remove, _, _) => {
                let found = remove_selected(target, &mut slots, selection)?;
                let filtered = matches!(selection, Selection::Passing { .. });
                if !found && filtered && !receiver.profile.allows(Habit::RemoveOfNothing) {
                    return Err(nothing_to_remove(&whole.location));
                }
            }
            (Op::Replace, None, Selection::All) => {
                return self.replace_all(&whole, value.unwrap_or(Value::Null));
            }
            (Op::Add, None, Selection::All) => {
                add_all(receiver, &whole, &mut slots, value.unwrap_or(Value::Null))?;
            }
            _ => change_selected(
                receiver,
                op,
                target,
                &mut slots,
                selection,
                value.unwrap_or(Value::Null),
            )?,
        }
        self.put_back(&whole, slots)
    }

    fn replace_all(&mut self, whole: &Resolved<'a>, value: Value) -> Result<()> {
        let Some(received) = self.receiver.value(whole, value)? else {
            return self.unset(whole);
        };
        if let Some(old) = document::attribute(&self.document, &whole.location) {
            check_change(whole.attribute, &whole.location, old, &received)?;
        }
        self.touch(whole.location.clone(), None);
        let listed = received.as_array().map_or(&[][..], Vec::as_slice);
        self.lists.replace(&whole.location, listed.len());
        for element in listed {
            self.touch(whole.location.clone(), Some(element.clone()));
        }
        document::put(&mut self.document, &whole.location, received);
        Ok(())
    }

    fn put_back(&mut self, whole: &Resolved<'a>, mut slots: Vec<Slot>) -> Result<()> {
        settle_primary(&mut slots);
        let location = &whole.location;
        let mut changes: HashMap<String, Value> = HashMap::new();
        let mut elements: Vec<Value> = Vec::with_capacity(slots.len());
        let mut origins = Vec::with_capacity(slots.len());
        for slot in slots {
            let now = slot.now.filter(|element| !document::is_unassigned(element));
            match (&slot.before, &now) {
                (Some(before), Some(now)) if before != now => {
                    changes.insert(before.to_string(), now.clone());
                }
                (Some(before), None) => self.removed.push(Touched {
                    location: location.clone(),
                    element: Some(before.clone()),
                }),
                _ => {}
            }
            if let Some(now) = now {
                if slot.named {
                    self.touched.push(Touched {
                        location: location.clone(),
                        element: Some(now.clone()),
                    });
                }
                elements.push(now);
                origins.push(slot.origin);
            }
        }
        if !changes.is_empty() {
            self.retouch(location, &changes);
            self.lists.change(location);
        }
        self.lists.stands(location, origins);
        if elements.len() > MAX_ELEMENTS {
            return Err(Error::invalid_value(format!(
                "'{location}' would have {} elements; {MAX_ELEMENTS} are allowed",
                elements.len()
            )));
        }
        if elements.is_empty() {
            document::remove(&mut self.document, location);
        } else {
            document::put(&mut self.document, location, Value::Array(elements));
        }
        Ok(())
    }

    /// What an earlier operation touched stands as it now is.
    fn retouch(&mut self, location: &Location, changes: &HashMap<String, Value>) {
        for touched in self
            .touched
            .iter_mut()
            .filter(|it| it.location == *location)
        {
            let before = touched.element.as_ref().map(Value::to_string);
            if let Some(now) = before.and_then(|before| changes.get(&before)) {
                touched.element = Some(now.clone());
            }
        }
    }
}

/// Removes the selected elements, or one sub-attribute of each, and says whether there were any.
fn remove_selected(
    target: &Resolved<'_>,
    slots: &mut [Slot],
    selection: &Selection<'_>,
) -> Result<bool> {
    let mut found = false;
    for slot in slots.iter_mut() {
        let Some(now) = slot.now.as_mut().filter(|now| selection.selects(now)) else {
            continue;
        };
        found = true;
        let Some(sub) = target.sub else {
            slot.now = None;
            continue;
        };
        check_removal(target, now.get(&*sub.name).is_some())?;
        if let Some(parts) = now.as_object_mut() {
            parts.shift_remove(&*sub.name);
        }
        slot.named = true;
    }
    Ok(found)
}

/// Changes the selected elements; where none is, an element is made from the filter.
fn change_selected(
    receiver: &mut Receiver,
    op: Op,
    target: &Resolved<'_>,
    slots: &mut Vec<Slot>,
    selection: &Selection<'_>,
    value: Value,
) -> Result<()> {
    let value = match value {
        Value::Array(mut items)
            if items.len() == 1
                && !target.leaf().multi_valued_part()
                && receiver.profile.allows(Habit::LooseShapes) =>
        {
            items.remove(0)
        }
        other => other,
    };
    let selected: Vec<usize> = (0..slots.len())
        .filter(|index| {
            slots[*index]
                .now
                .as_ref()
                .is_some_and(|now| selection.selects(now))
        })
        .collect();
    if selected.is_empty() {
        let filtered = matches!(selection, Selection::Passing { .. });
        if op == Op::Replace && filtered && !receiver.profile.allows(Habit::CreateByReplace) {
            return Err(nothing_to_replace(&target.location));
        }
        if document::is_unassigned(&value) {
            return Ok(());
        }
        let mut parts = Map::new();
        for (sub, wanted) in selection.wanted(&target.location)? {
            if let Some(wanted) = receiver.value(&sub, wanted)? {
                write_part(&mut parts, Op::Add, &sub, wanted);
            }
        }
        let made = changed(receiver, Op::Add, target, Value::Object(parts), value)?;
        slots.push(Slot::new_element(made));
        return Ok(());
    }
    for index in selected {
        if let Some(now) = slots[index].now.take() {
            let made = changed(receiver, op, target, now, value.clone())?;
            slots[index].now = (!document::is_unassigned(&made)).then_some(made);
            slots[index].named = true;
        }
    }
    Ok(())
}

impl Attribute {
    /// Whether a sub-attribute holds a list of its own.
    fn multi_valued_part(&self) -> bool {
        self.multi_valued && self.kind != Kind::Complex
    }
}

/// One element after an operation on it or on one of its sub-attributes.
fn changed(
    receiver: &mut Receiver,
    op: Op,
    target: &Resolved<'_>,
    element: Value,
    value: Value,
) -> Result<Value> {
    let Value::Object(mut parts) = element else {
        // A simple element is replaced by the new value.
        return Ok(receiver.element(target, value)?.unwrap_or(Value::Null));
    };
    if target.sub.is_some() {
        set_part(receiver, op, target, &mut parts, value)?;
        return Ok(Value::Object(parts));
    }
    match value {
        Value::String(_) if receiver.profile.allows(Habit::LooseShapes) => {
            // A bare string for a selected element means its value.
            let sub = target
                .sub("value")
                .ok_or_else(|| wants_object(target, &value))?;
            set_part(receiver, op, &sub, &mut parts, value)?;
            Ok(Value::Object(parts))
        }
        Value::Object(given) if op == Op::Add => {
            for (name, value) in value_first(given) {
                match target.sub(&name) {
                    Some(sub) if is_read_only(&sub) => {}
                    Some(sub) => set_part(receiver, op, &sub, &mut parts, value)?,
                    None => {
                        let left_out = format!("{}.{name}", target.location);
                        receiver.leave_out(left_out, || unknown_sub(target, &name))?;
                    }
                }
            }
            Ok(Value::Object(parts))
        }
        // RFC 7644 §3.5.2.3: the selected elements are replaced as a whole.
        value @ (Value::Object(_) | Value::Null) => {
            let made = receiver.element(target, value)?.unwrap_or(Value::Null);
            for sub in target.subs() {
                let name = &*sub.leaf().name;
                if let (Some(old), Some(new)) = (parts.get(name), made.get(name)) {
                    check_change(sub.leaf(), &sub.location, old, new)?;
                }
            }
            Ok(made)
        }
        other => Err(wants_object(target, &other)),
    }
}

fn wants_object(target: &Resolved<'_>, value: &Value) -> Error {
    Error::invalid_value(format!(
        "an element of '{}' must be an object, not {}",
        target.location,
        name_of(value)
    ))
}

fn set_part(
    receiver: &mut Receiver,
    op: Op,
    target: &Resolved<'_>,
    parts: &mut Map,
    value: Value,
) -> Result<()> {
    let name = &*target.leaf().name;
    let old = parts.get(name);
    let Some(value) = receiver.value(target, value)? else {
        if op == Op::Replace {
            check_removal(target, old.is_some())?;
            parts.shift_remove(name);
        }
        return Ok(());
    };
    if let Some(old) = old {
        check_change(target.leaf(), &target.location, old, &value)?;
        if name == "value" && *old != value {
            forget_what_followed(target, parts);
        }
    }
    write_part(parts, op, target, value);
    Ok(())
}

/// RFC 7644 §3.5.2: a new primary element ends the old one's being primary.
fn settle_primary(slots: &mut [Slot]) {
    let is_primary = |value: &Option<Value>| {
        value.as_ref().and_then(|element| element.get("primary")) == Some(&Value::Bool(true))
    };
    let winner = slots
        .iter()
        .rposition(|slot| slot.named && is_primary(&slot.now) && !is_primary(&slot.before))
        .or_else(|| slots.iter().position(|slot| is_primary(&slot.now)));
    for (index, slot) in slots.iter_mut().enumerate() {
        if Some(index) != winner
            && is_primary(&slot.now)
            && let Some(primary) = slot
                .now
                .as_mut()
                .and_then(|element| element.get_mut("primary"))
        {
            *primary = Value::Bool(false);
        }
    }
}

#[cfg(test)]
mod tests;
