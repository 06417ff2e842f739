//! Bad input: a clear 4xx with a SCIM error body, no panic, nothing changed.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    App, CANDIDATE, Client, EMPLOYEE, ENTERPRISE, PATCH_OP, SEARCH, USER, on_both,
};

on_both!(
    a_body_that_is_no_json_object_is_refused,
    a_body_that_is_no_utf_8_is_refused,
    a_member_given_twice_is_refused,
    a_body_over_the_limit_is_413,
    deep_nesting_is_refused_in_bodies,
    deep_nesting_is_refused_in_filters,
    enormous_filters_are_refused,
    unknown_paths_are_refused_wherever_they_stand,
    aliases_that_differ_are_refused,
    a_refused_change_leaves_the_resource_as_it_was,
    odd_addresses_are_4xx,
    long_values_and_many_elements_have_a_limit,
);

/// Sends a body as it is; the answer must be a refusal that changes nothing, and the server must go on.
pub(crate) async fn refuse(
    app: &App,
    client: &Client,
    method: Method,
    path: &str,
    body: impl Into<Vec<u8>>,
    scim_type: &str,
) {
    let events = app.event_count();
    let body = body.into();
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    let answer = client.send(method.clone(), path, &[], Some(body)).await;
    assert_eq!(
        answer.status, 400,
        "{method} {path} {shown}: {}",
        answer.body
    );
    answer.refused(400, scim_type);
    assert_eq!(app.event_count(), events, "{method} {path} {shown}");
    client.get("/Users?count=1").await.ok(200);
}

pub(crate) async fn ines(client: &Client) -> (Value, String) {
    let made = client
        .create("/Users", json!({"userName": "ines", "title": "Surveyor"}))
        .await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    (made, path)
}

async fn a_body_that_is_no_json_object_is_refused(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    for body in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"userName\":}",
        "{\"userName\":\"bo\",}",
        "{'userName':'bo'}",
        "{\"userName\":\"bo\"}}",
        "{\"userName\":\"bo\"} {}",
        "{\"userName\":\"b",
        "{userName:\"bo\"}",
        "\u{feff}{}",
        "{\"userName\":\"\\ud800\"}",
        "{\"userName\":\"\\x\"}",
        "{\"n\":01}",
        "{\"n\":NaN}",
        "{\"n\":1e999}",
    ] {
        refuse(app, &idp, Method::POST, "/Users", body, "invalidSyntax").await;
        refuse(app, &idp, Method::PUT, &path, body, "invalidSyntax").await;
        refuse(app, &idp, Method::PATCH, &path, body, "invalidSyntax").await;
        refuse(
            app,
            &idp,
            Method::POST,
            "/Users/.search",
            body,
            "invalidSyntax",
        )
        .await;
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

async fn a_body_that_is_no_utf_8_is_refused(app: &App) {
    let idp = app.client("idp").await;
    let start = format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"");
    for bytes in [
        &b"\xff"[..],
        b"\xc3",
        b"\xc0\xaf",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
    ] {
        let body = [start.as_bytes(), bytes, b"\"}"].concat();
        refuse(app, &idp, Method::POST, "/Users", body, "invalidSyntax").await;
    }
}

async fn a_member_given_twice_is_refused(app: &App) {
    let idp = app.client("idp").await;
    for body in [
        format!("{{\"schemas\":[\"{USER}\"],\"userName\":\"a\",\"userName\":\"b\"}}"),
        format!(
            "{{\"schemas\":[\"{USER}\"],\"userName\":\"a\",\"name\":{{\"givenName\":\"x\",\"givenName\":\"x\"}}}}"
        ),
        format!(
            "{{\"schemas\":[\"{USER}\"],\"userName\":\"a\",\"title\":\"x\",\"tit\\u006ce\":\"y\"}}"
        ),
    ] {
        refuse(app, &idp, Method::POST, "/Users", body, "invalidSyntax").await;
    }
}

