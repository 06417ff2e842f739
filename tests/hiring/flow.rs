//! The flow: an offer is accepted, the HR system answers, somebody begins, leaves and comes back.

use muster::clock::Clock;
use serde_json::{Value, json};

use crate::stage::*;
use crate::support::{App, CANDIDATE, Client, EMPLOYEE, IDENTITY, on_both};

on_both!(
    an_accepted_offer_becomes_an_employee,
    a_day_begins_and_ends_an_employment,
    who_never_comes_is_not_hired,
    the_first_day_opens_the_account,
    one_process_sees_to_the_days,
    what_follows_is_not_for_others_to_say
);

/// no attribute is typed twice, and every step says whence it comes.
async fn an_accepted_offer_becomes_an_employee(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (job, person, application) = applied(&ats).await;
    let terms = json!({"salary": 61000, "salaryCurrency": "EUR", "startDate": "2031-04-01", "title": "Harbor pilot"});
    let body = json!({"application": to(&application), "status": "sent", "terms": terms});
    let offer = ats.create("/Offers", body).await;
    assert_eq!(events(app, "CandidateToEmployee").len(), 0);
    ats.patch(&at("/Offers", &offer), replace("status", json!("accepted")))
        .await
        .ok(200);
    let intent = events(app, "CandidateToEmployee");
    assert_eq!(intent.len(), 1);
    assert_eq!(intent[0]["correlationId"], person["id"]);
    assert_eq!(
        (&intent[0]["personId"], &intent[0]["applicationId"]),
        (&person["id"], &application["id"])
    );
    assert_eq!(
        (
            &intent[0]["detail"]["jobId"],
            &intent[0]["changes"][1]["new"]
        ),
        (&json!("REQ-10291"), &json!("2031-04-01"))
    );
    // The offer's own event is the cause.
    let changed = events(app, "offer.updated");
    assert_eq!(intent[0]["causationId"], changed.last().unwrap()["eventId"]);
    let body = json!({
        "person": to(&person), "offer": to(&offer), "requisition": to(&job), "hireDate": "2031-04-01", "jobTitle": "Harbor pilot",
        "employeeNumber": "417", "externalIdentifiers": called("workday", "worker_id", "W-417"),
    });
    let employment = hris.create("/Employments", body.clone()).await;
    assert_eq!(
        (&employment["status"], &employment["startDate"]),
        (&json!("Pending"), &json!("2031-04-01"))
    );
    let known = hris.get(&at("/Persons", &person)).await.ok(200).clone();
    let role = &known[EMPLOYEE];
    assert_eq!(
        (&role["status"], &role["statusReason"]),
        (&json!("Pending"), &json!("OfferAcceptance"))
    );
    assert_eq!(
        (&role["employeeNumber"], &role["jobTitle"]),
        (&json!("417"), &json!("Harbor pilot"))
    );
    assert_eq!(known[CANDIDATE]["status"], "hired");
    for kind in [
        "onboarding.it.requested",
        "onboarding.payroll.requested",
        "onboarding.benefits.requested",
    ] {
        let told = events(app, kind);
        assert_eq!(told.len(), 1, "{kind}");
        assert_eq!(told[0]["correlationId"], person["id"]);
    }
    // her roles lead to both, for who asks and may read them.
    let asked = format!(
        "{}?attributes={CANDIDATE}:applications,{EMPLOYEE}:employments",
        at("/Persons", &person)
    );
    let known = hris.get(&asked).await.ok(200).clone();
    assert_eq!(
        known[CANDIDATE]["applications"][0]["value"],
        application["id"]
    );
    let location = format!("{}/Employments/{}", app.scim(), id(&employment));
    assert_eq!(
        known[EMPLOYEE]["employments"],
        json!([{"value": employment["id"], "$ref": location}])
    );
    // Said again, nothing happens.
    let count = app.event_count();
    assert_eq!(
        hris.post("/Employments", body).await.ok(200)["id"],
        employment["id"]
    );
    assert_eq!(app.event_count(), count);
    // B-032: the first day comes by itself.
    assert_eq!(turn(app), 0);
    let (_, hris) = after(app, 31).await;
    turn(app);
    assert_eq!(turn(app), 0);
    let known = hris.get(&at("/Persons", &person)).await.ok(200).clone();
    assert_eq!(
        (&known[EMPLOYEE]["status"], &known[EMPLOYEE]["statusReason"]),
        (&json!("Active"), &json!("NewHire"))
    );
    assert_eq!(events(app, "employment.active").len(), 1);
}

