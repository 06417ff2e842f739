//! A client over HTTP, and the answers it gets. What must hold of every answer is checked on each.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::{PATCH_OP, SEARCH, body};

/// SCIM's media type.
pub(crate) const SCIM_JSON: &str = "application/scim+json";

/// A plain HTTP client: no proxies, no redirects.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        // Sooner than the server closes it: a request on a connection that is just being closed would have no answer.
        .pool_idle_timeout(Duration::from_secs(2))
        .build()
        .expect("an HTTP client can be made")
}

/// A token of the embedded issuer for one of its clients.
pub(crate) async fn token(http: &reqwest::Client, origin: &str, name: &str) -> String {
    token_as(http, origin, name, None).await
}

/// The same, of somebody's account.
pub(crate) async fn token_as(
    http: &reqwest::Client,
    origin: &str,
    name: &str,
    user_name: Option<&str>,
) -> String {
    let user_name = user_name.map_or_else(String::new, |name| format!("&username={name}"));
    let answer = http
        .post(format!("{origin}/dev/token"))
        .basic_auth(name, Some(format!("{name}-secret")))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("grant_type=client_credentials{user_name}"))
        .send()
        .await
        .expect("the issuer answers");
    let text = answer.text().await.expect("an answer with a body");
    let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"));
    answer["access_token"]
        .as_str()
        .unwrap_or_else(|| panic!("no token for {name}: {text}"))
        .to_owned()
}

/// Somebody who calls.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    scim: String,
    token: Option<String>,
    /// Headers of every request.
    always: Vec<(String, String)>,
}

impl Client {
    /// A caller of the service at `scim`.
    pub(crate) fn new(http: reqwest::Client, scim: String, token: Option<String>) -> Self {
        Self {
            http,
            scim,
            token,
            always: Vec::new(),
        }
    }

    /// Sends anything; nothing if the server did not answer.
    pub(crate) async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Option<Answer> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.scim)
        };
        let mut request = self.http.request(method.clone(), &url);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(body) = body {
            if !headers
                .iter()
                .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            {
                request = request.header(CONTENT_TYPE, SCIM_JSON);
            }
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        for (name, value) in &self.always {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.ok()?;
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text)
                .unwrap_or_else(|_| panic!("{method} {url} answered no JSON: {text}")),
        };
        let answer = Answer {
            what: format!("{method} {}", shortened(&url)),
            status,
            headers,
            body,
            text,
        };
        answer.check();
        Some(answer)
    }

    /// Sends anything.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        self.try_send(method, path, headers, body)
            .await
            .expect("the server answers")
    }

    async fn send_json(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        self.send(method, path, headers, Some(body.to_string().into_bytes()))
            .await
    }

    /// GET.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    /// GET written to the socket as it is, where an HTTP library would not send it: the status and the body.
    pub(crate) fn raw_get(&self, path: &str) -> (u16, Value) {
        let address = self
            .scim
            .trim_start_matches("http://")
            .split('/')
            .next()
            .expect("an address");
        let token = self.token.as_deref().unwrap_or_default();
        let request = format!(
            "GET /scim/v2{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        let mut stream = TcpStream::connect(address).expect("the server listens");
        stream
            .set_read_timeout(Some(super::PATIENCE))
            .expect("a timeout can be set");
        // The server may answer, and close, before it has read everything.
        drop(stream.write_all(request.as_bytes()));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let answer = String::from_utf8(answer).expect("an answer in UTF-8");
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: '{answer}'"));
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// GET with query parameters that are yet to be encoded.
    pub(crate) async fn list(&self, endpoint: &str, query: &[(&str, &str)]) -> Answer {
        let url = reqwest::Url::parse_with_params(&format!("{}{endpoint}", self.scim), query)
            .expect("a URL");
        self.get(url.as_str()).await
    }

    /// GET with a filter, whose answer must be a list.
    pub(crate) async fn find(&self, endpoint: &str, filter: &str) -> Vec<Value> {
        let answer = self
            .list(endpoint, &[("filter", filter), ("count", "500")])
            .await;
        assert_eq!(answer.status, 200, "{filter}: {}", answer.body);
        answer.resources().to_vec()
    }

    /// POST .search; `schemas` is added.
    pub(crate) async fn search(&self, endpoint: &str, mut request: Value) -> Answer {
        request["schemas"] = json!([SEARCH]);
        self.send_json(Method::POST, &format!("{endpoint}/.search"), &[], &request)
            .await
    }

    /// POST of a resource; `schemas` is added where it is missing.
    pub(crate) async fn post(&self, endpoint: &str, content: Value) -> Answer {
        self.send_json(Method::POST, endpoint, &[], &body(endpoint, content))
            .await
    }

    /// POST of what is no resource, such as an order about one.
    pub(crate) async fn order(&self, path: &str, order: Value) -> Answer {
        self.send_json(Method::POST, path, &[], &order).await
    }

    /// POST that must succeed.
    #[track_caller]
    pub(crate) fn create(&self, endpoint: &str, content: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let made = self.post(endpoint, content);
        async move {
            let answer = made.await;
            assert_eq!(answer.status, 201, "at {caller}: {}", answer.body);
            answer.body
        }
    }

    /// PUT of a resource at `/Type/id`; `schemas` is added where it is missing.
    pub(crate) async fn put(&self, path: &str, content: Value) -> Answer {
        self.send_json(Method::PUT, path, &[], &body(endpoint(path), content))
            .await
    }

    /// PUT under conditions.
    pub(crate) async fn put_if(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        content: Value,
    ) -> Answer {
        self.send_json(Method::PUT, path, headers, &body(endpoint(path), content))
            .await
    }

    /// PATCH with these operations.
    pub(crate) async fn patch(&self, path: &str, operations: Value) -> Answer {
        self.patch_if(path, &[], operations).await
    }

    /// PATCH under conditions.
    pub(crate) async fn patch_if(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        operations: Value,
    ) -> Answer {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.send_json(Method::PATCH, path, headers, &body).await
    }

    /// The same client, whose requests all carry this key.
    pub(crate) fn keyed(&self, key: &str) -> Self {
        let mut always = self.always.clone();
        always.push(("idempotency-key".into(), key.into()));
        Self {
            always,
            ..self.clone()
        }
    }

    /// DELETE.
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }
}

