//! Issuers as they are: Entra's two kinds, several for one tenant, and those that are slow, gone, huge or lead elsewhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use muster::clock::{Clock, FixedClock, SystemClock};
use muster::http::token::{Refusal, Verified, Verifier};
use reqwest::Method;
use serde_json::{Value, json};

use super::app::{App, PATIENCE, scim, send, user};
use super::fake_issuer::{FakeIssuer, Manner};
use super::verifier::{FIRST, SECOND, header};

const NOW: i64 = 1_800_000_000;
const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// The audience of the gallery's provisioning tokens.
const GALLERY: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";

/// A verifier that trusts one issuer, of this TOML.
struct Scene {
    issuer: FakeIssuer,
    url: String,
    clock: Arc<FixedClock>,
    verifier: Verifier,
}

impl Scene {
    fn new() -> Self {
        let issuer = FakeIssuer::new(vec![FIRST.jwk("first")]);
        let url = issuer.origin.clone();
        Self::trusting(issuer, &url, "audience = \"muster\"")
    }

    fn trusting(issuer: FakeIssuer, url: &str, more: &str) -> Self {
        let toml = format!("[[issuer]]\nurl = \"{url}\"\n{more}");
        let config = muster::config::parse(&toml).unwrap();
        let clock = Arc::new(FixedClock::at(DateTime::from_timestamp(NOW, 0).unwrap()));
        let verifier = Verifier::new(&config.issuers, clock.clone()).unwrap();
        Self {
            issuer,
            url: url.into(),
            clock,
            verifier,
        }
    }

    fn claims(&self, changes: &Value) -> Value {
        let mut claims = json!({ "iss": self.url, "aud": "muster", "exp": NOW + 36_000 });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    }

    fn signed(&self, changes: &Value) -> String {
        encode(&header("first"), &self.claims(changes), &FIRST.private).unwrap()
    }

    async fn verify(&self, token: &str) -> Result<Arc<Verified>, Refusal> {
        self.verifier
            .verify(Some(format!("Bearer {token}").as_bytes()))
            .await
    }

    async fn refusal(&self, token: &str) -> String {
        match self.verify(token).await {
            Err(Refusal::Invalid(why)) => why,
            other => panic!("{other:?}"),
        }
    }
}

/// A key as Entra publishes it.
fn entra_key(id: &str, issuer: &str) -> Value {
    let mut key = FIRST.jwk(id);
    key.as_object_mut().unwrap().remove("alg");
    key["x5t"] = json!(id);
    key["x5c"] =
        json!(["MIIC/TCCAeWgAwIBAgIIUd7j/OIahkYwDQYJKoZIhvcNAQELBQAwLTErMCkGA1UEAxMiYWNjb3VudHM="]);
    key["cloud_instance_name"] = json!("microsoftonline.com");
    key["issuer"] = json!(issuer);
    key
}

fn entra_token(claims: &Value) -> String {
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("first".into());
    header.x5t = Some("first".into());
    encode(&header, claims, &FIRST.private).unwrap()
}

#[actix_web::test]
async fn entra_v1_tokens_are_accepted_whose_discovery_is_elsewhere() {
    let url = format!("https://sts.windows.net/{TENANT}/");
    let issuer = FakeIssuer::new(vec![entra_key("first", &url)]);
    issuer.call_itself(&url);
    let more = format!(
        "audience = [\"{GALLERY}\", \"api://muster\"]\ndiscovery = \"{}/discovery\"",
        issuer.origin
    );
    let scene = Scene::trusting(issuer, &url, &more);
    let claims = |audience: &str| {
        json!({
            "aud": audience, "iss": url, "iat": NOW, "nbf": NOW, "exp": NOW + 3900, "aio": "E2Zg", "appidacr": "2",
            "appid": "7d5d2f3c-1111-4222-8333-444455556666", "idp": url, "oid": "a", "sub": "a", "tid": TENANT, "ver": "1.0",
        })
    };
    for audience in [GALLERY, "api://muster"] {
        let verified = scene.verify(&entra_token(&claims(audience))).await.unwrap();
        assert_eq!(verified.issuer, url);
    }
    let why = scene
        .refusal(&entra_token(&claims(
            "00000002-0000-0000-c000-000000000000",
        )))
        .await;
    assert!(why.contains("aud"), "{why}");
    // Without its last slash it is another issuer.
    let mut other = claims(GALLERY);
    other["iss"] = json!(url.trim_end_matches('/'));
    assert!(scene.refusal(&entra_token(&other)).await.contains("iss"));
    assert_eq!(scene.issuer.asked("/discovery"), 1);
}

