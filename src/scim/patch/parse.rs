//! From a PATCH body to operations; every path must name something (RFC 7644 §3.5.2).

use serde_json::Value;

use super::{Op, Operation, PATCH_URN, Patch, PatchPath};
use crate::scim::Map;
use crate::scim::error::{Error, Kind, Result};
use crate::scim::json::name_of;
use crate::scim::profile::{Habit, Profile};
use crate::scim::resource_type::{Resolved, ResourceType, unknown_sub};

/// How many operations a PATCH may hold.
pub const MAX_OPERATIONS: usize = 1_000;

/// Reads a PATCH body for a resource type, as a client of this profile writes it.
pub fn parse(body: Map, ty: &ResourceType, profile: Profile) -> Result<Patch> {
    let mut ignored = Vec::new();
    let [schemas, operations] = members(body, ["schemas", "Operations"], "", &mut ignored);
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
        operation(item, position, ty, profile, &mut ignored)
            .map_err(|error| error.within(format_args!("operation {position}")))
    });
    let operations = operations.collect::<Result<_>>()?;
    match ignored.first() {
        // Some clients send their own id of the resource, or a name of the operation.
        Some(name) if !profile.allows(Habit::UnknownNames) => Err(Error::invalid_syntax(format!(
            "a PATCH has no member '{name}' (RFC 7644 §3.5.2)"
        ))),
        _ => Ok(Patch {
            operations,
            profile,
            ignored,
        }),
    }
}

/// The members of these names, whatever their case; others are ignored, under the name of what holds them.
fn members<const N: usize>(
    body: Map,
    names: [&str; N],
    within: &str,
    ignored: &mut Vec<String>,
) -> [Option<Value>; N] {
    let mut found = [const { None }; N];
    for (name, value) in body {
        match names
            .iter()
            .position(|known| known.eq_ignore_ascii_case(&name))
        {
            Some(place) => found[place] = Some(value),
            None => ignored.push(format!("{within}{name}")),
        }
    }
    found
}

fn operation(
    item: Value,
    position: usize,
    ty: &ResourceType,
    profile: Profile,
    ignored: &mut Vec<String>,
) -> Result<Operation> {
    let Value::Object(item) = item else {
        return Err(Error::invalid_syntax(format!(
            "must be an object, not {}",
            name_of(&item)
        )));
    };
    let within = format!("Operations[{position}].");
    let [op, path, value] = members(item, ["op", "path", "value"], &within, ignored);
    let op = op_of(op.as_ref())?;
    let path = match path {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) if text.is_empty() => None,
        Some(Value::String(text)) => Some(read_path(&text, ty, profile)?),
        Some(other) => {
            return Err(Error::invalid_path(format!(
                "'path' must be a string, not {}",
                name_of(&other)
            )));
        }
    };
    match (&path, op, &value) {
        (None, Op::Remove, _) => return Err(Error::no_target("a remove needs a path")),
        (None, ..) if !profile.allows(Habit::NoPath) => {
            return Err(Error::invalid_syntax(
                "'path' is missing: this client's profile wants one in every operation",
            ));
        }
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
    Ok(Operation {
        op,
        path,
        value,
        position,
    })
}

/// The operation's name, in any case: canonical values are not case-exact (RFC 7643 §7).
fn op_of(op: Option<&Value>) -> Result<Op> {
    let Some(op) = op.and_then(Value::as_str) else {
        return Err(Error::invalid_syntax(
            "'op' is missing: write add, replace or remove",
        ));
    };
    [
        ("add", Op::Add),
        ("replace", Op::Replace),
        ("remove", Op::Remove),
    ]
    .into_iter()
    .find(|(name, _)| name.eq_ignore_ascii_case(op))
    .map(|(_, op)| op)
    .ok_or_else(|| {
        Error::invalid_syntax(format!("'op' must be add, replace or remove, not '{op}'"))
    })
}

/// A path that names something in the type.
fn read_path(text: &str, ty: &ResourceType, profile: Profile) -> Result<PatchPath> {
    let exact = !profile.allows(Habit::OtherUrns);
    // Old URNs of extensions end in a version, which would be read as names.
    let text = match ty.resolve_extension(text) {
        Some(schema) if !exact => &*schema.id,
        _ => text,
    };
    let path = PatchPath::parse(text, profile)?;
    if path.extension(ty).is_some() && (!exact || ty.has_extension(text)) {
        return Ok(path);
    }
    if exact && ty.resolve_exactly(&path.path).is_none() {
        return Err(Error::invalid_path(ty.unknown(&path.path)));
    }
    if let (false, Some(filter)) = (profile.allows(Habit::BooleanStrings), &path.filter) {
        filter
            .refuse_boolean_strings(&ty.find(&path.path, Kind::InvalidPath)?, Kind::InvalidPath)?;
    }
    path.target(ty)?;
    Ok(path)
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
