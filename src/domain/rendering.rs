//! A masked resource in another form than SCIM's: as hiring tools exchange it, or by the names of HR-Open. Made of the
//! masked resource alone, so that every form shows its reader the same and no more.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::contract;
use super::hropen;
use super::masked::{Masked, Resource};
use crate::scim::resource_type::ResourceType;

/// The forms that a resource can be asked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One of the six objects of [`super::contract`].
    Contract,
    /// A candidate or worker by the names of HR-Open 4.5.
    HrOpen,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Contract, Self::HrOpen];

    /// Its name in a query (`format=hropen`).
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::HrOpen => "hropen",
        }
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Contract => "application/vnd.muster.contract+json",
            Self::HrOpen => "application/vnd.hropen+json",
        }
    }

    /// A resource in this form, and the name of the published contract that it keeps, if there is one; nothing where the
    /// resource has no such form.
    #[must_use]
    pub fn render(
        self,
        ty: &ResourceType,
        resource: &Masked<Resource>,
    ) -> Option<(Option<&'static str>, Masked<Rendering>)> {
        match self {
            Self::Contract => contract::object(ty, resource).map(|(name, body)| (Some(name), body)),
            Self::HrOpen => hropen::render(resource).map(|body| (None, body)),
        }
    }
}

/// A resource in one of these forms.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendering(Map<String, Value>);

impl Rendering {
    /// Seals what has been made of a masked resource.
    pub(in crate::domain) fn sealed(object: Map<String, Value>) -> Masked<Self> {
        Masked::seal(Self(object))
    }
}

impl Serialize for Masked<Rendering> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.seen().0.serialize(serializer)
    }
}
