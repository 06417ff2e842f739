//! What the hiring record takes and what it refuses.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, on_both};

on_both!(
    an_application_goes_its_way_and_keeps_its_history,
    what_is_evidence_is_never_changed,
    identifiers_are_on_the_list,
    references_are_to_what_is_there,
    what_is_sent_twice_is_one,
    an_accepted_offer_is_final,
    a_tier_is_carried_over_to_the_next_application,
    an_interview_before_the_verification_is_flagged,
    an_interview_before_the_verification_is_refused_where_the_policy_says_so,
    a_manual_review_is_decided_by_a_human,
    an_appeal_is_heard,
    what_hangs_on_a_record_keeps_it,
    who_is_erased_leaves_no_application
);

/// B-060, B-032: exactly the contract's statuses, allowed steps only, and a history that nobody writes.
async fn an_application_goes_its_way_and_keeps_its_history(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    assert_eq!(application["jobId"], "REQ-10291");
    assert_eq!(application["statusHistory"][0]["status"], "sourced");
    let path = at("/Applications", &application);
    for status in [
        "interviewing",
        "assessing",
        "offered",
        "rejected",
        "sourced",
    ] {
        ats.patch(&path, replace("status", json!(status)))
            .await
            .ok(200);
    }
    let known = ats.get(&path).await.ok(200).clone();
    let history: Vec<&Value> = known["statusHistory"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(
        history,
        [
            "sourced",
            "interviewing",
            "assessing",
            "offered",
            "rejected",
            "sourced"
        ]
    );
    assert_eq!(known["statusHistory"][4]["actor"], "ats");
    let refused = ats.patch(&path, replace("status", json!("hired"))).await;
    assert!(refused.refused(400, "invalidValue").contains("withdrawn"));
    ats.patch(&path, replace("status", json!("withdrawn")))
        .await
        .ok(200);
    let refused = ats.patch(&path, replace("status", json!("offered"))).await;
    assert_eq!(
        refused.refused(409, ""),
        "'status' is 'withdrawn', which does not become 'offered': possible is sourced, verified"
    );
    // What joins systems is immutable (B-033), and the history is nobody's to write.
    let refused = ats
        .patch(
            &path,
            replace(
                "candidate.value",
                json!("2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"),
            ),
        )
        .await;
    refused.refused(400, "mutability");
    let refused = ats.patch(&path, replace("statusHistory", json!([]))).await;
    refused.refused(400, "mutability");
}

/// B-029, B-082.
async fn what_is_evidence_is_never_changed(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let verification = ats
        .create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let attempt = json!({
        "application": to(&application), "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest", "attemptId": "a-1",
        "result": "pass", "score": 87.5,
    });
    let assessment = ats.create("/Assessments", attempt).await;
    for path in [
        at("/Verifications", &verification),
        at("/Assessments", &assessment),
    ] {
        ats.patch(&path, replace("decision", json!("fail")))
            .await
            .refused(405, "");
        ats.put(&path, json!({"decision": "fail"}))
            .await
            .refused(405, "");
        let refused = ats.delete(&path).await;
        assert!(refused.refused(405, "").contains("appealOf"));
        assert_eq!(refused.header("allow"), Some("GET"));
    }
}

/// B-056, B-054, B-093, A-051: only the systems and fields on the list.
async fn identifiers_are_on_the_list(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person, _) = applied(&ats).await;
    let mut body = applying(&person, &job, "x");
    body["externalIdentifiers"] = called("greenhouse", "secret_id", "1");
    let refused = ats.post("/Applications", body).await;
    let why = refused.refused(400, "invalidValue");
    assert!(
        why.contains("greenhouse.secret_id") && why.contains("externalIds.allowList"),
        "{why}"
    );
    assert!(why.contains("lever.opportunity_id"), "{why}");
}

