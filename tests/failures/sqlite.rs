//! SQLite: no room, a lock that is held for long, a file that is taken away.

use actix_web::rt::System;

use crate::load::{BOUND, Load, Outcome};
use crate::support::process::Process;
use crate::support::{Database, Engine, invariants};
use crate::{hris, ready};

/// Runs a story on a server of its own, and checks the database afterwards.
fn story(
    start: impl FnOnce(&Database) -> Process,
    story: impl AsyncFnOnce(&Database, &Process, &Load),
) -> Outcome {
    let database = Database::fresh(Engine::Sqlite);
    let server = start(&database);
    let outcome = System::new().block_on(async {
        let load = Load::start(&hris(&server).await, 1);
        load.acknowledged(100).await;
        story(&database, &server, &load).await;
        load.acknowledged(100).await;
        assert_eq!(ready(&server).await, 200);
        load.stop().await
    });
    drop(server);
    invariants::check(&mut database.connect());
    database.forget();
    outcome
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    let start = |database: &Database| Process::start_cramped(database.folder(), 3500);
    let outcome = story(start, async |_, server, load| {
        load.refused(200).await;
        server.uncramp();
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn a_lock_held_for_long_refuses_writes_until_it_is_let_go() {
    let start = |database: &Database| Process::start_on(database.folder(), database.url());
    let outcome = story(start, async |database, server, load| {
        let mut other = database.connect();
        other.run("BEGIN IMMEDIATE");
        load.refused(30).await;
        assert_eq!(ready(server).await, 503);
        other.run("ROLLBACK");
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn a_file_taken_away_is_missed_and_known_again_when_it_is_back() {
    let start = |database: &Database| Process::start_on(database.folder(), database.url());
    let outcome = story(start, async |database, server, load| {
        let file = database.folder().join("muster.db");
        let aside = database.folder().join("aside.db");
        for _ in 0..3 {
            std::fs::rename(&file, &aside).unwrap();
            load.refused(100).await;
            assert_eq!(ready(server).await, 503);
            assert!(!file.exists(), "an empty database was made");
            std::fs::rename(&aside, &file).unwrap();
            load.acknowledged(10).await;
        }
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}