#[actix_web::test]
async fn entra_v2_tokens_are_accepted_by_the_application_id() {
    let issuer = FakeIssuer::new(Vec::new());
    let url = format!("{}/{TENANT}/v2.0", issuer.origin);
    issuer.call_itself(&url);
    let template = format!("{}/{{tenantid}}/v2.0", issuer.origin);
    issuer.behave(Manner::Good(vec![entra_key("first", &template)]));
    let scene = Scene::trusting(
        issuer,
        &url,
        "audience = \"6e74172b-be56-4843-9ff4-e66a39bb12e3\"",
    );
    let claims = json!({
        "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3", "iss": url, "iat": NOW, "nbf": NOW, "exp": NOW + 3900,
        "azp": "7d5d2f3c-1111-4222-8333-444455556666", "azpacr": "1", "oid": "a", "sub": "a", "tid": TENANT, "ver": "2.0",
        "roles": ["Provisioning"],
    });
    scene.verify(&entra_token(&claims)).await.unwrap();
    let mut other = claims;
    other["iss"] = json!(
        scene
            .url
            .replace(TENANT, "11111111-86f1-41af-91ab-2d7cd011db47")
    );
    assert!(scene.refusal(&entra_token(&other)).await.contains("iss"));
}

#[actix_web::test]
async fn discovery_that_names_another_issuer_is_not_used() {
    let scene = Scene::new();
    scene.issuer.call_itself("https://login.example.com");
    match scene.verify(&scene.signed(&json!({}))).await {
        Err(Refusal::IssuerUnreachable { cause, .. }) => {
            assert!(cause.contains("login.example.com"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn keys_that_turn_bad_leave_the_known_ones_in_use() {
    for manner in [
        Manner::Gone,
        Manner::Huge,
        Manner::Garbage,
        Manner::Redirect("http://169.254.169.254/keys".into()),
        Manner::Redirect("/moved".into()),
    ] {
        let scene = Scene::new();
        scene.verify(&scene.signed(&json!({}))).await.unwrap();
        scene.issuer.behave(manner.clone());
        // The keys are stale, so the request waits for a fetch, which fails.
        scene.clock.advance(TimeDelta::minutes(10));
        scene
            .verify(&scene.signed(&json!({ "jti": "known key" })))
            .await
            .unwrap();
        assert_eq!(scene.issuer.asked("/keys"), 2, "{manner:?}");
        let stranger = encode(
            &header("second"),
            &scene.claims(&json!({})),
            &SECOND.private,
        )
        .unwrap();
        assert!(
            scene.refusal(&stranger).await.contains("no key"),
            "{manner:?}"
        );
        assert_eq!(scene.issuer.asked("/moved"), 0, "a redirect was followed");
        // When it is good again, it is asked within a minute.
        scene
            .issuer
            .behave(Manner::Good(vec![SECOND.jwk("second")]));
        scene.clock.advance(TimeDelta::minutes(1));
        scene.verify(&stranger).await.unwrap();
    }
}

#[actix_web::test]
async fn keys_that_are_bad_from_the_first_leave_the_question_open() {
    for (manner, part) in [
        (Manner::Gone, "404"),
        (Manner::Huge, "larger than"),
        (Manner::Garbage, "parse"),
        (
            Manner::Redirect("http://169.254.169.254/keys".into()),
            "302",
        ),
    ] {
        let scene = Scene::new();
        scene.issuer.behave(manner);
        match scene.verify(&scene.signed(&json!({}))).await {
            Err(Refusal::IssuerUnreachable { cause, .. }) => {
                assert!(cause.contains(part), "{cause}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[actix_web::test]
async fn a_slow_issuer_holds_up_one_request_for_five_seconds_and_no_other() {
    let scene = Scene::new();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    scene.issuer.behave(Manner::Slow);
    scene.clock.advance(TimeDelta::minutes(10));
    let began = Instant::now();
    let (first, second) = (
        scene.signed(&json!({ "jti": 1 })),
        scene.signed(&json!({ "jti": 2 })),
    );
    let waiting = async {
        scene.verify(&first).await.unwrap();
        began.elapsed()
    };
    let beside = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        scene.verify(&second).await.unwrap();
        began.elapsed()
    };
    let (waited, beside) = tokio::join!(waiting, beside);
    assert!(
        waited > Duration::from_secs(4) && waited < PATIENCE,
        "{waited:?}"
    );
    assert!(beside < waited, "{beside:?} {waited:?}");
}

#[actix_web::test]
async fn keys_that_have_moved_are_found_by_asking_discovery_again() {
    let scene = Scene::new();
    scene.verify(&scene.signed(&json!({}))).await.unwrap();
    scene
        .issuer
        .keep_keys_at(&format!("{}/moved", scene.issuer.origin));
    scene.issuer.behave(Manner::Gone);
    let fresh = encode(
        &header("second"),
        &scene.claims(&json!({})),
        &SECOND.private,
    )
    .unwrap();
    scene.refusal(&fresh).await;
    scene
        .issuer
        .behave(Manner::Good(vec![SECOND.jwk("second")]));
    scene.clock.advance(TimeDelta::minutes(1));
    scene.verify(&fresh).await.unwrap();
    assert_eq!(scene.issuer.asked("/moved"), 1);
}

#[actix_web::test]
async fn keys_by_plain_http_on_another_machine_are_not_fetched() {
    let scene = Scene::new();
    scene.issuer.keep_keys_at("http://192.0.2.1/keys");
    match scene.verify(&scene.signed(&json!({}))).await {
        Err(Refusal::IssuerUnreachable { cause, .. }) => {
            assert!(cause.contains("https://"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn tokens_with_huge_deep_or_many_claims_are_taken_or_refused_and_nothing_breaks() {
    let scene = Scene::new();
    let groups =
        |count: usize| json!({ "groups": vec!["0d5fe5b4-1a3b-4b1c-9b57-3c1f1f0b0f4e"; count] });
    // Longer than what is remembered: verified each time.
    let large = scene.signed(&groups(150));
    assert!(large.len() > 4096);
    for _ in 0..2 {
        scene.verify(&large).await.unwrap();
    }
    assert!(
        scene
            .refusal(&scene.signed(&groups(400)))
            .await
            .contains("too long")
    );
    let many: Vec<String> = (0..200).map(|n| format!("api://other/{n}")).collect();
    assert!(
        scene
            .refusal(&scene.signed(&json!({ "aud": many })))
            .await
            .contains("aud")
    );
    let with_ours = [many, vec!["muster".into()]].concat();
    scene
        .verify(&scene.signed(&json!({ "aud": with_ours })))
        .await
        .unwrap();
    for audience in [
        json!([]),
        json!({}),
        json!(7),
        json!(["muster", 7]),
        json!([["muster"]]),
    ] {
        let token = scene.signed(&json!({ "aud": audience }));
        assert!(scene.verify(&token).await.is_err(), "{audience}");
    }
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    scene
        .verify(&scene.signed(&json!({ "deep": deep })))
        .await
        .unwrap();
    let text = format!(
        "{{\"iss\": \"{}\", \"deep\": {}{}}}",
        scene.url,
        "[".repeat(3000),
        "]".repeat(3000)
    );
    assert!(scene.refusal(&raw(&text)).await.contains("not a JWT"));
}

/// A token of claims as they stand.
fn raw(claims: &str) -> String {
    use base64::Engine;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let message = format!(
        "{}.{}",
        part(r#"{"alg":"RS256","kid":"first"}"#),
        part(claims)
    );
    let key: &EncodingKey = &FIRST.private;
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, Algorithm::RS256).unwrap();
    format!("{message}.{signature}")
}

#[actix_web::test]
async fn times_beyond_all_measure_are_refused_or_outlived() {
    let scene = Scene::new();
    for (changes, part) in [
        (json!({ "iat": NOW + 86_400 }), "iat"),
        (json!({ "iat": i64::MAX }), "iat"),
        (json!({ "nbf": 1e300 }), "nbf"),
        (json!({ "exp": -1 }), "expired"),
        (json!({ "exp": i64::MIN }), "expired"),
        (json!({ "iat": "yesterday" }), "iat"),
    ] {
        let why = scene.refusal(&scene.signed(&changes)).await;
        assert!(why.contains(part), "{changes}: {why}");
    }
    scene
        .verify(&scene.signed(&json!({ "exp": i64::MAX })))
        .await
        .unwrap();
}

#[actix_web::test]
async fn an_id_token_does_not_open_the_door() {
    let scene = Scene::new();
    for claim in ["at_hash", "c_hash"] {
        let why = scene
            .refusal(&scene.signed(&json!({ claim: "77QmUPtjPfzWtF2AnpK9RQ" })))
            .await;
        assert!(why.contains("ID token"), "{why}");
    }
    let mut request_object = header("first");
    request_object.typ = Some("oauth-authz-req+jwt".into());
    let token = encode(&request_object, &scene.claims(&json!({})), &FIRST.private).unwrap();
    assert!(scene.refusal(&token).await.contains("typ"));
}

/// Two issuers share one tenant, and one of them has a client in another.
fn two_issuers() -> (App, [FakeIssuer; 2]) {
    let issuers = [
        FakeIssuer::new(vec![FIRST.jwk("first")]),
        FakeIssuer::new(vec![SECOND.jwk("first")]),
    ];
    let client = |name: &str, issuer: &FakeIssuer, tenant: &str| {
        let url = &issuer.origin;
        format!(
            "[[client]]\nname = \"{name}\"\nissuer = \"{url}\"\nmatch = {{ claim = \"azp\", equals = \"{name}\" }}\n\
             tenant = \"{tenant}\"\nsystem = \"s\"\ngrants = [{{ types = [\"*\"], rights = [\"read\", \"search\", \"write\"] }}]\n"
        )
    };
    let mut text = "[[system]]\nname = \"s\"\n".to_owned();
    for issuer in &issuers {
        let url = &issuer.origin;
        text += "[[issuer]]
audience = \"muster\"
";
        text += &[
            "url = \"", url, "\"
",
        ]
        .concat();
    }
    text += &client("one", &issuers[0], "acme");
    text += &client("two", &issuers[1], "acme");
    text += &client("three", &issuers[1], "globex");
    let parsed = muster::config::parse(&text).unwrap();
    let app = App::configured(|config| {
        config.issuers = parsed.issuers;
        config.systems = parsed.systems;
        config.clients = parsed.clients;
    });
    (app, issuers)
}

#[actix_web::test]
async fn a_tenant_has_any_number_of_issuers_and_no_client_of_another_tenant() {
    let (app, [first, second]) = two_issuers();
    let now = SystemClock.now().timestamp();
    let token = |issuer: &FakeIssuer, key: &EncodingKey, client: &str| {
        let claims =
            json!({ "iss": issuer.origin, "aud": "muster", "azp": client, "exp": now + 600 });
        encode(&header("first"), &claims, key).unwrap()
    };
    let one = token(&first, &FIRST.private, "one");
    let two = token(&second, &SECOND.private, "two");
    let three = token(&second, &SECOND.private, "three");
    let made = scim(
        app.anonymous(Method::POST, "/Users").bearer_auth(&one),
        &user("ada"),
    );
    let made = send(made).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("/Users/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        send(app.anonymous(Method::GET, &path).bearer_auth(&two))
            .await
            .status,
        200
    );
    assert_eq!(
        send(app.anonymous(Method::GET, &path).bearer_auth(&three))
            .await
            .status,
        404
    );
    // An issuer cannot speak for another's client, by its own name or by the other's.
    let foreign = token(&first, &FIRST.private, "three");
    assert_eq!(
        send(app.anonymous(Method::GET, &path).bearer_auth(&foreign))
            .await
            .status,
        403
    );
    let forged = token(&second, &FIRST.private, "two");
    assert_eq!(
        send(app.anonymous(Method::GET, &path).bearer_auth(&forged))
            .await
            .status,
        401
    );
}
