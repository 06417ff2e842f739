//! The only form of a resource that a door can serialize: what its reader may see of it.

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::access::{Seen, consented};
use super::catalog::Catalog;
use super::context::{Context, Right};
use super::document::value_at;
use super::record::{Folded, Kind, Leaves, external_id_path, external_ids};
use super::view::View;
use crate::id::ResourceId;
use crate::scim::comparable::instant;
use crate::scim::document::{put, set_schemas};
use crate::scim::projection::Projection;
use crate::scim::resource_type::{Location, ResourceType};

/// A resource as one reader sees it: the type's view of the record, with `meta` and `schemas`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// The id of the record that it shows; of a membership, the group's; of an event, the person's whom it is about.
    pub id: ResourceId,
    /// Whether that is a person's.
    pub is_person: bool,
    /// The document, with canonical attribute names.
    pub document: Map<String, Value>,
    /// The entity tag of the whole view, `W/"…"` (RFC 7644 §3.14), whatever part of it is returned.
    pub version: String,
    /// Where it is found.
    pub location: String,
    /// The members that are too many to be held at once.
    pub rest: Option<Rest>,
    /// What of it is classified and open to its reader: the location, the canonical path, the purpose. Reading it is logged.
    pub disclosed: Vec<(Location, String, String)>,
}

/// Members of a group that are not in its document: a door reads them piece by piece and writes them after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rest {
    /// The group's number in the database.
    pub group: i64,
    /// What the request wants to see of each.
    pub projection: Projection,
}

/// Some members of a group, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Members(Vec<Value>);

/// Wraps what has been through the policy. Only [`crate::domain`] can make one.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    /// Seals what the policy has let through.
    pub(in crate::domain) fn seal(seen: T) -> Self {
        Self(seen)
    }

    /// What the reader may see.
    #[must_use]
    pub fn seen(&self) -> &T {
        &self.0
    }
}

impl Serialize for Masked<Resource> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.document.serialize(serializer)
    }
}

impl Serialize for Masked<Members> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.0.serialize(serializer)
    }
}

const PROVENANCE: &str = "urn:muster:scim:schemas:extension:1.0:Provenance";

/// An attribute of `Provenance`.
#[must_use]
pub fn provenance(attribute: &str) -> Location {
    Location {
        extension: Some(PROVENANCE.into()),
        attribute: attribute.into(),
        sub: None,
    }
}

/// What a record shows that does not live in its values.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// What belongs to the view, such as `groups`.
    pub rows: Vec<(Location, Value)>,
    /// What is shown where it is asked for, and not part of the entity tag.
    pub asked: Vec<(Location, Value)>,
}

impl Beside {
    fn seen(&mut self, view: &View, seen: &Seen<'_>) {
        for part in [&mut self.rows, &mut self.asked] {
            part.retain_mut(|(location, value)| {
                let path = view.canonical(location).unwrap_or_default();
                let shown = seen.value(path, value);
                let is_shown = shown.is_some();
                *value = shown.unwrap_or_default();
                is_shown
            });
        }
    }
}

/// Names an extension among a document's schemas.
fn note(document: &mut Map<String, Value>, urn: Option<&str>) {
    if let (Some(urn), Some(schemas)) = (
        urn,
        document.get_mut("schemas").and_then(Value::as_array_mut),
    ) && !schemas.iter().any(|known| known == urn)
    {
        schemas.push(urn.into());
    }
}

/// What every rendering needs beside the record.
#[derive(Debug)]
pub struct Renderer {
    catalog: Catalog,
    etag_key: Vec<u8>,
}

impl Renderer {
    /// A renderer whose entity tags nobody can compute without `etag_key`.
    #[must_use]
    pub fn new(catalog: Catalog, etag_key: Vec<u8>) -> Self {
        Self { catalog, etag_key }
    }

