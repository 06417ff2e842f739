//! Decisions about people: pure, without I/O or a clock.

pub mod context;
pub mod masked;
