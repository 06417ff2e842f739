//! The same claims under another policy: simulated before it is applied, and folded anew in the background after.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::policy::Governed;
use super::{Error, Muster};
use crate::clock::Clock;
use crate::domain::access::Governing;
use crate::domain::event::{Event, changes};
use crate::domain::fold::Rules;
use crate::domain::index::uniques;
use crate::domain::policy::Policy;
use crate::domain::record::{Folded, Kind};
use crate::domain::simulation::Simulation;
use crate::id::TenantId;
use crate::store::refold::Progress;
use crate::store::{self, Tx};

/// Records in one transaction, and for how long at most: nobody waits behind it for long.
const CHUNK: i64 = 200;
const LONGEST: Duration = Duration::from_millis(100);
/// How long it rests at least between two chunks, so that others come first; and how often it looks whether there is a new policy.
const REST: Duration = Duration::from_millis(5);
const LOOK: Duration = Duration::from_millis(500);
/// How long after this process knows of a policy all others do.
const SETTLED: Duration = super::policy::LOOK.saturating_mul(4);
/// How often it looks for reviews whose time is over.
const SWEEP: TimeDelta = TimeDelta::minutes(1);

/// The thread that folds anew, if there is one: it stops when this is closed.
#[derive(Debug, Default)]
pub(super) struct Refolding(Mutex<Option<(Sender<()>, JoinHandle<()>)>>);

impl Refolding {
    fn keep(&self, stop: Sender<()>, thread: JoinHandle<()>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, thread));
    }

    /// Waits for the chunk that is being folded.
    pub(super) fn close(&self) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, thread)) = running {
            drop(stop);
            if thread.thread().id() != thread::current().id() {
                drop(thread.join());
            }
        }
    }
}

/// What has become of one record.
enum Fate {
    Same,
    Changed,
    Skipped,
}

impl Muster {
    /// What `policy` would change for a tenant's persons and organizations; for one in so many of them, if `every` is more
    /// than one. `seen` is told how many were looked at.
    pub fn simulate(
        &self,
        tenant: &str,
        policy: &Policy,
        every: u64,
        mut seen: impl FnMut(u64),
    ) -> Result<Simulation, Error> {
        let mut found = Simulation::default();
        let Some(tenant) = self.find_tenant(tenant)? else {
            return Ok(found);
        };
        let catalog = self.0.renderer.catalog();
        let governing = Governing::of(policy, 0, catalog);
        let (mut position, mut passed) = (0, 0_u64);
        loop {
            let page = self.0.store.read_blocking(|tx| {
                let page = store::refold::page(tx, tenant, position, CHUNK)?;
                let rows: Vec<i64> = page.iter().map(|record| record.row).collect();
                let mut sources = store::source::of_records(tx, &rows)?;
                let with = |folded: Folded| {
                    let sources = sources.remove(&folded.row).unwrap_or_default();
                    crate::domain::record::Record { folded, sources }
                };
                Ok::<_, Error>(page.into_iter().map(with).collect::<Vec<_>>())
            })?;
            let Some(last) = page.last() else {
                return Ok(found);
            };
            position = last.folded.row;
            for record in &page {
                if passed % every.max(1) == 0 {
                    found.add(record, &rules(&governing, self, record.folded.kind));
                }
                passed += 1;
            }
            seen(passed);
        }
    }

    /// How far a tenant's records have been folded anew.
    pub fn refold_progress(&self, tenant: &str) -> Result<Option<Progress>, Error> {
        self.0.store.read_blocking(|tx| {
            let Some(tenant) = store::tenant::find(tx, tenant)? else {
                return Ok(None);
            };
            Ok(store::refold::progress(tx, tenant)?)
        })
    }