/// leave, termination, re-hire; future-dated and back-dated.
async fn a_day_begins_and_ends_an_employment(app: &App) {
    let (_, hris) = set(app, "").await;
    let person = candidate(&hris, "ines").await;
    let boss = candidate(&hris, "tomas").await;
    let body = json!({"person": to(&person), "hireDate": "2030-01-07", "manager": to(&boss), "department": "Harbors"});
    let employment = hris.create("/Employments", body).await;
    assert_eq!(employment["status"], "Active", "its day has passed");
    let path = at("/Employments", &employment);
    let role =
        async |hris: &Client| hris.get(&at("/Persons", &person)).await.ok(200)[EMPLOYEE].clone();
    assert_eq!(role(&hris).await["manager"]["value"], boss["id"]);
    let leave = json!([
        {"op": "replace", "path": "status", "value": "Inactive"}, {"op": "replace", "path": "statusReason", "value": "Leave"},
    ]);
    hris.patch(&path, leave).await.ok(200);
    assert_eq!(
        (
            &role(&hris).await["status"],
            &role(&hris).await["statusReason"]
        ),
        (&json!("Inactive"), &json!("Leave"))
    );
    let back = json!([{"op": "replace", "path": "status", "value": "Active"}, {"op": "remove", "path": "statusReason"}]);
    hris.patch(&path, back).await.ok(200);
    // To another manager.
    let other = candidate(&hris, "amara").await;
    hris.patch(&path, replace("manager.value", other["id"].clone()))
        .await
        .ok(200);
    assert_eq!(role(&hris).await["manager"]["value"], other["id"]);
    // It is to end, and goes on until it does.
    let end = json!([
        {"op": "replace", "path": "status", "value": "Terminated"}, {"op": "replace", "path": "endDate", "value": "2031-03-31"},
        {"op": "replace", "path": "statusReason", "value": "Resignation"},
    ]);
    let told = hris.patch(&path, end).await;
    assert_eq!(told.ok(200)["status"], "Active");
    let (_, hris) = after(app, 31).await;
    turn(app);
    let gone = role(&hris).await;
    assert_eq!(
        (&gone["status"], &gone["terminationDate"]),
        (&json!("Terminated"), &json!("2031-03-31"))
    );
    let history = hris.get(&path).await.ok(200)["statusHistory"].clone();
    let history: Vec<&Value> = history
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["status"])
        .collect();
    assert_eq!(history, ["Active", "Inactive", "Active", "Terminated"]);
    // Back again: the same person, another employment, the first date kept.
    let again = hris
        .create(
            "/Employments",
            json!({"person": to(&person), "hireDate": "2031-04-01"}),
        )
        .await;
    assert_ne!(again["id"], employment["id"]);
    let known = role(&hris).await;
    assert_eq!(
        (&known["status"], &known["statusReason"]),
        (&json!("Active"), &json!("Rehire"))
    );
    assert_eq!(
        (&known["hireDate"], &known["originalHireDate"]),
        (&json!("2031-04-01"), &json!("2030-01-07"))
    );
    // A date before the beginning is none.
    let refused = hris
        .patch(
            &at("/Employments", &again),
            replace("endDate", json!("2030-01-01")),
        )
        .await;
    assert!(refused.refused(409, "").contains("'endDate' is before"));
}

