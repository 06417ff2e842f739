//! The published contracts: what is made is what was published, the server keeps to it, and HR-Open's names show no more
//! than SCIM's; over HTTP, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod command;
mod forms;
mod hiring;
mod log;
mod objects;
mod published;
mod validator;
