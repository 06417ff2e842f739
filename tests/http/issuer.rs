//! The embedded issuer: RFC 6749 at the token endpoint, and tokens that open the door.

use super::app::{Answer, App, send};

const FORM: &str = "application/x-www-form-urlencoded";

async fn ask(app: &App, basic: Option<(&str, &str)>, body: &str) -> Answer {
    let mut request = app.http.post(format!("{}/dev/token", app.origin));
    if let Some((name, secret)) = basic {
        request = request.basic_auth(name, Some(secret));
    }
    let answer = send(request.header("content-type", FORM).body(body.to_owned())).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    answer
}

#[actix_web::test]
async fn both_ways_of_sending_credentials_get_a_token_that_works() {
    let app = App::start();
    let body =
        "grant_type=client_credentials&client_id=verifier&client_secret=verifier-secret&scope=scim";
    for answer in [
        ask(
            &app,
            Some(("verifier", "verifier-secret")),
            "grant_type=client_credentials",
        )
        .await,
        ask(&app, None, body).await,
    ] {
        assert_eq!(answer.status, 200);
        let body = answer.json();
        assert_eq!(
            (
                body["token_type"].as_str(),
                body["expires_in"].as_i64(),
                body["scope"].as_str()
            ),
            (Some("Bearer"), Some(3600), Some("scim"))
        );
        let token = body["access_token"].as_str().unwrap();
        let list = send(
            app.anonymous(reqwest::Method::GET, "/Persons")
                .bearer_auth(token),
        )
        .await;
        assert_eq!(list.status, 200, "{list:?}");
    }
}

#[actix_web::test]
async fn refusals_have_the_form_of_rfc_6749() {
    let app = App::start();
    let good = Some(("hris", "hris-secret"));
    for (basic, body, status, error) in [
        (
            Some(("hris", "guess")),
            "grant_type=client_credentials",
            401,
            "invalid_client",
        ),
        (
            Some(("nobody", "x")),
            "grant_type=client_credentials",
            401,
            "invalid_client",
        ),
        (None, "grant_type=client_credentials", 401, "invalid_client"),
        (good, "", 400, "invalid_request"),
        (good, "grant_type=password", 400, "unsupported_grant_type"),
        (
            good,
            "grant_type=client_credentials&grant_type=client_credentials",
            400,
            "invalid_request",
        ),
        (
            good,
            "grant_type=client_credentials&client_secret=hris-secret",
            400,
            "invalid_request",
        ),
    ] {
        let answer = ask(&app, basic, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (status, Some(error)),
            "{body}"
        );
        assert_eq!(
            status == 401,
            answer.header("www-authenticate").starts_with("Basic ")
        );
    }
    let get = send(app.http.get(format!("{}/dev/token", app.origin))).await;
    assert_eq!((get.status.as_u16(), get.header("allow")), (405, "POST"));
}

#[actix_web::test]
async fn tokens_survive_a_restart_and_the_key_is_its_owners_alone() {
    let mut app = App::start();
    let address = app.origin.clone();
    app.stop();
    let key = app.folder.0.join("dev-issuer-key.pem");
    let before = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let mut settings = muster::cli::serve::Serve::dev(app.folder.0.clone());
    app.folder.is_home_of(&mut settings.config);
    settings.config.server.port = address.rsplit(':').next().unwrap().parse().unwrap();
    let clock = std::sync::Arc::new(muster::clock::SystemClock);
    let ids = std::sync::Arc::new(muster::id::RandomIds);
    let running = muster::cli::serve::start(settings, clock, ids).unwrap();
    let made = std::fs::read_to_string(&key).unwrap();
    assert!(made != before && made.starts_with("-----BEGIN PRIVATE KEY-----"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            std::fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    let old = send(app.request(reqwest::Method::GET, "/Users")).await;
    assert_eq!(old.status, 401);
    running.stop().unwrap();
}

/// The key ids that the issuer publishes.
async fn published(app: &App) -> Vec<String> {
    let keys = send(app.http.get(format!("{}/dev/jwks", app.origin))).await;
    let keys = keys.json();
    let ids = keys["keys"].as_array().unwrap().iter();
    ids.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

/// A token signed with that algorithm; its header says so.
async fn token(app: &App, algorithm: &str) -> String {
    let body = format!("grant_type=client_credentials&alg={algorithm}");
    let answer = ask(app, Some(("hris", "hris-secret")), &body).await;
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(format!("{:?}", header.alg), algorithm);
    token
}

async fn opens(app: &App, token: &str) -> u16 {
    let list = app.anonymous(reqwest::Method::GET, "/Users");
    send(list.bearer_auth(token)).await.status.as_u16()
}

async fn rotate(app: &App, name: &str, secret: &str) -> Answer {
    let rotate = app.http.post(format!("{}/dev/rotate", app.origin));
    send(rotate.basic_auth(name, Some(secret))).await
}

#[actix_web::test]
async fn keys_are_changed_while_tokens_are_in_use() {
    let app = App::start();
    let first = published(&app).await;
    assert_eq!(first.len(), 2);
    let mut tokens = Vec::new();
    for algorithm in ["RS256", "ES256"] {
        tokens.push(token(&app, algorithm).await);
        assert_eq!(opens(&app, &tokens[tokens.len() - 1]).await, 200);
    }
    assert_eq!(rotate(&app, "admin", "guess").await.status, 401);
    assert_eq!(rotate(&app, "hris", "hris-secret").await.status, 403);
    assert_eq!(published(&app).await, first);
    let answer = rotate(&app, "admin", "admin-secret").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let fresh = published(&app).await;
    assert_eq!(answer.json()["signing"], serde_json::json!(fresh[..2]));
    assert_eq!(fresh[2..], first);
    for algorithm in ["RS256", "ES256"] {
        tokens.push(token(&app, algorithm).await);
    }
    // The verifier asks for the new keys when it first meets them; the old ones are good as before.
    for token in &tokens {
        assert_eq!(opens(&app, token).await, 200);
    }
    #[cfg(unix)]
    for file in [
        "dev-issuer-key.pem",
        "dev-issuer-key-es256.pem",
        "dev-issuer-retired.json",
    ] {
        use std::os::unix::fs::PermissionsExt;
        let file = std::fs::metadata(app.folder.0.join(file)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
}

#[actix_web::test]
async fn other_algorithms_are_not_signed_with() {
    let app = App::start();
    for algorithm in ["HS256", "none", "PS256"] {
        let body = format!("grant_type=client_credentials&alg={algorithm}");
        let answer = ask(&app, Some(("hris", "hris-secret")), &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.json()["error"].as_str()),
            (400, Some("invalid_request"))
        );
    }
}
