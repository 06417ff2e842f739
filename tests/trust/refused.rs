//! What rights do not reach is refused, attribute by attribute; and every refusal is on the log, those of preconditions and rates
//! too.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::policy::try_apply_to;
use crate::support::{App, Engine, on_both};

on_both!(
    who_may_write_some_attributes_writes_no_others,
    who_may_read_and_not_search_finds_nobody,
    a_failed_precondition_is_on_the_log,
    who_is_shut_out_is_in_its_own_tenant_s_log,
);

/// What the log has of refusals: type and client.
fn refused(app: &App) -> BTreeSet<(String, String)> {
    let told = app.service().events(0, 10_000).unwrap();
    let text = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
    let refused = told
        .iter()
        .map(|(_, event)| (text(event, "type"), text(event, "client")));
    refused
        .filter(|(kind, _)| kind.starts_with("request.refused"))
        .collect()
}

fn logged(status: u16, client: &str) -> (String, String) {
    (format!("request.refused.{status}"), client.to_owned())
}

/// The policy, in which `crm` has this role alone.
fn with_role(rows: &str) -> String {
    let role = format!("  own: [{rows}]\nclients:\n");
    let policy = POLICY.replacen("clients:\n", &role, 1);
    policy.replace("system: crm, roles: [sales]", "system: crm, roles: [own]")
}

async fn who_may_write_some_attributes_writes_no_others(app: &App) {
    let rows = "{ types: [Person], rights: [read, search] }, { types: [Person], rights: [write], attributes: [displayName, timezone, emails.display] }";
    apply(app, &with_role(rows));
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    let path = format!("/Persons/{id}");
    let before = hris.get(&path).await.ok(200).clone();
    let timezone = json!({"op": "add", "path": "timezone", "value": "Europe/Rome"});
    for other in [
        json!({"op": "replace", "path": "name.givenName", "value": "Eve"}),
        json!({"op": "replace", "path": "birthDate", "value": "1815-12-11"}),
        json!({"op": "add", "path": "nationalities", "value": ["FR"]}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "eve@corp.example"}),
        json!({"op": "remove", "path": "phoneNumbers"}),
    ] {
        // Beside what it may write too: nothing is done in part.
        let answer = crm.patch(&path, json!([timezone, other])).await;
        answer.refused(403, "");
    }
    assert_eq!(hris.get(&path).await.ok(200), &before);
    let mut shown = crm.get(&path).await.ok(200).clone();
    shown["name"]["givenName"] = "Eve".into();
    crm.put(&path, shown.clone()).await.refused(403, "");
    // What it may write it writes, with all else as it is.
    shown["name"]["givenName"] = "Ada".into();
    shown["displayName"] = "Countess".into();
    assert_eq!(
        crm.put(&path, shown).await.ok(200)["displayName"],
        "Countess"
    );
    crm.patch(&path, json!([timezone])).await.ok(200);
    let after = hris.get(&path).await.ok(200).clone();
    for kept in [
        "name",
        "birthDate",
        "nationalities",
        "emails",
        "phoneNumbers",
        "addresses",
    ] {
        assert_eq!(after[kept], before[kept], "{kept}");
    }
    crm.post(
        "/Persons",
        json!({"displayName": "Bo", "birthDate": "1900-01-01"}),
    )
    .await
    .refused(403, "");
    assert!(refused(app).contains(&logged(403, "crm")));
}

async fn who_may_read_and_not_search_finds_nobody(app: &App) {
    apply(app, &with_role("{ types: [Person], rights: [read] }"));
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    crm.get(&format!("/Persons/{id}")).await.ok(200);
    crm.get("/Persons").await.refused(403, "");
    crm.get("/Persons?count=0").await.refused(403, "");
    let by_id = format!("id eq \"{id}\"");
    crm.list("/Persons", &[("filter", &by_id)])
        .await
        .refused(403, "");
    crm.list("/Persons", &[("cursor", "")])
        .await
        .refused(403, "");
    crm.search("/Persons", json!({"count": 1}))
        .await
        .refused(403, "");
    let anywhere = crm.search("", json!({"filter": by_id})).await;
    assert!(
        anywhere.status == 403 || anywhere.ok(200)["totalResults"] == 0,
        "{}",
        anywhere.body
    );
    assert!(refused(app).contains(&logged(403, "crm")));
}

async fn a_failed_precondition_is_on_the_log(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let path = format!("/Persons/{}", ada(&hris).await["id"].as_str().unwrap());
    let change = json!([{"op": "add", "path": "timezone", "value": "Europe/Rome"}]);
    let stale = [("If-Match", "W/\"of-yesterday\"")];
    idp.patch_if(&path, &stale, change).await.refused(412, "");
    assert!(refused(app).contains(&logged(412, "idp")));
}

async fn who_is_shut_out_is_in_its_own_tenant_s_log(app: &App) {
    apply(app, POLICY);
    let other = "version: 1\nsystems:\n  - { name: other, kind: idp, owner: IT }\nroles:\n  all: [{ types: [Person], rights: [read] }]\nclients:\n  \
         - { name: foreign, issuer: \"ISSUER\", match: { claim: azp, equals: conformance }, tenant: other, system: other, roles: [all] }\n";
    try_apply_to(app, "other", other);
    let foreign = app.client("conformance").await;
    foreign.get("/Persons").await.refused(403, "");
    try_apply_to(
        app,
        "other",
        &other.replace(
            "system: other, roles",
            "system: other, disabled: true, roles",
        ),
    );
    let out = foreign.get("/Persons").await;
    assert!(out.refused(403, "").contains("shut out"));
    let told = app.service().events(0, 10_000).unwrap().into_iter();
    let refused = told.filter(|(_, event)| event["type"] == "request.refused.403");
    let of: Vec<_> = refused
        .map(|(_, event)| (event["tenant"] == 1, event["client"].clone()))
        .collect();
    assert_eq!(of, vec![(false, json!("foreign")); 2]);
}

/// A client that asks too often is on the log too, and bounded there.
fn too_many_requests_are_on_the_log(engine: Engine) {
    let app = App::start_with(engine, |config, _| {
        let limits = "[limits]\nrequests_per_second = 25\nburst = 30";
        config.limits = muster::config::parse(limits).unwrap().limits;
    });
    actix_web::rt::System::new().block_on(async {
        apply(&app, POLICY);
        let idp = app.client("idp").await;
        let mut stopped = 0;
        while stopped < 3 {
            stopped += usize::from(idp.get("/Persons?count=0").await.status == 429);
        }
        assert!(refused(&app).contains(&logged(429, "idp")));
    });
    app.leave().forget();
}

#[test]
fn too_many_requests_are_on_the_log_on_sqlite() {
    too_many_requests_are_on_the_log(Engine::Sqlite);
}

#[test]
fn too_many_requests_are_on_the_log_on_postgres() {
    too_many_requests_are_on_the_log(Engine::Postgres);
}
