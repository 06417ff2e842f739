//! An accepted offer is what was agreed on: there is one of each application, and it stays on record; and a timeline is whole
//! however much else has happened to the person.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::{App, Client, PATCH_OP, on_both};

on_both!(
    a_041_an_accepted_offer_stays_on_record,
    a_041_an_application_has_one_accepted_offer,
    b_043_a_timeline_is_whole_however_much_else_has_happened,
    b_014_a_conflict_is_in_the_timeline_of_its_application,
);

async fn offered(ats: &Client, application: &Value, status: &str) -> Value {
    let body = json!({"application": to(application), "status": status, "terms": {"startDate": "2031-04-01"}});
    ats.create("/Offers", body).await
}

async fn a_041_an_accepted_offer_stays_on_record(app: &App) {
    let (ats, _) = set(app, "").await;
    let (_, _, application) = applied(&ats).await;
    let draft = offered(&ats, &application, "draft").await;
    let accepted = offered(&ats, &application, "accepted").await;
    let refused = ats.delete(&at("/Offers", &accepted)).await;
    assert!(
        refused.refused(409, "").contains("accepted"),
        "{}",
        refused.body
    );
    ats.get(&at("/Offers", &accepted)).await.ok(200);
    assert_eq!(ats.delete(&at("/Offers", &draft)).await.status, 204);
    // Nor does it go with what it hangs on.
    ats.delete(&at("/Applications", &application))
        .await
        .refused(409, "");
}

async fn a_041_an_application_has_one_accepted_offer(app: &App) {
    let (ats, _) = set(app, "").await;
    let (job, _, application) = applied(&ats).await;
    let offers = [
        offered(&ats, &application, "sent").await,
        offered(&ats, &application, "sent").await,
    ];
    let accept = |offer: &Value| {
        let (ats, path) = (ats.clone(), at("/Offers", offer));
        async move { ats.patch(&path, replace("status", json!("accepted"))).await }
    };
    // Whoever comes second is told, even at the same moment.
    let first = actix_web::rt::spawn(accept(&offers[0]));
    let other = accept(&offers[1]).await;
    let one = first.await.unwrap();
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.body, other.body);
    let refused = if one.status == 409 { &one } else { &other };
    assert!(refused.refused(409, "").contains("an application has one"));
    let body = json!({"application": to(&application), "status": "accepted"});
    ats.post("/Offers", body).await.refused(409, "");
    let stands = ats.find("/Offers", "status eq \"accepted\"").await;
    assert_eq!(stands.len(), 1);
    // Said again it stays as it is, and another application has its own.
    let again = replace("status", json!("accepted"));
    ats.patch(&at("/Offers", &stands[0]), again).await.ok(200);
    let person = candidate(&ats, "olu").await;
    let next = ats
        .create("/Applications", applying(&person, &job, "ga-2"))
        .await;
    offered(&ats, &next, "accepted").await;
}

async fn b_043_a_timeline_is_whole_however_much_else_has_happened(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    for round in 0..3 {
        let operations: Vec<Value> = (0..700)
            .map(|n| {
                let name = format!("Ines {round}.{n}");
                json!({"method": "PATCH", "path": at("/Persons", &person), "data": {"schemas": [PATCH_OP], "Operations": replace("displayName", json!(name))}})
            })
            .collect();
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let done = ats.order("/Bulk", body).await;
        let told = done.ok(200)["Operations"].as_array().unwrap().clone();
        assert!(told.iter().all(|one| one["status"] == "200"), "{}", told[0]);
    }
    let offer = offered(&ats, &application, "accepted").await;
    let employment = json!({"person": to(&person), "offer": to(&offer), "status": "Pending", "hireDate": "2031-04-01"});
    hris.create("/Employments", employment).await;
    let told = ats
        .get(&format!("{}/timeline", at("/Applications", &application)))
        .await;
    let told = told.ok(200);
    assert_eq!(told["more"], false);
    let events = told["events"].as_array().unwrap().iter();
    let kinds: Vec<&str> = events
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for wanted in [
        "application.created",
        "offer.created",
        "CandidateToEmployee",
        "employment.created",
        "onboarding.it.requested",
    ] {
        assert!(kinds.contains(&wanted), "{wanted}: {kinds:?}");
    }
}

async fn b_014_a_conflict_is_in_the_timeline_of_its_application(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let path = at("/Applications", &application);
    ats.patch(&path, replace("status", json!("offered")))
        .await
        .ok(200);
    let crm = app.client("crm").await;
    crm.patch(&path, replace("status", json!("rejected")))
        .await
        .ok(200);
    let open = hris.find("/Reviews", "kind eq \"conflict\"").await;
    let review = at("/Reviews", &open[0]);
    hris.patch(&review, replace("status", json!("approved")))
        .await
        .ok(200);
    let of_it = format!("resourceId eq \"{}\"", open[0]["id"].as_str().unwrap());
    let events = hris.find("/AuditEvents", &of_it).await;
    assert!(events.len() >= 2, "{events:?}");
    for event in &events {
        assert_eq!(event["personId"], person["id"], "{event}");
        assert_eq!(event["applicationId"], application["id"], "{event}");
    }
    let told = hris.get(&format!("{path}/timeline")).await;
    let told = told.ok(200)["events"].to_string();
    for kind in ["review.created", "review.updated"] {
        assert!(told.contains(kind), "{kind}: {told}");
    }
}
