//! Figures of a small history whose answers are known.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::client::http;
use crate::support::policy::apply;
use crate::support::process::Process;
use crate::support::{App, Client, EMPLOYEE, on_both};

on_both!(
    a_120_times_to_hire_and_to_start_are_those_of_the_history,
    a_120_the_command_line_tells_the_same,
    a_120_a_time_of_one_human_being_is_not_told,
    a_121_duplicates_found_and_avoided_are_counted,
    a_122_corrections_and_reviews_are_counted_by_what_they_were,
    a_123_a_value_whose_event_is_not_in_the_log_is_seen,
    b_080_verifications_reach_the_application_within_the_target_or_not,
    b_012_a_verification_that_was_not_asked_for_again_is_counted,
    figures_are_for_whoever_may_read_all_of_the_log
);

const SLO: &str = "observability:\n  eventLog: { required: true, retentionDays: 365, fields: [eventId] }\n  slos: { verification_to_ats_update_minutes: { target: 5 } }\n";

async fn ask(app: &App, client: &str, query: &str) -> (u16, Value) {
    let url = format!("{}/admin/kpis{query}", app.origin());
    let token = app.token(client).await;
    let answer = http().get(url).bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap())
}

/// A figure until the end of April.
async fn figure(app: &App, name: &str) -> Value {
    let (status, told) = ask(app, "ats", "?from=2031-02-01&to=2031-05-01").await;
    assert_eq!(status, 200, "{told}");
    let figures = told["figures"].as_array().unwrap();
    let found = figures.iter().find(|figure| figure["name"] == name);
    found.unwrap().clone()
}

/// Somebody who applied on a day and has accepted.
async fn accepted(ats: &Client, job: &Value, name: &str, applied: &str) -> (Value, Value) {
    let person = candidate(ats, name).await;
    let mut body = applying(&person, job, &format!("ga-{name}"));
    body["appliedAt"] = applied.into();
    let application = ats.create("/Applications", body).await;
    let offer = json!({"application": to(&application), "status": "sent"});
    let offer = ats.create("/Offers", offer).await;
    ats.patch(&at("/Offers", &offer), replace("status", json!("accepted")))
        .await
        .ok(200);
    (person, offer)
}

/// B-006: ten, twenty and thirty days to the acceptance at noon of March 1st; and from there to a day in March.
async fn a_120_times_to_hire_and_to_start_are_those_of_the_history(app: &App) {
    let (ats, hris) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    for (name, applied, start) in [
        ("ann", "2031-02-19T12:00:00Z", "2031-03-11"),
        ("bea", "2031-02-09T12:00:00Z", "2031-03-21"),
        ("cyd", "2031-01-30T12:00:00Z", "2031-03-31"),
    ] {
        let (person, offer) = accepted(&ats, &job, name, applied).await;
        let body = json!({"person": to(&person), "offer": to(&offer), "hireDate": start});
        hris.create("/Employments", body).await;
    }
    // Who never came has not begun.
    let (person, offer) = accepted(&ats, &job, "dot", "2031-02-19T12:00:00Z").await;
    let body = json!({
        "person": to(&person), "offer": to(&offer), "hireDate": "2031-03-05", "status": "Terminated", "statusReason": "NoShow",
    });
    hris.create("/Employments", body).await;
    let hire = figure(app, "timeToHire").await;
    assert_eq!((&hire["count"], &hire["unit"]), (&json!(4), &json!("days")));
    assert_eq!(
        (&hire["median"], &hire["p90"], &hire["mean"]),
        (&json!(15.0), &json!(30.0), &json!(17.5))
    );
    let start = figure(app, "timeToStart").await;
    assert_eq!(
        (&start["count"], &start["median"], &start["p90"]),
        (&json!(3), &json!(19.5), &json!(29.5))
    );
    let productive = figure(app, "timeToProductivity").await;
    assert_eq!(productive["count"], Value::Null);
    let steps = figure(app, "stepsAutomated").await;
    assert_eq!(
        (&steps["onboardingRequests"], &steps["intentsToEmploy"]),
        (&json!(9), &json!(4))
    );
    // Another period has none of it.
    let (_, told) = ask(app, "ats", "?from=2031-01-01&to=2031-02-01").await;
    assert_eq!(told["figures"][0]["count"], 0);
    assert!(told["figures"][0].get("median").is_none());
}

