//! Where a value goes: a simple attribute, a part of a complex one, a value of a list, or a part of an element of which the
//! rest is given: `emails[type eq "work"].value`.

use serde_json::{Map, Value};

use crate::scim::attribute_path::AttributePath;
use crate::scim::error::Kind;
use crate::scim::filter::{Filter, Operator, Predicate};
use crate::scim::patch::PatchPath;
use crate::scim::profile::Profile;
use crate::scim::resource_type::{Location, ResourceType};
use crate::scim::schema::{self, Attribute, Mutability};

/// Where a value goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// As it is written.
    pub(super) text: String,
    /// The attribute; with the part where it is of a single-valued one.
    pub(super) location: Location,
    /// The attribute or sub-attribute that takes the value.
    pub(super) leaf: Attribute,
    /// Whether the attribute as a whole is a list.
    pub(super) is_list: bool,
    /// The element of which it is a part.
    pub(super) element: Option<Element>,
}

/// An element, and the part of it.
#[derive(Clone, Debug)]
pub(super) struct Element {
    /// What the filter says of it.
    pub(super) fixed: Map<String, Value>,
    /// The part.
    pub(super) sub: String,
    /// Its number among the elements of a mapping, once that is known.
    pub(super) group: usize,
    /// The parts that every element must have.
    pub(super) required: Vec<String>,
}

impl Target {
    /// What a path means in a type, or why it means nothing there.
    pub(super) fn parse(text: &str, ty: &ResourceType) -> Result<Self, String> {
        let parsed = PatchPath::parse(text, Profile::Rfc).map_err(|error| error.detail)?;
        let path = AttributePath {
            sub: parsed.sub.clone().or_else(|| parsed.path.sub.clone()),
            ..parsed.path.clone()
        };
        let found = ty.find(&path, Kind::InvalidPath);
        let found = found.map_err(|error| error.detail)?;
        let (whole, leaf) = (found.attribute, found.leaf());
        if whole.mutability == Mutability::ReadOnly || leaf.mutability == Mutability::ReadOnly {
            return Err(format!(
                "'{text}' is read-only: it follows from other values"
            ));
        }
        let own = found.location.extension.is_none().then_some(&whole.name);
        if own.is_some_and(|name| schema::common().iter().any(|common| common.name == *name)) {
            return Err(match &*whole.name {
                "externalId" => {
                    "'externalId' is said once, by the mapping's key of that name".into()
                }
                name => format!("'{name}' is for this server to give"),
            });
        }
        let element = match (&found.sub, &parsed.filter) {
            (Some(sub), filter) if whole.multi_valued => {
                let fixed = filter.as_ref().map(|filter| constants(filter, whole));
                let required = whole.sub_attributes.iter();
                let required = required.filter(|sub| sub.required);
                Some(Element {
                    fixed: fixed.transpose()?.unwrap_or_default(),
                    sub: sub.name.to_string(),
                    group: 0,
                    required: required.map(|sub| sub.name.to_string()).collect(),
                })
            }
            (_, Some(_)) => {
                let reason = "which elements a part of it is of, only a list needs to be told";
                return Err(format!("'{text}': {reason}"));
            }
            _ => None,
        };
        Ok(Self {
            text: text.to_owned(),
            is_list: whole.multi_valued,
            location: found.location.clone(),
            leaf: leaf.clone(),
            element,
        })
    }

    /// A key that two rows share if they name one place.
    pub(super) fn place(&self) -> String {
        match &self.element {
            Some(element) => format!("{}.{}", self.group(), element.sub),
            None => self.location.to_string(),
        }
    }

    /// A key that two rows share if they are parts of one element.
    pub(super) fn group(&self) -> String {
        let fixed = self.element.as_ref().map(|element| &element.fixed);
        let fixed = fixed.map(|fixed| Value::Object(fixed.clone()).to_string());
        format!("{}[{}]", self.location.whole(), fixed.unwrap_or_default())
    }
}

/// What a filter says of an element, if it says of each part what it is.
fn constants(filter: &Filter, whole: &Attribute) -> Result<Map<String, Value>, String> {
    let parts = match filter {
        Filter::And(parts) => parts.as_slice(),
        one => std::slice::from_ref(one),
    };
    let mut fixed = Map::new();
    for part in parts {
        let Filter::Compare {
            path,
            predicate: Predicate::Compare(Operator::Equal, literal),
        } = part
        else {
            return Err(format!(
                "'[{filter}]' does not say what the element is: join parts with 'eq' and 'and', as in [type eq \"work\"]"
            ));
        };
        let Some(sub) = whole.sub(&path.attribute) else {
            let known = whole.sub_attributes.iter().map(|sub| &*sub.name);
            let nearest = crate::scim::error::did_you_mean(&path.attribute, known);
            return Err(format!(
                "'{}' has no part '{}'{nearest}",
                whole.name, path.attribute
            ));
        };
        fixed.insert(sub.name.to_string(), literal.to_value());
    }
    Ok(fixed)
}
