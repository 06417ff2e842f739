//! Each tool keeps its own part of one record, and all of it is found by one id.

use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, Client, EMPLOYEE, PROVENANCE, body, on_both};

on_both!(
    a_111_a_candidate_is_one_person_whom_sourcers_enrich,
    a_036_one_requisition_is_a_role_a_job_and_a_position,
    a_114_the_hr_system_gives_back_its_own_id,
    b_022_attempts_are_the_assessment_platforms_to_say,
    b_042_one_correlation_id_tells_the_whole_way,
    b_056_identifiers_off_the_list_are_refused_however_they_come,
);

/// the ATS's candidate gets an id of our own; what the CRM adds is tagged with the CRM.
async fn a_111_a_candidate_is_one_person_whom_sourcers_enrich(app: &App) {
    let (ats, _) = set(app, "").await;
    let person = candidate(&ats, "ines").await;
    assert_ne!(person["id"], person["externalId"]);
    assert!(
        uuid::Uuid::parse_str(id(&person)).is_ok(),
        "{}",
        id(&person)
    );
    let by_theirs = "externalIdentifiers.value eq \"gc-ines\"";
    assert_eq!(ats.find("/Persons", by_theirs).await[0]["id"], person["id"]);
    let crm = app.client("crm").await;
    let path = at("/Persons", &person);
    let enriched = json!([
        {"op": "add", "path": "preferredName", "value": "Nes"},
        {"op": "add", "path": "phoneNumbers", "value": [{"value": "+44 20 7946 0123", "type": "mobile"}]},
    ]);
    crm.patch(&path, enriched).await.ok(200);
    let asked = format!("{path}?attributes=preferredName,displayName,{PROVENANCE}:attributes");
    let told = ats.get(&asked).await.ok(200).clone();
    assert_eq!(told["preferredName"], "Nes");
    let rows = told[PROVENANCE]["attributes"].as_array().unwrap();
    let of = |path: &str| rows.iter().find(|row| row["path"] == path).unwrap()["system"].clone();
    assert_eq!(
        (of("preferredName"), of("displayName")),
        (json!("crm"), json!("ats"))
    );
}

/// what sourcers, the ATS and the HR system each mean is the same resource.
async fn a_036_one_requisition_is_a_role_a_job_and_a_position(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let crm = app.client("crm").await;
    for reader in [&ats, &hris, &crm] {
        let found = reader.find("/Requisitions", "jobId eq \"REQ-10291\"").await;
        assert_eq!((found.len(), &found[0]["id"]), (1, &job["id"]));
    }
    assert_eq!(application["jobId"], "REQ-10291");
    let employment = json!({"person": to(&person), "requisition": to(&job), "positionId": "P-7", "hireDate": "2030-01-07"});
    let employment = hris.create("/Employments", employment).await;
    assert_eq!(employment["requisition"]["value"], job["id"]);
    let of_it = format!("requisition.value eq \"{}\"", id(&job));
    for endpoint in ["/Applications", "/Employments"] {
        assert_eq!(hris.find(endpoint, &of_it).await.len(), 1, "{endpoint}");
    }
    let known = hris.get(&at("/Persons", &person)).await;
    assert_eq!(known.ok(200)[EMPLOYEE]["positionId"], "P-7");
}

/// and is found by it from then on.
async fn a_114_the_hr_system_gives_back_its_own_id(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let offer = json!({"application": to(&application), "status": "accepted", "terms": {"startDate": "2031-04-01"}});
    let offer = ats.create("/Offers", offer).await;
    let employment = json!({
        "externalId": "W-4711", "person": to(&person), "offer": to(&offer), "status": "Pending", "hireDate": "2031-04-01",
        "employeeNumber": "4711", "externalIdentifiers": called("workday", "worker_id", "W-4711"),
    });
    let employment = hris.create("/Employments", employment).await;
    let add = json!([{"op": "add", "path": "externalIdentifiers", "value": called("workday", "worker_id", "W-4711")}]);
    hris.patch(&at("/Persons", &person), add).await.ok(200);
    let by_it = "externalIdentifiers[system eq \"workday\" and field eq \"worker_id\" and value eq \"W-4711\"]";
    for (endpoint, wanted) in [("/Persons", &person), ("/Employments", &employment)] {
        let found = ats.find(endpoint, by_it).await;
        assert_eq!(
            (found.len(), &found[0]["id"]),
            (1, &wanted["id"]),
            "{endpoint}"
        );
    }
    // What was said of the candidate before is the same person's.
    let known = ats
        .find("/Persons", "externalIdentifiers.value eq \"gc-ines\"")
        .await;
    assert_eq!(known[0][EMPLOYEE]["employeeNumber"], "4711");
    let sent_again = json!({"externalId": "W-4711", "person": to(&person), "offer": to(&offer), "status": "Pending", "hireDate": "2031-04-01"});
    let again = hris.post("/Employments", sent_again).await;
    assert_eq!(again.ok(200)["id"], employment["id"]);
}

