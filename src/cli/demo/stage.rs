//! The systems of the demo, each with its token, and what they say to the server.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::cli::{Failure, print};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
const SCIM_JSON: &str = "application/scim+json";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A running server, and the systems that speak to it.
pub(super) struct Stage {
    http: Client,
    origin: String,
    /// What this run's names end with.
    pub(super) run: String,
    tokens: BTreeMap<String, String>,
    calls: u32,
    steps: u32,
}

impl Stage {
    /// The stage at a server's address.
    pub(super) fn new(url: &str, run: String) -> Result<Self, Failure> {
        let http = Client::builder()
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Failure::run(format!("cannot prepare to send: {error}")))?;
        Ok(Self {
            http,
            origin: url.trim_end_matches('/').to_owned(),
            run,
            tokens: BTreeMap::new(),
            calls: 0,
            steps: 0,
        })
    }

    /// Where SCIM is.
    pub(super) fn scim(&self) -> String {
        format!("{}/scim/v2", self.origin)
    }

    /// Tells the next step.
    pub(super) fn step(&mut self, text: &str) -> Result<(), Failure> {
        self.steps += 1;
        say(&format!("{:>2}. {text}", self.steps))
    }

    async fn token(&mut self, who: &str) -> Result<String, Failure> {
        if let Some(token) = self.tokens.get(who) {
            return Ok(token.clone());
        }
        let url = format!("{}/dev/token", self.origin);
        let asking = self
            .http
            .post(&url)
            .basic_auth(who, Some(format!("{who}-secret")));
        let asking = asking.form(&[("grant_type", "client_credentials")]);
        let answer = asking.send().await.map_err(|error| {
            Failure::run(format!(
                "no server answers at {}: start one with `muster serve --dev` ({})",
                self.origin,
                error.without_url()
            ))
        })?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let token = body["access_token"].as_str().map(str::to_owned);
        let token = token.ok_or_else(|| {
            Failure::run(format!(
                "{url} gives no token to '{who}' ({status}): the demo needs `muster serve --dev`"
            ))
        })?;
        self.tokens.insert(who.to_owned(), token.clone());
        Ok(token)
    }

    /// One call of a system; the body of its answer. Every write has an idempotency key of its own, all of a run one
    /// correlation id.
    pub(super) async fn call(
        &mut self,
        who: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        let token = self.token(who).await?;
        let url = format!("{}{path}", self.scim());
        let mut request = self
            .http
            .request(method.clone(), &url)
            .bearer_auth(token)
            .header("X-Correlation-Id", format!("demo-{}", self.run));
        if let Some(body) = body {
            self.calls += 1;
            request = request
                .header("Content-Type", SCIM_JSON)
                .header(
                    "Idempotency-Key",
                    format!("demo-{}-{}", self.run, self.calls),
                )
                .body(body.to_string());
        }
        let told = |why: String| Failure::run(format!("{who}: {method} {path}: {why}"));
        let answer = request.send().await;
        let answer = answer.map_err(|error| told(error.without_url().to_string()))?;
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        if !status.is_success() {
            let why = body["detail"].as_str().unwrap_or("no reason is given");
            return Err(told(format!("{status}: {why}")));
        }
        Ok(body)
    }

    pub(super) async fn get(&mut self, who: &str, path: &str) -> Result<Value, Failure> {
        self.call(who, Method::GET, path, None).await
    }

    /// POST of a resource.
    pub(super) async fn make(
        &mut self,
        who: &str,
        endpoint: &str,
        mut body: Value,
    ) -> Result<Value, Failure> {
        let core = match endpoint {
            "/Users" => "urn:ietf:params:scim:schemas:core:2.0:User".to_owned(),
            other => format!(
                "urn:muster:scim:schemas:core:1.0:{}",
                other.trim_matches('/').trim_end_matches('s')
            ),
        };
        let fields = body.as_object().into_iter().flatten();
        let extensions = fields
            .map(|(name, _)| name)
            .filter(|name| name.starts_with("urn:"));
        let schemas: Vec<String> = std::iter::once(core).chain(extensions.cloned()).collect();
        body["schemas"] = json!(schemas);
        self.call(who, Method::POST, endpoint, Some(body)).await
    }

    /// PATCH that sets attributes.
    pub(super) async fn set(
        &mut self,
        who: &str,
        path: &str,
        values: &[(&str, Value)],
    ) -> Result<Value, Failure> {
        let operations: Vec<Value> = values
            .iter()
            .map(|(path, value)| match value {
                Value::Null => json!({ "op": "remove", "path": path }),
                value => json!({ "op": "replace", "path": path, "value": value }),
            })
            .collect();
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        self.call(who, Method::PATCH, path, Some(body)).await
    }
}

/// Tells more of a step.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n")).map(drop)
}

/// The id of a resource.
pub(super) fn id(resource: &Value) -> &str {
    resource["id"].as_str().unwrap_or_default()
}

/// A reference to a resource.
pub(super) fn to(resource: &Value) -> Value {
    json!({ "value": id(resource) })
}