    /// Folds records anew whenever a policy is applied, until the service is closed: a chunk at a time, from where it was left.
    pub fn start_refolding(&self, clock: Arc<dyn Clock>) -> Result<(), Error> {
        let (stop, stopped) = channel();
        let weak = Arc::downgrade(&self.0);
        let process = self.0.ids.resource().to_string();
        let work = move || {
            let mut pause = LOOK;
            let mut swept = DateTime::UNIX_EPOCH;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let Some(inner) = weak.upgrade() else { return };
                let muster = Self(inner);
                muster.keep_heard(false);
                muster.keep_counted();
                if clock.now() - swept > SWEEP {
                    swept = clock.now();
                    muster.sweep(&process, swept);
                }
                let began = Instant::now();
                let policies = muster.policies();
                // Before that another process may still write as the policy before had it.
                let mut settled = policies
                    .values()
                    .filter(|row| row.known.elapsed() > SETTLED);
                let more = settled.any(|governed| {
                    muster
                        .refold(governed, clock.now())
                        .unwrap_or_else(|error| {
                            tracing::debug!(%error, "cannot fold anew now; it is tried again");
                            false
                        })
                });
                // As long as it has worked: other processes that wait look only now and then.
                pause = if more {
                    REST.max(began.elapsed())
                } else {
                    LOOK
                };
            }
            if let Some(inner) = weak.upgrade() {
                let muster = Self(inner);
                muster.keep_heard(true);
                muster.keep_counted();
                muster.resign(&process);
            }
        };
        let thread = thread::Builder::new().name("muster-refold".into());
        let thread = thread
            .spawn(work)
            .map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
        self.0.refolding.keep(stop, thread);
        Ok(())
    }

    /// Folds one chunk of a tenant's records anew; whether there is more to do.
    pub fn refold(&self, governed: &Governed, now: DateTime<Utc>) -> Result<bool, Error> {
        let (tenant, version) = (governed.tenant, governed.version);
        let known = self
            .0
            .store
            .read_blocking(|tx| Ok::<_, Error>(store::refold::progress(tx, tenant)?))?;
        let is_done =
            |progress: Progress| progress.version == version && progress.finished.is_some();
        if known.is_some_and(is_done) {
            return Ok(false);
        }
        let (muster, governing) = (self.clone(), governed.governing.clone());
        let matches = governed.policy.matching.is_some();
        let done = self.0.store.write_blocking(move |tx| {
            muster.refold_chunk(tx, (tenant, version), &governing, (matches, now))
        })?;
        if let Some(at) = done.finished {
            tracing::info!(
                "policy.version" = version, "tenant.id" = tenant.0, "records.looked" = done.looked,
                "records.changed" = done.changed, "records.skipped" = done.skipped, %at,
                "all records are folded under the policy"
            );
        }
        Ok(done.finished.is_none())
    }

    fn refold_chunk(
        &self,
        tx: &mut Tx<'_>,
        (tenant, version): (TenantId, i64),
        governing: &Governing,
        (matches, now): (bool, DateTime<Utc>),
    ) -> Result<Progress, Error> {
        let before = store::refold::progress(tx, tenant)?;
        let mut progress = before
            .filter(|progress| progress.version == version)
            .unwrap_or(Progress {
                version,
                ..Progress::default()
            });
        if progress.finished.is_some() {
            return Ok(progress);
        }
        let page = store::refold::page(tx, tenant, progress.position, CHUNK)?;
        let began = Instant::now();
        for folded in &page {
            if began.elapsed() > LONGEST {
                break;
            }
            progress.position = folded.row;
            progress.looked += 1;
            match self.refold_one(tx, folded.row, governing, (matches, now))? {
                Fate::Same => {}
                Fate::Changed => progress.changed += 1,
                Fate::Skipped => progress.skipped += 1,
            }
        }
        if page.is_empty() {
            progress.finished = Some(now);
        }
        store::refold::advance(tx, tenant, before, progress)?;
        Ok(progress)
    }

    fn refold_one(
        &self,
        tx: &mut Tx<'_>,
        row: i64,
        governing: &Governing,
        (matches, now): (bool, DateTime<Utc>),
    ) -> Result<Fate, Error> {
        let before = store::record::fetch(tx, row)?;
        let folded = &before.folded;
        if matches && folded.kind == Kind::Person {
            self.rekey(tx, folded.clone())?;
        }
        let rules = rules(governing, self, folded.kind);
        let leaves = rules.fold(&before.sources);
        let changes = changes(&folded.leaves, &leaves);
        if changes.is_empty() {
            store::rest::reseal(tx, rules.specs, folded, &before.sources)?;
            return Ok(Fate::Same);
        }
        let held = uniques(rules.specs, &folded.leaves);
        let wanted = uniques(rules.specs, &leaves);
        let fresh: Vec<_> = wanted.difference(&held).collect();
        let taken = store::unique::taken(tx, folded.tenant, folded.kind, &fresh, Some(row))?;
        if let Some((unique, _)) = taken {
            tracing::warn!(
                "resource.id" = %folded.id, "attribute.path" = unique.path,
                "not folded anew: another record holds a value that has to be one's own"
            );
            store::rest::reseal(tx, rules.specs, folded, &before.sources)?;
            return Ok(Fate::Skipped);
        }
        let id = self.0.ids.event(now);
        let of = match folded.kind {
            Kind::Organization => ("organization.refolded", "Organization", folded.id),
            _ => ("person.refolded", "Person", folded.id),
        };
        let reason = format!("policy version {}", governing.version);
        let by = (crate::domain::review::SYSTEM, now);
        let event = Event::of_order(id, folded.tenant, of, by, Some(&reason)).with_changes(changes);
        let open = governing.classified.differ(&folded.leaves, &leaves);
        let sources = before.sources.clone();
        let after =
            store::record::update(tx, rules.specs, &before, (leaves, open), &sources, event)?;
        store::rest::reseal(tx, rules.specs, &after, &sources)?;
        Ok(Fate::Changed)
    }
}

fn rules<'g>(governing: &'g Governing, muster: &'g Muster, kind: Kind) -> Rules<'g> {
    Rules {
        specs: muster.0.renderer.catalog().specs(kind),
        classified: &governing.classified,
        rulings: governing.survivorship.on(kind),
    }
}
