//! Changes of an employment that hold from a day on: a new manager, title or department, said before the day, on it, or
//! after it.

use serde_json::{Value, json};

use crate::stage::*;
use crate::support::policy::apply;
use crate::support::{App, Client, EMPLOYEE, on_both};

on_both!(
    a_039_a_transfer_happens_on_its_day_and_once,
    a_039_a_back_dated_change_holds_at_once,
    a_039_changes_come_in_the_order_of_their_days,
    a_039_what_is_cancelled_before_its_day_never_comes,
    a_039_an_hr_system_that_repeats_itself_changes_nothing,
    a_039_an_hr_system_that_moves_on_is_followed,
    a_039_what_cannot_be_is_refused_by_name,
    a_039_what_is_hidden_from_a_reader_is_hidden_before_its_day,
    a_039_no_master_is_passed_over_by_a_date
);

/// Today is 2031-02-24 or so: see the first assertion.
const HIRED: &str = "2030-01-07";

fn on(app: &App, days: i64) -> String {
    let today = muster::clock::Clock::now(&*app.clock).date_naive();
    (today + chrono::TimeDelta::days(days)).to_string()
}

/// Somebody who works for one manager, and another who may become it.
async fn employed(hris: &Client) -> (Value, Value, Value, Value) {
    let person = candidate(hris, "ines").await;
    let (boss, other) = (
        candidate(hris, "tomas").await,
        candidate(hris, "amara").await,
    );
    let body = json!({
        "externalId": "W-1", "person": to(&person), "hireDate": HIRED, "manager": to(&boss), "jobTitle": "Mate",
        "department": "Harbors",
    });
    let employment = hris.create("/Employments", body).await;
    (person, boss, other, employment)
}

async fn role(hris: &Client, person: &Value) -> Value {
    hris.get(&at("/Persons", person)).await.ok(200)[EMPLOYEE].clone()
}

fn dated(changes: &Value) -> Value {
    json!([{"op": "add", "path": "datedChanges", "value": changes}])
}

/// What the HR system sends each night: the whole record.
fn whole(person: &Value, boss: &Value, title: &str, changes: &Value) -> Value {
    json!({
        "externalId": "W-1", "person": to(person), "hireDate": HIRED, "startDate": HIRED, "manager": to(boss), "jobTitle": title,
        "department": "Harbors", "status": "Active", "datedChanges": changes,
    })
}

async fn a_039_a_transfer_happens_on_its_day_and_once(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, boss, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let day = on(app, 30);
    // By what another system calls her.
    let change = json!([{"effectiveDate": day, "managerId": "greenhouse:candidate_id:gc-amara", "reasonCode": "Transfer"}]);
    let said = hris.patch(&path, dated(&change)).await.ok(200).clone();
    assert_eq!(said["datedChanges"][0]["managerId"], other["id"]);
    assert_eq!(said["nextChangeDate"], json!(day));
    assert_eq!(said["manager"]["value"], boss["id"]);
    assert_eq!(turn(app), 0, "its day has not come");
    assert_eq!(role(&hris, &person).await["manager"]["value"], boss["id"]);
    let before = events(app, "employment.updated");
    let (_, hris) = after(app, 30).await;
    turn(app);
    assert_eq!(turn(app), 0, "it is done once");
    let known = hris.get(&path).await.ok(200).clone();
    assert_eq!(known["manager"]["value"], other["id"]);
    assert_eq!(known.get("nextChangeDate"), None);
    assert_eq!(
        known["datedChanges"], said["datedChanges"],
        "what was said stays said"
    );
    assert_eq!(role(&hris, &person).await["manager"]["value"], other["id"]);
    // The log says why, and who said so: by which event.
    let told = events(app, "employment.updated").split_off(before.len());
    assert_eq!(told.len(), 1, "{told:?}");
    let said = before.last().unwrap();
    assert_eq!(
        (
            &told[0]["reasonCode"],
            &told[0]["causationId"],
            &told[0]["actor"]
        ),
        (&json!("Transfer"), &said["eventId"], &json!("muster"))
    );
    assert_eq!(
        told[0]["detail"]["datedChanges"],
        json!([{"effectiveDate": day, "system": "hris", "saidBy": said["eventId"]}])
    );
    let change = &told[0]["changes"].as_array().unwrap()[0];
    assert_eq!(
        (&change["path"], &change["previous"], &change["new"]),
        (&json!("manager.value"), &boss["id"], &other["id"])
    );
    // The person's role follows from that event.
    let followed = events(app, "person.updated");
    let followed = followed
        .iter()
        .filter(|event| event["causationId"] == told[0]["eventId"]);
    assert_eq!(followed.count(), 1);
}

