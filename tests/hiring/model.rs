//! What the types hold, and who is master of them.

use serde_json::json;

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, CUSTOMER, on_both};

on_both!(
    a_requisition_and_an_opportunity_tie_people_and_organizations_together,
    each_tool_is_master_of_its_own,
    whoever_interviews_says_nothing_of_identity,
    what_a_role_does_not_reach_it_cannot_refer_to,
    b_086_what_a_vendor_claims_of_speed_machines_and_languages_is_on_record
);

/// one requisition and one organization for CRM, ATS and HRIS, found by what they hold.
async fn a_requisition_and_an_opportunity_tie_people_and_organizations_together(app: &App) {
    let (ats, hris) = set(app, "").await;
    let crm = app.client("crm").await;
    let company = crm
        .create(
            "/Organizations",
            json!({"name": "North Harbors", "type": "employer"}),
        )
        .await;
    let owner = candidate(&ats, "olga").await;
    let body = json!({
        "jobId": "REQ-7", "title": "Keeper", "status": "Active", "owner": to(&owner), "organization": to(&company),
        "departmentId": "D-4", "location": "Quay 7", "compensationMin": 50000, "compensationMax": 70000,
        "compensationCurrency": "EUR", "compensationInterval": "year", "requiredSkills": ["knots", "lamps"], "openings": 2,
    });
    let job = ats.create("/Requisitions", body.clone()).await;
    for (name, value) in body
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, value)| !value.is_object())
    {
        assert_eq!(&job[name], value, "{name}");
    }
    let filter = format!(
        "requiredSkills eq \"knots\" and compensationMax gt 60000 and organization.value eq \"{}\"",
        id(&company)
    );
    assert_eq!(hris.find("/Requisitions", &filter).await.len(), 1);
    let deal = json!({"name": "New quay", "organization": to(&company), "contacts": [to(&owner)], "stage": "proposal", "amount": 120_000});
    crm.create("/Opportunities", deal).await;
    let filter = format!("contacts[value eq \"{}\"] and amount ge 100000", id(&owner));
    assert_eq!(crm.find("/Opportunities", &filter).await.len(), 1);
    // the same organization behind a customer's account and an employment.
    let path = at("/Persons", &owner);
    crm.patch(
        &path,
        replace(&format!("{CUSTOMER}:account.value"), company["id"].clone()),
    )
    .await
    .ok(200);
    let body =
        json!({"person": to(&owner), "organization": to(&company), "hireDate": "2030-01-01"});
    let employment = hris.create("/Employments", body).await;
    let known = crm.get(&path).await.ok(200).clone();
    assert_eq!(
        known[CUSTOMER]["account"]["value"],
        employment["organization"]["value"]
    );
}

/// B-020 to B-022, B-024: the ATS of applications, the verification service of verifications, the vendor of assessments; and each
/// result names its application.
async fn each_tool_is_master_of_its_own(app: &App) {
    let (ats, hris) = set(app, "").await;
    let crm = app.client("crm").await;
    let (job, person, application) = applied(&ats).await;
    let refused = crm
        .post("/Applications", applying(&person, &job, "x-1"))
        .await;
    assert_eq!(
        refused.refused(403, ""),
        "'candidate' is for 'ats' to say, so it alone makes Application resources"
    );
    let services = policy("").replace(
        "  - { domain: candidacy,",
        "  - { domain: verification, master: idp, covers: [Verification], others: suggest }\n  - { domain: candidacy,",
    );
    apply(app, &services);
    let idp = app.client("idp").await;
    let refused = hris
        .post("/Verifications", verified(&application, 2, "pass"))
        .await;
    assert!(refused.refused(403, "").contains("'idp'"));
    idp.create("/Verifications", verified(&application, 2, "pass"))
        .await;
    let mut nowhere = verified(&application, 2, "pass");
    nowhere.as_object_mut().unwrap().remove("application");
    idp.post("/Verifications", nowhere)
        .await
        .refused(400, "invalidValue");
}

/// B-015 to B-017: hiring managers own what they say of the interview, and no decision on identity.
async fn whoever_interviews_says_nothing_of_identity(app: &App) {
    let managers = policy("")
        .replace(
            "  steward:",
            "  manager: [{ types: [Interview], attributes: [Interview.feedback], rights: [read, search, write] }, { types: [Interview, Application, Verification], rights: [read, search] }]\n  steward:",
        )
        .replace("system: crm, roles: [all]", "system: crm, roles: [manager]");
    apply(app, &managers);
    let (ats, crm) = (app.client("ats").await, app.client("crm").await);
    let (_, person, application) = applied(&ats).await;
    let body = json!({"application": to(&application), "scheduledAt": "2031-03-02T10:00:00Z", "interviewers": [to(&person)]});
    let interview = ats.create("/Interviews", body).await;
    let path = at("/Interviews", &interview);
    let feedback = json!([{"interviewer": id(&person), "rating": 4, "recommendation": "yes", "comments": "Steady hands."}]);
    let said = crm.patch(&path, replace("feedback", feedback)).await;
    assert_eq!(said.ok(200)["feedback"][0]["rating"], 4);
    crm.patch(&path, replace("status", json!("completed")))
        .await
        .refused(403, "");
    crm.post("/Verifications", verified(&application, 2, "pass"))
        .await
        .refused(403, "");
    crm.patch(
        &at("/Applications", &application),
        replace("status", json!("rejected")),
    )
    .await
    .refused(403, "");
}

