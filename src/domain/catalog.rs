//! All resource types, and how each is a view of a kind of record. Everything here is read from the schema files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::record::Kind;
use crate::scim::comparable::comparable;
use crate::scim::resource_type::{Extension, Location, ResourceType};
use crate::scim::schema::{self, Attribute, Schema, Storage, Uniqueness};

const FILES: [&str; 10] = [
    include_str!("../scim/schemas/user.json"),
    include_str!("../scim/schemas/group.json"),
    include_str!("../scim/schemas/enterprise_user.json"),
    include_str!("schemas/person.json"),
    include_str!("schemas/candidate.json"),
    include_str!("schemas/employee.json"),
    include_str!("schemas/customer.json"),
    include_str!("schemas/consent.json"),
    include_str!("schemas/identity.json"),
    include_str!("schemas/provenance.json"),
];

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PERSON: &str = "urn:muster:scim:schemas:core:1.0:Person";
/// The roles that a person may hold, several at once, and where they come from.
const ROLES: [&str; 5] = [
    "urn:muster:scim:schemas:extension:1.0:Candidate",
    "urn:muster:scim:schemas:extension:1.0:Employee",
    "urn:muster:scim:schemas:extension:1.0:Customer",
    "urn:muster:scim:schemas:extension:1.0:Consent",
    "urn:muster:scim:schemas:extension:1.0:Provenance",
];
const SERVED: [&str; 3] = ["User", "Group", "Person"];
const IDENTITY: &str = "urn:muster:scim:schemas:extension:1.0:Identity";

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

/// What the canonical paths of one kind of record mean.
pub type Specs = BTreeMap<String, Spec>;

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
    shown: BTreeMap<String, Vec<Location>>,
}

impl View {
    /// The canonical path of a location of this view: aliases of one leaf share one (design §2).
    #[must_use]
    pub fn canonical(&self, location: &Location) -> Option<&str> {
        self.canonical.get(location).map(String::as_str)
    }

    /// Where this view shows a canonical path.
    #[must_use]
    pub fn shown(&self, path: &str) -> &[Location] {
        self.shown.get(path).map_or(&[], Vec::as_slice)
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
            .flat_map(|(path, locations)| locations.iter().map(move |at| (at, path.as_str())))
    }
}

/// All views, and what the canonical paths mean.
#[derive(Debug)]
pub struct Catalog {
    views: Vec<Arc<View>>,
    specs: BTreeMap<Kind, Specs>,
}

impl Catalog {
    /// Reads the schema files that are built in.
    pub fn load() -> Result<Self, String> {
        let mut schemas = HashMap::new();
        for file in FILES {
            let schema: Schema =
                serde_json::from_str(file).map_err(|error| format!("a schema file: {error}"))?;
            schemas.insert(schema.id.to_string(), Arc::new(schema));
        }
        let aliases = aliases(schemas.values());
        let mut roles = vec![ENTERPRISE];
        roles.extend(ROLES);
        roles.push(IDENTITY);
        let plans = [
            (
                "User",
                "/Users",
                "A person's account",
                USER,
                roles.as_slice(),
                Kind::Person,
                true,
            ),
            (
                "Group",
                "/Groups",
                "A group of people and groups",
                GROUP,
                &[],
                Kind::Group,
                false,
            ),
            (
                "Person",
                "/Persons",
                "One human being in every role",
                PERSON,
                &ROLES,
                Kind::Person,
                false,
            ),
        ];
        let mut catalog = Self {
            views: Vec::new(),
            specs: BTreeMap::new(),
        };
        for (name, endpoint, description, core, extensions, kind, accounts_only) in plans {
            let schema = |urn: &str| {
                schemas
                    .get(urn)
                    .cloned()
                    .ok_or_else(|| format!("there is no schema {urn}"))
            };
            let extensions = extensions
                .iter()
                .map(|urn| {
                    Ok(Extension {
                        schema: schema(urn)?,
                        required: false,
                    })
                })
                .collect::<Result<_, String>>()?;
            let resource_type = ResourceType {
                id: name.into(),
                name: name.into(),
                endpoint: endpoint.into(),
                description: description.into(),
                schema: schema(core)?,
                extensions,
            };
            let specs = catalog.specs.entry(kind).or_default();
            catalog.views.push(Arc::new(view(
                resource_type,
                kind,
                accounts_only,
                &aliases,
                specs,
            )));
        }
        Ok(catalog)
    }

