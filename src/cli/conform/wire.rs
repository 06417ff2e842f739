//! Requests to the server under test and its answers; what a run has made there is remembered, and removed again.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;

use crate::cli::Failure;
use crate::secret::Secret;

/// SCIM's media type (RFC 7644 §8.1).
const SCIM_JSON: &str = "application/scim+json";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// One request.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    /// Below the base URL, or a whole URL that the server has named.
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
}

impl Request {
    /// GET.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path, None)
    }

    /// A request with a body of JSON, or none.
    pub(super) fn new(method: &str, path: impl Into<String>, body: Option<&Value>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: BTreeMap::new(),
            body: body.map(Value::to_string),
        }
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    /// The body as JSON, where it is JSON.
    pub(super) body: Option<Value>,
}

impl Answer {
    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What a JSON pointer, or `header:Name`, leads to.
    pub(super) fn place(&self, pointer: &str) -> Option<Value> {
        match pointer.strip_prefix("header:") {
            Some(name) => self.header(name).map(Value::from),
            None => self.body.as_ref()?.pointer(pointer).cloned(),
        }
    }
}

/// The way to the server.
pub(super) struct Wire {
    http: Client,
    base: String,
    origin: String,
    token: Secret,
    /// Every exchange since it was last taken.
    pub(super) journal: Vec<(Request, Answer)>,
    /// Where this run's resources are, oldest first.
    made: Vec<String>,
}

impl Wire {
    /// A way to the server whose base URL this is.
    pub(super) fn new(url: &str, token: Secret) -> Result<Self, Failure> {
        let base = url.trim_end_matches('/').to_owned();
        let parsed = Url::parse(&base)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                Failure::usage(
                    "--url must be the base of a SCIM service, such as https://scim.example.com/v2",
                )
            })?;
        let http = Client::builder()
            // An answer is judged as it is, and a token is not carried elsewhere.
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Failure::run(format!("cannot prepare to send: {error}")))?;
        Ok(Self {
            http,
            origin: parsed.origin().ascii_serialization(),
            base,
            token,
            journal: Vec::new(),
            made: Vec::new(),
        })
    }

    /// Sends a request. A header given as the empty text is not sent.
    pub(super) async fn send(&mut self, request: Request) -> Result<Answer, String> {
        let url = self.locate(&request.path)?;
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| format!("'{}' is no method", request.method))?;
        let mut sending = self.http.request(method, url);
        let given = |name: &str| {
            request
                .headers
                .keys()
                .any(|given| given.eq_ignore_ascii_case(name))
        };
        if !given("authorization") {
            let bearer = format!("Bearer {}", self.token.reveal());
            sending = sending.header(AUTHORIZATION, bearer);
        }
        if !given("accept") {
            sending = sending.header(ACCEPT, SCIM_JSON);
        }
        if let Some(body) = &request.body {
            if !given("content-type") {
                sending = sending.header(CONTENT_TYPE, SCIM_JSON);
            }
            sending = sending.body(body.clone());
        }
        for (name, value) in request
            .headers
            .iter()
            .filter(|(_, value)| !value.is_empty())
        {
            sending = sending.header(name, value);
        }
        let answer = sending.send().await.map_err(no_answer)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.map_err(no_answer)?;
        let answer = Answer {
            status,
            headers,
            body: serde_json::from_str(&text).ok(),
            text,
        };
        self.remember(&request, &answer);
        self.journal.push((request, answer.clone()));
        Ok(answer)
    }

    /// The URL of a path. The token stays with the server under test.
    fn locate(&self, path: &str) -> Result<Url, String> {
        let url = if path.starts_with("http://") || path.starts_with("https://") {
            Url::parse(path)
        } else {
            Url::parse(&format!("{}{path}", self.base))
        };
        let url = url.map_err(|error| format!("'{path}' makes no URL: {error}"))?;
        if url.origin().ascii_serialization() == self.origin {
            return Ok(url);
        }
        Err(format!(
            "'{path}' is not on {}, and the token is sent nowhere else",
            self.origin
        ))
    }

    fn remember(&mut self, request: &Request, answer: &Answer) {
        let path = request.path.split('?').next().unwrap_or_default();
        match (request.method.as_str(), answer.status) {
            ("POST", 201) => {
                let id = answer.place("/id");
                let by_id = id.as_ref().and_then(Value::as_str);
                let own = by_id
                    .filter(|_| path != "/Me")
                    .map(|id| format!("{path}/{id}"));
                let location = own.or_else(|| answer.header("location").map(str::to_owned));
                self.made.extend(location);
            }
            ("POST", 200) if path == "/Bulk" => {
                let operations = answer.place("/Operations");
                for operation in operations.iter().filter_map(Value::as_array).flatten() {
                    let text = |name: &str| operation.get(name).and_then(Value::as_str);
                    if text("status") == Some("201") {
                        self.made.extend(text("location").map(str::to_owned));
                    }
                }
            }
            _ => {}
        }
    }

    /// Deletes what was made and is still there, the newest first; answers what stayed behind.
    pub(super) async fn clean(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        while let Some(location) = self.made.pop() {
            let gone = match self.send(Request::new("DELETE", &location, None)).await {
                Ok(answer) => (200..300).contains(&answer.status) || answer.status == 404,
                Err(_) => false,
            };
            if !gone {
                left.push(location);
            }
        }
        left
    }
}

/// Why there is no answer, without the URL, which may be long and is known.
fn no_answer(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    format!("no answer: {text}")
}

/// A path with query parameters, which are encoded here. A blank is `%20`, which every server understands.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let encoded = Url::parse_with_params("http://localhost", pairs).ok();
    let query = encoded.as_ref().and_then(Url::query).unwrap_or_default();
    format!("{path}?{}", query.replace('+', "%20"))
}
