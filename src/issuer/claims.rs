//! What an access token of the embedded issuer says (RFC 9068 §2.2).

use chrono::TimeDelta;
use serde::Serialize;

use super::Issuer;
use crate::config::DEV_AUDIENCE;

/// How long a token is good for.
pub(super) const LIFETIME: TimeDelta = TimeDelta::hours(1);
/// The one scope there is; what a client may do is the server's configuration, not the token's.
pub(super) const SCOPE: &str = "scim";

/// The claims.
#[derive(Serialize)]
pub(super) struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    azp: &'a str,
    client_id: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
    scope: &'a str,
    /// The account that the token is of, if the client named one: `/Me` at the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
}

impl<'a> Claims<'a> {
    /// The claims of a fresh token for `client`, on behalf of `username` if there is one.
    pub(super) fn fresh(issuer: &'a Issuer, client: &'a str, username: Option<&'a str>) -> Self {
        let now = issuer.clock.now();
        Self {
            iss: &issuer.url,
            aud: DEV_AUDIENCE,
            sub: client,
            azp: client,
            client_id: client,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + LIFETIME).timestamp(),
            jti: issuer.ids.event(now).to_string(),
            scope: SCOPE,
            preferred_username: username,
        }
    }
}

/// How long an ID token is good for.
const ID_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// What an ID token says of somebody who signed in (OpenID Connect Core §2).
#[derive(Serialize)]
pub(super) struct IdClaims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    name: &'a str,
    roles: [&'a str; 1],
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl<'a> IdClaims<'a> {
    /// The claims for `client` of somebody whose name is their role too.
    pub(super) fn fresh(
        issuer: &'a Issuer,
        client: &'a str,
        who: &'a str,
        nonce: Option<&'a str>,
    ) -> Self {
        let now = issuer.clock.now();
        Self {
            iss: &issuer.url,
            aud: client,
            sub: who,
            name: who,
            roles: [who],
            iat: now.timestamp(),
            exp: (now + ID_LIFETIME).timestamp(),
            nonce,
        }
    }
}
