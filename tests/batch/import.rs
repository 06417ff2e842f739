//! `muster import`: resumed after a kill, silent when run again, the same in any order.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{App, Engine, on_both};
use crate::{SMALL, command, everybody, import, keep, rejects, told};

on_both!(
    an_import_run_again_writes_nothing,
    files_in_any_order_give_the_same_persons,
    a_dry_run_keeps_nothing_and_says_what_would_be,
    an_import_tells_who_and_why_in_its_events,
    an_empty_cell_says_nothing_or_that_there_is_nothing,
    a_system_that_the_policy_does_not_know_is_refused,
    an_extract_of_organizations_is_taken_in,
    a_scim_bulk_file_is_taken_in,
);

/// Rows of so many people.
fn rows(count: usize) -> String {
    let mut text = "id,given,family,mail,born,title\n".to_owned();
    for n in 0..count {
        let month = n % 12 + 1;
        let _ = writeln!(
            text,
            "{n},Given{n},Family{n},p{n}@example.com,19{:02}-{month:02}-11,Title {}",
            n % 80 + 10,
            n % 7
        );
        if n % 500 == 250 {
            let _ = writeln!(text, "bad{n},Given,Family,bad{n}@example.com,1990-13-01,");
        }
    }
    text
}

/// a file whose import was ended by SIGKILL goes on where it was: the same people as of an undisturbed run, none
/// twice, and each rejected row told once.
fn killed_and_resumed(engine: Engine) {
    let text = rows(3000);
    let calm = App::start(engine);
    let whole = import(&calm, (SMALL, "people.csv"), &text, &[]);
    assert_eq!(whole.code, 2, "{}", whole.text);
    let system = actix_web::rt::System::new();
    let expected = system.block_on(everybody(&calm));
    assert_eq!(expected.len(), 3000);
    let told_rejects = rejects(&calm, "people.csv");
    assert_eq!(told_rejects.len(), 6);
    calm.finish();

    let app = App::start(engine);
    let map = keep(&app, "map.yaml", SMALL);
    let file = keep(&app, "people.csv", &text);
    let arguments = ["import", "--system", "hris", "--map", &map, &file];
    let mut kills = 0;
    for least in [400, 1400] {
        let mut child = command(&app, &arguments).spawn().unwrap();
        let patience = Instant::now() + Duration::from_mins(1);
        let position = || {
            app.database
                .connect()
                .number("SELECT coalesce(max(position), 0) AS n FROM import_job")
        };
        while position() < least {
            assert!(Instant::now() < patience, "it does not move");
            thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        let status = child.wait().unwrap();
        kills += i32::from(status.code().is_none());
        assert!(position() < 3006 || kills == 0);
    }
    assert!(kills > 0, "it was too fast to be killed");
    let rest = told(&command(&app, &arguments).output().unwrap());
    assert_eq!(rest.code, 2, "{}", rest.text);
    assert!(
        rest.text.contains("3006 rows: 3000 created"),
        "{}",
        rest.text
    );
    assert_eq!(system.block_on(everybody(&app)), expected);
    assert_eq!(rejects(&app, "people.csv"), told_rejects);
    app.finish();
}

mod an_import_that_was_killed_goes_on {
    use super::Engine;

    #[test]
    fn sqlite() {
        super::killed_and_resumed(Engine::Sqlite);
    }

    #[test]
    fn postgres() {
        super::killed_and_resumed(Engine::Postgres);
    }
}

/// rows that say what is known are no new version and no event, however often they come.
async fn an_import_run_again_writes_nothing(app: &App) {
    let text = rows(450);
    let first = import(app, (SMALL, "people.csv"), &text, &[]);
    assert!(first.text.contains("450 created"), "{}", first.text);
    let (events, people) = (app.event_count(), everybody(app).await);
    let again = import(app, (SMALL, "people.csv"), &text, &[]);
    assert!(
        again.text.contains("450 unchanged, 1 rejected"),
        "{}",
        again.text
    );
    // That the import has ended is one.
    assert_eq!(app.event_count(), events + 1);
    assert_eq!(everybody(app).await, people);
    let changed = text.replace("Title 3", "Chief");
    let third = import(app, (SMALL, "people.csv"), changed, &[]);
    assert!(
        third.text.contains("64 changed, 386 unchanged"),
        "{}",
        third.text
    );
}

/// the same files in any order give the same Persons, if their rows say when.
async fn files_in_any_order_give_the_same_persons(app: &App) {
    let head = "id,given,family,mail,born,title,at\n";
    let early =
        "1,Ada,Byron,ada@example.com,1985-12-10,Girl,2020-01-01\n2,Grace,Murray,,,,2020-01-01\n";
    let middle =
        "1,Ada,King,,,Countess,2021-01-01\n2,Grace,Hopper,grace@example.com,,Ensign,2021-06-01\n";
    let late = "1,Ada,Lovelace,,,,2022-01-01\n2,Grace,Hopper,,,Rear Admiral,2022-01-01\n1,Ada,Lovelace,,,Analyst,2022-02-01\n";
    let files = [early, middle, late];
    let mut outcomes = Vec::new();
    for (n, order) in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]]
        .into_iter()
        .enumerate()
    {
        // Each order on persons of its own.
        for part in order {
            let text = files[part]
                .replace("1,Ada", &format!("{n}1,Ada"))
                .replace("2,Grace", &format!("{n}2,Grace"));
            let text = text.replace("@example", &format!("{n}@example"));
            let done = import(
                app,
                (&crate::timed(), &format!("f{n}{part}.csv")),
                format!("{head}{text}"),
                &[],
            );
            assert_eq!(done.code, 0, "{}", done.text);
        }
        let all = everybody(app).await;
        let mine = all
            .iter()
            .filter(|person| person.contains(&format!("\"externalId\":\"{n}")));
        let mine: Vec<String> = mine
            .map(|person| {
                person
                    .replace(&format!("{n}@example"), "@example")
                    .replace(&format!("\"externalId\":\"{n}"), "\"externalId\":\"")
            })
            .collect();
        assert_eq!(mine.len(), 2);
        outcomes.push(mine);
    }
    assert!(
        outcomes[0][0].contains("Lovelace") && outcomes[0][0].contains("Analyst"),
        "{outcomes:?}"
    );
    assert!(outcomes[0][1].contains("Rear Admiral"), "{outcomes:?}");
    for outcome in &outcomes {
        assert_eq!(outcome, &outcomes[0]);
    }
}

