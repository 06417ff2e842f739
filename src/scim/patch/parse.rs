//! From a PATCH body to operations; every path must name something (RFC 7644 §3.5.2).

use serde_json::Value;

use super::{Op, Operation, PATCH_URN, Patch, PatchPath};
use crate::scim::Map;
use crate::scim::error::{Error, Kind, Result};
use crate::scim::json::name_of;
use crate::scim::resource_type::{Resolved, ResourceType, unknown_sub};

/// How many operations a PATCH may hold.
pub const MAX_OPERATIONS: usize = 1_000;

/// Reads a PATCH body for a resource type.
pub fn parse(body: Map, ty: &ResourceType) -> Result<Patch> {
    let [schemas, operations] = members(body, ["schemas", "Operations"]);
    let names_patch = |urn: &Value| {
        urn.as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case(PATCH_URN))
    };
    if !schemas
        .as_ref()
        .and_then(Value::as_array)
        .is_some_and(|urns| urns.iter().any(names_patch))
    {
        return Err(Error::invalid_syntax(format!(
            "a PATCH body needs \"schemas\": [\"{PATCH_URN}\"]"
        )));
    }
    let Some(Value::Array(operations)) = operations else {
        return Err(Error::invalid_syntax(
            "'Operations' must be an array of operations",
        ));
    };
    if operations.is_empty() || operations.len() > MAX_OPERATIONS {
        return Err(Error::invalid_syntax(format!(
            "'Operations' must hold 1 to {MAX_OPERATIONS} operations, not {}",
            operations.len()
        )));
    }
    let operations = operations.into_iter().enumerate().map(|(index, item)| {
        let position = index + 1;
        operation(item, position, ty)
            .map_err(|error| error.within(format_args!("operation {position}")))
    });
    Ok(Patch {
        operations: operations.collect::<Result<_>>()?,
    })
}

/// The members of these names, whatever their case.
fn members<const N: usize>(body: Map, names: [&str; N]) -> [Option<Value>; N] {
    let mut found = [const { None }; N];
    for (name, value) in body {
        if let Some(place) = names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(&name))
        {
            found[place] = Some(value);
        }
    }
    found
}

fn operation(item: Value, position: usize, ty: &ResourceType) -> Result<Operation> {
    let Value::Object(item) = item else {
        return Err(Error::invalid_syntax(format!(
            "must be an object, not {}",
            name_of(&item)
        )));
    };
    let [op, path, value] = members(item, ["op", "path", "value"]);
    let op = match op.as_ref().and_then(Value::as_str) {
        Some(op) if op.eq_ignore_ascii_case("add") => Op::Add,
        Some(op) if op.eq_ignore_ascii_case("replace") => Op::Replace,
        Some(op) if op.eq_ignore_ascii_case("remove") => Op::Remove,
        Some(op) => {
            return Err(Error::invalid_syntax(format!(
                "'op' must be add, replace or remove, not '{op}'"
            )));
        }
        None => {
            return Err(Error::invalid_syntax(
                "'op' is missing: write add, replace or remove",
            ));
        }
    };
    let path = match path {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(PatchPath::parse(&text)?),
        Some(other) => {
            return Err(Error::invalid_path(format!(
                "'path' must be a string, not {}",
                name_of(&other)
            )));
        }
    };
    match (&path, op, &value) {
        (None, Op::Remove, _) => return Err(Error::no_target("a remove needs a path")),
        (_, Op::Add | Op::Replace, None) => {
            return Err(Error::invalid_value("an add or replace needs a value"));
        }
        (None, _, Some(value)) if !value.is_object() => {
            return Err(Error::invalid_value(format!(
                "without a path the value must be an object of attributes, not {}",
                name_of(value)
            )));
        }
        _ => {}
    }
    if let Some(path) = &path
        && path.extension(ty).is_none()
    {
        path.target(ty)?;
    }
    Ok(Operation {
        op,
        path,
        value,
        position,
    })
}

impl PatchPath {
    /// The URN of the extension, if the path is nothing but that.
    pub(super) fn extension(&self, ty: &ResourceType) -> Option<String> {
        let urn = self.path.to_string();
        let bare = self.filter.is_none() && self.sub.is_none() && self.path.schema.is_some();
        ty.resolve_extension(&urn)
            .filter(|_| bare)
            .map(|schema| schema.id.to_string())
    }

    /// What the path names, with its sub-attribute.
    pub(super) fn target<'a>(&self, ty: &'a ResourceType) -> Result<Resolved<'a>> {
        let found = ty.find(&self.path, Kind::InvalidPath)?;
        if let Some(filter) = &self.filter {
            filter.check_element(&found.whole(), Kind::InvalidPath)?;
        }
        match &self.sub {
            None => Ok(found),
            Some(sub) => found
                .sub(sub)
                .ok_or_else(|| Error::invalid_path(unknown_sub(&found, sub))),
        }
    }
}