    /// All resource types.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The secret under which values have names for this client alone.
    #[must_use]
    pub fn key_of(&self, context: &Context) -> Vec<u8> {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.etag_key) else {
            return Vec::new();
        };
        let client = &context.client;
        mac.update(format!("pairwise\u{1f}{}\u{1f}{}", client.tenant.0, client.name).as_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    /// `context`'s client before a record with these values.
    #[must_use]
    pub fn before<'a>(
        &self,
        context: &'a Context,
        view: &View,
        leaves: &Leaves,
        key: &'a [u8],
    ) -> Seen<'a> {
        let clearance = context.client.clearance.on(&view.resource_type.name);
        let mut document = Map::new();
        if clearance.is_bounded() || clearance.heeds_consent() {
            document = self.whole(context, view, leaves);
        }
        let consented =
            |purpose: &str| consented(&view.resource_type, purpose, context.now).matches(&document);
        clearance.before(&document, consented, key)
    }

    /// A record as a view has it before anybody: what filters of the policy are asked of.
    #[must_use]
    pub fn whole(&self, context: &Context, view: &View, leaves: &Leaves) -> Map<String, Value> {
        let mut document = view.show(leaves, &self.catalog, &context.base_url);
        set_schemas(&view.resource_type, &mut document);
        document
    }

    /// Leaves of a record what the client sees; gives what of that is classified and open to it.
    fn veil(
        &self,
        context: &Context,
        view: &View,
        leaves: &mut Leaves,
        beside: &mut Beside,
    ) -> Vec<(Location, String, String)> {
        let clearance = context.client.clearance.on(&view.resource_type.name);
        let mut disclosed = Vec::new();
        if clearance.is_plain() {
            return disclosed;
        }
        let key = self.key_of(context);
        let seen = self.before(context, view, leaves, &key);
        *leaves = seen.leaves(std::mem::take(leaves));
        beside.seen(view, &seen);
        for (path, purpose) in seen.disclosed(leaves) {
            if let Some(shown) = view.shown(path).first() {
                disclosed.push((shown.location.clone(), path.to_owned(), purpose.to_owned()));
            }
        }
        let at = provenance("maskedAttributes");
        let path = view.canonical(&at).unwrap_or_default();
        if let Some(masked) = clearance.masked()
            && seen.may_on(Right::Read, path, None)
        {
            beside.rows.push((at, masked.clone()));
        }
        disclosed
    }

    /// The record as `context`'s client may see it through `view`: the one place where that is decided (design §6).
    #[must_use]
    pub fn mask(
        &self,
        context: &Context,
        view: &View,
        mut folded: Folded,
        mut beside: Beside,
    ) -> Masked<Resource> {
        let disclosed = self.veil(context, view, &mut folded.leaves, &mut beside);
        let clearance = context.client.clearance.on(&view.resource_type.name);
        let counts = folded.kind == Kind::Group && clearance.reads_all("members");
        let version = counts.then_some(folded.version);
        let base = &context.base_url;
        let id = folded.id;
        let location = format!("{base}{}/{id}", view.resource_type.endpoint);
        let mut meta = json!({
            "resourceType": view.resource_type.name,
            "created": instant(folded.created),
            "lastModified": instant(folded.modified_as(clearance.hides())),
            "location": location,
        });
        if clearance.is_narrow() {
            // It would tell of changes to what is not seen.
            meta.as_object_mut()
                .map(|meta| meta.shift_remove("lastModified"));
        }
        let mut document = Map::with_capacity(folded.leaves.len() + 4);
        document.insert("schemas".into(), Value::Null);
        document.insert("id".into(), id.to_string().into());
        let called = folded.leaves.get(&external_id_path(context.system()));
        if let Some(external_id) = called.and_then(|all| external_ids(all).first()) {
            document.insert("externalId".into(), external_id.clone());
        }
        view.place_all(&mut document, folded.leaves, &self.catalog, base);
        for (location, value) in beside.rows {
            put(&mut document, &location, value);
        }
        let core = &*view.resource_type.schema.id;
        let extensions = document.keys().map(String::as_str);
        let extensions = extensions.filter(|name| name.starts_with("urn:"));
        let schemas = iter::once(core).chain(extensions).map(Value::from);
        document["schemas"] = schemas.collect();
        document.insert("meta".into(), meta);
        // A keyed hash of the whole view tells nothing of what the view hides; for groups, whose view may hold a million
        // members, it is the counter.
        let version = match version {
            Some(version) => format!("W/\"{version}\""),
            None => self.tag(&document),
        };
        document["meta"]["version"] = version.as_str().into();
        for (location, value) in beside.asked {
            note(&mut document, location.extension.as_deref());
            put(&mut document, &location, value);
        }
        Masked::seal(Resource {
            id,
            is_person: folded.kind == Kind::Person,
            document,
            version,
            location,
            rest: None,
            disclosed,
        })
    }

    /// Some of a group's members as [`Renderer::mask`] would show them among all, narrowed to what is asked for.
    #[must_use]
    pub fn mask_members(
        view: &View,
        members: Vec<Value>,
        projection: &Projection,
    ) -> Masked<Members> {
        let mut document = Map::new();
        document.insert("members".into(), members.into());
        match projection
            .apply(&view.resource_type, document)
            .remove("members")
        {
            Some(Value::Array(members)) => Masked::seal(Members(members)),
            _ => Masked::seal(Members(Vec::new())),
        }
    }

    /// A membership as `context`'s client may see it: its group and its member, which `document` holds.
    #[must_use]
    pub fn mask_membership(
        &self,
        context: &Context,
        id: &str,
        document: Map<String, Value>,
    ) -> Masked<Resource> {
        self.mask_row(context, self.catalog.membership(), id, (document, false))
    }

    /// A resource of a type that is no view of records, as `context`'s client may see it. It is `told` where the client may see
    /// it for another reason than a right on its type: then only what has been left in the document counts.
    pub(in crate::domain) fn mask_row(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        id: &str,
        (document, told): (Map<String, Value>, bool),
    ) -> Masked<Resource> {
        let judged = document.clone();
        self.mask_judged(context, resource_type, id, (document, told, &judged))
    }

    /// The same where what bounds a role is asked of more than what is shown.
    pub(in crate::domain) fn mask_judged(
        &self,
        context: &Context,
        resource_type: &ResourceType,
        id: &str,
        (document, told, judged): (Map<String, Value>, bool, &Map<String, Value>),
    ) -> Masked<Resource> {
        let location = format!("{}{}/{id}", context.base_url, resource_type.endpoint);
        let clearance = context.client.clearance.on(&resource_type.name);
        let seen = clearance.before(judged, |_| false, &[]);
        let mut whole = Map::new();
        whole.insert("schemas".into(), json!([&*resource_type.schema.id]));
        whole.insert("id".into(), id.into());
        let shown = document
            .into_iter()
            .filter(|(name, value)| told || !seen.hides(name, value));
        whole.extend(shown);
        whole.insert(
            "meta".into(),
            json!({ "resourceType": resource_type.name, "location": location }),
        );
        let version = self.tag(&whole);
        whole["meta"]["version"] = version.as_str().into();
        let row = id.split('.').next().unwrap_or_default();
        Masked::seal(Resource {
            id: row.parse().unwrap_or(ResourceId(uuid::Uuid::nil())),
            is_person: false,
            document: whole,
            version,
            location,
            rest: None,
            disclosed: Vec::new(),
        })
    }

    fn tag(&self, document: &Map<String, Value>) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.etag_key) else {
            return String::new();
        };
        mac.update(&serde_json::to_vec(document).unwrap_or_default());
        format!(
            "W/\"{}\"",
            URL_SAFE_NO_PAD.encode(&mac.finalize().into_bytes()[..15])
        )
    }
}

