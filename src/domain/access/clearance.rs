//! What one client may do and see under one version of the policy, compiled once: rows as bits, filters checked, what is
//! classified by canonical path. A record then costs a few comparisons, and a client without restrictions none.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::classified::Classified;
use super::compile::{Compiler, planned};
use super::confidential::confidential;
use super::untold::Untold;
use crate::domain::catalog::Catalog;
use crate::domain::context::{self, Right};
use crate::domain::policy::{self, Policy, Treatment};
use crate::domain::record::is_own_name;
use crate::domain::secrets::Secrets;
use crate::domain::survivorship::Survivorship;
use crate::scim::filter::Condition;
use crate::scim::resource_type::ResourceType;

/// Rows of a client's roles that are on one type, as bits.
pub(super) type Rows = u64;
/// A client's rows on one type beyond these are refused when a policy is checked.
pub const MOST_ROWS: usize = 64;

/// Parts that say which element it is, and nothing else of it: a partial treatment leaves them.
pub(super) const KEPT: [&str; 3] = ["type", "primary", "verified"];

/// What one client may do and see.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clearance {
    version: u64,
    grants: String,
    types: BTreeMap<String, TypeClearance>,
    everything: Rights,
    classified: Arc<Classified>,
    survivorship: Arc<Survivorship>,
    untold: Option<Arc<Untold>>,
}

/// What a policy says of records, whoever reads or writes them.
#[derive(Clone, Debug, Default)]
pub struct Governing {
    /// The version of the policy.
    pub version: u64,
    /// What it classifies.
    pub classified: Arc<Classified>,
    /// Whose claims survive.
    pub survivorship: Arc<Survivorship>,
    /// What it marks as secret.
    pub secrets: Arc<Secrets>,
}

impl Governing {
    /// What version `version` of the policy says.
    #[must_use]
    pub fn of(policy: &Policy, version: u64, catalog: &Catalog) -> Self {
        Self {
            version,
            classified: Arc::new(Classified::of(policy, catalog)),
            survivorship: Arc::new(Survivorship::of(policy, catalog)),
            secrets: Arc::new(Secrets::of(policy, catalog)),
        }
    }
}

/// The rows that give each right, in the order of [`Right::ALL`].
pub(super) type Rights = [Rows; 4];

/// The same for one resource type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeClearance {
    pub(super) rights: Rights,
    /// The rows that hold of some resources only, and of which.
    pub(super) bounds: Vec<(Rows, Condition)>,
    /// What holds of everything that is not restricted.
    pub(super) whole: Unit,
    /// What is restricted, by canonical path; everything else is as the type.
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) masked: Option<Value>,
    pub(super) narrow: bool,
    /// Whether the names of persons are hidden, so that where others refer to them they have none.
    pub(super) nameless: bool,
    /// The type without what is confidential before the client, if anything is.
    pub(super) known: Option<Arc<ResourceType>>,
}

/// What is restricted of a value: a simple attribute, a part of a single-valued complex one, or all elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Unit {
    pub(super) rights: Rights,
    /// Sub-attributes of elements on which there are more rights than on the whole.
    pub(super) parts: BTreeMap<String, Rights>,
    /// What hides it from this client.
    pub(super) masks: Vec<Mask>,
    /// The purposes that open it to this client: reading it is logged.
    pub(super) opened: Vec<String>,
}

/// A row that hides a value from a client.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mask {
    /// Which elements, if not all.
    pub(super) part: Option<Condition>,
    /// Which sub-attribute, if not the whole.
    pub(super) sub: Option<String>,
    pub(super) treatment: Treatment,
    /// What the person must have consented to for it to be shown; without it, it is hidden always.
    pub(super) consent: Option<String>,
}

/// What a record is called where others refer to it.
const NAMES: [&str; 2] = ["displayName", "userName"];

/// Where a right stands among [`Rights`].
pub(super) fn place(right: Right) -> usize {
    match right {
        Right::Read => 0,
        Right::Search => 1,
        Right::Write => 2,
        Right::Delete => 3,
    }
}

/// Adds rights to others.
pub(super) fn join(rights: &mut Rights, more: Rights) {
    for (right, more) in rights.iter_mut().zip(more) {
        *right |= more;
    }
}

