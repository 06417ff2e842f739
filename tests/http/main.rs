//! The HTTP door from outside: a real server on port 0, a real client, the embedded issuer.

mod app;
mod boundary;
mod issuer;
mod operations;
mod protocol;
mod startup;
mod tokens;
mod verifier;