async fn a_dry_run_keeps_nothing_and_says_what_would_be(app: &App) {
    import(app, (SMALL, "people.csv"), rows(10), &[]);
    let (events, people) = (app.event_count(), everybody(app).await);
    let text = rows(300).replace("Title 3", "Chief");
    let dry = import(app, (SMALL, "more.csv"), &text, &["--dry-run"]);
    assert!(
        dry.text
            .contains("nothing was kept; of 301 rows: 290 would be created")
            && dry
                .text
                .contains("1 would be changed, 9 unchanged, 1 rejected"),
        "{}",
        dry.text
    );
    assert_eq!((app.event_count(), everybody(app).await), (events, people));
    assert_eq!(rejects(app, "more.csv").len(), 1);
    let wet = import(app, (SMALL, "more.csv"), &text, &[]);
    assert!(wet.text.contains("290 created"), "{}", wet.text);
}

/// every change says who and why; B-010: and from which system.
async fn an_import_tells_who_and_why_in_its_events(app: &App) {
    import(app, (SMALL, "people.csv"), rows(1), &[]);
    let all = app.service().events(0, 100).unwrap();
    let event = |kind: &str| {
        let mut found = all
            .iter()
            .map(|(_, event)| event)
            .filter(|event| event["type"] == kind);
        found
            .next()
            .unwrap_or_else(|| panic!("there is a {kind}"))
            .clone()
    };
    let created = event("person.created");
    assert_eq!(created["actor"], "operator");
    assert_eq!(created["reasonCode"], "import");
    assert_eq!(created["sourceSystem"], "hris");
    let finished = event("import.finished");
    assert_eq!(finished["detail"]["counts"]["created"], 1);
    assert_eq!(finished["correlationId"], created["correlationId"]);
}

async fn an_empty_cell_says_nothing_or_that_there_is_nothing(app: &App) {
    let head = "id,given,family,mail,born,title\n";
    import(
        app,
        (SMALL, "a.csv"),
        format!("{head}1,Ada,Lovelace,ada@example.com,1985-12-10,Analyst\n"),
        &[],
    );
    let done = import(app, (SMALL, "b.csv"), format!("{head}1,,,,,\n"), &[]);
    assert!(
        done.code == 0 && done.text.contains("1 changed"),
        "{}",
        done.text
    );
    let all = everybody(app).await;
    assert!(
        all[0].contains("Lovelace")
            && all[0].contains("ada@example.com")
            && !all[0].contains("Analyst"),
        "{all:?}"
    );
    let again = import(app, (SMALL, "b.csv"), format!("{head}1,,,,,\n"), &[]);
    assert!(again.text.contains("1 unchanged"), "{}", again.text);
}

async fn a_system_that_the_policy_does_not_know_is_refused(app: &App) {
    let policy = "version: 1\nsystems:\n  - { name: hrms, kind: hris, owner: HR }\n";
    let file = keep(app, "policy.yaml", policy);
    let applied = told(&command(app, &["policy", "apply", &file]).output().unwrap());
    assert_eq!(applied.code, 0, "{}", applied.text);
    let refused = import(app, (SMALL, "people.csv"), rows(1), &[]);
    assert!(
        refused.code == 1
            && refused
                .text
                .contains("knows no system 'hris'; did you mean 'hrms'?"),
        "{}",
        refused.text
    );
}

