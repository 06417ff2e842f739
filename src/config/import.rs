//! Which extracts are taken in when a client asks for it.

use std::path::PathBuf;

use serde::Deserialize;

use super::file;

/// `[[import]]`: an extract that somebody puts in a place, taken in as a background job (`POST /admin/imports`).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// By what it is asked for.
    pub name: String,
    /// The source system.
    pub system: String,
    /// The mapping.
    pub map: PathBuf,
    /// The extract.
    pub file: PathBuf,
    /// The tenant.
    #[serde(default = "file::default_tenant")]
    pub tenant: String,
}