impl Clearance {
    /// That of a client of the configuration: its grants, and nothing is hidden.
    #[must_use]
    pub fn of_grants(grants: &[context::Grant]) -> Self {
        let mut clearance = Self {
            grants: format!("{grants:?}"),
            ..Self::default()
        };
        for grant in grants {
            for name in &grant.types {
                let rights = if name == "*" {
                    &mut clearance.everything
                } else {
                    &mut clearance.types.entry(name.clone()).or_default().rights
                };
                for right in &grant.rights {
                    rights[place(*right)] = 1;
                }
            }
        }
        let everything = clearance.everything;
        for known in clearance.types.values_mut() {
            join(&mut known.rights, everything);
        }
        clearance
    }

    /// That of an operator, who may everything and from whom nothing is hidden, under what a policy says of records.
    #[must_use]
    pub fn of_operator(governing: &Governing) -> Self {
        let all = context::Grant {
            types: vec!["*".into()],
            rights: Right::ALL.to_vec(),
        };
        Self {
            version: governing.version,
            classified: governing.classified.clone(),
            survivorship: governing.survivorship.clone(),
            ..Self::of_grants(&[all])
        }
    }

    /// That of a client of a policy, of which this is version `version`. What the policy says wrongly gives no right.
    #[must_use]
    pub fn of_policy(
        policy: &Policy,
        client: &policy::Client,
        catalog: &Catalog,
        governing: &Governing,
    ) -> Self {
        let hidden = confidential(policy, catalog, &client.purposes);
        let types = catalog.resource_types();
        let types = types.map(|ty| {
            let mut compiler = Compiler::new(policy, client, catalog, ty);
            compiler.hidden = hidden.get(&ty.name);
            (ty.name.clone(), compiler.compile())
        });
        let mut clearance = Self {
            version: governing.version,
            types: types.collect(),
            grants: format!("{:?}", client.purposes),
            classified: governing.classified.clone(),
            survivorship: governing.survivorship.clone(),
            ..Self::default()
        };
        // Of types that are not views of records, such as those of the log, whole rows are known.
        for (name, rights) in planned(policy, client) {
            if name == "*" {
                clearance.everything = rights;
            } else {
                clearance.types.entry(name).or_default().rights = rights;
            }
        }
        let open = |known: &TypeClearance| {
            let hidden = |unit: &Unit| unit.rights[0] != known.rights[0] || !unit.masks.is_empty();
            let mut units = NAMES.iter().filter_map(|name| known.units.get(*name));
            known.rights[0] != 0 && known.bounds.is_empty() && !units.any(hidden)
        };
        if !clearance.types.get("User").is_some_and(open) {
            clearance
                .types
                .values_mut()
                .for_each(|known| known.nameless = true);
        }
        clearance.untold = Untold::of(&clearance, catalog).map(Arc::new);
        clearance
    }

    /// The version of the policy; 0 without one.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What the policy classifies.
    #[must_use]
    pub fn classified(&self) -> &Classified {
        &self.classified
    }

    /// Whose claims survive.
    #[must_use]
    pub fn survivorship(&self) -> &Survivorship {
        &self.survivorship
    }

    /// A text that changes whenever this does.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{}\u{1f}{}", self.version, self.grants)
    }

    /// Whether there is a right on a resource type, on whichever of its resources and attributes.
    #[must_use]
    pub fn may(&self, right: Right, ty: &str) -> bool {
        let rights = self
            .types
            .get(ty)
            .map_or(self.everything, |known| known.rights);
        rights[place(right)] != 0
    }

    /// A resource type of which the client may write what is hidden from it, if there is one.
    #[must_use]
    pub fn guesses(&self) -> Option<&str> {
        let mut types = self.types.iter();
        let (name, _) = types.find(|(_, known)| known.guesses())?;
        Some(name)
    }

    /// What the client is not told of the log; nothing if it writes nothing that is hidden from it.
    #[must_use]
    pub fn untold(&self) -> Option<&Untold> {
        self.untold.as_deref()
    }

    /// What it is on one resource type.
    #[must_use]
    pub fn on(&self, ty: &str) -> &TypeClearance {
        static EVERYTHING: TypeClearance = TypeClearance::plain();
        static NOTHING: TypeClearance = TypeClearance::nothing();
        match self.types.get(ty) {
            Some(known) => known,
            // Without a row of its own a type is as a whole what `*` makes it: all that can be asked of it here is whether
            // anything is restricted, and nothing is.
            None if self.everything != [0; 4] => &EVERYTHING,
            None => &NOTHING,
        }
    }
}

impl TypeClearance {
    const fn plain() -> Self {
        Self::with([1; 4])
    }

    const fn nothing() -> Self {
        Self::with([0; 4])
    }

