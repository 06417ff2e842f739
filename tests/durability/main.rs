//! What was acknowledged has reached the disk (design §5): SIGKILL under write load, and the client's own journal
//! compared with what the server knows after a restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod journal;
mod load;
mod repeated;

use std::time::Duration;

use support::process::Process;
use support::{Client, Database, Engine, client};

use journal::Journal;

/// How often the server is killed.
const KILLS: u64 = 20;
/// Writes that must be acknowledged before each of them.
const ACKNOWLEDGED: usize = 1_000;

/// The seeded moment of a kill, after the last of the writes that must come before it: the load goes on until then.
fn moment(round: u64) -> Duration {
    // A step of SplitMix64: evenly spread, the same in every run.
    let mut bits = round.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    Duration::from_micros((bits ^ (bits >> 31)) % 150_000)
}

async fn hris(server: &Process) -> Client {
    let http = client::http();
    let token = client::token(&http, &server.origin, "hris").await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

#[test]
fn twenty_kills_under_load_lose_no_acknowledged_write() {
    let database = Database::fresh(Engine::Sqlite);
    let mut journals: Vec<Journal> = Vec::new();
    for round in 0..KILLS {
        let server = Process::start(database.folder());
        let journal = actix_web::rt::System::new().block_on(async {
            let client = hris(&server).await;
            if let Some(last) = journals.last() {
                last.compare(&client).await;
            }
            load::until_killed(server, &client, round, ACKNOWLEDGED, moment(round)).await
        });
        assert!(
            journal.acknowledged() >= ACKNOWLEDGED,
            "round {round}: {}",
            journal.acknowledged()
        );
        journals.push(journal);
    }
    let server = Process::start(database.folder());
    actix_web::rt::System::new().block_on(async {
        let client = hris(&server).await;
        for journal in &journals {
            journal.compare(&client).await;
        }
    });
    server.kill();
    support::invariants::check(&mut database.connect());
    database.forget();
}
