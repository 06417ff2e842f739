//! A resource type as a view of a kind of record: which attribute stands at which canonical path.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::record::{Folded, Kind};
use crate::scim::comparable::comparable;
use crate::scim::resource_type::{Location, Resolved, ResourceType};
use crate::scim::schema::{self, Attribute, Storage, Uniqueness};

/// The types that references may point to here.
const SERVED: [&str; 13] = [
    "User",
    "Group",
    "Person",
    "Organization",
    "Review",
    "Requisition",
    "Application",
    "Verification",
    "Interview",
    "Assessment",
    "Offer",
    "Opportunity",
    "Employment",
];

/// What the fold and the index need to know of a canonical path.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The attribute, or the sub-attribute of a single-valued complex one.
    pub attribute: Attribute,
    is_owner: bool,
}

impl Spec {
    /// The key that tells this element from its siblings (design §3).
    #[must_use]
    pub fn element_key(&self, element: &Value) -> String {
        if self.attribute.element_key.is_empty() {
            return match comparable(&self.attribute, element) {
                Some(text) if self.attribute.kind != schema::Kind::Complex => text,
                _ => element.to_string(),
            };
        }
        let parts = self.attribute.element_key.iter().map(|name| {
            let sub = self.attribute.sub(name);
            sub.and_then(|sub| comparable(sub, element.get(name)?))
                .unwrap_or_default()
        });
        parts.collect::<Vec<_>>().join("\u{1f}")
    }

    /// Whether its value may be held by one record only.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.attribute.uniqueness != Uniqueness::None
    }
}

/// An attribute that refers to resources served here.
#[derive(Clone, Copy, Debug)]
pub struct Reference<'a> {
    /// Its name.
    pub attribute: &'a str,
    /// The canonical path of its ids; where it has several, of the whole attribute.
    pub path: &'a str,
    /// The resource types that it may refer to.
    pub types: &'a [String],
    /// Whether it has several.
    pub many: bool,
}

impl Reference<'_> {
    /// The kinds of record that it may refer to.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.types.iter().filter_map(|name| Kind::of_type(name))
    }
}

/// What the canonical paths of one kind of record mean.
pub type Specs = BTreeMap<String, Spec>;

/// A place at which a view shows a canonical path.
#[derive(Debug)]
pub struct Shown {
    /// Where.
    pub location: Location,
    /// As what.
    pub(super) attribute: Attribute,
    /// The complex attribute of which it is a part, if that is a reference whose `$ref` follows from its `value`.
    pub(super) reference: Option<Attribute>,
}

/// A resource type as a view of a kind of record.
#[derive(Debug)]
pub struct View {
    /// The type, as clients discover it.
    pub resource_type: Arc<ResourceType>,
    /// The records it shows.
    pub kind: Kind,
    /// Whether it shows only persons with an account.
    pub accounts_only: bool,
    canonical: HashMap<Location, String>,
    shown: BTreeMap<String, Vec<Shown>>,
}

impl View {
    /// The view of a resource type; what its canonical paths mean is added to `specs`. `aliases` leads from the full path of
    /// each alias to the canonical path of the leaf that owns the value.
    #[must_use]
    pub fn new(
        resource_type: ResourceType,
        kind: Kind,
        accounts_only: bool,
        aliases: &HashMap<String, String>,
        specs: &mut Specs,
    ) -> Self {
        let common: BTreeSet<_> = schema::common()
            .iter()
            .map(|attribute| attribute.name.clone())
            .collect();
        let mut canonical = HashMap::new();
        let mut shown: BTreeMap<String, Vec<Shown>> = BTreeMap::new();
        for found in resource_type.leaves() {
            if found.location.extension.is_none() && common.contains(&found.location.attribute) {
                continue;
            }
            let path = canonical_path(&resource_type, &found, aliases, &canonical);
            canonical.insert(found.location.clone(), path.clone());
            if is_unit(&found) {
                shown.entry(path.clone()).or_default().push(Shown {
                    location: found.location.clone(),
                    attribute: found.leaf().clone(),
                    reference: (found.sub.is_some() && refers(found.attribute))
                        .then(|| found.attribute.clone()),
                });
                learn(specs, path, &found);
            }
        }
        Self {
            resource_type: Arc::new(resource_type),
            kind,
            accounts_only,
            canonical,
            shown,
        }
    }

    /// Whether it shows a record at all.
    #[must_use]
    pub fn holds(&self, record: &Folded) -> bool {
        record.kind == self.kind && (!self.accounts_only || record.has_account())
    }

