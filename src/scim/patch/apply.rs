//! Operations applied to a document in order, all or none (RFC 7644 §3.5.2.1 to §3.5.2.3).

use std::collections::HashSet;

use serde_json::Value;

use super::selection::Selection;
use super::{Lists, Op, Operation, Patch, PatchPath, Patched, Touched};
use crate::scim::Map;
use crate::scim::attribute_path::AttributePath;
use crate::scim::document;
use crate::scim::error::{Error, Kind as ErrorKind, Result};
use crate::scim::json::name_of;
use crate::scim::mutability::check_change;
use crate::scim::profile::Habit;
use crate::scim::receive::object_of;
use crate::scim::receive::{Receiver, check_required};
use crate::scim::resource_type::{Location, Resolved, ResourceType, unknown_sub};
use crate::scim::schema::{Kind, Mutability, Storage};

impl Patch {
    /// Applies every operation, or none.
    pub fn apply(&self, ty: &ResourceType, before: &Map) -> Result<Patched> {
        let mut patched = self.apply_in_part(ty, before)?;
        patched.merge_equals();
        Ok(patched)
    }

    /// Applies every operation, or none, to what may be less than there is: elements that have become equal stay several, since
    /// what is not shown of them may differ.
    pub fn apply_in_part(&self, ty: &ResourceType, before: &Map) -> Result<Patched> {
        let mut work = Work {
            ty,
            document: before.clone(),
            receiver: Receiver::new(self.profile),
            touched: Vec::new(),
            removed: Vec::new(),
            lists: Lists::default(),
            effort: 0,
        };
        for operation in &self.operations {
            let place = format_args!("operation {}", operation.position);
            work.operation(operation)
                .map_err(|error| error.within(place))?;
        }
        work.finish()
    }
}

/// A document being changed.
pub(super) struct Work<'a> {
    pub(super) ty: &'a ResourceType,
    pub(super) document: Map,
    pub(super) receiver: Receiver,
    pub(super) touched: Vec<Touched>,
    pub(super) removed: Vec<Touched>,
    pub(super) lists: Lists,
    /// How many elements the operations have gone through.
    pub(super) effort: usize,
}

impl<'a> Work<'a> {
    fn operation(&mut self, operation: &Operation) -> Result<()> {
        let value = operation.value.clone();
        let Some(path) = &operation.path else {
            return match value {
                Some(Value::Object(attributes)) => self.attributes(operation.op, None, attributes),
                _ => Err(Error::invalid_value(
                    "without a path the value must be an object of attributes",
                )),
            };
        };
        if let Some(urn) = path.extension(self.ty) {
            return self.extension(operation.op, &urn, value);
        }
        let target = path.target(self.ty)?;
        if &*target.location.attribute == "schemas" {
            // `schemas` follows from what the document holds.
            return Ok(());
        }
        if is_read_only(&target) {
            let known = document::attribute(&self.document, &target.location);
            if operation.op != Op::Remove && known == value.as_ref() {
                return Ok(());
            }
            if self.receiver.profile.allows(Habit::ReadOnlyPaths) {
                self.receiver.ignored.push(target.location.to_string());
                return Ok(());
            }
            return Err(Error::mutability(format!(
                "'{}' is read-only",
                target.location
            )));
        }
        self.target(operation.op, &target, path, value)
    }

    /// A value without a path: its keys are paths themselves (Entra ID), read-only ones are passed over (Okta).
    fn attributes(&mut self, op: Op, extension: Option<&str>, attributes: Map) -> Result<()> {
        for (name, value) in attributes {
            if extension.is_none() && name.eq_ignore_ascii_case("schemas") {
                continue;
            }
            if extension.is_none() {
                if let Some(schema) = self.ty.resolve_extension(&name) {
                    let urn = schema.id.to_string();
                    self.extension(op, &urn, Some(value))?;
                    continue;
                }
                if let (true, Value::Object(_)) = (self.ty.is_core(&name), &value) {
                    if let Value::Object(inner) = value {
                        self.attributes(op, None, inner)?;
                    }
                    continue;
                }
            }
            match self.named(extension, &name) {
                Some((_, target)) if is_read_only(&target) => {}
                Some((path, target)) => self.target(op, &target, &path, Some(value))?,
                None => {
                    let left_out = match extension {
                        Some(urn) => format!("{urn}:{name}"),
                        None => name,
                    };
                    let why = || format!("there is no attribute '{left_out}'");
                    self.receiver.leave_out(left_out.clone(), why)?;
                }
            }
        }
        Ok(())
    }

