//! Signing in at a provider that lies: ID tokens that prove nothing, and cookies behind TLS. The real flow is shown in
//! `tests/oidc`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use muster::cli::serve::{Running, Serve, start};
use muster::clock::{Clock, SystemClock};
use muster::config::{self, Config};
use muster::id::RandomIds;
use reqwest::{Client, redirect};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::app::{Answer, Folder, any_key, send};
use super::fake_issuer::{FakeIssuer, Manner};
use super::verifier::{FIRST, SECOND};

/// A server behind a proxy, where people sign in at a provider of ours.
struct Scene {
    issuer: FakeIssuer,
    running: Running,
    http: Client,
    _folder: Folder,
}

impl Scene {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = Folder::new();
        let issuer = FakeIssuer::new(vec![FIRST.jwk("first")]);
        let url = &issuer.origin;
        let mut config = config::parse(&format!(
            "[sign_in]\nissuer = \"{url}\"\nclient_id = \"operators\"\nclient_secret = \"s\"\n\
             [[person_role]]\nclaim = \"groups\"\nequals = \"admins\"\nclient = \"hris\"\n\
             [[issuer]]\nurl = \"{url}\"\naudience = \"muster\"\n[[system]]\nname = \"hris\"\n\
             [[client]]\nname = \"hris\"\nissuer = \"{url}\"\nmatch = {{ claim = \"azp\", equals = \"hris\" }}\n\
             system = \"hris\"\ngrants = []\n"
        ))
        .unwrap();
        config.keys = Some(any_key());
        config.server.port = 0;
        config.server.data_dir.clone_from(&folder.0);
        folder.is_home_of(&mut config);
        config.server.behind_proxy = true;
        config.server.public_url = Some("https://people.example.com/scim/v2".into());
        change(&mut config);
        let serve = Serve {
            config,
            dev: false,
            dev_client_jwks: Vec::new(),
            signals: false,
        };
        let running = start(serve, Arc::new(SystemClock), Arc::new(RandomIds)).unwrap();
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            issuer,
            running,
            http,
            _folder: folder,
        }
    }

    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let url = format!("http://{}{path}", self.running.address);
        send(self.http.get(url).header("cookie", cookie)).await
    }

    /// Begins to sign in; answers the cookie's secret.
    async fn begin(&self) -> String {
        let answer = self.get("/sign-in", "").await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.header("set-cookie");
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        assert_eq!(
            attributes,
            "HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600"
        );
        pair.strip_prefix("__Host-muster-sign-in=")
            .unwrap()
            .to_owned()
    }

    /// Comes back with a code for which the provider gives this ID token.
    async fn finish(&self, secret: &str, id_token: &str) -> Answer {
        self.issuer.hand_out(&json!({
            "access_token": "opaque", "token_type": "Bearer", "expires_in": 60, "id_token": id_token,
        }));
        let path = format!("/sign-in/callback?code=c&state={}", part(secret, "state"));
        self.get(&path, &format!("__Host-muster-sign-in={secret}"))
            .await
    }

    fn claims(&self, secret: &str, changes: &Value) -> Value {
        let now = SystemClock.now().timestamp();
        let mut claims = json!({
            "iss": self.issuer.origin, "aud": "operators", "sub": "ada", "iat": now, "exp": now + 60,
            "nonce": part(secret, "nonce"), "groups": ["admins"],
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }
}

fn part(secret: &str, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{name}\0{secret}")))
}

/// The header of an ID token.
fn header(id: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(id.into());
    header
}

fn signed(claims: &Value) -> String {
    encode(&header("first"), claims, &FIRST.private).unwrap()
}

#[actix_web::test]
async fn behind_tls_cookies_are_secure_and_the_browser_is_sent_back_to_the_public_address() {
    let scene = Scene::new();
    let answer = scene.get("/sign-in", "").await;
    let location = answer.header("location");
    assert!(
        location.starts_with(&format!("{}/authorize?", scene.issuer.origin)),
        "{location}"
    );
    let back = "redirect_uri=https%3A%2F%2Fpeople.example.com%2Fsign-in%2Fcallback";
    assert!(location.contains(back), "{location}");
    let secret = scene.begin().await;
    let answer = scene
        .finish(&secret, &signed(&scene.claims(&secret, &json!({}))))
        .await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/me"),
        "{answer:?}"
    );
    let cookies: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .collect();
    let session = cookies
        .iter()
        .find_map(|cookie| cookie.strip_prefix("__Host-muster="))
        .unwrap();
    let (secret, attributes) = session.split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Lax; Secure; Path=/");
    assert!(cookies.iter().any(
        |cookie| cookie.starts_with("__Host-muster-sign-in=;") && cookie.contains("Max-Age=0")
    ));
    let page = scene.get("/me", &format!("__Host-muster={secret}")).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("<td>nothing</td>"), "{}", page.text);
    // A cookie without the prefix, which another host of the domain could have set, is none here.
    assert_eq!(
        scene.get("/me", &format!("muster={secret}")).await.status,
        303
    );
    for cookie in [
        "__Host-muster=",
        "__Host-muster=x",
        "__Host-muster=%00",
        "__Host-muster=AAAA",
    ] {
        assert_eq!(scene.get("/me", cookie).await.status, 303, "{cookie}");
    }
}

