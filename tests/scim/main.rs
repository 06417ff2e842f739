//! SCIM over HTTP as a client sees it, on both databases. Each file is a topic, each test a sentence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod bulk;
mod bulk_failures;
mod bulk_load;
mod candidate;
mod characteristics;
mod conform;
mod crowd;
mod cursors;
mod discovery;
mod etags;
mod filter_data;
mod filter_meaning;
mod filter_reach;
mod flat_cost;
mod groups;
mod idempotency;
mod large_groups;
mod lifecycle;
mod locked;
mod me;
mod memberships;
mod nul;
mod paging;
mod parallel;
mod patch_data;
mod patching;
mod people;
mod prefer;
mod profiles;
mod projection;
mod rights;
mod sorting;
mod sources;
mod tampering;
mod values;