async fn references_are_to_what_is_there(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let mut body = applying(&person, &job, "ga-2");
    body["candidate"]["value"] = job["id"].clone();
    let refused = ats.post("/Applications", body).await;
    assert!(
        refused
            .refused(400, "invalidValue")
            .contains("there is no Person of that id")
    );
    let body = json!({"application": {"value": "nobody"}, "status": "scheduled"});
    let refused = ats.post("/Interviews", body).await;
    assert!(
        refused
            .refused(400, "invalidValue")
            .contains("SYSTEM:FIELD:VALUE")
    );
    // B-023: by what another system calls it.
    let body =
        json!({"application": {"value": "greenhouse:application_id:ga-1"}, "status": "scheduled"});
    let interview = ats.create("/Interviews", body.clone()).await;
    assert_eq!(interview["application"]["value"], application["id"]);
    ats.put(&at("/Interviews", &interview), body).await.ok(200);
    let body = json!({"application": {"value": "greenhouse:application_id:none"}});
    let refused = ats.post("/Interviews", body).await;
    assert!(
        refused
            .refused(400, "invalidValue")
            .contains("send it first")
    );
}

/// B-046: natural keys upsert.
async fn what_is_sent_twice_is_one(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let count = app.event_count();
    let again = ats
        .post("/Applications", applying(&person, &job, "ga-1"))
        .await;
    assert_eq!(again.ok(200)["id"], application["id"]);
    let body = json!({"jobId": "REQ-10291", "title": "Harbor pilot"});
    assert_eq!(
        ats.post("/Requisitions", body).await.ok(200)["id"],
        job["id"]
    );
    let attempt = json!({
        "application": to(&application), "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest", "attemptId": "a-1",
        "result": "pass",
    });
    let first = ats.create("/Assessments", attempt.clone()).await;
    assert_eq!(
        ats.post("/Assessments", attempt.clone()).await.ok(200)["id"],
        first["id"]
    );
    let mut other = attempt.clone();
    other["result"] = json!("fail");
    let refused = ats.post("/Assessments", other).await;
    assert!(refused.refused(409, "").contains("'result'"));
    // The same attempt id of another vendor is another attempt.
    let mut other = attempt;
    other["vendor"] = json!("mathtest");
    ats.create("/Assessments", other).await;
    assert_eq!(hris.find("/Applications", "id pr").await.len(), 1);
    assert_eq!(app.event_count(), count + 2);
}

///
async fn an_accepted_offer_is_final(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let body = json!({"application": to(&application), "status": "draft", "terms": {"salary": 61000, "startDate": "2031-04-01"}});
    let offer = ats.create("/Offers", body).await;
    assert_eq!(offer["candidate"]["value"], person["id"]);
    let path = at("/Offers", &offer);
    ats.patch(&path, replace("status", json!("sent")))
        .await
        .ok(200);
    let known = ats.get(&path).await;
    assert!(known.ok(200)["sentAt"].is_string());
    assert_eq!(known.ok(200).get("acceptanceTimestamp"), None);
    ats.patch(&path, replace("status", json!("accepted")))
        .await
        .ok(200);
    assert!(ats.get(&path).await.ok(200)["acceptanceTimestamp"].is_string());
    let refused = ats.patch(&path, replace("status", json!("declined"))).await;
    assert!(refused.refused(409, "").contains("it is final"));
    // Nobody accepts for an application that has ended.
    let body = json!({"application": to(&application), "status": "sent"});
    let other = ats.create("/Offers", body).await;
    ats.patch(
        &at("/Applications", &application),
        replace("status", json!("rejected")),
    )
    .await
    .ok(200);
    let refused = ats
        .patch(&at("/Offers", &other), replace("status", json!("accepted")))
        .await;
    assert!(refused.refused(409, "").contains("rejected"));
}

/// B-005, B-031: nobody verifies twice while a tier is valid.
async fn a_tier_is_carried_over_to_the_next_application(app: &App) {
    let (ats, _) = set(app, "verificationValidDays: 30").await;
    let (_, person, application) = applied(&ats).await;
    let verification = ats
        .create("/Verifications", verified(&application, 2, "pass"))
        .await;
    assert_eq!(verification["validUntil"], "2031-03-22T09:00:00.000000Z");
    let path = at("/Applications", &application);
    assert_eq!(ats.get(&path).await.ok(200)["satisfiedVerificationTier"], 2);
    let body =
        json!({"jobId": "REQ-2", "title": "Lighthouse keeper", "requiredVerificationTier": 1});
    let job = ats.create("/Requisitions", body).await;
    let next = ats
        .create("/Applications", applying(&person, &job, "ga-9"))
        .await;
    assert_eq!(next["satisfiedVerificationTier"], 2);
    let (ats, _) = after(app, 40).await;
    let late = ats
        .create("/Applications", applying(&person, &job, "ga-10"))
        .await;
    assert_eq!(late.get("satisfiedVerificationTier"), None);
    // What counted says by itself that it does no longer: here, or in the sweep of each minute.
    let turn = || {
        let (service, now) = (
            app.service().clone(),
            muster::clock::Clock::now(&*app.clock),
        );
        let sweep = move || service.turn_applications(muster::id::TenantId(1), now);
        std::thread::spawn(sweep).join().unwrap().unwrap()
    };
    turn();
    assert_eq!(turn(), 0);
    let known = ats.get(&path).await;
    assert_eq!(known.ok(200).get("satisfiedVerificationTier"), None);
}