#[actix_web::test]
async fn id_tokens_that_prove_nothing_sign_nobody_in() {
    let scene = Scene::new();
    let now = SystemClock.now().timestamp();
    let issuer = scene.issuer.origin.clone();
    for changes in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "somebody" }),
        json!({ "aud": ["operators", "somebody"] }),
        json!({ "iss": format!("{issuer}/other") }),
        json!({ "exp": now - 60 }),
        json!({ "at_hash": "AAAA" }),
        json!({ "groups": "admin" }),
        json!({ "groups": [["admins"]] }),
    ] {
        let secret = scene.begin().await;
        let answer = scene
            .finish(&secret, &signed(&scene.claims(&secret, &changes)))
            .await;
        assert_eq!(answer.status, 403, "{changes}: {answer:?}");
        assert!(!answer.header("set-cookie").starts_with("__Host-muster="));
    }
    let secret = scene.begin().await;
    let claims = scene.claims(&secret, &json!({}));
    let foreign = encode(&header("first"), &claims, &SECOND.private).unwrap();
    let mut hmac = Header::new(Algorithm::HS256);
    hmac.kid = Some("first".into());
    // By the client's own secret, which is no key that a provider proves itself with here.
    let by_secret = encode(&hmac, &claims, &EncodingKey::from_secret(b"s")).unwrap();
    let unsigned = format!(
        "{}.{}.",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    for token in [foreign, by_secret, unsigned] {
        let answer = scene.finish(&secret, &token).await;
        assert!(
            !answer.status.is_success() && !answer.status.is_redirection(),
            "{answer:?}"
        );
        assert!(answer.text.contains("Not signed in"), "{answer:?}");
    }
    let answer = scene.finish(&secret, &signed(&claims)).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[actix_web::test]
async fn a_provider_that_is_away_is_told_on_a_page() {
    let scene = Scene::new();
    scene.issuer.behave(Manner::Gone);
    for _ in 0..3 {
        let answer = scene.get("/sign-in", "").await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.text.contains("cannot be reached"));
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    }
    // Not every visitor makes us ask.
    assert_eq!(scene.issuer.asked("/keys"), 1);
}

#[actix_web::test]
async fn where_nobody_can_sign_in_there_are_no_pages() {
    let scene = Scene::with(|config| {
        config.sign_in = None;
        config.person_roles.clear();
    });
    for path in ["/me", "/sign-in", "/sign-in/callback?code=x&state=y"] {
        scene.get(path, "muster=x").await.error(404, None);
    }
    let url = format!("http://{}/sign-out", scene.running.address);
    send(scene.http.post(url)).await.error(404, None);
}