async fn a_039_a_back_dated_change_holds_at_once(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, _, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let change =
        json!([{"effectiveDate": on(app, -40), "managerId": other["id"], "jobTitle": "Captain"}]);
    let said = hris.patch(&path, dated(&change)).await.ok(200).clone();
    assert_eq!(
        (&said["manager"]["value"], &said["jobTitle"]),
        (&other["id"], &json!("Captain"))
    );
    assert_eq!(said.get("nextChangeDate"), None);
    let known = role(&hris, &person).await;
    assert_eq!(
        (&known["manager"]["value"], &known["jobTitle"]),
        (&other["id"], &json!("Captain"))
    );
    assert_eq!(turn(app), 0);
    // Made with one whose day has passed, it begins so.
    let body = json!({
        "person": to(&candidate(&hris, "jonas").await), "hireDate": HIRED, "jobTitle": "Mate",
        "datedChanges": [{"effectiveDate": on(app, 0), "jobTitle": "Diver"}],
    });
    assert_eq!(hris.create("/Employments", body).await["jobTitle"], "Diver");
}

async fn a_039_changes_come_in_the_order_of_their_days(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, boss, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let (first, second) = (on(app, 10), on(app, 20));
    // The later one is said first.
    let changes = json!([
        {"effectiveDate": second, "jobTitle": "Commodore", "managerId": boss["id"]},
        {"effectiveDate": first, "jobTitle": "Captain", "managerId": other["id"], "department": "Fleet", "location": "Bergen"},
    ]);
    let said = hris.patch(&path, dated(&changes)).await;
    assert_eq!(said.ok(200)["nextChangeDate"], json!(first));
    let (_, hris) = after(app, 11).await;
    turn(app);
    let known = hris.get(&path).await.ok(200).clone();
    assert_eq!(
        (&known["jobTitle"], &known["nextChangeDate"]),
        (&json!("Captain"), &json!(second))
    );
    let (_, hris) = after(app, 10).await;
    turn(app);
    let known = role(&hris, &person).await;
    assert_eq!(
        (&known["jobTitle"], &known["manager"]["value"]),
        (&json!("Commodore"), &boss["id"])
    );
    assert_eq!(
        (&known["department"], &known["location"]),
        (&json!("Fleet"), &json!("Bergen"))
    );
    let reasons = events(app, "employment.updated");
    let reasons = reasons
        .iter()
        .filter(|event| event["reasonCode"] == "dateReached");
    assert_eq!(reasons.count(), 2);
}

async fn a_039_what_is_cancelled_before_its_day_never_comes(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, _, _, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let changes = json!([
        {"effectiveDate": on(app, 10), "jobTitle": "Captain"}, {"effectiveDate": on(app, 12), "department": "Fleet"},
    ]);
    hris.patch(&path, dated(&changes)).await.ok(200);
    let one = format!("datedChanges[effectiveDate eq \"{}\"]", on(app, 10));
    let left = hris
        .patch(&path, json!([{"op": "remove", "path": one}]))
        .await;
    assert_eq!(left.ok(200)["nextChangeDate"], json!(on(app, 12)));
    let (_, hris) = after(app, 30).await;
    turn(app);
    let known = role(&hris, &person).await;
    assert_eq!(
        (&known["jobTitle"], &known["department"]),
        (&json!("Mate"), &json!("Fleet"))
    );
    // Taken back after its day, it has not been.
    let gone = hris
        .patch(&path, json!([{"op": "remove", "path": "datedChanges"}]))
        .await;
    assert_eq!(gone.ok(200)["department"], "Harbors");
    assert_eq!(role(&hris, &person).await["department"], "Harbors");
}

