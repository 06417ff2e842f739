//! What can be done: one public function is one use case is one transaction.
//!
//! | file | what one can do |
//! |---|---|
//! | `create` `replace` `patch` `delete` | change a resource (RFC 7644 §3.3, §3.5, §3.6) |
//! | `get` `list` `search` | read (§3.4) |
//! | `bulk` | many changes in one request, which may refer to each other (§3.7) |
//! | `me` | whose account a token is of (§3.11) |
//! | `paging` `anchors` | pages by index and by cursor (§3.4.2.4, RFC 9865) |
//! | `members` | bring members into and out of a group |
//! | `membership` | one member of one group as a resource of its own |
//! | `roster` | a group's members and a person's groups, as answers show them, many of them as a stream |
//! | `change` | the write path that all of them share |
//! | `identify` `resolve` | who a newcomer is, by keys and by evidence |
//! | `review` | questions for a human, opened and decided |
//! | `brake` `restore` | a run of leavers stopped, and what went through brought back |
//! | `apart` | two of whom a human has said that they are two |
//! | `merge` | two persons who are one, and one who was two |
//! | `elevate` | a suggestion stands after all |
//! | `provenance` `lineage` | whence a record and each of its values come |
//! | `sight` | what the caller may do with the record at hand, and what it means that writes what it was shown |
//! | `session` | people sign in and out |
//! | `log` | heads and proofs of the sealed log, and the thread that signs its heads |
//! | `shown` | whether who saw whom is entered as the log tells it |
//! | `verify` | the whole log verified, and handed out |
//! | `policy` | the policies in force: applied, watched for, looked back at |
//! | `model` | models of matching, trained and put in force |
//! | `advice` | which rules the decisions of humans recommend |
//! | `refold` | the same claims under another policy: simulated, and folded anew in the background |
//! | `explain` | what a client would see of a record |
//! | `audit_events` | the log as a list |
//! | `audit` | what is logged of requests that change nothing |
//! | `break_glass` | a purpose for a while |
//! | `token` | tokens of our own issuer: issued, revoked, warned of |
//! | `target` | what a PATCH of members must find, for clients held to the letter |
//! | `erase` `export` | destroy all that is kept of a person, or give it to them (GDPR Art. 15, 17, 20) |
//! | `hiring/` | what follows from the hiring record |
//! | `kpi` | figures of how the house is run |
//! | `deliveries` | which client has got an event, and when |
//! | `integrations` | how far each connected system is behind |
//! | `refused` | writes that were refused for what they said, until a human has seen to them |
//! | `sweep` | what time does by itself |
//! | `feed` | the log as a feed |
//! | `story` `evidence_pack` | what happened to an application, and the pack of its evidence |
//! | `trace` | what happened, by any id |
//! | `take` | what an extract says of one person |
//! | `import/` | extracts of a system taken in, or compared with what is held |
//! | `idempotency` | a request with a key is carried out once, and answered again |
//! | `copy` | a whole database into an empty one |
//! | `join_keys` | the join keys in use, and how risky each is |
//! | `keys` | put a new key-encryption key in an old one's place |
//! | `precondition` | `If-Match` (§3.14) |

pub mod advice;
mod anchors;
mod apart;
mod apply;
mod audit;
mod audit_events;
mod brake;
pub mod break_glass;
mod bulk;
mod change;
mod copy;
mod create;
mod delete;
mod deliveries;
mod elevate;
mod erase;
pub mod error;
mod evidence_pack;
pub mod explain;
mod export;
mod feed;
mod get;
mod hiring;
pub mod idempotency;
mod identify;
pub mod import;
pub mod integrations;
mod join_keys;
mod keys;
mod kpi;
mod lineage;
mod list;
pub mod log;
mod me;
mod members;
mod membership;
mod merge;
pub mod model;
pub mod outbound;
mod paging;
mod patch;
pub mod policy;
mod precondition;
mod provenance;
mod refold;
pub mod refused;
mod replace;
mod resolve;
pub mod restore;
mod review;
mod roster;
mod search;
mod session;
mod shown;
mod sieve;
mod sight;
mod story;
mod sweep;
mod take;
mod target;
pub mod token;
mod trace;
pub mod verify;
mod withheld;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::catalog::Catalog;
use crate::domain::context::{Context, Right};
use crate::domain::log::head;
use crate::domain::masked::{Masked, Renderer, Resource};
use crate::domain::sealing::Key;
use crate::domain::view::View;
use crate::id::{IdSource, TenantId};
use crate::scim::projection::Projection;
use crate::scim::resource_type::ResourceType;
use crate::store::{self, Keyring, Store};
pub use bulk::Attempted;
pub use elevate::Elevation;
pub use erase::Erasure;
pub use error::Error;
pub use feed::Feed;
use idempotency::{Outcome, Repeat};
use log::Notary;
pub use me::Account;
pub use merge::Join;
use paging::Paging;
use policy::Watch;
pub use roster::{Following, Piece};

