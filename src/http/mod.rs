//! The HTTP door: who is calling (OIDC), SCIM requests in, SCIM answers out. It knows status codes and nothing of
//! people.
//!
//! | file | what it does |
//! |---|---|
//! | `boundary` | around every request: correlation id, span, one log line, a caught panic |
//! | `caller` | the extractor that turns a bearer token into a `Context` |
//! | `token/` | verifying tokens against an issuer's published keys |
//! | `clients` | which configured client a verified token is |
//! | `limit` | how often a client may call |
//! | `scim/` | one file an operation of RFC 7644 |
//! | `body`, `query` | what comes in, bounded and strictly parsed |
//! | `prefer` | what an answer shall hold (RFC 7240) |
//! | `answer`, `error` | what goes out; `error` alone maps failures to status codes |
//! | `idempotency` | requests that carry a key of their own |
//! | `refusals` | what is refused, in the log |
//! | `stream` | an answer too long to be held, written while it is read |
//! | `sign_in/` | people by browser: OpenID Connect, sessions, `/me` |
//! | `published` | what strangers are told of the resource types |
//! | `openapi` | `/openapi.json`: all of it as an OpenAPI document |
//! | `contracts` | `/schemas`: the published JSON Schemas |
//! | `log` | `/log`: signed heads of the sealed log, and proofs |
//! | `approvals` | `/admin/policy/approvals`, `/admin/break-glass/{id}/approve`: what Security approves |
//! | `explain` | `/admin/policy/explain`: what a client would do with and see of a record |
//! | `imports` | `/admin/imports`: extracts taken in as background jobs |
//! | `integrations` | `/admin/integrations`: how far each connected system is behind |
//! | `refused` | `/admin/refused`: writes that were refused for what they said |
//! | `kpi` | `/admin/kpis`: figures of how the house is run |
//! | `health` | `/healthz` and `/readyz` |
//! | `tls` | the certificate, read anew when its files change |

mod answer;
mod approvals;
mod body;
mod boundary;
mod caller;
mod clients;
mod contracts;
mod error;
mod explain;
mod health;
mod html;
mod idempotency;
pub mod imports;
mod integrations;
mod kpi;
mod limit;
mod log;
mod openapi;
mod prefer;
mod published;
mod query;
mod refusals;
mod refused;
mod scim;
mod sign_in;
mod stream;
pub mod tls;
pub mod token;

use std::sync::{Arc, RwLock};

use actix_web::web;

use crate::clock::Clock;
use crate::config::Config;
use crate::id::IdSource;
use crate::service::Muster;

pub use boundary::boundary;
use clients::Clients;
use published::Published;
use refusals::Refusals;
use sign_in::SignIn;
use token::Verifier;

/// The tenant in whose log strangers' refusals are.
const HOME: &str = "default";

/// What every handler shares.
pub struct Door {
    service: Muster,
    verifier: Verifier,
    clients: Clients,
    refusals: Refusals,
    /// How people sign in, if they can.
    sign_in: Option<SignIn>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    base_url: Arc<str>,
    max_page: u64,
    /// Whose tokens are accepted.
    issuers: Vec<String>,
    /// Which of them is this server's own.
    own_issuer: Option<String>,
    published: RwLock<Arc<Published>>,
    /// Who takes extracts in, if the configuration names any.
    imports: Option<Arc<dyn imports::Runner>>,
}

/// Why the door could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The HTTP client for keys could not be made.
    #[error("cannot prepare to fetch the issuers' keys: {0}")]
    Keys(#[from] token::SetupError),
    /// A client's tenant could not be looked up.
    #[error(transparent)]
    Tenant(#[from] crate::service::Error),
}

impl Door {
    /// Opens the door: `base_url` is where callers find SCIM, `max_page` what discovery says of lists.
    ///
    /// # Errors
    /// When a tenant of the configuration can be neither found nor made.
    pub fn open(
        service: Muster,
        config: &Config,
        base_url: &str,
        max_page: u64,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, OpenError> {
        let verifier = Verifier::new(&config.issuers, clock.clone())?;
        let (issuers, limits) = (&config.issuers, config.limits.as_ref());
        let clients = Clients::new(&config.clients, issuers, limits, |tenant| {
            service.tenant(tenant)
        })?;
        let refusals = Refusals::new(service.tenant(HOME)?);
        Ok(Self {
            service,
            verifier,
            clients,
            refusals,
            sign_in: SignIn::new(config, base_url)?,
            clock,
            ids,
            base_url: base_url.into(),
            max_page,
            issuers: config
                .issuers
                .iter()
                .map(|issuer| issuer.url.clone())
                .collect(),
            own_issuer: config
                .issuers
                .iter()
                .find(|issuer| issuer.own.is_some())
                .map(|issuer| issuer.url.clone()),
            published: RwLock::default(),
            imports: None,
        })
    }

    /// The same with somebody who takes extracts in.
    #[must_use]
    pub fn importing(self, imports: Arc<dyn imports::Runner>) -> Self {
        Self {
            imports: Some(imports),
            ..self
        }
    }
}

/// Mounts SCIM, its description, its contracts, health, and the answer to everything else.
pub fn mount(door: web::Data<Door>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.app_data(door)
            .route("/healthz", web::get().to(health::alive))
            .route("/readyz", web::get().to(health::ready))
            .configure(openapi::mount)
            .configure(contracts::mount)
            .configure(sign_in::mount)
            .configure(log::mount)
            .configure(approvals::mount)
            .configure(explain::mount)
            .configure(kpi::mount)
            .configure(integrations::mount)
            .configure(refused::mount)
            .configure(imports::mount)
            .configure(scim::mount)
            .default_service(web::to(error::nothing_here));
    }
}
