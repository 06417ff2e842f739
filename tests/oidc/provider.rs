//! `oidc-provider` as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

/// A running provider; ended when it is dropped.
pub(crate) struct Provider {
    child: Child,
    /// Its issuer identifier.
    pub(crate) issuer: String,
    http: reqwest::Client,
}

impl Provider {
    /// Starts it, and waits until it listens. People who sign in are sent back to `callback`.
    pub(crate) fn start(callback: &str) -> Self {
        let installed = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("oidc-provider");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc/provider.mjs");
        let mut child = Command::new("node")
            .arg(script)
            .arg(callback)
            .current_dir(&installed)
            .env("NODE_NO_WARNINGS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "cannot run node in {}: {error}; tests/run installs Node.js and oidc-provider there",
                    installed.display()
                )
            });
        let mut line = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let issuer = line.trim().to_owned();
        assert!(
            issuer.starts_with("http://"),
            "oidc-provider does not start; tests/run installs it in {}",
            installed.display()
        );
        Self {
            child,
            issuer,
            http: crate::support::client::http(),
        }
    }

    /// What the token endpoint answers to a client's own credentials, and more parameters.
    pub(crate) async fn ask(&self, client: &str, more: &str) -> Value {
        let answer = self
            .http
            .post(format!("{}/token", self.issuer))
            .basic_auth(client, Some(format!("{client}-secret")))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(format!("grant_type=client_credentials{more}"))
            .send()
            .await
            .unwrap();
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// An access token of a client for the server named by `resource` (RFC 8707).
    pub(crate) async fn token(&self, client: &str, resource: &str) -> String {
        let answer = self
            .ask(client, &format!("&scope=scim&resource={resource}"))
            .await;
        let token = answer["access_token"].as_str();
        token
            .unwrap_or_else(|| panic!("no token: {answer}"))
            .to_owned()
    }

    /// Has a new key sign: `add` leaves the old ones published, `replace` does not.
    pub(crate) async fn keys(&self, how: &str) {
        let url = format!("{}/keys/{how}", self.issuer);
        let answer = self.http.post(url).send().await.unwrap();
        assert_eq!(answer.status(), 204);
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
