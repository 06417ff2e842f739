//! An issuer's keys: fetched on first use, kept, and fetched anew when a token names one that is not among them.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use openidconnect::JsonWebKeySetUrl;
use openidconnect::core::CoreJsonWebKeySet;
use tokio::sync::Mutex;

use super::fetch::{Fetcher, SetupError};
use crate::clock::Clock;

/// An unknown `kid` makes us ask at most this often, or anybody could make us ask all the time.
const REFETCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// After a failed first fetch, requests are refused at once for so long, instead of each waiting for the timeout.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// One published key.
pub(super) struct Key {
    id: Option<String>,
    /// The algorithms it may verify: the one it names, else those of its type.
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// The keys as last fetched.
type Published = Arc<Vec<Key>>;

/// The keys of one issuer.
pub(super) struct Keys {
    fetcher: Fetcher,
    clock: Arc<dyn Clock>,
    known: RwLock<Option<Published>>,
    /// Held while fetching, so that concurrent requests wait for one fetch instead of each making theirs.
    fetching: Mutex<Fetching>,
}

#[derive(Default)]
struct Fetching {
    url: Option<JsonWebKeySetUrl>,
    /// The last refetch for an unknown key.
    refetched: Option<DateTime<Utc>>,
    failed: Option<(DateTime<Utc>, String)>,
}

impl Keys {
    /// The keys of the issuer at `url`; none is fetched yet.
    pub(super) fn of(url: &str, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Ok(Self {
            fetcher: Fetcher::new(url)?,
            clock,
            known: RwLock::default(),
            fetching: Mutex::default(),
        })
    }

    /// The keys, fetched if this is the first time.
    pub(super) async fn get(&self) -> Result<Published, String> {
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let mut fetching = self.fetching.lock().await;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        let now = self.clock.now();
        if let Some((at, cause)) = &fetching.failed
            && now - *at < PAUSE
        {
            return Err(cause.clone());
        }
        match self.fetcher.discover().await {
            Ok((url, keys)) => {
                fetching.url = Some(url);
                Ok(self.publish(&keys))
            }
            Err(cause) => {
                fetching.failed = Some((now, cause.clone()));
                Err(cause)
            }
        }
    }

    /// The keys after a refetch, for a token whose key is not in `stale`; nothing if it is too early to ask again.
    /// When the fetch fails the keys at hand stay in use.
    pub(super) async fn refetch(&self, stale: &Published) -> Option<Published> {
        let mut fetching = self.fetching.lock().await;
        let known = self.known()?;
        if !Arc::ptr_eq(&known, stale) {
            return Some(known); // somebody else has just fetched
        }
        let now = self.clock.now();
        if fetching
            .refetched
            .is_some_and(|at| now - at < REFETCH_EVERY)
        {
            return None;
        }
        fetching.refetched = Some(now);
        let url = fetching.url.clone()?;
        match self.fetcher.keys(&url).await {
            Ok(keys) => Some(self.publish(&keys)),
            Err(cause) => {
                tracing::warn!(issuer.jwks = url.as_str(), %cause, "refetching keys failed; the old ones stay in use");
                None
            }
        }
    }

    fn known(&self) -> Option<Published> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn publish(&self, keys: &CoreJsonWebKeySet) -> Published {
        let keys = Arc::new(
            keys.keys()
                .iter()
                .filter_map(|key| Key::read(&serde_json::to_value(key).ok()?))
                .collect(),
        );
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&keys));
        keys
    }
}

impl Key {
    /// A key that can verify signatures; others (for encryption, symmetric, of unknown type) are passed over.
    fn read(json: &serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(json.clone()).ok()?;
        if !matches!(
            jwk.common.public_key_use,
            None | Some(PublicKeyUse::Signature)
        ) {
            return None;
        }
        let of_type = algorithms_of(&jwk)?;
        let algorithms = match jwk.common.key_algorithm {
            Some(named) => of_type
                .iter()
                .copied()
                .filter(|known| KeyAlgorithm::from(*known) == named)
                .collect(),
            None => of_type.to_vec(),
        };
        Some(Self {
            id: jwk.common.key_id.clone(),
            algorithms,
            decoding: DecodingKey::from_jwk(&jwk).ok()?,
        })
    }

    /// Whether a token with this `kid` and `alg` may have been signed by this key.
    pub(super) fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        (id.is_none() || self.id.as_deref() == id) && self.algorithms.contains(&algorithm)
    }
}

/// The algorithms that go with a key's type and curve (RFC 8725 §3.1); none for a symmetric key.
fn algorithms_of(jwk: &Jwk) -> Option<&'static [Algorithm]> {
    use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve};
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Some(&[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ]),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => Some(&[Algorithm::ES256]),
            EllipticCurve::P384 => Some(&[Algorithm::ES384]),
            _ => None,
        },
        AlgorithmParameters::OctetKeyPair(_) => Some(&[Algorithm::EdDSA]),
        _ => None,
    }
}