/// The whole record each night, by PUT and by POST: what it replaces goes on being named for a while after its day.
async fn a_039_an_hr_system_that_repeats_itself_changes_nothing(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, boss, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let day = on(app, 5);
    let change = json!([{"effectiveDate": day, "jobTitle": "Captain", "managerId": "greenhouse:candidate_id:gc-amara"}]);
    let body = whole(&person, &boss, "Mate", &change);
    let mut hris = hris;
    hris.post("/Employments", body.clone()).await.ok(200);
    let mut named = body.clone();
    named["manager"] = json!({"value": "greenhouse:candidate_id:gc-tomas"});
    for night in 0..4 {
        let count = app.event_count();
        for body in [&body, &named] {
            let said = hris.put(&path, body.clone()).await.ok(200).clone();
            assert_eq!(said["jobTitle"], "Mate", "night {night}");
            let said = hris.post("/Employments", body.clone()).await;
            assert_eq!(said.ok(200)["jobTitle"], "Mate", "night {night}");
        }
        assert_eq!(app.event_count(), count, "night {night}");
        hris = after(app, 1).await.1;
    }
    hris = after(app, 1).await.1;
    turn(app);
    for night in 5..8 {
        let count = app.event_count();
        for body in [&body, &named] {
            let said = hris.put(&path, body.clone()).await.ok(200).clone();
            assert_eq!(
                (&said["jobTitle"], &said["manager"]["value"]),
                (&json!("Captain"), &other["id"]),
                "night {night}"
            );
            let said = hris.post("/Employments", body.clone()).await;
            assert_eq!(said.ok(200)["jobTitle"], "Captain", "night {night}");
        }
        assert_eq!(app.event_count(), count, "night {night}");
        hris = after(app, 1).await.1;
        assert_eq!(turn(app), 0);
    }
    assert!(hris.find("/Reviews", "id pr").await.is_empty());
}

