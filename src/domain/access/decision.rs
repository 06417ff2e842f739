//! Rights and sight: for a client and a resource type, attribute by attribute, by which row.

use super::treatment;
use crate::domain::catalog::Catalog;
use crate::domain::context::Right;
use crate::domain::policy::selector::{self, Selector, Target};
use crate::domain::policy::{Client, Grant, Masking, Policy, Position, Treatment};
use crate::scim::resource_type::{Resolved, ResourceType};
use crate::scim::schema::{Mutability, Returned};

/// A row of the policy, and how it is called: `role hris`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub name: String,
}

/// A right, the row that gives it, and the filter that bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The right.
    pub right: Right,
    /// The row.
    pub row: Row,
    /// The only resources, if not all.
    pub filter: Option<String>,
}

/// What a client sees of an attribute that it may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// No role gives `read`.
    Unreadable,
    /// The schema says that nobody ever sees it.
    NeverReturned,
    /// It is not classified.
    Open,
    /// It is classified, but opens to a purpose.
    Shown {
        /// The purpose that the client has.
        purpose: String,
        /// The purpose to which the person must have consented besides; until then the treatment holds.
        consent: Option<(String, Treatment)>,
        /// The row of masking.
        row: Row,
    },
    /// It is hidden.
    Hidden {
        /// What is left of it.
        treatment: Treatment,
        /// The row of masking.
        row: Row,
    },
}

/// What a client may do with an attribute, and see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The attribute's path, with a value filter if it is about some elements only.
    pub path: String,
    /// The rights, each as often as a row gives it.
    pub rights: Vec<Held>,
    /// What is seen.
    pub sight: Sight,
}

/// A policy as it is for one client.
#[derive(Debug)]
pub struct Access<'p> {
    policy: &'p Policy,
    catalog: &'p Catalog,
    /// The client.
    pub client: &'p Client,
}

impl<'p> Access<'p> {
    /// The policy for the client of a name; nothing if there is none.
    #[must_use]
    pub fn of(policy: &'p Policy, catalog: &'p Catalog, name: &str) -> Option<Self> {
        let client = policy
            .clients
            .iter()
            .find(|client| client.name.value == name)?;
        Some(Self {
            policy,
            catalog,
            client,
        })
    }

    /// The rows of the client's roles that are on a resource type.
    fn grants(&self, ty: &str) -> impl Iterator<Item = (&'p str, &'p Grant)> {
        let roles = self.client.roles.iter();
        let roles = roles.filter_map(|role| self.policy.roles.get_key_value(&role.value));
        roles
            .flat_map(|(name, grants)| grants.value.iter().map(move |grant| (name.as_str(), grant)))
            .filter(move |(_, grant)| {
                grant
                    .types
                    .iter()
                    .any(|name| name.value == ty || name.value == "*")
            })
    }

    /// The rights on a resource type, on whichever of its attributes.
    #[must_use]
    pub fn rights(&self, ty: &str) -> Vec<Held> {
        self.grants(ty)
            .flat_map(|(role, grant)| held(role, grant))
            .collect()
    }

    /// What the client may do with each attribute of a type: in the schema's order, after each attribute those parts of it
    /// that a row of the policy names.
    #[must_use]
    pub fn decisions(&self, ty: &ResourceType) -> Vec<Decision> {
        ty.attributes()
            .flat_map(|whole| {
                let named = self.named(ty, &whole);
                let whole = (whole.clone(), whole.location.to_string(), None);
                std::iter::once(whole).chain(named)
            })
            .map(|(found, path, part)| self.decide(ty, &found, path, part.as_deref()))
            .collect()
    }

    /// What it may do with those parts of an attribute that a row of the policy names.
    #[must_use]
    pub fn parts(&self, ty: &ResourceType, whole: &Resolved<'_>) -> Vec<Decision> {
        let named = self.named(ty, whole).into_iter();
        named
            .map(|(found, path, part)| self.decide(ty, &found, path, part.as_deref()))
            .collect()
    }

