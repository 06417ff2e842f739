//! Identity resolution by evidence: how alike two people are, attribute by attribute, what that says in bits, and what is
//! decided of it (design §7, matching.md). Pure: where people are kept and found is not known here.
//!
//! | file | what it does |
//! |---|---|
//! | `normal` | values in the form in which they are compared |
//! | `profile` | a person as people are compared |
//! | `level` | how alike two are in each attribute |
//! | `model` | what each level says, in bits, and what a score means |
//! | `reference` | which model a policy means |
//! | `apart` | two of whom a human has said that they are two |
//! | `block` | the keys under which candidates are found |
//! | `decide` | one newcomer: scored, guarded, decided, explained |
//! | `population` | many people at once: pairs and clusters |
//! | `train` | a model fitted to a population |
//! | `weigh` | its weights fitted together, where the truth is known |
//! | `inventory` | the join keys in use, and how risky each is |
//! | `evaluate` | how good a model is where the truth is known |

pub mod apart;
pub mod block;
pub mod decide;
pub mod evaluate;
pub mod inventory;
pub mod level;
pub mod model;
pub mod normal;
pub mod population;
pub mod profile;
pub mod reference;
pub mod train;
mod weigh;

pub use decide::{Candidate, Context, Decision, Guard, Outcome, Trace, decide};
pub use model::{Frequencies, Model, Scorer, Unknown};
pub use profile::Profile;
pub use reference::Reference;
