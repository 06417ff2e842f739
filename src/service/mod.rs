//! What can be done: one public function is one use case is one transaction.

pub mod error;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::domain::context::Context;
use crate::domain::masked::{Masked, Resource};
use crate::id::{IdSource, TenantId};
pub use error::Error;

/// A written resource, and the names in the body that were not kept.
#[derive(Debug)]
pub struct Written {
    /// The resource after the write.
    pub resource: Masked<Resource>,
    /// Names that the body gave and the schema does not know.
    pub ignored: Vec<String>,
}

/// One page of a list (RFC 7644 §3.4.2).
#[derive(Debug)]
pub struct Page {
    /// How many match in all.
    pub total: u64,
    /// The 1-based index of the first.
    pub start_index: u64,
    /// The page.
    pub resources: Vec<Masked<Resource>>,
}

/// A source system, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// Its name.
    pub name: String,
    /// Whether its e-mail addresses count as verified.
    pub verifies_email: bool,
}

/// How the service is opened.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `sqlite:PATH` or `postgres://…`.
    pub database_url: String,
    /// How many connections to keep for reading (SQLite) or in all (PostgreSQL).
    pub connections: u32,
    /// The systems that write.
    pub systems: Vec<System>,
    /// The most resources on a page.
    pub max_page: u64,
}

/// The service: cheap to clone, shared by all doors.
#[derive(Clone)]
pub struct Muster {
    _clock: Arc<dyn Clock>,
    _ids: Arc<dyn IdSource>,
}

impl Muster {
    /// Opens the database and applies its migrations.
    pub fn open(_settings: &Settings, _clock: Arc<dyn Clock>, _ids: Arc<dyn IdSource>) -> Result<Self, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// The number of the tenant of that name, made if it is new.
    pub fn tenant(&self, _name: &str) -> Result<TenantId, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// Whether the database answers.
    pub async fn ready(&self) -> Result<(), Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// The resource type served at `endpoint` (`/Users`).
    pub fn resource_type(&self, _endpoint: &str) -> Option<Arc<crate::scim::resource_type::ResourceType>> {
        None
    }

    /// All resource types, in order of discovery.
    pub fn resource_types(&self) -> Vec<Arc<crate::scim::resource_type::ResourceType>> {
        Vec::new()
    }

    /// POST (RFC 7644 §3.3).
    pub async fn create(&self, _context: &Context, _endpoint: &str, _body: Map<String, Value>, _projection: &crate::scim::projection::Projection) -> Result<Written, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// PUT (§3.5.1). `if_match`: the header's text.
    pub async fn replace(&self, _context: &Context, _endpoint: &str, _id: &str, _if_match: Option<&str>, _body: Map<String, Value>, _projection: &crate::scim::projection::Projection) -> Result<Written, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// PATCH (§3.5.2).
    pub async fn patch(&self, _context: &Context, _endpoint: &str, _id: &str, _if_match: Option<&str>, _body: Map<String, Value>, _projection: &crate::scim::projection::Projection) -> Result<Written, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// DELETE (§3.6).
    pub async fn delete(&self, _context: &Context, _endpoint: &str, _id: &str, _if_match: Option<&str>) -> Result<(), Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// GET one (§3.4.1).
    pub async fn get(&self, _context: &Context, _endpoint: &str, _id: &str, _projection: &crate::scim::projection::Projection) -> Result<Masked<Resource>, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// GET many (§3.4.2).
    pub async fn list(&self, _context: &Context, _endpoint: &str, _request: crate::scim::list::ListRequest) -> Result<Page, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// The log after position `after`, oldest first, at most `limit` events, each as one JSON object.
    pub fn events(&self, _after: i64, _limit: i64) -> Result<Vec<(i64, Value)>, Error> {
        Err(Error::Internal("not yet".into()))
    }

    /// Waits for what is being written, and closes the database.
    pub fn close(&self) {}
}
