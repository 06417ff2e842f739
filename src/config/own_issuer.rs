//! `[own_issuer]`: the server's own production issuer, for callers that can only hold a bearer token. `muster token issue`
//! alone makes its tokens; it has no token endpoint.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use super::{Config, Error, Issuer};
use jsonwebtoken::Algorithm;

/// Where SCIM hangs below the address of the server.
const SCIM: &str = "/scim/v2";

/// `[own_issuer]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnIssuer {
    /// The file of its signing key (ES256, in PEM form), made for its owner alone when it is first wanted. A file with another
    /// key ends all tokens, but for those of `previous`.
    pub key: PathBuf,
    /// The files of the keys whose place it has taken: their tokens stay good until they end, or until the file is left out.
    #[serde(default)]
    pub previous: Vec<PathBuf>,
    /// The `aud` of its tokens; default `muster`.
    #[serde(default = "audience")]
    pub audience: String,
    /// For how many days a token may be good; default 365: whoever has a copy can use it, and nobody notices.
    #[serde(default = "most_days")]
    pub most_days: u16,
}

fn audience() -> String {
    "muster".into()
}

/// Whoever has a bearer token can use it, and nobody notices a copy: it is replaced at least once a year.
fn most_days() -> u16 {
    365
}

impl Config {
    /// The identifier of the server's own issuer, if it has one: `public_url` with `/issuer` in place of `/scim/v2`.
    #[must_use]
    pub fn own_issuer_url(&self) -> Option<String> {
        self.own_issuer.as_ref()?;
        let public = self.server.public_url.as_deref()?.trim_end_matches('/');
        Some(format!(
            "{}/issuer",
            public.strip_suffix(SCIM).unwrap_or(public)
        ))
    }

    /// Checks what the server's own issuer needs.
    ///
    /// # Errors
    /// When it has no address, no audience, or is configured as another's too.
    pub fn check_own_issuer(&self) -> Result<(), Error> {
        let Some(own) = &self.own_issuer else {
            return Ok(());
        };
        let Some(url) = self.own_issuer_url() else {
            return Err(Error(
                "[own_issuer] needs public_url below [server]: its tokens carry its address. Write \
                 public_url = \"https://people.example.com/scim/v2\""
                    .into(),
            ));
        };
        if own.audience.is_empty() || own.most_days == 0 {
            return Err(Error(
                "[own_issuer] needs an audience, and most_days of 1 or more".into(),
            ));
        }
        if self.issuers.iter().any(|issuer| issuer.url == url) {
            return Err(Error(format!(
                "the issuer '{url}' is the server's own; leave it out of [[issuer]]"
            )));
        }
        Ok(())
    }

    /// Trusts the server's own issuer, found at `url`, whose public keys (RFC 7517 §4) are at hand.
    pub fn add_own_issuer(&mut self, url: &str, keys: Vec<Value>) {
        let Some(own) = &self.own_issuer else { return };
        self.issuers.push(Issuer {
            url: url.into(),
            audiences: vec![own.audience.clone()],
            discovery: None,
            algorithms: vec![Algorithm::ES256],
            tenants: None,
            own: Some(keys),
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::config::parse;

    #[test]
    fn its_address_is_that_of_the_server() {
        let at = |public: &str| {
            parse(&format!(
                "[server]\npublic_url = \"{public}\"\n[own_issuer]\nkey = \"k.pem\""
            ))
            .unwrap()
        };
        for (public, url) in [
            ("https://p.example/scim/v2", "https://p.example/issuer"),
            ("https://p.example/a/scim/v2/", "https://p.example/a/issuer"),
            ("https://p.example/idm", "https://p.example/idm/issuer"),
        ] {
            let config = at(public);
            assert_eq!(config.own_issuer_url().as_deref(), Some(url));
            assert!(config.check(false).is_ok());
        }
        let none = parse("[server]\npublic_url = \"https://p.example/scim/v2\"").unwrap();
        assert_eq!(none.own_issuer_url(), None);
    }

    #[test]
    fn without_an_address_or_beside_itself_it_is_refused() {
        let nowhere = parse("[own_issuer]\nkey = \"k.pem\"").unwrap();
        let said = nowhere.check(true).unwrap_err().to_string();
        assert!(said.contains("needs public_url"), "{said}");
        let twice = parse(
            "[server]\npublic_url = \"https://p.example/scim/v2\"\n[own_issuer]\nkey = \"k.pem\"\n\
             [[issuer]]\nurl = \"https://p.example/issuer\"\naudience = \"x\"",
        );
        let said = twice.unwrap().check(false).unwrap_err().to_string();
        assert!(said.contains("the server's own"), "{said}");
    }
}
