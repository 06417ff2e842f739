//! What the types and attributes that a policy names are here.
//!
//! ```text
//! named = path | Type | Type "." path | Type ":" Extension [ "." attribute ]
//! path  = SCIM attribute path, also with a value filter: emails[type eq "home"]
//! ```
//! A path without a type is meant wherever it is known. Views of one record share canonical paths, so what is said of an
//! attribute holds under each of its names.

use std::sync::Arc;

use super::read::unknown;
use crate::domain::catalog::Catalog;
use crate::domain::lifecycle::dated;
use crate::domain::record::Kind;
use crate::scim::attribute_path::AttributePath;
use crate::scim::error::Kind as Fault;
use crate::scim::filter::{Filter, Literal, Operator, Predicate, parse_value_path};
use crate::scim::profile::Profile;
use crate::scim::resource_type::{Location, Resolved, ResourceType};
use crate::scim::schema::Attribute;

/// The resource types of the model that are not served yet: a policy may speak of them already.
pub const PLANNED: [&str; 4] = ["Subscription", "Delivery", "Switch", "InboundMessage"];

/// An attribute of a kind of record (of memberships: none), whatever the view.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The kind of record.
    pub kind: Option<Kind>,
    /// The canonical path.
    pub path: String,
}

impl Target {
    /// Whether this is the other or has it as a part.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let rest = other.path.strip_prefix(self.path.as_str());
        self.kind == other.kind && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Whether one of the two holds the other.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.holds(other) || other.holds(self)
    }
}

/// What a name in the policy means.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// The attributes.
    pub targets: Vec<Target>,
    /// The one attribute's characteristics, where one is named.
    pub attribute: Option<Attribute>,
    /// The value filter, as written, if only some elements are meant.
    pub part: Option<String>,
    /// The type that is named but not served yet.
    pub planned: Option<&'static str>,
}

impl Selector {
    /// Whether the two mean a common attribute; and if so which.
    #[must_use]
    pub fn common<'a>(&'a self, other: &Self) -> Option<&'a Target> {
        let mut targets = self.targets.iter();
        targets.find(|mine| other.targets.iter().any(|theirs| mine.meets(theirs)))
    }

    /// Whether every element of `target` is meant.
    #[must_use]
    pub fn holds(&self, target: &Target) -> bool {
        self.part.is_none() && self.targets.iter().any(|mine| mine.holds(target))
    }
}

/// The target of a location of a type.
#[must_use]
pub fn target(catalog: &Catalog, ty: &ResourceType, location: &Location) -> Target {
    let view = catalog
        .views()
        .iter()
        .find(|view| view.resource_type.name == ty.name);
    let canonical = view.and_then(|view| view.canonical(location));
    Target {
        kind: view.map(|view| view.kind),
        path: canonical.map_or_else(|| location.to_string(), str::to_owned),
    }
}

/// The served type of a name.
#[must_use]
pub fn served<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Arc<ResourceType>> {
    catalog.resource_types().find(|ty| ty.name == name)
}

/// The planned type of a name.
#[must_use]
pub fn planned(name: &str) -> Option<&'static str> {
    PLANNED.into_iter().find(|known| *known == name)
}

/// The sentence for a type that is neither served nor planned.
#[must_use]
pub fn unknown_type(catalog: &Catalog, name: &str) -> String {
    let known = catalog.resource_types().map(|ty| ty.name.as_str());
    unknown("resource type", name, known.chain(PLANNED))
}

/// What a row of masking means by a name: that attribute, and where else its value is shown.
pub fn classified(catalog: &Catalog, text: &str) -> Result<Selector, String> {
    let mut known = resolve(catalog, text)?;
    let also = known.targets.iter().flat_map(|target| {
        let kind = target.kind;
        dated::shown_in(kind, &target.path).map(move |path| Target { kind, path })
    });
    let also: Vec<Target> = also.collect();
    known.targets.extend(also);
    known.targets.sort();
    known.targets.dedup();
    Ok(known)
}

