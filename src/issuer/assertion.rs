//! `private_key_jwt`: a client proves who it is by a JWT that it signed itself (RFC 7523 §2.2 and §3, OpenID Connect
//! Core §9), with a key whose public half was registered when the issuer started.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::Error;
use crate::config::dev_clients;

/// The one `client_assertion_type` there is (RFC 7523 §2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
/// How long an assertion may be good for, in seconds: its `jti` is remembered until then.
const LONGEST_LIFE: i64 = 300;
/// Longer texts than this are nobody's assertion.
const LONGEST: usize = 16 * 1024;
/// The longest `jti` that is remembered.
const LONGEST_ID: usize = 256;
/// How many assertions are remembered at once. More are refused: an assertion that is not remembered could be sent again.
const CAPACITY: usize = 10_000;

/// The registered keys, and the assertions that have been used.
#[derive(Default)]
pub(super) struct Assertions {
    keys: Vec<Registered>,
    /// When each `jti` of each client ends, in seconds since 1970.
    used: Mutex<HashMap<(&'static str, String), i64>>,
}

struct Registered {
    client: &'static str,
    id: Option<String>,
    algorithm: Algorithm,
    decoding: DecodingKey,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: String,
}

impl Assertions {
    /// Registers the keys of a JSON Web Key Set (RFC 7517 §5) as those of a client of `--dev`.
    pub(super) fn register(&mut self, client: &str, text: &str) -> Result<(), Error> {
        let known = dev_clients().iter().find(|known| known.name == client);
        let Some(known) = known else {
            let names: Vec<_> = dev_clients().iter().map(|known| known.name).collect();
            return Err(Error(format!(
                "'{client}' is no client of --dev; they are {}",
                names.join(", ")
            )));
        };
        let wrong = |why: &str| {
            Error(format!(
                "the keys of '{client}' {why}; write a JSON Web Key Set of public keys: \
                 {{\"keys\": [{{\"kty\": \"EC\", \"crv\": \"P-256\", …}}]}}"
            ))
        };
        let raw: Value = serde_json::from_str(text).map_err(|_| wrong("are no JSON"))?;
        let listed = raw["keys"]
            .as_array()
            .ok_or_else(|| wrong("have no list"))?;
        if listed.iter().any(|key| key.get("d").is_some()) {
            return Err(wrong(
                "are private, and the private half is the client's alone",
            ));
        }
        let set: JwkSet = serde_json::from_value(raw.clone()).map_err(|_| wrong("are no JWKS"))?;
        let before = self.keys.len();
        for key in &set.keys {
            let algorithm =
                algorithm(key).ok_or_else(|| wrong("are for neither RS256 nor ES256"))?;
            self.keys.push(Registered {
                client: known.name,
                id: key.common.key_id.clone(),
                algorithm,
                decoding: DecodingKey::from_jwk(key).map_err(|_| wrong("are unsound"))?,
            });
        }
        if self.keys.len() == before {
            return Err(wrong("are none"));
        }
        Ok(())
    }

    /// The client whose assertion this is, at `now` (Unix seconds); `audiences` are the issuer and its token endpoint.
    /// Else what is wrong, fit for `error_description`.
    pub(super) fn prove(
        &self,
        assertion: &str,
        audiences: &[&str],
        now: i64,
    ) -> Result<&'static str, &'static str> {
        if assertion.len() > LONGEST {
            return Err("the assertion is too long");
        }
        let header = decode_header(assertion).map_err(|_| "the assertion is not a signed JWT")?;
        if header.crit.is_some() {
            return Err("the assertion has a crit header");
        }
        let fits = |key: &&Registered| {
            key.algorithm == header.alg && (header.kid.is_none() || header.kid == key.id)
        };
        let mut why = "no key that was registered for the client proves the assertion";
        for key in self.keys.iter().filter(fits) {
            match decode::<Claims>(assertion, &key.decoding, &validation(key, audiences)) {
                Ok(proof) => {
                    self.check(key.client, proof.claims, now)?;
                    return Ok(key.client);
                }
                Err(error) => match error.kind() {
                    ErrorKind::InvalidSignature => {}
                    ErrorKind::InvalidAudience => {
                        why = "the assertion's aud is neither the issuer nor its token endpoint";
                    }
                    ErrorKind::InvalidIssuer | ErrorKind::InvalidSubject => {
                        why = "the assertion's iss and sub must both be the client";
                    }
                    _ => why = "the assertion needs iss, sub, aud, exp and jti",
                },
            }
        }
        Err(why)
    }

    /// Checks the times (RFC 7523 §3, 4 to 6), and that the assertion has not been used (7).
    fn check(&self, client: &'static str, claims: Claims, now: i64) -> Result<(), &'static str> {
        let ends = claims.exp.saturating_add(LEEWAY);
        if now >= ends {
            return Err("the assertion has expired");
        }
        if claims.exp > now.saturating_add(LONGEST_LIFE + LEEWAY) {
            return Err("the assertion's exp is more than five minutes away");
        }
        let early = |time: Option<i64>| time.is_some_and(|time| time > now.saturating_add(LEEWAY));
        if early(claims.nbf) || early(claims.iat) {
            return Err("the assertion's nbf or iat is in the future");
        }
        if claims.jti.is_empty() || claims.jti.len() > LONGEST_ID {
            return Err("the assertion's jti must have 1 to 256 bytes");
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= CAPACITY {
            used.retain(|_, ends| now < *ends);
        }
        let id = (client, claims.jti);
        if used.get(&id).is_some_and(|ends| now < *ends) {
            return Err("the assertion has been used before");
        }
        if used.len() >= CAPACITY {
            return Err("too many assertions are in use");
        }
        used.insert(id, ends);
        Ok(())
    }
}

/// Times are checked by our own clock.
fn validation(key: &Registered, audiences: &[&str]) -> Validation {
    let mut validation = Validation::new(key.algorithm);
    validation.validate_exp = false;
    validation.set_issuer(&[key.client]);
    validation.sub = Some(key.client.into());
    validation.set_audience(audiences);
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation
}

/// What a key signs with; nothing if that is not accepted here.
fn algorithm(key: &Jwk) -> Option<Algorithm> {
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            Some(Algorithm::ES256)
        }
        _ => None,
    }
}
