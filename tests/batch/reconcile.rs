//! `muster reconcile`: where an extract and what is held of its system part.

use serde_json::Value;

use crate::support::{App, PATIENCE, body, on_both};
use crate::{SMALL, command, everybody, import, keep, told};

on_both!(a_full_extract_is_compared_and_repaired);

/// a batch always carries a drift report; safe repairs are made, the rest is reported.
async fn a_full_extract_is_compared_and_repaired(app: &App) {
    let head = "id,given,family,mail,born,title\n";
    let before = "1,Ada,Lovelace,ada@example.com,1985-12-10,Analyst\n2,Grace,Hopper,grace@example.com,,Ensign\n3,Ida,Gone,ida@example.com,,Clerk\n";
    import(app, (SMALL, "before.csv"), format!("{head}{before}"), &[]);
    let hris = app.client("hris").await;
    let nameless = serde_json::json!({"displayName": "No Name"});
    hris.post("/Persons", body("/Persons", nameless))
        .await
        .ok(201);
    let now = "1,Ada,Lovelace,,1985-12-10,Analyst\n2,Grace,Hopper,grace@example.com,,Rear Admiral\n4,Mary,Jackson,mary@example.com,,Engineer\n4,Mary,Double,,,\n5,Bad,Date,,1990-02-30,\n";
    let map = keep(app, "map.yaml", SMALL);
    let file = keep(app, "now.csv", format!("{head}{now}"));
    let arguments = [
        "reconcile",
        "--system",
        "hris",
        "--map",
        &map,
        &file,
        "--json",
    ];
    let done = told(&command(app, &arguments).output().unwrap());
    assert_eq!(done.code, 0, "{}", done.text);
    let report: Value = serde_json::from_str(&done.text).unwrap();
    let counts = &report["counts"];
    assert_eq!(report["rows"], 3);
    assert_eq!(counts["missingHere"], 1);
    assert_eq!(counts["missingThere"], 2);
    assert_eq!(counts["orphans"], 2);
    assert_eq!(counts["unnamed"], 1);
    assert_eq!(counts["drifted"], 2);
    assert_eq!(counts["duplicates"], 1);
    assert_eq!(counts["rejected"], 1);
    assert_eq!(report["missingHere"][0]["externalId"], "4");
    assert_eq!(report["drifted"][0]["lingering"][0], "emails");
    let title = "urn:muster:scim:schemas:extension:1.0:Employee:jobTitle";
    assert_eq!(report["drifted"][1]["drifted"][0], title);
    assert_eq!(report["driftedAttributes"][title], 1);
    assert_eq!(report["missingThere"][0]["externalId"], "3");
    assert_eq!(everybody(app).await.len(), 4);

    let repair = [
        "reconcile",
        "--system",
        "hris",
        "--map",
        &map,
        &file,
        "--repair",
    ];
    let done = told(&command(app, &repair).output().unwrap());
    assert!(
        done.text
            .contains("repaired: 1 created, 0 joined, 1 changed"),
        "{}",
        done.text
    );
    assert!(
        done.text.contains("3 is missing there") && done.text.contains("an orphan"),
        "{}",
        done.text
    );
    let all = everybody(app).await;
    assert!(all.len() == 5 && all.iter().any(|person| person.contains("Rear Admiral")));
    let done = told(&command(app, &arguments).output().unwrap());
    let report: Value = serde_json::from_str(&done.text).unwrap();
    assert_eq!(report["counts"]["missingHere"], Value::Null);
    assert_eq!(report["driftedAttributes"][title], Value::Null);
    let events = app.service().events(0, 1000).unwrap();
    let kept = events
        .iter()
        .filter(|(_, event)| event["type"] == "reconciliation.finished");
    assert_eq!(kept.count(), 3);
    let repaired = events
        .iter()
        .filter(|(_, event)| event["reasonCode"] == "reconciliation");
    assert_eq!(repaired.count(), 2);
}

mod a_reconciliation_runs_on_its_schedule {
    use super::*;
    use crate::support::Engine;

    /// hourly or nightly, as configured. The clock is the test's.
    fn scheduled(engine: Engine) {
        use chrono::TimeDelta;
        use muster::config::{Every, Reconcile};
        use std::thread;
        use std::time::{Duration, Instant};

        let app = App::start_with(engine, |config, folder| {
            let head = "id,given,family,mail,born,title\n";
            std::fs::write(folder.join("map.yaml"), SMALL).unwrap();
            std::fs::write(
                folder.join("now.csv"),
                format!("{head}1,Ada,Lovelace,ada@example.com,,\n"),
            )
            .unwrap();
            config.reconcile = vec![Reconcile {
                system: "hris".into(),
                map: folder.join("map.yaml"),
                file: folder.join("now.csv"),
                every: Every::Hourly,
                tenant: "default".into(),
                repair: true,
            }];
        });
        let done = || {
            let events = app.service().events(0, 100).unwrap();
            let mut kinds = events.iter().map(|(_, event)| event["type"].clone());
            kinds.any(|kind| kind == "reconciliation.finished")
        };
        assert!(!done());
        app.clock.advance(TimeDelta::hours(1));
        let patience = Instant::now() + PATIENCE;
        while !done() {
            assert!(Instant::now() < patience, "it is not run");
            thread::sleep(Duration::from_millis(50));
        }
        let system = actix_web::rt::System::new();
        assert_eq!(system.block_on(everybody(&app)).len(), 1);
        app.finish();
    }

    #[test]
    fn sqlite() {
        scheduled(Engine::Sqlite);
    }

    #[test]
    fn postgres() {
        scheduled(Engine::Postgres);
    }
}
