//! What an operator, an auditor and a system that picks things up get to know of it.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, Client, counted_on_both, on_both};

on_both!(
    b_043_what_happened_to_an_application_is_one_call,
    b_010_the_evidence_lines_up_in_one_pack,
    who_could_guess_by_them_is_given_no_proofs,
    b_004_the_order_of_checks_and_interviews_is_proven,
    an_hris_picks_up_the_intent_from_the_feed,
    the_feed_shows_each_reader_its_own,
    the_log_is_searched_by_application
);

/// Somebody's whole way, with an appeal and a merge on it.
async fn journey(ats: &Client, hris: &Client) -> (Value, Value) {
    let (_, person, application) = applied(ats).await;
    let failed = ats
        .create("/Verifications", verified(&application, 0, "fail"))
        .await;
    let mut appeal = verified(&application, 2, "pass");
    appeal["appealOf"] = to(&failed);
    ats.create("/Verifications", appeal).await;
    ats.patch(
        &at("/Applications", &application),
        replace("status", json!("interviewing")),
    )
    .await
    .ok(200);
    let body = json!({"application": to(&application), "startedAt": "2031-02-25T10:00:00Z", "status": "completed"});
    ats.create("/Interviews", body).await;
    let body = json!({
        "application": to(&application), "occurredAt": "2031-02-26T09:00:00Z", "vendor": "codetest", "attemptId": "a-1", "result": "pass",
    });
    ats.create("/Assessments", body).await;
    let twin = candidate(hris, "inez").await;
    let order = json!({"with": person["id"], "reason": "the same human"});
    hris.order(&format!("{}/merge", at("/Persons", &twin)), order)
        .await
        .ok(200);
    ats.patch(
        &at("/Applications", &application),
        replace("status", json!("offered")),
    )
    .await
    .ok(200);
    let body = json!({"application": to(&application), "status": "sent", "terms": {"title": "Harbor pilot", "startDate": "2031-04-01"}});
    let offer = ats.create("/Offers", body).await;
    ats.patch(&at("/Offers", &offer), replace("status", json!("accepted")))
        .await
        .ok(200);
    let body =
        json!({"person": {"value": person["id"]}, "offer": to(&offer), "hireDate": "2031-04-01"});
    let employment = hris.create("/Employments", body).await;
    (application, employment)
}

