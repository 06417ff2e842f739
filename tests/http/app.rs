//! The application under test: `serve --dev` on port 0 with a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use muster::cli::serve::{Running, Serve, start};
use muster::clock::{Clock, SystemClock};
use muster::config::{Config, KeySource, Keys};
use muster::id::RandomIds;
use muster::secret::Secret;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use serde_json::{Value, json};

use crate::support::database::{Database, Engine};

/// The longest that a test waits for what another thread is to do.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Making an RSA key takes a while, so all servers of this binary share one.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let key = RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
});

/// The variable that says on which database this suite runs: `postgres`, or a file in the folder without it. `tests/run` runs it on
/// both.
const ENGINE: &str = "MUSTER_TEST_ENGINE";

/// A folder that is gone when the test is over, and the database beside it, if that is not to be in it.
pub(crate) struct Folder(pub PathBuf, Option<Database>);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!(
            "muster-http-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        let database = match std::env::var(ENGINE).as_deref() {
            Ok("postgres") => Some(Database::empty(Engine::Postgres)),
            Ok("sqlite") | Err(_) => None,
            Ok(other) => panic!("{ENGINE} is 'sqlite' or 'postgres', not '{other}'"),
        };
        Self(path, database)
    }

    /// The address of its database, where that is not a file in it.
    pub(crate) fn database_url(&self) -> Option<&str> {
        self.1.as_ref().map(Database::url)
    }

    /// Lets a server keep its records there.
    pub(crate) fn is_home_of(&self, config: &mut Config) {
        config.server.database_url = self.database_url().map(Secret::new);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
        if let Some(database) = self.1.take() {
            database.forget();
        }
    }
}

/// A server and a client for it.
pub(crate) struct App {
    running: Option<Running>,
    pub origin: String,
    pub http: Client,
    tokens: OnceLock<String>,
    pub folder: Folder,
}

impl App {
    pub(crate) fn start() -> Self {
        Self::configured(|_| {})
    }

    /// Starts with more than the dev settings.
    pub(crate) fn configured(change: impl FnOnce(&mut Config)) -> Self {
        Self::prepared(|serve, _| change(&mut serve.config))
    }

    /// Starts with other settings, for which files may be put into the folder.
    pub(crate) fn prepared(change: impl FnOnce(&mut Serve, &Path)) -> Self {
        let folder = Folder::new();
        fs::write(folder.0.join("dev-issuer-key.pem"), &*KEY).unwrap();
        let mut serve = Serve::dev(folder.0.clone());
        folder.is_home_of(&mut serve.config);
        change(&mut serve, &folder.0);
        let running = start(serve, Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
        let origin = format!("http://{}", running.address);
        let http = Client::builder().no_proxy().build().unwrap();
        Self {
            running: Some(running),
            origin,
            http,
            tokens: OnceLock::new(),
            folder,
        }
    }

    /// A request below `/scim/v2`, without a token.
    pub(crate) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}/scim/v2{path}", self.origin))
    }

    /// A request below `/scim/v2` as `admin`.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let token = self.tokens.get_or_init(|| self.token("admin"));
        self.anonymous(method, path).bearer_auth(token)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        send(scim(self.request(Method::POST, path), &body)).await
    }

    /// A token as the issuer would give it to `client`, made here with the issuer's key.
    pub(crate) fn token(&self, client: &str) -> String {
        let now = SystemClock.now().timestamp();
        Self::signed(&json!({
            "iss": format!("{}/dev", self.origin), "aud": "muster", "sub": client, "azp": client,
            "iat": now, "nbf": now, "exp": now + 600,
        }))
    }

    /// Any claims, signed with the issuer's key.
    pub(crate) fn signed(claims: &Value) -> String {
        let key = EncodingKey::from_rsa_pem(KEY.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), claims, &key).unwrap()
    }

    /// Stops in good order; the folder stays until the end.
    pub(crate) fn stop(&mut self) {
        self.running.take().unwrap().stop().unwrap();
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// Asserts an error of SCIM's form (RFC 7644 §3.12) and answers its detail.
    pub(crate) fn error(&self, status: u16, scim_type: Option<&str>) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/scim+json");
        assert!(!self.header("x-correlation-id").is_empty());
        let body = self.json();
        assert_eq!(
            body["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
        );
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body.get("scimType").and_then(Value::as_str), scim_type);
        body["detail"].as_str().unwrap().to_owned()
    }
}

/// Sends a request and reads its answer to the end.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// A SCIM body.
pub(crate) fn scim(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/scim+json")
        .body(body.to_string())
}

/// A user's body.
pub(crate) fn user(name: &str) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name })
}

/// A key-encryption key that lasts as long as the test.
pub(crate) fn any_key() -> Keys {
    let words = ["echo", "c2l4dGVlbiBieXRlcywgdGhlbiBzaXh0ZWVuIG1vcmU="];
    Keys {
        key_encryption_key: KeySource::Command(words.map(str::to_owned).to_vec()),
        sqlite_key: None,
        previous: Vec::new(),
    }
}