/// RFC 7644 §3.12.
async fn a_body_over_the_limit_is_413(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let body =
        json!({"schemas": [USER], "userName": "bo", "title": "x".repeat(1024 * 1024)}).to_string();
    for (method, path) in [
        (Method::POST, "/Users"),
        (Method::PUT, &path),
        (Method::PATCH, &path),
    ] {
        let answer = idp.send(method, path, &[], Some(body.clone().into())).await;
        assert!(
            answer.refused(413, "").contains("1048576"),
            "{}",
            answer.body
        );
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
    assert_eq!(app.event_count(), 1);
}

/// PostgreSQL cannot hold it; the same is told on both.
async fn deep_nesting_is_refused_in_bodies(app: &App) {
    let idp = app.client("idp").await;
    for depth in [65, 10_000, 400_000] {
        let arrays = format!(
            "{{\"userName\":{}{}}}",
            "[".repeat(depth),
            "]".repeat(depth)
        );
        refuse(app, &idp, Method::POST, "/Users", arrays, "invalidSyntax").await;
        let objects = format!(
            "{}1{}",
            "{\"a\":".repeat(depth.min(100_000)),
            "}".repeat(depth.min(100_000))
        );
        refuse(app, &idp, Method::POST, "/Users", objects, "invalidSyntax").await;
    }
}

async fn deep_nesting_is_refused_in_filters(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    for depth in [100, 4_000, 10_000] {
        for (open, close) in [("(", ")"), ("not (", ")")] {
            let filter = format!("{}userName pr{}", open.repeat(depth), close.repeat(depth));
            let body = json!({"schemas": [SEARCH], "filter": filter}).to_string();
            refuse(
                app,
                &idp,
                Method::POST,
                "/Users/.search",
                body,
                "invalidFilter",
            )
            .await;
            if depth <= 4_000 {
                idp.list("/Users", &[("filter", &filter)])
                    .await
                    .refused(400, "invalidFilter");
            }
        }
        let target = format!("emails[{}type pr{}]", "(".repeat(depth), ")".repeat(depth));
        let body = json!({"schemas": [PATCH_OP], "Operations": [{"op": "remove", "path": target}]})
            .to_string();
        refuse(app, &idp, Method::PATCH, &path, body, "invalidPath").await;
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

async fn enormous_filters_are_refused(app: &App) {
    let idp = app.client("idp").await;
    let words = vec!["userName eq \"nobody\""; 50_000].join(" or ");
    for filter in [
        format!("userName eq \"{}\"", "x".repeat(1_000_000)),
        words[..1_000_000].to_owned(),
    ] {
        let body = json!({"schemas": [SEARCH], "filter": filter}).to_string();
        let answer = idp
            .send(Method::POST, "/Users/.search", &[], Some(body.into()))
            .await;
        match answer.status {
            413 => answer.refused(413, ""),
            _ => answer.refused(400, "invalidFilter"),
        };
    }
    // 100 KB in a URL, which HTTP libraries refuse to send.
    let filter = format!("userName%20eq%20%22{}%22", "x".repeat(100_000));
    let (status, body) = idp.raw_get(&format!("/Users?filter={filter}"));
    // Beyond 64 KiB the HTTP parser answers before there is a request, and so without a body.
    assert!(
        (400..500).contains(&status) && body.is_null(),
        "{status} {body}"
    );
    idp.list(
        "/Users",
        &[("filter", &format!("userName eq \"{}\"", "x".repeat(50_000)))],
    )
    .await
    .refused(400, "invalidFilter");
    let many = vec!["userName eq \"a\""; 300].join(" or ");
    let answer = idp.list("/Users", &[("filter", &many)]).await;
    answer.refused(400, "invalidFilter");
    // As long as clients send them.
    let some = vec!["userName eq \"somebody@north.example\""; 200].join(" or ");
    idp.list("/Users", &[("filter", &some)]).await.ok(200);
}

async fn unknown_paths_are_refused_wherever_they_stand(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    for name in [
        "userNme",
        "name.surname",
        "emails.kind",
        "urn:example:User:title",
        &format!("{ENTERPRISE}:shoe"),
    ] {
        let answer = idp
            .list("/Users", &[("filter", &format!("{name} eq \"x\""))])
            .await;
        let last = name.rsplit([':', '.']).next().unwrap();
        assert!(
            answer.refused(400, "invalidFilter").contains(last),
            "{}",
            answer.body
        );
        let answer = idp.list("/Users", &[("sortBy", name)]).await;
        assert!(
            answer.refused(400, "invalidPath").contains(last),
            "{}",
            answer.body
        );
        for op in ["add", "replace", "remove"] {
            let operation = json!([{"op": op, "path": name, "value": "x"}]);
            let answer = idp.patch(&path, operation).await;
            assert!(
                answer.refused(400, "invalidPath").contains(last),
                "{}",
                answer.body
            );
        }
    }
    for name in [
        " ",
        "a b",
        "emails[",
        "emails[type eq \"work\"",
        "emails]",
        "1name",
        "title.",
        ".title",
        "na/me",
    ] {
        let answer = idp
            .patch(&path, json!([{"op": "add", "path": name, "value": "x"}]))
            .await;
        answer.refused(400, "invalidPath");
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

/// Design §2.
async fn aliases_that_differ_are_refused(app: &App) {
    let idp = app.client("idp").await;
    for content in [
        json!({"userName": "bo", "title": "Diver", EMPLOYEE: {"jobTitle": "Pilot"}}),
        json!({"userName": "bo", ENTERPRISE: {"department": "A"}, EMPLOYEE: {"department": "B"}}),
        json!({"userName": "bo", "userType": "Employee", EMPLOYEE: {"workerType": "Contractor"}}),
        json!({"userName": "bo", ENTERPRISE: {"manager": {"value": "a"}}, EMPLOYEE: {"manager": {"value": "b"}}}),
    ] {
        let answer = idp.post("/Users", content).await;
        assert!(
            answer.refused(400, "invalidValue").contains(EMPLOYEE),
            "{}",
            answer.body
        );
    }
    assert_eq!(app.event_count(), 0);
    let same = json!({"userName": "bo", "title": "Diver", EMPLOYEE: {"jobTitle": "Diver"}});
    let made = idp.create("/Users", same).await;
    let path = format!("/Users/{}", made["id"].as_str().unwrap());
    let both =
        json!([{"op": "replace", "value": {"title": "A", format!("{EMPLOYEE}:jobTitle"): "B"}}]);
    idp.patch(&path, both).await.refused(400, "invalidValue");
    idp.put(
        &path,
        json!({"userName": "bo", "title": "A", EMPLOYEE: {"jobTitle": "B"}}),
    )
    .await
    .refused(400, "invalidValue");
    assert_eq!(idp.get(&path).await.ok(200), &made);
}

async fn a_refused_change_leaves_the_resource_as_it_was(app: &App) {
    let idp = app.client("idp").await;
    let (made, path) = ines(&idp).await;
    let events = app.event_count();
    for content in [
        json!({"userName": "ines", "title": 7}),
        json!({"userName": "ines", "title": "Diver", CANDIDATE: {"status": "perhaps"}}),
        json!({"title": "Diver"}),
        json!({"schemas": [], "userName": "ines"}),
    ] {
        assert_eq!(
            idp.put(&path, content.clone()).await.status,
            400,
            "{content}"
        );
    }
    assert_eq!(idp.get(&path).await.ok(200), &made);
    assert_eq!(app.event_count(), events);
}

async fn odd_addresses_are_4xx(app: &App) {
    let idp = app.client("idp").await;
    let (_, path) = ines(&idp).await;
    for odd in [
        "/",
        "/users",
        "/Users/x/y",
        "/Users/%ff",
        "/Users/%2e%2e%2fGroups",
        "/Nothing",
        "/Users/.search",
        "/Me",
        "/Users/'%20OR%201=1--",
        "/Users?filter=%00",
        "/Users?attributes=%ff",
        &format!("{path}?attributes=%ff"),
    ] {
        let answer = idp.get(odd).await;
        assert!(
            (400..500).contains(&answer.status) || answer.status == 501,
            "{odd}: {} {}",
            answer.status,
            answer.body
        );
    }
    for (method, odd) in [
        (Method::PUT, "/Users"),
        (Method::PATCH, "/Users"),
        (Method::DELETE, "/Users"),
        (Method::POST, path.as_str()),
        (Method::GET, "/Users/.search"),
        (Method::DELETE, "/ServiceProviderConfig"),
    ] {
        let answer = idp
            .send(method.clone(), odd, &[], Some(b"{}".to_vec()))
            .await;
        assert!(
            matches!(answer.status, 404 | 405),
            "{method} {odd}: {} {}",
            answer.status,
            answer.body
        );
    }
    assert_eq!(app.event_count(), 1);
}

async fn long_values_and_many_elements_have_a_limit(app: &App) {
    let idp = app.client("idp").await;
    let long = json!({"schemas": [USER], "userName": "bo", "title": "x".repeat(65_537)});
    refuse(
        app,
        &idp,
        Method::POST,
        "/Users",
        long.to_string(),
        "invalidValue",
    )
    .await;
    let many: Vec<Value> = (0..10_001)
        .map(|number| json!({"value": format!("e{number}@a.example")}))
        .collect();
    let many = json!({"schemas": [USER], "userName": "bo", "emails": many});
    refuse(
        app,
        &idp,
        Method::POST,
        "/Users",
        many.to_string(),
        "invalidValue",
    )
    .await;
    // Just below, everything works, in the index too.
    let title = "x".repeat(65_536);
    let made = idp
        .create(
            "/Users",
            json!({"userName": "bo", "title": title, "nickName": "y".repeat(20_000)}),
        )
        .await;
    assert_eq!(made["title"], title);
    assert_eq!(
        idp.find("/Users", &format!("title sw \"{}\"", &title[..5_000]))
            .await
            .len(),
        1
    );
}