/// `muster kpi`, as a table and as JSON.
async fn a_120_the_command_line_tells_the_same(app: &App) {
    let (ats, _) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    for name in ["ann", "bea", "cyd"] {
        accepted(&ats, &job, name, "2031-02-19T12:00:00Z").await;
    }
    let folder = app.database.folder().to_str().unwrap();
    let place = ["--data-dir", folder, "--database-url", app.database.url()];
    let kpi = ["kpi", "--from", "2031-02-01", "--to", "2031-05-01"];
    let table = Process::command(&[&kpi[..], &place].concat());
    let text = String::from_utf8(table.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("time to hire"));
    assert!(
        line.unwrap().ends_with("median 10.0 days, p90 10.0 days"),
        "{text} {:?}",
        String::from_utf8(table.stderr)
    );
    let told = Process::command(&[&kpi[..], &place, &["--json"]].concat());
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told["figures"][0], figure(app, "timeToHire").await);
    let elsewhere = Process::command(&[&kpi[..], &place, &["--tenant", "nobody"]].concat());
    assert!(!elsewhere.status.success());
}

/// A count of one names nobody, and its time would.
async fn a_120_a_time_of_one_human_being_is_not_told(app: &App) {
    let (ats, _) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    accepted(&ats, &job, "ann", "2031-02-19T12:00:00Z").await;
    let hire = figure(app, "timeToHire").await;
    assert_eq!(
        (&hire["count"], &hire["withheld"]),
        (&json!(1), &json!("fewer than 3"))
    );
    let (_, told) = ask(app, "ats", "").await;
    let text = told.to_string();
    for name in ["ann", "Okafor", "c-ann", "\"ats", "\"hris", "gc-"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
}

/// what came again was not taken for somebody or something new.
async fn a_121_duplicates_found_and_avoided_are_counted(app: &App) {
    let (ats, hris) = set(app, "").await;
    let crm = app.client("crm").await;
    let (job, person, _) = applied(&ats).await;
    let known = json!({
        "externalId": "k-1", "displayName": "Ines O.", "externalIdentifiers": called("greenhouse", "candidate_id", "gc-ines"),
    });
    let joined = crm.post("/Persons", known).await;
    assert_eq!(joined.body["id"], person["id"]);
    crm.post("/Applications", applying(&person, &job, "ga-1"))
        .await
        .ok(200);
    let twin = candidate(&hris, "inez").await;
    let order = json!({"with": person["id"], "reason": "the same human"});
    hris.order(&format!("{}/merge", at("/Persons", &twin)), order)
        .await
        .ok(200);
    let avoided = figure(app, "duplicatesAvoided").await;
    assert_eq!(
        (&avoided["recordsJoined"], &avoided["writesConfirming"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(avoided["count"], 2);
    assert_eq!(figure(app, "duplicatesFound").await["merges"], 1);
}

/// A-122, B-013, B-018: three decisions after two hours, of which two elevate; a merge, undone; and one question that nobody answers.
async fn a_122_corrections_and_reviews_are_counted_by_what_they_were(app: &App) {
    let (ats, hris) = set(app, "").await;
    let mut people = Vec::new();
    for name in ["ann", "bea", "cyd", "dot"] {
        let person = candidate(&hris, name).await;
        let said = replace("legalName", json!(format!("{name} Hris")));
        hris.patch(&at("/Persons", &person), said).await.ok(200);
        let said = replace("legalName", json!(format!("{name} Ats")));
        ats.patch(&at("/Persons", &person), said).await.ok(200);
        people.push(person);
    }
    let open = figure(app, "timeToResolve").await;
    assert_eq!((&open["open"], &open["count"]), (&json!(4), &json!(0)));
    app.clock.advance(TimeDelta::hours(2));
    app.forget_tokens();
    let hris = app.client("hris").await;
    let reviews = hris.find("/Reviews", "kind eq \"conflict\"").await;
    assert_eq!(reviews.len(), 4);
    for (review, status) in reviews.iter().zip(["approved", "approved", "rejected"]) {
        hris.patch(&at("/Reviews", review), replace("status", json!(status)))
            .await
            .ok(200);
    }
    let order = json!({"with": people[0]["id"], "reason": "the same human"});
    hris.order(&format!("{}/merge", at("/Persons", &people[1])), order)
        .await
        .ok(200);
    let order = json!({"id": people[0]["id"], "reason": "two after all"});
    hris.order(&format!("{}/split", at("/Persons", &people[1])), order)
        .await
        .ok(200);
    let solved = figure(app, "timeToResolve").await;
    assert_eq!(
        (&solved["count"], &solved["open"], &solved["overdue"]),
        (&json!(3), &json!(1), &json!(0))
    );
    let conflicts = &solved["kinds"]["conflict"];
    assert_eq!(
        (&conflicts["median"], &conflicts["p90"], &conflicts["unit"]),
        (&json!(2.0), &json!(2.0), &json!("hours"))
    );
    let corrections = figure(app, "manualCorrections").await;
    assert_eq!(corrections["count"], 5, "{corrections}");
    let march = json!({"total": 5, "merges": 1, "splits": 1, "elevations": 2, "reviewsDecided": 3});
    assert_eq!(corrections["months"], json!({ "2031-03": march }));
    let load = figure(app, "reviewLoad").await;
    assert_eq!(
        (&load["count"], &load["medianEach"], &load["mostOfOne"]),
        (&json!(1), &json!(3), &json!(3))
    );
    app.clock.advance(TimeDelta::days(6));
    app.forget_tokens();
    // The sweep of each minute may have come first.
    let resolve = figure(app, "timeToResolve").await;
    let late = ["overdue", "expired"].map(|name| resolve[name].as_i64().unwrap());
    assert_eq!(late.iter().sum::<i64>(), 1, "{resolve}");
}

/// all values have a source; one whose event is nowhere makes its record one that has not.
async fn a_123_a_value_whose_event_is_not_in_the_log_is_seen(app: &App) {
    let (ats, hris) = set(app, "").await;
    let job = requisition(&ats, 2).await;
    let (person, offer) = accepted(&ats, &job, "ann", "2031-02-19T12:00:00Z").await;
    let body = json!({"person": to(&person), "offer": to(&offer), "hireDate": "2031-03-11"});
    hris.create("/Employments", body).await;
    let known = hris.get(&at("/Persons", &person)).await;
    assert_eq!(known.body[EMPLOYEE]["status"], "Pending");
    let ready = figure(app, "auditReadiness").await;
    assert_eq!(
        (&ready["count"], &ready["full"], &ready["percent"]),
        (&json!(5), &json!(5), &json!(100.0))
    );
    assert_eq!(
        (&ready["population"], &ready["isSample"]),
        (&json!(5), &json!(false))
    );
    let mut database = app.database.connect();
    let one = "resource = (SELECT max(id) FROM resource WHERE kind = 6)";
    for (from, into) in [("\"e\":\"", "\"e\":\"x"), ("\"e\":\"x", "\"e\":\"")] {
        database.run(&format!(
            "UPDATE source_record SET claims = replace(claims, '{from}', '{into}') WHERE {one}"
        ));
        let ready = figure(app, "auditReadiness").await;
        let full = if into.ends_with('x') {
            (4, 80.0)
        } else {
            (5, 100.0)
        };
        assert_eq!(
            (&ready["full"], &ready["percent"]),
            (&json!(full.0), &json!(full.1))
        );
    }
}

/// B-080: of four verifications one shows at once, two after ten minutes, and one never.
async fn b_080_verifications_reach_the_application_within_the_target_or_not(app: &App) {
    apply(app, &format!("{}{SLO}", policy("")));
    let ats = app.client("ats").await;
    let job = requisition(&ats, 2).await;
    let mut applications = Vec::new();
    for name in ["ann", "bea", "cyd"] {
        let person = candidate(&ats, name).await;
        let body = applying(&person, &job, &format!("ga-{name}"));
        applications.push(ats.create("/Applications", body).await);
    }
    let (first, second, third) = (&applications[0], &applications[1], &applications[2]);
    ats.create("/Verifications", verified(first, 2, "pass"))
        .await;
    for application in [second, second, third] {
        ats.create("/Verifications", verified(application, 0, "fail"))
            .await;
    }
    app.clock.advance(TimeDelta::minutes(10));
    app.forget_tokens();
    let ats = app.client("ats").await;
    let moved = replace("status", json!("interviewing"));
    ats.patch(&at("/Applications", second), moved).await.ok(200);
    let update = figure(app, "verificationToAtsUpdate").await;
    assert_eq!(
        (&update["count"], &update["unanswered"]),
        (&json!(4), &json!(1)),
        "{update}"
    );
    assert_eq!(
        (&update["median"], &update["unit"]),
        (&json!(10.0), &json!("minutes"))
    );
    assert_eq!(
        (&update["targetMinutes"], &update["withinTargetPercent"]),
        (&json!(5.0), &json!(25.0))
    );
    let repeated = figure(app, "repeatedSteps").await;
    assert_eq!(
        (&repeated["verifications"], &repeated["assessments"]),
        (&json!(1), &json!(0))
    );
}

/// B-012, B-005: the second application has its tier from the first.
async fn b_012_a_verification_that_was_not_asked_for_again_is_counted(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let avoided = figure(app, "repeatedVerificationsAvoided").await;
    assert_eq!(avoided["count"], 0);
    for (job, tier) in [("REQ-2", 2), ("REQ-3", 3), ("REQ-0", 0)] {
        let body = json!({"jobId": job, "title": "Pilot", "status": "Active", "requiredVerificationTier": tier});
        let other = ats.create("/Requisitions", body).await;
        let body = applying(&person, &other, &format!("ga-{job}"));
        ats.create("/Applications", body).await;
    }
    let avoided = figure(app, "repeatedVerificationsAvoided").await;
    assert_eq!(avoided["count"], 1);
}

/// the door is that of the log; what is asked must be a period.
async fn figures_are_for_whoever_may_read_all_of_the_log(app: &App) {
    let text = policy("").replace("system: crm, roles: [all]", "system: crm, roles: [some]");
    let some = "roles:\n  some: [{ types: [Person], rights: [read] }]\n";
    apply(app, &text.replace("roles:\n", some));
    assert_eq!(ask(app, "crm", "").await.0, 403);
    let stranger = format!("{}/admin/kpis", app.origin());
    let stranger = http().get(stranger).send().await.unwrap();
    assert_eq!(stranger.status().as_u16(), 401);
    assert_eq!(ask(app, "ats", "").await.0, 200);
    for query in ["?from=yesterday", "?from=2031-03-01&to=2031-03-01"] {
        assert_eq!(ask(app, "ats", query).await.0, 400);
    }
    let (_, told) = ask(app, "ats", "?from=2031-02-01&to=2031-03-01T12:00:00Z").await;
    assert_eq!(told["from"], "2031-02-01T00:00:00.000000Z");
    let figures = told["figures"].as_array().unwrap();
    assert!(figures.iter().all(|figure| {
        let said = |name: &str| !figure[name].as_str().unwrap_or_default().is_empty();
        said("name") && said("definition") && figure["requirements"][0].is_string()
    }));
}
