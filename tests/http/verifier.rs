//! Tokens against an issuer that a test can rotate, silence and count.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use muster::clock::FixedClock;
use muster::http::token::{Refusal, Verified, Verifier};

pub(crate) struct Pair {
    pub private: EncodingKey,
    public_pem: String,
}

pub(crate) static FIRST: LazyLock<Pair> = LazyLock::new(Pair::generate);
pub(crate) static SECOND: LazyLock<Pair> = LazyLock::new(Pair::generate);

impl Pair {
    fn generate() -> Self {
        let key = RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap();
        let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
        let public_pem = key
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .unwrap();
        Self {
            private: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            public_pem,
        }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.private, Algorithm::RS256).unwrap();
        jwk.common.key_id = Some(id.into());
        serde_json::to_value(jwk).unwrap()
    }
}

#[derive(Default)]
struct Published {
    keys: Vec<Value>,
    down: bool,
    discoveries: usize,
    fetches: usize,
    refused: usize,
}

/// An issuer, a clock and a verifier that trusts it.
pub(crate) struct Scene {
    url: String,
    published: Arc<Mutex<Published>>,
    pub clock: Arc<FixedClock>,
    verifier: Verifier,
}

const NOW: i64 = 1_800_000_000;

impl Scene {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/people", listener.local_addr().unwrap());
        let published = Arc::new(Mutex::new(Published {
            keys: vec![FIRST.jwk("first")],
            ..Published::default()
        }));
        let (state, base) = (published.clone(), url.clone());
        std::thread::spawn(move || {
            listener
                .incoming()
                .for_each(|stream| serve(stream.unwrap(), &base, &state));
        });
        let clock = Arc::new(FixedClock::at(DateTime::from_timestamp(NOW, 0).unwrap()));
        let toml = format!("[[issuer]]\nurl = \"{url}\"\naudience = \"muster\"");
        let config = muster::config::parse(&toml).unwrap();
        let verifier = Verifier::new(&config.issuers, clock.clone()).unwrap();
        Self {
            url,
            published,
            clock,
            verifier,
        }
    }

    /// Has the issuer publish these keys from now on.
    pub(crate) fn publish(&self, keys: Vec<Value>) {
        self.published.lock().unwrap().keys = keys;
    }

    /// Has the issuer answer nothing, or answer again.
    pub(crate) fn down(&self, down: bool) {
        self.published.lock().unwrap().down = down;
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.published.lock().unwrap().fetches
    }

    /// How often it was asked while it was down.
    pub(crate) fn refused(&self) -> usize {
        self.published.lock().unwrap().refused
    }

    pub(crate) fn claims(&self, changes: &Value) -> Value {
        let mut claims = json!({
            "iss": self.url, "aud": "muster", "sub": "hris", "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    pub(crate) fn signed(&self, changes: &Value) -> String {
        encode(&header("first"), &self.claims(changes), &FIRST.private).unwrap()
    }

    pub(crate) async fn verify(&self, token: &str) -> Result<Arc<Verified>, Refusal> {
        self.verifier
            .verify(Some(format!("Bearer {token}").as_bytes()))
            .await
    }

    pub(crate) async fn refusal(&self, token: &str) -> String {
        match self.verify(token).await {
            Err(Refusal::Invalid(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

fn serve(mut stream: std::net::TcpStream, base: &str, state: &Mutex<Published>) {
    let mut request = [0; 4096];
    let read = stream.read(&mut request).unwrap();
    let mut state = state.lock().unwrap();
    if state.down {
        state.refused += 1;
        return;
    }
    let body = if request[..read].starts_with(b"GET /people/jwks ") {
        state.fetches += 1;
        json!({ "keys": state.keys })
    } else {
        state.discoveries += 1;
        json!({
            "issuer": base, "authorization_endpoint": format!("{base}/a"), "jwks_uri": format!("{base}/jwks"),
            "response_types_supported": ["code"], "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    };
    let body = body.to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    write!(
        stream,
        "{head}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
}

pub(crate) fn header(id: &str) -> Header {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some(id.into());
    header.typ = Some("at+jwt".into());
    header
}

/// A token put together by hand, its signature whatever is given.
fn assembled(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[actix_web::test]
async fn a_good_token_is_accepted_and_remembered() {
    let scene = Scene::new();
    let token = scene.signed(&json!({"azp": "hris"}));
    assert_eq!(scene.verify(&token).await.unwrap().claims["azp"], "hris");
    scene.published.lock().unwrap().down = true;
    assert_eq!(scene.verify(&token).await.unwrap().issuer, scene.url);
    scene.clock.advance(TimeDelta::seconds(3600 + 30));
    assert_eq!(scene.refusal(&token).await, "it has expired");
}

#[actix_web::test]
async fn an_audience_may_be_one_of_several_and_the_scheme_in_any_case() {
    let scene = Scene::new();
    let token = scene.signed(&json!({"aud": ["other", "muster"]}));
    assert!(
        scene
            .verifier
            .verify(Some(format!("bEARER {token}").as_bytes()))
            .await
            .is_ok()
    );
}

#[actix_web::test]
async fn tokens_for_others_and_other_times_are_refused() {
    let scene = Scene::new();
    for (changes, part) in [
        (json!({"exp": NOW - 31}), "expired"),
        (json!({"exp": null}), "exp"),
        (json!({"exp": "tomorrow"}), "exp"),
        (json!({"nbf": NOW + 31}), "nbf"),
        (json!({"iat": NOW + 31}), "iat"),
        (json!({"aud": "someone else"}), "aud"),
        (json!({"aud": null}), "aud"),
        (json!({"iss": "https://evil.example"}), "iss"),
        (json!({"iss": [scene.url.clone()]}), "iss"),
    ] {
        let why = scene.refusal(&scene.signed(&changes)).await;
        assert!(why.contains(part), "{changes}: {why}");
    }
    assert!(
        scene
            .verify(&scene.signed(&json!({"exp": NOW - 29, "nbf": NOW + 29, "iat": NOW + 29})))
            .await
            .is_ok()
    );
}

#[actix_web::test]
async fn a_missing_signature_and_a_public_key_as_secret_prove_nothing() {
    let scene = Scene::new();
    let claims = scene.claims(&json!({}));
    let unsigned = assembled(&json!({"alg": "none", "typ": "JWT"}), &claims, "");
    assert!(scene.refusal(&unsigned).await.contains("header"));
    let mut confused = Header::new(Algorithm::HS256);
    confused.kid = Some("first".into());
    let secret = EncodingKey::from_secret(FIRST.public_pem.as_bytes());
    assert!(
        scene
            .refusal(&encode(&confused, &claims, &secret).unwrap())
            .await
            .contains("alg")
    );
}

#[actix_web::test]
async fn a_changed_token_and_a_foreign_key_are_refused() {
    let scene = Scene::new();
    let token = scene.signed(&json!({}));
    let signature = token.rsplit('.').next().unwrap();
    let forged = assembled(
        &json!({"alg": "RS256", "kid": "first"}),
        &scene.claims(&json!({"sub": "admin"})),
        signature,
    );
    assert!(scene.refusal(&forged).await.contains("signature"));
    let foreign = encode(&header("first"), &scene.claims(&json!({})), &SECOND.private).unwrap();
    assert!(scene.refusal(&foreign).await.contains("signature"));
}

#[actix_web::test]
async fn other_kinds_of_jwt_and_critical_headers_are_refused() {
    let scene = Scene::new();
    let mut logout = header("first");
    logout.typ = Some("logout+jwt".into());
    assert!(
        scene
            .refusal(&encode(&logout, &scene.claims(&json!({})), &FIRST.private).unwrap())
            .await
            .contains("typ")
    );
    let mut critical = header("first");
    critical.crit = Some(vec!["exp".into()]);
    assert!(
        scene
            .refusal(&encode(&critical, &scene.claims(&json!({})), &FIRST.private).unwrap())
            .await
            .contains("crit")
    );
}

#[actix_web::test]
async fn garbage_is_refused_and_nothing_is_missing() {
    let scene = Scene::new();
    for token in ["x", "a.b.c", "..", &"a".repeat(20_000)] {
        scene.refusal(token).await;
    }
    assert_eq!(scene.verifier.verify(None).await, Err(Refusal::Missing));
    assert_eq!(
        scene.verifier.verify(Some(b"Basic eDp5")).await,
        Err(Refusal::Missing)
    );
    assert!(matches!(
        scene.verifier.verify(Some(b"Bearer ")).await,
        Err(Refusal::Invalid(_))
    ));
    assert!(matches!(
        scene.verifier.verify(Some(b"Bearer \xff\xfe")).await,
        Err(Refusal::Invalid(_))
    ));
}

#[actix_web::test]
async fn an_unknown_key_is_asked_for_at_most_once_a_minute() {
    let scene = Scene::new();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    scene.published.lock().unwrap().keys = vec![SECOND.jwk("second")];
    let rotated = encode(
        &header("second"),
        &scene.claims(&json!({})),
        &SECOND.private,
    )
    .unwrap();
    scene.verify(&rotated).await.unwrap();
    assert_eq!(scene.published.lock().unwrap().fetches, 2);

    let stranger = encode(&header("third"), &scene.claims(&json!({})), &SECOND.private).unwrap();
    scene.refusal(&stranger).await;
    scene.refusal(&stranger).await;
    assert_eq!(scene.published.lock().unwrap().fetches, 2);
    scene.clock.advance(TimeDelta::seconds(60));
    scene.refusal(&stranger).await;
    assert_eq!(scene.published.lock().unwrap().fetches, 3);
}

#[actix_web::test]
async fn old_keys_stay_in_use_while_the_issuer_is_away() {
    let scene = Scene::new();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    scene.published.lock().unwrap().down = true;
    let stranger = encode(&header("third"), &scene.claims(&json!({})), &SECOND.private).unwrap();
    scene.refusal(&stranger).await;
    scene
        .verify(&scene.signed(&json!({"jti": "another"})))
        .await
        .unwrap();
}

#[actix_web::test]
async fn an_issuer_never_reached_leaves_the_question_open() {
    let scene = Scene::new();
    scene.published.lock().unwrap().down = true;
    let token = scene.signed(&json!({}));
    assert!(matches!(
        scene.verify(&token).await,
        Err(Refusal::IssuerUnreachable { .. })
    ));
    scene.published.lock().unwrap().down = false;
    scene.clock.advance(TimeDelta::seconds(2));
    scene.verify(&token).await.unwrap();
}

#[actix_web::test]
async fn concurrent_first_requests_fetch_once() {
    let scene = Scene::new();
    let tokens: Vec<_> = (0..5).map(|n| scene.signed(&json!({"jti": n}))).collect();
    let (a, b, c) = tokio::join!(
        scene.verify(&tokens[0]),
        scene.verify(&tokens[1]),
        scene.verify(&tokens[2])
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    let published = scene.published.lock().unwrap();
    assert_eq!((published.discoveries, published.fetches), (1, 1));
}
