//! Who is let in: every way to be refused, as the caller sees it (RFC 6750 §3).

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use muster::clock::{Clock, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};

use super::app::{App, send};

fn claims(app: &App, changes: &Value) -> Value {
    let now = SystemClock.now().timestamp();
    let mut claims = json!({
        "iss": format!("{}/dev", app.origin), "aud": "muster", "azp": "hris", "iat": now, "exp": now + 600,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

#[actix_web::test]
async fn without_a_token_there_is_a_challenge_and_no_error_code() {
    let app = App::start();
    let answer = send(app.anonymous(Method::GET, "/Users")).await;
    answer.error(401, None);
    assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"muster\"");
}

#[actix_web::test]
async fn every_bad_token_is_refused_with_invalid_token() {
    let app = App::start();
    let now = SystemClock.now().timestamp();
    let pem = EncodingKey::from_secret(b"-----BEGIN PUBLIC KEY-----");
    let hmac = encode(
        &Header::new(Algorithm::HS256),
        &claims(&app, &json!({})),
        &pem,
    )
    .unwrap();
    let unsigned = {
        use base64::Engine;
        let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
        format!(
            "{}.{}.",
            part(r#"{"alg":"none"}"#),
            part(&claims(&app, &json!({})).to_string())
        )
    };
    let good = app.token("hris");
    let mut tokens = vec![
        hmac,
        unsigned,
        "garbage".into(),
        good[..good.len() - 8].into(),
    ];
    tokens.extend(
        [
            json!({"exp": now - 60}),
            json!({"nbf": now + 120}),
            json!({"iat": now + 120}),
            json!({"aud": "someone"}),
            json!({"iss": "https://evil.example"}),
        ]
        .iter()
        .map(|changes| App::signed(&claims(&app, changes))),
    );
    for token in tokens {
        let answer = send(app.anonymous(Method::GET, "/Users").bearer_auth(&token)).await;
        answer.error(401, None);
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with(
                "Bearer realm=\"muster\", error=\"invalid_token\", error_description=\""
            ),
            "{challenge}"
        );
    }
}

#[actix_web::test]
async fn a_good_token_of_nobody_is_forbidden() {
    let app = App::start();
    let token = App::signed(&claims(&app, &json!({"azp": "stranger"})));
    let answer = send(app.anonymous(Method::GET, "/Users").bearer_auth(token)).await;
    answer.error(403, None);
}

#[actix_web::test]
async fn rights_end_where_the_grants_end() {
    let app = App::start();
    let as_verifier = |method, path| {
        app.anonymous(method, path)
            .bearer_auth(app.token("verifier"))
    };
    assert_eq!(send(as_verifier(Method::GET, "/Persons")).await.status, 200);
    send(as_verifier(Method::GET, "/Users"))
        .await
        .error(403, None);
    let body = json!({"schemas": ["urn:muster:scim:schemas:core:1.0:Person"]});
    send(super::app::scim(
        as_verifier(Method::POST, "/Persons"),
        &body,
    ))
    .await
    .error(403, None);
}
