//! Who is who: figures on generated people that must not get worse, properties of the engine, bad input,
//! and FEBRL's public test sets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by failing"
)]

mod bad_input;
mod cultures;
mod febrl;
mod guards;
mod people;
mod properties;
mod scorecard;
