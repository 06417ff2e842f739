//! Decisions about people: pure, without I/O or a clock.
//!
//! | file | what it decides |
//! |---|---|
//! | `context` | who is asking |
//! | `catalog` `view` | which attributes there are, and how `/Users` and `/Persons` are views of one record |
//! | `document` | from a client's document to canonical values and back |
//! | `record` `claim` | what a record is, and what a source system says of it |
//! | `name` | what names one record alone |
//! | `writing` | what a POST, PUT or PATCH claims |
//! | `survivorship` `fold` | whose claim survives, and the golden record from all claims |
//! | `suggestion` | what is held back of what a system says |
//! | `simulation` | what another policy would make of the same claims |
//! | `advice` | which rules the decisions of humans recommend |
//! | `lineage` | where a value comes from |
//! | `index` | its rows in the attribute index |
//! | `resolution` | whether a newcomer is somebody known, by keys |
//! | `matching` | the same by evidence: scored, guarded, explained |
//! | `resolved` | how it was decided who a person is, as the log tells it |
//! | `review` | questions for a human |
//! | `brake` | whether a run of leavers goes on without a human |
//! | `integration` | how far a connected system is behind |
//! | `refused` | what is kept of a write that was refused for what it said |
//! | `kpi` | how figures are made of counts and times |
//! | `withdrawn` | what a system said of a record that is gone, kept to bring it back |
//! | `event` | the event that explains a change |
//! | `log` | what seals the events: their hashes, the tree over them, its heads and proofs |
//! | `policy` | what the operators have laid down, read and checked |
//! | `mapping` | what the columns of an extract claim |
//! | `access` | what a policy lets a client do and see |
//! | `session` | who is signed in, and for how long |
//! | `token` | when the end of a token of our own issuer is warned of |
//! | `masked` | what a reader may see |
//! | `rendering` `hropen` | the same in another form than SCIM's |
//! | `contract` | the published JSON Schemas of objects, resource types and events |
//! | `sealed` | secret attributes: sealed, hinted at, found blindly |
//! | `secrets` | what a policy marks as secret: sealed where it stands |
//! | `sealing` | keys that wrap keys, and what they seal |
//! | `cursor` | where a walk over pages stands, sealed |

pub mod access;
pub mod advice;
pub mod audit_event;
pub mod brake;
pub mod catalog;
pub mod claim;
pub mod context;
pub mod contract;
pub mod cursor;
pub mod document;
pub mod event;
pub mod evidence;
pub mod fold;
pub mod hropen;
pub mod idempotency;
pub mod index;
pub mod integration;
pub mod kpi;
pub mod lifecycle;
pub mod lineage;
pub mod log;
pub mod mapping;
pub mod masked;
pub mod matching;
pub mod name;
pub mod policy;
pub mod record;
pub mod refused;
pub mod rendering;
pub mod resolution;
pub mod resolved;
pub mod review;
pub mod sealed;
pub mod sealing;
pub mod secrets;
pub mod session;
pub mod simulation;
pub mod story;
pub mod suggestion;
pub mod survivorship;
pub mod token;
pub mod view;
pub mod withdrawn;
pub mod writing;
