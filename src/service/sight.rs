//! What the caller may do with the record at hand, and what it means that writes what it was shown (design §6).

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::change::Write;
use super::{Error, Muster};
use crate::domain::access::{Seen, TypeClearance, Unsearchable};
use crate::domain::context::{Context, Right};
use crate::domain::document::value_at;
use crate::domain::record::Leaves;
use crate::domain::suggestion::covers;
use crate::domain::view::View;
use crate::scim;
use crate::scim::attribute_path::AttributePath;
use crate::scim::document;
use crate::scim::patch::{Op, Origin, Patch, Patched, Touched};
use crate::scim::resource_type::{Location, ResourceType};

/// What a caller wants of an attribute.
#[derive(Clone, Copy)]
pub(super) enum Wants<'a> {
    /// That it has what is given, whatever others say besides.
    Given(&'a Value),
    /// That it is this, or nothing.
    Whole(Option<&'a Value>),
}

impl<'a> Wants<'a> {
    fn said(self) -> Option<&'a Value> {
        match self {
            Self::Given(given) => Some(given),
            Self::Whole(whole) => whole,
        }
    }
}

/// Whether an element was `said` as it is wherever it stands in what that `means`: none of it is what a rendering stood for.
pub(super) fn is_said(said: Option<&Value>, means: Option<&Value>, element: &Value) -> bool {
    let times = |list: Option<&Value>| {
        let elements = list.and_then(Value::as_array).into_iter().flatten();
        elements.filter(|one| *one == element).count()
    };
    times(said) > 0 && times(said) == times(means)
}

/// What the caller may do on the type of a view.
pub(super) fn clearance<'c>(context: &'c Context, view: &View) -> &'c TypeClearance {
    context.client.clearance.on(&view.resource_type.name)
}

/// The type of a view as the caller knows it.
pub(super) fn known_type<'c>(context: &'c Context, view: &'c View) -> &'c Arc<ResourceType> {
    clearance(context, view).known(&view.resource_type)
}

/// The refusal of a search by what the caller may not read.
pub(super) fn unsearchable(context: &Context, Unsearchable(location): &Unsearchable) -> Error {
    Error::Forbidden(format!(
        "the client '{}' may not search or sort by '{location}'",
        context.client.name
    ))
}

impl Muster {
    /// The secret under which values have names for the caller; none where it needs none.
    pub(super) fn veil_key(&self, context: &Context, view: &View) -> Vec<u8> {
        if clearance(context, view).is_plain() {
            return Vec::new();
        }
        self.0.renderer.key_of(context)
    }

    /// The caller before a record with these values.
    pub(super) fn before<'a>(
        &self,
        context: &'a Context,
        view: &View,
        leaves: &Leaves,
        key: &'a [u8],
    ) -> Seen<'a> {
        self.0.renderer.before(context, view, leaves, key)
    }

    /// Whether the caller may do that with this record.
    pub(super) fn reaches(
        &self,
        context: &Context,
        view: &View,
        leaves: &Leaves,
        right: Right,
    ) -> bool {
        let clearance = clearance(context, view);
        !clearance.is_bounded() || self.before(context, view, leaves, &[]).may(right)
    }
}