/// B-004, B-102.
async fn an_interview_before_the_verification_is_flagged(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let body = json!({"application": to(&application), "scheduledAt": "2031-02-19T10:00:00Z"});
    let interview = ats.create("/Interviews", body).await;
    assert_eq!(interview.get("beforeVerification"), None);
    let path = at("/Interviews", &interview);
    let begun = ats
        .patch(&path, replace("startedAt", json!("2031-02-19T10:00:00Z")))
        .await;
    assert_eq!(begun.ok(200)["beforeVerification"], true);
    let path = at("/Applications", &application);
    assert_eq!(
        ats.get(&path).await.ok(200)["interviewedBeforeVerified"],
        true
    );
    // Verified afterwards: that does not make it earlier.
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    assert_eq!(
        ats.get(&path).await.ok(200)["interviewedBeforeVerified"],
        true
    );
    let body = json!({"application": to(&application), "startedAt": "2031-02-25T10:00:00Z"});
    assert_eq!(
        ats.create("/Interviews", body).await["beforeVerification"],
        false
    );
}

/// B-004: the policy may refuse it.
async fn an_interview_before_the_verification_is_refused_where_the_policy_says_so(app: &App) {
    let (ats, _) = set(app, "interviewBeforeVerification: refuse").await;
    let (_, _, application) = applied(&ats).await;
    let body = json!({"application": to(&application), "startedAt": "2031-02-25T10:00:00Z"});
    let refused = ats.post("/Interviews", body.clone()).await;
    assert!(
        refused
            .refused(409, "")
            .contains("requires verification tier 2")
    );
    ats.create("/Verifications", verified(&application, 1, "pass"))
        .await;
    assert!(
        ats.post("/Interviews", body.clone())
            .await
            .refused(409, "")
            .contains("tier 1")
    );
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    ats.create("/Interviews", body).await;
}

/// B-018: exceptions go to a queue of humans, in time; a decision is a record of its own.
async fn a_manual_review_is_decided_by_a_human(app: &App) {
    let (ats, hris) = set(app, "").await;
    // The reviewer speaks for the HRIS, and verifications are for another to say.
    let row = "  - { domain: verification, master: ats, covers: [Verification], others: suggest }\n  - { domain: candidacy,";
    apply(
        app,
        &policy("").replacen("  - { domain: candidacy,", row, 1),
    );
    let (_, person, application) = applied(&ats).await;
    let asked = ats
        .create("/Verifications", verified(&application, 0, "manual_review"))
        .await;
    let open = hris
        .find(
            "/Reviews",
            "kind eq \"verification\" and status eq \"open\"",
        )
        .await;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (&open[0]["subject"]["value"], &open[0]["about"]["value"]),
        (&person["id"], &asked["id"])
    );
    assert!(open[0]["dueAt"].is_string());
    let path = at("/Applications", &application);
    assert_eq!(
        ats.get(&path)
            .await
            .ok(200)
            .get("satisfiedVerificationTier"),
        None
    );
    let decide = json!([
        {"op": "replace", "path": "status", "value": "approved"},
        {"op": "replace", "path": "reasonCode", "value": "document.seen"},
    ]);
    hris.patch(&at("/Reviews", &open[0]), decide).await.ok(200);
    let all = hris.find("/Verifications", "actorType eq \"human\"").await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        (&all[0]["decision"], &all[0]["appealOf"]["value"]),
        (&json!("pass"), &asked["id"])
    );
    assert_eq!(ats.get(&path).await.ok(200)["satisfiedVerificationTier"], 2);
}

