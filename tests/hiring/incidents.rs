//! The incidents that must not happen again, each by the number of its requirement.

use muster::service::policy::Applied;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::{apply, try_apply};
use crate::support::{App, on_both};

on_both!(
    b_001_an_old_id_still_resolves_after_the_ats_is_swapped,
    b_002_an_assessment_that_names_an_address_alone_is_queued,
    b_003_a_verification_stays_on_its_application_through_a_merge,
    b_014_two_tools_give_one_answer,
    b_001_applications_go_on_under_the_next_ats
);

/// B-001, B-105, B-100, B-009, B-090, B-092: the new tool takes over, and every old name still leads to the record, whose attribution, history and
/// dates are what they were.
async fn b_001_an_old_id_still_resolves_after_the_ats_is_swapped(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("interviewing")))
        .await
        .ok(200);
    let before = ats.get(&path).await.ok(200).clone();
    let person_before = ats.get(&at("/Persons", &person)).await.ok(200).clone();
    // The new tool knows them by names of its own, and sends the old ones along.
    let both = |old: (&str, &str), new: (&str, &str)| json!([{"system": "greenhouse", "field": old.0, "value": old.1}, {"system": "lever", "field": new.0, "value": new.1}]);
    let moved = hris
        .post("/Requisitions", json!({"jobId": "REQ-10291", "title": "Harbor pilot", "externalIdentifiers": both(("job_id", "j-1"), ("posting_id", "p-1"))}))
        .await;
    assert_eq!(moved.ok(200)["id"], job["id"]);
    let body = json!({
        "candidate": {"value": "greenhouse:candidate_id:gc-ines"}, "requisition": {"value": "lever:posting_id:p-1"}, "status": "interviewing",
        "externalIdentifiers": both(("application_id", "ga-1"), ("opportunity_id", "o-1")),
    });
    let moved = hris.post("/Applications", body).await;
    assert_eq!(moved.ok(200)["id"], application["id"]);
    // A scheduling tool that was never told.
    for name in ["greenhouse:application_id:ga-1", "lever:opportunity_id:o-1"] {
        let body = json!({"application": {"value": name}, "scheduledAt": "2031-03-05T10:00:00Z"});
        assert_eq!(
            ats.create("/Interviews", body).await["application"]["value"],
            application["id"]
        );
    }
    let filter = "externalIdentifiers[system eq \"greenhouse\" and field eq \"candidate_id\" and value eq \"gc-ines\"]";
    assert_eq!(ats.find("/Persons", filter).await[0]["id"], person["id"]);
    let after = ats.get(&path).await.ok(200).clone();
    for name in [
        "status",
        "statusHistory",
        "source",
        "appliedAt",
        "jobId",
        "candidate",
    ] {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
    let person_after = ats.get(&at("/Persons", &person)).await.ok(200).clone();
    assert_eq!(person_after, person_before);
}

/// B-002, B-101, B-081: to the right application, or to a human; and the candidate is not kept waiting.
async fn b_002_an_assessment_that_names_an_address_alone_is_queued(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let body = json!({
        "application": {"value": "ines@home.example"}, "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest", "attemptId": "a-7",
        "result": "pass", "score": 91,
    });
    for _ in 0..2 {
        let queued = ats.post("/Assessments", body.clone()).await;
        assert_eq!(queued.status, 202, "{}", queued.body);
        assert!(queued.header("location").unwrap().contains("/Reviews/"));
    }
    // Though only one person has that address, and only one application.
    assert_eq!(hris.find("/Assessments", "id pr").await.len(), 0);
    let open = hris
        .find("/Reviews", "kind eq \"quarantine\" and status eq \"open\"")
        .await;
    assert_eq!(open.len(), 1, "{open:?}");
    let path = at("/Reviews", &open[0]);
    let refused = hris
        .patch(&path, replace("status", json!("approved")))
        .await;
    assert!(refused.refused(400, "invalidValue").contains("resolvedTo"));
    let decide = json!([
        {"op": "replace", "path": "status", "value": "approved"},
        {"op": "replace", "path": "resolvedTo.value", "value": application["id"]},
    ]);
    hris.patch(&path, decide).await.ok(200);
    let known = hris.find("/Assessments", "attemptId eq \"a-7\"").await;
    assert_eq!(known.len(), 1);
    assert_eq!(
        (&known[0]["application"]["value"], &known[0]["score"]),
        (&application["id"], &json!(91))
    );
}

