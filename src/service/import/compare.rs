//! A full extract against what is held of its system: who is missing there, who is missing here, whose
//! attributes drifted, who stands in it twice, of whom nobody else speaks.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::{Chunk, Counts, Import, Order};
use crate::domain::event::Event;
use crate::domain::mapping::Mapping;
use crate::service::{Error, Muster};
use crate::store;
pub use crate::store::held::Held;
use crate::store::import_job::Ledger;

/// How many of a kind a report names; it counts all.
const MOST: usize = 10_000;

/// A row and what is held of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compared {
    /// The line, from 1.
    pub line: u64,
    /// The system's own id.
    pub external_id: String,
    /// The person; nothing if the system is not held to speak of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The attributes of which it now says something else.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drifted: Vec<String>,
    /// The attributes of which it is held to say something that it no longer says: absence is no claim, so that these are
    /// for a human.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lingering: Vec<String>,
}

impl Compared {
    /// Whether taking the row in would bring the two together, as far as that is safe.
    #[must_use]
    pub fn is_repairable(&self) -> bool {
        self.person.is_none() || !self.drifted.is_empty()
    }
}

/// A person of whom the system is held to speak, and no longer does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingThere {
    /// The system's own id; nothing where it never gave one.
    pub external_id: Option<String>,
    /// The person.
    pub person: String,
    /// Whether no other system speaks of them: an orphan.
    pub orphan: bool,
}

/// What a comparison came to. Each list names the first ten thousand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The system.
    pub system: String,
    /// The extract.
    pub file: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Rows compared.
    pub rows: u64,
    /// Rows on which both agree.
    pub agreeing: u64,
    /// How many there are of each kind.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many rows drifted in each attribute.
    pub drifted_attributes: BTreeMap<String, u64>,
    /// In the extract, and not here.
    pub missing_here: Vec<Compared>,
    /// Here, and not in the extract.
    pub missing_there: Vec<MissingThere>,
    /// In both, and not alike.
    pub drifted: Vec<Compared>,
    /// Rows that could not be compared, those that stand twice among them.
    pub rejected: Vec<super::Reject>,
    /// What a repair came to, if one was asked for.
    pub repaired: Option<Counts>,
}

impl Report {
    fn count(&mut self, kind: &'static str) {
        *self.counts.entry(kind).or_default() += 1;
    }

    /// How many there are of a kind.
    #[must_use]
    pub fn of(&self, kind: &str) -> u64 {
        self.counts.get(kind).copied().unwrap_or(0)
    }

    /// Adds a row.
    pub fn add(&mut self, compared: Compared) {
        self.rows += 1;
        let list = if compared.person.is_none() {
            self.count("missingHere");
            &mut self.missing_here
        } else if compared.drifted.is_empty() && compared.lingering.is_empty() {
            self.agreeing += 1;
            return;
        } else {
            for path in compared.drifted.iter().chain(&compared.lingering) {
                *self.drifted_attributes.entry(path.clone()).or_default() += 1;
            }
            self.count("drifted");
            &mut self.drifted
        };
        if list.len() < MOST {
            list.push(compared);
        }
    }

    /// Adds somebody who is not in the extract.
    pub fn miss(&mut self, held: Held) {
        self.count("missingThere");
        if held.is_alone {
            self.count("orphans");
        }
        if held.external_id.is_none() {
            self.count("unnamed");
        }
        if self.missing_there.len() < MOST {
            self.missing_there.push(MissingThere {
                external_id: held.external_id,
                person: held.person.to_string(),
                orphan: held.is_alone,
            });
        }
    }

    /// Adds what was wrong with a row.
    pub fn reject(&mut self, reject: super::Reject) {
        self.count(if reject.is_double() {
            "duplicates"
        } else {
            "rejected"
        });
        if self.rejected.len() < MOST {
            self.rejected.push(reject);
        }
    }
}

impl Muster {
    /// Begins a comparison. Rows that are taken in afterwards, as a repair, say so in their events.
    pub fn reconciliation<'m>(
        &self,
        order: &Order,
        mapping: &'m Mapping,
    ) -> Result<Import<'m>, Error> {
        let context = self.operator(order.tenant, &order.system, (&order.actor, order.at))?;
        Ok(Import {
            muster: self.clone(),
            mapping,
            context,
            job: None,
            errand: "reconciliation",
            dry_run: order.dry_run,
            begun: Ledger::default(),
            other_file: false,
        })
    }
}

impl Import<'_> {
    /// What is held of the rows of a chunk.
    pub fn compare(&self, chunk: &Chunk) -> Result<Vec<Compared>, Error> {
        self.muster.0.store.read_blocking(|tx| {
            let rows = chunk.rows().iter();
            let compared = rows.map(|row| {
                let by = (&self.muster, &row.context);
                let drift = row.create.compare(by, tx)?;
                let mut compared = Compared {
                    line: row.line,
                    external_id: row.create.external_id().to_owned(),
                    person: None,
                    drifted: Vec::new(),
                    lingering: Vec::new(),
                };
                if let Some(drift) = drift {
                    compared.person = Some(drift.person.to_string());
                    compared.drifted = drift.changed;
                    compared.lingering = drift.lingering;
                    compared.lingering.retain(|path| self.mapping.covers(path));
                }
                Ok(compared)
            });
            compared.collect()
        })
    }

    /// Of whom the system is held to speak, page by page: those after `after`, by the number of the source record.
    pub fn held(&self, after: i64) -> Result<Vec<Held>, Error> {
        let of = (self.context.tenant(), self.context.system());
        Ok(self
            .muster
            .0
            .store
            .read_blocking(|tx| store::held::list(tx, of, after))?)
    }

    /// Keeps what a comparison came to as an event: its numbers, and nobody's values.
    pub fn report(&self, report: &Report, now: DateTime<Utc>) -> Result<(), Error> {
        let mut context = self.context.clone();
        context.now = now;
        let detail = json!({
            "file": report.file,
            "rows": report.rows,
            "agreeing": report.agreeing,
            "counts": report.counts,
            "driftedAttributes": report.drifted_attributes,
            "repaired": report.repaired,
        });
        let id = self.muster.0.ids.event(now);
        let event = Event::of_batch(&context, id, "reconciliation.finished", detail);
        self.muster
            .0
            .store
            .write_blocking(move |tx| Ok(store::event::note(tx, event.clone())?))
    }
}
