//! From candidate to employee (model.md, the lifecycle): the hiring record, its rules, its flow, and the incidents that must not
//! happen again; over HTTP, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]
#![allow(clippy::too_many_lines, reason = "a story is told in one piece")]

#[path = "../support/mod.rs"]
mod support;

mod again;
mod beyond;
mod canary;
mod controls;
mod dated;
mod days;
mod deliveries;
mod demo;
mod flow;
mod idempotency;
mod incidents;
mod integrations;
mod join_keys;
mod kpi;
mod matrix;
mod model;
mod offers;
mod persisted;
mod printed;
mod refused;
mod rules;
mod stage;
mod story;
mod tools;
mod trace;
mod who;