/// B-003, B-026: what hangs on an application stays there whoever the person turns out to be.
async fn b_003_a_verification_stays_on_its_application_through_a_merge(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let twin = candidate(&hris, "inez").await;
    let other = ats
        .create("/Applications", applying(&twin, &job, "ga-2"))
        .await;
    let pass = ats
        .create("/Verifications", verified(&other, 2, "pass"))
        .await;
    let order = json!({"with": person["id"], "reason": "the same human"});
    let path = format!("{}/merge", at("/Persons", &twin));
    hris.order(&path, order).await.ok(200);
    let kept = ats.get(&at("/Verifications", &pass)).await;
    assert_eq!(kept.ok(200)["application"]["value"], other["id"]);
    for (one, of) in [(&application, &person), (&other, &twin)] {
        assert_eq!(
            ats.get(&at("/Applications", one)).await.ok(200)["candidate"]["value"],
            of["id"]
        );
    }
    // Now that they are one, the tier counts for both applications, and for the next one; the split takes it back.
    let tier = async |application: &Value| {
        let known = ats.get(&at("/Applications", application)).await;
        known.ok(200).get("satisfiedVerificationTier").cloned()
    };
    assert_eq!(
        [tier(&application).await, tier(&other).await],
        [Some(json!(2)), Some(json!(2))]
    );
    let later = ats
        .create("/Applications", applying(&person, &job, "ga-3"))
        .await;
    assert_eq!(later["satisfiedVerificationTier"], 2);
    let path = format!("{}/split", at("/Persons", &twin));
    let order = json!({"id": person["id"], "reason": "two after all"});
    hris.order(&path, order).await.ok(200);
    assert_eq!(
        [tier(&application).await, tier(&other).await],
        [None, Some(json!(2))]
    );
}

/// B-014: the second tool's word is a suggestion, and no tool sees another answer.
async fn b_014_two_tools_give_one_answer(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("offered")))
        .await
        .ok(200);
    let crm = app.client("crm").await;
    let said = crm.patch(&path, replace("status", json!("rejected"))).await;
    assert_eq!(said.ok(200)["status"], "offered");
    assert_eq!(said.header("muster-suggested"), Some("status"));
    for reader in [&ats, &hris, &crm] {
        assert_eq!(reader.get(&path).await.ok(200)["status"], "offered");
    }
    let open = hris.find("/Reviews", "kind eq \"conflict\"").await;
    assert_eq!((open.len(), &open[0]["path"]), (1, &json!("status")));
    // What a human decides is what all of them are told.
    hris.patch(
        &at("/Reviews", &open[0]),
        replace("status", json!("approved")),
    )
    .await
    .ok(200);
    for reader in [&ats, &hris, &crm] {
        let known = reader.get(&path).await.ok(200).clone();
        assert_eq!(known["status"], "rejected");
        assert_eq!(known["statusHistory"][2]["status"], "rejected", "{known}");
    }
}

/// B-001, B-105: the ATS itself is another from one day to the next. What the old one said stands until the new one says otherwise,
/// and what is under way goes on.
async fn b_001_applications_go_on_under_the_next_ats(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("verified")))
        .await
        .ok(200);
    let before = ats.get(&path).await.ok(200).clone();
    let next = policy("").replacen(
        "domain: candidacy, master: ats",
        "domain: candidacy, master: crm",
        1,
    );
    let Applied::Wrong(findings) = try_apply(app, &next) else {
        panic!("what the old one said is dropped without a word");
    };
    assert!(
        findings[0].reason.contains("formerly: [ats]"),
        "{findings:?}"
    );
    let next = next.replacen("master: crm,", "master: crm, formerly: [ats],", 1);
    apply(app, &next);
    let crm = app.client("crm").await;
    let moved = crm
        .patch(&path, replace("status", json!("interviewing")))
        .await;
    assert_eq!(moved.ok(200)["status"], "interviewing");
    hris.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let after = crm.get(&path).await.ok(200).clone();
    for name in ["source", "appliedAt", "jobId", "candidate", "requisition"] {
        assert_eq!(after.get(name), before.get(name), "{name}");
    }
    let chapters = |told: &Value| told["statusHistory"].as_array().unwrap().clone();
    assert_eq!(chapters(&after)[..2], chapters(&before)[..]);
    // The old one has no word any more.
    let late = ats.patch(&path, replace("status", json!("rejected"))).await;
    assert_eq!(late.ok(200)["status"], "interviewing");
}
