//! How often a client may call (RFC 6585 §4).

use reqwest::Method;

use super::app::{App, send};

/// So slow that no test waits for the next request to be allowed.
const LIMITS: &str = "[limits]\nrequests_per_second = 25\nburst = 30";

fn limited() -> App {
    App::configured(|config| {
        config.limits = muster::config::parse(LIMITS).unwrap().limits;
    })
}

#[actix_web::test]
async fn one_request_too_many_is_429_with_whole_seconds_to_wait() {
    let app = limited();
    let mut refused = None;
    for _ in 0..500 {
        let answer = app.get("/Users/none").await;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        answer.error(404, None);
    }
    let refused = refused.expect("500 requests take less than 18 seconds");
    let detail = refused.error(429, None);
    assert!(
        detail.contains("'admin'") && detail.contains("25 requests a second"),
        "{detail}"
    );
    assert_eq!(refused.header("retry-after"), "1");
    // Another client of the same tenant has its own count, and strangers' requests are nobody's.
    let hris = app.anonymous(Method::GET, "/Users");
    assert_eq!(send(hris.bearer_auth(app.token("hris"))).await.status, 200);
    // What is refused is not counted: who asks on is let in as soon as it is time.
    let mut answer = app.get("/Users").await;
    while answer.status == 429 {
        answer = app.get("/Users").await;
    }
    assert_eq!(answer.status, 200);
}

#[actix_web::test]
async fn strangers_are_refused_before_anything_is_counted() {
    let app = limited();
    for _ in 0..100 {
        send(app.anonymous(Method::GET, "/Users"))
            .await
            .error(401, None);
        let forged = app.anonymous(Method::GET, "/Users").bearer_auth("a.b.c");
        send(forged).await.error(401, None);
    }
    assert_eq!(app.get("/Users").await.status, 200);
}

#[actix_web::test]
async fn in_dev_mode_nobody_is_limited() {
    let app = App::start();
    for _ in 0..300 {
        assert_eq!(app.get("/ResourceTypes").await.status, 200);
        assert_eq!(app.get("/Users?count=0").await.status, 200);
    }
}
