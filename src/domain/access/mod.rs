//! What a policy lets a client do and see, attribute by attribute, and which row of it decided. Nothing here knows where
//! the policy comes from.
//!
//! | file | what it does |
//! |---|---|
//! | `decision` | rights and sight of every attribute of a resource type |
//! | `treatment` | what is left of a value that is hidden |

mod decision;
mod treatment;

pub use decision::{Access, Decision, Held, Row, Sight};
pub use treatment::{REDACTED, treat};

#[cfg(test)]
mod tests;