/// organizations are claimed and folded like persons, by whichever systems tell of them.
async fn an_extract_of_organizations_is_taken_in(app: &App) {
    let map = "system: hris
format: csv
resourceType: Organization
externalId: id
claims:
  - { from: name, to: name }
  - { from: legal, to: legalName }
  - { from: domain, to: domains }
  - { from: kind, to: type }
  - { from: city, to: 'addresses[type eq \"work\"].locality' }
";
    let text = "id,name,legal,domain,kind,city\n\
                o1,Analytical Engines,Analytical Engines Ltd,engines.example,employer,London\n\
                o2,Difference,,difference.example,agency,\n\
                o3,,No Name plc,none.example,vendor,Paris\n";
    let done = import(app, (map, "organizations.csv"), text, &[]);
    assert_eq!(done.code, 2, "{}", done.text);
    assert!(done.text.contains("3 rows: 2 created"), "{}", done.text);
    let rejects = rejects(app, "organizations.csv");
    assert!(
        rejects.len() == 1 && rejects[0].contains("name"),
        "{rejects:?}"
    );

    let crm = app.client("crm").await;
    let found = crm
        .find("/Organizations", "domains eq \"engines.example\"")
        .await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["legalName"], "Analytical Engines Ltd");
    assert_eq!(found[0]["addresses"][0]["locality"], "London");
    // Another system's word stands beside it; the same file again says nothing new.
    let path = format!("/Organizations/{}", found[0]["id"].as_str().unwrap());
    let status = serde_json::json!([{"op": "add", "path": "status", "value": "active"}]);
    crm.patch(&path, status).await.ok(200);
    let changed = text.replace("Engines Ltd", "Engines plc");
    let again = import(app, (map, "organizations.csv"), &changed, &[]);
    assert!(
        again.text.contains("1 changed, 1 unchanged"),
        "{}",
        again.text
    );
    let now = crm.get(&path).await;
    assert_eq!(now.ok(200)["status"], "active");
    assert_eq!(now.body["legalName"], "Analytical Engines plc");
}

/// a bulk request as a file, of any size: what it says of resources that there are is taken in as any extract is, and every
/// other operation is a row that is told.
async fn a_scim_bulk_file_is_taken_in(app: &App) {
    let map = "system: hris\nformat: scim\nresourceType: User\n";
    let user = |name: &str, more: serde_json::Value| {
        let mut data = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": name,
            "name": {"familyName": name}, "meta": {"lastModified": "2026-02-03T10:00:00Z"},
        });
        data.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"method": "POST", "path": "/Users", "bulkId": name, "data": data})
    };
    let mut operations: Vec<serde_json::Value> = (0..450)
        .map(|n| user(&format!("u{n}"), json!({})))
        .collect();
    operations.push(user("wrong", json!({"active": "perhaps"})));
    operations.push(json!({"method": "DELETE", "path": "/Users/7"}));
    operations.push(json!({"method": "POST", "path": "/Groups", "data": {"externalId": "g", "displayName": "g"}}));
    operations.push(json!({"method": "POST", "path": "/Users", "data": {"userName": "nobody"}}));
    let file = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let done = import(app, (map, "users.json"), file.to_string(), &[]);
    assert_eq!(done.code, 2, "{}", done.text);
    assert!(done.text.contains("454 rows: 450 created"), "{}", done.text);
    let rejects = app.database.folder().join("users.json.rejects.jsonl");
    let rejects = std::fs::read_to_string(rejects).unwrap();
    for why in [
        "'active'",
        "only POST is taken in",
        "this is of '/Groups'",
        "of whom it speaks",
    ] {
        assert!(rejects.contains(why), "{why}: {rejects}");
    }
    let (events, hris) = (app.event_count(), app.client("hris").await);
    let found = hris.find("/Users", "userName eq \"u449\"").await;
    assert_eq!(
        (&found[0]["externalId"], &found[0]["name"]["familyName"]),
        (&json!("u449"), &json!("u449"))
    );
    let again = import(app, (map, "users.json"), file.to_string(), &[]);
    assert!(
        again.text.contains("450 unchanged, 4 rejected"),
        "{}",
        again.text
    );
    // Only that it ran is an event.
    assert_eq!(app.event_count(), events + 1);
    let wrong = format!("{map}externalId: id\n");
    let done = import(app, (&wrong, "users.json"), file.to_string(), &[]);
    assert!(
        done.code == 2 && done.text.contains("leave 'externalId' out"),
        "{}",
        done.text
    );
}
