//! The server's own production issuer: discovery and keys for whoever wants to verify its tokens, and no token endpoint. The
//! operator's command alone makes its tokens, for callers that can only hold a bearer.

use std::path::{Path, PathBuf};

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use super::Error;
use super::claims::SCOPE;
use super::key::{Kind, SigningKey};
use crate::id::ResourceId;
use crate::secret::Secret;

/// The issuer.
pub struct Own {
    url: String,
    audience: String,
    key: SigningKey,
    /// Those whose place it has taken: their tokens are good until they end.
    previous: Vec<SigningKey>,
}

/// What a token is issued for.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// Its `jti`.
    pub id: ResourceId,
    /// The tenant, in the claim `tenant`.
    pub tenant: &'a str,
    /// The client, in `azp`, `client_id` and `sub`.
    pub client: &'a str,
    /// From when on it is good, in whole seconds.
    pub issued: DateTime<Utc>,
    /// When it ends.
    pub expires: DateTime<Utc>,
}

/// The claims (RFC 9068 §2.2).
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    azp: &'a str,
    client_id: &'a str,
    tenant: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    scope: &'a str,
}

impl Own {
    /// Opens the issuer that answers at `url`, with the key in that file (made for its owner alone, if there is none), for
    /// tokens of that `aud`.
    ///
    /// # Errors
    /// When the key cannot be read, made or kept.
    pub fn open(key: &Path, url: String, audience: String) -> Result<Self, Error> {
        Ok(Self {
            url,
            audience,
            key: SigningKey::open_file(Kind::Es256, key)?,
            previous: Vec::new(),
        })
    }

    /// The same, with the keys whose place its own has taken, in these files.
    ///
    /// # Errors
    /// When one of them cannot be read: it is not made anew.
    pub fn after(mut self, previous: &[PathBuf]) -> Result<Self, Error> {
        for key in previous {
            if !key.exists() {
                let key = key.display();
                return Err(Error(format!(
                    "there is no previous key of the issuer at {key}"
                )));
            }
            self.previous.push(SigningKey::open_file(Kind::Es256, key)?);
        }
        Ok(self)
    }

    /// Its issuer identifier: the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its public keys (RFC 7517 §4).
    #[must_use]
    pub fn published(&self) -> Vec<Value> {
        let keys = std::iter::once(&self.key).chain(&self.previous);
        keys.filter_map(|key| serde_json::to_value(key.public()).ok())
            .collect()
    }

    /// A token, which is kept nowhere.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(&self, grant: &Grant<'_>) -> Result<Secret, Error> {
        let claims = Claims {
            iss: &self.url,
            aud: &self.audience,
            sub: grant.client,
            azp: grant.client,
            client_id: grant.client,
            tenant: grant.tenant,
            iat: grant.issued.timestamp(),
            nbf: grant.issued.timestamp(),
            exp: grant.expires.timestamp(),
            jti: grant.id.to_string(),
            scope: SCOPE,
        };
        let token = self.key.sign("at+jwt", &claims);
        token
            .map(Secret::new)
            .map_err(|error| Error(format!("the token cannot be signed: {error}")))
    }
}

/// Mounts the endpoints below `/issuer`.
pub fn mount(own: web::Data<Own>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |app| {
        app.service(
            web::scope("/issuer")
                .app_data(own)
                .route("/.well-known/openid-configuration", web::get().to(metadata))
                .route("/jwks", web::get().to(keys)),
        );
    }
}

/// `GET /issuer/.well-known/openid-configuration`. OpenID Connect Discovery §3 has an authorization endpoint in it, without
/// which verifiers do not read it; nothing is there.
async fn metadata(own: web::Data<Own>) -> HttpResponse {
    let url = &own.url;
    HttpResponse::Ok().json(json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "jwks_uri": format!("{url}/jwks"),
        "scopes_supported": [SCOPE],
        "response_types_supported": ["none"],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    }))
}

/// `GET /issuer/jwks`.
async fn keys(own: web::Data<Own>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "keys": own.published() }))
}
