//! What must hold between the parts of the configuration before anything starts.

use std::collections::HashSet;
use std::net::ToSocketAddrs;

use reqwest::Url;

use super::{Client, Config, Error, dev_clients};

/// What `serve` without `--dev` says when no issuer is configured: the TOML to write.
const ISSUER_WANTED: &str = r#"no issuer is configured, so nobody could sign in. Write a file, say muster.toml:

[[issuer]]
url = "https://login.example.com/realms/people"   # exactly as in the tokens' iss
audience = "https://people.example.com/scim/v2"   # exactly as in the tokens' aud

[[system]]
name = "hris"

[[client]]
name = "hris"
issuer = "https://login.example.com/realms/people"
match = { claim = "azp", equals = "hris" }
system = "hris"
grants = [{ types = ["Person", "User"], rights = ["read", "search", "write", "delete"] }]

and start with: muster serve --config muster.toml
To try it out without an issuer: muster serve --dev"#;

impl Config {
    /// Checks what the parts say of each other. With `dev`, the embedded issuer will be added.
    ///
    /// # Errors
    /// The first mistake found, naming what is wrong and what would be right.
    pub fn check(&self, dev: bool) -> Result<(), Error> {
        self.check_server(dev)?;
        self.check_own_issuer()?;
        if self.issuers.is_empty() && self.own_issuer.is_none() && !dev {
            return Err(Error(ISSUER_WANTED.into()));
        }
        let mut urls = HashSet::new();
        for issuer in &self.issuers {
            check_issuer_url("issuer url", &issuer.url)?;
            if let Some(discovery) = &issuer.discovery {
                check_issuer_url("discovery url", discovery)?;
            }
            if !urls.insert(&issuer.url) {
                return Err(Error(format!(
                    "the issuer '{}' is configured twice",
                    issuer.url
                )));
            }
            if issuer.audiences.is_empty() || issuer.audiences.iter().any(String::is_empty) {
                return Err(Error(format!(
                    "the issuer '{}' needs an audience: the tokens' aud",
                    issuer.url
                )));
            }
        }
        let mut systems = HashSet::new();
        for system in &self.systems {
            check_name("system", &system.name)?;
            if !systems.insert(&system.name) {
                return Err(Error(format!(
                    "the system '{}' is configured twice",
                    system.name
                )));
            }
        }
        let mut imports = HashSet::new();
        for import in &self.imports {
            check_name("import", &import.name)?;
            if !imports.insert(&import.name) {
                return Err(Error(format!(
                    "the import '{}' is configured twice",
                    import.name
                )));
            }
        }
        self.check_clients(dev)?;
        self.check_sign_in(dev)
    }

    fn check_server(&self, dev: bool) -> Result<(), Error> {
        if dev && !is_loopback(&self.server.host) {
            return Err(Error(format!(
                "--dev listens on this machine alone, because everybody knows its clients' secrets; \
                 host '{}' is not a loopback address: leave it out, or configure an issuer and drop --dev",
                self.server.host
            )));
        }
        self.check_database()?;
        self.check_transport(dev)?;
        let Some(public) = &self.server.public_url else {
            return Ok(());
        };
        match Url::parse(public) {
            Ok(url) if url.scheme() == "http" && self.server.is_reached_by_tls() => {
                Err(Error(format!(
                    "public_url '{public}' must begin with https://, because callers come by TLS"
                )))
            }
            Ok(url)
                if matches!(url.scheme(), "http" | "https")
                    && url.query().is_none()
                    && url.fragment().is_none() =>
            {
                Ok(())
            }
            _ => Err(Error(format!(
                "public_url '{public}' is not the address of a SCIM service; write it like https://people.example.com/scim/v2"
            ))),
        }
    }

    /// Tokens and people travel in what is sent: by TLS, or on this machine alone (RFC 6750 §5.3, RFC 7644 §7.1).
    fn check_transport(&self, dev: bool) -> Result<(), Error> {
        let server = &self.server;
        let wrong = |text: &str| Err(Error(text.into()));
        if dev && server.tls.is_some() {
            return wrong(
                "--dev speaks plain HTTP, on this machine alone; leave [server.tls] out, or drop --dev",
            );
        }
        if server.tls.is_some() && server.behind_proxy {
            return wrong(
                "behind_proxy says that a proxy terminates TLS, and [server.tls] that this server does; write one of them",
            );
        }
        if server.behind_proxy && server.public_url.is_none() {
            return wrong(
                "behind_proxy needs public_url, how callers reach the proxy: public_url = \"https://people.example.com/scim/v2\"",
            );
        }
        if server.is_reached_by_tls() || is_loopback(&server.host) {
            return Ok(());
        }
        Err(Error(format!(
            "plain HTTP is served on this machine alone, and host '{}' is not a loopback address. Give the server a \
             certificate:\n\n[server.tls]\ncertificate = \"/etc/muster/tls.crt\"\nkey = \"/etc/muster/tls.key\"\n\n\
             or, if a proxy in front terminates TLS, write behind_proxy = true and public_url below [server]",
            server.host
        )))
    }

