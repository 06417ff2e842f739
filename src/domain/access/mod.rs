//! What a policy lets a client do and see, attribute by attribute, and which row of it decided. Nothing here knows where
//! the policy comes from.
//!
//! | file | what it does |
//! |---|---|
//! | `decision` | rights and sight of every attribute of a resource type, with the row that decides: what is explained |
//! | `clearance` `compile` | the same for one client, compiled once a version of the policy: what is enforced |
//! | `classified` | what the policy classifies, whoever reads |
//! | `seen` | what a client sees of one record |
//! | `restore` | its own rendering of that coming back |
//! | `query` | filters and orders, of what a client sees alone |
//! | `confidential` | attributes of which only some know that they are there |
//! | `consent` | what counts as consent |
//! | `treatment` | what is left of a value that is hidden |
//! | `untold` | what of the log a client is not told, because it could guess by it |

mod classified;
mod clearance;
mod compile;
mod confidential;
mod consent;
mod decision;
mod query;
mod restore;
mod seen;
mod treatment;
mod untold;

pub use classified::Classified;
pub use clearance::{Clearance, Governing, MOST_ROWS, TypeClearance};
pub use confidential::{Confidential, confidential};
pub use consent::consented;
pub use decision::{Access, Decision, Held, Row, Sight};
pub use query::{Lens, Unsearchable};
pub use seen::Seen;
pub use treatment::treat;
pub use untold::Untold;

#[cfg(test)]
mod tests;
