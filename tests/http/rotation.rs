//! Keys that come and go: ES256, rotation, withdrawal, and keys taken for what they are not.

use chrono::TimeDelta;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use p256::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use super::verifier::{FIRST, SECOND, Scene, header};

/// A key on P-256: to sign with, as published, and its public half as PEM.
pub(crate) fn ec(id: &str) -> (EncodingKey, Value, String) {
    let key = p256::SecretKey::random(&mut rand::thread_rng());
    let public = key.public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let pem = key.to_pkcs8_pem(LineEnding::LF).unwrap();
    let private = EncodingKey::from_ec_pem(pem.as_bytes()).unwrap();
    let mut jwk = Jwk::from_encoding_key(&private, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some(id.into());
    (private, serde_json::to_value(jwk).unwrap(), public)
}

fn signed(scene: &Scene, algorithm: Algorithm, id: &str, key: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some(id.into());
    encode(&header, &scene.claims(&json!({})), key).unwrap()
}

#[actix_web::test]
async fn es256_is_accepted_beside_rs256() {
    let scene = Scene::new();
    let (key, jwk, _) = ec("ec");
    scene.publish(vec![FIRST.jwk("first"), jwk]);
    let token = signed(&scene, Algorithm::ES256, "ec", &key);
    scene.verify(&token).await.unwrap();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    let foreign = ec("ec").0;
    let forged = signed(&scene, Algorithm::ES256, "ec", &foreign);
    assert!(scene.refusal(&forged).await.contains("signature"));
}

#[actix_web::test]
async fn a_key_is_used_for_its_own_algorithm_alone() {
    let scene = Scene::new();
    let (key, jwk, public) = ec("ec");
    let mut mislabeled = FIRST.jwk("mislabeled");
    mislabeled["alg"] = json!("ES256");
    scene.publish(vec![FIRST.jwk("first"), jwk, mislabeled]);
    // The EC key under the RSA key's name, and the other way round.
    let token = signed(&scene, Algorithm::ES256, "first", &key);
    assert!(scene.refusal(&token).await.contains("signature"));
    for id in ["ec", "mislabeled"] {
        let token = signed(&scene, Algorithm::RS256, id, &FIRST.private);
        assert!(scene.refusal(&token).await.contains("signature"));
    }
    // The public EC key as the secret of an HMAC.
    let secret = EncodingKey::from_secret(public.as_bytes());
    let token = signed(&scene, Algorithm::HS256, "ec", &secret);
    assert!(scene.refusal(&token).await.contains("alg"));
    // PS256 is a sound algorithm, but not one that is accepted without being configured.
    let token = signed(&scene, Algorithm::PS256, "first", &FIRST.private);
    assert!(scene.refusal(&token).await.contains("alg"));
}

#[actix_web::test]
async fn a_withdrawn_key_stops_verifying_for_tokens_seen_before_too() {
    let scene = Scene::new();
    let token = scene.signed(&json!({}));
    scene.verify(&token).await.unwrap();
    scene.publish(vec![SECOND.jwk("second")]);
    scene.clock.advance(TimeDelta::minutes(4));
    scene.verify(&token).await.unwrap();
    assert_eq!(scene.fetches(), 1);
    // After five minutes the keys are looked at beside the request, which does not wait.
    scene.clock.advance(TimeDelta::minutes(1));
    scene.verify(&token).await.unwrap();
    while scene.fetches() < 2 {
        tokio::task::yield_now().await;
    }
    // The answer is on its way now: the token is good until it has arrived.
    while scene.verify(&token).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(scene.refusal(&token).await.contains("signature"));
}

#[actix_web::test]
async fn after_a_long_pause_a_withdrawn_key_does_not_verify_once_more() {
    let scene = Scene::new();
    let token = scene.signed(&json!({}));
    scene.verify(&token).await.unwrap();
    scene.publish(vec![SECOND.jwk("second")]);
    scene.clock.advance(TimeDelta::minutes(10));
    assert!(scene.refusal(&token).await.contains("signature"));
    assert_eq!(scene.fetches(), 2);
}

#[actix_web::test]
async fn a_key_added_beside_the_old_one_costs_no_token_its_life() {
    let scene = Scene::new();
    let token = scene.signed(&json!({}));
    scene.verify(&token).await.unwrap();
    scene.publish(vec![SECOND.jwk("second"), FIRST.jwk("first")]);
    let fresh = encode(
        &header("second"),
        &scene.claims(&json!({})),
        &SECOND.private,
    )
    .unwrap();
    scene.verify(&fresh).await.unwrap();
    scene.verify(&token).await.unwrap();
    assert_eq!(scene.fetches(), 2);
}

#[actix_web::test]
async fn while_the_issuer_is_down_known_keys_work_and_it_is_asked_once_a_minute() {
    let scene = Scene::new();
    let token = scene.signed(&json!({}));
    scene.verify(&token).await.unwrap();
    scene.down(true);
    let before = scene.refused();
    for minute in 1..=6 {
        scene
            .clock
            .advance(TimeDelta::minutes(if minute == 1 { 10 } else { 1 }));
        while scene.refused() < before + minute {
            scene.verify(&token).await.unwrap();
            tokio::task::yield_now().await;
        }
        for _ in 0..20 {
            scene.verify(&token).await.unwrap();
        }
    }
    assert_eq!(scene.refused(), before + 6);
    scene.down(false);
    scene.publish(vec![SECOND.jwk("second")]);
    scene.clock.advance(TimeDelta::minutes(1));
    assert!(scene.refusal(&token).await.contains("signature"));
}

#[actix_web::test]
async fn of_many_tokens_with_a_new_key_one_fetches_and_all_are_good() {
    let scene = Scene::new();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    scene.publish(vec![SECOND.jwk("second")]);
    let tokens: Vec<_> = (0..3)
        .map(|n| {
            let claims = scene.claims(&json!({"jti": n}));
            encode(&header("second"), &claims, &SECOND.private).unwrap()
        })
        .collect();
    let (a, b, c) = tokio::join!(
        scene.verify(&tokens[0]),
        scene.verify(&tokens[1]),
        scene.verify(&tokens[2])
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(scene.fetches(), 2);
}
