//! A filter on what no column of the log has: the bodies, as far as the reader sees them, are looked through in the log's order.
//! What it does not see it cannot ask for.

use serde_json::Value;

use super::{Error, Muster};
use crate::domain::context::{Client, Context};
use crate::domain::masked::{Masked, Resource};
use crate::id::TenantId;
use crate::scim;
use crate::scim::filter::Condition;
use crate::store::Tx;
use crate::store::audit_event::{self, Query};

/// So many events are read at once, and looked through for one request.
const CHUNK: i64 = 500;
const MOST: usize = 2000;

/// Which part of the log is asked for.
pub(super) struct Asked {
    /// What its columns must say.
    pub(super) filter: Option<Condition>,
    pub(super) descending: bool,
    /// After which place, beyond how many that match, and how many at most.
    pub(super) page: (Option<i64>, i64, i64),
    pub(super) by_cursor: bool,
}

impl Asked {
    pub(super) fn query<'q>(&'q self, tenant: TenantId, reader: &'q Client) -> Query<'q> {
        Query {
            tenant,
            condition: self.filter.as_ref(),
            descending: self.descending,
            reader,
        }
    }
}

/// How many are on a page.
pub(super) fn size(limit: i64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// What is looked for.
pub(super) struct Sieve {
    pub(super) muster: Muster,
    pub(super) context: Context,
    /// What the bodies must say.
    pub(super) condition: Condition,
    pub(super) asked: Asked,
}

/// What was found.
#[derive(Default)]
pub(super) struct Sifted {
    pub(super) events: Vec<Masked<Resource>>,
    /// How many match, where all were looked through.
    pub(super) total: Option<u64>,
    /// The place to go on from, if there may be more.
    pub(super) next: Option<i64>,
    /// What matched and is not on the page, and tells by that of what is classified.
    pub(super) beyond: Vec<Masked<Resource>>,
}

impl Sieve {
    /// Looks through a part of the log: by cursor until the page is full or enough was looked at, by index through all of it.
    pub(super) fn sift(&self, tx: &mut Tx<'_>) -> Result<Sifted, Error> {
        let (mut after, skipped, limit) = self.asked.page;
        let (size, by_cursor) = (size(limit), self.asked.by_cursor);
        let query = self
            .asked
            .query(self.context.tenant(), &self.context.client);
        let (mut found, mut looked, mut matched) = (Sifted::default(), 0, 0);
        loop {
            let chunk = audit_event::list(tx, &query, after, (0, CHUNK))?;
            let is_last = i64::try_from(chunk.len()).is_ok_and(|read| read < CHUNK);
            for (place, body) in chunk {
                if by_cursor && matched >= size.max(1) {
                    found.next = after;
                    return Ok(found);
                }
                (after, looked) = (Some(place), looked + 1);
                if let Some(event) = self.passing(&body) {
                    matched += 1;
                    let is_skipped = i64::try_from(matched).is_ok_and(|nth| nth <= skipped);
                    if !is_skipped && found.events.len() < size {
                        found.events.push(event);
                    } else if !event.seen().disclosed.is_empty() {
                        found.beyond.push(event);
                    }
                }
            }
            if is_last {
                found.total = (!by_cursor).then_some(matched as u64);
                return Ok(found);
            }
            if looked >= MOST {
                found.next = Some(self.enough(after)?);
                return Ok(found);
            }
        }
    }

    /// The event as its reader sees it, if that passes.
    fn passing(&self, body: &Value) -> Option<Masked<Resource>> {
        let renderer = &self.muster.0.renderer;
        let event = renderer.mask_event(&self.context, body);
        event.tells(&self.condition).then_some(event)
    }

    fn enough(&self, after: Option<i64>) -> Result<i64, Error> {
        let place = after.filter(|_| self.asked.by_cursor);
        place.ok_or_else(|| {
            scim::Error::too_many(format!(
                "more than {MOST} events would have to be looked through: add what the log has as columns (recordedAt, type, \
                 personId, client, …), or page by 'cursor'"
            ))
            .into()
        })
    }
}
