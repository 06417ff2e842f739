//! What is found out about an applicant: appended, never changed (B-029, B-030, B-031).
//!
//! | file | what it decides |
//! |---|---|
//! | `verification` | a decision on who somebody is |
//! | `tier` | which tier of verification a person has passed, so that nobody verifies twice (B-005) |
//! | `interview` | whether the checks came before the conversation (B-004) |

pub mod interview;
pub mod tier;
pub mod verification;

use super::lifecycle::{Refused, Turn};

/// An appeal is heard on the application on which the decision was made (B-044).
pub fn check_appeal(turn: &Turn<'_>) -> Result<(), Refused> {
    let of = "application.value";
    match &turn.beside.appealed {
        Some(appealed) if appealed.text(of) != turn.text(of) => Err(Refused::Appeal),
        _ => Ok(()),
    }
}
