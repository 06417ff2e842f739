//! `GET /admin/policy/explain`: what a client would do with and see of a record, told over HTTP to who reviews access.

use serde_json::{Value, json};

use super::rules::{POLICY, apply};
use crate::support::{App, CUSTOMER, Client, client, on_both};

on_both!(
    a_reviewer_is_told_attribute_by_attribute_which_line_decides,
    what_hangs_on_hidden_values_is_not_told,
    each_right_has_its_row_and_whether_its_filter_holds,
    who_does_not_read_the_whole_log_or_the_record_is_told_nothing,
);

/// Besides: `auditor` reads the log and all people but sees no birth date; `verifier` reads the log alone.
fn policy() -> String {
    let roles = "roles:\n  reviewers: [{ types: [AuditEvent, Person], rights: [read] }]\n  logs: [{ types: [AuditEvent], rights: [read] }]\n  some: [{ types: [AuditEvent], rights: [read], where: 'type eq \"person.created\"' }, { types: [Person], rights: [read] }]\n";
    let client = |name: &str, role: &str, more: &str| {
        format!(
            "clients:\n  - {{ name: {name}, issuer: \"ISSUER\", match: {{ claim: azp, equals: {name} }}, tenant: default, \
             system: crm, roles: [{role}]{more} }}\n"
        )
    };
    let clients = [
        client("auditor", "reviewers", ""),
        client("admin", "reviewers", ", purposes: [payroll, employment]"),
        client("okta", "logs", ""),
        client("entra", "some", ""),
    ];
    let clients: String = clients
        .iter()
        .map(|row| row.replacen("clients:\n", "", 1))
        .collect();
    POLICY
        .replacen("roles:\n", roles, 1)
        .replacen("clients:\n", &format!("clients:\n{clients}"), 1)
}

async fn explain(app: &App, asker: &str, of: &str, id: &str) -> (u16, Value) {
    let token = app.token(asker).await;
    let url = format!(
        "{}/admin/policy/explain?client={of}&resource={id}",
        app.origin()
    );
    let answer = client::http().get(url).bearer_auth(token).send().await;
    let answer = answer.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

/// The row on a path, as a Person.
fn row<'a>(told: &'a Value, path: &str) -> Option<&'a Value> {
    let views = told["views"].as_array().unwrap();
    let person = views.iter().find(|view| view["resourceType"] == "Person");
    let rows = person.unwrap()["attributes"].as_array().unwrap();
    rows.iter().find(|row| row["path"] == path)
}

async fn person(hris: &Client, content: Value) -> String {
    let made = hris.create("/Persons", content).await;
    made["id"].as_str().unwrap().to_owned()
}

async fn a_reviewer_is_told_attribute_by_attribute_which_line_decides(app: &App) {
    let policy = policy();
    apply(app, &policy);
    let hris = app.client("hris").await;
    let content = json!({"displayName": "Ada", "birthDate": "1815-12-10", "phoneNumbers": [{"value": "+351912471108"}]});
    let id = person(&hris, content).await;
    let line = |text: &str| policy.lines().position(|line| line.contains(text)).unwrap() + 1;
    let (status, told) = explain(app, "admin", "idp", &id).await;
    assert_eq!(status, 200, "{told}");
    let given = |right| json!({"right": right, "role": "people", "line": line("  people:")});
    let rights = ["read", "search", "write"].map(given);
    assert_eq!(
        row(&told, "birthDate").unwrap(),
        &json!({
            "path": "birthDate", "shown": "hidden", "sight": "hidden", "treatment": "omit", "line": line("[birthDate]"),
            "rights": rights,
        })
    );
    assert_eq!(row(&told, "displayName").unwrap()["shown"], "whole");
    let (_, told) = explain(app, "admin", "hris", &id).await;
    let birth = row(&told, "birthDate").unwrap();
    assert_eq!(
        (&birth["shown"], &birth["purpose"]),
        (&json!("whole"), &json!("payroll"))
    );
    assert!(
        !told.to_string().contains("1815"),
        "no value leaves: {told}"
    );
}

