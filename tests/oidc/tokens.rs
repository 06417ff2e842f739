//! Access tokens of the provider: client credentials (RFC 6749 §4.4), audiences (RFC 8707), and keys that change while both
//! are running.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::scene::{AUDIENCE, Scene, on_both};

on_both!(
    a_client_s_token_opens_the_door,
    tokens_for_others_of_others_and_opaque_ones_are_refused,
    new_keys_are_followed_while_old_tokens_stay_good,
    tokens_of_withdrawn_keys_are_refused_after_ten_minutes,
);

async fn status(scene: &Scene, token: &str) -> u16 {
    scene.caller(token).get("/Users").await.status
}

async fn a_client_s_token_opens_the_door(scene: &Scene) {
    let token = scene.provider.token("hris", AUDIENCE).await;
    let caller = scene.caller(&token);
    let made = caller.create("/Users", json!({ "userName": "ada" })).await;
    let id = made["id"].as_str().unwrap();
    let read = caller.get(&format!("/Users/{id}")).await;
    assert_eq!(read.ok(200)["userName"], "ada");
}

async fn tokens_for_others_of_others_and_opaque_ones_are_refused(scene: &Scene) {
    let other = scene
        .provider
        .token("hris", "https://payroll.example.com")
        .await;
    assert_eq!(status(scene, &other).await, 401);
    // The token is good, but no client here is of that name.
    let stranger = scene.provider.token("stranger", AUDIENCE).await;
    assert_eq!(status(scene, &stranger).await, 403);
    // Asked for no resource, the provider hands out a token that it alone can read.
    let opaque: Value = scene.provider.ask("hris", "").await;
    assert_eq!(
        status(scene, opaque["access_token"].as_str().unwrap()).await,
        401
    );
    let good = scene.provider.token("hris", AUDIENCE).await;
    assert_eq!(status(scene, &good).await, 200);
    // A day later it has expired.
    scene.clock.advance(TimeDelta::days(1));
    assert_eq!(status(scene, &good).await, 401);
}

async fn new_keys_are_followed_while_old_tokens_stay_good(scene: &Scene) {
    let old = scene.provider.token("hris", AUDIENCE).await;
    assert_eq!(status(scene, &old).await, 200);
    for _ in 0..2 {
        scene.provider.keys("add").await;
        let fresh = scene.provider.token("hris", AUDIENCE).await;
        assert_eq!(status(scene, &fresh).await, 200);
        assert_eq!(status(scene, &old).await, 200);
        // The keys are asked for once a minute at most.
        scene.clock.advance(TimeDelta::minutes(1));
    }
}

async fn tokens_of_withdrawn_keys_are_refused_after_ten_minutes(scene: &Scene) {
    let old = scene.provider.token("hris", AUDIENCE).await;
    assert_eq!(status(scene, &old).await, 200);
    scene.provider.keys("replace").await;
    scene.clock.advance(TimeDelta::minutes(10));
    assert_eq!(status(scene, &old).await, 401);
    let fresh = scene.provider.token("hris", AUDIENCE).await;
    assert_eq!(status(scene, &fresh).await, 200);
}