/// What a name means; the error says what would be right.
pub fn resolve(catalog: &Catalog, text: &str) -> Result<Selector, String> {
    let end = text.find(['.', ':', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if let Some(name) = planned(name) {
        let planned = Some(name);
        return Ok(Selector {
            planned,
            ..Selector::default()
        });
    }
    let Some(ty) = served(catalog, name) else {
        return everywhere(catalog, text);
    };
    match rest.chars().next() {
        None => Ok(whole(catalog, ty, |_| true)),
        Some('.') => path(catalog, &[ty], &rest[1..]),
        Some(':') => extension(catalog, ty, &rest[1..]),
        Some(_) => Err(format!(
            "after the type {name} comes '.' and an attribute, or ':' and an extension"
        )),
    }
}

fn everywhere(catalog: &Catalog, text: &str) -> Result<Selector, String> {
    if text.starts_with(char::is_uppercase) {
        return Err(unknown_type(
            catalog,
            text.split(['.', ':']).next().unwrap_or(text),
        ));
    }
    path(catalog, &catalog.resource_types().collect::<Vec<_>>(), text)
}

/// A SCIM path in those of the types that know it.
fn path(catalog: &Catalog, types: &[&Arc<ResourceType>], text: &str) -> Result<Selector, String> {
    let (path, filter, sub) =
        parse_value_path(text, Profile::Strict).map_err(|error| error.detail)?;
    let path = AttributePath {
        sub: sub.or(path.sub),
        ..path
    };
    let mut found = Selector::default();
    for ty in types {
        let Some(resolved) = ty.resolve(&path) else {
            continue;
        };
        if let Some(filter) = &filter {
            let check = filter.check_element(&resolved.whole(), Fault::InvalidFilter);
            check.map_err(|error| error.detail)?;
        }
        found.targets.push(target(catalog, ty, &resolved.location));
        found
            .attribute
            .get_or_insert_with(|| resolved.leaf().clone());
    }
    found.targets.sort();
    found.targets.dedup();
    found.part = filter.and(text.find('[').map(|at| text[at..].to_owned()));
    match types {
        _ if !found.targets.is_empty() => Ok(found),
        [ty] => Err(ty.unknown(&path)),
        _ => Err(nowhere(types, &path)),
    }
}

/// The sentence for a path that no type knows.
fn nowhere(types: &[&Arc<ResourceType>], path: &AttributePath) -> String {
    let told: Vec<String> = types.iter().map(|ty| ty.unknown(path)).collect();
    let mut helpful = told.iter().filter(|told| told.contains("did you mean"));
    let hint = helpful
        .next_back()
        .and_then(|told| told.split_once("; "))
        .map(|(_, hint)| hint);
    match hint {
        Some(hint) => format!("no resource type has an attribute '{path}'; {hint}"),
        None => format!("no resource type has an attribute '{path}'"),
    }
}

fn extension(catalog: &Catalog, ty: &ResourceType, text: &str) -> Result<Selector, String> {
    let (name, attribute) = match text.split_once('.') {
        Some((name, attribute)) => (name, Some(attribute)),
        None => (text, None),
    };
    let short = |urn: &str| urn.rsplit(':').next().unwrap_or_default().to_owned();
    let known: Vec<String> = ty
        .extensions
        .iter()
        .map(|known| short(&known.schema.id))
        .collect();
    let Some(at) = known.iter().position(|known| known == name) else {
        let what = format!("extension of {}", ty.name);
        return Err(unknown(&what, name, known.iter().map(String::as_str)));
    };
    let urn = &ty.extensions[at].schema.id;
    match attribute {
        None => Ok(whole(catalog, ty, |found| {
            found.location.extension.as_ref() == Some(urn)
        })),
        Some(attribute) => {
            let ty = served(catalog, &ty.name).ok_or_else(|| unknown_type(catalog, &ty.name))?;
            path(catalog, &[ty], &format!("{urn}:{attribute}"))
        }
    }
}

/// All attributes of a type that pass, but for those that every type has.
fn whole(catalog: &Catalog, ty: &ResourceType, passes: impl Fn(&Resolved<'_>) -> bool) -> Selector {
    let common = crate::scim::schema::common();
    let own = |found: &Resolved<'_>| {
        found.location.extension.is_some()
            || common
                .iter()
                .all(|known| known.name != found.location.attribute)
    };
    let found = ty.attributes().filter(|found| own(found) && passes(found));
    let targets = found
        .map(|found| target(catalog, ty, &found.location))
        .collect();
    Selector {
        targets,
        ..Selector::default()
    }
}

/// Whether two value filters, each as it follows its attribute, can hold of no common element: each is but one `eq`, of
/// the same sub-attribute, with another text.
#[must_use]
pub fn apart(one: &str, other: &str) -> bool {
    matches!((single_test(one), single_test(other)), (Some(a), Some(b)) if a.0 == b.0 && a.1 != b.1)
}

/// The sub-attribute and the text of a value filter that is one `eq`, in lower case: most attributes do not heed it.
fn single_test(text: &str) -> Option<(String, String)> {
    let filter = text.find('[').map(|at| format!("x{}", &text[at..]))?;
    match parse_value_path(&filter, Profile::Strict).ok()?.1? {
        Filter::Compare {
            path,
            predicate: Predicate::Compare(Operator::Equal, Literal::String(text)),
        } => Some((path.to_string().to_lowercase(), text.to_lowercase())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::apart;

    #[test]
    fn only_what_is_plainly_of_other_elements_is_apart() {
        let home = r#"[type eq "home"]"#;
        assert!(apart(home, r#"emails[TYPE eq "work"].value"#));
        for (one, other) in [
            (home, r#"[type eq "Home"]"#),
            (home, r#"[value eq "work"]"#),
            (home, r#"[type eq "work" or primary eq true]"#),
            (r#"[not (type eq "a")]"#, r#"[not (type eq "b")]"#),
            (
                r#"[primary eq true or type eq "a"]"#,
                r#"[primary eq true or type eq "b"]"#,
            ),
        ] {
            assert!(!apart(one, other), "{one} {other}");
        }
    }
}