/// B-022: and each names the application that it is of.
async fn b_022_attempts_are_the_assessment_platforms_to_say(app: &App) {
    let platform = policy("").replace(
        "  - { domain: candidacy,",
        "  - { domain: assessment, master: idp, covers: [Assessment], others: suggest }\n  - { domain: candidacy,",
    );
    apply(app, &platform);
    let (ats, idp) = (app.client("ats").await, app.client("idp").await);
    let (_, _, application) = applied(&ats).await;
    let attempt = json!({
        "application": to(&application), "occurredAt": "2031-02-21T09:00:00Z", "vendor": "codetest", "attemptId": "a-1",
        "result": "pass",
    });
    let refused = ats.post("/Assessments", attempt.clone()).await;
    assert!(
        refused.refused(403, "").contains("'idp'"),
        "{}",
        refused.body
    );
    let made = idp.create("/Assessments", attempt.clone()).await;
    assert_eq!(made["application"]["value"], application["id"]);
    let mut nowhere = attempt;
    nowhere.as_object_mut().unwrap().remove("application");
    let refused = idp.post("/Assessments", nowhere).await;
    assert!(refused.refused(400, "invalidValue").contains("application"));
    for reader in [&ats, &idp] {
        assert_eq!(
            reader
                .find("/Assessments", "result eq \"pass\"")
                .await
                .len(),
            1
        );
    }
}

/// B-042: the person's id, which every tool sends along.
async fn b_042_one_correlation_id_tells_the_whole_way(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person) = (requisition(&ats, 2).await, candidate(&ats, "ines").await);
    let correlation = id(&person).to_owned();
    let send = async |client: &Client, method: Method, path: &str, content: Value| {
        let content = if method == Method::POST {
            body(path, content)
        } else {
            content
        };
        let header = [("X-Correlation-Id", correlation.as_str())];
        let answer = client
            .send(
                method,
                path,
                &header,
                Some(content.to_string().into_bytes()),
            )
            .await;
        assert!(answer.status < 300, "{}", answer.body);
        assert_eq!(
            answer.header("x-correlation-id"),
            Some(correlation.as_str())
        );
        answer.body
    };
    let application = send(
        &ats,
        Method::POST,
        "/Applications",
        applying(&person, &job, "ga-1"),
    )
    .await;
    send(
        &ats,
        Method::POST,
        "/Verifications",
        verified(&application, 2, "pass"),
    )
    .await;
    let interview = json!({"application": to(&application), "status": "completed", "scheduledAt": "2031-02-27T10:00:00Z"});
    send(&ats, Method::POST, "/Interviews", interview).await;
    let attempt = json!({"application": to(&application), "occurredAt": "2031-02-28T09:00:00Z", "vendor": "codetest", "attemptId": "a-1", "result": "pass"});
    send(&ats, Method::POST, "/Assessments", attempt).await;
    let offer = json!({"application": to(&application), "status": "accepted", "terms": {"startDate": "2031-04-01"}});
    let offer = send(&ats, Method::POST, "/Offers", offer).await;
    let employment = json!({"person": to(&person), "offer": to(&offer), "status": "Pending", "hireDate": "2031-04-01"});
    send(&hris, Method::POST, "/Employments", employment).await;
    let filter = format!("correlationId eq \"{correlation}\"");
    let told = hris.find("/AuditEvents", &filter).await;
    let kinds: Vec<&str> = told
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    let way = [
        "application.created",
        "verification.created",
        "interview.created",
        "assessment.created",
        "offer.created",
        "CandidateToEmployee",
        "employment.created",
        "onboarding.it.requested",
    ];
    let places: Vec<usize> = way
        .iter()
        .map(|wanted| {
            kinds
                .iter()
                .position(|kind| kind == wanted)
                .unwrap_or_else(|| panic!("{wanted}: {kinds:?}"))
        })
        .collect();
    assert!(places.is_sorted(), "{kinds:?}");
}

/// B-056: by PATCH, on a person, and in a bulk request.
async fn b_056_identifiers_off_the_list_are_refused_however_they_come(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let secret = called("greenhouse", "secret_id", "1");
    let add = json!([{"op": "add", "path": "externalIdentifiers", "value": secret}]);
    let targets = [at("/Applications", &application), at("/Persons", &person)];
    for path in &targets {
        let before = ats.get(path).await.ok(200).clone();
        let why = ats.patch(path, add.clone()).await;
        assert!(
            why.refused(400, "invalidValue")
                .contains("greenhouse.secret_id"),
            "{path}"
        );
        let mut whole = before.clone();
        whole["externalIdentifiers"] = secret.clone();
        ats.put(path, whole).await.refused(400, "invalidValue");
        assert_eq!(ats.get(path).await.ok(200), &before);
    }
    let newcomer = json!({"displayName": "Olu", "externalIdentifiers": secret});
    ats.post("/Persons", newcomer.clone())
        .await
        .refused(400, "invalidValue");
    let operations = json!([{"method": "POST", "path": "/Persons", "bulkId": "p", "data": body("/Persons", newcomer)}]);
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let done = ats.order("/Bulk", bulk).await;
    let one = &done.ok(200)["Operations"][0];
    assert_eq!(one["status"], "400");
    assert!(
        one["response"]["detail"]
            .as_str()
            .unwrap()
            .contains("greenhouse.secret_id"),
        "{one}"
    );
}
