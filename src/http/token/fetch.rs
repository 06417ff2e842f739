//! Fetching an issuer's documents: no redirects, five seconds, a bounded answer.

use std::net::IpAddr;
use std::time::Duration;

use openidconnect::core::{CoreJsonWebKeySet, CoreProviderMetadata};
use openidconnect::reqwest::{self, Client, redirect};
use openidconnect::{HttpRequest, HttpResponse, IssuerUrl, JsonWebKeySetUrl, http};

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
pub(super) enum FetchError {
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Http(#[from] http::Error),
}

/// Fetches the documents of one issuer.
pub(super) struct Fetcher {
    client: Client,
    issuer: IssuerUrl,
}

impl Fetcher {
    /// A fetcher for the issuer found at `url`.
    pub(super) fn new(url: &str) -> Result<Self, SetupError> {
        let issuer = IssuerUrl::new(url.to_owned())?;
        // A redirect could lead into the operator's own network. Connections are not kept: a request runs on one
        // worker's event loop, and the next fetch is minutes away on another's.
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT)
            .pool_max_idle_per_host(0);
        if is_local(&issuer) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
            issuer,
        })
    }

    /// Discovery (OpenID Connect Discovery §4) and the keys it names; the document must name this very issuer.
    pub(super) async fn discover(&self) -> Result<(JsonWebKeySetUrl, CoreJsonWebKeySet), String> {
        let send = |request| self.send(request);
        let found = CoreProviderMetadata::discover_async(self.issuer.clone(), &send).await;
        let metadata = found.map_err(|error| chain(&error))?;
        Ok((metadata.jwks_uri().clone(), metadata.jwks().clone()))
    }

    /// The keys alone.
    pub(super) async fn keys(&self, url: &JsonWebKeySetUrl) -> Result<CoreJsonWebKeySet, String> {
        let send = |request| self.send(request);
        CoreJsonWebKeySet::fetch_async(url, &send)
            .await
            .map_err(|error| chain(&error))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, FetchError> {
        let mut response = self.client.execute(request.try_into()?).await?;
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

/// Whether the issuer is on this machine, where no proxy leads.
fn is_local(issuer: &IssuerUrl) -> bool {
    let host = issuer
        .url()
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback())
}

/// An error with all of its reasons, for the log.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
