//! Bulk (RFC 7644 §3.7): each operation is the use case that it would be alone, with its own rights, rules and event, in a
//! savepoint of its own. They share transactions in chunks, so that many cost little and nobody waits behind them for long.

mod part;
mod resume;

use std::collections::HashMap;
use std::mem;
use std::time::Instant;

use chrono::TimeDelta;

use super::{Error, Muster, Written};
use crate::domain::context::Context;
use crate::domain::idempotency::{LEASE, Progress};
use crate::id::ResourceId;
use crate::scim::bulk::{Bulk, Operation, Target, Unit};
use crate::scim::projection::Projection;
use crate::store::{self, Tx};
use part::{Part, Scene};
use resume::settled;

/// How many operations, and how many bytes of data, share a transaction: others' writes come in between two of them. A circle
/// of references is never divided.
const CHUNK_OPERATIONS: usize = 50;
const CHUNK_BYTES: usize = 256 * 1024;

/// An operation that was attempted (RFC 7644 §3.7.3).
#[derive(Debug)]
pub struct Attempted {
    /// Its place in the request, from 0.
    pub index: usize,
    /// Its method, in capitals.
    pub method: String,
    /// The client's name for it.
    pub bulk_id: Option<String>,
    /// Where the resource is; nothing for a POST that failed.
    pub location: Option<String>,
    /// What came of it: the resource but for a DELETE.
    pub outcome: Result<Option<Written>, Error>,
}

/// What the names of a request stand for so far: an id, or nothing if the POST failed.
#[derive(Clone, Default)]
struct Known(HashMap<String, Option<ResourceId>>);

/// What an operation of a chunk came to, by its index in the request.
type Outcome = (usize, Result<Option<Written>, Error>);

/// Operations that run in one transaction.
struct Chunk {
    muster: Muster,
    context: Context,
    projection: Projection,
    units: Vec<(bool, Vec<Part>)>,
    known: Known,
    /// How many more errors there may be; at none the rest is not attempted.
    patience: Option<u64>,
    /// What has been done before, if the request has a key, and since when it is worked on.
    progress: Progress,
    since: Instant,
}

impl Muster {
    /// Does what the request asks for, as far as its `failOnErrors` allows: what was attempted, in the order of the request.
    /// `projection` says what the answer is to hold of each resource.
    pub async fn bulk(
        &self,
        context: &Context,
        bulk: &Bulk<'_>,
        projection: &Projection,
    ) -> Result<Vec<Attempted>, Error> {
        let mut known = Known::default();
        let mut outcomes: Vec<Option<Attempted>> = Vec::new();
        outcomes.resize_with(bulk.operations.len(), || None);
        let mut errors = 0;
        let mut progress = self
            .resume(context, bulk, projection, (&mut known, &mut outcomes))
            .await?;
        let left = left(bulk, &outcomes);
        let (mut rest, since) = (left.as_slice(), Instant::now());
        while !rest.is_empty() {
            let (units, after) = rest.split_at(chunk(&bulk.operations, rest));
            rest = after;
            let patience = bulk
                .fail_on_errors
                .map(|limit| limit.saturating_sub(errors));
            if patience == Some(0) {
                break;
            }
            let scene = Scene {
                muster: self,
                context,
                projection,
            };
            let chunk = Chunk {
                muster: self.clone(),
                context: context.clone(),
                projection: projection.clone(),
                units: parts(&scene, &bulk.operations, units, &known),
                known: known.clone(),
                patience,
                progress: progress.clone(),
                since,
            };
            let done = match self.0.store.write(move |tx| chunk.run(tx)).await {
                Ok(done) => done,
                // Nothing has been done yet: the request as a whole may be repeated.
                Err(error) if outcomes.iter().all(Option::is_none) => return Err(error),
                Err(error) => {
                    let left = units.iter().chain(mem::take(&mut rest));
                    let left = left.flat_map(|unit| unit.operations.iter().copied());
                    left.map(|index| (index, Err(error.clone()))).collect()
                }
            };
            for (index, outcome) in done {
                let outcome = self.asked(context, outcome).await;
                let operation = &bulk.operations[index];
                errors += u64::from(outcome.is_err());
                known.learn(operation, &outcome);
                progress.extend(settled(index, &outcome));
                outcomes[index] = Some(attempted(context, (index, operation), &known, outcome));
            }
        }
        let attempted: Vec<Attempted> = outcomes.into_iter().flatten().collect();
        let shown = attempted.iter().filter_map(|done| made(&done.outcome));
        let shown = shown.map(|written| &written.resource);
        self.disclose(context, "", shown, Vec::new()).await?;
        Ok(attempted)
    }
}

