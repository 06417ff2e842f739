//! How a client speaks SCIM: which of the forms that real clients send are taken from it, and which are refused.
//!
//! A [`Profile`] is a column of one table, a [`Habit`] a row; [`Profile::allows`] reads a cell. Nothing else in the
//! crate asks which profile a client has.
//!
//! `rfc` takes every form that harms nobody. `strict` refuses what draft-zollner-scim-interop-profile refuses, so that
//! an integrator learns of a slip at once. `entra` and `okta` also take what contradicts the RFC.

use std::fmt;
use std::str::FromStr;

/// A way of speaking SCIM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// RFC 7643 and RFC 7644, tolerant where nobody is harmed.
    #[default]
    Rfc,
    /// Microsoft Entra ID.
    Entra,
    /// Okta.
    Okta,
    /// The interop profile: nothing is guessed.
    Strict,
}

/// A form that some clients send, or an answer that some clients need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Habit {
    /// Attributes and schemas that the resource type does not have are left out and named; else 400 `invalidSyntax`.
    UnknownNames,
    /// `"True"` for `true`, in bodies and in filters.
    BooleanStrings,
    /// One value where a list belongs, a list of one where a value belongs, a bare string for a complex value.
    LooseShapes,
    /// A `profileUrl` that is no URL, a `locale` that is none (RFC 7643 §2.3.7, §4.1.1).
    OddValues,
    /// A schema's URN from before the RFC (OneLogin), misprinted, or followed by a dot (Entra ID).
    OtherUrns,
    /// `name.givenName` and `urn:…:User:department` as names of members, in resources and in a PATCH's value.
    PathsAsNames,
    /// A PATCH operation without `path` (RFC 7644 §3.5.2 allows it for add and replace).
    NoPath,
    /// A replace whose `eq` filter selects nothing creates the element; else 400 `noTarget` (§3.5.2.3).
    CreateByReplace,
    /// A remove that selects nothing changes nothing; else 400 `noTarget`.
    RemoveOfNothing,
    /// A replace of a complex attribute leaves the sub-attributes that it does not name; else they go.
    MergeByReplace,
    /// An operation on a read-only attribute is passed over and named, even if it would change it; else 400
    /// `mutability` (§3.5.2).
    ReadOnlyPaths,
    /// An element of a complex attribute as a JSON text: that text is its `value`.
    EncodedElements,
    /// Literals of filters without quotes: `externalId eq jyoung`.
    BareLiterals,
    /// A PATCH of a group is answered by 204, unless the request names attributes (§3.5.2).
    SilentGroups,
}

impl Habit {
    /// Whether the profiles `rfc`, `entra`, `okta` and `strict` allow it.
    const fn row(self) -> [bool; 4] {
        match self {
            Self::UnknownNames
            | Self::BooleanStrings
            | Self::LooseShapes
            | Self::OddValues
            | Self::OtherUrns
            | Self::PathsAsNames
            | Self::NoPath
            | Self::CreateByReplace
            | Self::RemoveOfNothing
            | Self::MergeByReplace => [true, true, true, false],
            Self::EncodedElements | Self::BareLiterals | Self::SilentGroups => {
                [false, true, false, false]
            }
            Self::ReadOnlyPaths => [false, false, true, false],
        }
    }
}

impl Profile {
    /// All profiles, in the order of the table's columns.
    pub const ALL: [Self; 4] = [Self::Rfc, Self::Entra, Self::Okta, Self::Strict];

    /// Whether a client of this profile may do so.
    #[must_use]
    pub const fn allows(self, habit: Habit) -> bool {
        let [rfc, entra, okta, strict] = habit.row();
        match self {
            Self::Rfc => rfc,
            Self::Entra => entra,
            Self::Okta => okta,
            Self::Strict => strict,
        }
    }

    /// Its name in configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc => "rfc",
            Self::Entra => "entra",
            Self::Okta => "okta",
            Self::Strict => "strict",
        }
    }

    /// Whether `/ServiceProviderConfig` says that the interop profile is kept to (draft-zollner-scim-interop-profile).
    #[must_use]
    pub const fn conforms_to_interop(self) -> bool {
        matches!(self, Self::Strict)
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no profile; write \"rfc\", \"entra\", \"okta\" or \"strict\"")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
