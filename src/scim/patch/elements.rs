//! Operations on a multi-valued attribute: elements selected, created, merged and removed one by one.

use serde_json::Value;

use super::apply::{
    Work, check_removal, forget_what_followed, is_read_only, value_first, write_part,
};
use super::selection::Selection;
use super::{Op, Touched};
use crate::scim::Map;
use crate::scim::comparable::comparable;
use crate::scim::document;
use crate::scim::error::{Error, Result};
use crate::scim::json::name_of;
use crate::scim::mutability::check_change;
use crate::scim::receive::{Receiver, object_of};
use crate::scim::resource_type::{Location, Resolved};
use crate::scim::schema::{Attribute, Kind};

/// An element on its way through an operation.
struct Slot {
    before: Option<Value>,
    now: Option<Value>,
    named: bool,
}

impl Slot {
    fn new_element(now: Value) -> Self {
        Self {
            before: None,
            now: Some(now),
            named: true,
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
        let mut slots: Vec<Slot> = document::elements(&self.document, &whole.location)
            .iter()
            .map(|element| Slot {
                before: Some(element.clone()),
                now: Some(element.clone()),
                named: false,
            })
            .collect();
        let receiver = &mut self.receiver;
        match (op, target.sub, selection) {
            (Op::Remove, None, Selection::All) => match value {
                None => return self.unset(&whole),
                Some(value) => remove_listed(&whole, &mut slots, value)?,
            },
            (Op::Remove, _, _) => remove_selected(target, &mut slots, selection)?,
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
        for element in received.as_array().into_iter().flatten() {
            self.touch(whole.location.clone(), Some(element.clone()));
        }
        document::put(&mut self.document, &whole.location, received);
        Ok(())
    }

    fn put_back(&mut self, whole: &Resolved<'a>, mut slots: Vec<Slot>) -> Result<()> {
        settle_primary(&mut slots);
        let location = &whole.location;
        let mut elements: Vec<Value> = Vec::with_capacity(slots.len());
        for slot in slots {
            let now = slot.now.filter(|element| !document::is_unassigned(element));
            match (&slot.before, &now) {
                (Some(before), Some(now)) if before != now => self.retouch(location, before, now),
                (Some(before), None) => {
                    self.touched.retain(|touched| {
                        touched.element.as_ref() != Some(before) || touched.location != *location
                    });
                    self.removed.push(Touched {
                        location: location.clone(),
                        element: Some(before.clone()),
                    });
                }
                _ => {}
            }
            let Some(now) = now else {
                continue;
            };
            if slot.named {
                self.touch(location.clone(), Some(now.clone()));
            }
            // Two elements may have become the same one (RFC 7643 §2.4).
            if !slot.named || !elements.contains(&now) {
                elements.push(now);
            }
        }
        if elements.len() > crate::scim::receive::MAX_ELEMENTS {
            return Err(Error::invalid_value(format!(
                "'{location}' would have {} elements",
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
    fn retouch(&mut self, location: &Location, before: &Value, now: &Value) {
        for touched in &mut self.touched {
            if touched.location == *location && touched.element.as_ref() == Some(before) {
                touched.element = Some(now.clone());
            }
        }
    }
}

/// Adds elements; one that is there already is confirmed (RFC 7644 §3.5.2.1).
fn add_all(
    receiver: &mut Receiver,
    whole: &Resolved<'_>,
    slots: &mut Vec<Slot>,
    value: Value,
) -> Result<()> {
    let Some(Value::Array(elements)) = receiver.value(whole, value)? else {
        return Ok(());
    };
    for element in elements {
        let same = slots
            .iter_mut()
            .find(|slot| slot.now.as_ref().is_some_and(|now| holds(now, &element)));
        match same {
            Some(slot) => slot.named = true,
            None => slots.push(Slot::new_element(element)),
        }
    }
    Ok(())
}

/// Whether an element has everything that another one says.
fn holds(element: &Value, other: &Value) -> bool {
    match (element, other) {
        (Value::Object(element), Value::Object(other)) => other
            .iter()
            .all(|(name, value)| element.get(name) == Some(value)),
        _ => element == other,
    }
}

/// Removes the elements that a value lists (Entra ID): those that have all that is said of them.
fn remove_listed(whole: &Resolved<'_>, slots: &mut [Slot], value: Value) -> Result<()> {
    let items = match value {
        Value::Null => {
            return Err(Error::invalid_value(format!(
                "leave 'value' out to remove all of '{}', or list what to remove",
                whole.location
            )));
        }
        Value::Array(items) => items,
        single => vec![single],
    };
    for item in items {
        let tests = described(whole, item)?;
        for slot in slots.iter_mut() {
            if slot
                .now
                .as_ref()
                .is_some_and(|now| tests.iter().all(|(sub, wanted)| fits(*sub, wanted, now)))
            {
                slot.now = None;
            }
        }
    }
    Ok(())
}

/// What an item says of the elements it means: sub-attributes (or the element itself) and their comparable texts.
type Described<'a> = Vec<(&'a Attribute, String)>;

fn described<'a>(whole: &Resolved<'a>, item: Value) -> Result<Described<'a>> {
    let location = &whole.location;
    let unfit = || {
        Error::invalid_value(format!(
            "an element of '{location}' to remove must say which one it is"
        ))
    };
    if whole.attribute.kind != Kind::Complex {
        let text = comparable(whole.attribute, &item).ok_or_else(unfit)?;
        return Ok(vec![(whole.attribute, text)]);
    }
    let mut tests = Vec::new();
    for (name, value) in object_of(whole.attribute, location, item)? {
        let Some(sub) = whole
            .attribute
            .sub(&name)
            .filter(|sub| &*sub.name != "$ref" && !sub.multi_valued)
        else {
            continue;
        };
        let received = crate::scim::receive::receive_value(
            &whole.sub(&name).unwrap_or_else(|| whole.clone()),
            value,
        )?;
        if let Some(text) = received.and_then(|value| comparable(sub, &value)) {
            tests.push((sub, text));
        }
    }
    if tests.is_empty() {
        Err(unfit())
    } else {
        Ok(tests)
    }
}

fn fits(attribute: &Attribute, wanted: &str, element: &Value) -> bool {
    let value = if element.is_object() {
        element.get(&*attribute.name)
    } else {
        Some(element)
    };
    value
        .and_then(|value| comparable(attribute, value))
        .is_some_and(|text| text == wanted)
}

/// Removes the selected elements, or one sub-attribute of each; selecting none changes nothing.
fn remove_selected(
    target: &Resolved<'_>,
    slots: &mut [Slot],
    selection: &Selection<'_>,
) -> Result<()> {
    for slot in slots.iter_mut() {
        let Some(now) = slot.now.as_mut().filter(|now| selection.selects(now)) else {
            continue;
        };
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
    Ok(())
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
        Value::Array(mut items) if items.len() == 1 && !target.leaf().multi_valued_part() => {
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
        if document::is_unassigned(&value) {
            return Ok(());
        }
        let mut parts = Map::new();
        for (sub, wanted) in selection.wanted(&target.location)? {
            if let Some(wanted) = receiver.value(&sub, wanted)? {
                parts.insert(sub.leaf().name.to_string(), wanted);
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
        Value::String(_) => {
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
                    None => receiver.ignored.push(format!("{}.{name}", target.location)),
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
        if Some(index) != winner && is_primary(&slot.now) {
            if let Some(primary) = slot
                .now
                .as_mut()
                .and_then(|element| element.get_mut("primary"))
            {
                *primary = Value::Bool(false);
            }
        }
    }
}
