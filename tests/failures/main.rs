//! Databases that are full, locked, gone or restarted under load, several servers on one database, and callers that
//! send too much or too slowly. What holds of each: every request is answered within a bound, with success or with 503
//! and `Retry-After`; no acknowledged write is lost; and the same process goes on by itself once the trouble is over.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../durability/journal.rs"]
#[expect(dead_code, reason = "this suite counts for itself")]
mod journal;
#[path = "../support/mod.rs"]
mod support;

mod cluster;
mod flood;
mod load;
mod postgres;
mod processes;
mod sqlite;

use support::process::Process;
use support::{Client, client};

/// A client of a server, with a token.
async fn hris(server: &Process) -> Client {
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(load::BOUND)
        .build()
        .expect("an HTTP client can be made");
    let token = client::token(&http, &server.origin, "hris").await;
    Client::new(http, format!("{}/scim/v2", server.origin), Some(token))
}

/// The status of `/readyz`.
async fn ready(server: &Process) -> u16 {
    let answer = client::http()
        .get(format!("{}/readyz", server.origin))
        .timeout(load::BOUND)
        .send()
        .await
        .expect("readyz answers");
    answer.status().as_u16()
}
