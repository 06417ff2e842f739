//! Who may do what and see what (design §6, A-077, A-078), over HTTP, on both databases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]
#![allow(clippy::too_many_lines, reason = "a story is told in one piece")]

#[path = "../http/fake_issuer.rs"]
#[allow(dead_code, reason = "other suites have it misbehave")]
mod fake_issuer;
#[path = "../support/mod.rs"]
mod support;

mod approvals;
mod audit;
mod bounds;
mod break_glass;
mod commands;
mod confidential;
mod consent;
mod entra;
mod explained;
mod guesses;
mod idempotency;
mod in_force;
mod log_bounds;
mod masking;
mod oracle;
mod other_kinds;
mod out_of_reach;
mod own_tokens;
mod reads;
mod references;
mod refused;
mod round_trip;
mod routes;
mod rules;
mod sessions;
mod shown;
mod tenants;
mod treatments;
mod untold;
mod world;
