//! `private_key_jwt` at the embedded issuer's token endpoint (RFC 7523 §3).

use std::fs;

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use muster::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use super::app::{Answer, App, Folder, send};
use super::rotation::ec;
use super::startup::refused;
use super::verifier::{FIRST, SECOND};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A server that knows two keys of `hris`, and the private half of the one on P-256; `verifier` has the other.
struct Scene {
    app: App,
    ec: EncodingKey,
}

impl Scene {
    fn new() -> Self {
        let (private, jwk, _) = ec("ec");
        let app = App::prepared(|serve, folder| {
            for (client, keys) in [
                ("hris", vec![jwk, FIRST.jwk("rsa")]),
                ("verifier", vec![SECOND.jwk("other")]),
            ] {
                let file = folder.join(format!("{client}.json"));
                fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
                serve.dev_client_jwks.push((client.into(), file));
            }
        });
        Self { app, ec: private }
    }

    fn claims(&self, id: &str, changes: &Value) -> Value {
        let now = SystemClock.now().timestamp();
        let mut claims = json!({
            "iss": "hris", "sub": "hris", "aud": format!("{}/dev/token", self.app.origin), "jti": id, "iat": now, "exp": now + 60,
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn signed(&self, id: &str, changes: &Value) -> String {
        signed(
            Algorithm::ES256,
            Some("ec"),
            &self.claims(id, changes),
            &self.ec,
        )
    }

    async fn ask(&self, assertion: &str, more: &str) -> Answer {
        let body = format!(
            "grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}{more}"
        );
        let request = self.app.http.post(format!("{}/dev/token", self.app.origin));
        let form = "application/x-www-form-urlencoded";
        send(request.header("content-type", form).body(body)).await
    }

    async fn refused(&self, assertion: &str, part: &str) {
        let answer = self.ask(assertion, "").await;
        assert_eq!(answer.status, 401, "{answer:?}");
        let body = answer.json();
        assert_eq!(body["error"], "invalid_client");
        let why = body["error_description"].as_str().unwrap();
        assert!(why.contains(part), "{why}: {part}");
    }
}

fn signed(algorithm: Algorithm, id: Option<&str>, claims: &Value, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = id.map(str::to_owned);
    encode(&header, claims, key).unwrap()
}

#[actix_web::test]
async fn a_client_proves_itself_by_its_own_key_and_the_token_opens_the_door() {
    let scene = Scene::new();
    let issuer = json!({ "aud": [format!("{}/dev", scene.app.origin)] });
    let rsa = |id: Option<&str>, jti: &str| {
        signed(
            Algorithm::RS256,
            id,
            &scene.claims(jti, &json!({})),
            &FIRST.private,
        )
    };
    for (assertion, more) in [
        (scene.signed("1", &json!({})), ""),
        (scene.signed("2", &issuer), "&client_id=hris"),
        (rsa(Some("rsa"), "3"), ""),
        (rsa(None, "4"), ""),
    ] {
        let answer = scene.ask(&assertion, more).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        let token = body["access_token"].as_str().unwrap();
        let list = send(
            scene
                .app
                .anonymous(Method::GET, "/Users")
                .bearer_auth(token),
        )
        .await;
        assert_eq!(list.status, 200, "{list:?}");
    }
}

#[actix_web::test]
async fn an_assertion_is_good_once() {
    let scene = Scene::new();
    let assertion = scene.signed("once", &json!({}));
    assert_eq!(scene.ask(&assertion, "").await.status, 200);
    scene.refused(&assertion, "used before").await;
    // Another assertion of the same id is refused too, and does not wear out another id.
    scene
        .refused(
            &scene.signed(
                "once",
                &json!({ "exp": SystemClock.now().timestamp() + 90 }),
            ),
            "used before",
        )
        .await;
    assert_eq!(
        scene
            .ask(&scene.signed("twice", &json!({})), "")
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn assertions_of_others_for_others_and_of_other_times_are_refused() {
    let scene = Scene::new();
    let now = SystemClock.now().timestamp();
    for (changes, part) in [
        (json!({ "aud": "https://login.example.com/token" }), "aud"),
        (json!({ "aud": null }), "needs iss"),
        (json!({ "iss": "admin", "sub": "admin" }), "iss and sub"),
        (json!({ "iss": "admin" }), "iss and sub"),
        (json!({ "sub": "verifier" }), "iss and sub"),
        (json!({ "exp": now - 31 }), "expired"),
        (json!({ "exp": now + 3600 }), "five minutes"),
        (json!({ "exp": null }), "needs iss"),
        (json!({ "nbf": now + 60 }), "future"),
        (json!({ "iat": now + 60 }), "future"),
        (json!({ "jti": null }), "needs iss"),
        (json!({ "jti": "" }), "jti"),
        (json!({ "jti": "x".repeat(300) }), "jti"),
    ] {
        scene.refused(&scene.signed("x", &changes), part).await;
    }
    scene.refused("x", "signed JWT").await;
    scene.refused(&"x".repeat(20_000), "too long").await;
    // The key of another client, and a stranger's under a known name.
    let claims = scene.claims("y", &json!({}));
    let of_verifier = signed(Algorithm::RS256, Some("other"), &claims, &SECOND.private);
    scene.refused(&of_verifier, "iss and sub").await;
    let strangers = signed(Algorithm::ES256, Some("ec"), &claims, &ec("ec").0);
    scene.refused(&strangers, "no key").await;
    let hmac = EncodingKey::from_secret(b"hris-secret");
    scene
        .refused(&signed(Algorithm::HS256, None, &claims, &hmac), "no key")
        .await;
    let other = signed(Algorithm::PS256, None, &claims, &FIRST.private);
    scene.refused(&other, "no key").await;
}

#[actix_web::test]
async fn one_way_of_proving_oneself_at_a_time() {
    let scene = Scene::new();
    let assertion = scene.signed("z", &json!({}));
    let answer = scene.ask(&assertion, "&client_secret=hris-secret").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (400, Some("invalid_request"))
    );
    let answer = scene.ask(&assertion, "&client_id=admin").await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["error"].as_str()),
        (401, Some("invalid_client"))
    );
}

#[actix_web::test]
async fn discovery_names_the_method_and_its_algorithms() {
    let app = App::start();
    let url = format!("{}/dev/.well-known/openid-configuration", app.origin);
    let metadata = send(app.http.get(url)).await.json();
    let methods = metadata["token_endpoint_auth_methods_supported"]
        .as_array()
        .unwrap();
    for method in ["client_secret_basic", "private_key_jwt"] {
        assert!(methods.contains(&json!(method)), "{metadata}");
    }
    assert_eq!(
        metadata["token_endpoint_auth_signing_alg_values_supported"],
        json!(["RS256", "ES256"])
    );
}

#[test]
fn keys_that_cannot_be_registered_are_named_at_the_start() {
    let folder = Folder::new();
    let file = folder.0.join("keys.json");
    let data = folder.0.join("data");
    let said = |client: &str, text: &str| {
        fs::write(&file, text).unwrap();
        let option = format!("{client}={}", file.display());
        refused(
            2,
            &[
                "serve",
                "--dev",
                "--port",
                "0",
                "--data-dir",
                data.to_str().unwrap(),
                "--dev-client-jwks",
                &option,
            ],
        )
    };
    let good = json!({ "keys": [ec("ec").1] }).to_string();
    assert!(said("nobody", &good).contains("they are hris"));
    assert!(said("hris", "no").contains("no JSON"));
    assert!(said("hris", r#"{"keys": []}"#).contains("are none"));
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }).to_string();
    assert!(said("hris", &symmetric).contains("neither RS256 nor ES256"));
    let mut private = ec("ec").1;
    private["d"] = json!("c2VjcmV0");
    assert!(said("hris", &json!({ "keys": [private] }).to_string()).contains("private half"));
    let message = refused(2, &["serve", "--dev-client-jwks", "hris=x"]);
    assert!(message.contains("--dev"), "{message}");
    let message = refused(2, &["serve", "--dev", "--dev-client-jwks", "hris"]);
    assert!(message.contains("NAME=FILE"), "{message}");
}
