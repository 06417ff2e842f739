//! Several servers on one database: positions without gaps, and nothing lost by a crash.

use std::time::{Duration, Instant};

use actix_web::rt::spawn;
use actix_web::rt::time::sleep;

use crate::support::database::Connection;
use crate::support::process::Process;
use crate::support::{Client, Database, Engine, PATIENCE, client};
use crate::{users, verified};

/// Servers at once.
const SERVERS: usize = 3;
/// Writers of each, and what each writes.
const WRITERS: usize = 4;
const WRITES: usize = 15;

async fn hris(server: &Process) -> Client {
    let http = client::http();
    let token = client::token(&http, &server.origin, "hris").await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

/// Waits until every event has its leaf.
async fn sealed(connection: &mut Connection) {
    let patience = Instant::now() + PATIENCE;
    while connection.number(
        "SELECT count(*) AS n FROM event e WHERE NOT EXISTS (SELECT 1 FROM log_leaf l WHERE l.seq = e.seq)",
    ) > 0
    {
        assert!(Instant::now() < patience, "events are left unsealed");
        sleep(Duration::from_millis(50)).await;
    }
}

fn is_gapless(database: &Database, events: usize) {
    let log = verified(database, &[]);
    assert_eq!(log.findings, []);
    assert_eq!((log.size, log.waiting), (events as u64, 0));
    let mut connection = database.connect();
    let gaps = connection.number(
        "SELECT count(*) AS n FROM (SELECT position, row_number() OVER (ORDER BY position) AS place FROM log_leaf) p \
         WHERE position <> place - 1",
    );
    assert_eq!(gaps, 0);
}

fn positions_are_gapless_whoever_writes(engine: Engine) {
    let database = Database::fresh(engine);
    let servers: Vec<_> = (0..SERVERS)
        .map(|_| Process::start_on(database.folder(), database.url()))
        .collect();
    actix_web::rt::System::new().block_on(async {
        let mut writers = Vec::new();
        for (n, server) in servers.iter().enumerate() {
            let client = hris(server).await;
            for writer in 0..WRITERS {
                let client = client.clone();
                let name = format!("u{n}-{writer}");
                writers.push(spawn(async move { users(&client, &name, WRITES).await }));
            }
        }
        for writer in writers {
            writer.await.expect("every write succeeds");
        }
        sealed(&mut database.connect()).await;
    });
    drop(servers);
    is_gapless(&database, SERVERS * WRITERS * WRITES);
    database.forget();
}

/// Between the commit and the sealing the process is killed.
fn a_crash_before_the_sealing_loses_nothing(engine: Engine) {
    let database = Database::fresh(engine);
    let server = Process::start_unsealed(database.folder(), database.url());
    actix_web::rt::System::new().block_on(async {
        let client = hris(&server).await;
        users(&client, "ann", 20).await;
    });
    server.kill();
    let mut connection = database.connect();
    assert_eq!(connection.number("SELECT count(*) AS n FROM log_leaf"), 0);
    let server = Process::start_on(database.folder(), database.url());
    actix_web::rt::System::new().block_on(async {
        let client = hris(&server).await;
        users(&client, "bob", 3).await;
        sealed(&mut connection).await;
    });
    server.kill();
    drop(connection);
    is_gapless(&database, 23);
    database.forget();
}

#[test]
fn positions_are_gapless_on_sqlite() {
    positions_are_gapless_whoever_writes(Engine::Sqlite);
}

#[test]
fn positions_are_gapless_on_postgres() {
    positions_are_gapless_whoever_writes(Engine::Postgres);
}

#[test]
fn a_crash_loses_nothing_on_sqlite() {
    a_crash_before_the_sealing_loses_nothing(Engine::Sqlite);
}

#[test]
fn a_crash_loses_nothing_on_postgres() {
    a_crash_before_the_sealing_loses_nothing(Engine::Postgres);
}
