//! The sealed log (design §4): gapless under parallel writers, proofs that hold, and every way of spoiling it found and
//! named, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod carried;
mod command;
mod copy;
mod parallel;
mod proofs;
mod tampering;
mod tenants;
mod tiles;

use std::sync::Arc;
use std::time::{Duration, Instant};

use muster::domain::log::head::Head;
use muster::id::SeededIds;
use muster::service::verify::Verified;
use muster::service::{Muster, Settings};
use serde_json::json;
use support::{App, Client, Database, PATIENCE};

/// Makes so many users, one event each.
async fn users(client: &Client, name: &str, count: usize) {
    for n in 0..count {
        let user_name = format!("{name}-{n}");
        client
            .create("/Users", json!({"userName": user_name}))
            .await;
    }
}

/// Waits until every event is under a signed head.
async fn signed(app: &App) -> Head {
    let patience = Instant::now() + PATIENCE;
    loop {
        let events = u64::try_from(app.event_count()).unwrap();
        let newest = app.service().log_heads().unwrap().pop();
        match newest {
            Some(head) if head.size == events => return head,
            _ => assert!(Instant::now() < patience, "{newest:?} of {events} events"),
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The service on a database that no server is running on. It seals nothing of itself.
fn open(database: &Database) -> Muster {
    let settings = Settings {
        database_url: database.url().to_owned(),
        connections: 2,
        systems: Vec::new(),
        max_page: 1000,
        file_key: None,
        keys: database.keys(),
    };
    Muster::open(&settings, Arc::new(SeededIds::new(1))).unwrap()
}

/// Verifies the one log of a database; other tenants have none.
fn verified(database: &Database, retained: &[Head]) -> Verified {
    verified_since(database, 0, retained)
}

/// The same from a size on.
fn verified_since(database: &Database, since: u64, retained: &[Head]) -> Verified {
    let service = open(database);
    let mut logs = service.verify_log(since, retained).unwrap();
    service.close();
    let first = logs.remove(0);
    assert!(logs.iter().all(|other| other.size == 0), "{logs:?}");
    first
}
