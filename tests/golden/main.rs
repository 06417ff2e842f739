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

mod afternoon;
mod lineage;
mod merge;
mod refold;
mod resolution;
mod survivorship;