/// A written resource, and the names in the body that were not kept.
#[derive(Debug)]
pub struct Written {
    /// The resource after the write.
    pub resource: Masked<Resource>,
    /// Names that the body gave and the schema does not know.
    pub ignored: Vec<String>,
    /// Attributes of which another value stands than the one that was given.
    pub suggested: Vec<String>,
    /// What a POST came to.
    pub came: Came,
}

/// What a POST came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Came {
    /// A new resource, or a new account of somebody known: 201.
    #[default]
    Made,
    /// What was on record already, by one of its names: 200 (B-046).
    Known,
    /// A question for a human, because it names nothing that joins systems: 202, and the resource is the review (B-002, B-101).
    Queued,
}

impl Came {
    /// Its number in the database.
    fn number(self) -> i16 {
        match self {
            Self::Made => 0,
            Self::Known => 1,
            Self::Queued => 2,
        }
    }

    /// What has that number.
    fn from_number(number: i16) -> Self {
        match number {
            1 => Self::Known,
            2 => Self::Queued,
            _ => Self::Made,
        }
    }
}

/// One page of a list (RFC 7644 §3.4.2).
#[derive(Debug)]
pub struct Page {
    /// How many match in all, unless pages are turned by cursor and it would have to be counted for each.
    pub total: Option<u64>,
    /// The 1-based index of the first, if pages are turned by index.
    pub start_index: Option<u64>,
    /// What the next page is asked for with, if pages are turned by cursor and this is not the last.
    pub next_cursor: Option<String>,
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
    /// The key-encryption key, and those that it takes the place of.
    pub keys: Vec<Key>,
    /// The key under which SQLite's file is encrypted as a whole, if it is (feature `sqlcipher`).
    pub file_key: Option<Key>,
}

/// How many resources a page has if the client does not say.
pub const DEFAULT_PAGE: u64 = 100;
/// For how many seconds a cursor is good.
pub const CURSOR_TIMEOUT: u64 = crate::domain::cursor::TIMEOUT.unsigned_abs();

/// The service: cheap to clone, shared by all doors.
#[derive(Clone)]
pub struct Muster(Arc<Inner>);

struct Inner {
    store: Store,
    renderer: Renderer,
    ids: Arc<dyn IdSource>,
    verifying: BTreeSet<String>,
    paging: Paging,
    watch: Watch,
    refolding: refold::Refolding,
    /// What was lately heard of the connected systems.
    heard: integrations::Heard,
    /// Which writes were lately refused.
    lately: refused::Lately,
    log_key: Arc<head::Key>,
    notary: Notary,
}

impl Muster {
    /// Opens the database and applies its migrations.
    pub fn open(settings: &Settings, ids: Arc<dyn IdSource>) -> Result<Self, Error> {
        let catalog = Catalog::load().map_err(Error::Internal)?;
        let keys = Keyring::new(settings.keys.clone(), ids.clone());
        let keys = keys.with_file_key(settings.file_key.clone());
        let store = Store::open(&settings.database_url, settings.connections, keys)?;
        let fresh = [ids.secret(), ids.secret()];
        let (etag_key, cursor_key) = store.write_blocking(move |tx| {
            let [etag, cursor] = &fresh;
            let etag = store::key::own(tx, "etag-key", etag)?;
            Ok::<_, Error>((etag, store::key::own(tx, "cursor-key", cursor)?))
        })?;
        let log_key = Arc::new(log::key(&store, ids.secret())?);
        let trusted = settings
            .systems
            .iter()
            .filter(|system| system.verifies_email);
        let muster = Self(Arc::new(Inner {
            store,
            renderer: Renderer::new(catalog, etag_key),
            ids,
            verifying: trusted.map(|system| system.name.clone()).collect(),
            paging: Paging::new(cursor_key, settings.max_page),
            watch: Watch::new(),
            refolding: refold::Refolding::default(),
            heard: integrations::Heard::default(),
            lately: refused::Lately::default(),
            log_key,
            notary: Notary::default(),
        }));
        muster.watch()?;
        Ok(muster)
    }

    /// The number of the tenant of that name, made if it is new.
    pub fn tenant(&self, name: &str) -> Result<TenantId, Error> {
        let name = name.to_owned();
        self.0
            .store
            .write_blocking(move |tx| Ok(store::tenant::claim(tx, &name)?))
    }

