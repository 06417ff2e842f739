//! What a client is not told of the log (design §6, no oracle): one that may write what is hidden from it could find out there
//! whether its guess was right, by the type of an event, by a version, by a total.
//!
//! Such a client is told of changes of what it sees as it is, of its own reads, and of reviews if it may read them; it is told no
//! numbers that count the rest. Who writes nothing that is hidden from it is told that something happened, and not what.

use super::clearance::Clearance;
use crate::domain::audit_event::QUIET;
use crate::domain::catalog::Catalog;
use crate::domain::context::Right;
use crate::domain::record::Kind;

/// What one client is not told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untold {
    /// Whether reviews are among it.
    pub reviews: bool,
    /// The kinds of records of which something is hidden from it.
    pub kinds: Vec<UntoldOf>,
}

/// What is not told of one kind of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UntoldOf {
    /// The kind.
    pub kind: Kind,
    /// The types of events that are told only if another value has changed too.
    pub types: Vec<String>,
    /// The canonical paths of the values that the client does not see, or not as they are.
    pub paths: Vec<String>,
}

impl Untold {
    /// What a client is not told; nothing if it writes nothing that is hidden from it.
    pub(super) fn of(clearance: &Clearance, catalog: &Catalog) -> Option<Self> {
        clearance.guesses()?;
        let of_kind = |kind: Kind| {
            let views = || catalog.views().iter().filter(move |view| view.kind == kind);
            let on = |name: &str| clearance.on(name);
            if !views().any(|view| on(&view.resource_type.name).guesses()) {
                return None;
            }
            let is_shown = |path: &str| {
                views().any(|view| {
                    !view.shown(path).is_empty() && on(&view.resource_type.name).shows(path)
                })
            };
            let paths = catalog.specs(kind).keys().filter(|path| !is_shown(path));
            Some(UntoldOf {
                kind,
                types: QUIET.map(|end| kind.word().to_owned() + end).to_vec(),
                paths: paths.cloned().collect(),
            })
        };
        Some(Self {
            reviews: !clearance.may(Right::Read, "Review"),
            kinds: Kind::all().filter_map(of_kind).collect(),
        })
    }

    /// Whether the client may not hear that a value of a kind of records has changed.
    #[must_use]
    pub fn hides(&self, kind: Kind, path: &str) -> bool {
        let mut kinds = self.kinds.iter();
        kinds.any(|of| of.kind == kind && of.paths.iter().any(|untold| untold == path))
    }
}