impl Masked<Resource> {
    /// The same, narrowed to what the request asks for (RFC 7644 §3.9): never to more.
    #[must_use]
    pub fn narrowed(
        mut self,
        narrow: impl FnOnce(Map<String, Value>) -> Map<String, Value>,
    ) -> Self {
        self.0.document = narrow(std::mem::take(&mut self.0.document));
        let Resource {
            document,
            disclosed,
            ..
        } = &mut self.0;
        disclosed.retain(|(location, ..)| value_at(document, location).is_some());
        self
    }

    /// Notes when it was made, whom it is of, and what of it is classified.
    pub(in crate::domain) fn note(
        &mut self,
        created: Value,
        person: Option<ResourceId>,
        disclosed: Vec<(Location, String, String)>,
    ) {
        self.0.id = person.unwrap_or(self.0.id);
        self.0.is_person = person.is_some();
        if let Some(meta) = self
            .0
            .document
            .get_mut("meta")
            .and_then(Value::as_object_mut)
        {
            meta.insert("created".into(), created.clone());
            meta.insert("lastModified".into(), created);
        }
        self.0.disclosed = disclosed;
    }

    /// The same, whose members are still to be read.
    #[must_use]
    pub fn followed_by(mut self, rest: Option<Rest>) -> Self {
        self.0.rest = rest;
        self
    }
}
