//! Attributes of which only those know that they are there to whom a purpose opens them: to everybody else they are what was
//! never there, wherever they are named.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::masking::ada;
use super::rules::{POLICY, apply};
use crate::support::{
    App, Client, Engine, PATCH_OP, PATIENCE, PROVENANCE, SEARCH, client, on_both,
};

on_both!(
    discovery_tells_of_a_confidential_attribute_only_to_whom_it_is_open,
    whoever_names_a_confidential_attribute_is_answered_as_if_there_were_none,
    what_is_confidential_stays_so_under_a_policy_that_is_not_understood,
);

/// What is confidential in these tests, and a name that no schema has.
const NAME: &str = "birthDate";
const NOTHING: &str = "bxrxhDxxe";

fn policy() -> String {
    let row = "{ attributes: [birthDate], openTo: [payroll], otherwise: omit";
    POLICY.replacen(row, &format!("{row}, confidential: true"), 1)
}

async fn text(app: &App, path: &str, name: Option<&str>) -> String {
    let mut request = client::http().get(format!("{}{path}", app.origin()));
    if let Some(name) = name {
        request = request.bearer_auth(app.token(name).await);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn discovery_tells_of_a_confidential_attribute_only_to_whom_it_is_open(app: &App) {
    const PERSON: &str = "/scim/v2/Schemas/urn:muster:scim:schemas:core:1.0:Person";
    let published = ["/openapi.json", "/schemas/PersonResource/1.0"];
    for path in published.iter().chain(&["/scim/v2/Schemas", PERSON]) {
        assert!(text(app, path, None).await.contains(NAME), "{path}");
    }
    apply(app, &policy());
    for path in published {
        assert!(!text(app, path, None).await.contains(NAME), "{path}");
    }
    for path in ["/scim/v2/Schemas", PERSON] {
        for (name, knows) in [(None, false), (Some("idp"), false), (Some("hris"), true)] {
            let told = text(app, path, name).await;
            assert_eq!(told.contains(NAME), knows, "{path} {name:?}");
            assert!(told.contains("nationalities"), "{path}: the rest is there");
        }
    }
    // Taken back, it is told again.
    apply(app, POLICY);
    for path in published.iter().chain(&["/scim/v2/Schemas", PERSON]) {
        assert!(text(app, path, None).await.contains(NAME), "{path}");
    }
}

/// Each way to name an attribute of a person: the method, the path below SCIM's root, and the body.
fn ways(id: &str, name: &str) -> Vec<(Method, String, Value)> {
    let patch = |operation: Value| json!({"schemas": [PATCH_OP], "Operations": [operation]});
    let get = |path: String| (Method::GET, path, Value::Null);
    let at = format!("/Persons/{id}");
    vec![
        get(format!("/Persons?filter={name}%20pr")),
        get(format!(
            "/Persons?filter=not({name}%20eq%20%221815-12-10%22)"
        )),
        get(format!(
            "/Persons?filter=displayName%20pr%20and%20{name}%20sw%20%221%22"
        )),
        get(format!("/Persons?sortBy={name}")),
        get(format!("/Persons?attributes={name}")),
        get(format!("{at}?attributes=displayName,{name}")),
        get(format!("{at}?excludedAttributes={name}")),
        get(format!("{at}/lineage?path={name}")),
        (
            Method::POST,
            "/Persons/.search".into(),
            json!({"schemas": [SEARCH], "filter": format!("{name} pr")}),
        ),
        (
            Method::POST,
            "/.search".into(),
            json!({"schemas": [SEARCH], "filter": format!("{name} pr")}),
        ),
        (
            Method::PATCH,
            at.clone(),
            patch(json!({"op": "replace", "path": name, "value": "1990-01-01"})),
        ),
        (
            Method::PATCH,
            at.clone(),
            patch(json!({"op": "remove", "path": name})),
        ),
        (
            Method::PATCH,
            at.clone(),
            patch(json!({"op": "replace", "value": {name: "1990-01-01"}})),
        ),
        (
            Method::POST,
            format!("{at}/elevate"),
            json!({"path": name, "system": "hris", "reason": "it is right"}),
        ),
    ]
}

async fn answered(caller: &Client, (method, path, body): (Method, String, Value)) -> (u16, String) {
    let body = (!body.is_null()).then(|| body.to_string().into_bytes());
    let headers = [("X-Correlation-Id", "the-same")];
    let answer = caller.send(method, &path, &headers, body).await;
    let left_out = answer.headers.get("Muster-Ignored");
    let left_out = left_out.map(|names| names.to_str().unwrap().to_owned());
    (answer.status, format!("{} {left_out:?}", answer.text))
}

async fn whoever_names_a_confidential_attribute_is_answered_as_if_there_were_none(app: &App) {
    apply(app, &policy());
    let hris = app.client("hris").await;
    let idp = app.client("idp").await;
    let person = ada(&hris).await;
    let id = person["id"].as_str().unwrap();
    let at = format!("/Persons/{id}");
    assert_eq!(person[NAME], "1815-12-10");
    for (this, that) in ways(id, NAME).into_iter().zip(ways(id, NOTHING)) {
        let what = format!("{} {}", this.0, this.1);
        let (status, told) = answered(&idp, this).await;
        let (other, nothing) = answered(&idp, that).await;
        assert_eq!(status, other, "{what}: {told}");
        assert_eq!(told, nothing.replace(NOTHING, NAME), "{what}");
    }
    // Neither created nor replaced with it: it is ignored and named, as what nobody knows is.
    for name in [NAME, NOTHING] {
        let body = json!({"displayName": "Bo", name: "1990-01-01"});
        let made = idp.post("/Persons", body).await;
        let told = made
            .headers
            .get("Muster-Ignored")
            .unwrap()
            .to_str()
            .unwrap();
        assert!(told.contains(name), "{told}");
        let made = made.ok(201);
        let known = hris
            .get(&format!("/Persons/{}", made["id"].as_str().unwrap()))
            .await;
        assert_eq!(known.ok(200).get(NAME), None);
    }
    // What is hidden stays when all that is seen is replaced.
    let mut seen = idp.get(&at).await.ok(200).clone();
    assert_eq!(seen.get(NAME), None);
    seen["displayName"] = "Ada King".into();
    idp.put(&at, seen).await.ok(200);
    assert_eq!(hris.get(&at).await.ok(200)[NAME], "1815-12-10");
    // Nor is it told what is masked; whoever knows of it may ask for it.
    let masked = format!("{at}?attributes={PROVENANCE}:maskedAttributes");
    let masked = idp.get(&masked).await.ok(200).to_string();
    assert!(
        masked.contains("nationalities") && !masked.contains(NAME),
        "{masked}"
    );
    let found = hris.find("/Persons", "birthDate eq \"1815-12-10\"").await;
    assert_eq!(found.len(), 1);
}

/// A process of an older release finds what a newer one has applied.
async fn what_is_confidential_stays_so_under_a_policy_that_is_not_understood(app: &App) {
    apply(app, &policy());
    let idp = app.client("idp").await;
    idp.get("/Persons").await.ok(200);
    let newer = match app.database.engine() {
        Engine::Sqlite => "CAST('version: 1' || char(10) || 'newer: true' AS BLOB)",
        Engine::Postgres => "convert_to('version: 1' || chr(10) || 'newer: true', 'UTF8')",
    };
    app.database.connect().run(&format!(
        "INSERT INTO policy (tenant, version, body, actor, reason, applied) \
         SELECT tenant, version + 1, {newer}, actor, reason, applied FROM policy"
    ));
    let since = Instant::now();
    while idp.get("/Persons").await.status != 403 {
        assert!(since.elapsed() < PATIENCE, "its clients are not shut out");
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    for path in [
        "/openapi.json",
        "/schemas/PersonResource/1.0",
        "/scim/v2/Schemas",
    ] {
        let told = text(app, path, None).await;
        assert!(
            !told.contains(NAME) && told.contains("nationalities"),
            "{path}"
        );
    }
}