    const fn with(rights: Rights) -> Self {
        Self {
            rights,
            bounds: Vec::new(),
            whole: Unit {
                rights,
                parts: BTreeMap::new(),
                masks: Vec::new(),
                opened: Vec::new(),
            },
            units: BTreeMap::new(),
            masked: None,
            narrow: false,
            nameless: false,
            known: None,
        }
    }

    /// The type as the client knows it: what it names is looked up there.
    #[must_use]
    pub fn known<'a>(&'a self, ty: &'a Arc<ResourceType>) -> &'a Arc<ResourceType> {
        self.known.as_ref().unwrap_or(ty)
    }

    /// Whether every resource and attribute may be written, whatever may be seen of them.
    #[must_use]
    pub fn writes_everything(&self) -> bool {
        let write = place(Right::Write);
        let mut units = self.units.values();
        let whole = self.rights[write];
        whole != 0 && self.bounds.is_empty() && units.all(|unit| unit.rights[write] == whole)
    }

    /// Whether nothing is restricted: whoever may do something may do it with every resource and attribute, and read them.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let reads = self.rights[0] != 0 || self.rights == [0; 4];
        reads && self.bounds.is_empty() && self.units.is_empty()
    }

    /// Whether it follows from the policy and the client's purposes alone what of a resource is shown: neither from which
    /// resource it is nor from a consent; and nothing of it is logged when it is read.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let units = self.units.values().chain([&self.whole]);
        let mut masks = units.clone().flat_map(|unit| &unit.masks);
        self.bounds.is_empty()
            && masks.all(|mask| mask.consent.is_none())
            && units.clone().all(|unit| unit.opened.is_empty())
    }

    /// Whether anything is hidden by a row of masking: then `lastModified` is the stamp that ignores what is classified.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.masked.is_some()
    }

    /// Whether some attributes are not readable at all: then `lastModified` is not shown, because it would tell of them.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.narrow || !self.is_plain() && self.rights[0] == 0
    }

    /// `maskedAttributes`: what is withheld, from whatever resource (design §6).
    #[must_use]
    pub fn masked(&self) -> Option<&Value> {
        self.masked.as_ref()
    }

    /// Whether the client may not know that somebody has a value at a canonical path.
    #[must_use]
    pub fn conceals(&self, path: &str) -> bool {
        let rights = self
            .units
            .get(path)
            .map_or(&self.rights, |unit| &unit.rights);
        let masked = self
            .units
            .get(path)
            .is_some_and(|unit| !unit.masks.is_empty());
        !is_own_name(path) && !self.is_plain() && (masked || rights[0] == 0 || rights[1] == 0)
    }

    /// Whether nothing of a value is shown, whoever's it is, or only with a consent.
    #[must_use]
    pub fn omits(&self, path: &str) -> bool {
        let Some(unit) = self.units.get(path) else {
            return self.rights[0] == 0;
        };
        let mut masks = unit.masks.iter();
        let whole = |mask: &Mask| mask.part.is_none() && mask.sub.is_none();
        unit.rights[0] == 0 || masks.any(|mask| whole(mask) && mask.treatment == Treatment::Omit)
    }

    /// Whether a value is shown as it is, whoever's it is.
    #[must_use]
    pub fn shows(&self, path: &str) -> bool {
        let Some(unit) = self.units.get(path) else {
            return self.rights[0] != 0;
        };
        unit.rights[0] != 0 && unit.masks.is_empty()
    }

    /// Whether the client may write what it does not see, or not as it is: it could guess at it.
    #[must_use]
    pub fn guesses(&self) -> bool {
        let [read, write] = [Right::Read, Right::Write].map(place);
        let is_hidden =
            |unit: &Unit| unit.rights[read] != self.rights[read] || !unit.masks.is_empty();
        let mut units = self.units.values();
        self.rights[write] != 0
            && (self.rights[read] == 0
                || units.any(|unit| unit.rights[write] != 0 && is_hidden(unit)))
    }

    /// Whether whoever may read a resource may read this of it.
    #[must_use]
    pub fn reads_all(&self, path: &str) -> bool {
        self.units
            .get(path)
            .is_none_or(|unit| unit.rights[0] == self.rights[0])
    }

    /// Whether the names of persons are hidden.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.nameless
    }

    /// Whether the rights depend on which resource it is.
    #[must_use]
    pub fn is_bounded(&self) -> bool {
        !self.bounds.is_empty()
    }
}
