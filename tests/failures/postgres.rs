//! PostgreSQL: stopped, crashed, its connections ended, none left, frozen, and slow.

use std::time::{Duration, Instant};

use actix_web::rt::System;
use diesel::{Connection as _, PgConnection};
use serde_json::json;

use crate::cluster::{CONNECTIONS, Cluster};
use crate::load::{BOUND, Load, Outcome};
use crate::support::database::{Connection, scratch_folder};
use crate::support::invariants;
use crate::support::process::Process;
use crate::{hris, ready};

/// Ends all connections but the one that asks.
const END: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'muster' AND pid <> pg_backend_pid()";

/// Runs a story on a cluster and a server of its own, and checks the database afterwards.
fn story(name: &str, story: impl AsyncFnOnce(&Cluster, &Process, &Load)) -> Outcome {
    let cluster = Cluster::start(name);
    let folder = scratch_folder();
    let server = Process::start_on(&folder, &cluster.url("muster"));
    let outcome = System::new().block_on(async {
        let load = Load::start(&hris(&server).await, 1);
        load.acknowledged(100).await;
        story(&cluster, &server, &load).await;
        load.acknowledged(100).await;
        assert_eq!(ready(&server).await, 200);
        load.stop().await
    });
    drop(server);
    invariants::check(&mut Connection::open(&cluster.url("muster")));
    std::fs::remove_dir_all(folder).unwrap();
    outcome
}

#[test]
fn a_server_that_is_stopped_or_crashes_is_back_when_it_is_back() {
    let outcome = story("stopped", async |cluster, server, load| {
        for mode in ["fast", "immediate", "immediate"] {
            cluster.stop(mode);
            load.refused(50).await;
            assert_eq!(ready(server).await, 503);
            cluster.resume();
            load.acknowledged(100).await;
        }
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn connections_that_are_ended_are_made_anew() {
    let outcome = story("ended", async |cluster, _, load| {
        let mut admin = Connection::open(&cluster.url("postgres"));
        for _ in 0..20 {
            admin.run(END);
            load.acknowledged(20).await;
        }
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn a_server_without_a_free_connection_is_waited_for() {
    let outcome = story("crowded", async |cluster, server, load| {
        let mut admin = Connection::open(&cluster.url("postgres"));
        let mut crowd = Vec::new();
        // All but one are taken by others: the server goes on with what it gets, and then with nothing.
        let patience = Instant::now() + Duration::from_mins(1);
        while crowd.len() + 1 < CONNECTIONS {
            assert!(Instant::now() < patience, "only {} taken", crowd.len());
            admin.run(END);
            let more =
                std::iter::from_fn(|| PgConnection::establish(&cluster.url("postgres")).ok());
            crowd.extend(more.take(CONNECTIONS));
        }
        load.refused(30).await;
        assert_eq!(ready(server).await, 503);
        drop(crowd);
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn a_server_that_is_frozen_keeps_nobody_waiting_forever() {
    let outcome = story("frozen", async |cluster, server, load| {
        cluster.signal("-STOP");
        assert_eq!(ready(server).await, 503);
        load.refused(8).await;
        cluster.signal("-CONT");
    });
    assert!(outcome.slowest < BOUND, "{outcome:?}");
}

#[test]
fn a_statement_that_takes_too_long_is_stopped() {
    let cluster = Cluster::start("slow");
    let folder = scratch_folder();
    let server = Process::start_on(&folder, &cluster.url("muster"));
    // It listens before it has made its tables.
    System::new().block_on(async { assert_eq!(ready(&server).await, 200) });
    let mut admin = Connection::open(&cluster.url("muster"));
    admin.run(
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$; \
         CREATE TRIGGER slow BEFORE INSERT ON resource FOR EACH ROW EXECUTE FUNCTION slow()",
    );
    System::new().block_on(async {
        let hris = hris(&server).await;
        let started = Instant::now();
        let answer = hris.post("/Users", json!({"userName": "ines"})).await;
        let detail = answer.refused(503, "");
        assert!(detail.contains("too long"), "{detail}");
        assert_eq!(answer.header("retry-after"), Some("30"));
        assert!(started.elapsed() < BOUND);
        admin.run("DROP TRIGGER slow ON resource");
        hris.create("/Users", json!({"userName": "ines"})).await;
    });
    drop(server);
    invariants::check(&mut admin);
    std::fs::remove_dir_all(folder).unwrap();
}
