//! Who is signed in: from a cookie to the session and the client with whose rights its person acts.

use std::sync::Arc;

use actix_web::{HttpMessage, HttpRequest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::SignIn;
use super::cookie::{self, Kind};
use crate::domain::context::{Client, Context};
use crate::domain::session::Session;
use crate::http::Door;
use crate::http::caller::Correlation;
use crate::http::clients::{Clients, Unknown, holds};
use crate::http::error::Failure;
use crate::http::token::Claims;
use crate::id::TenantId;
use crate::secret::Secret;

/// Somebody who is signed in.
pub(super) struct Visitor {
    /// As whom they act.
    pub(super) context: Context,
    pub(super) session: Session,
    pub(super) secret: Vec<u8>,
}

impl Visitor {
    /// Whoever the request's cookie is of, if that session is not over and its role still there.
    pub(super) async fn of(
        request: &HttpRequest,
        door: &Door,
        sign_in: &SignIn,
    ) -> Result<Option<Self>, Failure> {
        let cookie = cookie::read(request, Kind::Session, sign_in.secure);
        let secret = cookie.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let Some(secret) = secret else {
            return Ok(None);
        };
        let found = door.service.session(&secret, door.clock.now()).await?;
        let Some((tenant, session)) = found else {
            return Ok(None);
        };
        let client = standing(door, sign_in, (tenant, &session.client));
        Ok(client.map(|client| Self {
            context: context(request, door, client),
            session,
            secret,
        }))
    }

    /// What a form that this session was shown sends back, and no other can know.
    pub(super) fn form_token(&self) -> String {
        let digest = Sha256::new()
            .chain_update("form")
            .chain_update([0])
            .chain_update(&self.secret)
            .finalize();
        URL_SAFE_NO_PAD.encode(digest)
    }

    /// Whether a form is this session's own.
    pub(super) fn has_sent(&self, token: &str) -> bool {
        Secret::new(self.form_token()).equals(token)
    }
}

/// The client with whose rights a session goes on, if that is still a role.
fn standing(
    door: &Door,
    sign_in: &SignIn,
    (tenant, name): (TenantId, &str),
) -> Option<Arc<Client>> {
    let policies = door.service.policies();
    let issuer = sign_in.issuer.url.as_str();
    let of_policy = Clients::for_people((tenant, name), issuer, &policies);
    of_policy.or_else(|| {
        let is_role = sign_in.roles.iter().any(|role| role.client == name);
        let client = is_role.then(|| client(door, name)).flatten();
        client.filter(|client| client.tenant == tenant)
    })
}

/// The client whose row of a policy the claims fit; otherwise that of the first role of the configuration that they have.
pub(super) fn role(door: &Door, sign_in: &SignIn, claims: &Claims) -> Option<Arc<Client>> {
    let policies = door.service.policies();
    let said = (sign_in.issuer.url.as_str(), claims);
    match door.clients.of_person(said, &policies) {
        Ok(client) => return Some(client),
        Err(Unknown::Nobody) => {}
        Err(Unknown::Disabled(_) | Unknown::Ambiguous) => return None,
    }
    let mut roles = sign_in.roles.iter();
    let role = roles.find(|role| holds((&role.claim, &role.equals), claims))?;
    client(door, &role.client)
}

fn client(door: &Door, name: &str) -> Option<Arc<Client>> {
    door.clients.named(name, &door.service.policies())
}

/// What travels first, for what is done by browser.
pub(super) fn context(request: &HttpRequest, door: &Door, client: Arc<Client>) -> Context {
    let extensions = request.extensions();
    let correlation = extensions.get::<Correlation>();
    Context {
        client,
        correlation: correlation
            .map(|found| found.id.to_string())
            .unwrap_or_default(),
        base_url: door.base_url.clone(),
        now: door.clock.now(),
        said_at: None,
        by_human: true,
        attempt: None,
    }
}
