//! A record as it is kept: the fold of what each source system says, and those sources.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::claim::SourceRecord;
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
}

impl Kind {
    /// How it is stored.
    #[must_use]
    pub fn number(self) -> i16 {
        match self {
            Self::Person => 1,
            Self::Group => 2,
            Self::Organization => 3,
            Self::Review => 4,
        }
    }

    /// The stored number's kind.
    #[must_use]
    pub fn from_number(number: i16) -> Option<Self> {
        [Self::Person, Self::Group, Self::Organization, Self::Review]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    /// The word that events use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Group => "group",
            Self::Organization => "organization",
            Self::Review => "review",
        }
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
