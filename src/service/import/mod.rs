//! Extracts of a system taken in: row by row what a POST by that system would do, hundreds of rows a transaction,
//! with the place reached in the same commit.
//!
//! A row is (system, externalId). Of whom the system already speaks its claims are added to; anybody else is resolved as a
//! newcomer is. An import claims every value supplied, and absence says nothing (design §3).
//!
//! | file | what it does |
//! |---|---|
//! | `compare` | an extract against what is held of its system |
//! | `chunk` | rows that share a transaction |
//! | `seen` | who was spoken of earlier in the same file |

mod chunk;
mod compare;
mod seen;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Error, Muster};
use crate::domain::access::{Clearance, Governing};
use crate::domain::context::{Client, Context};
use crate::domain::event::Event;
use crate::domain::mapping::{Fault, Mapping, Said};
use crate::id::TenantId;
use crate::scim::error::did_you_mean;
use crate::scim::profile::Profile;
use crate::store;
use crate::store::import_job::Job;
pub use crate::store::import_job::Ledger;
pub use chunk::Chunk;
pub use compare::{Compared, Held, Report};
pub use seen::Seen;

/// The most rows of a chunk: nobody waits long behind it (design §5).
pub const CHUNK: usize = 200;

/// What is to be taken in, and by whose order.
#[derive(Clone, Debug)]
pub struct Order {
    /// The tenant.
    pub tenant: TenantId,
    /// The source system.
    pub system: String,
    /// Who orders it.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What the file is called.
    pub name: String,
    /// SHA-256 of the file.
    pub file: [u8; 32],
    /// SHA-256 of the mapping.
    pub mapping: [u8; 32],
    /// Whether nothing is to be kept.
    pub dry_run: bool,
}

/// A row of the file, by the number of its line.
#[derive(Clone, Debug)]
pub struct Line {
    /// The line, from 1.
    pub number: u64,
    /// What it says, or what is wrong with it.
    pub said: Result<Said, Vec<Fault>>,
}

/// A row that was not taken in, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The line, from 1.
    pub line: u64,
    /// Where and why.
    #[serde(flatten)]
    pub fault: Fault,
}

/// How many rows came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows.
    pub rows: i64,
    /// Persons whom nobody knew.
    pub created: i64,
    /// Persons known to others, of whom the system now speaks too.
    pub joined: i64,
    /// Persons who have changed.
    pub changed: i64,
    /// Rows that said what was known.
    pub unchanged: i64,
    /// Rows that could not be taken in.
    pub rejected: i64,
}

/// An import on its way.
pub struct Import<'m> {
    muster: Muster,
    mapping: &'m Mapping,
    context: Context,
    /// How far it has come, where that is kept.
    job: Option<Job>,
    /// What its events say why they were.
    errand: &'static str,
    dry_run: bool,
    /// How far an earlier run had come.
    begun: Ledger,
    /// Whether an earlier run of a file of that name was left unfinished, with other bytes.
    other_file: bool,
}

