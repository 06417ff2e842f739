//! The HTTP door from outside: a real server on port 0, a real client, the embedded issuer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

mod app;
mod assertions;
mod authorize;
mod boundary;
mod fake_issuer;
mod issuer;
mod issuers;
mod limits;
mod openapi;
mod operations;
mod protocol;
mod rotation;
mod routes;
mod sign_in;
mod startup;
mod tls;
mod tokens;
mod verifier;

#[path = "../support"]
#[allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each suite uses its own part"
)]
mod support {
    pub(crate) mod database;
}