/// The units of which something is left to do.
fn left(bulk: &Bulk<'_>, outcomes: &[Option<Attempted>]) -> Vec<Unit> {
    let is_open = |unit: &&Unit| {
        let mut operations = unit.operations.iter();
        operations.any(|index| outcomes[*index].is_none())
    };
    bulk.units.iter().filter(is_open).cloned().collect()
}

/// The operations of these units, prepared.
fn parts(
    scene: &Scene<'_>,
    operations: &[Operation<'_>],
    units: &[Unit],
    known: &Known,
) -> Vec<(bool, Vec<Part>)> {
    let part =
        |index: usize, circular| Part::new(scene, index, &operations[index], known, circular);
    let parts = |unit: &Unit| {
        let parts = unit.operations.iter();
        let parts = parts.map(|index| part(*index, unit.circular));
        (unit.circular, parts.collect())
    };
    units.iter().map(parts).collect()
}

/// How many of the units share the next transaction.
fn chunk(operations: &[Operation<'_>], units: &[Unit]) -> usize {
    let (mut count, mut bytes) = (0, 0);
    let fits = |unit: &&Unit| {
        count += unit.operations.len();
        let sizes = unit
            .operations
            .iter()
            .map(|index| operations[*index].size());
        bytes += sizes.sum::<usize>();
        count <= CHUNK_OPERATIONS && bytes <= CHUNK_BYTES
    };
    units.iter().take_while(fits).count().max(1)
}

fn attempted(
    context: &Context,
    (index, operation): (usize, &Operation<'_>),
    known: &Known,
    outcome: Result<Option<Written>, Error>,
) -> Attempted {
    let id = match &operation.target {
        Target::New => None,
        Target::Id(id) => Some(id.clone()),
        Target::Made(name) => known.id(name),
    };
    let path = |id| format!("{}{}/{id}", context.base_url, operation.endpoint);
    let location = match &outcome {
        Ok(Some(written)) => Some(written.resource.seen().location.clone()),
        // RFC 7644 §3.7.3: what a POST has not made is nowhere, even if its path names a resource.
        _ if operation.makes() => None,
        _ => id.map(path),
    };
    Attempted {
        index,
        method: operation.method_text.clone(),
        bulk_id: operation.bulk_id.clone(),
        location,
        outcome,
    }
}

impl Known {
    /// The id that a name stands for.
    fn id(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .and_then(Option::as_ref)
            .map(ToString::to_string)
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A name whose POST has failed.
    fn failed<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Option<&'n str> {
        let mut names = names.into_iter();
        names
            .find(|name| matches!(self.0.get(*name), Some(None)))
            .map(String::as_str)
    }

    fn learn(&mut self, operation: &Operation<'_>, outcome: &Result<Option<Written>, Error>) {
        if operation.makes()
            && let Some(name) = &operation.bulk_id
        {
            self.set(name, made(outcome));
        }
    }

    fn set(&mut self, name: &str, made: Option<&Written>) {
        let id = made.map(|made| made.resource.seen().id);
        self.0.insert(name.to_owned(), id);
    }
}

fn made(outcome: &Result<Option<Written>, Error>) -> Option<&Written> {
    outcome.as_ref().ok().and_then(Option::as_ref)
}

impl Chunk {
    fn run(&self, tx: &mut Tx<'_>) -> Result<Vec<Outcome>, Error> {
        let scene = Scene {
            muster: &self.muster,
            context: &self.context,
            projection: &self.projection,
        };
        let parts = self.units.iter().flat_map(|(_, parts)| parts);
        let ids: Vec<ResourceId> = parts.filter_map(Part::id).collect();
        if ids.len() > 1 {
            store::record::hold(tx, self.context.tenant(), &ids)?;
        }
        let mut known = self.known.clone();
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut errors = 0;
        for (circular, parts) in &self.units {
            if self.patience.is_some_and(|patience| errors >= patience) {
                break;
            }
            let done = if *circular {
                part::circle(parts, &scene, tx, &known)?
            } else {
                let mut done = Vec::with_capacity(parts.len());
                for part in parts {
                    done.push((part.index, part.alone(&scene, tx, &known)?));
                }
                done
            };
            for ((index, outcome), part) in done.into_iter().zip(parts) {
                errors += u64::from(outcome.is_err());
                if let Some(name) = &part.makes {
                    known.set(name, made(&outcome));
                }
                outcomes.push((index, outcome));
            }
        }
        if let Some(attempt) = &self.context.attempt {
            let mut progress = self.progress.clone();
            progress.extend(
                outcomes
                    .iter()
                    .filter_map(|(index, done)| settled(*index, done)),
            );
            let elapsed = TimeDelta::from_std(self.since.elapsed()).unwrap_or(TimeDelta::zero());
            let lease = self.context.now + elapsed + LEASE;
            store::idempotency::commit(tx, attempt, None, Some((&progress, lease)))?;
        }
        Ok(outcomes)
    }
}