/// After the day the HR system has the new values in their place, and drops the change; later it says something else.
async fn a_039_an_hr_system_that_moves_on_is_followed(app: &App) {
    let (_, hris) = set(app, "").await;
    let (person, boss, _, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let change = json!([{"effectiveDate": on(app, 5), "jobTitle": "Captain"}]);
    hris.put(&path, whole(&person, &boss, "Mate", &change))
        .await
        .ok(200);
    let (_, hris) = after(app, 6).await;
    turn(app);
    let count = events(app, "employment.updated").len();
    let title = async |title: &str, changes: &Value| {
        let body = whole(&person, &boss, title, changes);
        hris.put(&path, body).await.ok(200)["jobTitle"].clone()
    };
    assert_eq!(title("Captain", &change).await, "Captain");
    assert_eq!(
        events(app, "employment.updated").len(),
        count,
        "that is no change"
    );
    assert_eq!(title("Cook", &change).await, "Cook");
    assert_eq!(title("Cook", &change).await, "Cook");
    assert_eq!(title("Cook", &json!([])).await, "Cook");
    // What was said before, said as such: that is news.
    let change = json!([{"effectiveDate": on(app, -1), "jobTitle": "Diver"}]);
    assert_eq!(title("Cook", &change).await, "Diver");
    let back = hris.patch(&path, replace("jobTitle", json!("Cook"))).await;
    assert_eq!(back.ok(200)["jobTitle"], "Cook");
    let none = hris
        .patch(&path, json!([{"op": "remove", "path": "jobTitle"}]))
        .await;
    assert_eq!(none.ok(200).get("jobTitle"), None);
    assert_eq!(turn(app), 0);
}

async fn a_039_what_cannot_be_is_refused_by_name(app: &App) {
    let (_, hris) = set(app, "").await;
    let (_, _, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let (day, next) = (on(app, 10), on(app, 20));
    for (changes, why) in [
        (json!([{"effectiveDate": day}]), "changes nothing"),
        (
            json!([{"effectiveDate": day, "reasonCode": "Transfer"}]),
            "changes nothing",
        ),
        (json!([{"jobTitle": "Captain"}]), "effectiveDate"),
        (
            json!([{"effectiveDate": "soon", "jobTitle": "Captain"}]),
            "effectiveDate",
        ),
        (
            json!([{"effectiveDate": day, "jobTitle": "Captain"}, {"effectiveDate": day, "department": "Fleet"}]),
            "two changes with the effectiveDate",
        ),
        (
            json!([{"effectiveDate": day, "managerId": employment["id"]}]),
            "].managerId' refers to",
        ),
        (
            json!([{"effectiveDate": day, "managerId": "greenhouse:candidate_id:nobody"}]),
            "].managerId' refers to",
        ),
        (
            json!([{"effectiveDate": day, "organizationId": other["id"]}]),
            "].organizationId' refers to",
        ),
    ] {
        let refused = hris.patch(&path, dated(&changes)).await;
        assert!(
            refused.refused(400, "invalidValue").contains(why),
            "{changes}"
        );
    }
    assert_eq!(
        events(app, "employment.updated").len() + events(app, "employment.confirmed").len(),
        0
    );
    hris.patch(&path, replace("endDate", json!(day)))
        .await
        .ok(200);
    let late = dated(&json!([{"effectiveDate": next, "jobTitle": "Captain"}]));
    let refused = hris.patch(&path, late.clone()).await;
    let why = refused.refused(409, "");
    assert!(
        why.contains(&format!(
            "'datedChanges[effectiveDate eq \"{next}\"].effectiveDate' is after 'endDate' ({day})"
        )),
        "{why}"
    );
    // Who ends an employment need not take back what was planned: it does not come.
    hris.patch(&path, json!([{"op": "remove", "path": "endDate"}]))
        .await
        .ok(200);
    hris.patch(&path, late).await.ok(200);
    hris.patch(&path, replace("endDate", json!(day)))
        .await
        .ok(200);
    let (_, hris) = after(app, 30).await;
    turn(app);
    assert_eq!(turn(app), 0);
    let known = hris.get(&path).await.ok(200).clone();
    assert_eq!(
        (&known["status"], &known["jobTitle"]),
        (&json!("Terminated"), &json!("Mate"))
    );
}

async fn a_039_what_is_hidden_from_a_reader_is_hidden_before_its_day(app: &App) {
    let masked = |names: &str| {
        let rows = format!(
            "masking:\n  - {{ attributes: [{names}], openTo: [payroll], otherwise: omit }}\nclients:"
        );
        let text = policy("").replacen("clients:", &rows, 1);
        text.replacen(
            "system: hris, roles",
            "system: hris, purposes: [payroll], roles",
            1,
        )
    };
    apply(app, &masked("Employment.manager"));
    let (crm, hris) = (app.client("crm").await, app.client("hris").await);
    let (_, _, other, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let day = on(app, 10);
    let change = json!([{"effectiveDate": day, "managerId": other["id"], "jobTitle": "Captain"}]);
    let said = hris.patch(&path, dated(&change)).await.ok(200).clone();
    assert_eq!(said["datedChanges"], change);
    let seen = crm.get(&path).await.ok(200).clone();
    assert_eq!(
        seen["datedChanges"],
        json!([{"effectiveDate": day, "jobTitle": "Captain"}])
    );
    assert_eq!(seen["nextChangeDate"], json!(day));
    apply(app, &masked("Employment.datedChanges"));
    let seen = crm.get(&path).await.ok(200).clone();
    assert_eq!(
        (seen.get("datedChanges"), seen.get("nextChangeDate")),
        (None, None),
        "{seen}"
    );
    let refused = crm
        .get("/Employments?filter=nextChangeDate%20pr")
        .await
        .status;
    assert_eq!(refused, 403);
    let known = crm
        .find("/AuditEvents", "resourceType eq \"Employment\"")
        .await;
    assert!(!known.is_empty() && !json!(known).to_string().contains(&day));
    let told = crm.get("/Events?after=0&count=100").await;
    assert!(!told.ok(200).to_string().contains(&day));
}

/// What is for another system to say is so on every day.
async fn a_039_no_master_is_passed_over_by_a_date(app: &App) {
    let all = policy("");
    let some = all.replacen(
        "covers: [Employment, Person.legalName]",
        "covers: [Employment.jobTitle]",
        1,
    );
    assert_ne!(all, some);
    apply(app, &some);
    let (crm, hris) = (app.client("crm").await, app.client("hris").await);
    let (_, _, _, employment) = employed(&hris).await;
    let path = at("/Employments", &employment);
    let change =
        json!([{"effectiveDate": on(app, -1), "jobTitle": "Admiral", "department": "Fleet"}]);
    let said = crm.patch(&path, dated(&change)).await.ok(200).clone();
    assert_eq!(
        (&said["jobTitle"], &said["department"]),
        (&json!("Mate"), &json!("Fleet"))
    );
    // Nor is a right: who may not write an attribute may not date it.
    let rows = "roles:\n  planner: [{ types: [Employment], rights: [read, search] }, { types: [Employment], rights: [write], attributes: [Employment.datedChanges] }]\n";
    let bounded = all.replacen("roles:\n", rows, 1);
    let bounded = bounded.replacen(
        "system: crm, roles: [all]",
        "system: crm, roles: [planner]",
        1,
    );
    apply(app, &bounded);
    let change = json!([{"effectiveDate": on(app, -2), "location": "Bergen"}]);
    let refused = crm.patch(&path, dated(&change)).await;
    assert!(refused.refused(403, "").contains("'location'"));
}