/// Design §6: a bound holds on every channel, on references and names too.
async fn what_a_role_does_not_reach_it_cannot_refer_to(app: &App) {
    let bounded = policy("")
        .replace(
            "  steward:",
            "  fair: [{ types: [Interview], rights: [read, write] }, { types: [Application], rights: [read, write], where: 'source eq \"fair\"' }]\n  steward:",
        )
        .replace("system: crm, roles: [all]", "system: crm, roles: [fair]")
        .replace("covers: [Application, Requisition, Offer]", "covers: [Requisition, Offer]");
    apply(app, &bounded);
    let (ats, crm) = (app.client("ats").await, app.client("crm").await);
    let (job, person, application) = applied(&ats).await;
    let mut other = applying(&person, &job, "ga-2");
    other["source"] = json!("fair");
    let fair = ats.create("/Applications", other).await;
    let interview = |value: &str| json!({"application": {"value": value}, "status": "scheduled"});
    for hidden in [id(&application), "greenhouse:application_id:ga-1"] {
        let refused = crm.post("/Interviews", interview(hidden)).await;
        let nobody = "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d";
        let of_nobody = if hidden.contains(':') {
            "greenhouse:application_id:none"
        } else {
            nobody
        };
        let as_nobody = crm.post("/Interviews", interview(of_nobody)).await;
        let why = refused.refused(400, "invalidValue");
        let same = as_nobody.refused(400, "invalidValue");
        assert_eq!(why.replace(hidden, "X"), same.replace(of_nobody, "X"));
    }
    for known in [id(&fair), "greenhouse:application_id:ga-2"] {
        crm.create("/Interviews", interview(known)).await;
    }
    // A name that is another's, of whom it does not reach, is answered as a name that is nobody's.
    let mut told = Vec::new();
    for guess in ["ga-1", "ga-9"] {
        let mut body = applying(&person, &job, guess);
        body["source"] = json!("fair");
        let made = crm.create("/Applications", body).await;
        assert_ne!(made["id"], application["id"]);
        let made = made["externalIdentifiers"].to_string();
        told.push(made.replace(guess, "X"));
    }
    assert_eq!(told[0], told[1]);
}

/// B-086, B-102: how long a verification took, whether a machine held the interview and which, and the languages of a test: what a
/// vendor promises can be asked of the record.
async fn b_086_what_a_vendor_claims_of_speed_machines_and_languages_is_on_record(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let mut body = verified(&application, 2, "pass");
    body["startedAt"] = "2031-02-20T08:59:00Z".into();
    body["endedAt"] = "2031-02-20T08:58:00Z".into();
    let refused = ats.post("/Verifications", body.clone()).await;
    let why = refused.refused(409, "");
    assert!(why.contains("'endedAt' is before 'startedAt'"), "{why}");
    body["startedAt"] = "2031-02-20T08:57:20Z".into();
    body["endedAt"] = "2031-02-20T08:59:50Z".into();
    let made = ats.create("/Verifications", body).await;
    assert_eq!(
        (&made["startedAt"], &made["endedAt"]),
        (
            &json!("2031-02-20T08:57:20Z"),
            &json!("2031-02-20T08:59:50Z")
        )
    );
    let interview = json!({
        "application": to(&application), "startedAt": "2031-02-21T03:00:00Z", "endedAt": "2031-02-21T03:30:00Z", "status": "completed",
        "interviewerType": "ai", "interviewerTool": "integrity-interviewer",
    });
    ats.create("/Interviews", interview.clone()).await;
    let mut wrong = interview;
    wrong["interviewerType"] = "robot".into();
    let refused = ats.post("/Interviews", wrong).await;
    let why = refused.refused(400, "invalidValue");
    assert!(why.contains("human") && why.contains("ai"), "{why}");
    let assessment = json!({
        "application": to(&application), "occurredAt": "2031-02-22T09:00:00Z", "vendor": "codetest", "attemptId": "a-1",
        "result": "pass", "languages": ["en", "pt-BR"],
    });
    ats.create("/Assessments", assessment).await;
    for (endpoint, filter) in [
        ("/Verifications", "endedAt lt \"2031-02-20T09:00:00Z\""),
        ("/Interviews", "interviewerType eq \"ai\""),
        ("/Assessments", "languages eq \"pt-br\""),
    ] {
        assert_eq!(ats.find(endpoint, filter).await.len(), 1, "{filter}");
    }
    let pack = format!("{}/evidence-pack", at("/Applications", &application));
    let pack = ats.get(&pack).await.ok(200).clone();
    assert_eq!(pack["verifications"][0]["endedAt"], "2031-02-20T08:59:50Z");
    assert_eq!(
        pack["interviews"][0]["interviewerTool"],
        "integrity-interviewer"
    );
    assert_eq!(pack["assessments"][0]["languages"], json!(["en", "pt-BR"]));
}