impl Write<'_> {
    /// Refuses what the caller may not do with the record: what it may not even read is not there.
    pub(super) fn reach(&self, seen: &Seen<'_>, right: Right, id: &str) -> Result<(), Error> {
        if seen.may(right) {
            return Ok(());
        }
        if !seen.may(Right::Read) {
            return Err(super::change::missing(self.view, id));
        }
        let (verb, name) = (right.name(), &self.context.client.name);
        Err(Error::Forbidden(format!(
            "the client '{name}' has no right to {verb} this one: its role is bounded by a filter"
        )))
    }

    /// What the caller does not see of a record, or may not write.
    pub(super) fn hides<'s>(
        &self,
        seen: &'s Seen<'_>,
    ) -> impl Fn(&str, &Value) -> bool + use<'s, '_> {
        let specs = self.specs();
        move |path, value| {
            let spec = specs.get(path);
            let hidden = if spec.is_some_and(|spec| spec.attribute.multi_valued) {
                seen.hides(path, value)
            } else {
                seen.alters(path, value)
            };
            hidden || !seen.may_on(Right::Write, path, None)
        }
    }

    /// Refuses a change whose outcome is beyond what the caller may write.
    pub(super) fn stay(&self, after: &Leaves) -> Result<(), Error> {
        let (muster, context) = (self.muster, self.context);
        if muster.reaches(context, self.view, after, Right::Write) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "the client '{}' may write only what a filter bounds, and this would not be of it",
            context.client.name
        )))
    }

    /// Refuses to write a value, unless the caller may.
    pub(super) fn permit_path(&self, seen: &Seen<'_>, path: &str) -> Result<(), Error> {
        if seen.may_on(Right::Write, path, None) {
            return Ok(());
        }
        Err(Error::Forbidden(format!(
            "the client '{}' has no right to write '{}'",
            self.context.client.name,
            self.name_of(path)
        )))
    }

    /// How this view calls a canonical path.
    pub(super) fn name_of(&self, path: &str) -> String {
        match self.view.shown(path).first() {
            Some(shown) => shown.location.to_string(),
            None => path.split('@').next().unwrap_or(path).to_owned(),
        }
    }

    /// Of what the caller `wants`, the attributes of which another value stands than the one it gave, by name. Of what it
    /// does not see that depends on nothing but the policy.
    pub(super) fn held_back<'w>(
        &self,
        seen: &Seen<'_>,
        wants: impl IntoIterator<Item = (&'w str, Wants<'w>)>,
        stands: &Leaves,
    ) -> Vec<String> {
        let rules = self.rules();
        if rules.rulings.is_empty() && self.context.said_at.is_none() {
            return Vec::new();
        }
        let is_held = |path: &str, wants: Wants<'_>| {
            let is_hidden = |element: &Value| seen.alters(path, &json!([element]));
            let said = wants.said().and_then(Value::as_array);
            let hidden = seen.alters(path, &Value::Null)
                || !seen.is_open(path) && said.into_iter().flatten().any(is_hidden);
            let secret = rules
                .specs
                .get(path)
                .is_some_and(|spec| spec.attribute.secret);
            if hidden || secret {
                let master = rules.rulings.foreign_master(path, self.context.system());
                return master.is_some();
            }
            // Of a list it sees some elements.
            let stands = match stands.get(path) {
                Some(Value::Array(elements)) => {
                    let seen = elements.iter().filter(|element| !seen.hides(path, element));
                    let seen: Vec<Value> = seen.cloned().collect();
                    if seen.is_empty() {
                        Value::Null
                    } else {
                        seen.into()
                    }
                }
                single => single.cloned().unwrap_or(Value::Null),
            };
            let stands = &stands;
            match wants {
                Wants::Given(given) => !covers(stands, given),
                Wants::Whole(whole) => {
                    let whole = whole.unwrap_or(&Value::Null);
                    !covers(stands, whole) || stands.is_array() && !covers(whole, stands)
                }
            }
        };
        let held = wants.into_iter();
        held.filter(|(path, wants)| rules.specs.contains_key(*path) && is_held(path, *wants))
            .map(|(path, _)| self.name_of(path))
            .collect()
    }

    /// What the given values mean: the caller's own rendering of what is known stands for that, and what it may not write it
    /// may only repeat.
    pub(super) fn admit_values(
        &self,
        seen: &Seen<'_>,
        given: Leaves,
        known: &Leaves,
    ) -> Result<Leaves, Error> {
        if super::sight::clearance(self.context, self.view).is_plain() {
            return Ok(given);
        }
        let mut admitted = Leaves::new();
        for (path, value) in given {
            let stands = known.get(&path);
            // What it was shown of a single value it leaves as it is.
            if !value.is_array() && is_echo(seen, &path, &value, stands) {
                continue;
            }
            let value = match value {
                Value::Array(elements) => {
                    let origins = vec![Origin::Listed; elements.len()];
                    let restored = self.restore(seen, &path, (&elements, &origins), stands)?;
                    restored.into_iter().flatten().collect()
                }
                single => seen.restore(&path, single, stands).map_err(Error::Masked)?,
            };
            if let Err(refusal) = self.permit_path(seen, &path) {
                let sees = stands.is_some_and(|stands| !seen.hides(&path, stands));
                if !(sees && stands.is_some_and(|stands| covers(stands, &value))) {
                    return Err(refusal);
                }
                continue;
            }
            admitted.insert(path, value);
        }
        Ok(admitted)
    }

    /// Refuses a PATCH of what the caller may not write, whether it would change anything or not.
    pub(super) fn permit_patch(&self, seen: &Seen<'_>, patch: &Patch) -> Result<(), Error> {
        if super::sight::clearance(self.context, self.view).is_plain() {
            return Ok(());
        }
        for location in written(&self.view.resource_type, patch) {
            for (at, path) in self.view.units() {
                let same = *at == location
                    || (location.sub.is_none() && at.whole() == location)
                    || (at.sub.is_none() && location.whole() == *at);
                if same {
                    self.permit_path(seen, path)?;
                }
            }
        }
        Ok(())
    }

    /// For each element that is given, what it stands for.
    fn restore(
        &self,
        seen: &Seen<'_>,
        path: &str,
        (given, origins): (&[Value], &[Origin]),
        stands: Option<&Value>,
    ) -> Result<Vec<Vec<Value>>, Error> {
        let Some(spec) = self.specs().get(path) else {
            return Ok(given.iter().map(|one| vec![one.clone()]).collect());
        };
        let known = stands
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        seen.restore_elements((path, &spec.attribute), given, origins, known)
            .map_err(Error::Masked)
    }

    /// A patched rendering with what is known in place of what was shown for it.
    pub(super) fn unveil(
        &self,
        seen: &Seen<'_>,
        known: &Leaves,
        patch: &Patch,
        mut patched: Patched,
    ) -> Result<Patched, Error> {
        let single = |path: &str| {
            let spec = self.specs().get(path);
            spec.is_some_and(|spec| !spec.attribute.multi_valued)
        };
        // What it does not see it may take away all the same, if it may write it.
        for location in removed(&self.view.resource_type, patch) {
            let path = self.view.canonical(&location).unwrap_or_default();
            if single(path) && seen.alters(path, &Value::Null) {
                patched.touched.push(Touched {
                    location,
                    element: None,
                });
            }
        }
        for (location, path) in self.view.units() {
            let Some(value) = value_at(&patched.document, location).cloned() else {
                continue;
            };
            let stands = known.get(path);
            if single(path) && is_echo(seen, path, &value, stands) {
                patched
                    .touched
                    .retain(|touched| touched.location != *location);
            }
            let restored = match value {
                Value::Array(given) => {
                    let origins = patched.lists.origins(location, given.len());
                    let meant = self.restore(seen, path, (&given, &origins), stands)?;
                    rename(&mut patched.touched, location, (&given, &meant));
                    let has_changed = patched.lists.has_changed(location);
                    together(&given, meant, has_changed).into()
                }
                single => seen.restore(path, single, stands).map_err(Error::Masked)?,
            };
            put(&mut patched.document, location, restored);
        }
        Ok(patched)
    }
}

