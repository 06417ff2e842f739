//! A policy is in force from its application on, in every process, and the configuration's clients are not.

use std::time::{Duration, Instant};

use muster::id::RandomIds;
use muster::service::Muster;
use muster::service::policy::Applied;
use serde_json::json;

use crate::rules::{POLICY, apply, try_apply};
use crate::support::process::Process;
use crate::support::{App, Client, PATIENCE, client, on_both};

on_both!(
    from_its_application_on_a_policy_decides,
    a_client_that_is_disabled_is_out_with_its_cached_token,
    a_wrong_policy_changes_nothing,
    every_version_is_kept_and_logged,
    another_process_has_it_by_itself,
    another_process_shuts_a_cached_token_out,
    a_cursor_does_not_outlive_the_policy
);

async fn from_its_application_on_a_policy_decides(app: &App) {
    let (auditor, idp) = (app.client("auditor").await, app.client("idp").await);
    auditor.get("/Users").await.ok(200);
    assert_eq!(apply(app, POLICY), 1);
    // It is no client of the policy.
    let detail = auditor.get("/Users").await.refused(403, "").to_owned();
    assert!(detail.contains("not that of a client"), "{detail}");
    idp.create("/Users", json!({"userName": "ada"})).await;
}

async fn a_client_that_is_disabled_is_out_with_its_cached_token(app: &App) {
    apply(app, POLICY);
    let idp = app.client("idp").await;
    idp.get("/Users").await.ok(200);
    let out = POLICY.replace("system: idp, roles", "system: idp, disabled: true, roles");
    assert_eq!(apply(app, &out), 2);
    let answer = idp.get("/Users").await;
    assert!(answer.refused(403, "").contains("shut out"));
    apply(app, &POLICY.replace("version: 1\n", "version: 1 # again\n"));
    idp.get("/Users").await.ok(200);
}

async fn a_wrong_policy_changes_nothing(app: &App) {
    apply(app, POLICY);
    let wrong = [
        (POLICY.replace("birthDate", "birthdayDate"), "birthDate"),
        (
            POLICY.replace("tenant: default", "tenant: other"),
            "tenant 'other'",
        ),
        (POLICY.replace("[birthDate]", "[userName]"), "userName"),
    ];
    for (text, about) in wrong {
        let Applied::Wrong(findings) = try_apply(app, &text) else {
            panic!("{about} is not told");
        };
        assert!(
            findings.iter().any(|found| found.reason.contains(about)),
            "{findings:?}"
        );
    }
    assert_eq!(app.service().policy_history("default").unwrap().len(), 1);
    app.client("idp").await.get("/Users").await.ok(200);
}

async fn every_version_is_kept_and_logged(app: &App) {
    apply(app, POLICY);
    apply(app, &format!("{POLICY}# second\n"));
    assert!(matches!(
        try_apply(app, &format!("{POLICY}# second\n")),
        Applied::Unchanged { version: 2 }
    ));
    let history = app.service().policy_history("default").unwrap();
    let numbers: Vec<i64> = history.iter().map(|version| version.number).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(history[0].actor, "security");
    let (_, first) = app
        .service()
        .policy_text("default", Some(1))
        .unwrap()
        .unwrap();
    assert!(!String::from_utf8(first).unwrap().contains("second"));
    let events = app.events_of("00000000-0000-0000-0000-000000000000");
    let logged: Vec<_> = events
        .iter()
        .map(|event| {
            (
                event["type"].as_str().unwrap(),
                event["version"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(logged, [("policy.applied", 1), ("policy.applied", 2)]);
}

async fn another_process_has_it_by_itself(app: &App) {
    let settings = app.database.settings();
    let other = std::thread::spawn(move || Muster::open(&settings, std::sync::Arc::new(RandomIds)))
        .join()
        .unwrap()
        .unwrap();
    assert!(other.policies().is_empty());
    apply(app, POLICY);
    let applied = Instant::now();
    while other.policies().is_empty() && applied.elapsed() < PATIENCE {
        actix_web::rt::time::sleep(Duration::from_millis(20)).await;
    }
    let versions: Vec<i64> = other
        .policies()
        .values()
        .map(|known| known.version)
        .collect();
    assert_eq!(versions, [1]);
    std::thread::spawn(move || other.close()).join().unwrap();
}

/// The process that applies the policy is not the one that has verified the token and kept it.
async fn another_process_shuts_a_cached_token_out(app: &App) {
    let other = Process::start_on(app.database.folder(), app.database.url());
    let policy = POLICY.replace("ISSUER", &format!("{}/dev", other.origin));
    apply(app, &policy);
    let http = client::http();
    let token = client::token(&http, &other.origin, "idp").await;
    let idp = Client::new(http, format!("{}/scim/v2", other.origin), Some(token));
    let until = async |wanted: u16| {
        let since = Instant::now();
        let mut answer = idp.get("/Users").await;
        while answer.status != wanted {
            assert!(since.elapsed() < PATIENCE, "{}", answer.body);
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
            answer = idp.get("/Users").await;
        }
        answer
    };
    until(200).await;
    let out = policy.replace("system: idp, roles", "system: idp, disabled: true, roles");
    apply(app, &out);
    let detail = until(403).await;
    assert!(detail.refused(403, "").contains("shut out"));
    apply(app, &policy.replace("version: 1\n", "version: 1 # again\n"));
    until(200).await;
}

async fn a_cursor_does_not_outlive_the_policy(app: &App) {
    apply(app, POLICY);
    let idp = app.client("idp").await;
    for name in ["ada", "bo", "cy"] {
        idp.create("/Users", json!({"userName": name})).await;
    }
    let first = idp.get("/Users?cursor&count=2").await;
    let next = first.ok(200)["nextCursor"].as_str().unwrap().to_owned();
    apply(app, &format!("{POLICY}# second\n"));
    idp.get(&format!("/Users?cursor={next}&count=2"))
        .await
        .refused(400, "expiredCursor");
}
