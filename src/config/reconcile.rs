//! Which extracts are compared with what is held, and how often.

use std::path::PathBuf;

use serde::Deserialize;

use super::file;

/// `[[reconcile]]`: a full extract that somebody puts in a place, compared while the server runs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reconcile {
    /// The source system.
    pub system: String,
    /// The mapping.
    pub map: PathBuf,
    /// The extract.
    pub file: PathBuf,
    /// How often.
    pub every: Every,
    /// The tenant.
    #[serde(default = "file::default_tenant")]
    pub tenant: String,
    /// Whether rows that drifted or are missing here are taken in; default no.
    #[serde(default)]
    pub repair: bool,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// `hourly`: at each full hour.
    Hourly,
    /// `nightly`: at 02:00 UTC.
    Nightly,
}