    /// Checks the database's address alone.
    ///
    /// # Errors
    /// When it is neither PostgreSQL's nor SQLite's.
    pub fn check_database(&self) -> Result<(), Error> {
        self.server
            .database_url
            .as_ref()
            .map_or(Ok(()), |url| check_database_url(url.reveal()))
    }

    fn check_clients(&self, dev: bool) -> Result<(), Error> {
        let mut names = HashSet::new();
        let mut matches = HashSet::new();
        for client in &self.clients {
            check_name("client", &client.name)?;
            let reserved = dev && dev_clients().iter().any(|known| known.name == client.name);
            if reserved || !names.insert(&client.name) {
                let why = if reserved {
                    "is one of --dev's own; give yours another name"
                } else {
                    "is configured twice"
                };
                return Err(Error(format!("the client '{}' {why}", client.name)));
            }
            if !matches.insert((
                &client.issuer,
                &client.matches.claim,
                &client.matches.equals,
            )) {
                return Err(Error(format!(
                    "the client '{}' matches the same tokens as another",
                    client.name
                )));
            }
            self.check_client(client, dev)?;
        }
        Ok(())
    }

    fn check_client(&self, client: &Client, dev: bool) -> Result<(), Error> {
        let name = &client.name;
        let own = self.own_issuer_url();
        let issuers = self.issuers.iter().map(|issuer| issuer.url.as_str());
        let known: Vec<_> = issuers.chain(own.as_deref()).collect();
        if !known.contains(&client.issuer.as_str()) {
            return Err(Error(format!(
                "the client '{name}' names the issuer '{}', which is not configured; [[issuer]] has: {}",
                client.issuer,
                listed(&known)
            )));
        }
        let known: Vec<_> = self
            .systems
            .iter()
            .map(|system| system.name.as_str())
            .collect();
        let of_dev = dev
            && dev_clients()
                .iter()
                .any(|known| known.name == client.system);
        if !of_dev && !known.contains(&client.system.as_str()) {
            return Err(Error(format!(
                "the client '{name}' names the system '{}', which is not configured; [[system]] has: {}",
                client.system,
                listed(&known)
            )));
        }
        check_name("tenant", &client.tenant)?;
        if client.matches.claim.is_empty() || client.matches.equals.is_empty() {
            return Err(Error(format!(
                "the client '{name}' needs a match with a claim and its value"
            )));
        }
        if client.me.as_ref().is_some_and(|me| me.claim.is_empty()) {
            return Err(Error(format!(
                "me of the client '{name}' needs a claim, such as \"preferred_username\""
            )));
        }
        if client
            .grants
            .iter()
            .any(|grant| grant.types.is_empty() || grant.rights.is_empty())
        {
            return Err(Error(format!(
                "a grant of the client '{name}' names no types or no rights"
            )));
        }
        Ok(())
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() {
        "nothing".into()
    } else {
        names.join(", ")
    }
}

/// Names stand on events and in logs: keep them short and visible.
fn check_name(what: &str, name: &str) -> Result<(), Error> {
    if !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    Err(Error(format!(
        "the {what} name '{}' must be 1 to 64 visible ASCII characters",
        name.escape_debug()
    )))
}

/// Keys are fetched from there: over TLS, unless it is this very machine (OpenID Connect Discovery §7.2).
fn check_issuer_url(what: &str, text: &str) -> Result<(), Error> {
    let url = Url::parse(text).map_err(|error| {
        Error(format!(
            "the {what} '{text}' is not a URL ({error}); write it like https://login.example.com"
        ))
    })?;
    let local = url
        .host_str()
        .is_some_and(|host| is_loopback(host.trim_start_matches('[').trim_end_matches(']')));
    if url.scheme() == "https" || (url.scheme() == "http" && local) {
        return Ok(());
    }
    Err(Error(format!(
        "the {what} '{text}' must begin with https://"
    )))
}

fn check_database_url(url: &str) -> Result<(), Error> {
    let (scheme, rest) = url.split_once(':').unwrap_or((url, ""));
    match scheme {
        "postgres" | "postgresql" if rest.starts_with("//") => Ok(()),
        "sqlite" if !rest.is_empty() => Ok(()),
        _ => Err(Error(
            "the database URL must begin with postgres:// (as in postgres://user@host/muster) or sqlite: \
             (as in sqlite:data/muster.db)"
                .into(),
        )),
    }
}

/// Whether listening on `host` reaches this machine alone.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<_> = addresses.collect();
            !addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback())
        }
        Err(_) => false,
    }
}
