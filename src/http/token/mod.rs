//! Bearer tokens: JWTs of a configured issuer, verified against the keys it publishes (RFC 9068 §4, RFC 8725).
//!
//! | file | what it does |
//! |---|---|
//! | `keys` | an issuer's discovery and keys: fetched on first use, refetched from time to time and for an unknown `kid` |
//! | `fetch` | the bounded HTTP client that does it |
//! | `guard` | where an issuer may lead it |
//! | `verify` | one token: algorithm, key, signature, claims |
//! | `cache` | tokens verified before, by their hash, until they expire or the keys change |

mod cache;
mod fetch;
mod guard;
mod keys;
mod verify;

use std::sync::Arc;

use jsonwebtoken::dangerous::insecure_decode_claims;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config;
use cache::Cache;
pub use fetch::SetupError;
pub(in crate::http) use fetch::{Fetcher, chain};
use keys::{Keys, Published};

/// What a verified token says.
pub type Claims = Map<String, Value>;

/// A verified token: its issuer and its claims.
#[derive(Debug, PartialEq)]
pub struct Verified {
    /// The issuer identifier.
    pub issuer: String,
    /// All claims.
    pub claims: Claims,
}

/// Why a request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No bearer token was sent.
    Missing,
    /// It is not a token that can be trusted; the text is fit for `error_description` (RFC 6750 §3).
    Invalid(String),
    /// Nobody can say yet: the issuer's keys have never been fetched and cannot be.
    IssuerUnreachable {
        /// Which issuer.
        issuer: String,
        /// What happened, for the log.
        cause: String,
    },
}

impl Refusal {
    fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid(why.into())
    }
}

/// Longer texts than this are nobody's token.
const LONGEST: usize = 16 * 1024;

/// Longer tokens than this are verified each time: ten thousand of them would be too much to remember.
const LONGEST_KEPT: usize = 4 * 1024;

/// Verifies tokens of the configured issuers.
pub struct Verifier {
    issuers: Vec<(config::Issuer, Arc<Keys>)>,
    cache: Cache,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    /// A verifier that has fetched nothing yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(issuers: &[config::Issuer], clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        let issuers = issuers
            .iter()
            .map(|issuer| {
                let keys = Keys::of(issuer, clock.clone())?;
                Ok((issuer.clone(), Arc::new(keys)))
            })
            .collect::<Result<_, SetupError>>()?;
        Ok(Self {
            issuers,
            cache: Cache::default(),
            clock,
        })
    }

    /// Verifies the value of an `Authorization` header.
    ///
    /// # Errors
    /// When there is no bearer token, it cannot be trusted, or its issuer cannot be reached.
    pub async fn verify(&self, authorization: Option<&[u8]>) -> Result<Arc<Verified>, Refusal> {
        let token = bearer(authorization)?;
        let now = self.clock.now().timestamp();
        let hash = Cache::hash(token);
        if let Some((verified, proof)) = self.cache.find(&hash, now) {
            let (issuer, keys) = self.issuer(Some(&verified.issuer))?;
            let known = published(issuer, keys).await?;
            // Where the issuer has changed its keys, the token is verified anew.
            if Arc::ptr_eq(&proof, &known) {
                return Ok(verified);
            }
        }
        // Unverified so far: the claim only chooses whose keys must prove it.
        let unproven: Claims =
            insecure_decode_claims(token).map_err(|_| Refusal::invalid("it is not a JWT"))?;
        let (issuer, keys) = self.issuer(unproven.get("iss").and_then(Value::as_str))?;
        let known = published(issuer, keys).await?;
        let (claims, proof, expires) = verify::verify(token, issuer, (keys, known), now).await?;
        let verified = Arc::new(Verified {
            issuer: issuer.url.clone(),
            claims,
        });
        if token.len() <= LONGEST_KEPT {
            self.cache.insert(hash, (&verified, proof), expires, now);
        }
        Ok(verified)
    }

    fn issuer(&self, url: Option<&str>) -> Result<(&config::Issuer, &Arc<Keys>), Refusal> {
        self.issuers
            .iter()
            .find(|(known, _)| Some(known.url.as_str()) == url)
            .map(|(issuer, keys)| (issuer, keys))
            .ok_or_else(|| Refusal::invalid("its iss is not an issuer that is trusted here"))
    }
}

async fn published(issuer: &config::Issuer, keys: &Arc<Keys>) -> Result<Published, Refusal> {
    keys.get()
        .await
        .map_err(|cause| Refusal::IssuerUnreachable {
            issuer: issuer.url.clone(),
            cause,
        })
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(authorization: Option<&[u8]>) -> Result<&str, Refusal> {
    let header = authorization.ok_or(Refusal::Missing)?;
    let text = std::str::from_utf8(header).map_err(|_| Refusal::invalid("it is not a JWT"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::Missing);
    }
    match token.trim() {
        "" => Err(Refusal::invalid("it is empty")),
        token if token.len() > LONGEST => Err(Refusal::invalid("it is too long")),
        token => Ok(token),
    }
}
