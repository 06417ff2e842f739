//! A purpose for a while, with a reason and a second person's approval (A-078).

use std::process::Command;

use chrono::TimeDelta;
use muster::clock::Clock;
use muster::service::break_glass::Request;
use serde_json::Value;

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::{App, client, on_both};

on_both!(
    a_glass_opens_with_two_people_and_closes_by_itself,
    a_glass_is_asked_for_by_command,
    where_the_policy_names_security_its_token_approves,
    of_two_who_approve_at_once_one_is_refused,
    without_a_reason_nothing_opens_and_what_is_ended_is_closed_at_once,
);

fn by_itself<T: Send + 'static>(
    app: &App,
    work: impl FnOnce(muster::service::Muster) -> T + Send + 'static,
) -> T {
    let service = app.service().clone();
    std::thread::spawn(move || work(service)).join().unwrap()
}

async fn a_glass_opens_with_two_people_and_closes_by_itself(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let path = format!("/Persons/{}", ada(&hris).await["id"].as_str().unwrap());
    let born = async || idp.get(&path).await.ok(200).get("birthDate").cloned();
    assert_eq!(born().await, None);
    let request = Request {
        tenant: "default".into(),
        client: "idp".into(),
        purpose: "payroll".into(),
        minutes: 30,
        reason: "incident 7".into(),
    };
    let now = app.clock.now();
    let asked = request.clone();
    let id = by_itself(app, move |service| service.break_glass(&asked, "sam", now)).unwrap();
    assert_eq!(born().await, None);
    let alone = by_itself(app, move |service| service.approve_glass(id, "sam", now));
    assert!(alone.unwrap_err().to_string().contains("somebody else"));
    by_itself(app, move |service| service.approve_glass(id, "kim", now)).unwrap();
    assert_eq!(born().await, Some(Value::from("1815-12-10")));
    let again = by_itself(app, move |service| service.approve_glass(id, "kim", now));
    assert!(again.is_err());
    // It does not open more than the purpose.
    assert!(
        !idp.get(&path)
            .await
            .ok(200)
            .to_string()
            .contains("ada@home.example")
    );
    app.clock.advance(TimeDelta::minutes(31));
    assert_eq!(born().await, None);
    let wrong = Request {
        minutes: 100_000,
        ..request
    };
    let refused = by_itself(app, move |service| service.break_glass(&wrong, "sam", now));
    assert!(refused.unwrap_err().to_string().contains("minutes"));
    let told: Vec<String> = app
        .events_of(&id.to_string())
        .iter()
        .map(|event| {
            format!(
                "{} by {}: {}",
                event["type"], event["actor"], event["reasonCode"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "\"breakGlass.requested\" by \"sam\": \"incident 7\"",
            "\"breakGlass.approved\" by \"kim\": \"incident 7\""
        ]
    );
    let events = app.service().events(0, 1000).unwrap();
    let reads = events
        .iter()
        .filter(|(_, event)| event["type"] == "person.read" && event["client"] == "idp");
    assert_eq!(reads.count(), 2);
}

fn muster(app: &App, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .arg("break-glass")
        .args(arguments)
        .env("MUSTER_DATABASE_URL", app.database.url())
        .env("MUSTER_DATA_DIR", app.database.folder())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

async fn a_glass_is_asked_for_by_command(app: &App) {
    apply(app, POLICY);
    let ask = [
        "request",
        "--client",
        "idp",
        "--purpose",
        "payroll",
        "--minutes",
        "5",
        "--reason",
        "audit",
        "--actor",
        "sam",
    ];
    let (done, id) = muster(app, &ask);
    assert!(done, "{id}");
    let id = id.trim();
    let (done, text) = muster(app, &["approve", id, "--actor", "sam"]);
    assert!(!done && text.contains("somebody else"), "{text}");
    let (done, text) = muster(app, &["approve", id, "--actor", "kim"]);
    assert!(done && text.contains("it holds until"), "{text}");
    let (_, list) = muster(app, &["list"]);
    assert!(
        list.contains("approved by kim; asked by sam: audit"),
        "{list}"
    );
    assert!(muster(app, &["end", id, "--actor", "kim"]).0);
    let (done, text) = muster(
        app,
        &[
            "request",
            "--client",
            "nobody",
            "--purpose",
            "p",
            "--reason",
            "r",
            "--actor",
            "sam",
        ],
    );
    assert!(!done && text.contains("has no client 'nobody'"), "{text}");
    assert!(!muster(app, &["end", "7", "--actor", "kim"]).0);
}

async fn approve(app: &App, name: &str, id: &str) -> (u16, Value) {
    let url = format!("{}/admin/break-glass/{id}/approve", app.origin());
    let request = client::http().post(url).bearer_auth(app.token(name).await);
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (
        status,
        serde_json::from_str(&answer.text().await.unwrap()).unwrap(),
    )
}

/// The second of the two is then nobody whom an operator may name, but a client that has proven who it is.
async fn where_the_policy_names_security_its_token_approves(app: &App) {
    let policy = format!("{POLICY}approval: {{ security: [verifier] }}\n");
    apply(app, &policy);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let path = format!("/Persons/{}", ada(&hris).await["id"].as_str().unwrap());
    let ask = |client: &str| {
        let request = Request {
            tenant: "default".into(),
            client: client.into(),
            purpose: "payroll".into(),
            minutes: 30,
            reason: "audit".into(),
        };
        let now = app.clock.now();
        let id = by_itself(app, move |service| {
            service.break_glass(&request, "sam", now)
        });
        id.unwrap().to_string()
    };
    let id = ask("idp");
    let (done, text) = muster(app, &["approve", &id, "--actor", "kim"]);
    assert!(
        !done && text.contains("verifier") && text.contains("POST"),
        "{text}"
    );
    for (name, wanted) in [("idp", 403), ("hris", 403)] {
        let (status, told) = approve(app, name, &id).await;
        assert_eq!(status, wanted, "{told}");
    }
    assert_eq!(approve(app, "verifier", "nothing").await.0, 404);
    assert_eq!(idp.get(&path).await.ok(200).get("birthDate"), None);
    let (status, told) = approve(app, "verifier", &id).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(
        (&told["client"], &told["purpose"]),
        (&Value::from("idp"), &Value::from("payroll"))
    );
    assert_eq!(
        (&told["requestedBy"], &told["approvedBy"]),
        (&Value::from("sam"), &Value::from("verifier"))
    );
    assert_eq!(approve(app, "verifier", &id).await.0, 409, "once");
    let events = app.events_of(&id);
    assert_eq!(events[1]["type"], "breakGlass.approved");
    assert_eq!(events[1]["actor"], "verifier");
    // Nobody approves what is for itself.
    let (status, told) = approve(app, "verifier", &ask("verifier")).await;
    assert_eq!(status, 403, "{told}");
    // It is in force where it was approved.
    assert_eq!(idp.get(&path).await.ok(200)["birthDate"], "1815-12-10");
}

async fn of_two_who_approve_at_once_one_is_refused(app: &App) {
    apply(app, POLICY);
    let now = app.clock.now();
    let ask = || {
        let request = Request {
            tenant: "default".into(),
            client: "idp".into(),
            purpose: "payroll".into(),
            minutes: 30,
            reason: "audit".into(),
        };
        by_itself(app, move |service| {
            service.break_glass(&request, "sam", now)
        })
        .unwrap()
    };
    let id = ask();
    let start = std::sync::Arc::new(std::sync::Barrier::new(8));
    let several: Vec<_> = (0..8)
        .map(|n| {
            let (service, start) = (app.service().clone(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                service.approve_glass(id, &format!("kim{n}"), now).is_ok()
            })
        })
        .collect();
    let done = several.into_iter().map(|one| one.join().unwrap());
    assert_eq!(done.filter(|done| *done).count(), 1);
    assert_eq!(app.events_of(&id.to_string()).len(), 2);
    // One that was ended before anybody approved it was approved by nobody, and cannot be any more.
    let id = ask();
    by_itself(app, move |service| service.end_glass(id, "kim", now)).unwrap();
    let late = by_itself(app, move |service| service.approve_glass(id, "kim", now));
    assert!(late.unwrap_err().to_string().contains("ended"));
    let all = by_itself(app, |service| service.glasses("default")).unwrap();
    let ended = all.iter().find(|glass| glass.id == id).unwrap();
    assert_eq!((&ended.approved_by, ended.until), (&None, Some(now)));
}

async fn without_a_reason_nothing_opens_and_what_is_ended_is_closed_at_once(app: &App) {
    apply(app, POLICY);
    let (hris, idp) = (app.client("hris").await, app.client("idp").await);
    let path = format!("/Persons/{}", ada(&hris).await["id"].as_str().unwrap());
    let born = async || idp.get(&path).await.ok(200).get("birthDate").cloned();
    let now = app.clock.now();
    let ask = |reason: &str, minutes: i32| {
        let request = Request {
            tenant: "default".into(),
            client: "idp".into(),
            purpose: "payroll".into(),
            minutes,
            reason: reason.into(),
        };
        by_itself(app, move |service| {
            service.break_glass(&request, "sam", now)
        })
    };
    let before = app.event_count();
    for (reason, minutes) in [("", 30), (" \t\n", 30), ("audit", 0), ("audit", -1)] {
        let refused = ask(reason, minutes).unwrap_err().to_string();
        assert!(refused.contains("give a reason"), "{refused}");
    }
    let said = muster(
        app,
        &[
            "request",
            "--client",
            "idp",
            "--purpose",
            "payroll",
            "--reason",
            " ",
            "--actor",
            "sam",
        ],
    );
    assert!(!said.0 && said.1.contains("give a reason"), "{}", said.1);
    assert_eq!(app.event_count(), before);
    // What nobody approves in its time is asked for again.
    let (id, late) = (ask("audit", 30).unwrap(), now + TimeDelta::days(2));
    let late = by_itself(app, move |service| service.approve_glass(id, "kim", late));
    assert!(late.unwrap_err().to_string().contains("too old"));
    // Ended in this process, and in another.
    for elsewhere in [false, true] {
        let id = ask("audit", 30).unwrap();
        by_itself(app, move |service| service.approve_glass(id, "kim", now)).unwrap();
        assert_eq!(born().await, Some(Value::from("1815-12-10")));
        if elsewhere {
            let (done, said) = muster(app, &["end", &id.to_string(), "--actor", "lee"]);
            assert!(done, "{said}");
            let since = std::time::Instant::now();
            while born().await.is_some() {
                assert!(since.elapsed() < crate::support::PATIENCE, "it is open");
            }
        } else {
            by_itself(app, move |service| service.end_glass(id, "lee", now)).unwrap();
            assert_eq!(born().await, None);
        }
        let again = by_itself(app, move |service| service.approve_glass(id, "kim", now));
        assert!(again.unwrap_err().to_string().contains("ended"));
        let told = app.events_of(&id.to_string());
        let told: Vec<_> = told
            .iter()
            .map(|event| (event["type"].as_str().unwrap(), &event["actor"]))
            .collect();
        assert_eq!(
            told[2],
            ("breakGlass.ended", &Value::from("lee")),
            "{told:?}"
        );
    }
}
