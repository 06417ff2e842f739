//! A record as it is kept: the fold of what each source system says, and those sources.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::claim::SourceRecord;
use super::secrets::Secrets;
use crate::id::{ResourceId, TenantId};

/// The kinds of record. Several resource types may be views of one kind (`/Users` and `/Persons`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One human being, in whatever roles.
    Person,
    /// A group of people and groups.
    Group,
    /// A company, a school.
    Organization,
    /// A question for a human.
    Review,
    /// A position to be filled.
    Requisition,
    /// One person's way through one requisition.
    Application,
    /// A decision on who an applicant is.
    Verification,
    /// A conversation with an applicant.
    Interview,
    /// The result of a test.
    Assessment,
    /// What is offered to an applicant.
    Offer,
    /// A deal with a customer.
    Opportunity,
    /// A contract of work.
    Employment,
}

impl Kind {
    /// Each with how it is stored, the word that events use, and the resource type that shows all of its kind.
    const TABLE: [(Self, i16, &'static str, &'static str); 12] = [
        (Self::Person, 1, "person", "Person"),
        (Self::Group, 2, "group", "Group"),
        (Self::Organization, 3, "organization", "Organization"),
        (Self::Review, 4, "review", "Review"),
        (Self::Requisition, 5, "requisition", "Requisition"),
        (Self::Application, 6, "application", "Application"),
        (Self::Verification, 7, "verification", "Verification"),
        (Self::Interview, 8, "interview", "Interview"),
        (Self::Assessment, 9, "assessment", "Assessment"),
        (Self::Offer, 10, "offer", "Offer"),
        (Self::Opportunity, 11, "opportunity", "Opportunity"),
        (Self::Employment, 12, "employment", "Employment"),
    ];

    fn row(self) -> (Self, i16, &'static str, &'static str) {
        let found = Self::TABLE.iter().find(|(kind, ..)| *kind == self);
        *found.unwrap_or(&Self::TABLE[0])
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::TABLE.iter().map(|(kind, ..)| *kind)
    }

    /// The kinds whose records are what systems claim of somebody or something: all but groups and reviews.
    pub fn claimed() -> impl Iterator<Item = Self> {
        Self::all().filter(|kind| !matches!(kind, Self::Group | Self::Review))
    }

    /// How it is stored.
    #[must_use]
    pub fn number(self) -> i16 {
        self.row().1
    }

    /// The stored number's kind.
    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        let found = Self::TABLE.iter().find(|(_, known, ..)| *known == number)?;
        Some(found.0)
    }

    /// The word that events use.
    #[must_use]
    pub fn word(self) -> &'static str {
        self.row().2
    }

    /// The resource type that shows all records of the kind.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        self.row().3
    }

    /// The kind of the records that a resource type shows.
    #[must_use]
    pub fn of_type(name: &str) -> Option<Self> {
        let name = if name == "User" { "Person" } else { name };
        let found = Self::TABLE.iter().find(|(_, _, _, known)| *known == name)?;
        Some(found.0)
    }

    /// The kind of the records of which an event tells: `person.updated` of persons.
    #[must_use]
    pub fn of_event(kind: &str) -> Option<Self> {
        let word = kind.split('.').next().unwrap_or_default();
        let found = Self::TABLE.iter().find(|(_, _, known, _)| *known == word)?;
        Some(found.0)
    }

    /// Whether it belongs to the hiring record (model.md).
    #[must_use]
    pub fn is_hiring(self) -> bool {
        self.number() >= Self::Requisition.number()
    }

    /// Whether it is created and read, and never changed (B-029).
    #[must_use]
    pub fn is_append_only(self) -> bool {
        matches!(self, Self::Verification | Self::Assessment)
    }
}

/// The folded values by canonical path. A single-valued leaf holds its value; a multi-valued attribute the array
/// of its elements. `externalId@SYSTEM` holds each system's own `externalId`; an array of them, the person's own first, where a
/// merge has brought several of its records together.
pub type Leaves = BTreeMap<String, Value>;

/// The canonical path under which a system's `externalId` stands.
#[must_use]
pub fn external_id_path(system: &str) -> String {
    format!("externalId@{system}")
}

/// Whether whoever writes a value at this path may know that another record has it: there is no account that is not known by
/// its name, and a system's own name for a record is its own.
#[must_use]
pub fn is_own_name(path: &str) -> bool {
    path.starts_with("externalId@") || path == "userName"
}

/// All that a system calls a record: what stands at its [`external_id_path`].
#[must_use]
pub fn external_ids(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A record without its sources: enough to read.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// The database's own number for it.
    pub row: i64,
    /// Its tenant.
    pub tenant: TenantId,
    /// Its id.
    pub id: ResourceId,
    /// Its kind.
    pub kind: Kind,
    /// Counts its changes, from 1.
    pub version: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When its folded values or its members last changed.
    pub modified: DateTime<Utc>,
    /// When what is not classified of them last changed: what those see from whom something is hidden (design §6).
    pub modified_open: DateTime<Utc>,
    /// The folded values.
    pub leaves: Leaves,
    /// Which of them are sealed where they stand.
    pub sealed: Secrets,
    /// How many members it has, if it is a group.
    pub members: i64,
}

impl Folded {
    /// When it last changed, to those from whom nothing is hidden or to those from whom something is.
    #[must_use]
    pub fn modified_as(&self, hides: bool) -> DateTime<Utc> {
        if hides {
            self.modified_open
        } else {
            self.modified
        }
    }

    /// Whether this person has an account, and so is a User (design §2).
    #[must_use]
    pub fn has_account(&self) -> bool {
        has_account(&self.leaves)
    }
}

/// Whether folded values hold an account.
#[must_use]
pub fn has_account(leaves: &Leaves) -> bool {
    leaves.contains_key("userName")
}

/// What a record is called where others refer to it: `displayName`, or else `userName`.
#[must_use]
pub fn display(leaves: &Leaves) -> Option<&str> {
    let names = ["displayName", "userName"].into_iter();
    names
        .filter_map(|name| leaves.get(name))
        .find_map(Value::as_str)
}

/// A record with its sources: what a write starts from.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The fold.
    pub folded: Folded,
    /// What it is folded from.
    pub sources: Vec<SourceRecord>,
}