/// Whether a single value is what the caller was shown of what it does not see as it is.
fn is_echo(seen: &Seen<'_>, path: &str, value: &Value, stands: Option<&Value>) -> bool {
    stands.is_some_and(|stands| {
        seen.alters(path, stands) && seen.value(path, stands).as_ref() == Some(value)
    })
}

/// All that the elements of a list mean. Where operations have changed elements, what has become one is one, unless another was
/// given for it: that would tell of a right guess.
fn together(given: &[Value], meant: Vec<Vec<Value>>, has_changed: bool) -> Vec<Value> {
    let mut seen = HashSet::new();
    let each = given
        .iter()
        .zip(meant)
        .flat_map(|(given, meant)| meant.into_iter().map(move |one| (given, one)));
    let left = each.filter(|(given, one)| !has_changed || seen.insert(format!("{given}\n{one}")));
    left.map(|(_, one)| one).collect()
}

/// What was touched of a list is what the elements given there mean.
fn rename(
    touched: &mut Vec<Touched>,
    location: &Location,
    (given, meant): (&[Value], &[Vec<Value>]),
) {
    let renamed = std::mem::take(touched).into_iter().flat_map(|one| {
        let of = one.element.as_ref().filter(|_| one.location == *location);
        let Some(of) = of else {
            return vec![one];
        };
        let meant = given.iter().zip(meant).filter(|(given, _)| *given == of);
        let meant = meant.flat_map(|(_, meant)| meant);
        let each = meant.map(|element| Touched {
            location: location.clone(),
            element: Some(element.clone()),
        });
        each.collect()
    });
    *touched = renamed.collect();
}

