//! Routes, media types, limits and query strings: what happens before a use case is reached.

use reqwest::Method;
use serde_json::json;

use super::app::{App, scim, send, user};

#[actix_web::test]
async fn discovery_needs_no_token_and_takes_no_filter() {
    let app = App::start();
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        let answer = send(app.anonymous(Method::GET, path)).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "application/scim+json")
        );
        assert!(!answer.text.contains("null"), "{path}");
        send(app.anonymous(Method::GET, &format!("{path}?filter=x")))
            .await
            .error(403, None);
        let wrong = send(app.anonymous(Method::POST, path)).await;
        wrong.error(405, None);
        assert_eq!(wrong.header("allow"), "GET");
    }
    for list in ["/ResourceTypes", "/Schemas"] {
        let all = send(app.anonymous(Method::GET, list)).await.json();
        assert_eq!(
            all["totalResults"],
            all["Resources"].as_array().unwrap().len()
        );
        for item in all["Resources"].as_array().unwrap() {
            let path = format!("{list}/{}", item["id"].as_str().unwrap());
            assert_eq!(&send(app.anonymous(Method::GET, &path)).await.json(), item);
        }
        send(app.anonymous(Method::GET, &format!("{list}/nope")))
            .await
            .error(404, None);
    }
}

#[actix_web::test]
async fn unknown_addresses_are_404_and_wrong_methods_405() {
    let app = App::start();
    app.get("/Nope").await.error(404, None);
    app.get("/Users/1/2").await.error(404, None);
    send(app.request(Method::PUT, "/Nope"))
        .await
        .error(404, None);
    send(app.http.get(format!("{}/elsewhere", app.origin)))
        .await
        .error(404, None);
    for (method, path, allowed) in [
        (Method::PUT, "/Users", "GET, POST"),
        (Method::POST, "/Users/1", "GET, PUT, PATCH, DELETE"),
        (Method::GET, "/Users/.search", "POST"),
    ] {
        let answer = send(app.request(method, path)).await;
        answer.error(405, None);
        assert_eq!(answer.header("allow"), allowed);
    }
    app.get("/Me").await.error(501, None);
}

#[actix_web::test]
async fn bodies_are_json_of_bounded_size() {
    let app = App::start();
    let post = |kind: &str, body: String| {
        app.request(Method::POST, "/Users")
            .header("content-type", kind)
            .body(body)
    };
    let text = user("ada").to_string();
    for kind in ["text/plain", "application/xml", "application/scim"] {
        send(post(kind, text.clone())).await.error(415, None);
    }
    let gzip = post("application/json", text.clone()).header("content-encoding", "gzip");
    send(gzip).await.error(415, None);
    for body in ["", "{", "[]", "{\"a\":1,\"a\":2}", "{} {}"] {
        send(post("application/scim+json", body.into()))
            .await
            .error(400, Some("invalidSyntax"));
    }
    let kind = "Application/JSON; charset=utf-8";
    assert_eq!(send(post(kind, text)).await.status, 201);
    for size in [1024 * 1024 + 1, 3 * 1024 * 1024, 5 * 1024 * 1024] {
        let answer = send(post("application/json", " ".repeat(size))).await;
        assert!(answer.error(413, None).contains("1048576"));
    }
}

#[actix_web::test]
async fn query_strings_are_parsed_strictly() {
    let app = App::start();
    app.post("/Users", user("Ada Lovelace")).await;
    for query in [
        "filter=userName+eq+%22ada+lovelace%22&",
        "filter=userName%20eq%20%22ada%20lovelace%22",
        "&filter=userName%20eq%20%22ada%20lovelace%22&unknown=%20",
    ] {
        let found = app.get(&format!("/Users?{query}")).await;
        assert_eq!(found.json()["totalResults"], 1, "{query}: {found:?}");
    }
    app.get("/Users?filter=%ff")
        .await
        .error(400, Some("invalidValue"));
    app.get("/Users?count=1&count=2")
        .await
        .error(400, Some("invalidValue"));
    let long = format!("/Users?unknown={}", "x".repeat(60_000));
    assert_eq!(app.get(&long).await.status, 200);
}

#[actix_web::test]
async fn correlation_ids_are_echoed_if_sound_and_made_if_not() {
    let app = App::start();
    let sent = |id: &str| {
        app.anonymous(Method::GET, "/Schemas")
            .header("x-correlation-id", id)
    };
    assert_eq!(
        send(sent("flow-1")).await.header("x-correlation-id"),
        "flow-1"
    );
    for bad in ["", "a b", &"x".repeat(129)] {
        let made = send(sent(bad)).await;
        assert_eq!(made.header("x-correlation-id").len(), 36);
    }
}

#[actix_web::test]
async fn health_and_readiness_are_told() {
    let app = App::start();
    for path in ["healthz", "readyz"] {
        let answer = send(app.http.get(format!("{}/{path}", app.origin))).await;
        assert_eq!(answer.status, 200);
    }
}

#[actix_web::test]
async fn two_hundred_requests_at_once_are_all_answered() {
    let app = App::start();
    let requests = (0..200).map(|n| {
        let request = scim(app.request(Method::POST, "/Users"), &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{n}"),
        }));
        actix_web::rt::spawn(send(request))
    });
    for answer in requests.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().status, 201);
    }
    assert_eq!(app.get("/Users?count=0").await.json()["totalResults"], 200);
}
