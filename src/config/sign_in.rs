//! How people sign in, and as whom they act.

use serde::Deserialize;

use super::{Config, Error, dev_clients};
use crate::secret::Secret;

/// `[sign_in]`: this server as a client of an OpenID Provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The `url` of one of the issuers.
    pub issuer: String,
    /// Who this server is there.
    pub client_id: String,
    /// By what it proves it (`client_secret_basic`).
    pub client_secret: Secret,
    /// What is asked for beside `openid`; default `profile`.
    #[serde(default = "default_scopes")]
    pub scopes: Vec<String>,
}

fn default_scopes() -> Vec<String> {
    vec!["profile".into()]
}

/// `[[person_role]]`: whoever's ID token has this claim acts with the rights of that client, unless a policy's row says of whom.
/// The first that fits counts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRole {
    /// The name of the claim (`roles`, `groups`).
    pub claim: String,
    /// Its value, or what a list contains.
    pub equals: String,
    /// The name of a `[[client]]`.
    pub client: String,
}

impl Config {
    /// Checks how people sign in.
    pub(super) fn check_sign_in(&self, dev: bool) -> Result<(), Error> {
        let Some(sign_in) = &self.sign_in else {
            if self.person_roles.is_empty() {
                return Ok(());
            }
            return Err(Error(
                "there are [[person_role]]s, but nobody can sign in; [sign_in] says by which issuer".into(),
            ));
        };
        let url = &sign_in.issuer;
        if !self.issuers.iter().any(|issuer| issuer.url == *url) {
            return Err(Error(format!(
                "sign_in names the issuer '{url}', which is not configured; write an [[issuer]] with this url"
            )));
        }
        if sign_in.client_id.is_empty() || sign_in.client_secret.reveal().is_empty() {
            return Err(Error(
                "sign_in needs the client_id and the client_secret that its issuer has given to this server".into(),
            ));
        }
        for role in &self.person_roles {
            let PersonRole {
                claim,
                equals,
                client,
            } = role;
            if claim.is_empty() || equals.is_empty() {
                return Err(Error(format!(
                    "the person_role for the client '{client}' needs a claim and its value"
                )));
            }
            let of_dev = dev && dev_clients().iter().any(|known| known.name == client);
            if !of_dev && !self.clients.iter().any(|known| known.name == *client) {
                return Err(Error(format!(
                    "a person_role names the client '{client}', which is not configured"
                )));
            }
        }
        Ok(())
    }
}