    fn named(&self, extension: Option<&str>, name: &str) -> Option<(PatchPath, Resolved<'a>)> {
        let profile = self.receiver.profile;
        let mut path = PatchPath::parse(name, profile).ok()?;
        let plain = path.filter.is_none() && path.path.schema.is_none() && path.path.sub.is_none();
        if !plain && !profile.allows(Habit::PathsAsNames) {
            return None;
        }
        if let (Some(urn), None) = (extension, &path.path.schema) {
            path.path = AttributePath {
                schema: Some(urn.to_owned()),
                ..path.path
            };
        }
        let target = path.target(self.ty).ok()?;
        Some((path, target))
    }

    /// A whole extension: its attributes are merged, set or removed.
    fn extension(&mut self, op: Op, urn: &str, value: Option<Value>) -> Result<()> {
        match (op, value) {
            (Op::Add | Op::Replace, Some(Value::Object(attributes))) if !attributes.is_empty() => {
                self.attributes(op, Some(urn), attributes)
            }
            (Op::Add, Some(value)) if document::is_unassigned(&value) => Ok(()),
            (Op::Add | Op::Replace, Some(value)) if !document::is_unassigned(&value) => {
                let found = name_of(&value);
                Err(Error::invalid_value(format!(
                    "'{urn}' takes an object of attributes, not {found}"
                )))
            }
            _ => {
                let ty = self.ty;
                let writable = ty.attributes().filter(|whole| {
                    whole.location.extension.as_deref() == Some(urn) && !is_read_only(whole)
                });
                for whole in writable {
                    self.unset(&whole)?;
                }
                Ok(())
            }
        }
    }

    fn target(
        &mut self,
        op: Op,
        target: &Resolved<'a>,
        path: &PatchPath,
        value: Option<Value>,
    ) -> Result<()> {
        if target.attribute.storage == Storage::None {
            if let Some(value) = value {
                self.receiver.value(target, value)?;
            }
            self.receiver.ignored.push(target.location.to_string());
            return Ok(());
        }
        let selection = match &path.filter {
            None => Selection::All,
            Some(filter) => Selection::new(filter, &target.whole())?,
        };
        if target.attribute.multi_valued {
            return self.elements(op, target, &selection, value);
        }
        let current = document::attribute(&self.document, &target.location)
            .cloned()
            .unwrap_or(Value::Null);
        let selected = selection.selects(&current);
        match (op, value) {
            (Op::Remove, _) if selected => self.unset(target),
            (Op::Remove, _) if self.receiver.profile.allows(Habit::RemoveOfNothing) => Ok(()),
            (Op::Remove, _) => Err(nothing_to_remove(&target.location)),
            (_, Some(value)) if selected => self.set(op, target, value),
            (Op::Replace, Some(_)) if !self.receiver.profile.allows(Habit::CreateByReplace) => {
                Err(nothing_to_replace(&target.location))
            }
            (_, Some(value)) => {
                // A single complex value that the filter does not select: the filter's own values come first.
                for (sub, wanted) in selection.wanted(&target.location)? {
                    self.set(op, &sub, wanted)?;
                }
                self.set(op, target, value)
            }
            (_, None) => Err(Error::invalid_value("an add or replace needs a value")),
        }
    }

    /// Sets a single-valued attribute or sub-attribute; a complex one is set part by part (§3.5.2.3).
    fn set(&mut self, op: Op, target: &Resolved<'a>, value: Value) -> Result<()> {
        if target.leaf().kind == Kind::Complex {
            return self.set_parts(op, target, value);
        }
        let unsets_reference = value == "" && target.sub.is_some_and(|sub| &*sub.name == "value");
        let received = if unsets_reference {
            None
        } else {
            self.receiver.value(target, value)?
        };
        match received {
            Some(value) => self.write(op, target, value),
            None if op == Op::Replace && target.leaf().required => Err(Error::invalid_value(
                format!("'{}' is required", target.location),
            )),
            None if op == Op::Replace || unsets_reference => self.unset(target),
            None => Ok(()),
        }
    }

