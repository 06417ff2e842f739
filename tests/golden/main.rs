//! One golden record of what many systems say (design §3, §7): whose word survives, who is who, whence each value comes;
//! over HTTP, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]
#![allow(clippy::too_many_lines, reason = "a story is told in one piece")]

#[path = "../support/mod.rs"]
mod support;

#[allow(dead_code, reason = "each suite uses its own part")]
#[path = "../evaluator/documents.rs"]
mod documents;
#[allow(dead_code, reason = "each suite uses its own part")]
#[path = "../evaluator/texts.rs"]
mod texts;

mod advice;
mod apart;
mod brake;
mod idempotency;
mod lineage;
mod merge;
mod models;
mod refold;
mod resolution;
mod resolved;
mod restore;
mod split;
mod survivorship;
mod vendor_merge;
