//! Imports as background jobs: one at a time, in a thread of its own, which ends with the server and is resumable.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::Failure;
use crate::cli::extract::Job;
use crate::cli::import::{Ordered, Reached, Taken, take};
use crate::clock::Clock;
use crate::config::Import;
use crate::http::imports::{Runner, State};
use crate::id::TenantId;
use crate::service::Muster;

/// The imports of the configuration, and how far each is.
pub(super) struct Imports {
    known: Vec<(TenantId, Import)>,
    service: Muster,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    states: Mutex<BTreeMap<String, State>>,
    stop: AtomicBool,
}

impl Shared {
    fn set(&self, name: &str, state: State) {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        states.insert(name.to_owned(), state);
    }
}

impl Imports {
    pub(super) fn new(
        known: &[Import],
        service: &Muster,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, Failure> {
        let known = known.iter().map(|import| {
            let tenant = service.tenant(&import.tenant)?;
            Ok::<_, Failure>((tenant, import.clone()))
        });
        Ok(Arc::new(Self {
            known: known.collect::<Result<_, _>>()?,
            service: service.clone(),
            clock,
            shared: Arc::default(),
            thread: Mutex::default(),
        }))
    }

    /// Ends what is at work, after the rows that are being committed.
    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            drop(thread.join());
        }
    }
}

impl Runner for Imports {
    fn known(&self) -> &[(TenantId, Import)] {
        &self.known
    }

    fn start(&self, import: &Import, actor: &str, dry_run: bool) -> Result<(), String> {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Err("an import is at work: ask again when it is done".into());
        }
        let ordered = Ordered {
            job: Job {
                file: import.file.clone(),
                system: import.system.clone(),
                map: import.map.clone(),
                tenant: import.tenant.clone(),
                actor: actor.to_owned(),
            },
            rejects: None,
            dry_run,
        };
        let (service, clock) = (self.service.clone(), self.clock.clone());
        let (shared, name) = (self.shared.clone(), import.name.clone());
        shared.set(&name, running(Reached::default()));
        let work = move || {
            let tell = |reached: Reached| {
                shared.set(&name, running(reached));
                !shared.stop.load(Ordering::SeqCst)
            };
            let state = match take(&service, &ordered, &*clock, &tell) {
                Ok(taken) => finished(&taken, dry_run),
                Err(failure) => State::Failed {
                    reason: failure.to_string(),
                },
            };
            tracing::info!("import.name" = name, state = ?state, "an import has ended");
            shared.set(&name, state);
        };
        let spawned = thread::Builder::new()
            .name("muster-import".into())
            .spawn(work);
        *thread = Some(spawned.map_err(|error| format!("cannot start a thread: {error}"))?);
        Ok(())
    }

    fn state(&self, import: &Import) -> State {
        let states = self
            .shared
            .states
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        states.get(&import.name).cloned().unwrap_or_default()
    }
}

fn running(reached: Reached) -> State {
    State::Running {
        rows: reached.rows,
        rejected: reached.rejected,
        percent: reached.bytes * 100 / reached.length.max(1),
    }
}

fn finished(taken: &Taken, dry_run: bool) -> State {
    let rejects = (taken.counts.rejected > 0).then(|| taken.rejects.display().to_string());
    State::Finished {
        counts: taken.counts,
        dry_run,
        rejects_file: rejects,
    }
}
