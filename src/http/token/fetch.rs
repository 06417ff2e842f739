//! Fetching an issuer's documents: no redirects, five seconds, a bounded answer.

use std::time::Duration;

use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::reqwest::{self, Client, redirect};
use openidconnect::url::Url;
use openidconnect::{HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySetUrl, http};

use super::guard::{Forbidden, Guard, Home, is_local};
use crate::config;

/// What discovery hangs on below an issuer's address.
const WELL_KNOWN: &str = ".well-known/openid-configuration";
/// How long an issuer may take to answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes it may answer.
const LARGEST: usize = 1024 * 1024;

/// Why the client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The issuer's URL is none.
    #[error("the issuer url is not a URL: {0}")]
    Url(#[from] openidconnect::url::ParseError),
    /// The HTTP client cannot start.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

/// Why an answer is not used.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum FetchError {
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// Fetches the documents of one issuer.
pub(in crate::http) struct Fetcher {
    issuer: IssuerUrl,
    /// Where discovery would be by the issuer's own address (OpenID Connect Discovery §4).
    usual: Url,
    /// Where it is.
    discovery: Url,
    home: Home,
}

impl Fetcher {
    /// A fetcher for the issuer of this configuration.
    pub(in crate::http) fn new(issuer: &config::Issuer) -> Result<Self, SetupError> {
        let url = IssuerUrl::new(issuer.url.clone())?;
        let usual = url.join(WELL_KNOWN)?;
        let discovery = match &issuer.discovery {
            Some(url) => Url::parse(url)?,
            None => usual.clone(),
        };
        // What is wrong with the client is found out now.
        client(&discovery, None)?;
        Ok(Self {
            issuer: url,
            usual,
            home: Home::of(&discovery),
            discovery,
        })
    }

    /// The issuer identifier, for the log.
    pub(super) fn issuer(&self) -> &str {
        self.issuer.as_str()
    }

    /// Discovery (OpenID Connect Discovery §4) and the keys it names; the document must name this very issuer.
    pub(super) async fn discover(&self) -> Result<(JsonWebKeySetUrl, CoreJsonWebKeySet), String> {
        let metadata = self.metadata().await?;
        Ok((metadata.jwks_uri().clone(), metadata.jwks().clone()))
    }

    /// All that discovery says, with the keys.
    pub(in crate::http) async fn metadata(&self) -> Result<CoreProviderMetadata, String> {
        let send = |request| self.send(request);
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &send).await;
        found.map_err(|error| chain(&error))
    }

    /// The keys alone.
    pub(super) async fn keys(&self, url: &JsonWebKeySetUrl) -> Result<CoreJsonWebKeySet, String> {
        let send = |request| self.send(request);
        CoreJsonWebKeySet::fetch_async(url, &send)
            .await
            .map_err(|error| chain(&error))
    }

    /// Sends a request of ours to the issuer, or to where its documents lead.
    pub(in crate::http) async fn send(
        &self,
        request: HttpRequest,
    ) -> Result<HttpResponse, FetchError> {
        let mut request: reqwest::Request = request.try_into()?;
        if *request.url() == self.usual {
            *request.url_mut() = self.discovery.clone();
        }
        let guard = self.home.check(request.url()).await?;
        let client = client(request.url(), guard)?;
        let mut response = client.execute(request).await?;
        let mut answer = http::Response::builder().status(response.status());
        for (name, value) in response.headers() {
            answer = answer.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > LARGEST {
                return Err(FetchError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(answer.body(body)?)
    }
}

/// A client for one request. A redirect is not followed: it could lead anywhere. Connections are not kept: a request
/// runs on one worker's event loop, and the next fetch is minutes away on another's.
fn client(url: &Url, guard: Option<Guard>) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(0);
    if is_local(url) {
        builder = builder.no_proxy();
    }
    if let Some(guard) = guard {
        builder = builder.dns_resolver(guard.shared());
    }
    builder.build()
}

/// An error with all of its reasons, for the log.
pub(in crate::http) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