impl Muster {
    /// Begins an import, or goes on where an earlier run of the same file by the same mapping was ended.
    ///
    /// # Errors
    /// If a policy is in force that does not know the system.
    pub fn import<'m>(&self, order: &Order, mapping: &'m Mapping) -> Result<Import<'m>, Error> {
        let context = self.operator(order.tenant, &order.system, (&order.actor, order.at))?;
        let job = Job {
            tenant: order.tenant,
            system: order.system.clone(),
            file: order.file.to_vec(),
            mapping: order.mapping.to_vec(),
            name: order.name.clone(),
        };
        let (work, dry_run) = (job.clone(), order.dry_run);
        let at = order.at;
        let (begun, other_file) = self.0.store.write_blocking(move |tx| {
            let found = store::import_job::find(tx, &work)?;
            let begun = found.filter(|ledger| !ledger.done && !dry_run);
            let other = store::import_job::has_other(tx, &work)?;
            if begun.is_none() && !dry_run {
                store::import_job::claim(tx, &work, at)?;
            }
            Ok::<_, Error>((begun.unwrap_or_default(), other))
        })?;
        Ok(Import {
            muster: self.clone(),
            mapping,
            context,
            job: Some(job),
            errand: "import",
            dry_run,
            begun,
            other_file,
        })
    }

    /// Whether a client may have an extract taken in for a system of a tenant: it speaks for that system, and may write whatever
    /// there is of people, since a mapping says what it likes.
    ///
    /// # Errors
    /// 404 for another tenant's, 403 where its rights do not reach.
    pub fn may_import(context: &Context, (tenant, system): (TenantId, &str)) -> Result<(), Error> {
        if tenant != context.tenant() {
            return Err(Error::NotFound("there is no such import".into()));
        }
        if context.system() != system {
            return Err(Error::Forbidden(format!(
                "it is an extract of '{system}', and the client '{}' speaks for '{}'",
                context.client.name,
                context.system()
            )));
        }
        let all = |name: &str| context.client.clearance.on(name).writes_everything();
        if !(all("Person") && all("User")) {
            return Err(Error::Forbidden(format!(
                "an import writes whatever its mapping says: the client '{}' may not write all of Person and User",
                context.client.name
            )));
        }
        Ok(())
    }

    /// An operator who acts as a system: everything is allowed, under what the policy says of records.
    pub(super) fn operator(
        &self,
        tenant: TenantId,
        system: &str,
        (actor, now): (&str, DateTime<Utc>),
    ) -> Result<Context, Error> {
        let policies = self.policies();
        let governed = policies.get(&tenant.0);
        if let Some(governed) = governed {
            let known = || governed.policy.systems.iter();
            if !known().any(|row| row.name.value == system) {
                let nearest = did_you_mean(system, known().map(|row| row.name.value.as_str()));
                return Err(Error::NotFound(format!(
                    "the policy in force knows no system '{system}'{nearest}"
                )));
            }
        }
        let nothing = Governing::default();
        let governing = governed.map_or(&nothing, |governed| &governed.governing);
        let client = Client {
            name: actor.to_owned(),
            tenant,
            system: system.to_owned(),
            clearance: Clearance::of_operator(governing),
            purposes: Vec::new(),
            profile: Profile::Rfc,
            patch_answer: None,
        };
        let correlation = self.0.ids.event(now).to_string();
        Ok(Context::of_client(Arc::new(client), &correlation, now))
    }
}

impl Import<'_> {
    /// How far an earlier run had come. Of the rows between `previous` and `position` it may not have told the rejects.
    #[must_use]
    pub fn begun(&self) -> Ledger {
        self.begun
    }

    /// Whether an earlier run of a file of that name was left unfinished, and the file has changed since.
    #[must_use]
    pub fn is_of_changed_file(&self) -> bool {
        self.other_file
    }

    /// Ends it, with an event that tells what came of it; nothing of the kind in a dry run.
    pub fn finish(&self, ledger: &Ledger, now: DateTime<Utc>) -> Result<Counts, Error> {
        let counts = Counts::from(ledger);
        let Some(job) = self.job.clone().filter(|_| !self.dry_run) else {
            return Ok(counts);
        };
        let mut context = self.context.clone();
        context.now = now;
        let detail = json!({ "file": job.name, "counts": counts });
        let id = self.muster.0.ids.event(now);
        let event = Event::of_batch(&context, id, "import.finished", detail);
        let done = Ledger {
            done: true,
            ..*ledger
        };
        let ledger = *ledger;
        self.muster.0.store.write_blocking(move |tx| {
            if !store::import_job::update(tx, &job, (&ledger, &done), now)? {
                return Err(elsewhere());
            }
            Ok::<_, Error>(store::event::note(tx, event.clone())?)
        })?;
        Ok(counts)
    }
}

fn elsewhere() -> Error {
    Error::Conflict("another import of the same file is at work: wait for its end".into())
}

impl From<&Ledger> for Counts {
    fn from(ledger: &Ledger) -> Self {
        Self {
            rows: ledger.position,
            created: ledger.created,
            joined: ledger.joined,
            changed: ledger.changed,
            unchanged: ledger.unchanged,
            rejected: ledger.rejected,
        }
    }
}
