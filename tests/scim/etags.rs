//! Versions and conditions (RFC 7644 §3.14, RFC 9110 §13).

use reqwest::Method;
use serde_json::json;

use crate::support::{App, on_both};

on_both!(
    a_write_under_another_version_is_412_and_changes_nothing,
    a_write_under_the_version_that_stands_goes_through,
    a_read_of_a_known_version_is_304_without_a_body,
    what_a_request_asks_to_see_does_not_change_the_version,
    a_condition_on_nothing_is_404,
    of_two_writes_under_one_version_one_goes_through,
);

async fn a_write_under_another_version_is_412_and_changes_nothing(app: &App) {
    let idp = app.client("idp").await;
    let user = idp.create("/Users", json!({"userName": "ines"})).await;
    let group = idp.create("/Groups", json!({"displayName": "g"})).await;
    let events = app.event_count();
    let old = [("if-match", "W/\"of-yesterday\"")];
    for (made, endpoint, content) in [
        (&user, "/Users", json!({"userName": "bo"})),
        (&group, "/Groups", json!({"displayName": "h"})),
    ] {
        let path = format!("{endpoint}/{}", made["id"].as_str().unwrap());
        idp.put_if(&path, &old, content.clone())
            .await
            .refused(412, "");
        idp.patch_if(&path, &old, json!([{"op": "replace", "value": content}]))
            .await
            .refused(412, "");
        idp.send(Method::DELETE, &path, &old, None)
            .await
            .refused(412, "");
        assert_eq!(idp.get(&path).await.ok(200), made);
    }
    let path = format!("/Groups/{}", group["id"].as_str().unwrap());
    let members = json!([{"op": "add", "path": "members", "value": [{"value": user["id"]}]}]);
    idp.patch_if(&path, &old, members).await.refused(412, "");
    assert_eq!(app.event_count(), events);
}

async fn a_write_under_the_version_that_stands_goes_through(app: &App) {
    let idp = app.client("idp").await;
    for (endpoint, name) in [("/Users", "userName"), ("/Groups", "displayName")] {
        let made = idp.post(endpoint, json!({name: "one"})).await;
        let path = format!("{endpoint}/{}", made.ok(201)["id"].as_str().unwrap());
        let replaced = idp
            .put_if(&path, &[("if-match", made.etag())], json!({name: "two"}))
            .await;
        replaced.ok(200);
        assert_ne!(replaced.etag(), made.etag());
        let list = format!("W/\"x\", {}", replaced.etag());
        let rename = json!([{"op": "replace", "path": name, "value": "three"}]);
        idp.patch_if(&path, &[("if-match", &list)], rename)
            .await
            .ok(200);
        idp.put_if(&path, &[("if-match", made.etag())], json!({name: "four"}))
            .await
            .refused(412, "");
        idp.send(Method::DELETE, &path, &[("if-match", "*")], None)
            .await
            .ok(204);
    }
}

async fn a_read_of_a_known_version_is_304_without_a_body(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.post("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made.ok(201)["id"].as_str().unwrap());
    for known in [made.etag(), "*", &format!("\"x\", {}", made.etag())] {
        let answer = idp
            .send(Method::GET, &path, &[("if-none-match", known)], None)
            .await;
        assert!(answer.ok(304).is_null(), "{known}");
        assert_eq!(answer.etag(), made.etag());
    }
    idp.send(Method::GET, &path, &[("if-none-match", "W/\"x\"")], None)
        .await
        .ok(200);
    idp.patch(
        &path,
        json!([{"op": "add", "path": "title", "value": "Diver"}]),
    )
    .await
    .ok(200);
    idp.send(Method::GET, &path, &[("if-none-match", made.etag())], None)
        .await
        .ok(200);
}

/// Design §6: a hash of the whole view, independent of `attributes`.
async fn what_a_request_asks_to_see_does_not_change_the_version(app: &App) {
    let idp = app.client("idp").await;
    let made = idp
        .post("/Users", json!({"userName": "ines", "title": "Diver"}))
        .await;
    let path = format!("/Users/{}", made.ok(201)["id"].as_str().unwrap());
    for query in [
        "",
        "?attributes=userName",
        "?attributes=meta.version",
        "?excludedAttributes=title",
    ] {
        assert_eq!(
            idp.get(&format!("{path}{query}")).await.etag(),
            made.etag(),
            "{query}"
        );
    }
}

async fn a_condition_on_nothing_is_404(app: &App) {
    let idp = app.client("idp").await;
    let path = "/Users/0197a0c2-5a30-4c44-9b0c-2f6f7d1b8e11";
    for condition in ["*", "W/\"x\""] {
        idp.put_if(
            path,
            &[("if-match", condition)],
            json!({"userName": "ines"}),
        )
        .await
        .refused(404, "");
        idp.send(Method::DELETE, path, &[("if-match", condition)], None)
            .await
            .refused(404, "");
    }
}

/// Design §5: a lost race is answered 412, never overwritten.
async fn of_two_writes_under_one_version_one_goes_through(app: &App) {
    let idp = app.client("idp").await;
    let made = idp.post("/Users", json!({"userName": "ines"})).await;
    let path = format!("/Users/{}", made.ok(201)["id"].as_str().unwrap());
    let writes: Vec<_> = (0..8)
        .map(|number| {
            let (idp, path, etag) = (idp.clone(), path.clone(), made.etag().to_owned());
            actix_web::rt::spawn(async move {
                let operation =
                    json!([{"op": "replace", "path": "title", "value": format!("t{number}")}]);
                idp.patch_if(&path, &[("if-match", &etag)], operation)
                    .await
                    .status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for write in writes {
        statuses.push(write.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412, 412, 412, 412, 412, 412, 412]);
}
