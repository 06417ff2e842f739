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