    /// The parts of an attribute that masking or the client's roles name.
    fn named<'t>(
        &self,
        ty: &'t ResourceType,
        whole: &Resolved<'t>,
    ) -> Vec<(Resolved<'t>, String, Option<String>)> {
        let mut found: Vec<(Resolved<'t>, String, Option<String>)> = Vec::new();
        for known in self.selectors(&ty.name) {
            let places = std::iter::once(whole.clone()).chain(whole.subs());
            for place in places {
                let here = selector::target(self.catalog, ty, &place.location);
                let meant =
                    known.targets.contains(&here) && (known.part.is_some() || place.sub.is_some());
                let path = shown(&place, known.part.as_deref());
                if meant && !found.iter().any(|(_, other, _)| *other == path) {
                    found.push((place, path, known.part.clone()));
                }
            }
        }
        found
    }

    fn selectors(&self, ty: &str) -> Vec<Selector> {
        let masked = self.policy.masking.iter().flat_map(|row| &row.attributes);
        let masked = masked.map(|name| selector::classified(self.catalog, &name.value));
        let granted = self
            .grants(ty)
            .flat_map(|(_, grant)| grant.attributes.iter().flatten());
        let granted = granted.map(|name| selector::resolve(self.catalog, &name.value));
        masked.chain(granted).filter_map(Result::ok).collect()
    }

    /// What the client may do with an attribute, or with those of its elements that pass the value filter `part`.
    #[must_use]
    pub fn decision(
        &self,
        ty: &ResourceType,
        found: &Resolved<'_>,
        part: Option<&str>,
    ) -> Decision {
        self.decide(ty, found, shown(found, part), part)
    }

    fn decide(
        &self,
        ty: &ResourceType,
        found: &Resolved<'_>,
        path: String,
        part: Option<&str>,
    ) -> Decision {
        let target = selector::target(self.catalog, ty, &found.location);
        let rights: Vec<Held> = self
            .grants(&ty.name)
            .filter(|(_, grant)| self.covers(grant, &target))
            .flat_map(|(role, grant)| held(role, grant))
            .filter(|held| possible(held.right, found))
            .collect();
        let reads = rights.iter().any(|held| held.right == Right::Read);
        let sight = if found.leaf().returned == Returned::Never
            || found.attribute.returned == Returned::Never
        {
            Sight::NeverReturned
        } else if reads {
            self.sight(&target, part)
        } else {
            Sight::Unreadable
        };
        Decision {
            path,
            rights,
            sight,
        }
    }

    /// Whether a row is on an attribute; a part of it does not make the whole.
    fn covers(&self, grant: &Grant, target: &Target) -> bool {
        let Some(names) = &grant.attributes else {
            return true;
        };
        let mut known = names
            .iter()
            .filter_map(|name| selector::resolve(self.catalog, &name.value).ok());
        known.any(|known| known.holds(target))
    }

    /// What is seen: every row that matches must be open to the client, and the least of what they leave counts.
    fn sight(&self, target: &Target, part: Option<&str>) -> Sight {
        let rows = self
            .policy
            .masking
            .iter()
            .filter(|row| self.classifies(row, target, part));
        let seen = rows.map(|row| self.seen(row));
        seen.reduce(|one, other| {
            if severity(&other) > severity(&one) {
                other
            } else {
                one
            }
        })
        .unwrap_or(Sight::Open)
    }

    /// A row on some elements is on those that are asked for, unless it is plain that no element is both.
    fn classifies(&self, row: &Masking, target: &Target, part: Option<&str>) -> bool {
        row.attributes.iter().any(|name| {
            let Ok(known) = selector::classified(self.catalog, &name.value) else {
                return false;
            };
            let this = known.targets.iter().any(|known| known.holds(target));
            let these = match (known.part.as_deref(), part) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(known), Some(part)) => !selector::apart(known, part),
            };
            this && these
        })
    }

    fn seen(&self, masking: &Masking) -> Sight {
        let row = Row {
            at: masking.at,
            name: "masking".to_owned(),
        };
        let treatment = masking.otherwise;
        let mut purposes = self.client.purposes.iter();
        match purposes.find(|mine| masking.open_to.iter().any(|open| open.value == mine.value)) {
            Some(purpose) => Sight::Shown {
                purpose: purpose.value.clone(),
                consent: masking
                    .needs_consent
                    .clone()
                    .map(|needed| (needed, treatment)),
                row,
            },
            None => Sight::Hidden { treatment, row },
        }
    }
}

fn held<'p>(role: &'p str, grant: &'p Grant) -> impl Iterator<Item = Held> + 'p {
    grant.rights.iter().map(move |right| Held {
        right: right.value,
        row: Row {
            at: grant.at,
            name: format!("role {role}"),
        },
        filter: grant.filter.as_ref().map(|filter| filter.value.clone()),
    })
}

/// Whether the schema lets anybody use a right on the attribute; an attribute is not deleted but written.
fn possible(right: Right, found: &Resolved<'_>) -> bool {
    let written =
        |attribute: &crate::scim::schema::Attribute| attribute.mutability != Mutability::ReadOnly;
    match right {
        Right::Read => true,
        // What is secret is found by whole values alone.
        Right::Search => {
            found.attribute.secret
                || found.attribute.is_searchable() && found.leaf().is_searchable()
        }
        Right::Write => written(found.attribute) && written(found.leaf()),
        Right::Delete => false,
    }
}

/// `emails[type eq "home"].value`.
fn shown(found: &Resolved<'_>, part: Option<&str>) -> String {
    match part {
        Some(part) => format!("{}{part}", found.location.whole()),
        None => found.location.to_string(),
    }
}

/// How much is hidden.
fn severity(sight: &Sight) -> u8 {
    match sight {
        Sight::Unreadable | Sight::NeverReturned => 9,
        Sight::Open => 0,
        Sight::Shown { consent: None, .. } => 1,
        Sight::Shown { .. } => 2,
        Sight::Hidden { treatment, .. } => treatment::severity(*treatment),
    }
}
