//! Who saw whom is found by entries beside the log: none goes or comes unnoticed.

use std::thread;
use std::time::Duration;

use muster::clock::Clock;
use muster::service::Erasure;
use muster::service::verify::Verified;
use serde_json::json;

use crate::masking::ada;
use crate::rules::{POLICY, apply};
use crate::support::database::Connection;
use crate::support::{App, on_both};

on_both!(
    an_entry_that_is_removed_hides_no_read,
    an_entry_that_is_invented_accuses_nobody,
    what_is_left_of_an_erased_person_verifies,
);

/// Verifies the log once all is sealed.
fn verified(app: &App) -> Verified {
    verified_beyond(app, 0)
}

/// The same once it has grown beyond a size: what a transaction elsewhere holds up does not count as waiting yet.
fn verified_beyond(app: &App, size: u64) -> Verified {
    let service = app.service().clone();
    let verify = move || {
        for _ in 0..600 {
            let mut logs = service.verify_log(0, &[]).unwrap();
            if let Some(log) = logs.pop_if(|log| log.waiting == 0 && log.size > size) {
                return log;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("not sealed in half a minute");
    };
    thread::spawn(verify).join().unwrap()
}

/// What an intruder with the rights of the table's owner does first.
fn unlock(connection: &mut Connection) {
    match connection {
        Connection::Sqlite(_) => {
            for change in ["updated", "deleted"] {
                connection.run(&format!("DROP TRIGGER event_subject_is_never_{change}"));
            }
        }
        Connection::Postgres(_) => connection.run("ALTER TABLE event_subject DISABLE TRIGGER USER"),
    }
}

fn erase(app: &App, person: &str) {
    let service = app.service().clone();
    let (person, at) = (person.parse().unwrap(), app.clock.now());
    let erase = move || {
        let erasure = Erasure {
            tenant: service.find_tenant("default").unwrap().unwrap(),
            person,
            actor: "dpo".into(),
            reason: None,
            at,
        };
        service.erase(erasure).unwrap();
    };
    thread::spawn(erase).join().unwrap();
}

/// Two persons, seen one by one and together; the id of the first.
async fn seen(app: &App) -> String {
    apply(app, POLICY);
    let hris = app.client("hris").await;
    let id = ada(&hris).await["id"].as_str().unwrap().to_owned();
    hris.create(
        "/Persons",
        json!({"displayName": "Eve", "birthDate": "1900-01-01"}),
    )
    .await;
    hris.get(&format!("/Persons/{id}")).await.ok(200);
    hris.get("/Persons").await.ok(200);
    assert_eq!(verified(app).findings, []);
    id
}

async fn an_entry_that_is_removed_hides_no_read(app: &App) {
    let id = seen(app).await;
    let mut connection = app.database.connect();
    for change in [
        "DELETE FROM event_subject",
        "UPDATE event_subject SET tenant = 2",
    ] {
        let refused = connection.try_run(change).unwrap_err();
        assert!(refused.contains("append-only"), "{refused}");
    }
    unlock(&mut connection);
    connection
        .run("DELETE FROM event_subject WHERE event = (SELECT event FROM event_subject ORDER BY event DESC LIMIT 1)");
    let found = verified(app).findings;
    assert_eq!(found.len(), 2, "one for each who was listed: {found:?}");
    let (event, place) = (found[0].event.unwrap(), found[0].position.unwrap());
    assert!(
        found.iter().any(|found| found.what.contains(&id)),
        "{found:?}"
    );
    let told = app.service().events(0, 1000).unwrap();
    let (_, read) = &told[usize::try_from(place).unwrap()];
    assert_eq!(
        (&read["eventId"], &read["type"]),
        (&json!(event.to_string()), &json!("person.read"))
    );
}

async fn an_entry_that_is_invented_accuses_nobody(app: &App) {
    let id = seen(app).await;
    let mut connection = app.database.connect();
    // A write, which showed nobody; and a read, which showed somebody else.
    connection.run(
        "INSERT INTO event_subject (tenant, subject, event) SELECT s.tenant, s.subject, e.id FROM event_subject s, event e \
         WHERE e.type = 'person.created' AND s.event = (SELECT event FROM event_subject ORDER BY event DESC LIMIT 1) \
         AND e.seq = (SELECT min(seq) FROM event WHERE type = 'person.created')",
    );
    let found = verified(app).findings;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found
            .iter()
            .all(|found| found.what.contains("tells nothing")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|found| found.what.contains(&id)),
        "{found:?}"
    );
}

async fn what_is_left_of_an_erased_person_verifies(app: &App) {
    let id = seen(app).await;
    let before = verified(app);
    erase(app, &id);
    let after = verified_beyond(app, before.size);
    assert_eq!(after.findings, []);
}
