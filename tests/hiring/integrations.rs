//! Who runs the integrations sees their lag before a candidate does.

use chrono::TimeDelta;
use reqwest::header;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::client::http;
use crate::support::policy::apply;
use crate::support::process::Process;
use crate::support::statements::sent_to;
use crate::support::{App, counted_on_both, on_both};

on_both!(
    b_047_a_reader_that_stops_is_seen_with_its_lag,
    b_047_what_a_client_may_not_see_is_no_lag_of_its_own,
    b_047_operators_see_the_same_as_a_page_and_on_the_command_line,
    b_088_the_posture_of_each_vendor_is_held_beside_its_connector,
);
counted_on_both!(b_047_reading_the_feed_waits_for_no_write: polls_cost);

async fn ask(app: &App, client: &str) -> Value {
    let url = format!("{}/admin/integrations", app.origin());
    let answer = http().get(url).bearer_auth(app.token(client).await);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

fn of<'a>(told: &'a Value, client: &str) -> &'a Value {
    let all = told["integrations"].as_array().unwrap();
    let found = all.iter().find(|one| one["client"] == client);
    found.unwrap()
}

/// Reads the feed until the log is at its end and sealed; where to go on.
pub(crate) async fn read_all(app: &App, client: &str, last: &str) -> i64 {
    let client = app.client(client).await;
    let (mut next, mut seen) = (0, false);
    loop {
        let wait = if seen { 1 } else { 5 };
        let path = format!("/Events?after={next}&wait={wait}");
        let told = client.get(&path).await;
        let events = told.ok(200)["events"].as_array().unwrap();
        seen |= events.iter().any(|event| event["type"] == last);
        let on = told.body["next"].as_i64().unwrap();
        if seen && on == next {
            return next;
        }
        next = on;
    }
}

/// B-047: a client that is at the end has no lag; one that stops has that of the oldest event that it has not read.
async fn b_047_a_reader_that_stops_is_seen_with_its_lag(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let next = read_all(app, "crm", "application.created").await;
    let told = ask(app, "ats").await;
    let crm = of(&told, "crm");
    assert_eq!(
        (
            &crm["position"],
            &crm["unread"],
            &crm["lagSeconds"],
            &crm["stopped"]
        ),
        (&json!(next), &json!(0), &json!(0), &json!(false)),
        "{crm}"
    );
    assert!(crm["lastAskedAt"].is_string() && crm.get("lastWroteAt").is_none());
    // The ATS writes and does not read.
    let wrote = of(&told, "ats")["lastWroteAt"].as_str().unwrap().to_owned();
    assert!(of(&told, "ats").get("position").is_none(), "{told}");
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    app.clock.advance(TimeDelta::minutes(10));
    app.forget_tokens();
    // The other one that reads has it sealed.
    read_all(app, "hris", "verification.created").await;
    let told = ask(app, "ats").await;
    let (crm, hris) = (of(&told, "crm"), of(&told, "hris"));
    assert!(crm["unread"].as_i64() >= Some(2), "{crm}");
    assert_eq!(crm["position"], next);
    let lag = crm["lagSeconds"].as_i64().unwrap();
    assert!((600..660).contains(&lag), "{lag}");
    assert!(crm["newestPosition"].as_i64() >= Some(next), "{crm}");
    assert_eq!(
        (&hris["unread"], &hris["system"]),
        (&json!(0), &json!("hris"))
    );
    assert!(of(&told, "ats")["lastWroteAt"].as_str().unwrap() > wrote.as_str());
    // What the policy stops is marked as stopped.
    let stopped = policy("").replace(
        "system: crm, roles: [all]",
        "system: crm, roles: [all], disabled: true",
    );
    apply(app, &stopped);
    assert_eq!(of(&ask(app, "ats").await, "crm")["stopped"], true);
}