/// The lifecycle, 5: where the policy says so, the account is open from the first day on, and whoever closes it then has it closed.
async fn the_first_day_opens_the_account(app: &App) {
    for (hiring, opens, name) in [
        ("accountOnStart: enable", true, "ines"),
        ("", false, "tomas"),
    ] {
        let (_, hris) = set(app, hiring).await;
        let idp = app.client("idp").await;
        let person = candidate(&hris, name).await;
        let starts = (app.clock.now().date_naive() + chrono::Days::new(10)).to_string();
        hris.create(
            "/Employments",
            json!({"person": to(&person), "hireDate": starts}),
        )
        .await;
        let account = json!({
            "userName": name, "active": false,
            IDENTITY: {"externalIdentifiers": called("greenhouse", "candidate_id", &format!("gc-{name}"))},
        });
        let account = idp.create("/Users", account).await;
        assert_eq!(
            (id(&account), &account["active"]),
            (id(&person), &json!(false))
        );
        after(app, 11).await;
        turn(app);
        let idp = app.client("idp").await;
        let path = at("/Users", &account);
        assert_eq!(idp.get(&path).await.ok(200)["active"], opens);
        let told = events(app, "person.updated");
        let told = told.iter().filter(|event| {
            event["reasonCode"] == "employment" && event["changes"][0]["path"] == "active"
        });
        assert_eq!(told.count(), 1, "of the first alone");
        idp.patch(&path, replace("active", json!(false)))
            .await
            .ok(200);
        turn(app);
        assert_eq!(idp.get(&path).await.ok(200)["active"], false);
    }
}

/// Of all processes that share a database one sees to what time does; if it dies, the next one does soon.
async fn one_process_sees_to_the_days(app: &App) {
    // Later than whatever the server's own thread has asked for.
    let (service, now) = (
        app.service().clone(),
        app.clock.now() + chrono::TimeDelta::days(1),
    );
    let story = move || {
        let leads = |process: &str, seconds: i64| {
            service
                .leads(process, now + chrono::TimeDelta::seconds(seconds))
                .unwrap()
        };
        assert!(leads("one", 0) && !leads("two", 1) && leads("one", 60));
        assert!(!leads("two", 149) && leads("two", 151) && !leads("one", 152));
        service.resign("one");
        assert!(!leads("one", 153));
        service.resign("two");
        assert!(leads("one", 154));
    };
    std::thread::spawn(story).join().unwrap();
}

async fn who_never_comes_is_not_hired(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, _) = applied(&ats).await;
    let employment = hris
        .create(
            "/Employments",
            json!({"person": to(&person), "hireDate": "2031-04-01"}),
        )
        .await;
    let never = json!([
        {"op": "replace", "path": "status", "value": "Terminated"}, {"op": "replace", "path": "statusReason", "value": "NoShow"},
    ]);
    hris.patch(&at("/Employments", &employment), never)
        .await
        .ok(200);
    let known = hris.get(&at("/Persons", &person)).await.ok(200).clone();
    assert_eq!(known[CANDIDATE]["status"], "active");
    assert_eq!(known[EMPLOYEE]["status"], "Terminated");
    // Entered by mistake: the role goes with it.
    hris.delete(&at("/Employments", &employment)).await.ok(204);
    assert_eq!(
        hris.get(&at("/Persons", &person))
            .await
            .ok(200)
            .get(EMPLOYEE),
        None
    );
}

/// Design §3: derived facts are derived, and what others say of them is a suggestion.
async fn what_follows_is_not_for_others_to_say(app: &App) {
    let (ats, hris) = set(app, "").await;
    let (_, person, _) = applied(&ats).await;
    hris.create(
        "/Employments",
        json!({"person": to(&person), "hireDate": "2030-04-01", "jobTitle": "Pilot"}),
    )
    .await;
    let path = at("/Persons", &person);
    let said = ats
        .patch(
            &path,
            replace(&format!("{CANDIDATE}:status"), json!("rejected")),
        )
        .await;
    assert_eq!(said.ok(200)[CANDIDATE]["status"], "hired");
    assert_eq!(
        said.header("muster-suggested"),
        Some(format!("{CANDIDATE}:status").as_str())
    );
    let said = ats
        .patch(
            &path,
            replace(&format!("{EMPLOYEE}:jobTitle"), json!("Cook")),
        )
        .await;
    assert_eq!(said.ok(200)[EMPLOYEE]["jobTitle"], "Pilot");
    let refused = ats.delete(&path).await;
    assert!(
        refused
            .refused(409, "")
            .starts_with("an employment still cites")
    );
}
