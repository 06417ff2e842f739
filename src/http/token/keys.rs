//! An issuer's keys: fetched on first use, kept, and fetched anew from time to time, and when a token names one that is
//! not among them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use openidconnect::JsonWebKeySetUrl;
use openidconnect::core::CoreJsonWebKeySet;
use serde_json::Value;
use tokio::sync::Mutex;

use super::fetch::{Fetcher, SetupError};
use crate::clock::Clock;
use crate::config;

/// An unknown `kid` makes us ask at most this often, or anybody could make us ask all the time.
const REFETCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// After a failed first fetch, requests are refused at once for so long, instead of each waiting for the timeout.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// After this time the keys are looked at anew, beside the requests.
const FRESH: TimeDelta = TimeDelta::minutes(5);
/// After this time a request waits for it.
const STALE: TimeDelta = TimeDelta::minutes(10);

/// One published key.
pub(super) struct Key {
    id: Option<String>,
    /// The algorithms it may verify: the one it names, else those of its type.
    algorithms: Vec<Algorithm>,
    pub(super) decoding: DecodingKey,
}

/// The keys as last fetched. The same pointer means the same keys: what one of them has proven still holds.
pub(super) type Published = Arc<Vec<Key>>;

/// More keys than these are passed over: a token that names none is tried with each.
const MOST_KEYS: usize = 100;

/// The keys of one issuer.
pub(super) struct Keys {
    /// None for the keys of our own issuer, which are at hand.
    fetcher: Option<Fetcher>,
    clock: Arc<dyn Clock>,
    known: RwLock<Option<Known>>,
    /// Held while fetching, so that concurrent requests wait for one fetch instead of each making theirs.
    fetching: Mutex<Fetching>,
    /// When to look again, in seconds since 1970: whoever moves it on is the one to do it.
    next: AtomicI64,
}

#[derive(Clone)]
struct Known {
    keys: Published,
    /// The keys as the issuer wrote them.
    text: Arc<Vec<Value>>,
    fetched: DateTime<Utc>,
}

#[derive(Default)]
struct Fetching {
    url: Option<JsonWebKeySetUrl>,
    /// The last refetch.
    refetched: Option<DateTime<Utc>>,
    failed: Option<(DateTime<Utc>, String)>,
}

impl Keys {
    /// The keys of an issuer; none is fetched yet, unless they are our own.
    pub(super) fn of(issuer: &config::Issuer, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        if let Some(own) = &issuer.own {
            return Ok(Self::at_hand(own, clock));
        }
        Ok(Self {
            fetcher: Some(Fetcher::new(issuer)?),
            clock,
            known: RwLock::default(),
            fetching: Mutex::default(),
            next: AtomicI64::new(i64::MAX),
        })
    }

    /// Keys that stay as they are.
    fn at_hand(own: &[Value], clock: Arc<dyn Clock>) -> Self {
        let known = Known {
            keys: Arc::new(own.iter().filter_map(Key::read).collect()),
            text: Arc::new(own.to_vec()),
            fetched: clock.now(),
        };
        Self {
            fetcher: None,
            clock,
            known: RwLock::new(Some(known)),
            fetching: Mutex::default(),
            next: AtomicI64::new(i64::MAX),
        }
    }

    /// The keys, fetched if this is the first time. A key that the issuer has withdrawn is known for ten minutes more at
    /// the most, while the issuer answers: they are looked at anew every five minutes, and who comes after ten, when
    /// nobody has called in between, waits for it.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Published, String> {
        let Some(known) = self.known() else {
            return self.first().await;
        };
        let now = self.clock.now();
        if !self.is_due(now) {
            return Ok(known.keys);
        }
        if now - known.fetched < STALE {
            let keys = Arc::clone(self);
            // Nobody waits for it.
            drop(actix_web::rt::spawn(async move {
                drop(keys.refetch(&known.keys).await);
            }));
            return self.known().map(|known| known.keys).ok_or_else(String::new);
        }
        let fresh = self.refetch(&known.keys).await;
        Ok(fresh.unwrap_or(known.keys))
    }

    /// Whether it is time to look again, for one caller a minute.
    fn is_due(&self, now: DateTime<Utc>) -> bool {
        let next = self.next.load(Ordering::Acquire);
        let later = (now + REFETCH_EVERY).timestamp();
        now.timestamp() >= next
            && self
                .next
                .compare_exchange(next, later, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    async fn first(&self) -> Result<Published, String> {
        let mut fetching = self.fetching.lock().await;
        if let Some(known) = self.known() {
            return Ok(known.keys);
        }
        let now = self.clock.now();
        if let Some((at, cause)) = &fetching.failed
            && now - *at < PAUSE
        {
            return Err(cause.clone());
        }
        let Some(fetcher) = &self.fetcher else {
            return Err("it has no keys".into());
        };
        match fetcher.discover().await {
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
        let fetcher = self.fetcher.as_ref()?;
        let mut fetching = self.fetching.lock().await;
        let known = self.known()?.keys;
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
        let found = match fetching.url.clone() {
            Some(url) => fetcher.keys(&url).await.map(|keys| (url, keys)),
            None => fetcher.discover().await,
        };
        match found {
            Ok((url, keys)) => {
                fetching.url = Some(url);
                Some(self.publish(&keys))
            }
            Err(cause) => {
                let issuer = fetcher.issuer();
                tracing::warn!(issuer.url = issuer, %cause, "refetching keys failed; the old ones stay in use");
                // They may have moved: next time discovery is asked.
                fetching.url = None;
                None
            }
        }
    }

    fn known(&self) -> Option<Known> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn publish(&self, keys: &CoreJsonWebKeySet) -> Published {
        let now = self.clock.now();
        let text: Vec<Value> = keys
            .keys()
            .iter()
            .filter_map(|key| serde_json::to_value(key).ok())
            .collect();
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let same = known.take().filter(|known| *known.text == text);
        let keys = match same {
            Some(same) => same.keys,
            None => Arc::new(text.iter().filter_map(Key::read).take(MOST_KEYS).collect()),
        };
        *known = Some(Known {
            keys: Arc::clone(&keys),
            text: Arc::new(text),
            fetched: now,
        });
        self.next
            .store((now + FRESH).timestamp(), Ordering::Release);
        keys
    }
}

impl Key {
    /// A key that can verify signatures; others (for encryption, symmetric, of unknown type) are passed over.
    fn read(json: &Value) -> Option<Self> {
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