    /// The number of the tenant of that name, if there is one.
    pub fn find_tenant(&self, name: &str) -> Result<Option<TenantId>, Error> {
        self.0
            .store
            .read_blocking(|tx| Ok(store::tenant::find(tx, name)?))
    }

    /// Whether the database answers, to who reads and to who writes.
    pub async fn ready(&self) -> Result<(), Error> {
        Ok(self.0.store.ready().await?)
    }

    /// The resource type served at `endpoint` (`/Users`).
    #[must_use]
    pub fn resource_type(&self, endpoint: &str) -> Option<Arc<ResourceType>> {
        let mut types = self.0.renderer.catalog().resource_types();
        types.find(|known| known.endpoint == endpoint).cloned()
    }

    /// Whether resources of a type are created and read, and never changed.
    #[must_use]
    pub fn is_append_only(&self, resource_type: &ResourceType) -> bool {
        let view = self.0.renderer.catalog().at(&resource_type.endpoint);
        view.is_some_and(|view| view.kind.is_append_only())
    }

    /// All resource types, in order of discovery.
    #[must_use]
    pub fn resource_types(&self) -> Vec<Arc<ResourceType>> {
        let types = self.0.renderer.catalog().resource_types();
        types.cloned().collect()
    }

    /// The log after position `after`, oldest first, at most `limit` events.
    pub fn events(&self, after: i64, limit: i64) -> Result<Vec<(i64, Value)>, Error> {
        self.0
            .store
            .read_blocking(|tx| Ok(store::event::list(tx, after, limit)?))
    }

    /// Waits for what is being written, and closes the database.
    pub fn close(&self) {
        self.0.watch.close();
        self.0.refolding.close();
        self.0.store.stop_sealing();
        self.0.notary.close();
        self.0.store.close();
    }

    /// Performs what has been prepared, in a transaction of its own and as often as that is tried.
    async fn perform<P, T>(
        &self,
        context: &Context,
        prepared: P,
        perform: fn(&P, &Self, &Context, &mut store::Tx<'_>) -> Result<T, Error>,
    ) -> Result<T, Error>
    where
        P: Repeat<T> + Send + Sync + 'static,
        T: Outcome + Send + 'static,
    {
        let work = self.work(context, prepared, perform);
        let outcome = self.0.store.write(work).await;
        self.asked(context, outcome).await
    }

    /// What has been prepared as work for a transaction: done once, if the request has a key.
    fn work<P: Repeat<T> + Send + Sync + 'static, T: Outcome>(
        &self,
        context: &Context,
        prepared: P,
        perform: fn(&P, &Self, &Context, &mut store::Tx<'_>) -> Result<T, Error>,
    ) -> impl Fn(&mut store::Tx<'_>) -> Result<T, Error> + Send + use<P, T> {
        let (muster, context) = (self.clone(), context.clone());
        move |tx: &mut store::Tx<'_>| {
            idempotency::once(
                &context,
                tx,
                |tx| perform(&prepared, &muster, &context, tx),
                |tx, done| prepared.again(&muster, &context, tx, done),
            )
        }
    }

    /// The view at `endpoint`, if the caller may use it so.
    fn view(&self, context: &Context, endpoint: &str, right: Right) -> Result<Arc<View>, Error> {
        let view = self.0.renderer.catalog().at(endpoint);
        let view =
            view.ok_or_else(|| Error::NotFound(format!("there is no endpoint {endpoint}")))?;
        permit(context, right, &view.resource_type.name)?;
        Ok(view.clone())
    }
}

impl Muster {
    /// The same where records are to be changed or deleted: not those that are only ever added to.
    fn changeable(
        &self,
        context: &Context,
        endpoint: &str,
        right: Right,
    ) -> Result<Arc<View>, Error> {
        let view = self.view(context, endpoint, right)?;
        if view.kind.is_append_only() {
            return Err(hiring::fixed(&view.resource_type.name));
        }
        Ok(view)
    }
}

/// Whether the caller may do that with resources of that type.
fn permit(context: &Context, right: Right, name: &str) -> Result<(), Error> {
    if context.client.may(right, name) {
        return Ok(());
    }
    let verb = right.name();
    Err(Error::Forbidden(format!(
        "the client '{}' has no right to {verb} {name} resources",
        context.client.name
    )))
}

/// What a request asks of the answer, and how it must find the resource.
#[derive(Clone, Debug, Default)]
struct Asked {
    projection: Projection,
    if_match: Option<String>,
}

impl From<&Projection> for Asked {
    /// What an answer shall hold, whatever version it is of.
    fn from(projection: &Projection) -> Self {
        Self {
            projection: projection.clone(),
            if_match: None,
        }
    }
}
