//! People sign in by browser: the authorization code flow of OpenID Connect with PKCE, and a session in a cookie. What they
//! may do is what the client of their role may.
//!
//! | file | what it does |
//! |---|---|
//! | `attempt` | what binds a sign-in to the browser that began it |
//! | `provider` | where the browser is sent, and what the code it brings back is worth |
//! | `visitor` | who is signed in |
//! | `cookie` | what the browser keeps |
//! | `page` | the pages |
//! | `begin` `finish` `me` `end` | the four addresses: `/sign-in`, `/sign-in/callback`, `/me`, `/sign-out` |

mod attempt;
mod begin;
mod cookie;
mod end;
mod finish;
mod me;
mod page;
mod provider;
mod visitor;

use actix_web::web;
use chrono::{DateTime, Utc};
use openidconnect::RedirectUrl;
use openidconnect::core::CoreProviderMetadata;
use tokio::sync::Mutex;

use super::token::{Fetcher, SetupError};
use crate::config::{self, Config, PersonRole};

/// How people sign in here.
pub(super) struct SignIn {
    fetcher: Fetcher,
    issuer: config::Issuer,
    client: config::SignIn,
    roles: Vec<PersonRole>,
    redirect: RedirectUrl,
    /// Whether callers come by TLS: only then may cookies ask for it.
    secure: bool,
    described: Mutex<Option<Described>>,
}

impl SignIn {
    /// As configured, if it is; `base_url` is where callers find SCIM.
    pub(super) fn new(config: &Config, base_url: &str) -> Result<Option<Self>, SetupError> {
        let Some(client) = &config.sign_in else {
            return Ok(None);
        };
        let issuer = config
            .issuers
            .iter()
            .find(|known| known.url == client.issuer);
        let Some(issuer) = issuer else {
            return Ok(None);
        };
        let root = base_url.strip_suffix(super::scim::ROOT).unwrap_or(base_url);
        Ok(Some(Self {
            fetcher: Fetcher::new(issuer)?,
            issuer: issuer.clone(),
            client: client.clone(),
            roles: config.person_roles.clone(),
            redirect: RedirectUrl::new(format!("{root}/sign-in/callback"))?,
            secure: config.server.is_reached_by_tls(),
            described: Mutex::default(),
        }))
    }
}

/// The provider's description, or why there is none, and when it was fetched.
type Described = (DateTime<Utc>, Result<CoreProviderMetadata, String>);

/// Mounts the pages, if people can sign in.
pub(super) fn mount(app: &mut web::ServiceConfig) {
    app.route("/sign-in", web::get().to(begin::begin))
        .route("/sign-in/callback", web::get().to(finish::finish))
        .route("/me", web::get().to(me::me))
        .service(
            web::resource("/sign-out")
                .route(web::post().to(end::end))
                .default_service(web::to(end::not_a_post)),
        );
}