/// B-047: events of types that a client may not read are none that it has not read; and who may not read the log is not told.
async fn b_047_what_a_client_may_not_see_is_no_lag_of_its_own(app: &App) {
    let less = policy("").replace("system: crm, roles: [all]", "system: crm, roles: [sales]");
    let less = less.replace(
        "  steward:",
        "  sales: [{ types: [Organization], rights: [read, search, write] }]\n  steward:",
    );
    apply(app, &less);
    let (ats, crm) = (app.client("ats").await, app.client("crm").await);
    crm.get("/Events?after=0").await.ok(200);
    applied(&ats).await;
    read_all(app, "hris", "application.created").await;
    let told = ask(app, "ats").await;
    assert_eq!(of(&told, "crm")["unread"], 0, "{told}");
    crm.create("/Organizations", json!({"name": "Harbor"}))
        .await;
    read_all(app, "hris", "organization.created").await;
    let told = ask(app, "ats").await;
    assert_eq!(of(&told, "crm")["unread"], 1, "{told}");
    let url = format!("{}/admin/integrations", app.origin());
    let refused = http().get(url).bearer_auth(app.token("crm").await);
    assert_eq!(refused.send().await.unwrap().status().as_u16(), 403);
}

/// B-047: a poll is noted in memory: it asks the database for what it tells, and nothing more, however the client moves.
async fn polls_cost(app: &App) {
    let (ats, _) = set(app, "").await;
    applied(&ats).await;
    let next = read_all(app, "crm", "application.created").await;
    let crm = app.client("crm").await;
    for (after, most) in [(next - 1, 2), (next, 0)] {
        let mut costs = Vec::new();
        for _ in 0..10 {
            let before = sent_to(&app.database);
            crm.get(&format!("/Events?after={after}")).await.ok(200);
            costs.push(sent_to(&app.database) - before);
        }
        // Now and then the server writes something of its own, such as the head of a log.
        let dear = costs.iter().filter(|cost| **cost > most).count();
        assert!(dear <= 3, "{after} of {next}: {costs:?}");
    }
    let rows = "SELECT count(*) AS n FROM integration WHERE client = 'crm'";
    ask(app, "ats").await;
    assert_eq!(app.database.connect().number(rows), 1);
}

/// B-047: a page that loads nothing from elsewhere, and `muster integrations`.
async fn b_047_operators_see_the_same_as_a_page_and_on_the_command_line(app: &App) {
    let (ats, _) = set(app, "").await;
    applied(&ats).await;
    read_all(app, "crm", "application.created").await;
    let url = format!("{}/admin/integrations", app.origin());
    let asked = http().get(url).bearer_auth(app.token("ats").await);
    let answer = asked
        .header(header::ACCEPT, "text/html")
        .send()
        .await
        .unwrap();
    let headers = answer.headers().clone();
    let page = answer.text().await.unwrap();
    assert_eq!(headers["cache-control"], "no-store");
    assert!(
        headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    assert!(
        page.contains("<td>crm</td>") && !page.contains("src="),
        "{page}"
    );
    let folder = app.database.folder().to_str().unwrap();
    let place = ["--data-dir", folder, "--database-url", app.database.url()];
    let told = Process::command(&[&["integrations"][..], &place].concat());
    let told = String::from_utf8(told.stdout).unwrap();
    let line = told.lines().find(|line| line.starts_with("crm")).unwrap();
    assert!(line.contains(" crm ") && line.contains(" 0 "), "{told}");
}

/// B-088, B-104: who answers for a connector, and what its vendor's security rests on, is where its lag is.
async fn b_088_the_posture_of_each_vendor_is_held_beside_its_connector(app: &App) {
    let posture = "posture: { contractUntil: 2031-02-01, soc2: true, reviewedAt: 2030-09-01 }";
    let row = "{ name: crm, kind: crm, owner: Sales";
    let known = policy("");
    assert!(known.contains(row), "{known}");
    let text = known.replacen(row, &format!("{row}, {posture}"), 1);
    apply(app, &text);
    let told = ask(app, "ats").await;
    let crm = of(&told, "crm");
    assert_eq!(crm["owner"], "Sales");
    let held = json!({"contractUntil": "2031-02-01", "contractHasEnded": true, "soc2": true, "iso27001": false, "reviewedAt": "2030-09-01"});
    assert_eq!(crm["posture"], held);
    let hris = of(&told, "hris");
    assert!(
        hris["owner"].is_string() && hris.get("posture").is_none(),
        "{hris}"
    );
    let url = format!("{}/admin/integrations?format=html", app.origin());
    let page = http().get(url).bearer_auth(app.token("ats").await);
    let page = page.send().await.unwrap().text().await.unwrap();
    for shown in ["SOC 2", "2031-02-01", "Sales"] {
        assert!(page.contains(shown), "{page}");
    }
}
