//! Takes out of a PATCH what concerns attributes kept as rows, so that no member list is ever loaded or rewritten.

use serde_json::Value;

use super::apply::is_read_only;
use super::{Change, Op, Operation, Patch, PatchPath, RowChange, Rows};
use crate::scim::Map;
use crate::scim::error::{Error, Kind, Result};
use crate::scim::filter::{Filter, Literal, Operator, Predicate};
use crate::scim::profile::Profile;
use crate::scim::receive::receive_value;
use crate::scim::resource_type::{Resolved, ResourceType};
use crate::scim::schema::Storage;

impl Patch {
    /// The operations on the document, and the changes of rows in their order.
    pub fn split_rows(self, ty: &ResourceType) -> Result<(Self, Vec<RowChange>)> {
        let mut operations = Vec::with_capacity(self.operations.len());
        let mut changes = Changes {
            profile: self.profile,
            found: Vec::new(),
        };
        for operation in self.operations {
            let position = operation.position;
            let rest = split(operation, ty, &mut changes)
                .map_err(|error| error.within(format_args!("operation {position}")))?;
            operations.extend(rest);
        }
        let rest = Self { operations, ..self };
        Ok((rest, changes.found))
    }
}

/// The changes of rows that a client's operations make.
struct Changes {
    profile: Profile,
    found: Vec<RowChange>,
}

fn split(
    operation: Operation,
    ty: &ResourceType,
    changes: &mut Changes,
) -> Result<Option<Operation>> {
    match (&operation.path, operation.value) {
        (None, Some(Value::Object(attributes))) => {
            let rest = split_attributes(operation.op, attributes, ty, changes)?;
            Ok((!rest.is_empty()).then_some(Operation {
                value: Some(Value::Object(rest)),
                ..operation
            }))
        }
        (Some(path), value) => match rows_target(path, ty) {
            Some(target) => {
                let made = change(operation.op, &target, path, value, changes.profile)?;
                changes.found.extend(made);
                Ok(None)
            }
            None => Ok(Some(Operation { value, ..operation })),
        },
        (None, value) => Ok(Some(Operation { value, ..operation })),
    }
}

fn rows_target<'a>(path: &PatchPath, ty: &'a ResourceType) -> Option<Resolved<'a>> {
    let found = path.target(ty).ok()?;
    (found.attribute.storage == Storage::Rows && !is_read_only(&found.whole())).then_some(found)
}

fn split_attributes(
    op: Op,
    attributes: Map,
    ty: &ResourceType,
    changes: &mut Changes,
) -> Result<Map> {
    let mut rest = Map::new();
    for (name, value) in attributes {
        if let (true, Value::Object(_)) = (ty.is_core(&name), &value) {
            if let Value::Object(inner) = value {
                rest.extend(split_attributes(op, inner, ty, changes)?);
            }
            continue;
        }
        let path = PatchPath::parse(&name, changes.profile).ok();
        let target = path.as_ref().and_then(|path| rows_target(path, ty));
        match (path, target) {
            // A client that writes null among other attributes means "nothing to say", not "remove everybody".
            (Some(_), Some(_)) if value.is_null() => {}
            (Some(path), Some(target)) => {
                let made = change(op, &target, &path, Some(value), changes.profile)?;
                changes.found.extend(made);
            }
            _ => {
                rest.insert(name, value);
            }
        }
    }
    Ok(rest)
}

fn change(
    op: Op,
    target: &Resolved<'_>,
    path: &PatchPath,
    value: Option<Value>,
    profile: Profile,
) -> Result<Vec<RowChange>> {
    let location = &target.location;
    if target.sub.is_some() {
        return Err(Error::mutability(format!(
            "'{location}' cannot be changed by itself: add and remove whole elements of '{}'",
            location.whole()
        )));
    }
    let of = |change| RowChange {
        location: location.clone(),
        change,
    };
    let made = match (op, &path.filter, value) {
        (Op::Remove, Some(filter), _) => vec![Change::Remove(selected(filter, target)?)],
        (Op::Remove, None, None) => vec![Change::Remove(Rows::All)],
        (Op::Remove, None, Some(Value::Null)) => {
            return Err(Error::invalid_value(format!(
                "leave 'value' out to remove all of '{location}', or list what to remove"
            )));
        }
        (Op::Remove, None, Some(value)) => {
            let values = values_of(target, value, profile)?;
            if values.is_empty() {
                Vec::new()
            } else {
                vec![Change::Remove(Rows::Values(values))]
            }
        }
        (Op::Add, None, Some(value)) => {
            let elements = elements_of(target, value, profile)?;
            if elements.is_empty() {
                Vec::new()
            } else {
                vec![Change::Add(elements)]
            }
        }
        (Op::Replace, None, Some(Value::Null)) => {
            return Err(Error::invalid_value(format!(
                "'{location}' cannot be replaced by null: use remove, or give an array"
            )));
        }
        (Op::Replace, None, Some(value)) => {
            vec![Change::Replace(elements_of(target, value, profile)?)]
        }
        (Op::Add, Some(filter), Some(value)) => {
            // `add members[value eq "x"]`: the element that the filter describes, with what the value adds.
            vec![Change::Add(elements_of(
                target,
                described(filter, target, value)?,
                profile,
            )?)]
        }
        (Op::Replace, Some(filter), Some(value)) => {
            let gone = Change::Remove(selected(filter, target)?);
            vec![gone, Change::Add(elements_of(target, value, profile)?)]
        }
        (_, _, None) => return Err(Error::invalid_value("an add or replace needs a value")),
    };
    Ok(made.into_iter().map(of).collect())
}

fn selected(filter: &Filter, target: &Resolved<'_>) -> Result<Rows> {
    let condition = filter.check_element(target, Kind::InvalidPath)?;
    Ok(named_values(filter).map_or(Rows::Matching(condition), Rows::Values))
}

/// The values that a filter names, if it says nothing but `value eq "…"`, once or joined by `or`.
fn named_values(filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::Or(terms) => terms
            .iter()
            .map(named_values)
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat()),
        Filter::Compare {
            path,
            predicate: Predicate::Compare(Operator::Equal, Literal::String(value)),
        } if path.attribute.eq_ignore_ascii_case("value") => Some(vec![value.clone()]),
        _ => None,
    }
}

fn described(filter: &Filter, target: &Resolved<'_>, value: Value) -> Result<Value> {
    let value = match value {
        Value::Array(mut items) if items.len() == 1 => items.remove(0),
        other => other,
    };
    match (named_values(filter).as_deref(), value) {
        (Some([named]), Value::Object(mut given)) => {
            given.insert("value".to_owned(), Value::from(named.as_str()));
            Ok(Value::Object(given))
        }
        _ => Err(Error::no_target(format!(
            "an add to '{}' with a filter needs value eq \"…\" and an object",
            target.location
        ))),
    }
}

/// The elements that a value lists; reading them makes sure that each has its `value`.
fn elements_of(target: &Resolved<'_>, value: Value, profile: Profile) -> Result<Vec<Value>> {
    let listed = match value {
        list @ (Value::Array(_) | Value::Null) => list,
        single => Value::Array(vec![single]),
    };
    Ok(match receive_value(target, listed, profile)? {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    })
}

fn values_of(target: &Resolved<'_>, value: Value, profile: Profile) -> Result<Vec<String>> {
    let elements = elements_of(target, value, profile)?;
    let values = elements
        .iter()
        .filter_map(|element| element.get("value").and_then(Value::as_str));
    Ok(values.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