fn put(document: &mut Map<String, Value>, location: &Location, value: Value) {
    let whole = location.whole();
    match &location.sub {
        None => document::put(document, &whole, value),
        Some(sub) => {
            let parent = document::attribute(document, &whole).cloned();
            if let Some(Value::Object(mut parent)) = parent {
                parent.insert(sub.to_string(), value);
                document::put(document, &whole, Value::Object(parent));
            }
        }
    }
}

/// The locations whose values a PATCH takes away.
fn removed(ty: &ResourceType, patch: &Patch) -> Vec<Location> {
    let removals = Patch {
        operations: patch
            .operations
            .iter()
            .filter(|operation| operation.op == Op::Remove)
            .cloned()
            .collect(),
        ..patch.clone()
    };
    written(ty, &removals)
}

/// The locations that a PATCH names.
fn written(ty: &ResourceType, patch: &Patch) -> Vec<Location> {
    let mut found = Vec::new();
    for operation in &patch.operations {
        match (&operation.path, &operation.value) {
            (Some(path), _) => {
                let sub = path.sub.clone().or_else(|| path.path.sub.clone());
                let whole = AttributePath {
                    sub,
                    ..path.path.clone()
                };
                match ty.resolve(&whole) {
                    Some(known) => found.push(known.location),
                    // An extension as a whole.
                    None => found.extend(of_extension(
                        ty,
                        &path.path.to_string(),
                        operation.value.as_ref(),
                    )),
                }
            }
            (None, Some(Value::Object(values))) => {
                for (name, value) in values {
                    let path = AttributePath::parse(name, scim::error::Kind::InvalidPath).ok();
                    match path.and_then(|path| ty.resolve(&path)) {
                        Some(known) => found.push(known.location),
                        None => found.extend(of_extension(ty, name, Some(value))),
                    }
                }
            }
            (None, _) => {}
        }
    }
    found
}

/// The attributes of an extension that a value gives; all of them if it gives none.
fn of_extension(ty: &ResourceType, urn: &str, value: Option<&Value>) -> Vec<Location> {
    let Some(schema) = ty.resolve_extension(urn) else {
        return Vec::new();
    };
    let given = value.and_then(Value::as_object);
    let attributes = schema.attributes.iter();
    let named = attributes.filter(|attribute| {
        given.is_none_or(|given| {
            given
                .keys()
                .any(|name| attribute.name.eq_ignore_ascii_case(name))
        })
    });
    named
        .map(|attribute| Location {
            extension: Some(schema.id.clone()),
            attribute: attribute.name.clone(),
            sub: None,
        })
        .collect()
}
