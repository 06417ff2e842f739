//! The embedded OpenID Provider of `serve --dev`: discovery, keys, a token endpoint and one where people sign in, on
//! loopback only. The server verifies its tokens like anybody's, so trying Muster out exercises the whole OIDC path.
//!
//! | file | what it does |
//! |---|---|
//! | `key` | a signing key, kept in the data folder so that tokens survive a restart |
//! | `ring` | the keys that sign, and those that did and are still published |
//! | `discovery` | OpenID Connect Discovery §3 and the JSON Web Key Set |
//! | `token` | the token endpoint, RFC 6749 §4.1.3 and §4.4 |
//! | `authorize` | where people sign in, RFC 6749 §4.1 |
//! | `assertion` | `private_key_jwt`: a client proven by a JWT of its own, RFC 7523 |
//! | `rotate` | new keys while running |
//! | `own` | the issuer of production, with neither a token endpoint nor anything else of these |
//! | `claims` | what an access token says, RFC 9068 §2.2 |

mod assertion;
mod authorize;
mod claims;
mod discovery;
mod key;
pub mod own;
mod ring;
mod rotate;
mod token;

use std::path::Path;
use std::sync::Arc;

use actix_web::web;

use crate::clock::Clock;
use crate::id::IdSource;
use assertion::Assertions;
use authorize::Codes;
use ring::Ring;

/// Why the issuer could not be opened: a key cannot be read, made, kept or registered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// The issuer.
pub struct Issuer {
    url: String,
    keys: Ring,
    assertions: Assertions,
    codes: Codes,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
}

impl Issuer {
    /// Opens the issuer that answers at `url`, with the keys in `data_dir` (made if there are none).
    ///
    /// # Errors
    /// When a key cannot be read, made or kept.
    pub fn open(
        data_dir: &Path,
        url: String,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, Error> {
        Ok(Self {
            url,
            keys: Ring::open(data_dir)?,
            assertions: Assertions::default(),
            codes: Codes::default(),
            clock,
            ids,
        })
    }

    /// Registers public keys, a JSON Web Key Set (RFC 7517 §5) for RS256 or ES256, with which a client of `--dev` may
    /// prove who it is (`private_key_jwt`). Its secret stays good beside them.
    ///
    /// # Errors
    /// When there is no such client, or the text holds something else.
    pub fn register(&mut self, client: &str, jwks: &str) -> Result<(), Error> {
        self.assertions.register(client, jwks)
    }

    /// Its issuer identifier: the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Mounts the endpoints below `/dev`.
pub fn mount(issuer: web::Data<Issuer>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.service(
            web::scope("/dev")
                .app_data(issuer)
                .route(
                    "/.well-known/openid-configuration",
                    web::get().to(discovery::metadata),
                )
                .route("/jwks", web::get().to(discovery::keys))
                .route("/authorize", web::get().to(authorize::ask))
                .route("/authorize", web::post().to(authorize::answer))
                .service(
                    web::resource("/rotate")
                        .route(web::post().to(rotate::rotate))
                        .default_service(web::to(token::not_a_post)),
                )
                .service(
                    web::resource("/token")
                        .route(web::post().to(token::issue))
                        .default_service(web::to(token::not_a_post)),
                ),
        );
    }
}