    /// The canonical path of a location of this view: aliases of one leaf share one (design §2).
    #[must_use]
    pub fn canonical(&self, location: &Location) -> Option<&str> {
        self.canonical.get(location).map(String::as_str)
    }

    /// Where this view shows a canonical path.
    #[must_use]
    pub fn shown(&self, path: &str) -> &[Shown] {
        self.shown.get(path).map_or(&[], Vec::as_slice)
    }

    /// The attributes that refer to resources served here.
    #[must_use]
    pub fn references(&self) -> Vec<Reference<'_>> {
        let mut found = Vec::new();
        for (path, shown) in &self.shown {
            let Some(at) = shown.first() else { continue };
            let (whole, many) = match &at.reference {
                Some(whole) => (whole, false),
                None if at.attribute.multi_valued && refers(&at.attribute) => (&at.attribute, true),
                None => continue,
            };
            let is_id = many || at.location.sub.as_deref() == Some("value");
            if let (true, Some(uri)) = (is_id, whole.sub("$ref")) {
                found.push(Reference {
                    attribute: &at.location.attribute,
                    path,
                    types: &uri.reference_types,
                    many,
                });
            }
        }
        found
    }

    /// The view's own attribute at a location.
    #[must_use]
    pub fn attribute(&self, location: &Location) -> Option<&Attribute> {
        let schema = match &location.extension {
            Some(urn) => self.resource_type.resolve_extension(urn)?,
            None => &self.resource_type.schema,
        };
        let attribute = schema
            .attributes
            .iter()
            .find(|attribute| attribute.name == location.attribute)?;
        match &location.sub {
            Some(sub) => attribute.sub(sub),
            None => Some(attribute),
        }
    }

    /// The locations at which a value is kept: simple attributes, parts of single-valued complex ones, and
    /// multi-valued attributes as a whole, each with its canonical path.
    pub fn units(&self) -> impl Iterator<Item = (&Location, &str)> {
        self.shown
            .iter()
            .flat_map(|(path, shown)| shown.iter().map(move |at| (&at.location, path.as_str())))
    }
}

fn canonical_path(
    resource_type: &ResourceType,
    found: &Resolved<'_>,
    aliases: &HashMap<String, String>,
    known: &HashMap<Location, String>,
) -> String {
    let location = &found.location;
    let urn = location
        .extension
        .as_ref()
        .unwrap_or(&resource_type.schema.id);
    let short = Location {
        extension: None,
        ..location.clone()
    };
    if let Some(owner) = aliases.get(&format!("{urn}:{short}")) {
        return owner.clone();
    }
    // A part of an attribute that is an alias as a whole.
    match (&location.sub, known.get(&location.whole())) {
        (Some(sub), Some(owner)) => format!("{owner}.{sub}"),
        _ => location.to_string(),
    }
}

/// Whether a value is kept here: not in parts of what is kept as a whole, nor where it is computed or lives in rows.
fn is_unit(found: &Resolved<'_>) -> bool {
    let leaf = found.leaf();
    let part_of_many = found.sub.is_some() && found.attribute.multi_valued;
    let grouped = leaf.kind == schema::Kind::Complex && !leaf.multi_valued;
    let kept = found.attribute.storage == Storage::Index && leaf.storage == Storage::Index;
    let computed = found.sub.is_some() && is_computed(leaf);
    kept && !part_of_many && !grouped && !computed
}

/// The owner's characteristics win over an alias's, and the widest view of an element over a narrow one.
fn learn(specs: &mut Specs, path: String, found: &Resolved<'_>) {
    let leaf = found.leaf();
    let is_owner = path == found.location.to_string();
    let wins = specs.get(&path).is_none_or(|spec| {
        let wider = spec.attribute.sub_attributes.len() < leaf.sub_attributes.len();
        is_owner && (!spec.is_owner || wider)
    });
    if wins {
        specs.insert(
            path,
            Spec {
                attribute: leaf.clone(),
                is_owner,
            },
        );
    }
}

/// Whether the attribute refers to resources that are served here.
pub(super) fn refers(attribute: &Attribute) -> bool {
    attribute.sub_attributes.iter().any(is_computed)
}

/// Whether this is the `$ref` of a reference to a type that is served here: it follows from `value`.
#[must_use]
pub fn is_computed(sub: &Attribute) -> bool {
    let served = |name: &String| SERVED.contains(&name.as_str());
    &*sub.name == "$ref" && sub.reference_types.iter().any(served)
}
