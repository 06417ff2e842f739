//! Muster with an OpenID Provider that we did not write: `oidc-provider` from npm, which `tests/run` installs.
//!
//! | file | what it shows |
//! |---|---|
//! | `provider` | starts the provider |
//! | `scene` | a server that trusts it, on either database |
//! | `tokens` | client credentials, audiences, keys that change |
//! | `browser` | what somebody who signs in sits at |
//! | `sign_in` | the code flow, sessions and their end |

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod provider;
mod scene;
mod sign_in;
mod tokens;