/// B-044: the appeal of a failed verification.
async fn an_appeal_is_heard(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, _, application) = applied(&ats).await;
    let failed = ats
        .create("/Verifications", verified(&application, 0, "fail"))
        .await;
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("rejected")))
        .await
        .ok(200);
    let mut appeal = verified(&application, 2, "pass");
    appeal["appealOf"] = to(&failed);
    let heard = ats.create("/Verifications", appeal.clone()).await;
    assert_eq!(
        heard["appealOf"]["$ref"],
        format!("{}/Verifications/{}", app.scim(), id(&failed))
    );
    ats.patch(&path, replace("status", json!("verified")))
        .await
        .ok(200);
    // A pass that is appealed, and fails, counts no more.
    let mut back = verified(&application, 0, "fail");
    back["appealOf"] = to(&heard);
    ats.create("/Verifications", back).await;
    assert_eq!(
        ats.get(&path)
            .await
            .ok(200)
            .get("satisfiedVerificationTier"),
        None
    );
    let other = candidate(&ats, "tomas").await;
    let elsewhere = ats
        .create("/Applications", applying(&other, &job, "ga-7"))
        .await;
    appeal["application"] = to(&elsewhere);
    let refused = ats.post("/Verifications", appeal).await;
    assert!(refused.refused(409, "").contains("another application"));
}

async fn what_hangs_on_a_record_keeps_it(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let refused = ats.delete(&at("/Requisitions", &job)).await;
    assert!(refused.refused(409, "").contains(id(&application)));
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    ats.delete(&at("/Applications", &application))
        .await
        .refused(409, "");
    let next = ats
        .create("/Applications", applying(&person, &job, "ga-8"))
        .await;
    ats.delete(&at("/Applications", &next)).await.ok(204);
}

/// GDPR Art. 17: with a person goes all that is on record of its applications, and the log cannot be read.
async fn who_is_erased_leaves_no_application(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    ats.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let lost = json!({
        "application": {"value": "Ines@home.example"}, "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest",
        "attemptId": "a-secret", "result": "pass",
    });
    assert_eq!(ats.post("/Assessments", lost).await.status, 202);
    let offer = json!({"application": to(&application), "status": "draft", "terms": {"title": "Keeper of secrets"}});
    ats.create("/Offers", offer).await;
    hris.create(
        "/Employments",
        json!({"person": to(&person), "hireDate": "2031-04-01"}),
    )
    .await;
    // What a subject is given is what would go (GDPR Art. 15).
    let (exporter, of) = (app.service().clone(), id(&person).parse().unwrap());
    let exported = std::thread::spawn(move || exporter.export_person("default", of));
    let exported = exported.join().unwrap().unwrap();
    let hiring = exported["hiring"].as_array().unwrap();
    let kinds: Vec<&Value> = hiring.iter().map(|one| &one["resourceType"]).collect();
    assert_eq!(
        kinds,
        ["Employment", "Verification", "Offer", "Application"],
        "{hiring:?}"
    );
    assert_eq!(hiring[2]["terms"]["title"], "Keeper of secrets");
    let told = exported["log"].as_array().unwrap().iter();
    let told: Vec<&Value> = told.map(|event| &event["type"]).collect();
    for kind in ["employment.created", "offer.created", "application.created"] {
        assert!(told.iter().any(|told| *told == kind), "{kind}: {told:?}");
    }
    let erasure = muster::service::Erasure {
        tenant: muster::id::TenantId(1),
        person: id(&person).parse().unwrap(),
        actor: "operator".into(),
        at: muster::clock::Clock::now(&*app.clock),
        reason: None,
    };
    let service = app.service().clone();
    std::thread::spawn(move || service.erase(erasure))
        .join()
        .unwrap()
        .unwrap();
    for endpoint in [
        "/Persons",
        "/Applications",
        "/Verifications",
        "/Offers",
        "/Employments",
        "/Reviews",
    ] {
        assert_eq!(hris.find(endpoint, "id pr").await.len(), 0, "{endpoint}");
    }
    let log = format!("{:?}", app.service().events(0, 1000).unwrap());
    assert!(
        !log.contains("Keeper of secrets")
            && !log.contains("a-secret")
            && !log.to_lowercase().contains("ines@home.example"),
        "{log}"
    );
}