async fn what_hangs_on_hidden_values_is_not_told(app: &App) {
    apply(app, &policy());
    let hris = app.client("hris").await;
    let with = json!({"displayName": "Ada", "birthDate": "1815-12-10", "nationalities": ["PT"]});
    let (with, without) = (
        person(&hris, with).await,
        person(&hris, json!({"displayName": "Ada"})).await,
    );
    for of in ["idp", "hris", "ats"] {
        let (status, one) = explain(app, "auditor", of, &with).await;
        assert_eq!(status, 200, "{one}");
        let (_, other) = explain(app, "auditor", of, &without).await;
        assert_eq!(one["views"], other["views"], "{of}");
        assert!(row(&one, "birthDate").unwrap().get("shown").is_none());
    }
    // To who sees them the two differ.
    let (_, one) = explain(app, "admin", "idp", &with).await;
    let (_, other) = explain(app, "admin", "idp", &without).await;
    assert_ne!(one["views"], other["views"]);
}

async fn each_right_has_its_row_and_whether_its_filter_holds(app: &App) {
    let secret = "masking:\n  - { attributes: [\"Person:Customer.status\"], openTo: [payroll], otherwise: omit }\n";
    let policy = policy().replacen("masking:\n", secret, 1);
    apply(app, &policy);
    let hris = app.client("hris").await;
    let bo = json!({"displayName": "Bo", CUSTOMER: {"status": "lead"}});
    let (customer, other) = (
        person(&hris, bo).await,
        person(&hris, json!({"displayName": "Ada"})).await,
    );
    let at = policy.lines().position(|line| line.contains("  sales:"));
    for (id, holds) in [(&customer, true), (&other, false)] {
        let rights = |holds: Option<bool>| {
            let each = ["read", "search", "write"].map(|right| {
                let mut row = json!({
                    "right": right, "role": "sales", "line": at.unwrap() + 1, "where": format!("{CUSTOMER}:status pr"),
                });
                if let Some(holds) = holds {
                    row["holds"] = holds.into();
                }
                row
            });
            json!(each)
        };
        let (_, told) = explain(app, "admin", "crm", id).await;
        assert_eq!(
            row(&told, "displayName").unwrap()["rights"],
            rights(Some(holds))
        );
        let whole = &told["views"][0]["rights"];
        let may = json!(["read", "search", "write"]);
        assert_eq!(*whole, if holds { may } else { json!([]) });
        // To whom the status is hidden nothing tells whether there is one.
        let (_, told) = explain(app, "auditor", "crm", id).await;
        assert_eq!(row(&told, "displayName").unwrap()["rights"], rights(None));
        assert_eq!(told["views"][0]["rights"], json!([]));
    }
}

async fn who_does_not_read_the_whole_log_or_the_record_is_told_nothing(app: &App) {
    apply(app, &policy());
    let hris = app.client("hris").await;
    let id = person(&hris, json!({"displayName": "Ada"})).await;
    for (asker, of, id, status, why) in [
        ("hris", "idp", id.as_str(), 403, "AuditEvent"),
        ("entra", "idp", &id, 403, "a part of its AuditEvents"),
        ("okta", "idp", &id, 404, "there is no record"),
        ("auditor", "nobody", &id, 404, "no client 'nobody'"),
        (
            "auditor",
            "idp",
            "0f1e2d3c-0000-4000-8000-000000000000",
            404,
            "there is no record",
        ),
        ("auditor", "idp", "x", 404, "there is no record"),
        ("auditor", "", &id, 404, "no client ''"),
    ] {
        let (found, told) = explain(app, asker, of, id).await;
        assert_eq!(found, status, "{asker} {of} {id}: {told}");
        assert!(told["detail"].as_str().unwrap().contains(why), "{told}");
    }
    let token = app.token("auditor").await;
    let url = format!("{}/admin/policy/explain?client=idp", app.origin());
    let answer = client::http()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 400);
    assert!(
        answer
            .text()
            .await
            .unwrap()
            .contains("'resource' is missing")
    );
}
