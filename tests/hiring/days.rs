//! Days do their part by themselves: in real processes, of which one sees to it.

use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use muster::clock::Clock;
use muster::id::TenantId;
use serde_json::json;

use crate::stage::*;
use crate::support::process::Process;
use crate::support::{App, EMPLOYEE, PATIENCE, on_both};

on_both!(a_039_a_first_day_begins_once_whichever_process_sees_to_it);

/// nobody asks for it and nobody writes; two processes share the database, and it happens once.
async fn a_039_a_first_day_begins_once_whichever_process_sees_to_it(app: &App) {
    // Ten days ago.
    app.clock
        .advance(Utc::now() - app.clock.now() - TimeDelta::days(10));
    let (ats, hris) = set(app, "").await;
    let (_, person, application) = applied(&ats).await;
    let day = (Utc::now() - TimeDelta::days(3)).date_naive().to_string();
    let offer =
        json!({"application": to(&application), "status": "accepted", "terms": {"startDate": day}});
    let offer = ats.create("/Offers", offer).await;
    let employment =
        json!({"person": to(&person), "offer": to(&offer), "status": "Pending", "hireDate": day});
    let employment = hris.create("/Employments", employment).await;
    assert_eq!(employment["status"], "Pending");
    let path = at("/Employments", &employment);
    let processes = [(); 2].map(|()| Process::start_on(app.database.folder(), app.database.url()));
    let since = Instant::now();
    while hris.get(&path).await.ok(200)["status"] != "Active" {
        assert!(
            since.elapsed() < PATIENCE,
            "its day has come, and nobody has begun it"
        );
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    processes.into_iter().for_each(Process::kill);
    // Whoever looks again finds it done.
    let (service, now) = (app.service().clone(), Utc::now());
    let again = std::thread::spawn(move || service.turn_employments(TenantId(1), now));
    assert_eq!(again.join().unwrap().unwrap(), 0);
    let known = hris.get(&at("/Persons", &person)).await.ok(200).clone();
    assert_eq!(known[EMPLOYEE]["status"], "Active");
    let told = hris
        .get(&format!("{}/timeline", at("/Applications", &application)))
        .await;
    let told = told.ok(200)["events"].as_array().unwrap().clone();
    let begun = told
        .iter()
        .filter(|event| event["type"] == "employment.active");
    assert_eq!(begun.count(), 1, "{told:?}");
}