/// `/Users` of `/Users/0197…?attributes=…`.
fn endpoint(path: &str) -> &str {
    let end = path[1..].find(['/', '?']).map_or(path.len(), |at| at + 1);
    &path[..end]
}

fn shortened(url: &str) -> String {
    url.chars().take(300).collect()
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    what: String,
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body; null if there is none.
    pub(crate) body: Value,
    /// The body, byte by byte.
    pub(crate) text: String,
}

impl Answer {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a header of visible characters"))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}: {}", self.what, self.body);
        &self.body
    }

    /// The detail of an error that must have this status and `scimType` (empty for none).
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, scim_type: &str) -> &str {
        assert_eq!(self.status, status, "{}: {}", self.what, self.body);
        let found = self
            .body
            .get("scimType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        assert_eq!(found, scim_type, "{}: {}", self.what, self.body);
        self.body["detail"].as_str().unwrap_or_default()
    }

    /// Whether it is one to an earlier request.
    pub(crate) fn is_replayed(&self) -> bool {
        self.header("idempotency-replayed") == Some("true")
    }

    /// The entity tag.
    #[track_caller]
    pub(crate) fn etag(&self) -> &str {
        self.header("etag")
            .unwrap_or_else(|| panic!("{} has no ETag", self.what))
    }

    /// The names in `Muster-Ignored`.
    pub(crate) fn ignored(&self) -> Vec<&str> {
        self.header("muster-ignored")
            .map(|names| names.split(", ").collect())
            .unwrap_or_default()
    }

    /// The resources of a list.
    #[track_caller]
    pub(crate) fn resources(&self) -> &[Value] {
        let found = self.body["Resources"].as_array();
        found.unwrap_or_else(|| panic!("{} answered no list: {}", self.what, self.body))
    }

    /// What holds of every answer.
    fn check(&self) {
        let Self {
            what, status, body, ..
        } = self;
        assert!(*status != 500, "{what}: {body}");
        assert_no_null(what, body);
        if body.is_null() {
            return;
        }
        let kind = self.header("content-type").unwrap_or_default();
        let is_prov =
            *status == 200 && what.contains("/lineage") && kind == "application/prov+json";
        let is_form = *status == 200 && kind.starts_with("application/vnd.");
        assert!(
            kind.starts_with(SCIM_JSON) || is_prov || is_form,
            "{what} answered {kind}"
        );
        if *status >= 400 {
            // RFC 7644 §3.12: the status is a string.
            assert_eq!(
                body["schemas"],
                json!(["urn:ietf:params:scim:api:messages:2.0:Error"]),
                "{what}"
            );
            assert_eq!(body["status"], json!(status.to_string()), "{what}");
            assert!(
                body["detail"]
                    .as_str()
                    .is_some_and(|detail| !detail.is_empty()),
                "{what}: {body}"
            );
        } else if let (Some(version), Some(etag)) =
            (body["meta"]["version"].as_str(), self.header("etag"))
        {
            // RFC 7644 §3.14.
            assert_eq!(version, etag, "{what}");
        }
    }
}

/// RFC 7643 §2.5: what has no value is left out.
#[track_caller]
fn assert_no_null(what: &str, value: &Value) {
    let inner: Vec<&Value> = match value {
        Value::Object(members) => members.values().collect(),
        Value::Array(elements) => elements.iter().collect(),
        _ => return,
    };
    for value in inner {
        assert!(!value.is_null(), "{what} answered a null: {value}");
        assert_no_null(what, value);
    }
}
