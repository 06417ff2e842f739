//! The OpenID Provider: where the browser is sent, and what the code that it brings back is worth (OpenID Connect Core
//! §3.1). It is called like the issuers of access tokens are: in bounded time, without redirects.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::Algorithm;
use jsonwebtoken::dangerous::insecure_decode_claims;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreTokenResponse,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, OAuth2TokenResponse, PkceCodeChallenge, RequestTokenError, Scope, TokenResponse,
};

use super::SignIn;
use super::attempt::Attempt;
use crate::http::token::{Claims, chain};

/// For how long the provider's description is used for sending browsers there. What a code is worth is checked by a fresh
/// one.
const FRESH: TimeDelta = TimeDelta::minutes(5);

/// After it could not be had, browsers are told so at once for so long.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

/// This server as a client of the provider.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why nobody is signed in; the texts are for the log.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The provider cannot be asked.
    Unreachable(String),
    /// It says no, or what it says cannot be trusted.
    Refused(String),
}

impl SignIn {
    /// The address to send the browser to.
    pub(super) async fn address(
        &self,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> Result<Url, Trouble> {
        let metadata = self.described(now).await?;
        let client = self.client(metadata);
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&attempt.verifier());
        let (state, nonce) = (attempt.state(), attempt.nonce());
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || state,
                || nonce,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.client.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        Ok(request.url().0)
    }

    /// Redeems a code: the claims of the ID token, verified.
    pub(super) async fn redeem(
        &self,
        code: String,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> Result<Claims, Trouble> {
        let client = self.client(self.described(now).await?);
        let send = |request| self.fetcher.send(request);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| Trouble::Unreachable(chain(&error)))?
            .set_pkce_verifier(attempt.verifier())
            .request_async(&send)
            .await;
        let answer = answer.map_err(|error| match &error {
            RequestTokenError::ServerResponse(_) => Trouble::Refused(chain(&error)),
            _ => Trouble::Unreachable(chain(&error)),
        })?;
        // The code was good, so this is no stranger's request: the keys may be asked for.
        let metadata = self.fetcher.metadata().await;
        let client = self.client(metadata.map_err(Trouble::Unreachable)?);
        self.verified(&client, &answer, attempt, now)
    }

    /// OpenID Connect Core §3.1.3.7: issuer, audience, signature, times and nonce.
    fn verified(
        &self,
        client: &Client,
        answer: &CoreTokenResponse,
        attempt: &Attempt,
        now: DateTime<Utc>,
    ) -> Result<Claims, Trouble> {
        let refused = |why: String| Trouble::Refused(why);
        let token = answer.id_token();
        let token = token.ok_or_else(|| refused("there is no ID token".into()))?;
        let algorithms = self.issuer.algorithms.iter().copied().filter_map(algorithm);
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(algorithms)
            .set_time_fn(move || now);
        let claims = token
            .claims(&verifier, &attempt.nonce())
            .map_err(|error| refused(chain(&error)))?;
        // §3.1.3.8: the access token is the one that came with it.
        if let Some(wanted) = claims.access_token_hash() {
            let is = token
                .signing_alg()
                .and_then(|alg| Ok((alg, token.signing_key(&verifier)?)))
                .map_err(|error| refused(chain(&error)))
                .and_then(|(alg, key)| {
                    AccessTokenHash::from_token(answer.access_token(), alg, key)
                        .map_err(|error| refused(chain(&error)))
                })?;
            if is != *wanted {
                return Err(refused("at_hash is not that of the access token".into()));
            }
        }
        // Verified above: now all claims, because a role may be told by any.
        insecure_decode_claims(token.to_string()).map_err(|error| refused(chain(&error)))
    }

    /// The provider's description, not older than five minutes.
    async fn described(&self, now: DateTime<Utc>) -> Result<CoreProviderMetadata, Trouble> {
        let mut described = self.described.lock().await;
        let known = described.as_ref().filter(|(fetched, known)| {
            let good_for = if known.is_ok() { FRESH } else { PAUSE };
            now - *fetched < good_for
        });
        if let Some((_, known)) = known {
            return known.clone().map_err(Trouble::Unreachable);
        }
        let found = self.fetcher.metadata().await;
        *described = Some((now, found.clone()));
        found.map_err(Trouble::Unreachable)
    }

    fn client(&self, metadata: CoreProviderMetadata) -> Client {
        let id = ClientId::new(self.client.client_id.clone());
        let secret = ClientSecret::new(self.client.client_secret.reveal().to_owned());
        CoreClient::from_provider_metadata(metadata, id, Some(secret))
            .set_redirect_uri(self.redirect.clone())
    }
}

/// The same algorithm by its name (RFC 7518 §3.1).
fn algorithm(known: Algorithm) -> Option<CoreJwsSigningAlgorithm> {
    let name = serde_json::to_value(known).ok()?;
    serde_json::from_value(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_the_same_names_in_both_libraries() {
        let pairs = [
            (
                Algorithm::RS256,
                CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            ),
            (Algorithm::ES256, CoreJwsSigningAlgorithm::EcdsaP256Sha256),
            (Algorithm::PS512, CoreJwsSigningAlgorithm::RsaSsaPssSha512),
            (Algorithm::EdDSA, CoreJwsSigningAlgorithm::EdDsa),
        ];
        for (ours, theirs) in pairs {
            assert_eq!(algorithm(ours), Some(theirs));
        }
    }
}
