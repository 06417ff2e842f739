//! `where:` bounds the resources that a role reaches, on every channel and in every total.

use serde_json::{Value, json};

use crate::rules::{POLICY, apply};
use crate::support::{App, CANDIDATE, CUSTOMER, on_both};

on_both!(
    a_crm_never_lists_the_candidates,
    a_bounded_role_writes_only_within_its_bound,
    a_master_alone_writes_what_is_its_own
);

async fn a_crm_never_lists_the_candidates(app: &App) {
    apply(app, POLICY);
    let (hris, crm) = (app.client("hris").await, app.client("crm").await);
    let customer = hris
        .create(
            "/Persons",
            json!({"displayName": "Bo", CUSTOMER: {"status": "customer"}}),
        )
        .await;
    let candidate = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", CANDIDATE: {"status": "active"}}),
        )
        .await;
    let at = |person: &Value| format!("/Persons/{}", person["id"].as_str().unwrap());
    crm.get(&at(&customer)).await.ok(200);
    crm.get(&at(&candidate)).await.refused(404, "");
    let all = crm.get("/Persons").await;
    assert_eq!(all.ok(200)["totalResults"], 1);
    assert_eq!(all.resources()[0]["displayName"], "Bo");
    assert_eq!(crm.get("/Persons?count=0").await.ok(200)["totalResults"], 1);
    for filter in [
        "displayName eq \"Ada\"",
        "displayName pr and not (displayName eq \"Bo\")",
    ] {
        assert_eq!(crm.find("/Persons", filter).await.len(), 0, "{filter}");
        let found = crm.search("", json!({"filter": filter})).await;
        assert_eq!(found.ok(200)["totalResults"], 0, "{filter}");
    }
    let id = candidate["id"].as_str().unwrap();
    assert_eq!(
        crm.find("/Persons", &format!("id eq \"{id}\"")).await.len(),
        0
    );
    let page = crm.get("/Persons?cursor&count=1&sortBy=displayName").await;
    assert_eq!(page.resources().len(), 1);
    assert_eq!(page.ok(200).get("nextCursor"), None);
    assert_eq!(crm.search("", json!({})).await.ok(200)["totalResults"], 1);
    // What it does not reach it does not change, as if it were not there.
    let operation = json!([{"op": "add", "path": "displayName", "value": "Eve"}]);
    crm.patch(&at(&candidate), operation).await.refused(404, "");
    crm.put(&at(&candidate), json!({"displayName": "Eve"}))
        .await
        .refused(404, "");
    crm.get("/Users").await.refused(403, "");
}

async fn a_bounded_role_writes_only_within_its_bound(app: &App) {
    apply(app, POLICY);
    let crm = app.client("crm").await;
    crm.post("/Persons", json!({"displayName": "Ada"}))
        .await
        .refused(403, "");
    let made = crm
        .create(
            "/Persons",
            json!({"displayName": "Bo", CUSTOMER: {"status": "lead"}}),
        )
        .await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    crm.patch(
        &path,
        json!([{"op": "replace", "path": "displayName", "value": "Bob"}]),
    )
    .await
    .ok(200);
    crm.patch(
        &path,
        json!([{"op": "remove", "path": format!("{CUSTOMER}:status")}]),
    )
    .await
    .refused(403, "");
    assert_eq!(crm.get(&path).await.ok(200)[CUSTOMER]["status"], "lead");
}

async fn a_master_alone_writes_what_is_its_own(app: &App) {
    let authority = "\nauthority:\n  - { domain: names, master: hris, covers: [Person.legalName, \"Person:Employee\"], others: suggest }\nroles:\n";
    apply(
        app,
        &POLICY
            .replace("\nroles:\n", authority)
            .replace("needsConsent: Hiring, ", "")
            .replace(
                "[employment, recruiting], otherwise: omit",
                "[employment, recruiting, any], otherwise: omit",
            ),
    );
    let (hris, ats) = (app.client("hris").await, app.client("ats").await);
    let made = hris
        .create(
            "/Persons",
            json!({"displayName": "Ada", "legalName": "Augusta Ada King"}),
        )
        .await;
    let path = format!("/Persons/{}", made["id"].as_str().unwrap());
    // What another says of it is kept, and does not stand.
    let suggested = ats
        .patch(
            &path,
            json!([{"op": "replace", "path": "legalName", "value": "Ada Lovelace"}]),
        )
        .await;
    assert_eq!(suggested.ok(200)["legalName"], "Augusta Ada King");
    assert_eq!(suggested.headers["muster-suggested"], "legalName");
    // Its PUT of all that it read is fine; so is one of something else, which again stands for nothing.
    let mut read = ats.get(&path).await.ok(200).clone();
    assert_eq!(read["legalName"], "Augusta Ada King");
    read["displayName"] = "Ada K.".into();
    ats.put(&path, read.clone()).await.ok(200);
    read["legalName"] = "Ada Lovelace".into();
    let put = ats.put(&path, read).await;
    assert_eq!(put.ok(200)["legalName"], "Augusta Ada King");
    assert_eq!(put.ok(200)["displayName"], "Ada K.");
}
