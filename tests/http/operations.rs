//! The operations as HTTP: statuses, headers and conditions.

use reqwest::Method;
use serde_json::json;

use super::app::{App, scim, send, user};

#[actix_web::test]
async fn a_user_lives_from_post_to_delete() {
    let app = App::start();
    let created = app.post("/Users", user("ada")).await;
    assert_eq!(created.status, 201, "{created:?}");
    let body = created.json();
    let path = format!("/Users/{}", body["id"].as_str().unwrap());
    assert_eq!(
        created.header("location"),
        format!("{}/scim/v2{path}", app.origin)
    );
    assert_eq!(created.header("location"), body["meta"]["location"]);
    assert_eq!(created.header("etag"), body["meta"]["version"]);
    assert_eq!(created.header("content-type"), "application/scim+json");

    let mut wanted = user("ada");
    wanted["displayName"] = json!("Ada");
    let replaced = send(scim(app.request(Method::PUT, &path), &wanted)).await;
    assert_eq!(replaced.status, 200, "{replaced:?}");
    assert_ne!(replaced.header("etag"), created.header("etag"));

    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": false}],
    });
    let patched = send(scim(app.request(Method::PATCH, &path), &patch)).await;
    assert_eq!(
        (patched.status.as_u16(), &patched.json()["active"]),
        (200, &json!(false))
    );

    let found = app.get(&path).await;
    assert_eq!(found.json(), patched.json());
    let deleted = send(app.request(Method::DELETE, &path)).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    app.get(&path).await.error(404, None);
    send(app.request(Method::DELETE, &path))
        .await
        .error(404, None);
}

#[actix_web::test]
async fn versions_are_conditions() {
    let app = App::start();
    let created = app.post("/Users", user("ada")).await;
    let path = format!("/Users/{}", created.json()["id"].as_str().unwrap());
    let tag = created.header("etag");
    let get = |tags: &str| {
        app.request(Method::GET, &path)
            .header("if-none-match", tags)
    };
    for tags in [tag, "*", &format!("W/\"other\", {tag}")] {
        let same = send(get(tags)).await;
        assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""));
        assert_eq!(same.header("etag"), tag);
    }
    assert_eq!(send(get("W/\"other\"")).await.status, 200);

    let put = |tags: &str| {
        let request = app.request(Method::PUT, &path).header("if-match", tags);
        scim(request, &user("ada"))
    };
    send(put("W/\"other\"")).await.error(412, None);
    assert_eq!(send(put(&format!("W/\"other\", {tag}"))).await.status, 200);
    assert_eq!(send(put("*")).await.status, 200);
}

#[actix_web::test]
async fn what_is_not_kept_is_named() {
    let app = App::start();
    let mut body = user("ada");
    body["shoeSize"] = json!(39);
    let created = app.post("/Users", body).await;
    assert_eq!(
        (created.status.as_u16(), created.header("muster-ignored")),
        (201, "shoeSize")
    );
}

#[actix_web::test]
async fn writes_answer_the_attributes_asked_for() {
    let app = App::start();
    let mut body = user("ada");
    body["displayName"] = json!("Ada");
    let created = app.post("/Users?attributes=displayName", body).await.json();
    assert_eq!(created["displayName"], "Ada");
    assert!(
        created.get("userName").is_none() && created.get("id").is_some(),
        "{created}"
    );
    app.get("/Users?attributes=id&excludedAttributes=meta")
        .await
        .error(400, Some("invalidValue"));
}

#[actix_web::test]
async fn a_search_is_a_list_by_post() {
    let app = App::start();
    app.post("/Users", user("ada")).await;
    app.post("/Users", user("bob")).await;
    let search = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": "userName eq \"BOB\"",
    });
    let found = app.post("/Users/.search", search).await;
    assert_eq!(found.status, 200);
    assert_eq!(found.json()["Resources"][0]["userName"], "bob");
    app.get("/Users?filter=userName+eq")
        .await
        .error(400, Some("invalidFilter"));
    app.post("/Users", user("Ada"))
        .await
        .error(409, Some("uniqueness"));
}
