//! Somebody applies again, and a tool says again what it said: nobody verifies twice, and nothing is there twice.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::{App, on_both};

on_both!(
    b_005_nobody_verifies_twice_even_where_interviews_wait_for_it,
    b_046_whatever_is_sent_again_under_its_own_id_is_one,
);

/// B-005, B-031, B-004: what is valid counts on the next application, where the policy refuses an interview without; what has
/// run out does not.
async fn b_005_nobody_verifies_twice_even_where_interviews_wait_for_it(app: &App) {
    let terms = "interviewBeforeVerification: refuse, verificationValidDays: 30";
    let (ats, _) = set(app, terms).await;
    let (job, person, application) = applied(&ats).await;
    let interview = |application: &Value| json!({"application": to(application), "startedAt": "2031-02-25T10:00:00Z"});
    ats.post("/Interviews", interview(&application))
        .await
        .refused(409, "");
    let first = ats
        .create("/Verifications", verified(&application, 2, "pass"))
        .await;
    ats.create("/Interviews", interview(&application)).await;
    let next = ats
        .create("/Applications", applying(&person, &job, "ga-2"))
        .await;
    assert_eq!(next["satisfiedVerificationTier"], 2);
    let held = ats.create("/Interviews", interview(&next)).await;
    assert_eq!(held["beforeVerification"], false);
    let pack = ats
        .get(&format!("{}/evidence-pack", at("/Applications", &next)))
        .await;
    let pack = pack.ok(200);
    assert_eq!(pack["verifications"], json!([]));
    assert_eq!(pack["carriedOver"][0]["id"], first["id"]);
    assert_eq!(ats.find("/Verifications", "id pr").await.len(), 1);
    let (ats, _) = after(app, 40).await;
    let late = ats
        .create("/Applications", applying(&person, &job, "ga-3"))
        .await;
    assert_eq!(late.get("satisfiedVerificationTier"), None);
    let mut later = interview(&late);
    later["startedAt"] = "2031-04-05T10:00:00Z".into();
    let refused = ats.post("/Interviews", later).await;
    assert!(
        refused
            .refused(409, "")
            .contains("requires verification tier 2")
    );
}

/// B-046: by the id that its own system gives it, of every type of the hiring record.
async fn b_046_whatever_is_sent_again_under_its_own_id_is_one(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let offer = json!({"externalId": "o-1", "application": to(&application), "status": "sent"});
    let interview = json!({"externalId": "i-1", "application": to(&application), "scheduledAt": "2031-02-27T10:00:00Z"});
    let mut verification = verified(&application, 2, "pass");
    verification["externalId"] = "v-1".into();
    let attempt = json!({"externalId": "s-1", "attemptId": "a-1", "vendor": "codetest", "application": to(&application), "occurredAt": "2031-02-21T09:00:00Z", "result": "pass"});
    let opportunity =
        json!({"externalId": "d-1", "name": "Harbor", "owner": to(&person), "stage": "open"});
    let employment = json!({"externalId": "e-1", "person": to(&person), "requisition": to(&job), "hireDate": "2030-01-07"});
    for (client, endpoint, content) in [
        (&ats, "/Offers", offer),
        (&ats, "/Interviews", interview),
        (&ats, "/Verifications", verification),
        (&ats, "/Assessments", attempt),
        (&ats, "/Opportunities", opportunity),
        (&hris, "/Employments", employment),
    ] {
        let made = client.create(endpoint, content.clone()).await;
        let count = app.event_count();
        let again = client.post(endpoint, content).await;
        assert_eq!(again.ok(200)["id"], made["id"], "{endpoint}");
        assert_eq!(client.find(endpoint, "id pr").await.len(), 1, "{endpoint}");
        assert_eq!(
            app.event_count(),
            count,
            "{endpoint}: said again, nothing has happened"
        );
    }
}