    /// The view served at an endpoint (`/Users`), whatever its case.
    #[must_use]
    pub fn at(&self, endpoint: &str) -> Option<&Arc<View>> {
        self.views
            .iter()
            .find(|view| view.resource_type.endpoint == endpoint)
    }

    /// All views, in order of discovery.
    #[must_use]
    pub fn views(&self) -> &[Arc<View>] {
        &self.views
    }

    /// What the canonical paths of a kind mean.
    #[must_use]
    pub fn specs(&self, kind: Kind) -> &Specs {
        static NONE: Specs = Specs::new();
        self.specs.get(&kind).unwrap_or(&NONE)
    }

    /// The endpoint of a resource type (`User` is at `/Users`), for references.
    #[must_use]
    pub fn endpoint(&self, resource_type: &str) -> Option<&str> {
        let view = self
            .views
            .iter()
            .find(|view| view.resource_type.name == resource_type)?;
        Some(&view.resource_type.endpoint)
    }
}

/// From the full path of each alias to the canonical path of the leaf that owns the value.
fn aliases<'a>(schemas: impl Iterator<Item = &'a Arc<Schema>>) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for schema in schemas {
        let owner = |path: &str| {
            if is_core(&schema.id) {
                path.to_owned()
            } else {
                format!("{}:{path}", schema.id)
            }
        };
        for attribute in &schema.attributes {
            for alias in &attribute.aliases {
                found.insert(alias.clone(), owner(&attribute.name));
            }
            for sub in &attribute.sub_attributes {
                for alias in &sub.aliases {
                    found.insert(
                        alias.clone(),
                        owner(&format!("{}.{}", attribute.name, sub.name)),
                    );
                }
            }
        }
    }
    found
}

/// Whether this is the `$ref` of a reference to a type that is served here: it follows from `value`.
#[must_use]
pub fn is_computed(sub: &Attribute) -> bool {
    let served = |name: &String| SERVED.contains(&name.as_str());
    &*sub.name == "$ref" && sub.reference_types.iter().any(served)
}

fn is_core(urn: &str) -> bool {
    [USER, GROUP, PERSON].contains(&urn)
}

fn view(
    resource_type: ResourceType,
    kind: Kind,
    accounts_only: bool,
    aliases: &HashMap<String, String>,
    specs: &mut Specs,
) -> View {
    let mut canonical = HashMap::new();
    let mut shown: BTreeMap<String, Vec<Location>> = BTreeMap::new();
    let common: BTreeSet<_> = schema::common()
        .iter()
        .map(|attribute| attribute.name.clone())
        .collect();
    for found in resource_type.leaves() {
        if found.location.extension.is_none() && common.contains(&found.location.attribute) {
            continue;
        }
        let full = format!(
            "{}:{}",
            found
                .location
                .extension
                .as_ref()
                .unwrap_or(&resource_type.schema.id),
            {
                let mut short = found.location.clone();
                short.extension = None;
                short
            }
        );
        let path = match (aliases.get(&full), &found.location.sub) {
            (Some(owner), _) => owner.clone(),
            // A part of an attribute that is an alias as a whole.
            (None, Some(sub)) => match canonical.get(&found.location.whole()) {
                Some(owner) => format!("{owner}.{sub}"),
                None => found.location.to_string(),
            },
            (None, None) => found.location.to_string(),
        };
        canonical.insert(found.location.clone(), path.clone());
        let part_of_many = found.sub.is_some() && found.attribute.multi_valued;
        let leaf = found.leaf();
        let grouped = leaf.kind == schema::Kind::Complex && !leaf.multi_valued;
        let reference = found.sub.is_some() && is_computed(leaf);
        if part_of_many
            || grouped
            || reference
            || found.attribute.storage != Storage::Index
            || leaf.storage != Storage::Index
        {
            continue;
        }
        shown
            .entry(path.clone())
            .or_default()
            .push(found.location.clone());
        let is_owner = path == found.location.to_string();
        // The owner's characteristics win over an alias's, and the widest view of an element over a narrow one.
        let wins = specs.get(&path).is_none_or(|spec| {
            is_owner
                && (!spec.is_owner
                    || spec.attribute.sub_attributes.len() < leaf.sub_attributes.len())
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
    View {
        resource_type: Arc::new(resource_type),
        kind,
        accounts_only,
        canonical,
        shown,
    }
}