/// B-043, B-042: in order, across a merge of persons, with who did it by which tool and why.
async fn b_043_what_happened_to_an_application_is_one_call(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (application, _) = journey(&ats, &hris).await;
    let told = hris
        .get(&format!("{}/timeline", at("/Applications", &application)))
        .await;
    let events = told.ok(200)["events"].as_array().unwrap().clone();
    let types: Vec<&str> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let wanted = [
        "application.created",
        "verification.created",
        "verification.failed",
        "verification.created",
        "application.updated",
        "verification.passed",
        "application.updated",
        "interview.created",
        "assessment.created",
        "person.merged",
        "application.updated",
        "offer.created",
        "offer.updated",
        "CandidateToEmployee",
        "employment.created",
        "onboarding.it.requested",
        "onboarding.payroll.requested",
        "onboarding.benefits.requested",
    ];
    let mut rest = types.iter();
    for kind in wanted {
        assert!(
            rest.any(|known| *known == kind),
            "{kind} is not in its place among {types:?}"
        );
    }
    let moved = events
        .iter()
        .find(|event| event["what"].as_str().unwrap().contains("→"))
        .unwrap();
    assert_eq!(
        moved["what"],
        "application updated: status sourced → interviewing"
    );
    assert_eq!(
        (&moved["actor"], &moved["tool"]),
        (&json!("ats"), &json!("ats"))
    );
    let times: Vec<&str> = events
        .iter()
        .map(|event| event["at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted());
    app.stranger()
        .get(&format!("{}/timeline", at("/Applications", &application)))
        .await
        .refused(401, "");
    hris.get("/Applications/2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d/timeline")
        .await
        .refused(404, "");
    hris.get(&format!("/Persons/{}/timeline", id(&application)))
        .await
        .refused(404, "");
}

/// B-010, B-044, B-087: who, when, what was reviewed, what was decided, by whom, with the proof that the log says so.
async fn b_010_the_evidence_lines_up_in_one_pack(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (application, employment) = journey(&ats, &hris).await;
    let path = format!("{}/evidence-pack", at("/Applications", &application));
    let mut pack = hris.get(&path).await.ok(200).clone();
    let proven = |pack: &Value| {
        pack["timeline"]
            .as_array()
            .unwrap()
            .iter()
            .all(|line| line["proof"]["inclusionPath"].is_array())
    };
    for _ in 0..600 {
        if proven(&pack) {
            break;
        }
        // Heads are signed by a thread of their own, each second.
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
        pack = hris.get(&path).await.ok(200).clone();
    }
    assert!(
        proven(&pack) && pack["log"]["signature"].is_string(),
        "{}",
        pack["log"]
    );
    assert_eq!(pack["verifications"].as_array().unwrap().len(), 2);
    assert_eq!(
        pack["appeals"][0]["appealOf"]["value"],
        pack["verifications"][0]["id"]
    );
    assert_eq!(pack["identityChecks"]["outcome"], "verifiedFirst");
    assert_eq!(pack["assessments"][0]["result"], "pass");
    assert_eq!(pack["offers"][0]["status"], "accepted");
    assert_eq!(pack["employments"][0]["id"], employment["id"]);
    assert_eq!(pack["candidate"]["displayName"], "inez");
    let page = crate::support::client::http()
        .get(format!("{}{path}?format=html", app.scim()))
        .bearer_auth(app.token("hris").await)
        .send()
        .await
        .unwrap();
    let kind = page.headers()["content-type"].to_str().unwrap().to_owned();
    let page = page.text().await.unwrap();
    assert!(
        kind.starts_with("text/html") && page.contains("passed before the first interview"),
        "{page}"
    );
    hris.get(&format!("{path}?format=pdf"))
        .await
        .refused(400, "invalidValue");
    // Masked for its reader.
    let hidden = policy("")
        .replace(
            "  steward:",
            "  narrow: [{ types: [Application, Verification], rights: [read] }]\n  steward:",
        )
        .replace("system: crm, roles: [all]", "system: crm, roles: [narrow]")
        + "\
           masking:\n  - { attributes: [Verification.evidencePackRef], openTo: [audit], otherwise: omit }\n";
    apply(app, &hidden);
    let narrow = app.client("crm").await.get(&path).await.ok(200).clone();
    assert_eq!(narrow.get("candidate"), None);
    assert_eq!(narrow["offers"], json!([]));
    // Without the requisition and the interviews nobody knows whether the checks came first.
    assert_eq!(narrow["identityChecks"]["outcome"], "notShown");
    assert!(!narrow.to_string().contains("evidence.example"), "{narrow}");
    assert!(!narrow.to_string().contains("inez"), "{narrow}");
}

/// Proofs count all events, and so tell who writes what is hidden from it whether its guess was right.
async fn who_could_guess_by_them_is_given_no_proofs(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (application, _) = journey(&ats, &hris).await;
    let hidden = policy("").replace("system: crm, roles: [all]", "system: crm, roles: [narrow]");
    let narrow = "  narrow: [{ types: [Application, Verification], rights: [read] }]\n  steward:";
    let masking = "masking:\n  - { attributes: [legalName], openTo: [audit], otherwise: omit }\n";
    apply(app, &(hidden.replace("  steward:", narrow) + masking));
    let path = format!("{}/evidence-pack", at("/Applications", &application));
    // A candidate's legal name is hidden from both, and one of them writes it.
    let pack = hris.get(&path).await.ok(200).clone();
    assert!(
        pack["log"]["withheld"]
            .as_str()
            .unwrap()
            .contains("hidden from it"),
        "{pack}"
    );
    assert!(!pack["timeline"].as_array().unwrap().is_empty());
    assert!(!pack.to_string().contains("inclusionPath"), "{pack}");
    let page = crate::support::client::http()
        .get(format!("{}{path}?format=html", app.scim()))
        .bearer_auth(app.token("hris").await);
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("no proof for this reader"), "{page}");
    let crm = app.client("crm").await;
    for _ in 0..600 {
        let pack = crm.get(&path).await.ok(200).clone();
        if pack["log"]["size"].is_number() {
            return;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no signed head in a minute");
}

/// B-004: one call, with the evidence.
async fn b_004_the_order_of_checks_and_interviews_is_proven(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = format!("{}/evidence-pack", at("/Applications", &application));
    let checks = async || hris.get(&path).await.ok(200)["identityChecks"].clone();
    assert_eq!(checks().await["outcome"], "notYet");
    let body = json!({"application": to(&application), "startedAt": "2031-02-19T10:00:00Z"});
    ats.create("/Interviews", body).await;
    assert_eq!(checks().await["outcome"], "interviewedFirst");
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let told = checks().await;
    assert_eq!(told["outcome"], "interviewedFirst");
    assert_eq!(
        told["firstPass"]["evidencePackRef"],
        "https://evidence.example/packs/77"
    );
}

/// A-114, B-095: without push, an HR system asks and waits; what is gone is told too.
async fn an_hris_picks_up_the_intent_from_the_feed(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let mut next = 0;
    let mut seen = Vec::new();
    let read = async |next: &mut i64, seen: &mut Vec<Value>, wait: u32| {
        let told = hris
            .get(&format!("/Events?after={next}&wait={wait}"))
            .await
            .ok(200)
            .clone();
        *next = told["next"].as_i64().unwrap();
        seen.extend(told["events"].as_array().unwrap().clone());
    };
    let made =
        |seen: &[Value], kind: &str| seen.iter().filter(|event| event["type"] == kind).count();
    while made(&seen, "application.created") == 0 {
        read(&mut next, &mut seen, 5).await;
    }
    // It waits while somebody else accepts.
    let body = json!({"application": to(&application), "status": "accepted", "terms": {"startDate": "2031-04-01"}});
    let accepting = ats.clone();
    let offer = actix_web::rt::spawn(async move {
        actix_web::rt::time::sleep(std::time::Duration::from_millis(300)).await;
        accepting.create("/Offers", body).await
    });
    while made(&seen, "CandidateToEmployee") == 0 {
        read(&mut next, &mut seen, 5).await;
    }
    let offer = offer.await.unwrap();
    let intent = seen
        .iter()
        .find(|event| event["type"] == "CandidateToEmployee")
        .unwrap();
    assert_eq!(
        (&intent["correlationId"], &intent["candidateId"]),
        (&person["id"], &person["id"])
    );
    assert_eq!(
        (&intent["applicationId"], &intent["objectType"]),
        (&application["id"], &json!("Offer"))
    );
    assert_eq!(offer["status"], "accepted");
    let draft = json!({"application": to(&application), "status": "draft"});
    let draft = ats.create("/Offers", draft).await;
    ats.delete(&at("/Offers", &draft)).await.ok(204);
    while made(&seen, "offer.deleted") == 0 {
        read(&mut next, &mut seen, 5).await;
    }
    let positions: Vec<i64> = seen
        .iter()
        .map(|event| event["position"].as_i64().unwrap())
        .collect();
    assert!(positions.is_sorted_by(|a, b| a < b));
    hris.get("/Events?after=x")
        .await
        .refused(400, "invalidValue");
    hris.get("/Events?wait=100")
        .await
        .refused(400, "invalidValue");
}

/// Only types that a client may read, only whom its role reaches, only values that it may see.
async fn the_feed_shows_each_reader_its_own(app: &App) {
    let narrow = policy("").replace(
        "  steward:",
        "  verifier: [{ types: [Verification], rights: [read] }, { types: [Application], rights: [read], where: 'source eq \"fair\"' }]\n  steward:",
    ).replace("system: crm, roles: [all]", "system: crm, roles: [verifier]") + "\
         masking:\n  - { attributes: [Verification.evidencePackRef], openTo: [audit], otherwise: omit }\n";
    apply(app, &narrow);
    let (ats, crm) = (app.client("ats").await, app.client("crm").await);
    let (job, person, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let mut other = applying(&person, &job, "ga-2");
    other["source"] = json!("fair");
    let fair = ats.create("/Applications", other).await;
    let mut seen = Vec::new();
    let mut next = 0;
    while !seen
        .iter()
        .any(|event: &Value| event["resourceId"] == fair["id"])
    {
        let told = crm
            .get(&format!("/Events?after={next}&wait=5"))
            .await
            .ok(200)
            .clone();
        next = told["next"].as_i64().unwrap();
        seen.extend(told["events"].as_array().unwrap().clone());
        assert!(
            !told["events"].as_array().unwrap().is_empty(),
            "nothing more comes after {next}: {seen:?}"
        );
    }
    let types: std::collections::BTreeSet<&str> = seen
        .iter()
        .map(|event| event["resourceType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types.into_iter().collect::<Vec<_>>(),
        ["Application", "Verification"]
    );
    let applications = seen
        .iter()
        .filter(|event| event["resourceType"] == "Application");
    assert!(
        applications
            .into_iter()
            .all(|event| event["resourceId"] == fair["id"]),
        "{seen:?}"
    );
    // What it reached is seen to go, and what it did not is not.
    let hidden = ats
        .create("/Applications", applying(&person, &job, "ga-3"))
        .await;
    ats.delete(&at("/Applications", &hidden)).await.ok(204);
    ats.delete(&at("/Applications", &fair)).await.ok(204);
    let gone = loop {
        let told = crm.get(&format!("/Events?after={next}&wait=5")).await;
        let events = told.ok(200)["events"].as_array().unwrap().clone();
        assert!(!events.is_empty(), "nothing more comes after {next}");
        next = told.body["next"].as_i64().unwrap();
        let mut events = events.into_iter();
        if let Some(gone) = events.find(|event| event["type"] == "application.deleted") {
            break gone;
        }
    };
    assert_eq!(gone["resourceId"], fair["id"]);
    let text = json!(seen).to_string();
    assert!(
        !text.contains("evidence.example") && !text.contains("Okafor"),
        "{text}"
    );
    app.stranger().get("/Events").await.refused(401, "");
}

/// B-042, A-072: by application and by person.
async fn the_log_is_searched_by_application(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let filter = format!("applicationId eq \"{}\"", id(&application));
    let found = hris.find("/AuditEvents", &filter).await;
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(
        found
            .iter()
            .all(|event| event["applicationId"] == application["id"]
                && event["personId"] == person["id"])
    );
    let filter = format!(
        "personId eq \"{}\" and resourceType eq \"Verification\"",
        id(&person)
    );
    assert_eq!(hris.find("/AuditEvents", &filter).await.len(), 2);
    assert_eq!(
        hris.find(
            "/AuditEvents",
            "applicationId pr and type eq \"verification.passed\""
        )
        .await
        .len(),
        1
    );
}

counted_on_both!(a_timeline_costs_the_same_in_any_population: cost_stays);

/// B-098, B-043: what a timeline and an evidence pack ask of the database goes with the application alone.
async fn cost_stays(app: &App) {
    use crate::support::statements::sent_to;
    let (ats, hris) = set(app, "").await;
    let (job, _, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let path = at("/Applications", &application);
    let cost = async || {
        // Until its last event is under a signed head.
        let pack = format!("{path}/evidence-pack");
        for _ in 0..600 {
            let told = hris.get(&pack).await.ok(200).clone();
            let lines = told["timeline"].as_array().unwrap();
            if lines.iter().all(|line| line.get("proof").is_some()) {
                break;
            }
            actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        let mut costs = Vec::new();
        for what in ["timeline", "evidence-pack"] {
            let mut least = u64::MAX;
            // The first request on a connection learns more than it is asked.
            for _ in 0..8 {
                let before = sent_to(&app.database);
                hris.get(&format!("{path}/{what}")).await.ok(200);
                least = least.min(sent_to(&app.database) - before);
            }
            costs.push(least);
        }
        costs
    };
    let alone = cost().await;
    assert!(alone.iter().all(|cost| *cost > 3), "{alone:?}");
    for n in 0..40 {
        let other = candidate(&ats, &format!("p{n}")).await;
        let body = applying(&other, &job, &format!("gx-{n}"));
        let theirs = ats.create("/Applications", body).await;
        ats.create("/Verifications", verified(&theirs, 2, "pass"))
            .await;
    }
    assert_eq!(cost().await, alone);
}