    fn set_parts(&mut self, op: Op, target: &Resolved<'a>, value: Value) -> Result<()> {
        let profile = self.receiver.profile;
        let value = match value {
            Value::Array(mut items)
                if items.is_empty() || (items.len() == 1 && profile.allows(Habit::LooseShapes)) =>
            {
                items.pop().unwrap_or(Value::Null)
            }
            other => other,
        };
        if document::is_unassigned(&value) {
            return if op == Op::Replace {
                self.unset(target)
            } else {
                Ok(())
            };
        }
        let parts = object_of(target.attribute, &target.location, value, profile)?;
        let is_empty_value =
            |(name, value): (&String, &Value)| name.eq_ignore_ascii_case("value") && value == "";
        if parts.iter().any(is_empty_value) {
            // Entra ID unsets a manager by an empty value.
            return self.unset(target);
        }
        if op == Op::Replace && !profile.allows(Habit::MergeByReplace) {
            let named = |sub: &Resolved<'_>| {
                let name = &sub.leaf().name;
                parts.keys().any(|given| given.eq_ignore_ascii_case(name))
            };
            let current = document::attribute(&self.document, &target.location).cloned();
            let is_set = |sub: &Resolved<'_>| {
                let current = current.as_ref();
                current.is_some_and(|current| current.get(&*sub.leaf().name).is_some())
            };
            let follows = target.attribute.sub("value").is_some();
            let gone = target
                .subs()
                .filter(|sub| is_set(sub) && !named(sub) && !is_read_only(sub))
                .filter(|sub| !(follows && &*sub.leaf().name == "$ref"));
            for sub in gone {
                self.unset(&sub)?;
            }
        }
        for (name, value) in value_first(parts) {
            match target.sub(&name) {
                Some(sub) if is_read_only(&sub) => {}
                Some(sub) => self.set(op, &sub, value)?,
                None => {
                    let left_out = format!("{}.{name}", target.location);
                    self.receiver
                        .leave_out(left_out, || unknown_sub(target, &name))?;
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, op: Op, target: &Resolved<'a>, value: Value) -> Result<()> {
        let location = &target.location;
        let current = document::attribute(&self.document, location).cloned();
        let Some(sub) = target.sub else {
            if let Some(current) = &current {
                check_change(target.attribute, location, current, &value)?;
            }
            document::put(&mut self.document, location, value);
            self.touch(location.clone(), None);
            return Ok(());
        };
        let mut parts = match current {
            Some(Value::Object(parts)) => parts,
            _ => Map::new(),
        };
        let old = parts.get(&*sub.name).cloned();
        if let Some(old) = &old {
            // An immutable reference is held by its value; `$ref` only follows from it.
            check_change(sub, location, old, &value)?;
            let immutable_whole = target.attribute.mutability == Mutability::Immutable;
            let held = &*sub.name == "value" || target.attribute.sub("value").is_none();
            if immutable_whole && held && *old != value {
                return Err(Error::mutability(format!(
                    "'{location}' is immutable: once set it cannot be changed"
                )));
            }
        }
        if &*sub.name == "value" && old.as_ref().is_some_and(|old| *old != value) {
            forget_what_followed(target, &mut parts);
        }
        write_part(&mut parts, op, target, value);
        document::put(&mut self.document, location, Value::Object(parts));
        self.touch(location.clone(), None);
        Ok(())
    }

    /// Removes a single-valued attribute or sub-attribute, or a whole multi-valued attribute.
    pub(super) fn unset(&mut self, target: &Resolved<'a>) -> Result<()> {
        let location = &target.location;
        let current = document::attribute(&self.document, location).cloned();
        check_removal(target, current.is_some())?;
        match (target.sub, current) {
            (None, _) => document::remove(&mut self.document, location),
            (Some(sub), Some(Value::Object(mut parts))) => {
                parts.shift_remove(&*sub.name);
                if &*sub.name == "value" {
                    forget_what_followed(target, &mut parts);
                }
                if parts.is_empty() {
                    document::remove(&mut self.document, location);
                } else {
                    document::put(&mut self.document, location, Value::Object(parts));
                }
            }
            _ => {}
        }
        if target.leaf().kind == Kind::Complex && !target.leaf().multi_valued {
            for sub in target.subs().filter(|sub| !is_read_only(sub)) {
                self.touch(sub.location, None);
            }
        } else {
            self.touch(location.clone(), None);
        }
        Ok(())
    }

    pub(super) fn touch(&mut self, location: Location, element: Option<Value>) {
        self.touched.push(Touched { location, element });
    }

    fn finish(mut self) -> Result<Patched> {
        document::prune(&mut self.document);
        document::set_schemas(self.ty, &mut self.document);
        check_required(self.ty, &self.document)?;
        // What a later operation changed or removed again no longer stands as it was touched.
        let mut standing = HashSet::new();
        let locations: HashSet<&Location> = self
            .touched
            .iter()
            .map(|touched| &touched.location)
            .collect();
        for location in locations {
            for element in document::elements(&self.document, location) {
                standing.insert((location.clone(), element.to_string()));
            }
        }
        let mut seen = HashSet::new();
        self.touched.retain(|touched| {
            let element = touched.element.as_ref().map(Value::to_string);
            let stands = element
                .as_ref()
                .is_none_or(|text| standing.contains(&(touched.location.clone(), text.clone())));
            stands && seen.insert((touched.location.clone(), element))
        });
        Ok(Patched {
            document: self.document,
            touched: self.touched,
            removed: self.removed,
            lists: self.lists,
            ignored: self.receiver.ignored,
        })
    }
}

pub(super) fn is_read_only(target: &Resolved<'_>) -> bool {
    target.attribute.mutability == Mutability::ReadOnly
        || target.leaf().mutability == Mutability::ReadOnly
}

/// RFC 7644 §3.5.2.2: what is required or immutable cannot be removed.
pub(super) fn check_removal(target: &Resolved<'_>, is_set: bool) -> Result<()> {
    let leaf = target.leaf();
    if leaf.required {
        return Err(Error::mutability(format!(
            "'{}' is required and cannot be removed",
            target.location
        )));
    }
    let immutable = [target.attribute, leaf]
        .iter()
        .any(|it| it.mutability == Mutability::Immutable);
    if immutable && is_set {
        return Err(Error::mutability(format!(
            "'{}' is immutable and cannot be removed",
            target.location
        )));
    }
    Ok(())
}

/// Writes a sub-attribute at its place in the schema's order, so that equal elements are written alike; to a multi-valued
/// one an add joins what is not yet there.
pub(super) fn write_part(parts: &mut Map, op: Op, target: &Resolved<'_>, value: Value) {
    let leaf = target.leaf();
    match (parts.get_mut(&*leaf.name), value) {
        (Some(Value::Array(old)), Value::Array(new)) if op == Op::Add => {
            for item in new {
                if !old.contains(&item) {
                    old.push(item);
                }
            }
        }
        (_, value) => {
            let before = target.attribute.sub_attributes.iter();
            let place = before
                .take_while(|sub| sub.name != leaf.name)
                .filter(|sub| parts.contains_key(&*sub.name))
                .count();
            parts.shift_insert(place, leaf.name.to_string(), value);
        }
    }
}

/// A reference's `$ref` and read-only names belong to its old `value`.
pub(super) fn forget_what_followed(target: &Resolved<'_>, parts: &mut Map) {
    for sub in &target.attribute.sub_attributes {
        let followed = &*sub.name == "$ref" || sub.mutability == Mutability::ReadOnly;
        if followed && target.attribute.sub("$ref").is_some() {
            parts.shift_remove(&*sub.name);
        }
    }
}

/// The parts of a complex value, `value` first: a new one makes the old `$ref` stale, not the one beside it.
pub(super) fn value_first(parts: Map) -> impl Iterator<Item = (String, Value)> {
    let (first, rest): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|(name, _)| name.eq_ignore_ascii_case("value"));
    first.into_iter().chain(rest)
}

/// The error for a value filter that selects nothing and cannot be turned into an element.
pub(super) fn no_target(location: &Location) -> Error {
    Error::new(
        ErrorKind::NoTarget,
        format!(
            "no element of '{location}' passes the filter, and only a filter of 'eq' comparisons can create one"
        ),
    )
}

/// The error for a remove that selects nothing, for clients that are held to the letter.
pub(super) fn nothing_to_remove(location: &Location) -> Error {
    Error::no_target(format!(
        "there is nothing to remove: no value of '{location}' is the one that was named"
    ))
}

/// The error for a replace that selects nothing, for clients that are held to the letter (RFC 7644 §3.5.2.3).
pub(super) fn nothing_to_replace(location: &Location) -> Error {
    Error::no_target(format!(
        "there is nothing to replace: no value of '{location}' passes the filter; use add"
    ))
}
