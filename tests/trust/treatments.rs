//! Treatments that leave a part, in every answer; and `/Me`, which is no way around any of them.

use serde_json::{Value, json};

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, Client, PATCH_OP, SEARCH, on_both};

on_both!(
    a_year_and_a_masked_address_are_shown_everywhere,
    a_year_and_a_masked_address_come_back_without_harm,
    me_is_masked_like_everybody,
);

/// The policy, with a year and masked addresses, and an account that a token names.
fn policy() -> String {
    let parts = "  - { attributes: [birthDate], openTo: [payroll], otherwise: year }\n  - { attributes: [emails], openTo: [employment], otherwise: maskEmail }\n";
    let me =
        "system: idp, roles: [people], me: { claim: preferred_username, attribute: userName } }";
    POLICY
        .replace(
            "  - { attributes: [birthDate], openTo: [payroll], otherwise: omit }\n",
            parts,
        )
        .replace("\"emails[type eq \\\"home\\\"]\", ", "")
        .replacen("system: idp, roles: [people] }", me, 1)
}

fn masked_emails() -> Value {
    json!([
        {"value": "a•••@home.example", "type": "home"},
        {"value": "a•••@corp.example", "type": "work", "primary": true},
    ])
}

/// Whether what is shown of Ada is a year and two masked addresses.
#[track_caller]
fn is_shown_in_part(shown: &Value, channel: &str) {
    if let Some(born) = shown.get("birthDate") {
        assert_eq!(born, "1815", "{channel}");
    }
    let mut emails = shown["emails"].as_array().unwrap().clone();
    emails.sort_by_key(|email| std::cmp::Reverse(email["value"].to_string()));
    assert_eq!(json!(emails), masked_emails(), "{channel}");
    for hidden in ["1815-12", "ada@home", "ada@corp"] {
        assert!(!shown.to_string().contains(hidden), "{channel}: {shown}");
    }
}

async fn known(app: &App) -> (Client, Client, String) {
    apply(app, &policy());
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    (hris, idp, id)
}

async fn a_year_and_a_masked_address_are_shown_everywhere(app: &App) {
    let (hris, idp, id) = known(app).await;
    let path = format!("/Persons/{id}");
    let shown = idp.get(&path).await.ok(200).clone();
    assert_eq!(shown["birthDate"], "1815");
    is_shown_in_part(&shown, "get");
    is_shown_in_part(idp.get(&format!("/Users/{id}")).await.ok(200), "account");
    is_shown_in_part(
        &idp.find("/Persons", "displayName sw \"Ada\"").await[0],
        "list",
    );
    is_shown_in_part(
        &idp.search("/Persons", json!({})).await.resources()[0],
        "search",
    );
    is_shown_in_part(
        &idp.search("", json!({})).await.resources()[0],
        "search of all",
    );
    let put = idp.put(&path, shown).await;
    is_shown_in_part(put.ok(200), "put");
    let zone = |name: &str| json!([{"op": "replace", "path": "timezone", "value": name}]);
    let patched = idp.patch(&path, zone("Europe/Rome")).await;
    is_shown_in_part(patched.ok(200), "patch");
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "PATCH", "path": path, "data": {"schemas": [PATCH_OP], "Operations": zone("Europe/Paris")}}],
    });
    let whole = [("prefer", "return=representation")];
    let body = Some(bulk.to_string().into_bytes());
    let bulk = idp.send(reqwest::Method::POST, "/Bulk", &whole, body).await;
    is_shown_in_part(&bulk.ok(200)["Operations"][0]["response"], "bulk");
    let feed = idp.get("/Events?after=0").await.ok(200).to_string();
    let lineage = idp
        .get(&format!("{path}/lineage"))
        .await
        .ok(200)
        .to_string();
    for (told, channel) in [(feed, "feed"), (lineage, "lineage")] {
        for hidden in ["1815-12", "ada@home", "ada@corp"] {
            assert!(!told.contains(hidden), "{channel}: {told}");
        }
    }
    // Neither is a way to search by what is hidden.
    for filter in [
        "birthDate eq \"1815-12-10\"",
        "birthDate sw \"1815\"",
        "emails.value co \"ada\"",
    ] {
        idp.list("/Persons", &[("filter", filter)])
            .await
            .refused(403, "");
        assert_eq!(hris.find("/Persons", filter).await.len(), 1, "{filter}");
    }
    let sorted = json!({"schemas": [SEARCH], "sortBy": "birthDate"});
    idp.search("/Persons", sorted).await.refused(403, "");
}

async fn a_year_and_a_masked_address_come_back_without_harm(app: &App) {
    let (hris, idp, id) = known(app).await;
    let path = format!("/Persons/{id}");
    let before = hris.get(&path).await.ok(200).clone();
    let mut shown = idp.get(&path).await.ok(200).clone();
    idp.put(&path, shown.clone()).await.ok(200);
    for own in [
        json!({"op": "replace", "path": "birthDate", "value": "1815"}),
        json!({"op": "replace", "path": "emails", "value": masked_emails()}),
    ] {
        idp.patch(&path, json!([own])).await.ok(200);
    }
    assert_eq!(hris.get(&path).await.ok(200), &before);
    for strange in [
        json!({"op": "replace", "path": "birthDate", "value": "1816"}),
        json!({"op": "add", "path": "emails", "value": [{"value": "b•••@corp.example", "type": "other"}]}),
    ] {
        idp.patch(&path, json!([strange]))
            .await
            .refused(400, "invalidValue");
    }
    shown["birthDate"] = "1816".into();
    idp.put(&path, shown).await.refused(400, "invalidValue");
    assert_eq!(hris.get(&path).await.ok(200), &before);
    // What looks masked and was not shown is on the log: it may be an attempt to learn something.
    let told = app.service().events(0, 10_000).unwrap();
    let refused = told
        .iter()
        .filter(|(_, event)| event["type"] == "request.refused.400");
    let by_whom: Vec<&Value> = refused.map(|(_, event)| &event["client"]).collect();
    assert_eq!(by_whom, ["idp", "idp", "idp"]);
}

async fn me_is_masked_like_everybody(app: &App) {
    let (hris, _, id) = known(app).await;
    let ada = app.client_as("idp", "ada").await;
    let me = ada.get("/Me").await.ok(200).clone();
    assert_eq!(me["id"], id.as_str());
    is_shown_in_part(&me, "me");
    for hidden in ["7946", "Ockham", "en-GB", "GB\""] {
        assert!(!me.to_string().contains(hidden), "{hidden}: {me}");
    }
    let before = hris.get(&format!("/Users/{id}")).await.ok(200).clone();
    let body = |body: &Value| Some(body.to_string().into_bytes());
    let put = ada.send(reqwest::Method::PUT, "/Me", &[], body(&me)).await;
    is_shown_in_part(put.ok(200), "put");
    let masked = json!({"schemas": [PATCH_OP], "Operations": [
        {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b•••@corp.example"},
    ]});
    let patch = ada
        .send(reqwest::Method::PATCH, "/Me", &[], body(&masked))
        .await;
    patch.refused(400, "invalidValue");
    assert_eq!(hris.get(&format!("/Users/{id}")).await.ok(200), &before);
    // Who has no purpose has none for the own account either.
    let part = ada.get("/Me?attributes=phoneNumbers,addresses").await;
    assert_eq!(part.ok(200)["phoneNumbers"][0]["value"], "••••0123");
    assert_eq!(part.ok(200).get("addresses"), None);
}
